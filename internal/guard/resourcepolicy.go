package guard

import (
	"errors"
	"regexp"

	"tacet"
	"tacet/internal/policy"
)

// PolicyReport is what can be said of a resource policy before it is stored.
type PolicyReport struct {
	// Public: it gives access to anyone at all.
	Public bool
	// LocksOut: the caller could not change it again.
	LocksOut bool
	// Stored is the text to be kept: it has the unique ids of the users and roles that are
	// named. [scope.ShowResourcePolicy] is the way back.
	Stored string
}

// CheckPolicy parses a resource policy and looks at what it would do. The error is
// PolicyMalformed, with the place, or PolicyPrincipal for a principal that does not
// exist.
func (s *scope) CheckPolicy(text string) (PolicyReport, error) {
	doc, err := policy.Parse("resource-policy", policy.Resource, []byte(text))
	if err != nil {
		var syntax *policy.SyntaxError
		if errors.As(err, &syntax) && principalPlace.MatchString(syntax.Place) {
			return PolicyReport{}, tacet.Errorf(tacet.PolicyPrincipal, "%s", syntax.Error())
		}
		if errors.As(err, &syntax) {
			return PolicyReport{}, tacet.Errorf(tacet.PolicyMalformed, "%s", syntax.Error())
		}
		return PolicyReport{}, &tacet.Error{Code: tacet.PolicyMalformed, Cause: err}
	}
	report := PolicyReport{Public: doc.Public()}
	if report.Stored, err = s.dir.bind(doc, text); err != nil {
		return PolicyReport{}, err
	}
	e := &entry{secret: &tacet.Secret{Vault: s.vault.ID}, policy: doc} // a secret to come
	if s.entry != nil {
		e.secret = s.entry.secret
	}
	report.LocksOut = !s.wouldAllow(e, tacet.OpPutResourcePolicy)
	return report, nil
}

// principalPlace is where a policy names who it is about.
var principalPlace = regexp.MustCompile(`^Statement(\[\d+\])?\.(Not)?Principal`)

// StillAllowed reports whether the caller could repeat the request if the secret were
// as given: a change of tags must not cost the caller his own access. The error is
// the refusal.
func (tx *Tx) StillAllowed(sec *tacet.Secret) error {
	old := tx.scope.entry
	defer func() { tx.scope.entry = old }()
	tx.scope.entry = &entry{secret: sec, policy: old.policy}
	return tx.decideOne(tx.rec, tx.req.Operation)
}

// wouldAllow decides an operation of the caller's on the secret as e shows it.
func (s *scope) wouldAllow(e *entry, op tacet.Operation) bool {
	old := s.entry
	defer func() { s.entry = old }()
	s.entry = e
	set, pr, _ := s.question(op)
	return policy.Decide(&set, &pr).Allowed
}

// Event adds a record of something that follows from the request and that Tacet does
// by itself, such as the purge of old versions.
func (tx *Tx) Event(op tacet.Operation, secretARN string) {
	rec := tx.job.newRecord(tx.req, tx.now)
	rec.Operation, rec.ReadOnly, rec.Event = op, false, true
	rec.Vault, rec.Resource, rec.Parameters, rec.Outcome = tx.vault.Name, secretARN, nil, tacet.OutcomeAllowed
	tx.changes.events = append(tx.changes.events, rec)
}

// CheckSessionPolicy parses a policy that is to limit a session. The error is
// PolicyMalformed, with the place.
func (s *scope) CheckSessionPolicy(text string) error {
	_, err := parsePolicy("session", policy.Session, text)
	return err
}

// CheckIdentityPolicy parses a policy that is to be given to a principal. The error is
// PolicyMalformed, with the place.
func (tx *Tx) CheckIdentityPolicy(name, text string) error {
	_, err := parsePolicy(name, policy.Identity, text)
	return err
}

// CheckTrustPolicy parses a role's trust policy and returns the text to be kept: it has the
// unique ids of the users and roles that are named. [scope.ShowTrustPolicy] is the way back.
// The error is PolicyMalformed, with the place, or PolicyPrincipal for a user, role or account
// that does not exist.
func (tx *Tx) CheckTrustPolicy(text string) (stored string, err error) {
	doc, err := parsePolicy("trust", policy.Trust, text)
	if err != nil {
		return "", err
	}
	return tx.dir.bind(doc, text)
}

func parsePolicy(name string, kind policy.Kind, text string) (*policy.Document, error) {
	doc, err := policy.Parse(name, kind, []byte(text))
	if err != nil {
		return nil, &tacet.Error{Code: tacet.PolicyMalformed, Detail: err.Error()}
	}
	return doc, nil
}
