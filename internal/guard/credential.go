package guard

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"tacet"
)

// Credential is what authentication needs of an access key.
type Credential struct {
	Caller tacet.Caller
	// Secret is the secret access key.
	Secret tacet.Plaintext
	// Generation changes whenever the id is given a new secret, so that what was
	// derived from the old one is not used again.
	Generation string
}

// Credential returns the active access key id, or the session that token carries under
// that id. This is the one look into the directory that is not behind a decision, since
// a decision needs to know who asks.
//
// The error is CredentialExpired for a session that is over, and CredentialInvalid for
// everything else: an unknown, an inactive and an orphaned key, and a token that is none
// or another's, are the same: not there.
//
// It looks in memory. Only where other nodes share the store, and the key or the session's
// principal is not known, it first takes in what they have changed, not more often than
// [refreshInterval]: guessing ids must not cost the store anything.
func (g *Guard) Credential(id, token string) (Credential, error) {
	if strings.HasPrefix(id, sessionPrefix) || token != "" {
		return g.session(id, token)
	}
	c, ok := g.dir.Load().credential(id)
	if !ok {
		g.refresh()
		if c, ok = g.dir.Load().credential(id); !ok {
			return Credential{}, &tacet.Error{Code: tacet.CredentialInvalid}
		}
	}
	return c, nil
}

func (d *directory) credential(id string) (Credential, bool) {
	k, ok := d.keys[id]
	if !ok || k.Inactive {
		return Credential{}, false
	}
	u, ok := d.users[nameKey(k.Account, k.User)]
	if !ok {
		return Credential{}, false
	}
	return Credential{Caller: u.caller(id), Secret: k.secret, Generation: k.generation}, true
}

func (u *user) caller(accessKey string) tacet.Caller {
	kind := tacet.CallerUser
	if u.Root {
		kind = tacet.CallerRoot
	}
	return tacet.Caller{Kind: kind, Account: u.Account, ID: u.ID, ARN: u.arn, Name: u.Name, AccessKey: accessKey}
}

// OIDCProvider returns the OIDC provider with an ARN. Like [Guard.Credential] it is for
// authentication, and stands before the decision.
func (g *Guard) OIDCProvider(arn string) (tacet.OIDCProvider, bool) {
	p := g.dir.Load().provider(arn)
	if p == nil {
		g.refresh()
		if p = g.dir.Load().provider(arn); p == nil {
			return tacet.OIDCProvider{}, false
		}
	}
	return *p, true
}

// refreshInterval is the least time between two looks for what other nodes changed.
const refreshInterval = 50 * time.Millisecond

// refresh takes in what other nodes have changed until now, [refreshInterval] after the last
// look at the earliest. Those who come meanwhile wait for the same look.
func (g *Guard) refresh() {
	if !g.db.Shared() {
		return
	}
	came := time.Now()
	g.refreshing.Lock()
	defer g.refreshing.Unlock()
	if g.refreshed.After(came) {
		return
	}
	time.Sleep(refreshInterval - time.Since(g.refreshed))
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	j := g.newJob(ctx) // a turn of the committer begins by catching up
	if _, err := g.submit(j); err != nil {
		g.cfg.Logger.Warn("other nodes' changes could not be read", "error", err)
	}
	g.refreshed = began
}

// sessionPrefix begins the id of every temporary credential, as at AWS.
const sessionPrefix = "ASIA"

// What sessions are sealed and their secrets are derived for.
const (
	purposeSession       = "session"
	purposeSessionSecret = "session secret access key"
)

// NewSession makes the credential of a session: its id, its secret access key and the
// sealed token that carries it. The session's AccessKey, Issued and, if that is zero,
// nothing else is filled in. Nothing is kept: any node that has the root key opens the
// token and derives the secret from the id.
func (s *scope) NewSession(sess tacet.Session) (id string, secret tacet.Plaintext, token string, err error) {
	sess.AccessKey, sess.Issued = newUniqueID(sessionPrefix), s.now
	body, err := json.Marshal(sess)
	if err != nil {
		return "", tacet.Plaintext{}, "", err
	}
	return sess.AccessKey, s.g.sessionSecret(sess.AccessKey), s.g.ring.Load().SealToken(purposeSession, body), nil
}

