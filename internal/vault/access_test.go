package vault_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tacet"
	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/store"
	"tacet/internal/vault"
)

const account = "000000000001"

// population is a directory of every kind of grant, made by the door's own methods.
func (h *house) population(change func(tx *guard.Tx) error) {
	h.Helper()
	_, err := guard.System(h.ctx, h.guard, guard.Request{Call: tacet.Call{Account: account, Region: "us-east-1"}, Operation: tacet.OpBootstrap},
		func(tx *guard.Tx) (struct{}, error) { return struct{}{}, change(tx) })
	h.must(err)
}

func grantee(tx *guard.Tx, prefix, name string, policies map[string]string, attached ...string) tacet.Grantee {
	return tacet.Grantee{ID: tx.NewUniqueID(prefix), Account: account, Path: "/", Name: name, Created: tx.Now(), Policies: policies, Attached: attached}
}

func allow(action, resource, rest string) string {
	return `{"Version":"2012-10-17","Statement":{"Sid":"S","Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"` + rest + `}}`
}

const (
	read     = "secretsmanager:GetSecretValue"
	office   = `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`
	payments = `,"Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}`
	github   = "arn:aws:iam::" + account + ":oidc-provider/token.actions.githubusercontent.com"
	trustOf  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"` + github + `"},"Action":"sts:AssumeRoleWithWebIdentity",
		"Condition":{"StringEquals":{"token.actions.githubusercontent.com:sub":"repo:acme/app:ref:refs/heads/main"}}}}`
	trustAccount = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole"}}`
)

