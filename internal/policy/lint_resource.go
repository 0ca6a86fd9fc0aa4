package policy

import (
	"fmt"
	"slices"
	"strings"

	"tacet"
)

// resources: patterns that can match nothing, and operations that have no resource to match.
func (l *linter) resources() {
	s := l.s
	if s.resources == nil {
		return
	}
	name := "Resource"
	if s.notResource {
		name = "NotResource"
		if s.effect == Allow {
			l.add(SeverityWarning, "allow-not-resource", l.n.get(name).place, "Allow with NotResource grants every resource but those named, also ones to come",
				"List the resources to allow under Resource")
		}
	}
	services := l.services()
	nodes := l.n.get(name).elements()
	for i := range nodes {
		if p := resourceProblem(nodes[i].text, services); p.message != "" {
			rule := "resource-never-matches"
			if p.severity == SeverityNote {
				rule = "wide-suffix"
			}
			l.add(p.severity, rule, nodes[i].place, p.message, p.suggestion)
		}
	}
	if s.notAction || s.notResource || slices.ContainsFunc(s.resources, func(p pattern) bool { return p.kind == matchTemplate || p.match("*", nil) }) {
		return
	}
	var told []string // two operations may have one name
	for _, op := range l.operations {
		// One that a wildcard swept in is not what the author had in mind.
		if withoutResource(op) && !slices.Contains(told, op.Action()) && slices.ContainsFunc(s.actions, func(a actionPattern) bool { return a.folded.kind == matchExact && a.match(op.Action()) }) {
			told = append(told, op.Action())
			l.add(SeverityWarning, "needs-any-resource", l.n.get(name).place, op.Action()+" has no resource: it is decided on \"*\", which is not listed",
				`Give it a statement of its own with "Resource": "*"`)
		}
	}
}

// services are those of the known actions that the statement is about.
func (l *linter) services() []string {
	var out []string
	for _, op := range l.operations {
		if l.s.namesAction(op.Actions()) != l.s.notAction {
			switch service := op.Service(); service {
			case "sts":
				out = append(out, "iam") // whose roles its resources are
			case "":
				out = append(out, "secretsmanager") // a name in Azure's language alone
			default:
				out = append(out, service)
			}
		}
	}
	return out
}

type problem struct {
	severity            Severity
	message, suggestion string
}

func never(message, suggestion string) problem {
	return problem{SeverityError, message, suggestion}
}

// resourceProblem says why a pattern can match no resource of the services, as far as it
// can be read: a wildcard or a variable may stand for anything from there on.
func resourceProblem(text string, services []string) problem {
	segments := splitTemplate(text, true)
	open := func(i int) bool { return i < len(segments) && strings.ContainsAny(segments[i], "*?$") }
	for i := range 6 {
		switch {
		case i >= len(segments):
			return never("an ARN has six parts, arn:aws:service:region:account:resource", "")
		case open(i) && i < 5:
			return problem{}
		}
		if p := segmentProblem(i, segments, services); p.message != "" {
			return p
		}
	}
	return problem{}
}

// segmentProblem looks at one part of an ARN; those before it are plain.
func segmentProblem(i int, segments, services []string) problem {
	part, service := segments[i], ""
	if i > 2 {
		service = segments[2]
	}
	switch i {
	case 1:
		if part != "aws" {
			return never(fmt.Sprintf("the partition is aws, not %q", clip(part)), "")
		}
	case 2:
		if len(services) > 0 && !slices.Contains(services, part) {
			return never(fmt.Sprintf("the actions have no resources of the service %q", clip(part)), "")
		}
	case 3:
		if service == "secretsmanager" && part == "" {
			return never("the ARN of a secret has a region", `Write the region, or "*"`)
		}
		if service == "iam" && part != "" {
			return never("the ARN of a principal has no region", "Leave the region empty: arn:aws:iam::account:…")
		}
	case 4:
		if !isAccount(part) && !(service == "iam" && part == "aws") {
			return never(fmt.Sprintf("an account has twelve digits, not %q", clip(part)), "")
		}
	case 5:
		switch service {
		case "secretsmanager":
			return secretProblem(part)
		case "iam":
			return principalProblem(part)
		}
	}
	return problem{}
}

