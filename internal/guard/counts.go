package guard

import (
	"time"

	"tacet"
)

// counts is how many secrets each vault holds, for the quota. Only the committer
// touches it. A vault is counted when a secret is first made in it, and then kept by
// adding and subtracting; where other nodes share the store it is counted again now
// and then, so that there the quota is met within a minute's worth of creations.
type counts map[tacet.VaultID]counted

type counted struct {
	secrets int64
	at      time.Time
}

// recount is how old a count may be on a shared store.
const recount = time.Minute

func (c counts) add(v tacet.VaultID, n int64) {
	if have, ok := c[v]; ok {
		have.secrets += n
		c[v] = have
	}
}

// forget drops what was counted: a group failed, and with it what it added.
func (c counts) forget() { clear(c) }

// roomForSecret refuses a secret beyond the quota of its vault; LimitExceeded.
func (tx *Tx) roomForSecret(v tacet.VaultID) error {
	limit := tx.g.cfg.MaxSecrets
	if limit == 0 {
		return nil
	}
	have, ok := tx.g.counts[v]
	if !ok || tx.g.db.Shared() && time.Since(have.at) > recount {
		if err := tx.group.flush(); err != nil {
			return err
		}
		n, err := tx.group.store.CountSecrets(string(v))
		if err != nil {
			return err
		}
		have = counted{n, time.Now()}
		tx.g.counts[v] = have
	}
	if have.secrets+tx.changes.counts[v] >= limit {
		return tacet.Errorf(tacet.LimitExceeded, "You can't have more than %d secrets in an account and region.", limit)
	}
	return nil
}

// count notes that an operation made or deleted a secret.
func (c *changeset) count(v tacet.VaultID, n int64) {
	if c.counts == nil {
		c.counts = map[tacet.VaultID]int64{}
	}
	c.counts[v] += n
}