// settle fills the directory: one principal for each way to a secret.
func settle(h *house) {
	h.population(func(tx *guard.Tx) error {
		readers := tacet.ManagedPolicy{ID: tx.NewUniqueID("ANPA"), Account: account, Path: "/", Name: "readers", Created: tx.Now(), Default: "v1", NextVersion: 2,
			Versions: []tacet.PolicyVersion{{ID: "v1", Document: allow(read, "*", "")}}}
		limit := readers
		limit.ID, limit.Name = tx.NewUniqueID("ANPA"), "only-list"
		limit.Versions = []tacet.PolicyVersion{{ID: "v1", Document: allow("secretsmanager:ListSecrets", "*", "")}}
		ops := tacet.Group{Grantee: grantee(tx, "AGPA", "ops", map[string]string{"inline": allow(read, "*", "")})}
		aud := tacet.Group{Grantee: grantee(tx, "AGPA", "aud", nil, readers.ARN())}
		for _, err := range []error{tx.PutManagedPolicy(readers), tx.PutManagedPolicy(limit), tx.PutGroup(ops), tx.PutGroup(aud)} {
			if err != nil {
				return err
			}
		}
		users := []tacet.User{
			{Grantee: grantee(tx, "AIDA", "inline", map[string]string{"mine": allow(read, "arn:aws:secretsmanager:*:*:secret:app/*", "")})},
			{Grantee: grantee(tx, "AIDA", "managed", nil, readers.ARN())},
			{Grantee: grantee(tx, "AIDA", "bounded", nil, readers.ARN()), Boundary: limit.ARN()},
			{Grantee: grantee(tx, "AIDA", "in-ops", nil), Groups: []string{ops.ID}},
			{Grantee: grantee(tx, "AIDA", "in-aud", nil), Groups: []string{aud.ID}},
			{Grantee: grantee(tx, "AIDA", "twice", nil, readers.ARN()), Groups: []string{ops.ID, aud.ID}},
			{Grantee: grantee(tx, "AIDA", "office", map[string]string{"p": allow(read, "*", office)})},
			{Grantee: grantee(tx, "AIDA", "tagged", map[string]string{"p": allow(read, "*", payments)}), Tags: []tacet.Tag{{Key: "team", Value: "payments"}}},
			{Grantee: grantee(tx, "AIDA", "mistagged", map[string]string{"p": allow(read, "*", payments)}), Tags: []tacet.Tag{{Key: "team", Value: "web"}}},
			{Grantee: grantee(tx, "AIDA", "elsewhere", map[string]string{"p": allow(read, "arn:aws:secretsmanager:*:*:secret:web/*", "")})},
		}
		for _, u := range users {
			if err := tx.PutUser(u); err != nil {
				return err
			}
		}
		revoked := `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-11-01T00:00:00Z"}}}}`
		for _, r := range []tacet.Role{
			{Grantee: grantee(tx, "AROA", "deploy", nil, readers.ARN()), Trust: trustOf, MaxSession: 3600},
			{Grantee: grantee(tx, "AROA", "revoked", map[string]string{"AWSRevokeOlderSessions": revoked}, readers.ARN()), Trust: trustAccount, MaxSession: 3600},
		} {
			if err := tx.PutRole(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestWhoCan: every principal that can, through which grant; what depends on things that
// nobody can know yet is told, and not left out.
func TestWhoCan(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		settle(h)
		_, err := h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: "app/db", Token: token(1), Value: text("1"), Tags: []tacet.Tag{{Key: "team", Value: "payments"}}})
		h.must(err)
		got, err := h.ids.ListAccess(h.ctx, h.admin, identity.Question{Action: read, Resource: "app/db"})
		h.must(err)
		want := []string{
			"role role/deploy: managed policy readers/S, assumed by " + github + " if StringEquals token.actions.githubusercontent.com:sub",
			"role role/revoked: managed policy readers/S, unless inline policy AWSRevokeOlderSessions/0 if DateLessThan aws:TokenIssueTime, assumed by " + account,
			"root root: root of the account",
			"user user/admin: managed policy AdministratorAccess/0",
			"user user/in-aud: managed policy readers/S of group aud",
			"user user/in-ops: inline policy inline/S of group ops",
			"user user/inline: inline policy mine/S",
			"user user/managed: managed policy readers/S",
			"user user/office: inline policy p/S if IpAddress aws:SourceIp",
			"user user/tagged: inline policy p/S",
			"user user/twice: managed policy readers/S inline policy inline/S of group ops managed policy readers/S of group aud",
		}
		if diff := cmp.Diff(want, lines(got)); diff != "" {
			t.Error(diff)
		}
		for _, a := range got.Principals {
			if conditional := strings.Contains(a.ARN, "office") || strings.Contains(a.ARN, "revoked"); a.Conditional != conditional {
				t.Errorf("%s: conditional %v", a.ARN, a.Conditional)
			}
		}

		// A resource policy names a session, a role of whoever, and everybody under a condition.
		_, err = h.vault.PutResourcePolicy(h.ctx, h.admin, vault.PutResourcePolicyInput{Secret: tacet.NameRef("app/db"), Policy: `{"Version":"2012-10-17","Statement":[
			{"Sid":"One","Effect":"Allow","Principal":{"AWS":"arn:aws:sts::` + account + `:assumed-role/revoked/now"},"Action":"secretsmanager:DescribeSecret","Resource":"*"},
			{"Sid":"Nobody","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"secretsmanager:DescribeSecret","Resource":"*"},
			{"Sid":"All","Effect":"Allow","Principal":"*","Action":"secretsmanager:ListSecretVersionIds","Resource":"*"` + office + `}]}`})
		h.must(err)
		got, err = h.ids.ListAccess(h.ctx, h.admin, identity.Question{Action: "secretsmanager:ListSecretVersionIds", Resource: "app/db"})
		h.must(err)
		if !got.Public || len(got.Principals) != 17 || got.Principals[0].Kind != "anyone" || !got.Principals[0].Conditional {
			t.Errorf("%v, %v", got.Public, lines(got))
		}
	})
}

// TestWhoCanAssume: what a role's trust policy asks for is told, also where it leaves the
// rest to the account's policies.
func TestWhoCanAssume(t *testing.T) {
	h := newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db"))
	external := strings.Replace(trustAccount, `"Action"`, `"Condition":{"StringEquals":{"sts:ExternalId":"x"}},"Action"`, 1)
	for name, trust := range map[string]string{"third": external, "home": trustAccount} {
		_, err := h.ids.CreateRole(h.ctx, h.admin, identity.CreateRoleInput{Name: name, Trust: trust})
		h.must(err)
	}
	for role, want := range map[string]string{
		"third": "user user/admin: managed policy AdministratorAccess/0, within trust policy if StringEquals sts:ExternalId",
		"home":  "user user/admin: managed policy AdministratorAccess/0",
	} {
		got, err := h.ids.ListAccess(h.ctx, h.admin, identity.Question{Action: "sts:AssumeRole", Resource: "role/" + role})
		h.must(err)
		if diff := cmp.Diff([]string{want}, lines(got)); diff != "" {
			t.Error(diff)
		}
	}
	// A role that is not there is told to be missing.
	v, err := h.ids.SimulateDecision(h.ctx, h.admin, identity.Question{Principal: "admin", Action: "sts:AssumeRole", Resource: "role/none"})
	h.must(err)
	if !v.Missing || v.Answer != guard.Denied {
		t.Errorf("%+v", v)
	}
}

// TestExplainSessionPolicy: what the policy of a session refused is not said to be allowed
// today, for that policy is not there to be asked.
func TestExplainSessionPolicy(t *testing.T) {
	h := newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db"))
	h.create("db", "1")
	_, err := h.ids.CreateRole(h.ctx, h.admin, identity.CreateRoleInput{Name: "r", Trust: trustAccount})
	h.must(err)
	h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, identity.Ref{Kind: tacet.KindRole, Name: "r"}, "p", allow(read, "*", "")))
	for _, limit := range []string{allow("secretsmanager:ListSecrets", "*", ""), strings.Replace(allow(read, "*", ""), "Allow", "Deny", 1)} {
		out, err := h.ids.AssumeRole(h.ctx, h.admin, identity.AssumeRoleInput{SessionInput: identity.SessionInput{RoleARN: "arn:aws:iam::" + account + ":role/r", Name: "ses", Policy: limit}})
		h.must(err)
		cred, err := h.ids.Credential(out.Credentials.AccessKey, out.Credentials.Token)
		h.must(err)
		call := h.admin
		call.Caller = cred.Caller
		_, err = h.vault.GetSecretValue(h.ctx, call, vault.GetSecretValueInput{Secret: tacet.NameRef("db")})
		h.wantCode(err, tacet.Denied)
		recs := h.records()
		e, err := h.ids.ExplainDecision(h.ctx, h.admin, recs[len(recs)-1].ID)
		h.must(err)
		if e.Today != nil || !strings.Contains(e.Problem, "a policy of its own") {
			t.Errorf("%+v %s", e.Today, e.Problem)
		}
	}
}

