package e2e

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// chainConfig is a program's configuration: no profile but "key" has a key in it. %[1]s is
// the server, %[2]s the token's file, %[3]s and %[4]s a user's key, %[5]s the command tacet,
// %[6]s the file with the key for it, %[7]s what makes the roles' names this test's own: the
// aws command keeps sessions between its runs.
const chainConfig = `[profile web]
role_arn = arn:aws:iam::000000000001:role/chain-web-%[7]s
web_identity_token_file = %[2]s
role_session_name = from-profile

[profile web-services]
role_arn = arn:aws:iam::000000000001:role/chain-web-%[7]s
web_identity_token_file = %[2]s
services = tacet

[profile key]
aws_access_key_id = %[3]s
aws_secret_access_key = %[4]s

[profile one]
role_arn = arn:aws:iam::000000000001:role/chain-one-%[7]s
source_profile = key
external_id = customer-1
duration_seconds = 7200
role_session_name = one

[profile two]
role_arn = arn:aws:iam::000000000001:role/chain-two-%[7]s
source_profile = one

[profile process-web]
credential_process = %[5]s credential-process --endpoint %[1]s --role-arn arn:aws:iam::000000000001:role/chain-web-%[7]s --web-identity-token-file %[2]s

[profile process-key]
credential_process = %[5]s credential-process --env-file %[6]s --role-arn arn:aws:iam::000000000001:role/chain-one-%[7]s --external-id customer-1 --duration 2h --role-session-name one

[services tacet]
sts =
  endpoint_url = %[1]s
secrets_manager =
  endpoint_url = %[1]s
`

// chain is a deployment that a program without a key of its own asks.
type chain struct {
	server, config, token string
	web                   string // the role's ARN
	issuer                *oidcIssuer
}

// newChain makes what the profiles of chainConfig name, on the server of an environment.
func newChain(t *testing.T, node map[string]string) *chain {
	t.Helper()
	dir, own := t.TempDir(), strings.ToLower(rand.Text()[:8])
	c := &chain{web: "arn:aws:iam::000000000001:role/chain-web-" + own, server: node["AWS_ENDPOINT_URL"], config: filepath.Join(dir, "config"), token: filepath.Join(dir, "token"), issuer: newOIDCIssuer(t)}
	admin := goConfig(t, config.WithBaseEndpoint(c.server), config.WithRegion("us-east-1"),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(node["AWS_ACCESS_KEY_ID"], node["AWS_SECRET_ACCESS_KEY"], "")))
	ctx, ids := t.Context(), iam.NewFromConfig(admin)
	_, err := secretsmanager.NewFromConfig(admin).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("chain/db"), SecretString: aws.String("horse")})
	must(t, err)
	provider, err := ids.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{Url: &c.issuer.url, ClientIDList: []string{"tacet"}})
	must(t, err)
	_, err = ids.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("chain")})
	must(t, err)
	key, err := ids.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("chain")})
	must(t, err)
	role := func(name, principal, action, condition, policy string) {
		name += "-" + own
		_, err := ids.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, MaxSessionDuration: aws.Int32(7200), AssumeRolePolicyDocument: aws.String(
			fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":%s,"Action":%q,"Condition":%s}]}`, principal, action, condition))})
		must(t, err)
		_, err = ids.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("own"), PolicyDocument: aws.String(policy)})
		must(t, err)
	}
	role("chain-web", `{"Federated":"`+*provider.OpenIDConnectProviderArn+`"}`, "sts:AssumeRoleWithWebIdentity",
		`{"StringEquals":{"`+strings.TrimPrefix(c.issuer.url, "http://")+`:aud":"tacet"}}`, readAny)
	role("chain-one", `{"AWS":"arn:aws:iam::000000000001:user/chain"}`, "sts:AssumeRole", `{"StringEquals":{"sts:ExternalId":"customer-1","sts:RoleSessionName":"one"}}`, readAny)
	role("chain-two", `{"AWS":"arn:aws:iam::000000000001:role/chain-one-`+own+`"}`, "sts:AssumeRole", `{"Null":{"sts:ExternalId":"true"}}`, readAny)
	k := key.AccessKey
	envFile := filepath.Join(dir, "key.env")
	must(t, os.WriteFile(envFile, []byte("AWS_ENDPOINT_URL="+c.server+"\nAWS_ACCESS_KEY_ID="+*k.AccessKeyId+"\nAWS_SECRET_ACCESS_KEY="+*k.SecretAccessKey+"\n"), 0o600))
	must(t, os.WriteFile(c.config, fmt.Appendf(nil, chainConfig, c.server, c.token, *k.AccessKeyId, *k.SecretAccessKey, binary, envFile, own), 0o600))
	must(t, os.WriteFile(c.token, []byte(c.issuer.token("job")), 0o600))
	return c
}

