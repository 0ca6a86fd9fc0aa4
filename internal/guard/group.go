package guard

import (
	"errors"
	"time"

	"tacet"
	"tacet/internal/seal"
	"tacet/internal/store"
)

// group is one turn of the committer: what its jobs changed so far, over what the
// cache and the store hold. Nothing of it is visible to reads before apply.
type group struct {
	g     *Guard
	store *store.Tx
	now   time.Time
	dir   *directory // as changed by the group; nil while unchanged

	changes  *changeset                             // not yet written
	entries  map[key]*entry                         // every secret changed, written or not; nil: deleted
	versions map[store.VersionKey]*store.VersionRow // likewise
	noted    []noted
	newKeys  []seal.WrappedKey
	gone     []tacet.VaultID // vaults deleted
	touches  []touch
	uses     []store.LastUseRow
	made     int64 // changes made
	records  int64
	first    int64 // the number of the first of them
	bodies   [][]byte
}

type noted struct {
	key    key
	change int64
}

// Kinds of rows in the change log, which tells other nodes what to forget.
const (
	changeSecret    = "secret"
	changeDirectory = "directory"
	changeKey       = "key"
)

// run does the jobs in their order and writes what came of them.
func (gr *group) run(jobs []*job) error {
	gr.entries, gr.versions = map[key]*entry{}, map[store.VersionKey]*store.VersionRow{}
	gr.now = gr.g.now(gr.store.Head.Time)
	if err := gr.catchUp(); err != nil {
		return err
	}
	records, bodies := make([]store.RecordRow, 0, len(jobs)+8), make([][]byte, 0, len(jobs)+8)
	for _, j := range jobs {
		if j.change != nil {
			gr.runChange(j)
		} else if j.stale = gr.overtaken(j); j.stale {
			continue
		}
		for _, l := range j.records {
			records = append(records, store.RecordRow{Seq: gr.store.Head.Records, Time: l.time, Body: l.body})
			bodies = append(bodies, l.body)
			gr.store.Head.Records++
		}
		gr.touches = append(gr.touches, j.touches...)
		gr.noteUse(&j.used)
	}
	gr.records = int64(len(records))
	gr.first, gr.bodies = gr.store.Head.Records-gr.records, bodies
	if t := gr.now.UnixMicro(); t > gr.store.Head.Time {
		gr.store.Head.Time = t
	}
	if err := gr.flush(); err != nil {
		return err
	}
	if err := gr.writeTouches(); err != nil {
		return err
	}
	if err := gr.writeUses(); err != nil {
		return err
	}
	return gr.store.InsertRecords(records)
}

// runChange runs one change and takes over what it did.
func (gr *group) runChange(j *job) {
	if err := j.ctx.Err(); err != nil {
		j.err = &tacet.Error{Code: tacet.Unavailable, Cause: err}
		return // not decided, not begun: there is nothing to record
	}
	tx := gr.newTx(j)
	j.change(tx)
	c := tx.changes
	if c.empty() {
		return
	}
	gr.made++
	for v, n := range c.counts {
		gr.g.counts.add(v, n)
	}
	for k, s := range c.secrets {
		gr.changes.secrets[k] = s
		gr.entries[k] = s.entry
		gr.note(k)
	}
	for id := range c.deleted {
		gr.changes.deleted[id] = true
	}
	for vk, row := range c.versions {
		gr.changes.versions[vk] = row
		gr.versions[vk] = row
	}
	gr.carryVersions(c)
	for ok, row := range c.objects {
		gr.changes.objects[ok] = row
	}
	gr.changes.vaults = append(gr.changes.vaults, c.vaults...)
	gr.changes.goneVaults = append(gr.changes.goneVaults, c.goneVaults...)
	gr.gone = append(gr.gone, c.goneVaults...)
	gr.changes.keys = append(gr.changes.keys, c.keys...)
	gr.newKeys = append(gr.newKeys, c.keys...)
	if len(c.objects)+len(c.vaults)+len(c.goneVaults) > 0 {
		gr.dir = tx.dir.withVaults(c.vaults, c.goneVaults)
		gr.log(changeDirectory, "", "")
	}
}

// carryVersions gives a changed secret's entry the versions that were changed with
// it, so that the next read finds them in memory.
func (gr *group) carryVersions(c *changeset) {
	for _, s := range c.secrets {
		if s.entry == nil {
			continue
		}
		var list []*store.VersionRow
		current := string(s.entry.secret.Stages[tacet.StageCurrent])
		for vk, row := range c.versions {
			switch {
			case vk.Secret != string(s.entry.secret.ID) || row == nil:
			case vk.ID == current:
				list = append([]*store.VersionRow{row}, list...)
				list = list[:min(len(list), keepVersions)]
			case len(list) < keepVersions:
				list = append(list, row)
			}
		}
		if old := s.entry.versions.Load(); old != nil {
			for _, v := range *old {
				if _, changed := c.versions[store.VersionKey{Secret: v.Secret, ID: v.ID}]; !changed && len(list) < keepVersions {
					list = append(list, v)
				}
			}
		}
		s.entry.versions.Store(&list)
	}
}

