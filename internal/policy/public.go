package policy

import "strings"

// Public reports whether the document lets in anybody at all: it has an Allow whose
// principal is anyone ("*", or a NotPrincipal, which is everyone but some) and no
// condition of which pins who may come.
//
// A condition pins if its operator is false for a request without the key (so not
// a negated one, nor …IfExists, nor ForAllValues:), and every one of its values is
// fixed, without a variable:
//
//	StringEquals, StringEqualsIgnoreCase, StringLike on
//	  aws:PrincipalAccount, aws:SourceAccount               an account's number
//	  aws:PrincipalOrgID, aws:SourceOrgID, aws:SourceVpc,
//	  aws:SourceVpce, aws:userid                            no wildcard
//	  aws:PrincipalOrgPaths, aws:SourceOrgPaths             no wildcard in the organisation
//	these and ArnEquals, ArnLike on
//	  aws:PrincipalArn, aws:SourceArn                       no wildcard in the account, or in
//	                                                        all of an ARN that has none
//
// An address (aws:SourceIp) does not pin: it says whence, not who, and behind a proxy or
// a NAT it is many. Nor do tags and names, which anybody may give himself in an account
// of his own.
func (d *Document) Public() bool {
	for _, s := range d.allows {
		if s.principals != nil && (s.notPrincipal || s.principals.anyone) && !s.pinned() {
			return true
		}
	}
	return false
}

func (s *statement) pinned() bool {
	for i := range s.conditions {
		if s.conditions[i].pins() {
			return true
		}
	}
	return false
}

// pins reports whether the condition holds for known principals only.
func (c *condition) pins() bool {
	if c.negated || c.ifExists || c.quantity == forAll {
		return false
	}
	switch c.compare {
	case compareString, compareStringFold, compareLike:
		for i := range c.texts {
			if p := &c.texts[i]; !p.fixes(c.ask) {
				return false
			}
		}
		return true
	case compareARN:
		if c.ask != "aws:principalarn" && c.ask != "aws:sourcearn" {
			return false
		}
		for i := range c.arns {
			if !c.arns[i].fixesAccount() {
				return false
			}
		}
		return true
	}
	return false
}

// fixes reports whether a value of a String operator pins a key.
func (p *pattern) fixes(key string) bool {
	if p.kind == matchTemplate || p.kind == matchAll {
		return false
	}
	switch key {
	case "aws:principalaccount", "aws:sourceaccount":
		return p.kind == matchExact && isAccount(p.text)
	case "aws:principalorgid", "aws:sourceorgid", "aws:sourcevpc", "aws:sourcevpce", "aws:userid":
		return p.kind == matchExact && p.text != ""
	case "aws:principalorgpaths", "aws:sourceorgpaths":
		// o-example/r-root/ou-unit/*: the organisation comes first.
		org, _, ok := strings.Cut(p.head+p.text, "/")
		return ok && isFixed(org)
	case "aws:principalarn", "aws:sourcearn":
		// Here a wildcard does reach over colons, so there must be none before the
		// account's end.
		s, ok := splitARN(p.head + p.text)
		return ok && (p.kind == matchExact || isAccount(s[4]) && !containsWild(strings.Join(s[:5], "")))
	}
	return false
}

// fixesAccount reports whether a value of an Arn operator pins the account, or, where
// an ARN has none, as a bucket's, the whole resource.
func (a *arnPattern) fixesAccount() bool {
	if a.whole {
		return false
	}
	account := &a.segments[4]
	if account.kind != matchExact {
		return false
	}
	if account.text != "" {
		return isAccount(account.text)
	}
	return a.segments[5].kind == matchExact && a.segments[5].text != ""
}

func isFixed(s string) bool { return s != "" && !containsWild(s) }

func containsWild(s string) bool {
	for i := range len(s) {
		if isWild(s[i]) {
			return true
		}
	}
	return false
}
