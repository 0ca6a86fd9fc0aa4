package seal

import (
	"context"
	"time"

	"tacet"
)

// Rewrap makes a new root key and wraps every data key with it. It returns all the
// keys to store, in one transaction: the roots, wrapped by kek, and the data keys.
// Older roots are among them, because what they vouched for stays. When they are
// stored, the caller opens a new ring with [OpenRing]; this one stays as it is.
//
// Values are not sealed again: their keys are the same under another wrapping. Seals
// is the count that this ring knows of; the store's own may be higher by now and must
// not be lowered.
func (r *Ring) Rewrap(ctx context.Context, kek KEK, now time.Time) ([]WrappedKey, error) {
	// The newest root is the one in use, so it must be newer also when the clock was set back.
	next, err := newRoot(newID(), max(tacet.Microseconds(now), r.newest().created+1), newSecret())
	if err != nil {
		return nil, err
	}
	out, err := r.ChangeKEK(ctx, kek)
	if err != nil {
		return nil, err
	}
	k, err := wrapRoot(ctx, kek, next)
	if err != nil {
		return nil, err
	}
	out = append(out, k)
	for _, k := range r.keys.Load().byID {
		// The key of a ring is always of one of its roots, and opened before.
		secret, err := r.root([]byte(k.row.KEK)).unwrapData(k.row)
		if err != nil {
			return nil, err
		}
		row := next.wrapData(k.row, secret)
		clear(secret)
		row.Seals = k.seen.Load()
		out = append(out, row)
	}
	return out, nil
}

// ChangeKEK wraps the root keys, as they are, with another KEK. It returns the keys to
// store, in one transaction; data keys are not among them, because they do not change.
// From then on the store opens with the new KEK only.
func (r *Ring) ChangeKEK(ctx context.Context, kek KEK) ([]WrappedKey, error) {
	out := make([]WrappedKey, 0, len(r.roots)+1)
	for _, root := range r.roots {
		k, err := wrapRoot(ctx, kek, root)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}
