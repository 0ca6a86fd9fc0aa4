package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

func newVaultCommand(a *admin) *cobra.Command {
	return group("vault", "Make, list, change and remove vaults: accounts in regions",
		"  tacet vault list\n  tacet vault create main-eu eu-west-1 --retention 30 --purge-protection\n  tacet vault update main --allow 10.0.0.0/8",
		newVaultListCommand(a), newVaultCreateCommand(a), newVaultShowCommand(a), newVaultUpdateCommand(a), newVaultDeleteCommand(a), newVaultNamesCommand(a), newAccessPolicyCommand(a))
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
	var with vaultChange
	c := &cobra.Command{
		Use:   "create NAME REGION",
		Short: "Make the vault of an account in a region",
		Long: `Makes the vault of an account in a region, so that secrets can be kept there and
replicated to it. How long its deleted secrets can be recovered is chosen now and stays;
the rest can be changed with "tacet vault update".`,
		Example: `  tacet vault create main-eu eu-west-1
  tacet vault create legal eu-central-1 --retention 30 --purge-protection --allow 10.0.0.0/8
  tacet vault create payments us-east-1 --account 000000000002 --access-policies`,
		Args: cobra.ExactArgs(2),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			change, err := with.parse(c)
			if err != nil {
				return usage(err)
			}
			if account == "" {
				who, err := cl.WhoAmI(c.Context())
				if err != nil {
					return failed("the account is not known", err)
				}
				account = who.Account
			}
			v, err := cl.CreateVault(c.Context(), args[0], account, args[1], change)
			if err != nil {
				return failed("the vault "+args[0]+" was not made", err)
			}
			return emit(c, format, v, func() [][]string { return settingsRows(v) })
		}),
	}
	c.Flags().StringVar(&account, "account", "", "the `account`, twelve digits (default the caller's)")
	with.flags(c)
	formatFlag(c, &format)
	return c
}

func newVaultShowCommand(a *admin) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "show NAME",
		Short:   "Show a vault with its settings",
		Example: "  tacet vault show main",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			v, err := cl.GetVault(c.Context(), args[0])
			if err != nil {
				return failed("the vault "+args[0]+" cannot be shown", err)
			}
			return emit(c, format, v, func() [][]string { return settingsRows(v) })
		}),
	}
	formatFlag(c, &format)
	return c
}

func settingsRows(v client.VaultSettings) [][]string {
	grants, network := "role assignments", "everybody"
	if v.AccessPolicies {
		grants = "access policies"
	}
	if v.Network.Deny {
		network = cmp.Or(strings.Trim(fmt.Sprint(v.Network.Allowed), "[]"), "nobody")
	}
	return [][]string{{"Name", v.Name}, {"Account", v.Account}, {"Region", v.Region}, {"Created", when(v.Created)},
		{"Retention", count(v.RetentionDays, "day")}, {"Purge protection", strconv.FormatBool(v.PurgeProtection)},
		{"Goes by", grants}, {"Open to", network}, {"Tenant", v.Tenant}}
}

func newVaultUpdateCommand(a *admin) *cobra.Command {
	var format string
	var with vaultChange
	c := &cobra.Command{
		Use:   "update NAME",
		Short: "Change the settings of a vault",
		Long: `Changes the settings that are given. Purge protection is never switched off again, and
the retention is not changed. With --allow the vault's secrets can be used from the
networks named alone, through both faces; --allow-all opens it again.`,
		Example: `  tacet vault update main --access-policies
  tacet vault update main --access-policies=false
  tacet vault update main --allow 10.0.0.0/8 --allow 192.0.2.7/32`,
		Args: cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			change, err := with.parse(c)
			if err != nil {
				return usage(err)
			}
			v, err := cl.UpdateVault(c.Context(), args[0], change)
			if err != nil {
				return failed("the vault "+args[0]+" was not changed", err)
			}
			return emit(c, format, v, func() [][]string { return settingsRows(v) })
		}),
	}
	with.flags(c)
	formatFlag(c, &format)
	return c
}

