package azureapi_test

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tacet/internal/tacettest"
)

// Each TestMapping_ is a row of "Two faces, one model" that the whole server takes to show;
// the rows about secrets are in internal/vault.

// sts makes a call of STS and returns the answer's members by name.
func (h *house) sts(c *tacettest.AWSClient, pairs ...string) map[string]string {
	h.Helper()
	form := url.Values{"Version": {"2011-06-15"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.s.URL+"/", strings.NewReader(form.Encode()))
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, body := c.Send(req, "sts", []byte(form.Encode()))
	if res.StatusCode != http.StatusOK {
		h.Fatalf("%v: %d %s", pairs, res.StatusCode, body)
	}
	out, name := map[string]string{}, ""
	for d := xml.NewDecoder(strings.NewReader(string(body))); ; {
		token, err := d.Token()
		if err != nil {
			return out
		}
		switch t := token.(type) {
		case xml.StartElement:
			name = t.Name.Local
		case xml.CharData:
			out[name] = string(t)
		case xml.EndElement:
			name = ""
		}
	}
}

// wantAWS reads a secret through AWS's face: its value, or a refusal for "".
func (h *house) wantAWS(c *tacettest.AWSClient, name, want string) {
	h.Helper()
	status, out := c.Call("GetSecretValue", in{"SecretId": name})
	if got, _ := out["SecretString"].(string); got != want || (status == http.StatusOK) != (want != "") {
		h.Errorf("AWS reads %s as %d %v, want %q", name, status, out, want)
	}
}

// wantAzure is wantAWS through Azure's.
func (h *house) wantAzure(c *tacettest.AzureClient, name, want string) {
	h.Helper()
	status, out := c.Call("GET", "/secrets/"+name, nil)
	if got, _ := out["value"].(string); got != want || (status == http.StatusOK) != (want != "") {
		h.Errorf("Azure reads %s as %d %v, want %q", name, status, out, want)
	}
}

// aws returns a client with an access key of the application's, who is a user.
func (a *application) aws() *tacettest.AWSClient {
	a.Helper()
	key := a.admin("keys/create", in{"user": a.name})
	return a.s.AWS(a.T).As(key["id"].(string), key["secret"].(string))
}

// An account in a region is a key vault: what is made there is in it, and only in it. A
// development server makes the vaults of further regions on first use.
func TestMapping_Vault(t *testing.T) {
	h := newHouse(t)
	h.admin("vaults/create", in{"name": "Team-EU", "account": h.s.Account, "region": "eu-west-1"})
	for region, name := range map[string]string{h.s.Region: "main", "eu-west-1": "team-eu", "ap-south-1": "main-ap-south-1"} {
		aws, azure := h.s.AWS(t).InRegion(region), h.c.At("https://"+name+".vault.localhost"+h.c.Port())
		if status, out := aws.Call("CreateSecret", in{"Name": "from-aws", "SecretString": region, "ClientRequestToken": strings.Repeat("0123", 8)}); status != 200 {
			t.Fatal(out)
		}
		h.wantAzure(azure, "from-aws", region)
		if status, out := azure.Call("PUT", "/secrets/from-azure-"+name, in{"value": name}); status != 200 || out["id"] != azure.Base()+"/secrets/from-azure-"+name+"/"+version(out) {
			t.Errorf("%s: %d %v", name, status, out)
		}
		h.wantAWS(aws, "from-azure-"+name, name)
		res, _ := azure.Send(azure.Request("GET", "/secrets?api-version=7.4", nil))
		if got := res.Header.Get("x-ms-keyvault-region"); got != region {
			t.Errorf("%s is in %q, want %q", name, got, region)
		}
		if name != "main" {
			h.wantAzure(h.c, "from-azure-"+name, "")
			h.wantAWS(h.s.AWS(t), "from-azure-"+name, "")
		}
	}
}

// A user with access keys is an application with a client secret: one principal, under one
// id, with what it is granted in either language.
func TestMapping_User(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	app := h.application("app")
	user := app.aws()
	if who := h.sts(user, "Action", "GetCallerIdentity"); who["Arn"] != "arn:aws:iam::"+h.s.Account+":user/app" || who["Account"] != h.s.Account {
		t.Errorf("AWS calls it %v", who)
	}
	reads := func(want string) {
		t.Helper()
		h.wantAWS(user, "s", want)
		h.wantAzure(app.c, "s", want)
	}
	reads("")
	takeBack := h.assign("app", "Key Vault Secrets User", "")
	reads("v")
	takeBack()
	reads("")
	h.admin("policies/put", in{"user": "app", "policy": "read", "document": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"}}`})
	reads("v")
	h.admin("policies/put", in{"user": "app", "policy": "shut", "document": `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"` + dataActions + `getSecret/action","Resource":"*"}}`})
	reads("")
}

// A role with sessions from STS is a managed identity: one principal, with what it is
// granted in either language.
func TestMapping_Role(t *testing.T) {
	h := newHouse(t)
	h.set("s", "v")
	h.admin("roles/create", in{"role": "till", "document": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + h.s.Account + `"},"Action":"sts:AssumeRole"}}`})
	header, _ := h.admin("client-credentials/create", in{"role": "till", "kind": "identity-header"})["secret"].(string)
	session := h.sts(h.s.AWS(t), "Action", "AssumeRole", "RoleArn", "arn:aws:iam::"+h.s.Account+":role/till", "RoleSessionName", "one")
	aws := h.s.AWS(t).WithSession(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
	if who := h.sts(aws, "Action", "GetCallerIdentity"); who["Arn"] != "arn:aws:sts::"+h.s.Account+":assumed-role/till/one" {
		t.Errorf("AWS calls it %v", who)
	}
	req := h.c.WithToken("").Request("GET", h.s.HTTPSURL+"/msi/token?api-version=2019-08-01&resource=https://vault.azure.net", nil)
	req.Header.Set("X-IDENTITY-HEADER", header)
	_, body := h.c.Send(req)
	var identity struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &identity); err != nil || identity.Token == "" {
		t.Fatalf("no token: %s", body)
	}
	azure := h.c.WithToken(identity.Token)
	reads := func(want string) {
		t.Helper()
		h.wantAWS(aws, "s", want)
		h.wantAzure(azure, "s", want)
	}
	reads("")
	takeBack := h.assign("role/till", "Key Vault Secrets User", "s")
	reads("v")
	takeBack()
	reads("")
	h.admin("policies/put", in{"role": "till", "policy": "read", "document": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"` + dataActions + `getSecret/action","Resource":"*"}}`})
	reads("v")
}

// A grant holds in both faces, whichever language it is in: policies of a principal,
// resource policies of a secret, role assignments, and denials most of all.
func TestMapping_Grant(t *testing.T) {
	h := newHouse(t)
	h.set("app--db", "v")
	app := h.application("app")
	user := app.aws()
	reads := func(what, want string) {
		t.Helper()
		h.wantAWS(user, "app/db", want)
		h.wantAzure(app.c, "app--db", want)
		if t.Failed() {
			t.Fatal(what)
		}
	}
	resource := func(effect string) {
		t.Helper()
		policy := `{"Version":"2012-10-17","Statement":{"Effect":"` + effect + `","Principal":{"AWS":"arn:aws:iam::` + h.s.Account + `:user/app"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}}`
		if status, out := h.s.AWS(t).Call("PutResourcePolicy", in{"SecretId": "app/db", "ResourcePolicy": policy}); status != 200 {
			t.Fatal(out)
		}
	}
	reads("nothing is granted", "")
	resource("Allow")
	reads("the secret's policy allows", "v")
	resource("Deny")
	h.assign("app", "Key Vault Administrator", "")
	reads("a role allows and the secret's policy denies", "")
	if status, out := h.s.AWS(t).Call("DeleteResourcePolicy", in{"SecretId": "app/db"}); status != 200 {
		t.Fatal(out)
	}
	reads("a role allows", "v")
	h.admin("role-assignments/create", in{"vault": "main", "secret": "APP--DB", "principal": "app", "role": "Key Vault Secrets User", "deny": true})
	reads("a deny assignment at the secret", "")
}