// note numbers the change of a secret.
func (gr *group) note(k key) {
	gr.log(changeSecret, string(k.vault), k.name)
	gr.noted = append(gr.noted, noted{k, gr.store.Head.Change})
}

// log numbers a change and, where other nodes share the store, tells them.
func (gr *group) log(kind, vault, object string) {
	gr.store.Head.Change++
	if gr.g.db.Shared() {
		gr.changes.log = append(gr.changes.log, store.ChangeRow{Change: gr.store.Head.Change, Kind: kind, Vault: vault, Object: object})
	}
}

// overtaken reports whether anything a read relied on is no longer current.
func (gr *group) overtaken(j *job) bool {
	if now := gr.directory(); j.dir != nil && j.dir != now && (j.whole || j.dir.names != now.names || j.who != now.who(&j.caller)) {
		return true
	}
	applied := gr.g.cache.applied.Load()
	for _, l := range j.looked {
		if _, changed := gr.entries[l.key]; changed || l.stamp != applied && gr.g.cache.stale(l.key, l.stamp) {
			return true
		}
	}
	return false
}

func (gr *group) directory() *directory {
	if gr.dir != nil {
		return gr.dir
	}
	return gr.g.dir.Load()
}

func (gr *group) entry(k key) (*entry, error) {
	if e, ok := gr.entries[k]; ok {
		return e, nil
	}
	if e := gr.g.cache.get(k); e != nil {
		return e, nil
	}
	e, err := gr.g.readEntry(gr.store, k)
	if err == nil && e != nil {
		gr.g.cache.fill(k, e, gr.g.cache.applied.Load())
	}
	return e, err
}

// reserve makes sure that the vault's data key may be used once more: how often a key
// was used is counted in the store, in portions, and a key near its limit is replaced.
func (gr *group) reserve(vault string) error {
	ring := gr.g.ring.Load()
	id, due, rollover := ring.Reservation(vault)
	if rollover && !gr.replacing(vault) {
		k, err := ring.NewDataKey(vault, gr.now)
		if err != nil {
			return err
		}
		gr.changes.keys = append(gr.changes.keys, k)
		gr.newKeys = append(gr.newKeys, k)
	}
	if !due {
		return nil
	}
	if err := gr.flush(); err != nil {
		return err
	}
	from, to, err := gr.store.ReserveSeals(id, sealPortion)
	if err != nil {
		return err
	}
	ring.Reserved(id, from, to)
	return nil
}

// sealPortion is how many uses of a data key are counted at once. A crash wastes at
// most this many of 2^31.
const sealPortion = 1 << 16

func (gr *group) replacing(vault string) bool {
	for _, k := range gr.newKeys {
		if k.Vault == vault {
			return true
		}
	}
	return false
}

// flush writes what was changed and not written yet.
func (gr *group) flush() error {
	c := gr.changes
	if c.empty() && len(c.log) == 0 {
		return nil
	}
	gr.changes = newChangeset()
	for id := range c.deleted {
		if err := gr.store.DeleteSecret(string(id)); err != nil {
			return err
		}
	}
	if err := deleteVaults(gr.store, c.goneVaults); err != nil {
		return err
	}
	for _, v := range c.vaults {
		if err := gr.g.putVault(gr.store, v); err != nil {
			return err
		}
	}
	if len(c.keys) > 0 {
		rows := make([]store.KeyRow, len(c.keys))
		for i, k := range c.keys {
			rows[i] = keyRow(k)
			gr.store.Head.Change++
			if gr.g.db.Shared() {
				c.log = append(c.log, store.ChangeRow{Change: gr.store.Head.Change, Kind: changeKey, Object: k.ID})
			}
		}
		if err := gr.store.PutKeys(rows); err != nil {
			return err
		}
	}
	if err := gr.flushSecrets(c); err != nil {
		return err
	}
	if err := gr.flushObjects(c); err != nil {
		return err
	}
	if len(c.log) == 0 {
		return nil
	}
	if last := gr.store.Head.Change; last/pruneEvery != (last-int64(len(c.log)))/pruneEvery {
		if err := gr.store.PruneChanges(last - keepChanges); err != nil {
			return err
		}
	}
	return gr.store.InsertChanges(c.log)
}

// A node that was away for longer than keepChanges changes reads everything anew.
const (
	keepChanges = 1 << 17
	pruneEvery  = 1 << 12
)

