package awsapi_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"tacet/internal/jwa"
)

// platforms are the tokens of those that docs/federation.md has policies for, after each one's
// documentation of its tokens. What an issuer signs them with is RS256, all of them.
var platforms = []struct {
	heading, issuer string
	typ             string // Kubernetes sends none
	claims          map[string]any
}{
	{"GitHub Actions", "token.actions.githubusercontent.com", "JWT", map[string]any{
		"jti": "example-id", "sub": "repo:octo-org/octo-repo:environment:production", "environment": "production", "environment_node_id": "EN_kwDOExample",
		"aud": "sts.amazonaws.com", "ref": "refs/heads/main", "sha": "example-sha", "repository": "octo-org/octo-repo", "repository_id": "74",
		"repository_owner": "octo-org", "repository_owner_id": "65", "repository_visibility": "private", "enterprise": "octo-enterprise", "enterprise_id": "7",
		"actor": "octocat", "actor_id": "12", "workflow": "deploy", "workflow_ref": "octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main",
		"workflow_sha": "example-sha", "head_ref": "", "base_ref": "", "event_name": "push", "ref_type": "branch", "ref_protected": "true",
		"runner_environment": "github-hosted", "run_id": "30433642", "run_number": "10", "run_attempt": "2", "check_run_id": "53",
		"job_workflow_ref": "octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main", "job_workflow_sha": "example-sha"}},
	{"GitLab", "gitlab.example.com", "JWT", map[string]any{
		"jti": "235b3a54-b797-45c7-ae9a-f72d7bc6ef5b", "sub": "project_path:my-group/my-project:ref_type:branch:ref:main", "aud": "https://tacet.example",
		"namespace_id": "72", "namespace_path": "my-group", "project_id": "22", "project_path": "my-group/my-project", "user_id": "1", "user_login": "sample-user",
		"user_email": "sample-user@example.com", "user_access_level": "developer", "user_identities": []any{map[string]any{"provider": "github", "extern_uid": "2435223452345"}},
		"groups_direct": []any{"my-group"}, "pipeline_id": "574", "pipeline_source": "push", "job_id": "302", "ref": "main", "ref_type": "branch",
		"ref_path": "refs/heads/main", "ref_protected": "true", "environment_protected": "false", "deployment_tier": "production", "deployment_action": "start",
		"runner_id": 1, "runner_environment": "self-hosted", "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc", "project_visibility": "private",
		"ci_config_ref_uri": "gitlab.example.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main", "ci_config_sha": "714a629c0b401fdce83e847fc9589983fc6f46bc"}},
	{"Kubernetes service accounts", "kubernetes.default.svc.cluster.local", "", map[string]any{
		"aud": []string{"tacet"}, "jti": "aed34954-b33a-4142-b1ec-389d6bbb4936", "sub": "system:serviceaccount:shop:api", "kubernetes.io": map[string]any{
			"namespace": "shop", "serviceaccount": map[string]any{"name": "api", "uid": "14ee3fa4"}, "pod": map[string]any{"name": "api-0", "uid": "2e5f"},
			"node": map[string]any{"name": "node-1", "uid": "646e7c5e"}, "warnafter": 1700003607}}},
	{"Jenkins", "jenkins.example/oidc", "JWT", map[string]any{"aud": "tacet", "sub": "https://jenkins.example/job/shop/job/deploy/", "build_number": 1}},
}

// TestFederationDocument tries the trust policies of docs/federation.md with tokens as each
// platform sends them: an issuer that is registered as the document says, each policy lets its
// token in, and none that differs in one of the claims that it asks for, or lacks one.
func TestFederationDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/federation.md")
	if err != nil {
		t.Fatal(err)
	}
	key, err := jwa.GenerateKey(jwa.RS256)
	if err != nil {
		t.Fatal(err)
	}
	registering := regexp.MustCompile(`(?:--url|oidc create) (https://\S+)[ \\\n]+(?:--client-id-list|--audience) (\S+)`)
	h := newServer(t)
	for _, tt := range platforms {
		t.Run(tt.heading, func(t *testing.T) {
			audience := ""
			for _, m := range registering.FindAllStringSubmatch(string(text), -1) {
				if m[1] == "https://"+tt.issuer {
					audience = m[2]
				}
			}
			if audience == "" {
				t.Fatal("the document does not register the issuer")
			}
			_, section, _ := strings.Cut(string(text), "\n### "+tt.heading+"\n")
			_, section, _ = strings.Cut(section, "```json\n")
			policy, _, ok := strings.Cut(section, "```")
			if !ok {
				t.Fatal("there is no policy")
			}
			i := newIssuer(t)
			i.key = key
			policy = strings.ReplaceAll(policy, tt.issuer, i.name())
			h.register(i, audience, "another")
			role := h.role(strings.Fields(tt.heading)[0], policy, "")
			ask := func(claims map[string]any) queryAnswer {
				return h.unsigned("AssumeRoleWithWebIdentity", "RoleArn", role, "RoleSessionName", "run", "WebIdentityToken", i.typed(tt.typ, claims))
			}
			if a := ask(tt.claims); a.Status != 200 || a.Result.Audience != audience || a.Result.Subject != tt.claims["sub"] {
				t.Errorf("its own token: %d %s", a.Status, a.Body)
			}
			for _, claim := range asked(t, policy, i.name()) {
				claims := maps.Clone(tt.claims)
				claims[claim] = "another"
				if a := ask(claims); a.Status != 403 || a.Code != "AccessDenied" {
					t.Errorf("another %s: %d %s", claim, a.Status, a.Body)
				}
				claims[claim] = nil
				if a := ask(claims); a.Status == 200 {
					t.Errorf("no %s: %s", claim, a.Body)
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
