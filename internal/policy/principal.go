package policy

import (
	"slices"
	"strings"
)

// Principal is one principal as a document names it.
type Principal struct {
	// Type is "AWS", "Service", "Federated" or "CanonicalUser".
	Type string
	// Value is what stands in the document: for AWS "*", an account's twelve digits,
	// an ARN or a unique id (AIDA…, AROA…). The Principal "*" is {AWS, *}.
	Value string
}

// PrincipalType says what the name of a caller is a name of.
type PrincipalType uint8

// The types of principal. A name of one type never stands for another's.
const (
	TypeAWS       PrincipalType = iota // an account's root, a user, a session of a role
	TypeService                        // a service
	TypeFederated                      // an identity that a provider vouches for
)

// principals is a compiled Principal or NotPrincipal element.
type principals struct {
	named     []Principal
	anyone    bool
	accounts  []string // twelve digits
	arns      []string // users and sessions
	services  []string // their names
	providers []string // identity providers: ARNs and domains
	roles     []string // role ARNs
	ids       []string // unique ids
}

// grant is how far an Allow in a resource policy goes for a caller, by the way it
// names him. A greater one is stronger.
type grant uint8

const (
	noGrant      grant = iota
	toAccount          // leaves the decision to the account's identity policies
	withLimits         // grants within the boundary and the session policy
	withoutLimit       // grants, whatever the boundary and the session policy do not allow
)

// match returns how the element names the caller.
func (p *principals) match(c *Caller) grant {
	switch {
	case p.anyone:
		return withoutLimit
	case c.Anonymous:
		return noGrant
	case p.namesSelf(c):
		return withoutLimit
	case c.Type != TypeAWS:
		return noGrant
	case p.namesRole(c):
		return withLimits
	case slices.Contains(p.accounts, c.Account):
		return toAccount
	}
	return noGrant
}

func (p *principals) namesSelf(c *Caller) bool {
	switch c.Type {
	case TypeAWS:
		return slices.Contains(p.arns, c.ARN) || slices.Contains(p.ids, c.UserID)
	case TypeService:
		return slices.Contains(p.services, c.ARN)
	case TypeFederated:
		return slices.Contains(p.providers, c.ARN)
	}
	return false
}

func (p *principals) namesRole(c *Caller) bool {
	if c.RoleARN == "" {
		return false
	}
	if slices.Contains(p.roles, c.RoleARN) {
		return true
	}
	id, _, ok := strings.Cut(c.UserID, ":")
	return ok && slices.Contains(p.ids, id)
}

// excepts reports whether NotPrincipal takes the caller out of a Deny. He must be
// named himself: his account's name spares its root alone, and a session is spared
// by its own name and its role's together, as the IAM reference asks.
func (p *principals) excepts(c *Caller) bool {
	switch {
	case p.anyone:
		return true
	case c.outside():
		return !c.Anonymous && p.namesSelf(c)
	case c.Root:
		return slices.Contains(p.accounts, c.Account)
	case c.RoleARN != "":
		return p.namesSelf(c) && p.namesRole(c)
	}
	return p.namesSelf(c)
}

// appliesTo returns how a statement of a resource or trust policy reaches the caller. A
// federated identity is let in by name only: "*" and a condition on the account are for
// principals of that account, not for whoever holds a token.
func (s *statement) appliesTo(c *Caller) grant {
	switch {
	case c.Type == TypeFederated && s.effect == Allow && (s.notPrincipal || !s.principals.namesSelf(c)):
		return noGrant
	case !s.notPrincipal:
		return s.principals.match(c)
	case s.effect == Deny && !s.principals.excepts(c), s.effect == Allow && s.principals.match(c) == noGrant:
		return withLimits
	}
	return noGrant
}

func readPrincipals(n *node) (*principals, error) {
	p := &principals{}
	switch {
	case n.kind == stringNode && n.text == "*":
		p.anyone, p.named = true, []Principal{{"AWS", "*"}}
		return p, nil
	case n.kind != objectNode:
		return nil, n.fail(`must be "*" or an object, as in {"AWS": "111122223333"}`)
	case len(n.keys) == 0:
		return nil, n.fail("must not be empty")
	}
	for i, typ := range n.keys {
		v := &n.list[i]
		add, ok := principalType(typ)
		if !ok {
			return nil, v.fail("unknown type of principal")
		}
		list, err := v.stringList()
		if err != nil {
			return nil, err
		}
		for j := range list {
			if problem := add(p, list[j].text); problem != "" {
				return nil, list[j].fail("%s", problem)
			}
			p.named = append(p.named, Principal{typ, list[j].text})
		}
	}
	return p, nil
}