// only leaves a test nothing of AWS's in the environment but vars and the configuration file.
func (c *chain) only(t *testing.T, vars map[string]string) {
	t.Helper()
	for _, line := range os.Environ() {
		if name, _, _ := strings.Cut(line, "="); strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "TACET_") {
			t.Setenv(name, "") // so that it comes back
			must(t, os.Unsetenv(name))
		}
	}
	t.Setenv("AWS_CONFIG_FILE", c.config)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(filepath.Dir(c.config), "none"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_DEFAULT_REGION", "us-east-1")
	t.Setenv("CHAIN_SECRET", "chain/db")
	for name, value := range vars {
		t.Setenv(name, value)
	}
}

// A reader reads the secret, and returns "KEY-ID VALUE" or "error CODE".
type reader func() string

// readers are the clients, by name; each makes its reader in the environment of the test.
func readers(t *testing.T) map[string]func(t *testing.T) reader {
	t.Helper()
	installJavaScript(t)
	out := map[string]func(t *testing.T) reader{
		"go":         goReader,
		"javascript": func(t *testing.T) reader { return process(t, "js", "node", "chain.mjs") },
	}
	if python, err := exec.LookPath("python3"); err != nil || exec.Command(python, "-c", "import boto3").Run() != nil {
		t.Log("LEFT OUT: boto3 is not installed on this machine")
	} else {
		out["python"] = func(t *testing.T) reader { return process(t, ".", python, "chain.py") }
	}
	if cli, err := exec.LookPath("aws"); err != nil {
		t.Log("LEFT OUT: aws is not installed on this machine")
	} else {
		out["aws"] = func(t *testing.T) reader {
			t.Helper()
			return func() string {
				text, err := command(t, ".", cli, "secretsmanager", "get-secret-value", "--secret-id", "chain/db", "--query", "SecretString", "--output", "text")
				if err != nil {
					return "error " + text
				}
				return "ASIA " + strings.TrimSpace(text)
			}
		}
	}
	return out
}

func goReader(t *testing.T) reader {
	cfg := goConfig(t)
	c := secretsmanager.NewFromConfig(cfg)
	return func() string {
		got, err := c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("chain/db")})
		if err != nil {
			return "error " + err.Error()
		}
		creds, err := cfg.Credentials.Retrieve(t.Context())
		must(t, err)
		return creds.AccessKeyID + " " + *got.SecretString
	}
}

// process is a program that reads once for each line that it is given.
func process(t *testing.T, dir, name string, args ...string) reader {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewReader(out)
	return func() string {
		_, err := io.WriteString(in, "\n")
		must(t, err)
		line, err := lines.ReadString('\n')
		must(t, err)
		return strings.TrimSpace(line)
	}
}

