package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"tacet"
	"tacet/internal/policy"
	"tacet/internal/seal"
	"tacet/internal/store"
)

// directory is everything that authenticates and authorises, held in memory and
// never changed: a change makes a new one. Rows enter it only with a valid MAC.
type directory struct {
	vaults []tacet.Vault
	places map[place]int // index into vaults
	users  map[string]*user
	keys   map[string]*accessKey
}

type place struct{ account, region string }

type user struct {
	tacet.User
	arn  string
	docs []*policy.Document
}

type accessKey struct {
	tacet.AccessKey
	secret     tacet.Plaintext
	generation string
}

// Kinds of directory rows.
const (
	kindUser      = "user"
	kindAccessKey = "accesskey"
)

// userKey is the one canonical form of a user's name: IAM keeps the case that was
// given and allows one name in any case.
func userKey(account, name string) string { return account + "/" + strings.ToLower(name) }

func (d *directory) vault(account, region string) (tacet.Vault, bool) {
	i, ok := d.places[place{account, region}]
	if !ok {
		return tacet.Vault{}, false
	}
	return d.vaults[i], true
}

// firstVault is the account's oldest vault.
func (d *directory) firstVault(account string) (tacet.Vault, bool) {
	var first tacet.Vault
	for _, v := range d.vaults {
		if v.Account == account && (first.ID == "" || v.Created.Before(first.Created)) {
			first = v
		}
	}
	return first, first.ID != ""
}

func (d *directory) byID(id tacet.VaultID) (tacet.Vault, bool) {
	i := slices.IndexFunc(d.vaults, func(v tacet.Vault) bool { return v.ID == id })
	if i < 0 {
		return tacet.Vault{}, false
	}
	return d.vaults[i], true
}

// policies returns the identity policies of a caller.
func (d *directory) policies(c *tacet.Caller) []*policy.Document {
	if u, ok := d.users[userKey(c.Account, c.Name)]; ok && c.Kind == tacet.CallerUser && u.ID == c.ID {
		return u.docs
	}
	return nil
}

func (d *directory) principalTag(c *tacet.Caller, tag string) ([]string, bool) {
	if u, ok := d.users[userKey(c.Account, c.Name)]; ok && u.ID == c.ID {
		return tagValues(u.Tags, tag)
	}
	return nil, false
}

// hasPrincipal reports whether an AWS principal of a resource policy exists here.
func (d *directory) hasPrincipal(value string) bool {
	if value == "*" {
		return true
	}
	account := value
	if rest, ok := strings.CutPrefix(value, "arn:aws:iam::"); ok {
		var tail string
		account, tail, ok = strings.Cut(rest, ":")
		if !ok {
			return false
		}
		if tail != "root" {
			for _, u := range d.users {
				if u.Account == account && u.ARN() == value {
					return true
				}
			}
			return false
		}
	} else if strings.HasPrefix(value, "AIDA") {
		for _, u := range d.users {
			if u.ID == value {
				return true
			}
		}
		return false
	}
	_, ok := d.firstVault(account)
	return ok
}

// who is a caller as a directory knows him. The pointers are shared by every directory
// in which he is unchanged.
type who struct {
	user *user
	key  *accessKey
}

func (d *directory) who(c *tacet.Caller) who {
	w := who{key: d.keys[c.AccessKey]}
	if u, ok := d.users[userKey(c.Account, c.Name)]; ok && u.ID == c.ID {
		w.user = u
	}
	return w
}

// clone copies what a change may touch; the documents are shared.
func (d *directory) clone() *directory {
	return &directory{vaults: slices.Clone(d.vaults), places: maps.Clone(d.places), users: maps.Clone(d.users), keys: maps.Clone(d.keys)}
}

// readDirectory loads every row that carries authority and checks its MAC.
func (g *Guard) readDirectory(tx *store.Tx) (*directory, error) {
	d := &directory{places: map[place]int{}, users: map[string]*user{}, keys: map[string]*accessKey{}}
	vaults, err := tx.Vaults()
	if err != nil {
		return nil, err
	}
	for _, row := range vaults {
		v, err := g.decodeVault(row)
		if err != nil {
			return nil, err
		}
		d.addVault(v)
	}
	rows, err := tx.Objects("")
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if err := d.addObject(g, row); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *directory) addVault(v tacet.Vault) {
	if i, ok := d.places[place{v.Account, v.Region}]; ok {
		d.vaults[i] = v
		return
	}
	d.places[place{v.Account, v.Region}] = len(d.vaults)
	d.vaults = append(d.vaults, v)
}

// storedAccessKey is the body of an access key's row.
type storedAccessKey struct {
	tacet.AccessKey
	Sealed     []byte `json:"sealed"`
	Generation string `json:"gen"`
}

func accessKeyAAD(id string) seal.AAD {
	return seal.AAD{Vault: directoryVault, Kind: kindAccessKey, Object: id, Purpose: "secret"}
}

