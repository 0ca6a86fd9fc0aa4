package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// vaultURL is where the vault is, by a name that this machine resolves: clients verify
// that the challenge fits it. The server was started with --hosts where that may help.
func vaultURL(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(env["TACET_VAULT_URL"])
	must(t, err)
	if _, err := net.DefaultResolver.LookupHost(t.Context(), u.Hostname()); err != nil {
		t.Skipf("LEFT OUT: %s does not resolve on this machine, and only root may change that", u.Hostname())
	}
	return u.String()
}

// azureOptions trust the development authority and change nothing else.
func azureOptions(t *testing.T) azcore.ClientOptions {
	t.Helper()
	return trusting(t, env["TACET_CA_FILE"])
}

// trusting are the options of a client that trusts the authority in a file.
func trusting(t *testing.T, file string) azcore.ClientOptions {
	t.Helper()
	pem, err := os.ReadFile(file)
	must(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return azcore.ClientOptions{Transport: &http.Client{Transport: transport}}
}

// TestAzureGoSDK is the main job with the environment's credential, over TLS, with the
// challenge verified.
func TestAzureGoSDK(t *testing.T) {
	vault, options := vaultURL(t), azureOptions(t)
	credential, err := azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: options})
	must(t, err)
	c, err := azsecrets.NewClient(vault, credential, &azsecrets.ClientOptions{ClientOptions: options})
	must(t, err)
	azureMainJob(t, c, "azure-go")
}

func azureMainJob(t *testing.T, c *azsecrets.Client, name string) {
	ctx := t.Context()
	set, err := c.SetSecret(ctx, name, azsecrets.SetSecretParameters{Value: to.Ptr("one"), ContentType: to.Ptr("text/plain"), Tags: map[string]*string{"team": to.Ptr("blue")}}, nil)
	must(t, err)
	got, err := c.GetSecret(ctx, name, "", nil)
	must(t, err)
	if *got.Value != "one" || *got.ID != *set.ID || got.ID.Name() != name || *got.Tags["team"] != "blue" {
		t.Errorf("GetSecret: %v", got.ID)
	}
	_, err = c.SetSecret(ctx, name, azsecrets.SetSecretParameters{Value: to.Ptr("two")}, nil)
	must(t, err)
	old, err := c.GetSecret(ctx, name, set.ID.Version(), nil)
	must(t, err)
	if *old.Value != "one" {
		t.Error("the first version is not the first value")
	}
	names := map[string]bool{}
	for pager := c.NewListSecretPropertiesPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		must(t, err)
		for _, s := range page.Value {
			names[s.ID.Name()] = true
		}
	}
	if !names[name] {
		t.Errorf("%s is not listed", name)
	}
	_, err = c.UpdateSecretProperties(ctx, name, "", azsecrets.UpdateSecretPropertiesParameters{ContentType: to.Ptr("changed")}, nil)
	must(t, err)
	deleted, err := c.DeleteSecret(ctx, name, nil)
	must(t, err)
	if *deleted.ScheduledPurgeDate == *deleted.DeletedDate || !strings.HasSuffix(*deleted.RecoveryID, "/deletedsecrets/"+name) {
		t.Errorf("DeleteSecret: %v", *deleted.RecoveryID)
	}
	_, err = c.SetSecret(ctx, name, azsecrets.SetSecretParameters{Value: to.Ptr("three")}, nil)
	var refused *azcore.ResponseError
	if !errors.As(err, &refused) || refused.StatusCode != http.StatusConflict || refused.ErrorCode != "Conflict" {
		t.Errorf("setting a deleted secret: %v", err)
	}
	_, err = c.RecoverDeletedSecret(ctx, name, nil)
	must(t, err)
	backup, err := c.BackupSecret(ctx, name, nil)
	must(t, err)
	_, err = c.DeleteSecret(ctx, name, nil)
	must(t, err)
	_, err = c.PurgeDeletedSecret(ctx, name, nil)
	must(t, err)
	_, err = c.GetSecret(ctx, name, "", nil)
	if !errors.As(err, &refused) || refused.StatusCode != http.StatusNotFound || refused.ErrorCode != "SecretNotFound" {
		t.Errorf("reading a purged secret: %v", err)
	}
	restored, err := c.RestoreSecret(ctx, azsecrets.RestoreSecretParameters{SecretBackup: backup.Value}, nil)
	must(t, err)
	if restored.ID.Name() != name || *restored.ContentType != "changed" {
		t.Errorf("RestoreSecret: %v", restored.ID)
	}
}

// TestAzureJavaScriptSDK is the main job by @azure/keyvault-secrets.
func TestAzureJavaScriptSDK(t *testing.T) {
	vault := vaultURL(t)
	t.Setenv("NODE_EXTRA_CA_CERTS", env["TACET_CA_FILE"])
	installJavaScript(t)
	out, err := command(t, "js", "node", "azure.mjs", vault)
	if err != nil || strings.TrimSpace(out) != "ok" {
		t.Fatalf("node: %v\n%s", err, out)
	}
}

// TestAzurePythonSDK is the main job by Debian's python3-azure.
func TestAzurePythonSDK(t *testing.T) {
	vault := vaultURL(t)
	python := tool(t, "/usr/bin/python3")
	if _, err := command(t, ".", python, "-c", "import azure.keyvault.secrets, azure.identity"); err != nil {
		t.Skip("LEFT OUT: Debian's python3-azure is not installed on this machine")
	}
	t.Setenv("REQUESTS_CA_BUNDLE", env["TACET_CA_FILE"])
	out, err := command(t, ".", python, "azure_main.py", vault)
	if err != nil || strings.TrimSpace(out) != "ok" {
		t.Fatalf("python: %v\n%s", err, out)
	}
}

// TestAzsecretsLiveSuite is the SDK's own, against a server that has the public cloud's
// host names.
func TestAzsecretsLiveSuite(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("LEFT OUT: only root can make the namespaces in which the cloud's host names are ours")
	}
	for _, name := range []string{"unshare", "openssl", "ip"} {
		tool(t, name)
	}
	out, err := command(t, "..", "scripts/azsecrets-live.sh", binary, "-test.v")
	if err != nil || !strings.Contains(out, "\nPASS\n") {
		t.Fatalf("%v\n%s", err, out)
	}
}