// TestCredentialChains: the default credential chains of four clients, with no key in the
// program's environment, and the server named in each of the ways that they know.
func TestCredentialChains(t *testing.T) {
	c, clients := newChain(t, env), readers(t)
	global := map[string]string{"AWS_ENDPOINT_URL": c.server, "AWS_ENDPOINT_URL_STS": c.server}
	services := map[string]string{"AWS_ENDPOINT_URL_STS": c.server, "AWS_ENDPOINT_URL_SECRETS_MANAGER": c.server}
	profile := func(vars map[string]string, name string) map[string]string {
		out := map[string]string{"AWS_PROFILE": name}
		for k, v := range vars {
			out[k] = v
		}
		return out
	}
	for name, vars := range map[string]map[string]string{
		"token in the environment": {"AWS_ENDPOINT_URL": c.server, "AWS_ENDPOINT_URL_STS": c.server,
			"AWS_WEB_IDENTITY_TOKEN_FILE": c.token, "AWS_ROLE_ARN": c.web, "AWS_ROLE_SESSION_NAME": "from-env"},
		"token in a profile":            profile(global, "web"),
		"token, services of a profile":  profile(nil, "web-services"),
		"role of a key":                 profile(services, "one"),
		"role of a role of a key":       profile(services, "two"),
		"credential_process of a token": profile(services, "process-web"),
		"credential_process of a key":   profile(services, "process-key"),
	} {
		t.Run(name, func(t *testing.T) {
			for client, make := range clients {
				t.Run(client, func(t *testing.T) {
					c.only(t, vars)
					if got := make(t)(); !strings.HasPrefix(got, "ASIA") || !strings.HasSuffix(got, " horse") {
						t.Errorf("read %q", got)
					}
				})
			}
		})
	}
	// What is not allowed stays so: the profile without the external id is refused.
	c.only(t, profile(services, "one"))
	text, err := os.ReadFile(c.config)
	must(t, err)
	must(t, os.WriteFile(c.config, []byte(strings.ReplaceAll(string(text), "customer-1", "customer-2")), 0o600))
	if got := goReader(t)(); !strings.Contains(got, "AccessDenied") {
		t.Errorf("another external id: %q", got)
	}
}

// TestCredentialsAreRenewed: when a session is over, by the client's clock, the client reads
// the token's file again and gets another session by itself. The server's clock is back by
// nearly an hour, so that its sessions of an hour are over in a few seconds.
func TestCredentialsAreRenewed(t *testing.T) {
	const left = 12 * time.Second
	behind := time.Hour - left
	file := filepath.Join(t.TempDir(), "env")
	cmd := exec.Command(binary, "dev", "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--env-file", file, "--clock=-"+behind.String())
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	node, err := waitEnv(file)
	must(t, err)
	c := newChain(t, node)
	c.issuer.behind = behind
	services := map[string]string{"AWS_ENDPOINT_URL_STS": c.server, "AWS_ENDPOINT_URL_SECRETS_MANAGER": c.server}
	clients := readers(t)
	delete(clients, "aws") // a process for each call
	c.only(t, services)
	first, readers := map[string]string{}, map[string]reader{}
	put := func(token string) {
		t.Helper()
		must(t, os.WriteFile(c.token, []byte(token), 0o600))
	}
	put(c.issuer.token("job"))
	for client, make := range clients {
		for _, profile := range []string{"web", "process-web"} {
			t.Setenv("AWS_PROFILE", profile)
			name := client + ", " + profile
			readers[name] = make(t)
			if first[name] = readers[name](); !strings.HasPrefix(first[name], "ASIA") {
				t.Errorf("%s: %q", name, first[name])
			}
		}
	}
	time.Sleep(left + time.Second)
	put("no.token.atall")
	for name, read := range readers {
		if got := read(); !strings.HasPrefix(got, "error") {
			t.Errorf("%s: the session is over and there is no good token: %q", name, got)
		}
	}
	put(c.issuer.token("job"))
	for name, read := range readers {
		if got := read(); !strings.HasPrefix(got, "ASIA") || !strings.HasSuffix(got, " horse") || got == first[name] {
			t.Errorf("%s: %q, after %q", name, got, first[name])
		}
	}
}
