package awsapi_test

import (
	"fmt"
	"strings"
	"testing"
)

const awsClaim = "https://aws.amazon.com/"

// TestContractE_TagsOfTokens: an issuer gives a session its tags and its source identity by
// claims of the two forms that AWS documents ("Pass session tags in AWS STS", IAM User Guide),
// and what cannot be read in them is refused, not left out.
func TestContractE_TagsOfTokens(t *testing.T) {
	h := newServer(t)
	h.create("red", "r", 1)
	i := newIssuer(t)
	federated := `{"Federated":"` + h.register(i, "tacet") + `"}`
	all := []string{"sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"}
	ofTeam := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*","Condition":{"StringEquals":` +
		`{"aws:PrincipalTag/Team":"red","aws:PrincipalTag/Cost":"7","aws:SourceIdentity":"alice"}}},{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}`)
	arn := h.role("tagged", trusting(federated, `{"StringEquals":{"aws:RequestTag/Team":"red","sts:TransitiveTagKeys":"Team"}}`, all...), ofTeam)
	next := h.role("next", trusting(`{"AWS":"`+h.s.Account+`"}`, "", "sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"), strings.Replace(ofTeam, `"aws:PrincipalTag/Cost":"7",`, "", 1))
	ask := func(role string, claims map[string]any) queryAnswer {
		h.t.Helper()
		claims[awsClaim+"source_identity"] = "alice"
		return h.unsigned("AssumeRoleWithWebIdentity", "RoleArn", role, "RoleSessionName", "run", "WebIdentityToken", i.token(claims))
	}
	type object = map[string]any
	for name, claims := range map[string]object{
		"nested":           {awsClaim + "tags": object{"principal_tags": object{"Team": []string{"red"}, "Cost": []string{"7"}}, "transitive_tag_keys": []string{"Team"}}},
		"nested, no lists": {awsClaim + "tags": object{"principal_tags": object{"Team": "red", "Cost": "7"}, "transitive_tag_keys": "Team"}},
		"flattened": {awsClaim + "tags/principal_tags/Team": "red", awsClaim + "tags/principal_tags/Cost": "7",
			awsClaim + "tags/transitive_tag_keys": []string{"Team"}},
		"flattened, lists": {awsClaim + "tags/principal_tags/Team": []string{"red"}, awsClaim + "tags/principal_tags/Cost": []string{"7"},
			awsClaim + "tags/transitive_tag_keys": "Team"},
	} {
		a := ask(arn, claims)
		if a.Status != 200 || a.Result.SourceIdentity != "alice" || a.Result.PackedPolicySize == "" {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
			continue
		}
		s := h.inSession(a)
		s.ok("GetSecretValue", in{"SecretId": "red"})
		chained, _ := s.assume(next, "s2")
		chained.ok("GetSecretValue", in{"SecretId": "red"})
	}

	const cannot = "cannot be read"
	for name, tt := range map[string]struct {
		claims object
		text   string
	}{
		"two values":              {object{awsClaim + "tags": object{"principal_tags": object{"Team": []string{"red", "blue"}}}}, "must have one value"},
		"no value":                {object{awsClaim + "tags": object{"principal_tags": object{"Team": []string{}}}}, "must have one value"},
		"a number":                {object{awsClaim + "tags": object{"principal_tags": object{"Team": 7}}}, "must have one value"},
		"an object":               {object{awsClaim + "tags/principal_tags/Team": object{"red": true}}, "must have one value"},
		"tags in a list":          {object{awsClaim + "tags": []any{object{"principal_tags": object{"Team": "red"}}}}, cannot},
		"tags in a text":          {object{awsClaim + "tags": `{"principal_tags":{"Team":"red"}}`}, cannot},
		"principal_tags a list":   {object{awsClaim + "tags": object{"principal_tags": []string{"Team"}}}, cannot},
		"keys that are numbers":   {object{awsClaim + "tags": object{"principal_tags": object{"Team": "red"}, "transitive_tag_keys": []any{1}}}, cannot},
		"a key that is no tag":    {object{awsClaim + "tags": object{"principal_tags": object{"Team": "red"}, "transitive_tag_keys": "Cost"}}, "must be included in the requested tags"},
		"the same in both forms":  {object{awsClaim + "tags": object{"principal_tags": object{"Team": "red"}}, awsClaim + "tags/principal_tags/team": "blue"}, "Duplicate tag keys"},
		"a tag of AWS's":          {object{awsClaim + "tags/principal_tags/aws:team": "red"}, "reserved"},
		"a key of odd characters": {object{awsClaim + "tags/principal_tags/team;": "red"}, "letters, digits"},
		"fifty-one":               {object{awsClaim + "tags": object{"principal_tags": numbered(51)}}, "maximum limit"},
	} {
		if a := ask(arn, tt.claims); a.Status != 403 || a.Code != "IDPRejectedClaim" || !strings.Contains(a.Message, tt.text) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	for _, source := range []any{"x", strings.Repeat("a", 65), "a b", "aws:alice", 7, []string{"alice"}, ""} {
		a := h.unsigned("AssumeRoleWithWebIdentity", "RoleArn", arn, "RoleSessionName", "run", "WebIdentityToken", i.token(object{awsClaim + "source_identity": source}))
		if a.Status != 403 || a.Code != "IDPRejectedClaim" {
			t.Errorf("source identity %v: %d %s", source, a.Status, a.Body)
		}
	}

	// A trust policy that says nothing of tags or of source identities lets in neither.
	plain := h.role("plain", trusting(federated, "", "sts:AssumeRoleWithWebIdentity"), "")
	for name, claims := range map[string]object{
		"tags":            {awsClaim + "tags/principal_tags/Team": "red"},
		"source identity": {awsClaim + "source_identity": "alice"},
	} {
		a := h.unsigned("AssumeRoleWithWebIdentity", "RoleArn", plain, "RoleSessionName", "run", "WebIdentityToken", i.token(claims))
		if a.Status != 403 || a.Code != "AccessDenied" {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	// None of these claims is a condition key: their names are no claims of the issuer's users.
	keyed := h.role("keyed", trusting(federated, `{"StringEquals":{"`+i.name()+`:`+awsClaim+`tags/principal_tags/team":"red"}}`, all...), "")
	if a := ask(keyed, object{awsClaim + "tags/principal_tags/team": "red"}); a.Status != 403 {
		t.Errorf("a tag as a claim: %s", a.Body)
	}
}

func numbered(n int) map[string]any {
	out := map[string]any{}
	for i := range n {
		out[fmt.Sprint("k", i)] = "v"
	}
	return out
}
