package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

func newRoleCommand(a *admin) *cobra.Command {
	return group("role", "Make, show and remove roles, which others assume for a while",
		`  tacet role create deploy --trust trust.json
  tacet role attach deploy readers
  tacet role revoke-sessions deploy
  tacet role show deploy`,
		append(append(holderCommands(a, "role"), credentialCommands(a, "role")...), newRoleCreateCommand(a), newRoleUpdateCommand(a), newRoleTrustCommand(a),
			show(a, "list", "List the roles of the account", "  tacet role list", cobra.NoArgs, "the roles cannot be listed",
				func(ctx context.Context, cl *client.Client, _ []string) ([]client.Role, error) {
					return cl.ListRoles(ctx)
				}, roleRows),
			show(a, "show ROLE", "Show a role with its trust policy and its policies", "  tacet role show deploy", cobra.ExactArgs(1), "the role cannot be shown",
				roleOf, roleDetails.rows),
			a.deleteCommand("role", "Remove a role, and end its sessions", `Removes a role that has no policies left, and ends its sessions. With --force its policies
are taken away first, each by a request of its own.`, "deploy", (*client.Client).DeleteRole),
			newRevokeCommand(a))...)
}

func newRevokeCommand(a *admin) *cobra.Command {
	c := a.change("revoke-sessions ROLE", "End the sessions of a role that have begun until now", "  tacet role revoke-sessions deploy",
		func(args []string) string { return "the sessions of " + args[0] + " were not ended" },
		func(ctx context.Context, cl *client.Client, args []string) error {
			return cl.RevokeSessions(ctx, args[0])
		})
	c.Long = `Ends the sessions of a role that have begun until now, on every node with their next
request: gives the role the inline policy AWSRevokeOlderSessions, as AWS's console does,
which denies everything to sessions older than this moment. Who may assume the role may
do so again.`
	return c
}

func newRoleCreateCommand(a *admin) *cobra.Command {
	var with newPrincipal
	var trust, description, format string
	var longest time.Duration
	c := &cobra.Command{
		Use:   "create ROLE --trust FILE",
		Short: "Make a role without any right",
		Long:  "Makes a role without any right. The trust policy says who may assume it.",
		Example: `  tacet role create deploy --trust trust.json
  tacet role create ci --trust github.json --max-session 2h --tag team=payments`,
		Args: cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			p, err := with.parse()
			if err != nil {
				return usage(err)
			}
			doc, err := readPolicy(c, trust)
			if err != nil {
				return err
			}
			r, err := cl.CreateRole(c.Context(), args[0], doc, description, int(longest/time.Second), p)
			if err != nil {
				return failed("the role "+args[0]+" was not created", err)
			}
			return emit(c, format, r, func() [][]string { return roleRows([]client.Role{r}) })
		}),
	}
	with.flags(c)
	c.Flags().StringVar(&trust, "trust", "", "`file` of the trust policy, - for standard input")
	c.Flags().StringVar(&description, "description", "", "what the role is for")
	c.Flags().DurationVar(&longest, "max-session", 0, "the longest session, from 1h to 12h (default 1h)")
	_ = c.MarkFlagRequired("trust") // it is there
	formatFlag(c, &format)
	return c
}

func newRoleUpdateCommand(a *admin) *cobra.Command {
	var description string
	var longest time.Duration
	c := a.change("update ROLE", "Change a role's description or its longest session", "  tacet role update deploy --max-session 4h", nil, nil)
	c.RunE = a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
		n := int(longest / time.Second)
		d, seconds := given(c, "description", &description), given(c, "max-session", &n)
		if d == nil && seconds == nil {
			return usage(fmt.Errorf("--description or --max-session is missing"))
		}
		if err := cl.UpdateRole(c.Context(), args[0], d, seconds); err != nil {
			return failed("the role "+args[0]+" was not changed", err)
		}
		return nil
	})
	c.Flags().StringVar(&description, "description", "", "what the role is for")
	c.Flags().DurationVar(&longest, "max-session", 0, "the longest session, from 1h to 12h")
	return c
}

func newRoleTrustCommand(a *admin) *cobra.Command {
	return &cobra.Command{
		Use:     "trust ROLE FILE",
		Short:   "Replace the trust policy, which says who may assume the role",
		Example: "  tacet role trust deploy trust.json",
		Args:    cobra.ExactArgs(2),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			doc, err := readPolicy(c, args[1])
			if err != nil {
				return err
			}
			if err := cl.SetTrust(c.Context(), args[0], doc); err != nil {
				return failed("the trust policy of "+args[0]+" was not replaced", err)
			}
			return nil
		}),
	}
}

func roleRows(roles []client.Role) [][]string {
	rows := [][]string{{"NAME", "PATH", "ID", "MAX SESSION", "CREATED"}}
	for _, r := range roles {
		rows = append(rows, []string{r.Name, r.Path, r.ID, (time.Duration(r.MaxSession) * time.Second).String(), when(r.Created)})
	}
	return rows
}

// roleDetails is everything there is to show of a role.
type roleDetails struct {
	client.Role
	holdings
}

func roleOf(ctx context.Context, cl *client.Client, args []string) (d roleDetails, err error) {
	if d.Role, err = cl.GetRole(ctx, args[0]); err != nil {
		return d, err
	}
	d.holdings, err = holdingsOf(ctx, cl, client.Holder{Kind: "role", Name: args[0]})
	return d, err
}

func (d roleDetails) rows() [][]string {
	rows := [][]string{{"Name", d.Name}, {"ARN", d.ARN}, {"ID", d.ID}, {"Created", when(d.Created)}, {"Last used", when(d.LastUsed)},
		{"Max session", (time.Duration(d.MaxSession) * time.Second).String()}}
	if d.Description != "" {
		rows = append(rows, []string{"Description", d.Description})
	}
	rows = append(rows, principalRows(d.Boundary, d.Tags, d.holdings)...)
	return append(rows, []string{"Trust", strings.Join(strings.Fields(d.Trust), " ")})
}