// SessionSize returns the size of a session in its token, in bytes, before it is sealed.
func SessionSize(sess tacet.Session) int {
	body, err := json.Marshal(sess)
	if err != nil {
		return 0
	}
	return len(body)
}

// sessionSecret derives the secret access key of a session: 40 characters, of 240 bits.
func (g *Guard) sessionSecret(id string) tacet.Plaintext {
	mac := hmac.New(sha256.New, g.sessionKey())
	mac.Write([]byte(id))
	return tacet.NewPlaintext([]byte(base64.StdEncoding.EncodeToString(mac.Sum(nil)[:30])))
}

// newUniqueID makes an id in IAM's form: a prefix that tells the kind and 16 letters
// and digits.
func newUniqueID(prefix string) string {
	var b [10]byte
	_, _ = rand.Read(b[:])
	return prefix + base32.StdEncoding.EncodeToString(b[:])
}

// NewUniqueID makes an id in IAM's form: a prefix that tells the kind (AIDA, AGPA, AROA,
// ANPA, AKIA) and 16 letters and digits.
func (tx *Tx) NewUniqueID(prefix string) string { return newUniqueID(prefix) }

// session returns the credential of the session that a token carries.
func (g *Guard) session(id, token string) (Credential, error) {
	o, ok := g.sessions.Get(id)
	if !ok || subtle.ConstantTimeCompare([]byte(o.token), []byte(token)) != 1 {
		var err error
		if o, err = g.openSession(id, token); err != nil {
			return Credential{}, err
		}
		g.sessions.Put(id, o)
	}
	if !g.now(g.stats.highWater.Load()).Before(o.session.Expires) {
		return Credential{}, &tacet.Error{Code: tacet.CredentialExpired}
	}
	c, ok := g.dir.Load().sessionCaller(o.session)
	if !ok {
		g.refresh()
		if c, ok = g.dir.Load().sessionCaller(o.session); !ok {
			return Credential{}, &tacet.Error{Code: tacet.CredentialInvalid}
		}
	}
	return Credential{Caller: c, Secret: o.secret, Generation: purposeSession}, nil
}

func (g *Guard) openSession(id, token string) (*openSession, error) {
	body, err := g.ring.Load().OpenToken(purposeSession, token)
	if err != nil {
		return nil, &tacet.Error{Code: tacet.CredentialInvalid, Cause: err}
	}
	o := &openSession{token: token, session: new(tacet.Session)}
	if err := json.Unmarshal(body, o.session); err != nil || o.session.AccessKey != id {
		return nil, &tacet.Error{Code: tacet.CredentialInvalid, Cause: err}
	}
	o.secret = g.sessionSecret(id)
	return o, nil
}

// sessionCaller returns the caller of a session whose principal is still there.
func (d *directory) sessionCaller(s *tacet.Session) (tacet.Caller, bool) {
	switch p := d.ids[s.Principal].(type) {
	case *user:
		c := p.caller(s.AccessKey)
		c.Session = s
		return c, true
	case *role:
		c := p.caller(s.Name)
		c.AccessKey, c.Session = s.AccessKey, s
		return c, true
	}
	return tacet.Caller{}, false
}

// caller is a session of the role.
func (r *role) caller(session string) tacet.Caller {
	return tacet.Caller{Kind: tacet.CallerRole, Account: r.Account, ID: r.ID + ":" + session, Name: session,
		ARN: "arn:aws:sts::" + r.Account + ":assumed-role/" + r.Name + "/" + session, Role: r.arn}
}

// openSession is a session token that was opened, and the secret that belongs to it.
type openSession struct {
	token   string
	session *tacet.Session
	secret  tacet.Plaintext
}

// maxSessions is how many opened tokens are remembered, twice over.
const maxSessions = 4096