// vaultChange is the flags that choose what a vault is like.
type vaultChange struct {
	retention                     int
	protect, policies, open, shut bool
	allowed                       []string
	tenant                        string
}

func (v *vaultChange) flags(c *cobra.Command) {
	f := c.Flags()
	f.IntVar(&v.retention, "retention", 0, "how many `days` deleted secrets can be recovered, 7 to 90; of a new vault (default 90)")
	f.BoolVar(&v.protect, "purge-protection", false, "nobody ends a recovery window early")
	f.BoolVar(&v.policies, "access-policies", false, "go by access policies, not by role assignments")
	f.StringArrayVar(&v.allowed, "allow", nil, "let in this `network` or address, and no other that is not given; may be given again")
	f.BoolVar(&v.open, "allow-all", false, "let in every address")
	f.BoolVar(&v.shut, "allow-none", false, "let in no address")
	f.StringVar(&v.tenant, "tenant", "", "the `tenant` that its challenge names")
	c.MarkFlagsMutuallyExclusive("allow", "allow-all", "allow-none")
}

// parse returns what was given.
func (v *vaultChange) parse(c *cobra.Command) (client.VaultChange, error) {
	in := client.VaultChange{RetentionDays: given(c, "retention", &v.retention), PurgeProtection: given(c, "purge-protection", &v.protect),
		AccessPolicies: given(c, "access-policies", &v.policies), Tenant: given(c, "tenant", &v.tenant)}
	if len(v.allowed) == 0 && !v.open && !v.shut {
		return in, nil
	}
	in.Network = &client.NetworkRules{Deny: !v.open}
	for _, text := range v.allowed {
		p, err := netip.ParsePrefix(text)
		if a, aerr := netip.ParseAddr(text); aerr == nil {
			p, err = a.Prefix(a.BitLen())
		}
		if err != nil {
			return in, errors.New("--allow must be a network such as 192.0.2.0/24, or an address")
		}
		in.Network.Allowed = append(in.Network.Allowed, p)
	}
	return in, nil
}

// given returns the value of a flag, nil if it was not given.
func given[T any](c *cobra.Command, flag string, value *T) *T {
	if !c.Flags().Changed(flag) {
		return nil
	}
	return value
}

func newVaultDeleteCommand(a *admin) *cobra.Command {
	return &cobra.Command{
		Use:     "delete NAME",
		Short:   "Remove an empty vault and erase its keys",
		Example: "  tacet vault delete main-eu",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			if err := cl.DeleteVault(c.Context(), args[0]); err != nil {
				return failed("the vault "+args[0]+" was not removed", err)
			}
			return nil
		}),
	}
}

func newVaultNamesCommand(a *admin) *cobra.Command {
	var unreachable bool
	var format string
	c := &cobra.Command{
		Use:   "names VAULT",
		Short: "List what a vault's secrets are called in Azure, and which are not there",
		Long: `Lists the secrets of a vault by name, each with the name that Azure's clients find it
under: "/" is "--" there. A secret is not there when Azure's names do not have its
characters, when its name is too long (beyond 127), or when its name means another secret
there: the one that is called exactly so, or else the oldest. Deleted secrets keep their
names until they are purged. A secret without a value is not there until it has one.`,
		Example: `  tacet vault names main
  tacet vault names main --unreachable
  tacet vault names main -o json`,
		Args: cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			names, err := cl.ListSecretNames(c.Context(), args[0], unreachable)
			if err != nil {
				return failed("the names in the vault "+args[0]+" cannot be listed", err)
			}
			return emit(c, format, names, func() [][]string { return nameRows(names) })
		}),
	}
	c.Flags().BoolVar(&unreachable, "unreachable", false, "only the secrets that Azure does not reach")
	formatFlag(c, &format)
	return c
}

func nameRows(names []client.SecretName) [][]string {
	rows := [][]string{{"NAME", "IN AZURE", "WHY NOT", "STATE"}}
	for _, n := range names {
		state := ""
		if n.Deleted {
			state = "deleted"
		}
		rows = append(rows, []string{n.Name, n.Shown, n.Why, state})
	}
	return rows
}
