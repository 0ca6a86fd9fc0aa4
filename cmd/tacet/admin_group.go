package main

import (
	"context"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

// show makes a command that prints what one call returns.
func show[T any](a *admin, use, short, example string, args cobra.PositionalArgs, what string,
	get func(ctx context.Context, cl *client.Client, args []string) (T, error), rows func(T) [][]string) *cobra.Command {
	var format string
	c := &cobra.Command{Use: use, Short: short, Example: example, Args: args,
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			v, err := get(c.Context(), cl, args)
			if err != nil {
				return failed(what, err)
			}
			return emit(c, format, v, func() [][]string { return rows(v) })
		})}
	formatFlag(c, &format)
	return c
}

func newGroupCommand(a *admin) *cobra.Command {
	return group("group", "Make, show and remove groups of users",
		`  tacet group create ops
  tacet group attach ops readers
  tacet group add ops ana
  tacet group show ops`,
		append(holderCommands(a, "group"), newGroupCreateCommand(a), a.renameCommand("group", (*client.Client).UpdateGroup),
			show(a, "list", "List the groups of the account", "  tacet group list", cobra.NoArgs, "the groups cannot be listed",
				func(ctx context.Context, cl *client.Client, _ []string) ([]client.Group, error) {
					return cl.ListGroups(ctx, "")
				}, groupRows),
			show(a, "show GROUP", "Show a group with its users and policies", "  tacet group show ops", cobra.ExactArgs(1), "the group cannot be shown",
				groupOf, groupDetails.rows),
			a.deleteCommand("group", "Remove a group", `Removes a group that has no users and policies left. With --force they are taken out of
it first, each by a request of its own; the users stay.`, "ops", (*client.Client).DeleteGroup),
			a.change("add GROUP USER", "Give a user the policies of a group", "  tacet group add ops ana",
				func(args []string) string { return args[1] + " was not added to " + args[0] },
				func(ctx context.Context, cl *client.Client, args []string) error {
					return cl.AddToGroup(ctx, args[0], args[1])
				}),
			a.change("remove GROUP USER", "Take a user out of a group", "  tacet group remove ops ana",
				func(args []string) string { return args[1] + " was not taken out of " + args[0] },
				func(ctx context.Context, cl *client.Client, args []string) error {
					return cl.RemoveFromGroup(ctx, args[0], args[1])
				}))...)
}

func newGroupCreateCommand(a *admin) *cobra.Command {
	var path string
	c := show(a, "create GROUP", "Make a group of nobody and without any right", "  tacet group create ops", cobra.ExactArgs(1), "the group was not created",
		func(ctx context.Context, cl *client.Client, args []string) (client.Group, error) {
			return cl.CreateGroup(ctx, args[0], path)
		}, func(g client.Group) [][]string { return groupRows([]client.Group{g}) })
	c.Flags().StringVar(&path, "path", "/", "`path` to keep groups apart by, as /team/")
	return c
}

func groupRows(groups []client.Group) [][]string {
	rows := [][]string{{"NAME", "PATH", "ID", "CREATED"}}
	for _, g := range groups {
		rows = append(rows, []string{g.Name, g.Path, g.ID, when(g.Created)})
	}
	return rows
}

// groupDetails is everything there is to show of a group.
type groupDetails struct {
	client.Group
	holdings
}

func groupOf(ctx context.Context, cl *client.Client, args []string) (d groupDetails, err error) {
	if d.Group, err = cl.GetGroup(ctx, args[0]); err != nil {
		return d, err
	}
	d.holdings, err = holdingsOf(ctx, cl, client.Holder{Kind: "group", Name: args[0]})
	return d, err
}

func (d groupDetails) rows() [][]string {
	rows := [][]string{{"Name", d.Name}, {"ARN", d.ARN}, {"ID", d.ID}, {"Created", when(d.Created)}}
	rows = append(rows, principalRows("", nil, d.holdings)...)
	for _, u := range d.Users {
		rows = append(rows, []string{"User", u})
	}
	return rows
}