// addObject checks and adds one row.
func (d *directory) addObject(g *Guard, row store.ObjectRow) error {
	ring := g.ring.Load()
	if !ring.CheckMAC(row.MAC, "object", []byte(row.Kind), []byte(row.ID), []byte(row.Parent), []byte(row.Body)) {
		return fmt.Errorf("guard: the %s %q was changed outside Tacet: its MAC does not match", row.Kind, row.ID)
	}
	switch row.Kind {
	case kindUser:
		u := &user{}
		if err := json.Unmarshal([]byte(row.Body), &u.User); err != nil {
			return fmt.Errorf("guard: user %q: %w", row.ID, err)
		}
		u.arn = u.ARN()
		for _, name := range slices.Sorted(maps.Keys(u.Policies)) {
			doc, err := policy.Parse(name, policy.Identity, []byte(u.Policies[name]))
			if err != nil {
				return fmt.Errorf("guard: policy %q of user %q: %w", name, row.ID, err)
			}
			u.docs = append(u.docs, doc)
		}
		d.users[row.ID] = u
	case kindAccessKey:
		var k storedAccessKey
		if err := json.Unmarshal([]byte(row.Body), &k); err != nil {
			return fmt.Errorf("guard: access key %q: %w", row.ID, err)
		}
		secret, err := ring.Open(accessKeyAAD(row.ID), k.Sealed)
		if err != nil {
			return fmt.Errorf("guard: access key %q: %w", row.ID, err)
		}
		d.keys[row.ID] = &accessKey{AccessKey: k.AccessKey, secret: tacet.NewPlaintext(secret), generation: k.Generation}
	default:
		return fmt.Errorf("guard: a directory row of kind %q, which this version does not know", row.Kind)
	}
	return nil
}

func (d *directory) removeObject(kind, id string) {
	switch kind {
	case kindUser:
		delete(d.users, id)
	case kindAccessKey:
		delete(d.keys, id)
	}
}

// Credential is what authentication needs of an access key.
type Credential struct {
	Caller tacet.Caller
	// Secret is the secret access key.
	Secret tacet.Plaintext
	// Generation changes whenever the id is given a new secret, so that what was
	// derived from the old one is not used again.
	Generation string
}

// Credential returns the active access key id. This is the one look into the
// directory that is not behind a decision, since a decision needs to know who asks.
// An unknown, an inactive and an orphaned key are the same: not there.
//
// It looks in memory. Only where other nodes share the store, and the key is not
// known, it first takes in what they have changed, not more often than
// [refreshInterval]: guessing ids must not cost the store anything.
func (g *Guard) Credential(id string) (Credential, bool) {
	c, ok := g.dir.Load().credential(id)
	if !ok {
		g.refresh()
		c, ok = g.dir.Load().credential(id)
	}
	return c, ok
}

// refreshInterval is the least time between two looks for what other nodes changed.
const refreshInterval = 50 * time.Millisecond

// refresh takes in what other nodes have changed, unless that was done a moment ago.
// Those who come while it is being done wait for it.
func (g *Guard) refresh() {
	if !g.db.Shared() {
		return
	}
	g.refreshing.Lock()
	defer g.refreshing.Unlock()
	if time.Since(g.refreshed) < refreshInterval {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	j := g.newJob(ctx) // a turn of the committer begins by catching up
	if _, err := g.submit(j); err != nil {
		g.cfg.Logger.Warn("other nodes' changes could not be read", "error", err)
	}
	g.refreshed = time.Now()
}

func (d *directory) credential(id string) (Credential, bool) {
	k, ok := d.keys[id]
	if !ok || k.Inactive {
		return Credential{}, false
	}
	u, ok := d.users[userKey(k.Account, k.User)]
	if !ok {
		return Credential{}, false
	}
	kind := tacet.CallerUser
	if u.Root {
		kind = tacet.CallerRoot
	}
	return Credential{
		Caller:     tacet.Caller{Kind: kind, Account: u.Account, ID: u.ID, ARN: u.arn, Name: u.Name, AccessKey: id},
		Secret:     k.secret,
		Generation: k.generation,
	}, true
}

// ValidRegion reports whether any account has a vault in the region, or a
// development server would make one.
func (g *Guard) ValidRegion(region string) bool {
	if g.cfg.Development {
		return IsRegion(region)
	}
	if g.dir.Load().hasRegion(region) {
		return true
	}
	g.refresh()
	return g.dir.Load().hasRegion(region)
}

func (d *directory) hasRegion(region string) bool {
	return slices.ContainsFunc(d.vaults, func(v tacet.Vault) bool { return v.Region == region })
}

// regionName is the form of a region's name in the service's model.
var regionName = regexp.MustCompile(`^([a-z]+-)+\d+$`)

// IsRegion reports whether name has the form of a region's: words and a number, as in
// us-east-1, at most 64 characters.
func IsRegion(name string) bool { return len(name) <= 64 && regionName.MatchString(name) }
