package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	_ "github.com/jackc/pgx/v5/stdlib"
)

// TestWebIdentityOnTwoNodes: a program that has a token of an OpenID Connect issuer in a
// file, and no key in sight, reads a secret by the SDK's default chain. When the role loses
// the right through one node, the next read through the other is refused. The nodes are two
// processes on one PostgreSQL.
func TestWebIdentityOnTwoNodes(t *testing.T) {
	store := ownDatabase(t)
	data := t.TempDir()
	a := startNode(t, store, data)
	b := startNode(t, store, data)

	issuer := newOIDCIssuer(t)
	admin := func(node map[string]string) aws.Config {
		return goConfig(t, config.WithBaseEndpoint(node["AWS_ENDPOINT_URL"]), config.WithRegion("us-east-1"),
			config.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: node["AWS_ACCESS_KEY_ID"], SecretAccessKey: node["AWS_SECRET_ACCESS_KEY"]}, nil
			})))
	}
	ctx := t.Context()
	_, err := secretsmanager.NewFromConfig(admin(a)).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("shop/db"), SecretString: aws.String("horse")})
	must(t, err)
	principals := iam.NewFromConfig(admin(a))
	provider, err := principals.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{Url: &issuer.url, ClientIDList: []string{"tacet"}})
	must(t, err)
	name := strings.TrimPrefix(issuer.url, "http://")
	role, err := principals.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("shop"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + *provider.OpenIDConnectProviderArn + `"},"Action":"sts:AssumeRoleWithWebIdentity",` +
			`"Condition":{"StringEquals":{"` + name + `:aud":"tacet","` + name + `:sub":"system:serviceaccount:shop:api"}}}]}`)})
	must(t, err)
	_, err = principals.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("shop"), PolicyName: aws.String("read"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:*:*:secret:shop/*"}]}`)})
	must(t, err)

	// The application: a token in a file, and the name of its role.
	token := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(token, []byte(issuer.token("system:serviceaccount:shop:api")), 0o600))
	for _, key := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(key, "")
	}
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token)
	t.Setenv("AWS_ROLE_ARN", *role.Role.Arn)
	app := func(node map[string]string) *secretsmanager.Client {
		t.Setenv("AWS_ENDPOINT_URL", node["AWS_ENDPOINT_URL"])
		// The SDK for Go makes its credentials before it has read AWS_ENDPOINT_URL.
		t.Setenv("AWS_ENDPOINT_URL_STS", node["AWS_ENDPOINT_URL"])
		return secretsmanager.NewFromConfig(goConfig(t))
	}
	read := func(c *secretsmanager.Client) error {
		out, err := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("shop/db")})
		if err == nil && *out.SecretString != "horse" {
			t.Errorf("read %q", *out.SecretString)
		}
		return err
	}
	first, second := app(a), app(b)
	must(t, read(first))
	must(t, read(second))
	_, err = principals.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String("shop"), PolicyName: aws.String("read")})
	must(t, err)
	for node, c := range map[string]*secretsmanager.Client{"the same": first, "the other": second} {
		var e smithy.APIError
		if err := read(c); !errors.As(err, &e) || e.ErrorCode() != "AccessDeniedException" {
			t.Errorf("on %s node: %v", node, err)
		}
	}
	// Somebody else's token of the same issuer is nobody here.
	must(t, os.WriteFile(token, []byte(issuer.token("system:serviceaccount:shop:other")), 0o600))
	var e smithy.APIError
	if err := read(app(b)); !errors.As(err, &e) || e.ErrorCode() != "AccessDenied" {
		t.Errorf("another service account: %v", err)
	}
}

// ownDatabase makes a database for the test in the server that the tests have.
func ownDatabase(t *testing.T) string {
	t.Helper()
	server := os.Getenv("TACET_TEST_POSTGRES")
	if server == "" {
		t.Fatal("TACET_TEST_POSTGRES is not set: run `make test`, which starts a PostgreSQL")
	}
	db, err := sql.Open("pgx", server)
	must(t, err)
	name := "e2e_" + strings.ToLower(rand.Text()[:12])
	_, err = db.Exec("CREATE DATABASE " + name)
	must(t, err)
	t.Cleanup(func() {
		if _, err := db.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		_ = db.Close()
	})
	u, err := url.Parse(server)
	must(t, err)
	u.Path = "/" + name
	return u.String()
}

// startNode starts a process and returns what it wrote to its --env-file.
func startNode(t *testing.T, store, data string) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "env")
	cmd := exec.Command(binary, "dev", "--store", "env:E2E_STORE", "--data", data, "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--env-file", file)
	cmd.Env = append(os.Environ(), "E2E_STORE="+store)
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	vars, err := waitEnv(file)
	must(t, err)
	return vars
}

// oidcIssuer is an OpenID Connect issuer that runs in the test.
type oidcIssuer struct {
	t   *testing.T
	url string
	key *ecdsa.PrivateKey
	// behind is how far the server's clock is behind.
	behind time.Duration
}

func newOIDCIssuer(t *testing.T) *oidcIssuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	i := &oidcIssuer{t: t, key: key}
	point, err := key.PublicKey.Bytes() // 4, x, y
	must(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	mux := http.NewServeMux()
	answer := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(v) }
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.url = server.URL
	mux.HandleFunc("/.well-known/openid-configuration", answer(map[string]any{"issuer": i.url, "jwks_uri": i.url + "/keys"}))
	mux.HandleFunc("/keys", answer(map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "k1",
		"x": encode(point[1:33]), "y": encode(point[33:])}}}))
	return i
}

func (i *oidcIssuer) token(subject string) string {
	i.t.Helper()
	encode := func(v any) string {
		body, err := json.Marshal(v)
		must(i.t, err)
		return base64.RawURLEncoding.EncodeToString(body)
	}
	signed := encode(map[string]any{"alg": "ES256", "kid": "k1", "typ": "JWT"}) + "." + encode(map[string]any{"iss": i.url, "sub": subject,
		"aud": []string{"tacet"}, "iat": time.Now().Add(-i.behind).Unix(), "exp": time.Now().Add(10*time.Minute - i.behind).Unix()})
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, digest[:])
	must(i.t, err)
	return fmt.Sprintf("%s.%s", signed, base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)))
}
