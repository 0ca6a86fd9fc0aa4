package vault_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/vault"
)

// TestSimulatePrincipalPolicy_Agrees: with the keys that a request has, the simulator says
// what the door does, of users with groups and boundaries and of many policies.
func TestSimulatePrincipalPolicy_Agrees(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		arns := map[string]string{}
		for _, name := range []string{"app/db", "app/root", "web"} {
			arns[name] = h.create(name, "v").ARN
		}
		statements := []string{
			`"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"`,
			`"Effect":"Allow","Action":"Microsoft.KeyVault/vaults/secrets/*","Resource":"arn:aws:secretsmanager:*:*:secret:app/*"`,
			`"Effect":"Allow","NotAction":"iam:*","Resource":"arn:aws:secretsmanager:*:*:secret:${aws:username}*"`,
			`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`,
			`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"secretsmanager:VersionStage":"AWSCURRENT"}}`,
			`"Effect":"Deny","Action":"secretsmanager:Get*","Resource":"arn:aws:secretsmanager:*:*:secret:app/root-*"`,
			`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`,
			`"Effect":"Deny","Action":"*","NotResource":"arn:aws:secretsmanager:*:*:secret:app/*"`,
		}
		r := rand.New(rand.NewPCG(5, 6))
		document := func() string {
			var list []string
			for range 1 + r.IntN(3) {
				list = append(list, "{"+statements[r.IntN(len(statements))]+"}")
			}
			return `{"Version":"2012-10-17","Statement":[` + strings.Join(list, ",") + `]}`
		}
		_, err := h.ids.CreatePolicy(h.ctx, h.admin, identity.CreatePolicyInput{Name: "limit", Document: `{"Version":"2012-10-17","Statement":[{` + statements[1] + `}]}`})
		h.must(err)
		_, err = h.ids.CreateGroup(h.ctx, h.admin, "team", "/")
		h.must(err)
		group := identity.Ref{Kind: tacet.KindGroup, Name: "team"}
		said := map[string]int{}
		for i := range 30 {
			name := fmt.Sprint("web", i)
			c := h.callAs(h.newUser(name, document()))
			if i%2 == 0 {
				h.must(h.ids.PutInlinePolicy(h.ctx, h.admin, group, "own", document()))
				h.must(h.ids.AddUserToGroup(h.ctx, h.admin, "team", name))
			}
			if i%3 == 0 {
				h.must(h.ids.PutPermissionsBoundary(h.ctx, h.admin, userRef(name), "arn:aws:iam::000000000001:policy/limit"))
			}
			for secret, arn := range arns {
				out, err := h.ids.SimulatePrincipalPolicy(h.ctx, h.admin, identity.SimulateInput{Principal: c.Caller.ARN,
					Actions: []string{"secretsmanager:getsecretvalue"}, Resources: []string{arn}, SimulationInput: identity.SimulationInput{Context: []identity.ContextEntry{
						{Key: "aws:SourceIp", Values: []string{c.SourceIP}}, {Key: "AWS:username", Values: []string{name}}}}})
				h.must(err)
				_, err = h.vault.GetSecretValue(h.ctx, c, vault.GetSecretValueInput{Secret: tacet.NameRef(secret)})
				if got := out.Items[0].Decision; (got == "allowed") != (err == nil) {
					t.Errorf("%s on %s: simulated %s, done %v", name, secret, got, err)
				}
				said[out.Items[0].Decision]++
			}
		}
		if len(said) != 3 {
			t.Errorf("decisions of one kind: %v", said)
		}
	})
}

// TestSimulatePrincipalPolicy_WhoMayAsk: by the right to simulate that principal, whose
// policies it tells; SimulateCustomPolicy tells nobody's.
func TestSimulatePrincipalPolicy_WhoMayAsk(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.newUser("ana", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
		h.newUser("ben", "")
		c := h.callAs(h.newUser("asker", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:SimulatePrincipalPolicy","Resource":"arn:aws:iam::000000000001:user/ana"}]}`))
		ask := func(by tacet.Call, who string) (identity.List[identity.Simulated], error) {
			return h.ids.SimulatePrincipalPolicy(h.ctx, by, identity.SimulateInput{Principal: "arn:aws:iam::" + who, Actions: []string{"s3:GetObject"}})
		}
		out, err := ask(c, "000000000001:user/ana")
		h.must(err)
		if len(out.Items) != 1 || out.Items[0].Decision != "allowed" || out.Items[0].Resource != "*" {
			t.Errorf("%+v", out)
		}
		rec := h.records()[len(h.records())-1]
		if rec.Operation != tacet.OpSimulatePrincipalPolicy || rec.Resource != "arn:aws:iam::000000000001:user/ana" || rec.Parameters["policySourceArn"] != "arn:aws:iam::000000000001:user/ana" {
			t.Errorf("%+v", rec)
		}
		for _, who := range []string{"000000000001:user/ben", "000000000001:user/ANA", "000000000001:user/x/ana", "000000000001:role/ana", "000000000001:user/nobody", "000000000002:user/ana", "000000000001:root", ""} {
			_, err := ask(c, who)
			h.wantCode(err, tacet.Denied)
		}
		for who, want := range map[string]tacet.Code{"000000000001:user/ANA": tacet.PrincipalNotFound, "000000000001:user/x/ana": tacet.PrincipalNotFound,
			"000000000001:role/ana": tacet.PrincipalNotFound, "000000000001:root": tacet.InvalidRequest, "000000000001:policy/ana": tacet.InvalidRequest,
			"000000000002:user/ana": tacet.Denied, "": tacet.InvalidRequest} {
			_, err := ask(h.admin, who)
			h.wantCode(err, want)
		}
		custom := identity.SimulateInput{Actions: []string{"s3:GetObject"}, SimulationInput: identity.SimulationInput{Policies: []string{`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`}}}
		_, err = h.ids.SimulateCustomPolicy(h.ctx, c, custom)
		h.wantCode(err, tacet.Denied)
		out, err = h.ids.SimulateCustomPolicy(h.ctx, h.admin, custom)
		h.must(err)
		if out.Items[0].Decision != "allowed" {
			t.Errorf("%+v", out)
		}
	})
}
