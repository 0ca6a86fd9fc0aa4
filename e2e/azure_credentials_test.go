package e2e

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // as Service Fabric names certificates
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// workload is an application with everything that it can prove itself with: a user with a
// certificate, and a role that trusts an issuer on this machine.
type workload struct {
	user, role  string // client ids
	certificate string // file of certificate and key
	token       string // file of the issuer's token
}

// tacet runs a command of the administrator and reads its answer.
func tacet(t *testing.T, out any, args ...string) {
	t.Helper()
	text, err := command(t, ".", binary, args...)
	if err != nil {
		t.Fatalf("tacet %s: %v\n%s", strings.Join(args, " "), err, text)
	}
	if out != nil {
		must(t, json.Unmarshal([]byte(text), out))
	}
}

func newWorkload(t *testing.T, name string) workload {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	dir := t.TempDir()
	w := workload{certificate: filepath.Join(dir, "app.pem"), token: filepath.Join(dir, "token")}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	must(t, os.WriteFile(filepath.Join(dir, "public.pem"), public, 0o600))
	must(t, os.WriteFile(w.certificate, append(bytes.Clone(public), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), 0o600))

	var shown struct{ ClientID string }
	tacet(t, &shown, "user", "create", name)
	w.user = shown.ClientID
	tacet(t, nil, "user", "client-certificate", "add", name, filepath.Join(dir, "public.pem"))

	issuer := newIssuer(t, &key.PublicKey)
	const subject, audience = "system:serviceaccount:shop:till", "api://AzureADTokenExchange"
	tacet(t, nil, "oidc", "create", issuer, "--audience", audience)
	host := strings.TrimPrefix(issuer, "http://")
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::000000000001:oidc-provider/` + host + `"},
		"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"` + host + `:sub":"` + subject + `"}}}]}`
	must(t, os.WriteFile(filepath.Join(dir, "trust.json"), []byte(trust), 0o600))
	tacet(t, &shown, "role", "create", name, "--trust", filepath.Join(dir, "trust.json"))
	w.role = shown.ClientID
	now := time.Now()
	must(t, os.WriteFile(w.token, []byte(signRS256(t, key, map[string]any{"iss": issuer, "sub": subject, "aud": []string{audience},
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix()})), 0o600))
	return w
}

// newIssuer starts an issuer of identities with one key, as a cluster has it.
func newIssuer(t *testing.T, key *rsa.PublicKey) string {
	t.Helper()
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	answer := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(v) }
	}
	mux.HandleFunc("/.well-known/openid-configuration", answer(map[string]string{"issuer": s.URL, "jwks_uri": s.URL + "/keys"}))
	mux.HandleFunc("/keys", answer(map[string]any{"keys": []any{map[string]string{"kty": "RSA", "kid": "k", "use": "sig", "alg": "RS256",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": "AQAB"}}}))
	return s.URL
}

func signRS256(t *testing.T, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	part := func(v any) string {
		raw, err := json.Marshal(v)
		must(t, err)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	text := part(map[string]string{"alg": "RS256", "typ": "JWT", "kid": "k"}) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	must(t, err)
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// only leaves of the environment's ways to prove oneself to Azure none but these.
func only(t *testing.T, vars map[string]string) {
	t.Helper()
	for _, name := range []string{"AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "MSI_SECRET", "IDENTITY_SERVER_THUMBPRINT"} {
		t.Setenv(name, vars[name])
		if vars[name] == "" {
			must(t, os.Unsetenv(name))
		}
	}
}

// credentialCases are the environments that DefaultAzureCredential finds its way in, alone.
func credentialCases(w workload) map[string]map[string]string {
	return map[string]map[string]string{
		"secret":      {"AZURE_CLIENT_ID": env["AZURE_CLIENT_ID"], "AZURE_CLIENT_SECRET": env["AZURE_CLIENT_SECRET"]},
		"certificate": {"AZURE_CLIENT_ID": w.user, "AZURE_CLIENT_CERTIFICATE_PATH": w.certificate},
		"workload":    {"AZURE_CLIENT_ID": w.role, "AZURE_FEDERATED_TOKEN_FILE": w.token},
		"managed":     {"IDENTITY_ENDPOINT": env["IDENTITY_ENDPOINT"], "IDENTITY_HEADER": env["IDENTITY_HEADER"]},
		"learning":    {"MSI_ENDPOINT": env["IDENTITY_ENDPOINT"], "MSI_SECRET": env["IDENTITY_HEADER"]}, // Azure Machine Learning
	}
}

// TestAzureGoCredentials: azidentity's credentials get tokens, by name and through
// DefaultAzureCredential, of which nothing but the environment is told.
func TestAzureGoCredentials(t *testing.T) {
	w, options := newWorkload(t, "go-app"), azureOptions(t)
	named := map[string]func() (azcore.TokenCredential, error){
		"secret": func() (azcore.TokenCredential, error) {
			return azidentity.NewClientSecretCredential("adfs", env["AZURE_CLIENT_ID"], env["AZURE_CLIENT_SECRET"], &azidentity.ClientSecretCredentialOptions{ClientOptions: options})
		},
		"certificate": func() (azcore.TokenCredential, error) {
			text, err := os.ReadFile(w.certificate)
			must(t, err)
			certs, key, err := azidentity.ParseCertificates(text, nil)
			must(t, err)
			return azidentity.NewClientCertificateCredential("adfs", w.user, certs, key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: options, SendCertificateChain: true})
		},
		"workload": func() (azcore.TokenCredential, error) {
			return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: options})
		},
		"managed": func() (azcore.TokenCredential, error) {
			return azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ClientOptions: options})
		},
	}
	named["learning"] = named["managed"]
	for name, vars := range credentialCases(w) {
		t.Run(name, func(t *testing.T) {
			only(t, vars)
			fallback := func() (azcore.TokenCredential, error) {
				return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: options})
			}
			for kind, make := range map[string]func() (azcore.TokenCredential, error){"by name": named[name], "by the environment": fallback} {
				credential, err := make()
				must(t, err)
				got, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
				if err != nil {
					t.Errorf("%s: %v", kind, err)
				} else if left := time.Until(got.ExpiresOn); left < 59*time.Minute || left > time.Hour {
					t.Errorf("%s: it lasts %v", kind, left)
				}
			}
		})
	}
}

