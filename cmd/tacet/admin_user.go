package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

func newUserCommand(a *admin) *cobra.Command {
	return group("user", "Make, show and remove users and their policies",
		`  tacet user create ci
  tacet user policy put ci read-app policy.json
  tacet user attach ci readers
  tacet user show ci`,
		append(append(holderCommands(a, "user"), credentialCommands(a, "user")...), newUserCreateCommand(a), newUserListCommand(a), newUserShowCommand(a),
			a.renameCommand("user", (*client.Client).UpdateUser), newUserDeleteCommand(a))...)
}

func newUserCreateCommand(a *admin) *cobra.Command {
	var with newPrincipal
	var format string
	c := &cobra.Command{
		Use:     "create USER",
		Short:   "Make a user without any right",
		Long:    "Makes a user without any right. Names are unique in any case of letters.",
		Example: "  tacet user create ci\n  tacet user create ana --path /payments/ --tag team=payments",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			p, err := with.parse()
			if err != nil {
				return usage(err)
			}
			u, err := cl.CreateUser(c.Context(), args[0], p)
			if err != nil {
				return failed("the user "+args[0]+" was not created", err)
			}
			return emit(c, format, u, func() [][]string { return userRows([]client.User{u}) })
		}),
	}
	with.flags(c)
	formatFlag(c, &format)
	return c
}

func parseTags(list []string) ([]client.Tag, error) {
	var tags []client.Tag
	for _, s := range list {
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" {
			return nil, errors.New("--tag must be KEY=VALUE")
		}
		tags = append(tags, client.Tag{Key: k, Value: v})
	}
	return tags, nil
}

func newUserListCommand(a *admin) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the users of the account",
		Example: "  tacet user list\n  tacet user list -o json",
		Args:    cobra.NoArgs,
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, _ []string) error {
			users, err := cl.ListUsers(c.Context())
			if err != nil {
				return failed("the users cannot be listed", err)
			}
			return emit(c, format, users, func() [][]string { return userRows(users) })
		}),
	}
	formatFlag(c, &format)
	return c
}

func userRows(users []client.User) [][]string {
	rows := [][]string{{"NAME", "PATH", "ID", "CREATED"}}
	for _, u := range users {
		rows = append(rows, []string{u.Name, u.Path, u.ID, when(u.Created)})
	}
	return rows
}

// when shows a time in a table.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// userDetails is everything there is to show of a user.
type userDetails struct {
	client.User
	holdings
	Groups []string  `json:"groups"`
	Keys   []usedKey `json:"accessKeys"`
}

func newUserShowCommand(a *admin) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "show USER",
		Short:   "Show a user with its policies and access keys",
		Example: "  tacet user show ci\n  tacet user show ci -o json",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			d, err := userOf(c.Context(), cl, args[0])
			if err != nil {
				return failed("the user "+args[0]+" cannot be shown", err)
			}
			return emit(c, format, d, d.rows)
		}),
	}
	formatFlag(c, &format)
	return c
}

func userOf(ctx context.Context, cl *client.Client, name string) (d userDetails, err error) {
	if d.User, err = cl.GetUser(ctx, name); err != nil {
		return d, err
	}
	if d.holdings, err = holdingsOf(ctx, cl, client.Holder{Kind: "user", Name: name}); err != nil {
		return d, err
	}
	groups, err := cl.ListGroups(ctx, name)
	if err != nil {
		return d, err
	}
	d.Groups = []string{}
	for _, g := range groups {
		d.Groups = append(d.Groups, g.Name)
	}
	d.Keys, err = keysOf(ctx, cl, name)
	return d, err
}

func (d userDetails) rows() [][]string {
	rows := [][]string{{"Name", d.Name}, {"ARN", d.ARN}, {"ID", d.ID}, {"Created", when(d.Created)}}
	rows = append(rows, principalRows(d.Boundary, d.Tags, d.holdings)...)
	for _, g := range d.Groups {
		rows = append(rows, []string{"Group", g})
	}
	for _, k := range d.Keys {
		rows = append(rows, []string{"Access key", k.ID + ", " + activity(k.Active) + ", created " + when(k.Created) + ", last used " + k.lastUse()})
	}
	return rows
}

func newUserDeleteCommand(a *admin) *cobra.Command {
	return a.deleteCommand("user", "Remove a user", `Removes a user who has no access keys, groups and policies left. With --force these are
taken away first, each by a request of its own, the keys before all else.`, "ci", (*client.Client).DeleteUser)
}

// maxInput bounds what is read from a file: policies and checkpoints are small.
const maxInput = 32 << 10

// readInput reads a small file, or standard input for "-".
func readInput(stdin io.Reader, name string) ([]byte, error) {
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // only read
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err == nil && len(b) > maxInput {
		err = fmt.Errorf("%s is longer than %d bytes", name, maxInput)
	}
	return b, err
}