// TestExplainAcrossAccounts: of a request across accounts each is told what its own policies
// say, and not what the other's say: a role's external id is a secret between the two.
func TestExplainAcrossAccounts(t *testing.T) {
	h := newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "tacet.db"))
	const external, stage = "between-us", "AWSOURS"
	stranger := h.stranger()
	trust := `{"Version":"2012-10-17","Statement":{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"` + otherAccount + `"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"` + external + `"}}}}`
	_, err := h.ids.CreateRole(h.ctx, h.admin, identity.CreateRoleInput{Name: "third", Trust: trust})
	h.must(err)
	_, err = h.ids.CreateUser(h.ctx, stranger, identity.CreateUserInput{Name: "clerk"})
	h.must(err)
	h.must(h.ids.PutInlinePolicy(h.ctx, stranger, identity.Ref{Kind: tacet.KindUser, Name: "clerk"}, "own", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"sts:*","Resource":"*"},{"Sid":"Ours","Effect":"Allow","Action":"secretsmanager:*","Resource":"*","Condition":{"StringEquals":{"secretsmanager:VersionStage":"`+stage+`"}}}]}`))
	k, _, err := h.ids.CreateAccessKey(h.ctx, stranger, "clerk")
	h.must(err)
	clerk := h.callAs(k.ID)
	_, err = h.ids.AssumeRole(h.ctx, clerk, identity.AssumeRoleInput{SessionInput: identity.SessionInput{RoleARN: "arn:aws:iam::" + account + ":role/third", Name: "ses"}, ExternalID: "guess"})
	h.wantCode(err, tacet.Denied)
	h.create("db", "1")
	_, err = h.vault.PutResourcePolicy(h.ctx, h.admin, vault.PutResourcePolicyInput{Secret: tacet.NameRef("db"), Policy: strings.NewReplacer("Theirs", "Ext", "sts:AssumeRole", "secretsmanager:DescribeSecret\",\"Resource\":\"*",
		"sts:ExternalId", "aws:PrincipalTag/x").Replace(trust)})
	h.must(err)
	_, err = h.vault.DescribeSecret(h.ctx, clerk, arnRef("db", ""))
	h.wantCode(err, tacet.Denied)

	var denied []*tacet.Record
	for _, r := range h.records() {
		if r.Outcome == tacet.OutcomeDenied && r.CallerID == clerk.Caller.ID {
			denied = append(denied, r)
		}
	}
	if len(denied) != 2 {
		t.Fatalf("%d denials", len(denied))
	}
	for _, r := range denied {
		for who, not := range map[*tacet.Call][]string{&stranger: {external, "Theirs", `"Ext"`}, &h.admin: {stage, "Ours", `"own`}} {
			e, err := h.ids.ExplainDecision(h.ctx, *who, r.ID)
			h.must(err)
			text, err := json.Marshal(e)
			h.must(err)
			for _, secret := range not {
				if strings.Contains(string(text), secret) {
					t.Errorf("%s is told %s: %s", who.Caller.ARN, secret, text)
				}
			}
			if !strings.Contains(string(text), `"reason":"no `) || e.Today == nil {
				t.Errorf("%s is told too little: %s", who.Caller.ARN, text)
			}
		}
	}
	ours, err := h.ids.ExplainDecision(h.ctx, h.admin, denied[0].ID)
	h.must(err)
	if !strings.Contains(string(ours.Record), external) {
		t.Errorf("the role's account is not told what its own policy says: %s", ours.Record)
	}
}

