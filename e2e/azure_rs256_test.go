package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// newServer starts a server as an operator does, from a configuration file with these
// lines in it, and turns the environment to it. It returns the URL.
func newServer(t *testing.T, azure string) string {
	t.Helper()
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // for a free port
	must(t, err)
	address := listener.Addr().String()
	must(t, listener.Close())
	file := filepath.Join(dir, "tacet.toml")
	must(t, os.WriteFile(file, fmt.Appendf(nil, "[listen]\naddress = %q\n[tls]\ncert_file = \"cert.pem\"\nkey_file = \"key.pem\"\n[store]\nurl = \"sqlite:%s/tacet.db\"\n[key]\nfile = \"tacet.key\"\n[azure]\ndomains = [\"vault.localhost\"]\n%s\n", address, dir, azure), 0o600))
	writeCertificate(t, dir)
	out, err := command(t, ".", binary, "init", "--config", file, "--credentials-file", filepath.Join(dir, "admin.env"))
	if err != nil {
		t.Fatalf("tacet init: %v\n%s", err, out)
	}
	server := exec.Command(binary, "server", "--config", file)
	var log bytes.Buffer
	server.Stderr = &log
	must(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		if err := server.Wait(); err != nil {
			t.Errorf("tacet server: %v\n%s", err, &log)
		}
	})
	t.Setenv("TACET_HTTPS_URL", "https://"+address)
	t.Setenv("TACET_HTTP_URL", "")
	t.Setenv("TACET_CA_FILE", filepath.Join(dir, "cert.pem"))
	admin, err := waitEnv(filepath.Join(dir, "admin.env"))
	must(t, err)
	for name, v := range admin {
		t.Setenv(name, v)
	}
	return "https://" + address
}

// writeCertificate makes the certificate of a server on this machine, which is its own authority.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tacet"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost", "*.vault.localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

// TestAzureGoRS256 is the main job on a server that signs access tokens as Entra does, by azure.token_algorithm.
func TestAzureGoRS256(t *testing.T) {
	vaultURL(t) // whose name has to resolve
	url := newServer(t, `token_algorithm = "RS256"`)
	options := trusting(t, os.Getenv("TACET_CA_FILE"))
	client := options.Transport.(*http.Client)
	await(t, client, url+"/readyz")
	out, err := command(t, ".", binary, "user", "client-secret", "create", "admin", "-o", "env")
	if err != nil {
		t.Fatalf("tacet user client-secret create: %v\n%s", err, out)
	}
	for line := range strings.Lines(out) {
		if name, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			t.Setenv(name, v)
		}
	}
	t.Setenv("AZURE_AUTHORITY_HOST", url)
	t.Setenv("AZURE_TENANT_ID", "adfs")
	credential, err := azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: options})
	must(t, err)
	token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
	must(t, err)
	first, _, _ := strings.Cut(token.Token, ".")
	if header, err := base64.RawURLEncoding.DecodeString(first); err != nil || !strings.Contains(string(header), `"alg":"RS256"`) {
		t.Fatalf("the token's header is %s", header)
	}
	c, err := azsecrets.NewClient("https://main.vault.localhost"+url[strings.LastIndexByte(url, ':'):], credential, &azsecrets.ClientOptions{ClientOptions: options})
	must(t, err)
	azureMainJob(t, c, "azure-rs256")
}

// await waits until a server is ready.
func await(t *testing.T, c *http.Client, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		must(t, err)
		if res, err := c.Do(req); err == nil {
			must(t, res.Body.Close())
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("%s does not answer", url)
}
