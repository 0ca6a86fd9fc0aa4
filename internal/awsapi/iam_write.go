package awsapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tacet"
	"tacet/internal/identity"
)

// document writes a policy, percent-encoded as RFC 3986 has it.
func (e *encoder) document(name, text string) {
	e.element(name, strings.ReplaceAll(url.QueryEscape(text), "+", "%20"))
}

func (e *encoder) boolean(name string, v bool) { e.element(name, strconv.FormatBool(v)) }

// writeTruncated ends a listing.
func writeTruncated(e *encoder, marker string) {
	e.boolean("IsTruncated", marker != "")
	e.optionalElement("Marker", marker)
}

// writeList writes a listing under a name.
func writeList[T any](e *encoder, name string, l identity.List[T], write func(T)) {
	members(e, name, l.Items, write)
	writeTruncated(e, l.Marker)
}

func writeEmptyResult(*encoder, none) {}

// writeGrantee writes what users, groups and roles have in common.
func writeGrantee(e *encoder, kind tacet.PrincipalKind, g *tacet.Grantee) {
	noun := nounOf(kind)
	e.element("Path", g.Path)
	e.element(noun+"Name", g.Name)
	e.element(noun+"Id", g.ID)
	e.element("Arn", tacet.PrincipalARN(kind, g.Account, g.Path, g.Name))
	e.date("CreateDate", g.Created)
}

func writeBoundary(e *encoder, arn string) {
	if arn == "" {
		return
	}
	e.within("PermissionsBoundary", func() {
		e.element("PermissionsBoundaryType", "Policy") // so AWS, whatever its model says
		e.element("PermissionsBoundaryArn", arn)
	})
}

func writeTags(e *encoder, tags []tacet.Tag) {
	members(e, "Tags", tags, func(t tacet.Tag) {
		e.element("Key", t.Key)
		e.element("Value", t.Value)
	})
}

// writeSomeTags leaves out a list of none.
func writeSomeTags(e *encoder, tags []tacet.Tag) {
	if len(tags) > 0 {
		writeTags(e, tags)
	}
}

func writeTagList(e *encoder, l identity.List[tacet.Tag]) {
	writeTags(e, l.Items)
	writeTruncated(e, l.Marker)
}

func writeNewUser(e *encoder, u tacet.User) {
	e.within("User", func() {
		writeGrantee(e, tacet.KindUser, &u.Grantee)
		writeBoundary(e, u.Boundary)
		writeSomeTags(e, u.Tags)
	})
}

func writeUsers(e *encoder, l identity.List[tacet.User]) {
	writeList(e, "Users", l, func(u tacet.User) { writeGrantee(e, tacet.KindUser, &u.Grantee) })
}

func writeAccessKeys(e *encoder, l identity.List[tacet.AccessKey]) {
	writeList(e, "AccessKeyMetadata", l, func(k tacet.AccessKey) { writeAccessKey(e, &k) })
}

func writeAccessKey(e *encoder, k *tacet.AccessKey) {
	status := "Active"
	if k.Inactive {
		status = "Inactive"
	}
	e.element("UserName", k.User)
	e.element("AccessKeyId", k.ID)
	e.element("Status", status)
	e.date("CreateDate", k.Created)
}

func writeKeyUse(e *encoder, u identity.KeyUse) {
	e.element("UserName", u.User)
	e.within("AccessKeyLastUsed", func() {
		if u.Time.IsZero() {
			e.element("ServiceName", "N/A")
			e.element("Region", "N/A")
			return
		}
		e.date("LastUsedDate", u.Time)
		e.element("ServiceName", u.Service)
		e.element("Region", u.Region)
	})
}

func writeNewGroup(e *encoder, g tacet.Group) {
	e.within("Group", func() { writeGrantee(e, tacet.KindGroup, &g.Grantee) })
}

func writeGroups(e *encoder, l identity.List[tacet.Group]) {
	writeList(e, "Groups", l, func(g tacet.Group) { writeGrantee(e, tacet.KindGroup, &g.Grantee) })
}

func writeMembers(e *encoder, m identity.GroupMembers) {
	writeNewGroup(e, m.Group)
	writeUsers(e, m.Users)
}

// roleBody writes what every answer has of a role.
func roleBody(e *encoder, o *tacet.Role) {
	writeGrantee(e, tacet.KindRole, &o.Grantee)
	e.document("AssumeRolePolicyDocument", o.Trust)
}

// writeNewRole leaves out what AWS leaves out of the answer of a creation.
func writeNewRole(e *encoder, o tacet.Role) {
	e.within("Role", func() {
		roleBody(e, &o)
		writeBoundary(e, o.Boundary)
		writeSomeTags(e, o.Tags)
	})
}

func writeDescribedRole(e *encoder, o tacet.Role) {
	e.within("Role", func() {
		roleBody(e, &o)
		e.optionalElement("Description", o.Description)
	})
}

