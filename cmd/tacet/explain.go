package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tacet"
	"tacet/internal/client"
)

// whyLines tells of a recorded decision: who asked for what, what decided, how each
// statement took it, what today's policies would say, and what would allow it.
func whyLines(e client.Explained, rec *tacet.Record, was client.Explanation) []string {
	action, data, resource := cmp.Or(was.Action, rec.Operation.Action()), cmp.Or(was.DataAction, rec.Operation.DataAction()), cmp.Or(was.Resource, rec.Resource)
	action, what := words(rec.Face == "azure", action, data)
	var head string
	switch rec.Outcome {
	case tacet.OutcomeDenied:
		head = "Refused: " + callerName(rec.Caller) + " may not do " + action + "."
	case tacet.OutcomeFailed:
		head = "Failed: " + callerName(rec.Caller) + " asked for " + action + ", which ended in " + string(rec.Error) + "."
	default:
		head = "Allowed: " + callerName(rec.Caller) + " may do " + action + "."
	}
	from := "the server itself"
	if rec.SourceIP != "" {
		from = rec.SourceIP
	}
	facts := [][2]string{{"Who", rec.Caller}, {"What", what}, {"On", resource}, {"When", when(rec.Time) + ", from " + from}, {"Request", rec.RequestID},
		{"Decision", rec.ID}, {"Because", because(rec.Reason, rec.Policy)}}
	if e.Today != nil && e.Today.Missing {
		facts = append(facts, [2]string{"Note", missingText(resource) + " today"})
	}
	lines := append([]string{head, ""}, factLines(facts)...)
	if rec.Why != nil {
		lines = append(lines, statementLines(was)...)
	}
	lines = append(lines, "")
	switch {
	case e.Today == nil:
		lines = append(lines, "Today's policies cannot be asked: "+e.Problem+".")
		if rec.Outcome == tacet.OutcomeDenied && rec.Why != nil {
			lines = append(lines, adviceLines(was, rec.Caller)...)
		}
	case rec.Outcome != tacet.OutcomeDenied:
		lines = append(lines, "Today the policies say: "+answer(e.Today.Answer, e.Today.Decision)+".")
	case e.Today.Answer == client.Denied:
		lines = append(lines, "Today it would be refused as well: "+because(e.Today.Decision.Reason, decider(e.Today.Decision))+".")
		if sameDecision(was.Decision, e.Today.Decision) {
			return append(lines, adviceLines(was, rec.Caller)...)
		}
		lines = append(lines, statementLines(e.Today.Explanation)...)
		return append(lines, adviceLines(e.Today.Explanation, rec.Caller)...)
	default:
		lines = append(lines, "Today the policies have changed: "+answer(e.Today.Answer, e.Today.Decision)+".")
		lines = append(lines, statementLines(e.Today.Explanation)...)
	}
	return lines
}

func sameDecision(a, b client.Decision) bool { return a == b }

// words is what an action is called in the language that was used, and the same with what
// IAM's policies call it.
func words(azure bool, action, data string) (name, full string) {
	if !azure || data == "" || data == action {
		return action, action
	}
	return data, data + ", to IAM's policies " + action
}

// isAzure reports whether an action was asked about in Azure's language.
func isAzure(asked string) bool { return strings.Contains(asked, "/") }

// verdictLines answers whether somebody may do something, which was asked in some words.
func verdictLines(v client.Verdict, asked string) []string {
	who := callerName(v.Principal)
	action, what := words(isAzure(asked), v.Action, v.DataAction)
	head := map[string]string{
		client.Allowed:     "Yes: " + who + " may do " + action + ".",
		client.Denied:      "No: " + who + " may not do " + action + ".",
		client.Conditional: "It depends: " + who + " may do " + action + terms(v),
	}[v.Answer]
	facts := [][2]string{{"Who", v.Principal}, {"What", what}, {"On", v.Resource}}
	if v.Missing {
		facts = append(facts, [2]string{"Note", missingText(v.Resource) + "; what is decided is a request for its name"})
	}
	if len(v.Deleted) > 0 {
		facts = append(facts, [2]string{"Note", deletedNote(v.Deleted)})
	}
	facts = append(facts, verdictFacts(v)...)
	lines := append([]string{head, ""}, factLines(facts)...)
	lines = append(lines, statementLines(v.Explanation)...)
	if v.Answer == client.Denied && v.Rule == "" {
		lines = append(lines, adviceLines(v.Explanation, v.Principal)...)
	}
	return lines
}

// missingText says that what an ARN names is not there.
func missingText(arn string) string {
	if strings.HasPrefix(arn, "arn:aws:iam:") {
		return "there is no such role"
	}
	return "there is no such secret"
}

