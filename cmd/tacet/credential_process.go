package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

// newCredentialProcessCommand is what the AWS SDKs run as credential_process.
func newCredentialProcessCommand(a *admin) *cobra.Command {
	var req client.SessionRequest
	var tokenFile string
	c := &cobra.Command{
		Use:   "credential-process",
		Short: "Print a session's credentials, for the credential_process of an AWS profile",
		Long: `Asks the server for a session of a role and prints its credentials as the AWS SDKs read
them from a profile's credential_process. The SDK runs it again when they are about to
expire.

With --web-identity-token-file, or AWS_WEB_IDENTITY_TOKEN_FILE, the token in that file
proves who asks, and nothing else is needed. Otherwise the credentials in the environment
sign the request. The role is --role-arn or AWS_ROLE_ARN, the session's name
--role-session-name or AWS_ROLE_SESSION_NAME.`,
		Example: `  # ~/.aws/config
  [profile app]
  credential_process = tacet credential-process --endpoint https://tacet.example:8443 --role-arn arn:aws:iam::000000000001:role/app --web-identity-token-file /var/run/secrets/token

  tacet credential-process --role-arn arn:aws:iam::000000000001:role/app --env-file tacet.env`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a.first(&req.RoleARN, "AWS_ROLE_ARN")
			a.first(&req.Name, "AWS_ROLE_SESSION_NAME")
			a.first(&tokenFile, "AWS_WEB_IDENTITY_TOKEN_FILE")
			if req.RoleARN == "" {
				return usage(errors.New("no role is named: give --role-arn"))
			}
			if req.Duration < 0 || req.Duration%time.Second != 0 {
				return usage(errors.New("--duration is in whole seconds, as 30m"))
			}
			if req.Name == "" {
				req.Name = "tacet-credential-process"
			}
			creds, err := a.session(c.Context(), req, tokenFile)
			if err != nil {
				return err
			}
			return writeCredentialProcess(c.OutOrStdout(), creds)
		},
	}
	f := c.Flags()
	f.StringVar(&req.RoleARN, "role-arn", "", "the role's `ARN` (default $AWS_ROLE_ARN)")
	f.StringVar(&req.Name, "role-session-name", "", "the session's `name` (default $AWS_ROLE_SESSION_NAME)")
	f.DurationVar(&req.Duration, "duration", 0, "how long the session lasts, as 30m (default an hour)")
	f.StringVar(&req.ExternalID, "external-id", "", "the external `id` that the role's trust policy asks for")
	f.StringVar(&tokenFile, "web-identity-token-file", "", "`file` of an OpenID Connect token (default $AWS_WEB_IDENTITY_TOKEN_FILE)")
	return c
}

// first fills in a flag that was not given from the environment.
func (a *admin) first(flag *string, name string) {
	if *flag == "" {
		*flag = a.getenv(name)
	}
}

// session asks for a session with the token in a file, or else with the credentials there are.
func (a *admin) session(ctx context.Context, req client.SessionRequest, tokenFile string) (client.SessionCredentials, error) {
	var token []byte
	connect := client.New
	if tokenFile != "" {
		var err error
		if token, err = readToken(tokenFile); err != nil {
			return client.SessionCredentials{}, fail(exitAuth, "the token cannot be read", err, "")
		}
		connect = client.NewAnonymous
	}
	cl, err := a.connect(connect)
	if err != nil {
		return client.SessionCredentials{}, err
	}
	defer cl.Close()
	var creds client.SessionCredentials
	if tokenFile != "" {
		creds, err = cl.AssumeRoleWithWebIdentity(ctx, req, strings.TrimSpace(string(token)))
	} else {
		creds, err = cl.AssumeRole(ctx, req)
	}
	const what = "the server gives no session of the role"
	switch {
	case err == nil:
		return creds, nil
	case tokenFile != "" && errors.Is(err, client.ErrUnauthenticated):
		return creds, fail(exitAuth, what, err, "see that the file has a fresh ID token of an issuer that tacet oidc list shows")
	}
	return creds, failed(what, err)
}

// maxTokenFile is more than the longest token that a server takes, 20,000 bytes.
const maxTokenFile = 64 << 10

// readToken reads a token, again each time: whoever puts it there puts a new one in time.
func readToken(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	token, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(token) > maxTokenFile:
		return nil, errors.New("the file is larger than any token")
	case len(strings.TrimSpace(string(token))) == 0:
		return nil, errors.New("the file is empty")
	}
	return token, nil
}

// writeCredentialProcess writes credentials in the form of the AWS SDKs and Tools Reference
// Guide, "Process credential provider".
func writeCredentialProcess(w io.Writer, creds client.SessionCredentials) error {
	return json.NewEncoder(w).Encode(struct {
		Version         int
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string
		SessionToken    string
		Expiration      string
	}{1, creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken, creds.Expiration.UTC().Format(time.RFC3339)})
}
