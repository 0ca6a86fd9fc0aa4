package policy

import (
	"fmt"
	"slices"
	"strings"
)

// federated: a role that any token of a provider may assume, or the tokens of anybody's
// project at a provider that has many customers.
func (l *linter) federated() {
	if l.s.namesAction([]string{"sts:AssumeRoleWithWebIdentity"}) == l.s.notAction {
		return
	}
	for _, p := range l.s.principals.providers {
		issuer := p
		if _, rest, ok := strings.Cut(p, ":oidc-provider/"); ok {
			issuer = rest
		} else if strings.Contains(p, ":saml-provider/") {
			continue
		}
		l.provider(issuer)
	}
}

func (l *linter) provider(issuer string) {
	claims, shared := sharedIssuers[strings.ToLower(issuer)]
	audience, subject, wide := false, false, ""
	for i := range l.s.conditions {
		c := &l.s.conditions[i]
		claim, ok := strings.CutPrefix(c.ask, strings.ToLower(issuer)+":")
		switch {
		case !ok || !c.demands():
		case claim == "aud":
			audience = true
		case !shared:
			subject = true
		case slices.Contains(claims, claim):
			if open := c.openOwner(); open == "" {
				subject = true
			} else {
				wide = open
			}
		}
	}
	place := l.n.get("Principal").place
	switch {
	case !subject && wide != "":
		l.add(SeverityError, "open-owner", place, fmt.Sprintf("%s lets in tokens of others' projects at %s", clip(wide), issuer),
			"Write out whose project it is, before the first wildcard")
	case !subject:
		l.add(SeverityError, "open-provider", place, "any token that "+issuer+" ever issues may assume the role",
			fmt.Sprintf("Add a StringEquals condition on %s:sub", issuer))
	case !audience:
		l.add(SeverityWarning, "open-audience", place, "tokens of "+issuer+" for other audiences are taken too",
			fmt.Sprintf("Add a StringEquals condition on %s:aud", issuer))
	}
}

// sharedIssuers are issuers of tokens for whoever signs up with them, with the claims that
// say whose project a token is for.
var sharedIssuers = map[string][]string{
	"token.actions.githubusercontent.com": {"sub", "repository", "repository_id", "repository_owner", "repository_owner_id", "job_workflow_ref", "enterprise", "enterprise_id"},
	"gitlab.com":                          {"sub", "project_path", "project_id", "namespace_path", "namespace_id"},
}

// openOwner returns a value of the condition that has a wildcard before it is said whose
// project it is, "" for none.
func (c *condition) openOwner() string {
	for i, p := range c.texts {
		if p.kind == matchExact || p.kind == matchTemplate {
			continue
		}
		if literal, _, wild := strings.Cut(strings.ReplaceAll(c.wanted[i], "?", "*"), "*"); wild && !strings.Contains(literal, "/") {
			return c.wanted[i]
		}
	}
	return ""
}

// reachable: who proves himself by a token asks for AssumeRoleWithWebIdentity, and nobody
// else does.
func (l *linter) reachable() {
	if l.s.effect != Allow || l.s.notPrincipal || l.s.principals.anyone {
		return
	}
	covers := func(action string) bool { return l.s.namesAction([]string{action}) != l.s.notAction }
	p, place := l.s.principals, l.n.get("Principal").place
	signed := len(p.accounts)+len(p.arns)+len(p.roles)+len(p.ids)+len(p.services) > 0
	oidc := slices.ContainsFunc(p.providers, func(name string) bool { return !strings.Contains(name, ":saml-provider/") })
	switch {
	case oidc && !signed && !covers("sts:AssumeRoleWithWebIdentity"):
		l.add(SeverityError, "principal-action", place, "whoever has a token assumes a role with sts:AssumeRoleWithWebIdentity, which is not allowed", `Add it to Action`)
	case signed && len(p.providers) == 0 && !covers("sts:AssumeRole") && !covers("sts:TagSession") && !covers("sts:SetSourceIdentity"):
		l.add(SeverityError, "principal-action", place, "accounts, users and roles assume a role with sts:AssumeRole, which is not allowed", `Add it to Action`)
	}
}