// lines shows access in a line for each principal.
func lines(a identity.Access) []string {
	one := func(g guard.Grant) string {
		s := g.Kind
		if g.Policy != "" {
			s += " " + g.Policy[strings.LastIndexByte(g.Policy, '/')+1:] + "/"
			if g.Sid != "" {
				s += g.Sid
			} else {
				s += fmt.Sprint(g.Statement)
			}
		}
		if g.Group != "" {
			s += " of group " + g.Group
		}
		for _, c := range g.Conditions {
			s += " if " + c.Operator + " " + c.Key
		}
		return s
	}
	var out []string
	for _, p := range a.Principals {
		s := p.Kind + " " + p.ARN[strings.LastIndexByte(p.ARN, ':')+1:] + ":"
		for _, g := range p.Grants {
			s += " " + one(g)
		}
		for _, g := range p.Within {
			s += ", within " + one(g)
		}
		for _, g := range p.Unless {
			s += ", unless " + one(g)
		}
		for _, t := range p.AssumedBy {
			s += ", assumed by " + strings.Join(t.Principals, " ")
			for _, c := range t.Conditions {
				s += " if " + c.Operator + " " + c.Key
			}
		}
		out = append(out, s)
	}
	return out
}

// TestSimulate reads like documentation: a principal, an action, a resource, and what the
// policies would say.
func TestSimulate(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		settle(h)
		_, err := h.vault.CreateSecret(h.ctx, h.admin, vault.CreateSecretInput{Name: "app/db", Token: token(1), Value: text("1"), Tags: []tacet.Tag{{Key: "team", Value: "payments"}}})
		h.must(err)
		secret, err := h.vault.DescribeSecret(h.ctx, h.admin, tacet.NameRef("app/db"))
		h.must(err)
		for _, tt := range []struct {
			principal, action, resource string
			context                     map[string][]string
			answer                      guard.Answer
			reason                      tacet.DenyReason
		}{
			{"inline", read, "app/db", nil, guard.Allowed, ""},
			{"inline", "GetSecretValue", secret.ARN, nil, guard.Allowed, ""},
			{"inline", "Microsoft.KeyVault/vaults/secrets/getSecret/action", "app/db", nil, guard.Allowed, ""},
			{"inline", "PutSecretValue", "app/db", nil, guard.Denied, tacet.DenyImplicitIdentity},
			{"inline", read, "web/db", nil, guard.Denied, tacet.DenyImplicitIdentity},
			{"user/inline", read, "app/none", nil, guard.Allowed, ""},
			{"arn:aws:iam::" + account + ":user/inline", read, "app/db", nil, guard.Allowed, ""},
			{"bounded", read, "app/db", nil, guard.Denied, tacet.DenyImplicitBoundary},
			{"office", read, "app/db", nil, guard.Conditional, ""},
			{"office", read, "app/db", map[string][]string{"aws:SourceIp": {"10.1.2.3"}}, guard.Allowed, ""},
			{"office", read, "app/db", map[string][]string{"aws:SourceIp": {"192.0.2.1"}}, guard.Denied, tacet.DenyImplicitIdentity},
			{"tagged", read, "app/db", nil, guard.Allowed, ""},
			{"mistagged", read, "app/db", nil, guard.Denied, tacet.DenyImplicitIdentity},
			{"mistagged", read, "app/db", map[string][]string{"aws:PrincipalTag/team": {"payments"}}, guard.Allowed, ""},
			{"role/deploy", read, "app/db", nil, guard.Allowed, ""},
			{"role/revoked", read, "app/db", nil, guard.Conditional, ""},
			{"arn:aws:sts::" + account + ":assumed-role/revoked/x", read, "app/db", nil, guard.Conditional, ""},
			{"root", read, "app/db", nil, guard.Allowed, ""},
			{"admin", "sts:AssumeRole", "role/revoked", nil, guard.Allowed, ""},
			{"inline", "sts:AssumeRole", "role/revoked", nil, guard.Denied, tacet.DenyImplicitIdentity},
			{"admin", "sts:AssumeRole", "arn:aws:iam::" + account + ":role/deploy", nil, guard.Denied, tacet.DenyImplicitTrust},
			{"root", "sts:AssumeRole", "role/revoked", nil, guard.Denied, ""},
			{"in-ops", "sts:GetCallerIdentity", "*", nil, guard.Allowed, ""},
			{"admin", "SetSecret", "app/db", nil, guard.Allowed, ""},
			{"admin", "iam:DeleteUser", "user/inline", nil, guard.Allowed, ""},
			{"admin", "secretsmanager:CreateSecret", "new", nil, guard.Allowed, ""},
			{"admin", "secretsmanager:ListSecrets", "*", nil, guard.Allowed, ""},
		} {
			v, err := h.ids.SimulateDecision(h.ctx, h.admin, identity.Question{Principal: tt.principal, Action: tt.action, Resource: tt.resource, Context: tt.context})
			h.must(err)
			if v.Answer != tt.answer || v.Decision.Reason != tt.reason {
				t.Errorf("%s %s %s %v: %s, %q", tt.principal, tt.action, tt.resource, tt.context, v.Answer, v.Decision.Reason)
			}
		}
		for _, tt := range []struct {
			identity.Question
			want tacet.Code
		}{
			{identity.Question{Principal: "nobody-here", Action: read, Resource: "app/db"}, tacet.PrincipalNotFound},
			{identity.Question{Principal: "arn:aws:iam::" + account + ":user/other/inline", Action: read, Resource: "app/db"}, tacet.PrincipalNotFound},
			{identity.Question{Principal: "inline", Action: "kms:Decrypt", Resource: "app/db"}, tacet.InvalidParameter},
			{identity.Question{Principal: "inline", Action: "Bootstrap", Resource: "*"}, tacet.InvalidParameter},
			{identity.Question{Principal: "inline", Action: read, Resource: "app/*"}, tacet.InvalidParameter},
			{identity.Question{Principal: "inline", Action: read, Resource: "arn:aws:s3:::x"}, tacet.InvalidParameter},
		} {
			if _, err := h.ids.SimulateDecision(h.ctx, h.admin, tt.Question); tacet.CodeOf(err) != tt.want {
				t.Errorf("%+v: %v, want %s", tt.Question, err, tt.want)
			}
		}
		// The right to ask is the right to ask about that secret.
		asker := h.callAs(h.newUser("asker", allow("tacet:*", "arn:aws:secretsmanager:*:*:secret:web/*", "")))
		if _, err := h.ids.ListAccess(h.ctx, asker, identity.Question{Action: read, Resource: "app/db"}); tacet.CodeOf(err) != tacet.Denied {
			t.Error(err)
		}
		_, err = h.ids.ListAccess(h.ctx, asker, identity.Question{Action: read, Resource: "web/db"})
		h.must(err)
	})
}