// TestAzureGoServiceFabric: with the thumbprint of the server's certificate nothing else has
// to be trusted.
func TestAzureGoServiceFabric(t *testing.T) {
	url := env["TACET_HTTPS_URL"]
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // to see the certificate
	must(t, err)
	sum := sha1.Sum(conn.ConnectionState().PeerCertificates[0].Raw) //nolint:gosec // a name
	must(t, conn.Close())
	only(t, map[string]string{"IDENTITY_ENDPOINT": url + "/msi/token", "IDENTITY_HEADER": env["IDENTITY_HEADER"], "IDENTITY_SERVER_THUMBPRINT": hex.EncodeToString(sum[:])})
	credential, err := azidentity.NewManagedIdentityCredential(nil)
	must(t, err)
	_, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://localhost/.default"}}) // for which no other test has one
	must(t, err)
}

// TestAzureGoTenant: with discovery of instances off, the deployment's own tenant works as
// adfs does.
func TestAzureGoTenant(t *testing.T) {
	options := azureOptions(t)
	credential, err := azidentity.NewClientSecretCredential(env["TACET_TENANT_ID"], env["AZURE_CLIENT_ID"], env["AZURE_CLIENT_SECRET"],
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	must(t, err)
	_, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
	must(t, err)
}

// TestAzureJavaScriptCredentials and TestAzurePythonCredentials are the same by
// @azure/identity and by Debian's python3-azure.
func TestAzureJavaScriptCredentials(t *testing.T) {
	t.Setenv("NODE_EXTRA_CA_CERTS", env["TACET_CA_FILE"])
	installJavaScript(t)
	for name, vars := range credentialCases(newWorkload(t, "js-app")) {
		t.Run(name, func(t *testing.T) {
			only(t, vars)
			if out, err := command(t, "js", "node", "azure_credential.mjs"); err != nil || strings.TrimSpace(out) != "ok" {
				t.Errorf("node: %v\n%s", err, out)
			}
		})
	}
}

func TestAzurePythonCredentials(t *testing.T) {
	python := tool(t, "/usr/bin/python3")
	if _, err := command(t, ".", python, "-c", "import azure.identity"); err != nil {
		t.Skip("LEFT OUT: Debian's python3-azure is not installed on this machine")
	}
	t.Setenv("REQUESTS_CA_BUNDLE", env["TACET_CA_FILE"])
	for name, vars := range credentialCases(newWorkload(t, "py-app")) {
		t.Run(name, func(t *testing.T) {
			only(t, vars)
			if out, err := command(t, ".", python, "azure_credential.py"); err != nil || strings.TrimSpace(out) != "ok" {
				t.Errorf("python: %v\n%s", err, out)
			}
		})
	}
}
