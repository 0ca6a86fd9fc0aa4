package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

func newAccountCommand(a *admin) *cobra.Command {
	return group("account", "Make and list accounts, each with principals and secrets of its own",
		"  (umask 077; tacet account create 000000000002 -o env > payments.env)\n  tacet account list",
		newAccountCreateCommand(a),
		show(a, "list", "List the accounts of the deployment", "  tacet account list", cobra.NoArgs, "the accounts cannot be listed",
			func(ctx context.Context, cl *client.Client, _ []string) ([]client.Account, error) {
				return cl.ListAccounts(ctx)
			}, accountRows))
}

func newAccountCreateCommand(a *admin) *cobra.Command {
	var region, name, administrator string
	var out secretOutput
	c := &cobra.Command{
		Use:   "create ACCOUNT",
		Short: "Make an account's administrator and print his access key, this once",
		Long: `Makes the first user of an account, who may do everything in it, and his access key,
which is printed with its secret as "tacet key create" does. The account's first vault is
made too, unless it has one. From then on the account's own principals manage it; nobody
else can, and there is no way back in but theirs.

Only principals of the account that the deployment belongs to, that of the first vault,
can be let to do so (tacet:CreateAccount).`,
		Example: `  (umask 077; tacet account create 000000000002 -o env > payments.env)
  tacet account create 000000000003 --region eu-west-1 --name team-eu --administrator ana --reveal`,
		Args: cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			return out.create(c, "the account "+args[0]+" was not made", func(ctx context.Context) (madeSecret, error) {
				made, err := cl.CreateAccount(ctx, args[0], region, name, administrator)
				return madeKey(made.Key.AccessKey, made.Key.Secret), err
			})
		}),
	}
	// It takes the place of the --region of the vault that is called.
	c.Flags().StringVar(&region, "region", "", "the `region` of the account's vault (default $AWS_REGION)")
	c.Flags().StringVar(&name, "name", "", "the vault's `name` (default account- and the number)")
	c.Flags().StringVar(&administrator, "administrator", "", "the user's `name` (default admin)")
	out.flags(c)
	return c
}

func accountRows(accounts []client.Account) [][]string {
	rows := [][]string{{"ACCOUNT", "USERS", "ROLES", "VAULTS", "OPERATES"}}
	for _, account := range accounts {
		var vaults []string
		for _, v := range account.Vaults {
			vaults = append(vaults, v.Name+" ("+v.Region+")")
		}
		operates := ""
		if account.Operator {
			operates = "this deployment"
		}
		rows = append(rows, []string{account.Account, fmt.Sprint(account.Users), fmt.Sprint(account.Roles), strings.Join(vaults, ", "), operates})
	}
	return rows
}
