package awsapi_test

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"
)

// TestFederationDocument tries the trust policies of docs/federation.md with tokens of the
// claims that each platform sends: each policy lets its token in, and none that differs in
// one of the claims that it asks for.
func TestFederationDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/federation.md")
	if err != nil {
		t.Fatal(err)
	}
	h := newServer(t)
	for _, tt := range []struct {
		heading, issuer string
		claims          map[string]any // see each platform's documentation of its tokens
	}{
		{"GitHub Actions", "token.actions.githubusercontent.com", map[string]any{"aud": "sts.amazonaws.com", "sub": "repo:octo-org/octo-repo:environment:production",
			"repository": "octo-org/octo-repo", "repository_id": "74", "repository_owner": "octo-org", "repository_owner_id": "65", "ref": "refs/heads/main", "ref_type": "branch",
			"ref_protected": "true", "environment": "production", "event_name": "push", "actor": "octocat", "actor_id": "12", "workflow": "deploy", "run_id": "30433642",
			"run_number": "10", "run_attempt": "2", "runner_environment": "github-hosted", "repository_visibility": "private", "sha": "example-sha", "base_ref": "", "head_ref": "",
			"job_workflow_ref": "octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main"}},
		{"GitLab", "gitlab.example.com", map[string]any{"aud": "https://tacet.example", "sub": "project_path:my-group/my-project:ref_type:branch:ref:main", "namespace_id": "72",
			"namespace_path": "my-group", "project_id": "22", "project_path": "my-group/my-project", "user_id": "1", "user_login": "sample-user", "user_access_level": "developer",
			"pipeline_id": "574", "pipeline_source": "push", "job_id": "302", "ref": "main", "ref_type": "branch", "ref_path": "refs/heads/main", "ref_protected": "true",
			"environment_protected": "false", "runner_id": 1, "runner_environment": "self-hosted", "project_visibility": "public"}},
		{"Kubernetes service accounts", "kubernetes.default.svc.cluster.local", map[string]any{"aud": []string{"tacet"}, "sub": "system:serviceaccount:shop:api",
			"kubernetes.io": map[string]any{"namespace": "shop", "serviceaccount": map[string]any{"name": "api", "uid": "14ee3fa4"}, "pod": map[string]any{"name": "api-0", "uid": "2e5f"}}}},
		{"Jenkins", "jenkins.example/oidc", map[string]any{"aud": "tacet", "sub": "https://jenkins.example/job/shop/job/deploy/", "build_number": 1}},
	} {
		t.Run(tt.heading, func(t *testing.T) {
			i := newIssuer(t)
			_, section, _ := strings.Cut(string(text), "\n### "+tt.heading+"\n")
			_, section, _ = strings.Cut(section, "```json\n")
			policy, _, ok := strings.Cut(section, "```")
			if !ok {
				t.Fatal("there is no policy")
			}
			if conditions, ok := strings.CutPrefix(policy, `"Condition":`); ok {
				policy = trusting(`{"Federated":"arn:aws:iam::000000000001:oidc-provider/`+tt.issuer+`"}`, conditions, "sts:AssumeRoleWithWebIdentity")
			}
			policy = strings.ReplaceAll(policy, tt.issuer, i.name())
			audience, _ := tt.claims["aud"].(string)
			if list, ok := tt.claims["aud"].([]string); ok {
				audience = list[0]
			}
			h.register(i, audience, "another")
			role := h.role(strings.Fields(tt.heading)[0], policy, "")
			ask := func(claims map[string]any) queryAnswer {
				return h.unsigned("AssumeRoleWithWebIdentity", "RoleArn", role, "RoleSessionName", "run", "WebIdentityToken", i.token(claims))
			}
			if a := ask(tt.claims); a.Status != 200 {
				t.Errorf("its own token: %d %s", a.Status, a.Body)
			}
			for _, claim := range asked(t, policy, i.name()) {
				claims := maps.Clone(tt.claims)
				claims[claim] = "another"
				if a := ask(claims); a.Status != 403 || a.Code != "AccessDenied" {
					t.Errorf("another %s: %d %s", claim, a.Status, a.Body)
				}
			}
		})
	}
}

// asked returns the claims that a trust policy's conditions look at.
func asked(t *testing.T, policy, issuer string) []string {
	t.Helper()
	var doc struct {
		Statement []struct{ Condition map[string]map[string]any }
	}
	if err := json.Unmarshal([]byte(policy), &doc); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, keys := range doc.Statement[0].Condition {
		for key := range keys {
			out = append(out, strings.TrimPrefix(key, issuer+":"))
		}
	}
	if len(out) < 2 {
		t.Errorf("the policy asks for %v only", out)
	}
	return out
}
