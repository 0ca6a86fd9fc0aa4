package awsapi

import (
	"strings"

	"tacet"
	"tacet/internal/identity"
)

// The policy simulator (AWS IAM API, SimulatePrincipalPolicy and SimulateCustomPolicy). A
// resource policy is asked about every action, sts:AssumeRole too, where AWS passes it over.
func simulationOperations() []queryOperation {
	return []queryOperation{
		{name: tacet.OpSimulatePrincipalPolicy, serve: query(readSimulatePrincipal, (*svc).SimulatePrincipalPolicy, writeSimulation)},
		{name: tacet.OpSimulateCustomPolicy, serve: query(readSimulateCustom, (*svc).SimulateCustomPolicy, writeSimulation)},
	}
}

func readSimulatePrincipal(f *form, c *checks) identity.SimulateInput {
	principal := policySource(f, c)
	in := readSimulation(f, c)
	in.Principal = principal
	return in
}

func policySource(f *form, c *checks) string { return needed("PolicySourceArn", 20, 2048)(f, c) }

func policyInputs(f *form, c *checks) []string {
	return c.strings("policyInputList", f.texts("PolicyInputList"), [2]int{}, [2]int{1, 131072}, "", nil)
}

func neededPolicyInputs(f *form, c *checks) []string {
	l := policyInputs(f, c)
	c.required("policyInputList", l != nil)
	return l
}

func readSimulateCustom(f *form, c *checks) identity.SimulateInput {
	c.required("policyInputList", f.texts("PolicyInputList") != nil)
	return readSimulation(f, c)
}

func readSimulation(f *form, c *checks) identity.SimulateInput {
	list := func(name string, low, high int) []string {
		return c.strings(placeOf(name), f.texts(name), [2]int{}, [2]int{low, high}, "", nil)
	}
	in := identity.SimulateInput{Page: readPage(f, c)}
	in.Policies = policyInputs(f, c)
	in.Boundaries = list("PermissionsBoundaryPolicyInputList", 1, 131072)
	in.Actions = list("ActionNames", 3, 128)
	c.required("actionNames", in.Actions != nil)
	in.Resources = list("ResourceArns", 1, 2048)
	in.ResourcePolicy = optional("ResourcePolicy", 1, 131072)(f, c)
	in.Owner = optional("ResourceOwner", 1, 2048)(f, c)
	in.Caller = optional("CallerArn", 1, 2048)(f, c)
	optional("ResourceHandlingOption", 1, 64)(f, c) // of EC2's actions, of which nothing more is known
	for i, e := range f.structures("ContextEntries") {
		c.in("contextEntries", i+1)
		kind := c.enum("contextKeyType", e.text("ContextKeyType"), "string", "stringList", "numeric", "numericList", "boolean", "booleanList",
			"ip", "ipList", "binary", "binaryList", "date", "dateList")
		in.Context = append(in.Context, identity.ContextEntry{
			Key:    c.length("contextKeyName", e.text("ContextKeyName"), 5, 256),
			Values: c.strings("contextKeyValues", e.texts("ContextKeyValues"), [2]int{}, [2]int{}, "", nil),
			Binary: strings.HasPrefix(kind, "binary"),
		})
	}
	c.in("", 0)
	return in
}

func writeSimulation(e *encoder, l identity.List[identity.Simulated]) {
	writeList(e, "EvaluationResults", l, func(s identity.Simulated) {
		e.element("EvalActionName", s.Action)
		e.element("EvalResourceName", s.Resource)
		e.element("EvalDecision", s.Decision)
		writeReasons(e, &s)
		if s.Resource == "*" {
			return
		}
		e.within("ResourceSpecificResults", func() {
			e.within("member", func() {
				e.element("EvalResourceName", s.Resource)
				e.element("EvalResourceDecision", s.Decision)
				writeReasons(e, &s)
			})
		})
	})
}

// writeReasons writes what came to a decision. It stands in a result and again in that of
// its resource: the documentation has missing keys in the latter only, and Terraform reads
// the former.
func writeReasons(e *encoder, s *identity.Simulated) {
	members(e, "MatchedStatements", s.Statements, func(st identity.SimulatedStatement) {
		position := func(name string, line, column int) {
			e.within(name, func() {
				e.number("Line", int64(line))
				e.number("Column", int64(column))
			})
		}
		e.element("SourcePolicyId", st.Policy)
		e.element("SourcePolicyType", "IAM Policy")
		position("StartPosition", st.Start.Line, st.Start.Column)
		position("EndPosition", st.End.Line, st.End.Column)
	})
	members(e, "MissingContextValues", s.Missing, e.escaped)
	if s.Bounded {
		e.within("PermissionsBoundaryDecisionDetail", func() { e.boolean("AllowedByPermissionsBoundary", s.Within) })
	}
	e.Raw("<EvalDecisionDetails/>")
}
