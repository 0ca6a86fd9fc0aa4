package awsapi

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"

	"tacet"
	"tacet/internal/identity"
)

// accountOperations are those about an account as a whole.
func accountOperations() []queryOperation {
	// Its form is checked by the core, in IAM's words.
	alias := needed("AccountAlias", 0, 0)
	return []queryOperation{
		{name: tacet.OpCreateAccountAlias, serve: query(alias, act((*svc).CreateAccountAlias), nil)},
		{name: tacet.OpDeleteAccountAlias, serve: query(alias, act((*svc).DeleteAccountAlias), nil)},
		{name: tacet.OpListAccountAliases, serve: query(readPage, (*svc).ListAccountAliases, writeAliases)},
		{name: tacet.OpGetAccountSummary, serve: query(readNone, callAccountSummary, writeSummary)},
		{name: tacet.OpGetAccountAuthorizationDetails, serve: query(both(readFilter, readPage), with2((*svc).GetAccountAuthorizationDetails), writeDetails)},
		{name: tacet.OpGenerateCredentialReport, serve: query(readNone, callGenerateReport, writeReportState)},
		{name: tacet.OpGetCredentialReport, serve: query(readNone, callCredentialReport, writeReport)},
		{name: tacet.OpGetContextKeysForPrincipalPolicy, serve: query(both(policySource, policyInputs), with2((*svc).GetContextKeysForPrincipalPolicy), writeContextKeys)},
		{name: tacet.OpGetContextKeysForCustomPolicy, serve: query(neededPolicyInputs, (*svc).GetContextKeysForCustomPolicy, writeContextKeys)},
		nothing(tacet.OpListVirtualMFADevices, "VirtualMFADevices", nobody),
	}
}

func callAccountSummary(s *svc, ctx context.Context, by tacet.Call, _ none) (map[string]int, error) {
	return s.GetAccountSummary(ctx, by)
}

func callGenerateReport(s *svc, ctx context.Context, by tacet.Call, _ none) (none, error) {
	return none{}, s.GenerateCredentialReport(ctx, by)
}

func callCredentialReport(s *svc, ctx context.Context, by tacet.Call, _ none) (identity.CredentialReport, error) {
	return s.GetCredentialReport(ctx, by)
}

// readFilter reads which kinds of entity a listing is limited to.
func readFilter(f *form, c *checks) []string {
	kinds := []string{identity.FilterUsers, identity.FilterRoles, identity.FilterGroups, identity.FilterLocalPolicies, identity.FilterAWSPolicies}
	list := f.texts("Filter")
	out := make([]string, len(list))
	for i, t := range list {
		if out[i] = t.S; !slices.Contains(kinds, t.S) {
			c.fail(quoteList(list), "filter", "Member must satisfy constraint: [Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]]")
			return nil
		}
	}
	return out
}

func writeAliases(e *encoder, l identity.List[string]) {
	writeTexts(e, "AccountAliases", l.Items)
	writeTruncated(e, l.Marker)
}

func writeSummary(e *encoder, m map[string]int) {
	e.within("SummaryMap", func() {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			e.within("entry", func() {
				e.element("key", name)
				e.number("value", int64(m[name]))
			})
		}
	})
}

func writeReportState(e *encoder, _ none) { e.element("State", "COMPLETE") }

func writeReport(e *encoder, r identity.CredentialReport) {
	e.element("Content", base64.StdEncoding.EncodeToString(r.Content))
	e.element("ReportFormat", "text/csv")
	e.date("GeneratedTime", r.Generated)
}

func writeContextKeys(e *encoder, keys []string) { writeTexts(e, "ContextKeyNames", keys) }

// writeDetails writes each kind of entity in its list.
func writeDetails(e *encoder, l identity.List[identity.Detail]) {
	list := func(name string, kind tacet.PrincipalKind, write func(*encoder, *identity.Detail)) {
		of := slices.DeleteFunc(slices.Clone(l.Items), func(d identity.Detail) bool { return d.Kind != kind })
		members(e, name, of, func(d identity.Detail) { write(e, &d) })
	}
	list("UserDetailList", tacet.KindUser, writeUserDetail)
	list("GroupDetailList", tacet.KindGroup, writeGroupDetail)
	list("RoleDetailList", tacet.KindRole, writeRoleDetail)
	list("Policies", tacet.KindPolicy, writePolicyDetail)
	writeTruncated(e, l.Marker)
}

func writeUserDetail(e *encoder, d *identity.Detail) {
	writeGrantee(e, tacet.KindUser, &d.User.Grantee)
	if len(d.User.Policies) > 0 { // AWS leaves out a list of none for users alone
		writeInlineDetails(e, "UserPolicyList", d.User.Policies)
	}
	writeTexts(e, "GroupList", d.Groups)
	writeAttachedDetails(e, d.Attached)
	writeBoundary(e, d.User.Boundary)
	writeTags(e, d.User.Tags)
}

func writeGroupDetail(e *encoder, d *identity.Detail) {
	writeGrantee(e, tacet.KindGroup, &d.Group.Grantee)
	writeInlineDetails(e, "GroupPolicyList", d.Group.Policies)
	writeAttachedDetails(e, d.Attached)
}

func writeRoleDetail(e *encoder, d *identity.Detail) {
	roleBody(e, &d.Role.Role)
	e.Raw("<InstanceProfileList/>")
	writeInlineDetails(e, "RolePolicyList", d.Role.Policies)
	writeAttachedDetails(e, d.Attached)
	writeBoundary(e, d.Role.Boundary)
	writeTags(e, d.Role.Tags)
	writeRoleUse(e, d.Role.LastUsed)
}

func writePolicyDetail(e *encoder, d *identity.Detail) {
	policyBody(e, &d.Policy)
	newest := slices.Clone(d.Policy.Versions)
	slices.Reverse(newest)
	members(e, "PolicyVersionList", newest, func(v tacet.PolicyVersion) {
		e.document("Document", v.Document)
		versionBody(e, &identity.VersionInfo{PolicyVersion: v, Default: v.ID == d.Policy.ManagedPolicy.Default})
	})
}

func writeInlineDetails(e *encoder, name string, policies map[string]string) {
	members(e, name, slices.Sorted(maps.Keys(policies)), func(p string) {
		e.element("PolicyName", p)
		e.document("PolicyDocument", policies[p])
	})
}

func writeAttachedDetails(e *encoder, attached []tacet.ManagedPolicy) {
	members(e, "AttachedManagedPolicies", attached, func(p tacet.ManagedPolicy) {
		e.element("PolicyName", p.Name)
		e.element("PolicyArn", p.ARN())
	})
}
