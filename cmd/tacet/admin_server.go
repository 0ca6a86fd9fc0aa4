package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

func newVaultCommand(a *admin) *cobra.Command {
	return group("vault", "Make, list, change and remove vaults: accounts in regions",
		"  tacet vault list\n  tacet vault create main-eu eu-west-1",
		newVaultListCommand(a), newVaultCreateCommand(a), newVaultShowCommand(a), newVaultUpdateCommand(a), newVaultDeleteCommand(a), newAccessPolicyCommand(a))
}

func newVaultListCommand(a *admin) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the vaults of the deployment",
		Example: "  tacet vault list",
		Args:    cobra.NoArgs,
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, _ []string) error {
			vaults, err := cl.ListVaults(c.Context())
			if err != nil {
				return failed("the vaults cannot be listed", err)
			}
			return emit(c, format, vaults, func() [][]string { return vaultRows(vaults) })
		}),
	}
	formatFlag(c, &format)
	return c
}

func vaultRows(vaults []client.Vault) [][]string {
	rows := [][]string{{"NAME", "ACCOUNT", "REGION", "CREATED"}}
	for _, v := range vaults {
		rows = append(rows, []string{v.Name, v.Account, v.Region, when(v.Created)})
	}
	return rows
}

func newVaultCreateCommand(a *admin) *cobra.Command {
	var account, format string
	c := &cobra.Command{
		Use:     "create NAME REGION",
		Short:   "Make the vault of an account in a region",
		Long:    "Makes the vault of an account in a region, so that secrets can be kept there and\nreplicated to it.",
		Example: "  tacet vault create main-eu eu-west-1\n  tacet vault create payments us-east-1 --account 000000000002",
		Args:    cobra.ExactArgs(2),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			if account == "" {
				who, err := cl.WhoAmI(c.Context())
				if err != nil {
					return failed("the account is not known", err)
				}
				account = who.Account
			}
			v, err := cl.CreateVault(c.Context(), args[0], account, args[1])
			if err != nil {
				return failed("the vault "+args[0]+" was not made", err)
			}
			return emit(c, format, v, func() [][]string { return vaultRows([]client.Vault{v}) })
		}),
	}
	c.Flags().StringVar(&account, "account", "", "the `account`, twelve digits (default the caller's)")
	formatFlag(c, &format)
	return c
}

func newWhoamiCommand(a *admin) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "whoami",
		Short:   "Show who the access key in the environment belongs to",
		Example: "  tacet whoami\n  tacet whoami --env-file tacet.env",
		Args:    cobra.NoArgs,
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, _ []string) error {
			who, err := cl.WhoAmI(c.Context())
			if err != nil {
				return failed("the server does not say", err)
			}
			return emit(c, format, who, func() [][]string {
				return [][]string{{"Server", cl.Endpoint()}, {"ARN", who.ARN}, {"Account", who.Account}, {"User id", who.UserID}}
			})
		}),
	}
	formatFlag(c, &format)
	return c
}

func newClockCommand(a *admin) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "clock [OFFSET]",
		Short: "Show or move the clock of a development server",
		Long: `Shows how far the clock of a development server is ahead of its machine's, or sets
that, to see what time does to secrets. OFFSET is always counted from the machine's
clock: +40d twice is still forty days. +0s puts the clock right.`,
		Example: "  tacet clock\n  tacet clock +40d\n  tacet clock +1h30m\n  tacet clock -- -2h\n  tacet clock +0s",
		Args:    cobra.MaximumNArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			var d time.Duration
			var err error
			if len(args) == 1 {
				if err := (*offset)(&d).Set(args[0]); err != nil {
					return usage(fmt.Errorf("OFFSET %w", err))
				}
				err = cl.SetClockOffset(c.Context(), d)
				d = d.Truncate(time.Second)
			} else {
				d, err = cl.ClockOffset(c.Context())
			}
			if err != nil {
				return failed("the clock is not told or moved", err)
			}
			out := struct {
				Offset string `json:"offset"`
				// Seconds is the same for programs.
				Seconds int64 `json:"seconds"`
			}{showOffset(d), int64(d / time.Second)}
			return emit(c, format, out, func() [][]string { return [][]string{{out.Offset}} })
		}),
	}
	formatFlag(c, &format)
	return c
}

// showOffset writes a duration in the form that offset reads: "+40d", "-2h30m0s".
func showOffset(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	const day = 24 * time.Hour
	var b strings.Builder
	b.WriteString(sign)
	if d >= day {
		fmt.Fprintf(&b, "%dd", d/day)
	}
	if rest := d % day; rest != 0 || d < day {
		b.WriteString(rest.String())
	}
	return b.String()
}