// principalType returns what takes in the values of a type of principal.
func principalType(typ string) (add func(p *principals, value string) (problem string), ok bool) {
	switch typ {
	case "AWS":
		return (*principals).addAWS, true
	case "Service":
		return (*principals).addService, true
	case "Federated":
		return (*principals).addFederated, true
	case "CanonicalUser":
		return (*principals).addCanonicalUser, true
	}
	return nil, false
}

const badAWS = `must be "*", an account, the ARN of an account, user, role or session, or a unique id`

func (p *principals) addAWS(v string) (problem string) {
	switch {
	case v == "*":
		p.anyone = true
		return ""
	case strings.ContainsAny(v, "*?"):
		return `a wildcard is allowed only as "*" alone`
	case strings.Contains(v, "${"):
		return "principals have no variables"
	case isAccount(v):
		p.accounts = append(p.accounts, v)
		return ""
	case isUniqueID(v):
		p.ids = append(p.ids, v)
		return ""
	}
	service, account, name, ok := splitPrincipalARN(v)
	if !ok {
		return badAWS
	}
	kind, rest, _ := strings.Cut(name, "/")
	switch {
	case service == "iam" && name == "root":
		p.accounts = append(p.accounts, account)
	case service == "iam" && kind == "user" && rest != "":
		p.arns = append(p.arns, v)
	case service == "iam" && kind == "role" && rest != "":
		p.roles = append(p.roles, v)
	case service == "sts" && kind == "assumed-role" && strings.Contains(strings.Trim(rest, "/"), "/"),
		service == "sts" && kind == "federated-user" && rest != "":
		p.arns = append(p.arns, v)
	default:
		return badAWS
	}
	return ""
}

// addService takes the name of a service, "lambda.amazonaws.com".
func (p *principals) addService(v string) (problem string) {
	if !isDomain(v) {
		return `must be the name of a service, as in "lambda.amazonaws.com"`
	}
	p.services = append(p.services, v)
	return ""
}

// addFederated takes an identity provider: its ARN or the domain of a well-known one.
func (p *principals) addFederated(v string) (problem string) {
	service, _, name, ok := splitPrincipalARN(v)
	kind, rest, _ := strings.Cut(name, "/")
	provider := ok && service == "iam" && (kind == "oidc-provider" || kind == "saml-provider") && rest != ""
	if strings.ContainsAny(v, "*?") || !provider && !isDomain(v) {
		return "must be the ARN or the domain of an identity provider"
	}
	p.providers = append(p.providers, v)
	return ""
}

// addCanonicalUser takes the 64 hexadecimal digits by which S3 knows an account. No
// caller has one here, so it names nobody.
func (p *principals) addCanonicalUser(v string) (problem string) {
	if len(v) != 64 || strings.Trim(v, "0123456789abcdefABCDEF") != "" {
		return "must be 64 hexadecimal digits"
	}
	return ""
}

// splitPrincipalARN splits arn:<partition>:<service>::<account>:<name>.
func splitPrincipalARN(v string) (service, account, name string, ok bool) {
	s, ok := splitARN(v)
	ok = ok && s[0] == "arn" && (s[1] == "aws" || strings.HasPrefix(s[1], "aws-")) && s[3] == "" && isAccount(s[4])
	return s[2], s[4], s[5], ok
}

// isAccount reports whether v is an account's number: twelve digits.
func isAccount(v string) bool {
	return len(v) == 12 && strings.Trim(v, "0123456789") == ""
}

// isUniqueID reports whether v looks like the id of a user or a role.
func isUniqueID(v string) bool {
	if len(v) < 16 || !strings.HasPrefix(v, "AIDA") && !strings.HasPrefix(v, "AROA") {
		return false
	}
	return strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func isDomain(v string) bool {
	for i := range len(v) {
		if !isAlnum(v[i]) && v[i] != '.' && v[i] != '-' {
			return false
		}
	}
	return strings.Contains(strings.Trim(v, "."), ".")
}