// terms says what an answer depends on.
func terms(v client.Verdict) string {
	switch {
	case slices.ContainsFunc(v.Statements, func(s client.Statement) bool { return s.Open }):
		return " if the open conditions below are met."
	case v.Rule != "" || len(v.Networks) > 0:
		return ", but not from everywhere."
	}
	return ", on conditions of its own account's policies, which are not shown."
}

// verdictFacts says what gave an answer, and what else it takes.
func verdictFacts(v client.Verdict) (facts [][2]string) {
	switch {
	case v.Rule == client.RuleAnyone:
		return [][2]string{{"Because", "whoever is authenticated may, whatever the policies say"}}
	case v.Rule == client.RuleNotRoot:
		return [][2]string{{"Because", "an account's root cannot assume a role, whatever the policies say"}}
	case v.Answer == client.Denied:
		return [][2]string{{"Because", because(v.Decision.Reason, decider(v.Decision))}}
	case v.Decision.Policy != "":
		facts = [][2]string{{"Through", decider(v.Decision)}}
	case strings.HasSuffix(v.Principal, ":root"):
		facts = [][2]string{{"Through", "root of the account, which no grant is needed for"}}
	}
	if len(v.Networks) > 0 {
		facts = append(facts, [2]string{"Only from", networksText(v.Networks) + ", by the network rules of the vault"})
	}
	if v.Rule == client.RuleOtherFace {
		facts = append(facts, [2]string{"Only in", "Key Vault's API: to AWS's, the vault is for its own account's callers alone"})
	}
	return facts
}

// networksText names networks, of which there may be many.
func networksText(list []string) string {
	const most = 5
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}

// factLines aligns what there is to say, and leaves out what there is not.
func factLines(facts [][2]string) []string {
	var lines []string
	for _, f := range facts {
		if f[1] != "" {
			lines = append(lines, fmt.Sprintf("  %-9s %s", f[0], f[1]))
		}
	}
	return lines
}

// answer words an answer inside a sentence.
func answer(a string, d client.Decision) string {
	switch a {
	case client.Allowed:
		if d.Policy == "" {
			return "it is allowed"
		}
		return "it is allowed, by " + decider(d)
	case client.Conditional:
		return "it is allowed if the open conditions are met"
	}
	return "it is refused: " + because(d.Reason, decider(d))
}

// because words a reason, which is AWS's, and the statement that decided.
func because(reason, statement string) string {
	switch {
	case strings.HasPrefix(reason, "explicit deny"):
		return strings.TrimSuffix("an "+reason+", "+readable(statement), ", ")
	case reason != "":
		return reason + " it"
	case statement != "":
		return "allowed by " + readable(statement)
	}
	return ""
}

// decider names the statement that decided, as records do.
func decider(d client.Decision) string {
	if d.Policy == "" {
		return ""
	}
	return statementName(d.Policy, d.Sid, d.Statement)
}

func statementName(policy, sid string, index int) string {
	return readable(policy) + "/" + cmp.Or(sid, strconv.Itoa(index))
}

// readable shortens the name of a policy: a managed policy's ARN to its name, and a group's
// to what people say.
func readable(policy string) string {
	if _, name, ok := strings.Cut(policy, ":policy/"); ok {
		return name
	}
	return strings.Replace(policy, "group:", "group ", 1)
}