// TestExplainDecision: a denial is found by its id, in any spelling, and by its request's;
// it is told with its own explanation and with what today's policies would say.
func TestExplainDecision(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.create("db", "1")
		ci := h.callAs(h.newUser("ci", allow(read, "*", `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"Bool":{"aws:SecureTransport":"false"}}`)))
		ci.RequestID = "2f8b3c1e-6f0a-4a55-9d3c-0b8d2f6f9a11"
		_, err := h.vault.GetSecretValue(h.ctx, ci, vault.GetSecretValueInput{Secret: tacet.NameRef("db")})
		if tacet.CodeOf(err) != tacet.Denied {
			t.Fatal(err)
		}
		recs := h.records()
		rec := recs[len(recs)-1]
		explain := func(id string) identity.Explained {
			t.Helper()
			e, err := h.ids.ExplainDecision(h.ctx, h.admin, id)
			h.must(err)
			return e
		}
		uuid := rec.ID[:8] + "-" + rec.ID[8:12] + "-" + rec.ID[12:16] + "-" + rec.ID[16:20] + "-" + rec.ID[20:]
		for _, id := range []string{rec.ID, strings.ToUpper(rec.ID), uuid, ci.RequestID} {
			e := explain(id)
			if back, err := tacet.ParseRecord(e.Record); err != nil || back.ID != rec.ID || e.Seq != int64(len(recs)-1) || e.Today == nil {
				t.Fatalf("%s: %+v, %v", id, e, err)
			}
		}
		if e := explain(rec.ID); e.Today.Answer != guard.Denied || e.Today.Decision.Reason != tacet.DenyImplicitIdentity {
			t.Errorf("%+v", e.Today)
		}
		h.putPolicy("ci", allow(read, "*", `,"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"Bool":{"aws:SecureTransport":"false"}}`))
		if e := explain(rec.ID); e.Today.Answer != guard.Allowed {
			t.Errorf("%+v", e.Today)
		}
		for _, id := range []string{"", "x", strings.Repeat("0", 32), "00000000-0000-4000-8000-000000000000"} {
			if _, err := h.ids.ExplainDecision(h.ctx, h.admin, id); tacet.CodeOf(err) != tacet.PrincipalNotFound && tacet.CodeOf(err) != tacet.InvalidParameter {
				t.Errorf("%q: %v", id, err)
			}
		}
		// Another account's are as if they were not there.
		other := h.admin
		other.Caller.Account, other.Account = "000000000002", "000000000002"
		if _, err := h.ids.ExplainDecision(h.ctx, other, rec.ID); tacet.CodeOf(err) == "" {
			t.Error("another account's decision was explained")
		}
	})
}

