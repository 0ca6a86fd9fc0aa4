package guard

import (
	"errors"
	"time"

	"tacet"
	"tacet/internal/store"
)

// useGrain is how often the use of an access key or a role is written down, by each node:
// a request must not cost a write of its own.
const useGrain = 15 * time.Minute

// use is what a request used: an access key, or a role's session.
type use struct {
	id     string // "" for neither
	op     tacet.Operation
	region string
}

func useOf(r *Request) use {
	u := use{op: r.Operation, region: r.Call.Region}
	switch c := &r.Call.Caller; {
	case c.Session == nil:
		u.id = c.AccessKey
	case c.Kind == tacet.CallerRole:
		u.id = c.Session.Principal
	}
	return u
}

// noteUse has the use written with the group, unless this node did so a moment ago. Only
// the committer looks into uses.
func (gr *group) noteUse(u *use) {
	if u.id == "" {
		return
	}
	now := gr.now.UnixMicro()
	if last, ok := gr.g.uses[u.id]; ok && now-last < useGrain.Microseconds() {
		return
	}
	service := u.op.Service()
	if service == "" || !gr.directory().used(u.id) {
		return
	}
	gr.g.uses[u.id] = now
	gr.uses = append(gr.uses, store.LastUseRow{ID: u.id, Time: now, Service: service, Region: u.region})
}

// used reports whether there is an access key or a role with the id, whose use matters.
func (d *directory) used(id string) bool {
	if _, ok := d.keys[id]; ok {
		return true
	}
	_, ok := d.ids[id].(*role)
	return ok
}

func (gr *group) writeUses() error {
	if len(gr.uses) == 0 {
		return nil
	}
	return gr.store.PutLastUses(gr.uses)
}

// forgetUse forgets the use of what a deleted row was.
func (gr *group) forgetUse(k objectKey) error {
	id := ""
	switch k.kind {
	case kindAccessKey:
		id = k.id
	case kindRole:
		if r, ok := gr.g.dir.Load().roles[k.id]; ok {
			id = r.ID
		}
	}
	if id == "" {
		return nil
	}
	delete(gr.g.uses, id)
	return gr.store.DeleteLastUse(id)
}

// LastUse tells when an access key, or a role by its unique id, was last used.
func (s *scope) LastUse(id string) (out tacet.LastUse, err error) {
	err = s.source().read(func(tx *store.Tx) error {
		row, err := tx.LastUse(id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err == nil {
			out = tacet.LastUse{Time: tacet.Time(row.Time), Service: row.Service, Region: row.Region}
		}
		return err
	})
	return out, err
}
