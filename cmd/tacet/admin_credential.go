package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

// The credentials with which Azure's clients get access tokens of users and roles.

// The kinds of client credentials, which are the commands' names too.
const (
	clientSecret      = "client-secret"
	clientCertificate = "client-certificate"
	identityHeader    = "identity-header"
)

// credentialCommands are those of what a kind of holder may have: a role has no secret.
func credentialCommands(a *admin, holder string) []*cobra.Command {
	header := group(identityHeader, "Make, list and remove the headers of a managed identity's endpoint",
		"  (umask 077; tacet "+holder+" identity-header create app -o env > app.env)",
		newSecretCreateCommand(a, holder, identityHeader), newCredentialListCommand(a, holder, identityHeader), newCredentialDeleteCommand(a, holder, identityHeader))
	if holder == "role" {
		return []*cobra.Command{header}
	}
	return []*cobra.Command{header,
		group(clientSecret, "Make, list and remove client secrets, for Azure's clients",
			"  (umask 077; tacet user client-secret create app -o env > app.env)",
			newSecretCreateCommand(a, holder, clientSecret), newCredentialListCommand(a, holder, clientSecret), newCredentialDeleteCommand(a, holder, clientSecret)),
		group(clientCertificate, "Add, list and remove the certificates that a user's client assertions are signed with",
			"  tacet user client-certificate add app app.pem",
			newCertificateAddCommand(a, holder), newCredentialListCommand(a, holder, clientCertificate), newCredentialDeleteCommand(a, holder, clientCertificate))}
}

func newSecretCreateCommand(a *admin, holder, kind string) *cobra.Command {
	var description string
	var days int
	var out secretOutput
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Make one and print it, this once",
		Long: `Makes one and prints it with the ids that go with it; it is never given again. It is not
printed to a terminal, where it would stay, unless --reveal asks for that.`,
		Example: "  (umask 077; tacet " + holder + " " + kind + " create app --days 90 -o env > app.env)",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			return out.create(c, "no "+kind+" of "+args[0]+" was made", func(ctx context.Context) (madeSecret, error) {
				n := client.NewClientCredential{Kind: kind, Description: description, Life: time.Duration(days) * 24 * time.Hour}
				k, secret, err := cl.CreateClientCredential(ctx, client.Holder{Kind: holder, Name: args[0]}, n)
				m := madeCredential(k, secret)
				m.undo = "tacet " + holder + " " + kind + " delete " + args[0] + " " + k.ID
				return m, err
			})
		}),
	}
	c.Flags().IntVar(&days, "days", 180, "how many `days` it is good, at most 730")
	c.Flags().StringVar(&description, "description", "", "a `text` to know it by")
	out.flags(c)
	return c
}

// madeCredential is a new client secret or identity header as it is printed.
func madeCredential(k client.ClientCredential, secret string) madeSecret {
	m := madeSecret{
		shown: struct {
			client.ClientCredential
			Secret string `json:"secret"`
		}{k, secret},
		env:  fmt.Sprintf("TACET_TENANT_ID=%s\nAZURE_CLIENT_ID=%s\nAZURE_CLIENT_SECRET=%s\n", k.TenantID, k.ClientID, secret),
		name: k.Kind + " " + k.ID,
	}
	if k.Kind == identityHeader {
		m.env = fmt.Sprintf("AZURE_CLIENT_ID=%s\nIDENTITY_HEADER=%s\n", k.ClientID, secret)
	}
	return m
}

func newCertificateAddCommand(a *admin, holder string) *cobra.Command {
	var format, description string
	c := &cobra.Command{
		Use:   "add NAME FILE",
		Short: "Add a certificate, without its key",
		Long: `Adds the certificate in a file, in PEM and alone: the private key stays with the
application. It has an RSA key and is good until its own end. FILE is - for standard input.`,
		Example: "  tacet " + holder + " client-certificate add app app.pem",
		Args:    cobra.ExactArgs(2),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			text, err := readInput(c.InOrStdin(), args[1])
			if err != nil {
				return fail(exitUsage, "the certificate was not added", err, "")
			}
			n := client.NewClientCredential{Kind: clientCertificate, Description: description, Certificate: string(text)}
			cred, _, err := cl.CreateClientCredential(c.Context(), client.Holder{Kind: holder, Name: args[0]}, n)
			if err != nil {
				return failed("the certificate was not added", err)
			}
			return emit(c, format, cred, func() [][]string { return credentialRows([]client.ClientCredential{cred}) })
		}),
	}
	c.Flags().StringVar(&description, "description", "", "a `text` to know it by")
	formatFlag(c, &format)
	return c
}

func newCredentialListCommand(a *admin, holder, kind string) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "list NAME",
		Short:   "List them",
		Example: "  tacet " + holder + " " + kind + " list app",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			all, err := cl.ListClientCredentials(c.Context(), client.Holder{Kind: holder, Name: args[0]})
			if err != nil {
				return failed("the credentials of "+args[0]+" cannot be listed", err)
			}
			list := []client.ClientCredential{}
			for _, k := range all {
				if k.Kind == kind {
					list = append(list, k)
				}
			}
			return emit(c, format, list, func() [][]string { return credentialRows(list) })
		}),
	}
	formatFlag(c, &format)
	return c
}

func credentialRows(list []client.ClientCredential) [][]string {
	rows := [][]string{{"ID", "HINT", "CLIENT ID", "DESCRIPTION", "EXPIRES"}}
	for _, k := range list {
		rows = append(rows, []string{k.ID, k.Hint + k.Thumbprint, k.ClientID, k.Description, when(k.Expires)})
	}
	return rows
}

func newCredentialDeleteCommand(a *admin, holder, kind string) *cobra.Command {
	return a.change("delete NAME ID", "Remove one for ever, and end the access tokens that it got",
		"  tacet "+holder+" "+kind+" delete app 25b68a2b-f46c-431b-af45-e7a5ae39726f",
		func(args []string) string { return "the " + kind + " was not removed" },
		func(ctx context.Context, cl *client.Client, args []string) error {
			return cl.DeleteClientCredential(ctx, client.Holder{Kind: holder, Name: args[0]}, args[1])
		})
}
