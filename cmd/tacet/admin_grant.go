package main

import (
	"strings"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

func newRoleAssignmentCommand(a *admin) *cobra.Command {
	return group("role-assignment", "Give, list and take back Azure's roles at vaults and their secrets",
		`  tacet role-assignment create --assignee app --role "Key Vault Secrets User" --vault main
  tacet role-assignment list --vault main
  tacet role-assignment delete 2f8b3c1e-6f0a-8a55-9d3c-0b8d2f6f9a11 --vault main`,
		newAssignmentCreateCommand(a), newAssignmentListCommand(a), newAssignmentDeleteCommand(a))
}

func newAssignmentCreateCommand(a *admin) *cobra.Command {
	var in client.NewAssignment
	var format string
	c := &cobra.Command{
		Use:   "create",
		Short: "Give somebody a role at a vault, or at one of its secrets",
		Long: `Gives a user, group or role a role of Azure's at a vault or at one secret of it: what
the role's data actions name is allowed, through both faces. With --deny it is refused
instead, whatever else allows it. A role at one secret does not let anybody list.

The assignee may be of any account: an object id or client id, an ARN, user/NAME,
group/NAME, role/NAME or the name of a user or role of your own account. The right to do
this is tacet:CreateRoleAssignment on arn:aws:tacet:::vault/NAME.`,
		Example: `  tacet role-assignment create --assignee app --role "Key Vault Secrets User" --vault main
  tacet role-assignment create --assignee group/ops --role "Key Vault Secrets Officer" --vault main --secret app/db
  tacet role-assignment create --assignee app --role "Key Vault Secrets User" --vault main --secret root-password --deny`,
		Args: cobra.NoArgs,
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, _ []string) error {
			out, err := cl.CreateRoleAssignment(c.Context(), in)
			if err != nil {
				return failed("the role was not assigned", err)
			}
			return emit(c, format, out, func() [][]string { return assignmentRows([]client.Assignment{out}) })
		}),
	}
	c.Flags().StringVar(&in.Principal, "assignee", "", "`who` gets it")
	c.Flags().StringVar(&in.Role, "role", "", "the role's `name` or id; see tacet role-definition list")
	c.Flags().StringVar(&in.Secret, "secret", "", "only at the secret of this `name`")
	c.Flags().BoolVar(&in.Deny, "deny", false, "refuse what the role would grant")
	vaultFlag(c, &in.Vault)
	require(c, "assignee", "role")
	formatFlag(c, &format)
	return c
}

// vaultFlag adds --vault, without which nothing is granted or taken.
func vaultFlag(c *cobra.Command, vault *string) {
	c.Flags().StringVar(vault, "vault", "", "the vault's `name`")
	require(c, "vault")
}

// require makes flags that the command has ones that must be given.
func require(c *cobra.Command, flags ...string) {
	for _, f := range flags {
		_ = c.MarkFlagRequired(f) // its only error is that there is no such flag
	}
}

func newAssignmentListCommand(a *admin) *cobra.Command {
	var vault, format string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List who has which role at a vault and its secrets",
		Example: "  tacet role-assignment list --vault main",
		Args:    cobra.NoArgs,
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, _ []string) error {
			list, err := cl.ListRoleAssignments(c.Context(), vault)
			if err != nil {
				return failed("the role assignments cannot be listed", err)
			}
			return emit(c, format, list, func() [][]string { return assignmentRows(list) })
		}),
	}
	vaultFlag(c, &vault)
	formatFlag(c, &format)
	return c
}

func assignmentRows(list []client.Assignment) [][]string {
	rows := [][]string{{"ID", "EFFECT", "ROLE", "SCOPE", "PRINCIPAL"}}
	for _, x := range list {
		effect, scope := "allow", "vaults/"+x.Vault
		if x.Deny {
			effect = "deny"
		}
		if x.Secret != "" {
			scope += "/secrets/" + x.Secret
		}
		rows = append(rows, []string{x.ID, effect, x.Role, scope, x.Principal})
	}
	return rows
}

func newAssignmentDeleteCommand(a *admin) *cobra.Command {
	var vault string
	c := &cobra.Command{
		Use:     "delete ID",
		Short:   "Take back a role assignment or a deny assignment",
		Example: "  tacet role-assignment delete 2f8b3c1e-6f0a-8a55-9d3c-0b8d2f6f9a11 --vault main",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			if err := cl.DeleteRoleAssignment(c.Context(), vault, args[0]); err != nil {
				return failed("the assignment "+args[0]+" was not removed", err)
			}
			return nil
		}),
	}
	vaultFlag(c, &vault)
	return c
}

func newRoleDefinitionCommand(a *admin) *cobra.Command {
	return group("role-definition", "List, make and remove the roles that can be assigned",
		`  tacet role-definition list
  tacet role-definition create Rotator --data-action 'Microsoft.KeyVault/vaults/secrets/*' --not-data-action '*/purge/action'
  tacet role-definition delete Rotator`,
		newDefinitionListCommand(a), newDefinitionCreateCommand(a), newDefinitionDeleteCommand(a))
}

