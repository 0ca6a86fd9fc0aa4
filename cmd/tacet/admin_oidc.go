package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

func newOIDCCommand(a *admin) *cobra.Command {
	return group("oidc", "Make issuers of identities known that roles may trust",
		`  tacet oidc create https://token.actions.githubusercontent.com --audience sts.amazonaws.com
  tacet oidc list`,
		newOIDCCreateCommand(a),
		show(a, "list", "List the OIDC providers of the account", "  tacet oidc list", cobra.NoArgs, "the providers cannot be listed",
			func(ctx context.Context, cl *client.Client, _ []string) ([]client.Provider, error) {
				return cl.ListProviders(ctx)
			}, providerRows),
		show(a, "show PROVIDER", "Show an OIDC provider, by its URL or ARN", "  tacet oidc show https://token.actions.githubusercontent.com", cobra.ExactArgs(1), "the provider cannot be shown",
			func(ctx context.Context, cl *client.Client, args []string) (client.Provider, error) {
				return cl.GetProvider(ctx, args[0])
			}, func(p client.Provider) [][]string {
				rows := [][]string{{"URL", p.URL}, {"ARN", p.ARN}, {"Audiences", strings.Join(p.Audiences, ", ")}, {"Created", when(p.Created)}}
				return append(rows, principalRows("", p.Tags, holdings{})...)
			}),
		a.change("delete PROVIDER", "Make an issuer unknown again", "  tacet oidc delete https://token.actions.githubusercontent.com",
			func(args []string) string { return "the provider " + args[0] + " was not removed" },
			func(ctx context.Context, cl *client.Client, args []string) error {
				return cl.DeleteProvider(ctx, args[0])
			}),
		a.change("add-audience PROVIDER AUDIENCE", "Accept tokens that are for a further audience", "  tacet oidc add-audience https://gitlab.example tacet",
			func(args []string) string { return "the audience " + args[1] + " was not added" },
			func(ctx context.Context, cl *client.Client, args []string) error {
				return cl.AddAudience(ctx, args[0], args[1])
			}),
		a.change("remove-audience PROVIDER AUDIENCE", "Accept them no longer", "  tacet oidc remove-audience https://gitlab.example tacet",
			func(args []string) string { return "the audience " + args[1] + " was not removed" },
			func(ctx context.Context, cl *client.Client, args []string) error {
				return cl.RemoveAudience(ctx, args[0], args[1])
			}))
}

func newOIDCCreateCommand(a *admin) *cobra.Command {
	var audiences, tags []string
	var jwks string
	var c *cobra.Command
	c = show(a, "create URL --audience AUDIENCE", "Make an OIDC issuer known",
		`  tacet oidc create https://token.actions.githubusercontent.com --audience sts.amazonaws.com
  kubectl get --raw /openid/v1/jwks | tacet oidc create https://kubernetes.default.svc.cluster.local --audience tacet --jwks-file -`, cobra.ExactArgs(1), "the provider was not created",
		func(ctx context.Context, cl *client.Client, args []string) (client.Provider, error) {
			list, err := parseTags(tags)
			if err != nil {
				return client.Provider{}, usage(err)
			}
			keys, err := readKeys(c, jwks)
			if err != nil {
				return client.Provider{}, err
			}
			return cl.CreateProvider(ctx, args[0], audiences, keys, list)
		}, func(p client.Provider) [][]string { return providerRows([]client.Provider{p}) })
	c.Flags().StringArrayVar(&audiences, "audience", nil, "an `audience` (client id) that tokens may be for; may be given again")
	c.Flags().StringVar(&jwks, "jwks-file", "", "`file` of the issuer's public keys, a JWK Set, - for standard input, for an issuer that the server cannot reach")
	c.Flags().StringArrayVar(&tags, "tag", nil, "a `KEY=VALUE`; may be given again")
	return c
}

// readKeys reads the keys of an issuer; "" names no file.
func readKeys(c *cobra.Command, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	keys, err := readInput(c.InOrStdin(), file)
	if err != nil {
		return "", fail(exitUsage, "the issuer's keys cannot be read", err, "")
	}
	return string(keys), nil
}

func providerRows(list []client.Provider) [][]string {
	rows := [][]string{{"URL", "AUDIENCES", "CREATED"}}
	for _, p := range list {
		rows = append(rows, []string{p.URL, strings.Join(p.Audiences, ", "), when(p.Created)})
	}
	return rows
}
