package awsapi_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// queryAnswer is what the tests look at in an answer of the Query protocol, whatever the
// operation.
type queryAnswer struct {
	Status  int    `xml:"-"`
	Body    string `xml:"-"`
	Code    string `xml:"Error>Code"`
	Message string `xml:"Error>Message"`
	Result  struct {
		Credentials struct {
			AccessKeyID     string `xml:"AccessKeyId"`
			SecretAccessKey string
			SessionToken    string
			Expiration      time.Time
		}
		AssumedRoleUser  struct{ AssumedRoleID, Arn string }
		PackedPolicySize string
		SourceIdentity   string
		Subject          string `xml:"SubjectFromWebIdentityToken"`
		Provider         string
		Audience         string
		Account          string
		Arn              string
		DecodedMessage   string
		UserID           string `xml:"UserId"`
	} `xml:",any"`
}

// form writes a form from pairs of names and values.
func form(action string, pairs ...string) string {
	v := url.Values{"Action": {action}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

func readQuery(t *testing.T, res *http.Response) queryAnswer {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return parseQuery(t, res.StatusCode, body)
}

func parseQuery(t *testing.T, status int, body []byte) queryAnswer {
	t.Helper()
	out := queryAnswer{Status: status, Body: string(body)}
	if err := xml.Unmarshal(body, &out); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return out
}

func (h *house) ask(service, action string, pairs ...string) queryAnswer {
	h.t.Helper()
	res, body := h.query(service, form(action, pairs...))
	return parseQuery(h.t, res.StatusCode, body)
}

// iam makes a call to IAM that must succeed.
func (h *house) iam(action string, pairs ...string) {
	h.t.Helper()
	if a := h.ask("iam", action, pairs...); a.Status != 200 {
		h.t.Fatalf("%s: %d %s", action, a.Status, a.Body)
	}
}

// refused makes a call to STS that must be refused with the status, code and text.
func (h *house) refused(status int, code, text, action string, pairs ...string) {
	h.t.Helper()
	a := h.ask("sts", action, pairs...)
	if a.Status != status || a.Code != code || !says(a.Message, text) {
		h.t.Errorf("%s %v:\n got %d %s: %s\nwant %d %s: %s", action, pairs, a.Status, a.Code, a.Message, status, code, text)
	}
}

// says reports whether a message is the text, or begins with it where it ends in "…".
func says(message, text string) bool {
	begin, isPrefix := strings.CutSuffix(text, "…")
	return message == text || isPrefix && strings.HasPrefix(message, begin)
}

func statement(effect, action, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":%q,"Resource":%q}]}`, effect, action, resource)
}

func trusting(principal, conditions string, actions ...string) string {
	if len(actions) == 0 {
		actions = []string{"sts:AssumeRole"}
	}
	list, _ := json.Marshal(actions)
	if conditions != "" {
		conditions = `,"Condition":` + conditions
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":%s,"Action":%s%s}]}`, principal, list, conditions)
}

// role makes a role with a trust policy and an inline policy ("" for none) and returns its ARN.
func (h *house) role(name, trust, policy string) string {
	h.t.Helper()
	h.iam("CreateRole", "RoleName", name, "AssumeRolePolicyDocument", trust)
	if policy != "" {
		h.iam("PutRolePolicy", "RoleName", name, "PolicyName", "own", "PolicyDocument", policy)
	}
	return "arn:aws:iam::" + h.s.Account + ":role/" + name
}

// assume makes a session of a role and returns who is in it.
func (h *house) assume(role, session string, pairs ...string) (*house, queryAnswer) {
	h.t.Helper()
	a := h.ask("sts", "AssumeRole", append([]string{"RoleArn", role, "RoleSessionName", session}, pairs...)...)
	if a.Status != 200 {
		h.t.Fatalf("AssumeRole %s: %d %s", role, a.Status, a.Body)
	}
	return h.inSession(a), a
}

func (h *house) inSession(a queryAnswer) *house {
	c := a.Result.Credentials
	s := *h
	s.c = h.c.WithSession(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	return &s
}

const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

func TestContractE_AssumeRole(t *testing.T) {
	h := newServer(t)
	h.create("db", "one", 1)
	u := h.user("u")
	arn := h.role("reader", trusting(`{"AWS":"`+h.arn("u")+`"}`, ""), statement("Allow", "secretsmanager:GetSecretValue", "*"))

	before := time.Now()
	s, a := u.assume(arn, "job-7")
	c := a.Result.Credentials
	if !strings.HasPrefix(c.AccessKeyID, "ASIA") || len(c.AccessKeyID) != 20 || len(c.SecretAccessKey) != 40 || c.SessionToken == "" ||
		c.Expiration.Before(before.Add(time.Hour-2*time.Second)) || c.Expiration.After(time.Now().Add(time.Hour)) {
		t.Errorf("credentials %s, %d characters of secret, until %v", c.AccessKeyID, len(c.SecretAccessKey), c.Expiration)
	}
	session := "arn:aws:sts::" + h.s.Account + ":assumed-role/reader/job-7"
	if a.Result.AssumedRoleUser.Arn != session || strings.Contains(a.Body, "PackedPolicySize") || strings.Contains(a.Body, "SourceIdentity") {
		t.Errorf("answer %s", a.Body)
	}
	who := s.ask("sts", "GetCallerIdentity")
	if who.Result.Arn != session || !strings.HasPrefix(who.Result.UserID, "AROA") || !strings.HasSuffix(who.Result.UserID, ":job-7") || who.Result.Account != h.s.Account {
		t.Errorf("GetCallerIdentity: %s", who.Body)
	}
	if got := s.ok("GetSecretValue", in{"SecretId": "db"}); got["SecretString"] != "one" {
		t.Errorf("the session reads %v", got)
	}
	s.fails("PutSecretValue", in{"SecretId": "db", "SecretString": "x", "ClientRequestToken": token(2)}, "AccessDeniedException",
		"User: "+session+" is not authorized to perform: secretsmanager:PutSecretValue on resource: db because no identity-based policy allows the secretsmanager:PutSecretValue action")

	// What is not right about a credential.
	bad := *h
	bad.c = h.c.WithSession(c.AccessKeyID, c.SecretAccessKey, c.SessionToken+"x")
	bad.fails("ListSecrets", in{}, "UnrecognizedClientException", invalidTokenText)
	bad.c = h.c.WithSession(c.AccessKeyID, c.SecretAccessKey, "")
	bad.fails("ListSecrets", in{}, "UnrecognizedClientException", invalidTokenText)
	bad.c = h.c.WithSession("ASIAAAAAAAAAAAAAAAAA", c.SecretAccessKey, c.SessionToken)
	bad.fails("ListSecrets", in{}, "UnrecognizedClientException", invalidTokenText)
	bad.c = h.c.WithSession(c.AccessKeyID, strings.Repeat("s", 40), c.SessionToken)
	bad.fails("ListSecrets", in{}, "InvalidSignatureException", "The request signature we calculated does not match…")
	bad.c = h.c.WithSession(h.s.AccessKey, h.s.SecretKey, c.SessionToken) // a long-term key comes without a token
	bad.fails("ListSecrets", in{}, "UnrecognizedClientException", invalidTokenText)

	// A right that the role loses, the session loses with the next request; so with the role.
	h.iam("DeleteRolePolicy", "RoleName", "reader", "PolicyName", "own")
	s.fails("GetSecretValue", in{"SecretId": "db"}, "AccessDeniedException", "User: "+session+" is not authorized…")
	h.iam("DeleteRole", "RoleName", "reader")
	s.fails("GetSecretValue", in{"SecretId": "db"}, "UnrecognizedClientException", invalidTokenText)
	h.role("reader", trusting(`{"AWS":"`+h.arn("u")+`"}`, ""), everything)
	s.fails("GetSecretValue", in{"SecretId": "db"}, "UnrecognizedClientException", invalidTokenText)
}

const invalidTokenText = "The security token included in the request is invalid."

func TestContractE_AssumeRoleTrust(t *testing.T) {
	h := newServer(t)
	u, v := h.user("u"), h.user("v")
	account := `{"AWS":"arn:aws:iam::` + h.s.Account + `:root"}`
	denied := func(name, role string) string {
		return "User: " + h.arn(name) + " is not authorized to perform: sts:AssumeRole on resource: " + role
	}
	byName := h.role("by-name", trusting(`{"AWS":"`+h.arn("u")+`"}`, ""), "")
	byAccount := h.role("by-account", trusting(account, ""), "")
	withID := h.role("with-id", trusting(`{"AWS":"`+h.arn("u")+`"}`, `{"StringEquals":{"sts:ExternalId":"customer-1"}}`), "")
	none := "arn:aws:iam::" + h.s.Account + ":role/none"

	u.assume(byName, "s1")
	v.refused(403, "AccessDenied", denied("v", byName), "AssumeRole", "RoleArn", byName, "RoleSessionName", "s1")
	// A role that is not there is refused in the same words.
	v.refused(403, "AccessDenied", denied("v", none), "AssumeRole", "RoleArn", none, "RoleSessionName", "s1")
	h.refused(403, "AccessDenied", "…", "AssumeRole", "RoleArn", none, "RoleSessionName", "s1")
	// The account's name leaves it to the account's policies; without trust these are not enough.
	u.refused(403, "AccessDenied", denied("u", byAccount), "AssumeRole", "RoleArn", byAccount, "RoleSessionName", "s1")
	h.iam("PutUserPolicy", "UserName", "u", "PolicyName", "assume", "PolicyDocument", statement("Allow", "sts:AssumeRole", byAccount))
	u.assume(byAccount, "s1")
	h.iam("PutUserPolicy", "UserName", "v", "PolicyName", "assume", "PolicyDocument", statement("Allow", "sts:*", "*"))
	v.refused(403, "AccessDenied", denied("v", byName), "AssumeRole", "RoleArn", byName, "RoleSessionName", "s1")
	// A deny in the caller's own policies holds against any trust.
	h.iam("PutUserPolicy", "UserName", "u", "PolicyName", "assume", "PolicyDocument", statement("Deny", "sts:AssumeRole", byName))
	u.refused(403, "AccessDenied", denied("u", byName), "AssumeRole", "RoleArn", byName, "RoleSessionName", "s1")
	// The external id.
	u.assume(withID, "s1", "ExternalId", "customer-1")
	u.refused(403, "AccessDenied", denied("u", withID), "AssumeRole", "RoleArn", withID, "RoleSessionName", "s1")
	u.refused(403, "AccessDenied", denied("u", withID), "AssumeRole", "RoleArn", withID, "RoleSessionName", "s1", "ExternalId", "customer-2")
}

func TestContractE_AssumeRoleLimits(t *testing.T) {
	h := newServer(t)
	h.user("u")
	arn := h.role("r", trusting(`{"AWS":"`+h.s.Account+`"}`, "", "sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"), everything)
	short := h.role("short", trusting(`{"AWS":"`+h.s.Account+`"}`, "", "sts:AssumeRole"), everything)
	h.iam("UpdateRole", "RoleName", "short", "MaxSessionDuration", "3600")
	h.iam("UpdateRole", "RoleName", "r", "MaxSessionDuration", "43200")
	const one = "1 validation error detected: "
	for _, tt := range []struct {
		status     int
		code, text string
		pairs      []string
	}{
		{400, "ValidationError", one + "Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null", []string{"RoleArn", arn}},
		{400, "ValidationError", "2 validation errors detected: …", nil},
		{400, "ValidationError", one + "Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2", []string{"RoleArn", arn, "RoleSessionName", "x"}},
		{400, "ValidationError", one + `Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`, []string{"RoleArn", arn, "RoleSessionName", "a b"}},
		{400, "ValidationError", one + "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900", []string{"RoleArn", arn, "RoleSessionName", "s1", "DurationSeconds", "899"}},
		{400, "ValidationError", one + "Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200", []string{"RoleArn", arn, "RoleSessionName", "s1", "DurationSeconds", "43201"}},
		{400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", []string{"RoleArn", short, "RoleSessionName", "s1", "DurationSeconds", "3601"}},
		{400, "MalformedPolicyDocument", "…", []string{"RoleArn", arn, "RoleSessionName", "s1", "Policy", `{"Version":"2012-10-17"}`}},
		{400, "PackedPolicyTooLarge", "Packed size of session tags consumes …", append([]string{"RoleArn", arn, "RoleSessionName", "s1"}, manyTags(50)...)},
		{403, "AccessDenied", "User: …", []string{"RoleArn", short, "RoleSessionName", "s1", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"}},
		{403, "AccessDenied", "User: …", []string{"RoleArn", short, "RoleSessionName", "s1", "SourceIdentity", "alice"}},
		{400, "ValidationError", "MultiFactorAuthentication is not available on this server.", []string{"RoleArn", arn, "RoleSessionName", "s1", "TokenCode", "123456", "SerialNumber", "arn:aws:iam::1:mfa/x"}},
	} {
		h.refused(tt.status, tt.code, tt.text, "AssumeRole", tt.pairs...)
	}
	h.assume(arn, "s1", "DurationSeconds", "43200")
	s, _ := h.assume(arn, "s1")
	s.refused(400, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
		"AssumeRole", "RoleArn", arn, "RoleSessionName", "s2", "DurationSeconds", "3601")
	s.refused(403, "AccessDenied", "Cannot call GetSessionToken with session credentials", "GetSessionToken")
}

func manyTags(n int) []string {
	var out []string
	for i := range n {
		p := fmt.Sprintf("Tags.member.%d.", i+1)
		out = append(out, p+"Key", fmt.Sprintf("%0100d", i), p+"Value", strings.Repeat("v", 200))
	}
	return out
}

// Session policies, tags and the source identity: what they do to the session's rights, and
// what a session made from it inherits.
func TestContractE_SessionContext(t *testing.T) {
	h := newServer(t)
	h.create("red", "r", 1)
	h.create("blue", "b", 2)
	h.ok("TagResource", in{"SecretId": "red", "Tags": []in{{"Key": "team", "Value": "red"}}})
	h.ok("TagResource", in{"SecretId": "blue", "Tags": []in{{"Key": "team", "Value": "blue"}}})
	trust := trusting(`{"AWS":"`+h.s.Account+`"}`, "", "sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
	byTag := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["secretsmanager:GetSecretValue","sts:*"],"Resource":"*",` +
		`"Condition":{"StringEqualsIfExists":{"secretsmanager:ResourceTag/team":"${aws:PrincipalTag/team}"}}}]}`
	arn := h.role("tagged", trust, byTag)
	red, a := h.assume(arn, "s1", "Tags.member.1.Key", "team", "Tags.member.1.Value", "red", "TransitiveTagKeys.member.1", "team", "SourceIdentity", "alice")
	if a.Result.SourceIdentity != "alice" || a.Result.PackedPolicySize == "" {
		t.Errorf("%s", a.Body)
	}
	red.ok("GetSecretValue", in{"SecretId": "red"})
	red.fails("GetSecretValue", in{"SecretId": "blue"}, "AccessDeniedException", "User: …")
	// Chained: the transitive tag and the source identity go with it, and cannot be changed.
	next, a := red.assume(arn, "s2")
	if a.Result.SourceIdentity != "alice" {
		t.Errorf("the source identity is lost: %s", a.Body)
	}
	next.ok("GetSecretValue", in{"SecretId": "red"})
	next.fails("GetSecretValue", in{"SecretId": "blue"}, "AccessDeniedException", "User: …")
	red.refused(400, "InvalidParameterValue", "One of the specified transitive tag keys…", "AssumeRole", "RoleArn", arn, "RoleSessionName", "s2", "Tags.member.1.Key", "Team", "Tags.member.1.Value", "blue")
	red.refused(403, "AccessDenied", "The source identity…", "AssumeRole", "RoleArn", arn, "RoleSessionName", "s2", "SourceIdentity", "mallory")

	// A session policy limits: what it does not allow, the session may not, whatever the role may.
	all := h.role("all", trust, everything)
	limited, a := h.assume(all, "s1", "Policy", statement("Allow", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:red-??????"))
	if a.Result.PackedPolicySize == "" {
		t.Errorf("%s", a.Body)
	}
	limited.ok("GetSecretValue", in{"SecretId": "red"})
	limited.fails("GetSecretValue", in{"SecretId": "blue"}, "AccessDeniedException", "User: arn:aws:sts::"+h.s.Account+
		":assumed-role/all/s1 is not authorized to perform: secretsmanager:GetSecretValue on resource: blue because no session policy allows the secretsmanager:GetSecretValue action")
	managed, _ := h.assume(all, "s1", "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/SecretsManagerReadWrite")
	managed.ok("GetSecretValue", in{"SecretId": "blue"})
	if a := managed.ask("iam", "ListUsers"); a.Code != "AccessDenied" {
		t.Errorf("a session policy of secrets lists users: %s", a.Body)
	}
	denying, _ := h.assume(all, "s1", "Policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"arn:aws:secretsmanager:*:*:secret:red-??????"}]}`)
	denying.fails("GetSecretValue", in{"SecretId": "red"}, "AccessDeniedException", "User: …")
	denying.ok("GetSecretValue", in{"SecretId": "blue"})
}

// A session ends when it says, and a role's older sessions when its policy says.
func TestContractE_SessionsEnd(t *testing.T) {
	h := newServer(t)
	h.create("db", "one", 1)
	arn := h.role("r", trusting(`{"AWS":"`+h.s.Account+`"}`, ""), everything)
	s, _ := h.assume(arn, "s1", "DurationSeconds", "900")
	long, _ := h.assume(arn, "s2", "DurationSeconds", "3600")
	h.s.Clock.SetOffset(14 * time.Minute)
	s.ok("GetSecretValue", in{"SecretId": "db"})
	h.s.Clock.SetOffset(15*time.Minute + time.Second)
	s.fails("GetSecretValue", in{"SecretId": "db"}, "ExpiredTokenException", "The security token included in the request is expired")
	if a := s.ask("sts", "GetCallerIdentity"); a.Status != 403 || a.Code != "ExpiredToken" {
		t.Errorf("%s", a.Body)
	}
	long.ok("GetSecretValue", in{"SecretId": "db"})
	cut := time.Now().Add(16 * time.Minute).UTC().Format(time.RFC3339)
	h.iam("PutRolePolicy", "RoleName", "r", "PolicyName", "AWSRevokeOlderSessions", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"`+cut+`"}}}]}`)
	long.fails("GetSecretValue", in{"SecretId": "db"}, "AccessDeniedException", "User: …")
	h.s.Clock.SetOffset(17 * time.Minute)
	fresh, _ := h.assume(arn, "s3")
	fresh.ok("GetSecretValue", in{"SecretId": "db"})
}

func TestContractE_GetSessionToken(t *testing.T) {
	h := newServer(t)
	h.create("db", "one", 1)
	u := h.user("u", in{"Effect": "Allow", "Action": "*", "Resource": "*"})
	a := u.ask("sts", "GetSessionToken")
	if c := a.Result.Credentials; a.Status != 200 || !strings.HasPrefix(c.AccessKeyID, "ASIA") || time.Until(c.Expiration) < 11*time.Hour || time.Until(c.Expiration) > 12*time.Hour {
		t.Fatalf("%s", a.Body)
	}
	s := u.inSession(a)
	s.ok("GetSecretValue", in{"SecretId": "db"})
	if who := s.ask("sts", "GetCallerIdentity"); who.Result.Arn != h.arn("u") || !strings.HasPrefix(who.Result.UserID, "AIDA") {
		t.Errorf("%s", who.Body)
	}
	// Without a second factor, not on IAM.
	if a := s.ask("iam", "ListUsers"); a.Status != 403 || a.Code != "InvalidClientTokenId" {
		t.Errorf("%s", a.Body)
	}
	s.refused(403, "AccessDenied", "Cannot call GetSessionToken with session credentials", "GetSessionToken")
	u.refused(400, "ValidationError", "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: …", "GetSessionToken", "DurationSeconds", "899")
	u.refused(400, "ValidationError", "1 validation error detected: Value '129601' at …", "GetSessionToken", "DurationSeconds", "129601")
	if a := h.ask("sts", "GetAccessKeyInfo", "AccessKeyId", h.s.AccessKey); a.Result.Account != h.s.Account {
		t.Errorf("%s", a.Body)
	}
}