// secretProblem looks at the last part of a secret's ARN, secret:name-suffix.
func secretProblem(part string) problem {
	const prefix = "secret:"
	literal := part
	if i := strings.IndexAny(part, "*?$"); i >= 0 {
		literal = part[:i]
	}
	switch {
	case !strings.HasPrefix(literal, prefix) && !(literal != part && strings.HasPrefix(prefix, literal)):
		name := strings.TrimPrefix(strings.TrimPrefix(literal, "secret"), "/")
		return never("the ARN of a secret ends in secret:name", "Write "+prefix+clip(name))
	case literal == part && !hasSuffix(part):
		return never("the ARN of a secret ends in a hyphen and six characters that are made with it", "Write "+clip(part)+"-??????")
	case strings.HasSuffix(part, "-*") && literal == part[:len(part)-1]:
		return problem{SeverityNote, "secrets whose names go on after the hyphen match too", "Write " + clip(part[:len(part)-1]) + "??????"}
	}
	return problem{}
}

// hasSuffix reports whether a text ends as secrets' ARNs do.
func hasSuffix(part string) bool {
	i := len(part) - tacet.SuffixLength
	return i > 0 && part[i-1] == '-' && !strings.ContainsFunc(part[i:], func(r rune) bool { return r > 'z' || !isAlnum(byte(r)) })
}

func principalProblem(part string) problem {
	kind, _, ok := strings.Cut(part, "/")
	kinds := []string{"user", "group", "role", "policy", "oidc-provider", "saml-provider", "instance-profile", "mfa", "server-certificate"}
	if part == "root" || !ok && strings.ContainsAny(part, "*?$") || ok && (strings.ContainsAny(kind, "*?$") || slices.Contains(kinds, kind)) {
		return problem{}
	}
	return never("the ARN of a principal ends in user/, group/, role/, policy/ or oidc-provider/ and a name", "")
}

// reach: an Allow that an unconditional Deny takes back whole, and a statement that
// says again what another one says.
func (l *linter) reach() {
	for i := range l.doc.statements {
		o := &l.doc.statements[i]
		switch {
		case o == l.s || len(o.conditions) > 0 || !l.covers(o):
		case l.s.effect == Allow && o.effect == Deny:
			l.add(SeverityError, "shadowed", l.n.place, "the statement allows nothing: "+describeStatement(o)+" denies all of it", "Remove one of them")
			return
		case l.s.effect == o.effect && (o.index < l.s.index || !l.coveredBy(o)):
			l.add(SeverityNote, "redundant", l.n.place, describeStatement(o)+" says it all already", "Remove the statement")
			return
		}
	}
}

func describeStatement(s *statement) string {
	if s.sid != "" {
		return fmt.Sprintf("Statement[%d] (%s)", s.index, clip(s.sid))
	}
	return fmt.Sprintf("Statement[%d]", s.index)
}

// covers reports whether o, which has no conditions, is about everything that the
// statement is about. It errs on the side of no.
func (l *linter) covers(o *statement) bool { return l.coverage(l.s, o) }

// coveredBy is covers the other way round, for statements that say the same.
func (l *linter) coveredBy(o *statement) bool {
	return len(l.s.conditions) == 0 && l.coverage(o, l.s)
}

func (l *linter) coverage(s, by *statement) bool {
	some := false
	for _, op := range l.operations {
		if s.namesAction(op.Actions()) == s.notAction {
			continue
		}
		some = true
		if by.namesAction(op.Actions()) == by.notAction {
			return false
		}
	}
	return some && coversPrincipals(s, by) && coversResources(s, by)
}

func coversPrincipals(s, by *statement) bool {
	switch {
	case by.principals == nil:
		return true
	case by.notPrincipal:
		return false
	case by.principals.anyone:
		return true
	}
	return !s.notPrincipal && !slices.ContainsFunc(s.principals.named, func(p Principal) bool { return !slices.Contains(by.principals.named, p) })
}

func coversResources(s, by *statement) bool {
	switch {
	case by.resources == nil:
		return true
	case by.notResource:
		return false
	case slices.Contains(by.resourceTexts, "*"):
		return true
	case s.notResource:
		return false
	}
	return !slices.ContainsFunc(s.resourceTexts, func(text string) bool {
		return !slices.ContainsFunc(by.resourceTexts, func(wider string) bool { return coversText(wider, text) })
	})
}

// coversText reports whether a pattern matches whatever another one does. A wildcard
// in the narrower one is a character that only "*" in the wider one can match.
func coversText(wider, narrower string) bool {
	if wider == narrower {
		return true
	}
	if strings.ContainsAny(wider, "?$") || strings.Contains(narrower, "$") {
		return false
	}
	p := simplePattern(encode(wider))
	return p.match(strings.NewReplacer("*", "\x00", "?", "\x00").Replace(narrower), nil)
}
