package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

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
		network = strings.Trim(fmt.Sprint(v.Network.Allowed), "[]")
	}
	return [][]string{{"Name", v.Name}, {"Account", v.Account}, {"Region", v.Region}, {"Created", when(v.Created)},
		{"Retention", count(v.RetentionDays, "day")}, {"Purge protection", strconv.FormatBool(v.PurgeProtection)},
		{"Goes by", grants}, {"Open to", network}, {"Tenant", v.Tenant}}
}

func newVaultUpdateCommand(a *admin) *cobra.Command {
	var format, tenant string
	var allowed []string
	var protect, accessPolicies, open bool
	c := &cobra.Command{
		Use:   "update NAME",
		Short: "Change the settings of a vault",
		Long: `Changes the settings that are given. Purge protection is never switched off again. With
--allow the vault's secrets can be used from the networks named alone, through both faces;
--allow-all opens it again.`,
		Example: `  tacet vault update main --access-policies
  tacet vault update main --access-policies=false
  tacet vault update main --allow 10.0.0.0/8 --allow 192.0.2.7/32`,
		Args: cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			var change client.VaultChange
			given := c.Flags().Changed
			if given("purge-protection") {
				change.PurgeProtection = &protect
			}
			if given("access-policies") {
				change.AccessPolicies = &accessPolicies
			}
			if given("tenant") {
				change.Tenant = &tenant
			}
			if given("allow") || open {
				change.Network = &client.NetworkRules{Deny: !open}
				for _, text := range allowed {
					p, err := netip.ParsePrefix(text)
					if err != nil {
						return usage(errors.New("--allow must be a network such as 192.0.2.0/24"))
					}
					change.Network.Allowed = append(change.Network.Allowed, p)
				}
			}
			v, err := cl.UpdateVault(c.Context(), args[0], change)
			if err != nil {
				return failed("the vault "+args[0]+" was not changed", err)
			}
			return emit(c, format, v, func() [][]string { return settingsRows(v) })
		}),
	}
	f := c.Flags()
	f.BoolVar(&protect, "purge-protection", false, "nobody ends a recovery window early")
	f.BoolVar(&accessPolicies, "access-policies", false, "go by access policies, not by role assignments")
	f.StringArrayVar(&allowed, "allow", nil, "let in this `network`, and no other that is not given; may be given again")
	f.BoolVar(&open, "allow-all", false, "let in every address")
	f.StringVar(&tenant, "tenant", "", "the `tenant` that its challenge names")
	c.MarkFlagsMutuallyExclusive("allow", "allow-all")
	formatFlag(c, &format)
	return c
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
