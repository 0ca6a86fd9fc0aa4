package e2e

import (
	"crypto/rsa"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/go-autorest/autorest/adal"
)

// TestAzureAutorest: tokens by go-autorest, which the External Secrets Operator uses unless
// told otherwise. It asks the first version of the endpoint, by resource, makes
// assertions for a day and reads MSI_ENDPOINT; a token whose end it is not told it throws
// away.
func TestAzureAutorest(t *testing.T) {
	w := newWorkload(t, "autorest-app")
	client := azureOptions(t).Transport.(*http.Client)
	text, err := os.ReadFile(w.certificate)
	must(t, err)
	certs, key, err := azidentity.ParseCertificates(text, nil)
	must(t, err)
	assertion, err := os.ReadFile(w.token)
	must(t, err)
	const resource = "https://vault.azure.net"
	check := func(name string, token *adal.ServicePrincipalToken, err error) {
		t.Helper()
		must(t, err)
		token.SetSender(client)
		if err := token.EnsureFreshWithContext(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if left := time.Until(token.Token().Expires()); left < 59*time.Minute || left > time.Hour {
			t.Errorf("%s: it lasts %v", name, left)
		}
	}
	for _, tenant := range []string{"adfs", env["TACET_TENANT_ID"]} {
		config, err := adal.NewOAuthConfig(env["AZURE_AUTHORITY_HOST"], tenant)
		must(t, err)
		token, err := adal.NewServicePrincipalToken(*config, env["AZURE_CLIENT_ID"], env["AZURE_CLIENT_SECRET"], resource)
		check("a secret, "+tenant, token, err)
		token, err = adal.NewServicePrincipalTokenFromCertificate(*config, w.user, certs[0], key.(*rsa.PrivateKey), resource)
		check("a certificate, "+tenant, token, err)
		token, err = adal.NewServicePrincipalTokenFromFederatedTokenCallback(*config, w.role, func() (string, error) { return string(assertion), nil }, resource)
		check("a cluster's token, "+tenant, token, err)
	}
	only(t, map[string]string{"MSI_ENDPOINT": env["IDENTITY_ENDPOINT"], "MSI_SECRET": env["IDENTITY_HEADER"]})
	token, err := adal.NewServicePrincipalTokenFromManagedIdentity(resource, &adal.ManagedIdentityOptions{ClientID: env["AZURE_CLIENT_ID"]})
	check("a managed identity", token, err)
}