func writeRole(e *encoder, o identity.RoleInfo) {
	e.within("Role", func() {
		roleBody(e, &o.Role)
		e.optionalElement("Description", o.Description)
		e.number("MaxSessionDuration", int64(o.MaxSession))
		writeBoundary(e, o.Boundary)
		writeSomeTags(e, o.Tags)
		writeRoleUse(e, o.LastUsed)
	})
}

func writeRoleUse(e *encoder, use tacet.LastUse) {
	e.within("RoleLastUsed", func() {
		if !use.Time.IsZero() {
			e.date("LastUsedDate", use.Time)
			e.element("Region", use.Region)
		}
	})
}

func writeRoles(e *encoder, l identity.List[tacet.Role]) {
	writeList(e, "Roles", l, func(o tacet.Role) {
		roleBody(e, &o)
		e.optionalElement("Description", o.Description)
		e.number("MaxSessionDuration", int64(o.MaxSession))
	})
}

// policyBody writes what every answer has of a managed policy.
func policyBody(e *encoder, p *identity.PolicyInfo) {
	e.element("PolicyName", p.Name)
	e.element("PolicyId", p.ID)
	e.element("Arn", p.ARN())
	e.element("Path", p.Path)
	e.element("DefaultVersionId", p.Default)
	e.number("AttachmentCount", int64(p.Attached))
	e.number("PermissionsBoundaryUsageCount", int64(p.Boundary))
	e.boolean("IsAttachable", true)
	e.date("CreateDate", p.Created)
	e.date("UpdateDate", p.Updated)
}

func writeNewPolicy(e *encoder, p identity.PolicyInfo) {
	e.within("Policy", func() {
		policyBody(e, &p)
		writeSomeTags(e, p.Tags)
	})
}

func writeManagedPolicy(e *encoder, p identity.PolicyInfo) {
	e.within("Policy", func() {
		policyBody(e, &p)
		e.optionalElement("Description", p.Description)
		writeTags(e, p.Tags)
	})
}

func writePolicies(e *encoder, l identity.List[identity.PolicyInfo]) {
	writeList(e, "Policies", l, func(p identity.PolicyInfo) { policyBody(e, &p) })
}

// versionBody writes what every answer has of a version of a policy.
func versionBody(e *encoder, v *identity.VersionInfo) {
	e.element("VersionId", v.ID)
	e.boolean("IsDefaultVersion", v.Default)
	e.date("CreateDate", v.Created)
}

func writeNewVersion(e *encoder, v identity.VersionInfo) {
	e.within("PolicyVersion", func() { versionBody(e, &v) })
}

func writePolicyVersion(e *encoder, v identity.VersionInfo) {
	e.within("PolicyVersion", func() {
		e.document("Document", v.Document)
		versionBody(e, &v)
	})
}

func writePolicyVersions(e *encoder, l identity.List[identity.VersionInfo]) {
	writeList(e, "Versions", l, func(v identity.VersionInfo) { versionBody(e, &v) })
}

func writeEntities(e *encoder, l identity.List[identity.Entity]) {
	for _, kind := range []tacet.PrincipalKind{tacet.KindGroup, tacet.KindUser, tacet.KindRole} {
		noun := nounOf(kind)
		of := slices.DeleteFunc(slices.Clone(l.Items), func(n identity.Entity) bool { return n.Kind != kind })
		members(e, "Policy"+noun+"s", of, func(n identity.Entity) {
			e.element(noun+"Name", n.Name)
			e.element(noun+"Id", n.ID)
		})
	}
	writeTruncated(e, l.Marker)
}

func writeInlinePolicy(e *encoder, p identity.InlinePolicy) {
	e.element(nounOf(p.Holder.Kind)+"Name", p.Holder.Name)
	e.element("PolicyName", p.Name)
	e.document("PolicyDocument", p.Document)
}

func writeInlinePolicies(e *encoder, l identity.List[string]) {
	writeTexts(e, "PolicyNames", l.Items)
	writeTruncated(e, l.Marker)
}

// writeTexts writes a list of strings.
func writeTexts(e *encoder, name string, list []string) {
	e.within(name, func() {
		for _, s := range list {
			e.element("member", s)
		}
	})
}

func writeAttached(e *encoder, l identity.List[tacet.ManagedPolicy]) {
	writeList(e, "AttachedPolicies", l, func(p tacet.ManagedPolicy) {
		e.element("PolicyName", p.Name)
		e.element("PolicyArn", p.ARN())
	})
}

func writeNewProvider(e *encoder, p tacet.OIDCProvider) {
	e.element("OpenIDConnectProviderArn", p.ARN())
	writeSomeTags(e, p.Tags)
}

func writeProvider(e *encoder, p tacet.OIDCProvider) {
	e.element("Url", p.URL)
	writeTexts(e, "ClientIDList", p.ClientIDs)
	writeTexts(e, "ThumbprintList", p.Thumbprints)
	e.date("CreateDate", p.Created)
	writeTags(e, p.Tags)
}

func writeProviders(e *encoder, list []tacet.OIDCProvider) {
	members(e, "OpenIDConnectProviderList", list, func(p tacet.OIDCProvider) { e.element("Arn", p.ARN()) })
}
