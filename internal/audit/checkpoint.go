package audit

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Signer signs checkpoints with Ed25519. Its key must sign nothing else.
type Signer struct {
	name     string
	hash     uint32
	key      ed25519.PrivateKey
	verifier string
}

// originPrefix begins the origin of every deployment's log.
const originPrefix = "tacet/"

// Origin returns the origin of a deployment's log, the name of what signs it.
func Origin(deployment string) string { return originPrefix + deployment }

// NewSigner makes a signer from a 32-byte seed. The name is the log's origin ([Origin]), the
// first line of each checkpoint; it is unique to the deployment and has no spaces
// and no "+".
func NewSigner(name string, seed []byte) (*Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("audit: a signing seed has %d bytes, not %d", ed25519.SeedSize, len(seed))
	}
	key := ed25519.NewKeyFromSeed(seed)
	verifier, err := note.NewEd25519VerifierKey(name, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	// The note package checks the name only when it reads a key.
	v, err := note.NewVerifier(verifier)
	if err != nil {
		return nil, fmt.Errorf("audit: the name %q cannot sign: %w", name, err)
	}
	return &Signer{name, v.KeyHash(), key, verifier}, nil
}

// VerifierKey returns the text that verifies the signer's notes, "name+hash+key"
// (c2sp.org/signed-note). It is public and should be kept outside the deployment.
func (s *Signer) VerifierKey() string { return s.verifier }

// sign makes the checkpoint of a tree.
func (s *Signer) sign(size int64, root tlog.Hash, now time.Time) (Checkpoint, error) {
	now = now.UTC().Truncate(time.Microsecond)
	text := fmt.Sprintf("%s\n%d\n%s\n%s%s\n", s.name, size, root, timePrefix, now.Format(timeFormat))
	signed, err := note.Sign(&note.Note{Text: text}, noteSigner{s})
	if err != nil {
		return Checkpoint{}, fmt.Errorf("audit: signing a checkpoint: %w", err)
	}
	return Checkpoint{Size: size, Time: now.UnixMicro(), Note: string(signed)}, nil
}

// noteSigner keeps the methods that sign anything off [Signer].
type noteSigner struct{ s *Signer }

func (n noteSigner) Name() string    { return n.s.name }
func (n noteSigner) KeyHash() uint32 { return n.s.hash }

func (n noteSigner) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(n.s.key, msg), nil }

const (
	timePrefix = "time "
	timeFormat = "2006-01-02T15:04:05.000000Z"
	maxNote    = 1 << 16
)

// A Head is what a checkpoint states.
type Head struct {
	Origin string
	Size   int64
	Root   tlog.Hash
	Time   time.Time
}

// OpenCheckpoint verifies a signed note with a verifier key and returns what it
// states. The form is that of c2sp.org/tlog-checkpoint: origin, size, root hash, and
// a line with the time; further lines are ignored.
func OpenCheckpoint(text, verifierKey string) (Head, error) {
	if len(text) > maxNote {
		return Head{}, errors.New("the checkpoint is too long")
	}
	v, err := note.NewVerifier(verifierKey)
	if err != nil {
		return Head{}, fmt.Errorf("the verifier key cannot be read: %w", err)
	}
	n, err := note.Open([]byte(text), note.VerifierList(v))
	if err != nil {
		var unverified *note.UnverifiedNoteError
		if errors.As(err, &unverified) {
			return Head{}, fmt.Errorf("the checkpoint is not signed by %s (%08x)", v.Name(), v.KeyHash())
		}
		return Head{}, fmt.Errorf("the checkpoint's signature does not hold: %w", err)
	}
	h, err := parseHead(n.Text)
	if err != nil {
		return Head{}, err
	}
	if h.Origin != v.Name() {
		return Head{}, fmt.Errorf("the checkpoint is of the log %q and not of %q", h.Origin, v.Name())
	}
	return h, nil
}

func parseHead(text string) (Head, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 5 {
		return Head{}, errors.New("the checkpoint is too short")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Head{}, errors.New("the checkpoint has no proper size")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Head{}, errors.New("the checkpoint has no proper root hash")
	}
	at, ok := strings.CutPrefix(lines[3], timePrefix)
	if !ok {
		return Head{}, errors.New("the checkpoint has no time")
	}
	t, err := time.Parse(timeFormat, at)
	if err != nil {
		return Head{}, errors.New("the checkpoint has no proper time")
	}
	return Head{Origin: lines[0], Size: size, Root: root, Time: t}, nil
}

// open verifies a stored checkpoint, whose columns must say what its note says.
func (c *Checkpoint) open(verifierKey string) (Head, error) {
	h, err := OpenCheckpoint(c.Note, verifierKey)
	if err != nil {
		return Head{}, &TamperError{err.Error()}
	}
	if h.Size != c.Size || h.Time.UnixMicro() != c.Time {
		return Head{}, tampered("the latest checkpoint is stored as one of %d records at %d, and its signed note says %d records at %d",
			c.Size, c.Time, h.Size, h.Time.UnixMicro())
	}
	return h, nil
}