// TestRecordsOutOfOrder: a record is found though clocks of several nodes differ and slow
// requests are recorded late.
func TestRecordsOutOfOrder(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		var ids []string
		base := time.Now().Add(-time.Hour)
		h.must(h.db.Write(h.ctx, true, func(tx *store.Tx) error {
			var rows []store.RecordRow
			for i := range 5000 {
				at := base.Add(time.Duration(i*10+(i*7919)%4000) * time.Millisecond) // up to four seconds early or late
				rec := tacet.Record{ID: fmt.Sprintf("%012x%020x", at.UnixMilli(), i), Time: at, Face: "aws", Operation: tacet.OpGetSecretValue, CallerKind: tacet.CallerUser,
					Caller: "arn:aws:iam::" + account + ":user/x", CallerID: "AIDAGONE", CallerAcct: account, Account: account, Outcome: tacet.OutcomeFailed}
				ids = append(ids, rec.ID)
				rows = append(rows, store.RecordRow{Seq: tx.Head.Records, Time: at.UnixMicro(), Body: rec.AppendJSON(nil)})
				tx.Head.Records++
			}
			return tx.InsertRecords(rows)
		}))
		for i := 0; i < len(ids); i += 617 {
			e, err := h.ids.ExplainDecision(h.ctx, h.admin, ids[i])
			h.must(err)
			if e.Today != nil || !strings.Contains(e.Problem, "does not exist any more") || !strings.Contains(string(e.Record), ids[i]) {
				t.Errorf("%d: %+v", i, e)
			}
		}
	})
}

