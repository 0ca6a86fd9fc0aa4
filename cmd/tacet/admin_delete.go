package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

// What has to go before a user, a group or a role can be removed.

// obstacle is one thing that is in the way.
type obstacle struct {
	name   string
	remove func(ctx context.Context) error
}

// deleteCommand makes the command that removes a user, a group or a role. It says what is
// in the way, and with --force removes that first.
func (a *admin) deleteCommand(kind, short, long, example string, remove func(*client.Client, context.Context, string) error) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:     "delete " + strings.ToUpper(kind),
		Short:   short,
		Long:    long,
		Example: "  tacet " + kind + " delete " + example + "\n  tacet " + kind + " delete " + example + " --force",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			name, what := args[0], "the "+kind+" "+args[0]+" was not removed"
			var e *client.Error
			err := remove(cl, c.Context(), name)
			if !errors.As(err, &e) || e.Code != "InUse" {
				return failedUnless(what, err)
			}
			list, listed := obstacles(c.Context(), cl, kind, name)
			if !force {
				next := ""
				if listed == nil && len(list) > 0 {
					next = "tacet " + kind + " delete " + name + " --force removes these first: " + names(list)
				}
				return fail(exitConflict, what, err, next)
			}
			if listed != nil {
				return failed(what, listed)
			}
			for _, o := range list {
				if err := o.remove(c.Context()); err != nil {
					return failed(what+": "+o.name+" is in the way", err)
				}
			}
			return failedUnless(what, remove(cl, c.Context(), name))
		}),
	}
	c.Flags().BoolVar(&force, "force", false, "remove first what is in the way")
	return c
}

// failedUnless is failed, and nil for no error.
func failedUnless(what string, err error) error {
	if err == nil {
		return nil
	}
	return failed(what, err)
}

func names(list []obstacle) string {
	out := make([]string, len(list))
	for i, o := range list {
		out[i] = o.name
	}
	return strings.Join(out, ", ")
}

// obstacles lists what is in the way, in the order in which it is safe to remove: what
// gives access comes before what limits it.
func obstacles(ctx context.Context, cl *client.Client, kind, name string) ([]obstacle, error) {
	h := client.Holder{Kind: kind, Name: name}
	first, err := accessOf(ctx, cl, h)
	if err != nil {
		return nil, err
	}
	held, err := holdingsOf(ctx, cl, h)
	if err != nil {
		return nil, err
	}
	for _, arn := range held.Attached {
		first = append(first, obstacle{"the policy " + readable(arn), func(ctx context.Context) error { return cl.DetachPolicy(ctx, h, arn) }})
	}
	if i := slices.Index(held.Policies, revoking); i >= 0 { // it ends the sessions of a role, so it goes last
		held.Policies = append(slices.Delete(held.Policies, i, i+1), revoking)
	}
	for _, p := range held.Policies {
		first = append(first, obstacle{"the inline policy " + p, func(ctx context.Context) error { return cl.DeletePolicy(ctx, h, p) }})
	}
	return first, nil
}

// revoking is the inline policy of [newRevokeCommand].
const revoking = "AWSRevokeOlderSessions"

// accessOf lists the keys and the groups of a user, or the users of a group.
func accessOf(ctx context.Context, cl *client.Client, h client.Holder) (out []obstacle, err error) {
	switch h.Kind {
	case "group":
		g, err := cl.GetGroup(ctx, h.Name)
		for _, user := range g.Users {
			out = append(out, obstacle{"its user " + user, func(ctx context.Context) error { return cl.RemoveFromGroup(ctx, h.Name, user) }})
		}
		return out, err
	case "role":
		return nil, nil
	}
	keys, err := cl.ListAccessKeys(ctx, h.Name)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		out = append(out, obstacle{"the access key " + k.ID, func(ctx context.Context) error { return cl.DeleteAccessKey(ctx, h.Name, k.ID) }})
	}
	groups, err := cl.ListGroups(ctx, h.Name)
	for _, g := range groups {
		out = append(out, obstacle{"the group " + g.Name, func(ctx context.Context) error { return cl.RemoveFromGroup(ctx, g.Name, h.Name) }})
	}
	return out, err
}