// statementLines tells how the statements about the action took the request.
func statementLines(e client.Explanation) []string {
	if e.Decision.Reason == string(tacet.DenyNetwork) || e.Decision.Allowed && len(e.Statements)+len(e.Others)+e.Left == 0 {
		return nil // no policy was asked, or none has to do with it
	}
	lines := []string{""}
	if len(e.Statements) == 0 {
		lines = append(lines, "No statement is about this action.")
	} else {
		lines = append(lines, "The statements about this action, the closest first:")
	}
	for _, s := range e.Statements {
		lines = append(lines, fmt.Sprintf("  %-5s  %s (%s)", s.Effect, statementName(s.Policy, s.Sid, s.Statement), s.Role), "         "+outcome(s))
		for _, r := range s.Resources {
			lines = append(lines, "           "+r)
		}
		for _, arn := range s.Sessions {
			lines = append(lines, "           the session is "+callerName(arn))
		}
		lines = append(lines, conditionLines("           ", s.Conditions)...)
		if s.Left > 0 {
			lines = append(lines, fmt.Sprintf("           and %d more", s.Left))
		}
	}
	for _, o := range e.Others {
		lines = append(lines, fmt.Sprintf("  %s in %s (%s) about other actions", count(o.Statements, "statement"), readable(o.Policy), o.Role))
	}
	if e.Left > 0 {
		lines = append(lines, fmt.Sprintf("  %s more, for which there was no room", count(e.Left, "statement")))
	}
	return lines
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// outcome says how a statement took the request.
func outcome(s client.Statement) string {
	switch {
	case s.Matched && s.Open && s.Effect == "Deny":
		return "would refuse, depending on what is open:"
	case s.Matched && s.Effect == "Deny":
		return "matches, and refuses"
	case s.Matched && s.Open:
		return "would allow, depending on what is open:"
	case s.Delegates:
		return "matches, and leaves it to the account's identity policies"
	case s.Limited:
		return "matches, and allows within boundary and session policy"
	case s.Matched:
		return "matches, and allows"
	case s.Failed == "condition":
		return "does not match: not all conditions are met"
	case s.Failed == "resource" && s.Excepted:
		return "does not match: it excepts the resource"
	case s.Failed == "resource":
		return "does not match: it is about other resources"
	}
	return "does not match: it is about other " + s.Failed + "s"
}

// conditionLines shows conditions in columns: the operator and the key, what the policy
// wants, what the request has, and the verdict.
func conditionLines(indent string, list []client.Condition) []string {
	rows := make([][4]string, len(list))
	for i, c := range list {
		wants, has := c.Wanted, "has nothing"
		if c.Resolved != nil {
			wants = c.Resolved
		}
		verdict := "not met"
		switch {
		case c.Open:
			verdict = "open"
		case c.Held:
			verdict = "met"
		}
		switch {
		case c.Open:
			has = "not known beforehand"
		case len(c.Had) > 0:
			has = "has " + strings.Join(c.Had, ", ")
		}
		want := strings.Join(wants, ", ")
		if c.Resolved != nil && !c.Open && strings.Contains(want, "${") {
			want += " (no value)"
		}
		if c.Left > 0 {
			want += fmt.Sprintf(" and %d more", c.Left)
		}
		rows[i] = [4]string{verdict, c.Operator + " " + c.Key, "wants " + want, has}
	}
	return columns(indent, rows)
}

// columns aligns rows.
func columns(indent string, rows [][4]string) []string {
	var width [4]int
	for _, r := range rows {
		for i, cell := range r {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	lines := make([]string, len(rows))
	for n, r := range rows {
		lines[n] = indent
		for i, cell := range r {
			lines[n] += cell + strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)+2)
		}
	}
	return lines
}

// adviceLines says what would allow a refused request.
func adviceLines(e client.Explanation, principal string) []string {
	who := callerName(principal)
	what := e.Action
	if e.Resource != "*" {
		what += " on " + e.Resource
	}
	var ways []string
	near := slices.IndexFunc(e.Statements, func(s client.Statement) bool { return s.Effect == "Allow" && s.Failed == "condition" })
	if near >= 0 {
		s := e.Statements[near]
		ways = append(ways, "a request that meets the conditions of "+statementName(s.Policy, s.Sid, s.Statement))
	}
	switch tacet.DenyReason(e.Decision.Reason) {
	case tacet.DenyImplicitIdentity:
		ways = append(ways, "a policy of "+who+" that allows "+what+bothSides(e, principal))
		if slices.Contains(tacet.DataActions(), e.DataAction) {
			ways = append(ways, grantInAzure(e, who))
		}
	case tacet.DenyImplicitResource:
		ways = append(ways, "a policy of the resource that allows "+what+" to "+who+", who is of another account")
	case tacet.DenyImplicitBoundary:
		ways = append(ways, "a permissions boundary of "+who+" that allows "+what+": it limits what policies grant")
	case tacet.DenyImplicitSession:
		ways = append(ways, "a session without a session policy, or with one that allows "+what)
	case tacet.DenyImplicitTrust:
		ways = append(ways, "a trust policy of the role that allows "+e.Action+" to "+who)
	case tacet.DenyNetwork:
		ways = append(ways, "an address that the network rules of the vault let in: tacet vault update VAULT --allow NETWORK")
	default:
		// No Allow helps against a Deny.
		ways = []string{"nothing as long as " + decider(e.Decision) + " denies it"}
		if slices.ContainsFunc(e.Statements, func(s client.Statement) bool {
			return s.Matched && s.Effect == "Deny" && s.Policy == e.Decision.Policy && s.Statement == e.Decision.Statement && len(s.Conditions) > 0
		}) {
			ways = []string{"a request that does not meet all conditions of " + decider(e.Decision) + ": no other policy helps"}
		}
	}
	lines := []string{"", "What would allow it:"}
	for _, w := range ways {
		lines = append(lines, "  - "+w)
	}
	return lines
}

// bothSides says that a grant of the caller's own account is not enough, where it is not.
func bothSides(e client.Explanation, principal string) string {
	if !strings.HasPrefix(e.Resource, "arn:aws:secretsmanager:") || accountIn(e.Resource) == accountIn(principal) ||
		slices.ContainsFunc(e.Statements, func(s client.Statement) bool {
			return s.Role == "resource-based policy" && s.Effect == "Allow" && s.Matched
		}) {
		return ""
	}
	return ", and one of the secret that allows it to that account"
}

// grantInAzure says what in Azure's language would allow a request.
func grantInAzure(e client.Explanation, who string) string {
	if !e.AccessPolicies {
		return "a role with " + e.DataAction + " assigned to " + who
	}
	for _, p := range tacet.SecretPermissions() {
		if actions := tacet.PermissionActions(p); slices.Contains(actions, e.DataAction) || slices.Contains(actions, e.Action) {
			return "an access policy of the vault that gives " + who + " the permission " + p
		}
	}
	return "the vault going by role assignments, and a role with " + e.DataAction + " assigned to " + who
}

// accessLines lists who may do something, which was asked in some words: a block for each,
// a line for each grant.
func accessLines(a client.Access, asked string) []string {
	what := a.Action
	if isAzure(asked) {
		what = asked
	}
	what += " on " + a.Resource
	head := count(len(a.Principals), "principal") + " can do " + what
	switch {
	case a.Rule == client.RuleAnyone:
		return []string{"Anybody who is authenticated can do " + what + ", whatever the policies say."}
	case a.Reason == string(tacet.DenyNetwork):
		head = "Nobody can do " + what + ": the network rules of the vault let in nobody from there"
	case len(a.Principals) == 0:
		head = "Nobody can do " + what
	}
	lines := []string{head}
	if a.Missing {
		line := "T" + missingText(a.Resource)[1:]
		if len(a.Principals) > 0 {
			line += ": these could reach it by its name"
		}
		lines = append(lines, line+".")
	}
	if a.Public {
		lines = append(lines, "Its policy lets in anybody.")
	}
	if len(a.Networks) > 0 {
		lines = append(lines, "Only from "+networksText(a.Networks)+": the network rules of the vault.")
	}
	if len(a.Deleted) > 0 {
		lines = append(lines, deletedNote(a.Deleted)+".")
	}
	rows := [][4]string{}
	add := func(name *string, through, onlyIf string) {
		rows = append(rows, [4]string{*name, through, onlyIf})
		*name = ""
	}
	for _, p := range a.Principals {
		name := shortPrincipal(p, a.Resource)
		for _, g := range p.Grants {
			onlyIf := conditionText(g)
			if g.Kind == foreignPolicies && p.Conditional {
				onlyIf = "their conditions, which are not shown, if any"
			}
			add(&name, grantName(g), onlyIf)
		}
		if p.Rule == client.RuleOtherFace {
			add(&name, "  only in Key Vault's API", "")
		}
		for _, g := range p.Within {
			add(&name, "  within "+grantName(g), conditionText(g))
		}
		for _, g := range p.Unless {
			add(&name, "  unless "+grantName(g)+" denies", conditionText(g))
		}
		for _, t := range p.AssumedBy {
			by := "  assumed by "
			if t.Excepted {
				by += "all but "
			}
			add(&name, by+strings.Join(trustedNames(t), ", "), conditionText(client.Grant{Conditions: t.Conditions}))
		}
	}
	if len(rows) > 0 {
		lines = append(append(lines, ""), columns("", append([][4]string{{"PRINCIPAL", "THROUGH", "ONLY IF"}}, rows...))...)
	}
	return lines
}

// foreignPolicies is the kind of a grant by policies that are another account's.
const foreignPolicies = "policies of its own account"

// shortPrincipal is what tells principals apart who may do something with a resource: of
// another account than the resource's, and of a root, the account is told.
func shortPrincipal(p client.Accessor, resource string) string {
	account := accountIn(p.ARN)
	switch {
	case p.Kind == "anyone":
		return "anyone"
	case p.Kind == "root", accountIn(resource) != "" && account != accountIn(resource):
		return account + ":" + callerName(p.ARN)
	}
	return callerName(p.ARN)
}

// accountIn is the account that an ARN names, "" for none.
func accountIn(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

func grantName(g client.Grant) string {
	s := g.Kind
	if g.Scope != "" {
		s = strings.TrimSpace(s+" "+g.Policy) + " at " + g.Scope
	} else if g.Policy != "" || g.Sid != "" {
		s += " " + strings.TrimPrefix(statementName(g.Policy, g.Sid, g.Statement), "/")
	}
	if g.Group != "" {
		s += " of group " + g.Group
	}
	return s
}

// conditionText writes what a grant depends on in one line.
func conditionText(g client.Grant) string {
	var parts []string
	for _, arn := range g.Sessions {
		parts = append(parts, "the session is "+callerName(arn))
	}
	for _, c := range g.Conditions {
		wants := c.Wanted
		if c.Resolved != nil {
			wants = c.Resolved
		}
		parts = append(parts, c.Operator+" "+c.Key+" "+strings.Join(wants, ", "))
	}
	for _, r := range g.Resources {
		parts = append(parts, "the resource fits "+r)
	}
	return strings.Join(parts, "; ")
}