// TestQuestionsAtScale: who can, can and why answer over a thousand principals and a
// thousand policies in well under a second.
func TestQuestionsAtScale(t *testing.T) {
	h := newHouse(t, "sqlite:"+t.TempDir()+"/tacet.db")
	populate(h)
	h.create("app/db", "1")
	nobody := h.nobody
	_, err := h.vault.GetSecretValue(h.ctx, nobody, vault.GetSecretValueInput{Secret: tacet.NameRef("app/db")})
	if tacet.CodeOf(err) != tacet.Denied {
		t.Fatal(err)
	}
	recs := h.records()
	id := recs[len(recs)-1].ID
	for name, ask := range map[string]func() error{
		"who-can": func() error {
			a, err := h.ids.ListAccess(h.ctx, h.admin, identity.Question{Action: read, Resource: "app/db"})
			if err == nil && len(a.Principals) < 400 {
				return fmt.Errorf("only %d principals", len(a.Principals))
			}
			return err
		},
		"can": func() error {
			_, err := h.ids.SimulateDecision(h.ctx, h.admin, identity.Question{Principal: "user500", Action: read, Resource: "app/db"})
			return err
		},
		"why": func() error { _, err := h.ids.ExplainDecision(h.ctx, h.admin, id); return err },
	} {
		start := time.Now()
		h.must(ask())
		if d := time.Since(start); d > time.Second {
			t.Errorf("%s took %s", name, d)
		} else {
			t.Logf("%s took %s", name, d)
		}
	}
}

// populate makes five hundred users in ten groups, five hundred roles and a thousand
// managed policies, each attached to a user or a role.
func populate(h *house) {
	h.population(func(tx *guard.Tx) error {
		var groups []string
		for i := range 10 {
			g := tacet.Group{Grantee: grantee(tx, "AGPA", fmt.Sprintf("group%d", i), map[string]string{"p": allow(read, fmt.Sprintf("arn:aws:secretsmanager:*:*:secret:team%d/*", i), "")})}
			groups = append(groups, g.ID)
			if err := tx.PutGroup(g); err != nil {
				return err
			}
		}
		for i := range 1000 {
			prefix := fmt.Sprintf("app%d", i)
			if i%2 == 0 {
				prefix = "app"
			}
			p := tacet.ManagedPolicy{ID: tx.NewUniqueID("ANPA"), Account: account, Path: "/", Name: fmt.Sprintf("policy%d", i), Created: tx.Now(), Default: "v1", NextVersion: 2,
				Versions: []tacet.PolicyVersion{{ID: "v1", Document: allow(read, "arn:aws:secretsmanager:*:*:secret:"+prefix+"/*", office)}}}
			if err := tx.PutManagedPolicy(p); err != nil {
				return err
			}
			if i < 500 {
				if err := tx.PutUser(tacet.User{Grantee: grantee(tx, "AIDA", fmt.Sprintf("user%d", i+1), nil, p.ARN()), Groups: groups[i%10 : i%10+1]}); err != nil {
					return err
				}
				continue
			}
			if err := tx.PutRole(tacet.Role{Grantee: grantee(tx, "AROA", fmt.Sprintf("role%d", i), nil, p.ARN()), Trust: trustOf, MaxSession: 3600}); err != nil {
				return err
			}
		}
		return nil
	})
}

// BenchmarkWhoCan asks who can read a secret, over a thousand principals.
func BenchmarkWhoCan(b *testing.B) {
	h := newHouse(b, "sqlite:"+b.TempDir()+"/tacet.db")
	populate(h)
	h.create("app/db", "1")
	for b.Loop() {
		a, err := h.ids.ListAccess(h.ctx, h.admin, identity.Question{Action: read, Resource: "app/db"})
		h.must(err)
		if _, err := json.Marshal(a); err != nil || !slices.ContainsFunc(a.Principals, func(p guard.Accessor) bool { return p.Conditional }) {
			b.Fatal(err)
		}
	}
}