func newDefinitionListCommand(a *admin) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List Azure's built-in roles and the account's own",
		Example: "  tacet role-definition list -o table",
		Args:    cobra.NoArgs,
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, _ []string) error {
			list, err := cl.ListRoleDefinitions(c.Context())
			if err != nil {
				return failed("the roles cannot be listed", err)
			}
			return emit(c, format, list, func() [][]string { return definitionRows(list) })
		}),
	}
	formatFlag(c, &format)
	return c
}

func definitionRows(list []client.RoleDefinition) [][]string {
	rows := [][]string{{"NAME", "ID", "DATA ACTIONS", "LESS"}}
	for _, d := range list {
		rows = append(rows, []string{d.Name, d.ID, shortActions(d.DataActions), shortActions(d.NotDataActions)})
	}
	return rows
}

// shortActions leaves out what nearly all data actions begin with.
func shortActions(actions []string) string {
	return strings.ReplaceAll(strings.Join(actions, ", "), "Microsoft.KeyVault/vaults/", "")
}

func newDefinitionCreateCommand(a *admin) *cobra.Command {
	var in client.NewRoleDefinition
	var format string
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a role of the account's own",
		Long: `Makes a role that can be assigned at vaults of the account. It grants the data actions
that are named, less those under --not-data-action; * stands for any run of characters.`,
		Example: `  tacet role-definition create Rotator --data-action 'Microsoft.KeyVault/vaults/secrets/*' --not-data-action '*/purge/action'
  tacet role-definition create Lister --data-action Microsoft.KeyVault/vaults/secrets/readMetadata/action --assignable-vault main`,
		Args: cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			in.Name = args[0]
			d, err := cl.CreateRoleDefinition(c.Context(), in)
			if err != nil {
				return failed("the role "+args[0]+" was not made", err)
			}
			return emit(c, format, d, func() [][]string { return definitionRows([]client.RoleDefinition{d}) })
		}),
	}
	f := c.Flags()
	f.StringArrayVar(&in.DataActions, "data-action", nil, "a data `action` that it grants; may be given again")
	f.StringArrayVar(&in.NotDataActions, "not-data-action", nil, "a data `action` that it does not; may be given again")
	f.StringArrayVar(&in.Vaults, "assignable-vault", nil, "a `vault` it can be assigned at (default all of the account); may be given again")
	f.StringVar(&in.Description, "description", "", "`text` to remember it by")
	require(c, "data-action")
	formatFlag(c, &format)
	return c
}

func newDefinitionDeleteCommand(a *admin) *cobra.Command {
	return &cobra.Command{
		Use:     "delete ROLE",
		Short:   "Remove a role of the account's own that is not assigned",
		Example: "  tacet role-definition delete Rotator",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			if err := cl.DeleteRoleDefinition(c.Context(), args[0]); err != nil {
				return failed("the role "+args[0]+" was not removed", err)
			}
			return nil
		}),
	}
}

func newAccessPolicyCommand(a *admin) *cobra.Command {
	return group("access-policy", "Set, list and delete the access policies of a vault that goes by them",
		"  tacet vault access-policy set main app get list\n  tacet vault access-policy delete main app",
		newAccessPolicySetCommand(a), newAccessPolicyListCommand(a), newAccessPolicyDeleteCommand(a))
}

func newAccessPolicySetCommand(a *admin) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "set VAULT PRINCIPAL PERMISSION...",
		Short: "Give somebody permissions on the secrets of a vault, in place of those he had",
		Long: `Gives a principal permissions on all secrets of a vault: get, list, set, delete, recover,
backup, restore, purge or all. They are in force while the vault goes by access policies;
otherwise it goes by role assignments.`,
		Example: "  tacet vault access-policy set main app get list\n  tacet vault access-policy set main role/deploy all",
		Args:    cobra.MinimumNArgs(3),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			out, err := cl.SetAccessPolicy(c.Context(), args[0], args[1], args[2:])
			if err != nil {
				return failed("the access policy was not set", err)
			}
			return emit(c, format, out, func() [][]string { return accessPolicyRows([]client.Assignment{out}) })
		}),
	}
	formatFlag(c, &format)
	return c
}

func accessPolicyRows(list []client.Assignment) [][]string {
	rows := [][]string{{"PRINCIPAL", "OBJECT ID", "SECRETS"}}
	for _, x := range list {
		rows = append(rows, []string{x.Principal, x.ObjectID, strings.Join(x.Permissions, ", ")})
	}
	return rows
}

func newAccessPolicyListCommand(a *admin) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "list VAULT",
		Short:   "List the access policies of a vault",
		Example: "  tacet vault access-policy list main",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			list, err := cl.ListAccessPolicies(c.Context(), args[0])
			if err != nil {
				return failed("the access policies cannot be listed", err)
			}
			return emit(c, format, list, func() [][]string { return accessPolicyRows(list) })
		}),
	}
	formatFlag(c, &format)
	return c
}

func newAccessPolicyDeleteCommand(a *admin) *cobra.Command {
	return &cobra.Command{
		Use:     "delete VAULT PRINCIPAL",
		Short:   "Take somebody's permissions on the secrets of a vault away",
		Example: "  tacet vault access-policy delete main app",
		Args:    cobra.ExactArgs(2),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			if err := cl.DeleteAccessPolicy(c.Context(), args[0], args[1]); err != nil {
				return failed("the access policy was not removed", err)
			}
			return nil
		}),
	}
}