func (gr *group) flushSecrets(c *changeset) error {
	secrets := make([]store.SecretRow, 0, len(c.secrets))
	for _, s := range c.secrets {
		if s.entry != nil {
			secrets = append(secrets, s.row)
		}
	}
	if len(secrets) > 0 {
		if err := gr.store.PutSecrets(secrets); err != nil {
			return err
		}
	}
	versions := make([]store.VersionRow, 0, len(c.versions))
	gone := map[string][]string{}
	for vk, row := range c.versions {
		switch {
		case c.deleted[tacet.SecretID(vk.Secret)]:
		case row == nil:
			gone[vk.Secret] = append(gone[vk.Secret], vk.ID)
		default:
			versions = append(versions, *row)
		}
	}
	for secret, ids := range gone {
		if err := gr.store.DeleteVersions(secret, ids); err != nil {
			return err
		}
	}
	if len(versions) == 0 {
		return nil
	}
	return gr.store.PutVersions(versions)
}

func (gr *group) flushObjects(c *changeset) error {
	var rows []store.ObjectRow
	for ok, row := range c.objects {
		if row != nil {
			rows = append(rows, *row)
			continue
		}
		if err := errors.Join(gr.store.DeleteObject(ok.kind, ok.id), gr.forgetUse(ok)); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return gr.store.PutObjects(rows)
}

// writeTouches moves the last-read days. It happens once per secret and day.
func (gr *group) writeTouches() error {
	if len(gr.touches) == 0 {
		return nil
	}
	secrets, versions := map[int64][]string{}, map[int64][]store.VersionKey{}
	for _, t := range gr.touches {
		secrets[t.day] = append(secrets[t.day], string(t.secret))
		versions[t.day] = append(versions[t.day], store.VersionKey{Secret: string(t.secret), ID: string(t.version)})
	}
	for d, ids := range secrets {
		if err := gr.store.TouchSecrets(ids, d); err != nil {
			return err
		}
		if err := gr.store.TouchVersions(versions[d], d); err != nil {
			return err
		}
	}
	return nil
}

// apply makes what was committed visible to reads.
func (gr *group) apply() {
	g := gr.g
	for _, k := range gr.newKeys {
		if err := g.ring.Load().Add(k); err != nil {
			// It was made by this ring a moment ago; it opens.
			g.cfg.Logger.Error("a new data key does not open", "key", k.ID, "error", err)
		}
	}
	for _, v := range gr.gone {
		g.ring.Load().Forget(string(v))
	}
	if gr.dir != nil {
		g.dir.Store(gr.dir)
	}
	for _, n := range gr.noted {
		g.cache.changed(n.key, gr.entries[n.key], n.change)
	}
	for _, t := range gr.touches {
		g.cache.touch(t.key, t.secret, t.version, t.day)
	}
	g.cache.applied.Store(gr.store.Head.Change)
	g.stats.highWater.Store(gr.store.Head.Time)
	g.stats.groups.Add(1)
	g.stats.changes.Add(gr.made)
	g.stats.records.Add(gr.records)
}

// catchUp takes in what other nodes have changed since this node's last turn.
func (gr *group) catchUp() error {
	g := gr.g
	applied := g.cache.applied.Load()
	if gr.store.Head.Change == applied {
		return nil
	}
	oldest, err := gr.store.OldestChange()
	if err != nil {
		return err
	}
	if !g.db.Shared() || oldest > applied+1 {
		return gr.reload()
	}
	var keys, directory bool
	for {
		rows, err := gr.store.Changes(applied, 1000)
		if err != nil {
			return err
		}
		for _, r := range rows {
			switch r.Kind {
			case changeSecret:
				g.cache.changed(key{tacet.VaultID(r.Vault), r.Object}, nil, r.Change)
			case changeKey:
				keys = true
			case changeDirectory:
				directory = true
			}
			applied = r.Change
		}
		if len(rows) < 1000 {
			break
		}
	}
	if keys {
		if err := g.readKeys(gr.store); err != nil {
			return err
		}
	}
	if directory {
		dir, err := g.readDirectory(gr.store)
		if err != nil {
			return err
		}
		g.adopt(dir)
	}
	g.cache.applied.Store(gr.store.Head.Change)
	return nil
}

// reload forgets everything in memory: this node was away for longer than the change
// log reaches back, or a commit's outcome was not known.
func (gr *group) reload() error {
	if err := gr.g.readKeys(gr.store); err != nil {
		return err
	}
	dir, err := gr.g.readDirectory(gr.store)
	if err != nil {
		return err
	}
	gr.g.adopt(dir)
	gr.g.cache.reset(gr.store.Head.Change)
	return nil
}
