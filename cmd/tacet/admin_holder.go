package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

// What users, groups and roles have in common: policies of their own and managed ones,
// and, but for groups, a boundary and tags.

// change makes a command that makes one call and prints nothing when it is done.
func (a *admin) change(use, short, example string, what func(args []string) string,
	do func(ctx context.Context, cl *client.Client, args []string) error) *cobra.Command {
	n := len(strings.Fields(use)) - 1
	count := cobra.ExactArgs(n)
	if strings.HasSuffix(use, "...") {
		count = cobra.MinimumNArgs(n)
	}
	return &cobra.Command{Use: use, Short: short, Example: example, Args: count,
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			if err := do(c.Context(), cl, args); err != nil {
				return failed(what(args), err)
			}
			return nil
		})}
}

// renameCommand makes the command that gives a user or a group another name or path.
func (a *admin) renameCommand(kind string, update func(cl *client.Client, ctx context.Context, old, name, path string) error) *cobra.Command {
	var name, path string
	c := a.change("update "+strings.ToUpper(kind), "Give a "+kind+" another name or path", "  tacet "+kind+" update "+map[string]string{"user": "ana --name anna", "group": "ops --path /team/"}[kind],
		func(args []string) string { return "the " + kind + " " + args[0] + " was not changed" },
		func(ctx context.Context, cl *client.Client, args []string) error {
			if name == "" && path == "" {
				return usage(errors.New("--name or --path is missing"))
			}
			return update(cl, ctx, args[0], name, path)
		})
	c.Flags().StringVar(&name, "name", "", "the new `name`")
	c.Flags().StringVar(&path, "path", "", "the new `path`, as /team/")
	return c
}

// newPrincipal is the flags of what a user or a role is made with.
type newPrincipal struct {
	path, boundary string
	tags           []string
}

func (n *newPrincipal) flags(c *cobra.Command) {
	c.Flags().StringVar(&n.path, "path", "/", "`path` to keep principals apart by, as /team/")
	c.Flags().StringVar(&n.boundary, "boundary", "", "managed `POLICY` that limits what other policies grant")
	c.Flags().StringArrayVar(&n.tags, "tag", nil, "a `KEY=VALUE`; may be given again")
}

func (n *newPrincipal) parse() (client.NewPrincipal, error) {
	tags, err := parseTags(n.tags)
	return client.NewPrincipal{Path: n.path, Boundary: n.boundary, Tags: tags}, err
}

// holdings are the policies of a user, group or role.
type holdings struct {
	Policies []string `json:"policies"` // inline, by name
	Attached []string `json:"attached"` // managed, by ARN
}

func holdingsOf(ctx context.Context, cl *client.Client, h client.Holder) (out holdings, err error) {
	if out.Policies, err = cl.ListPolicies(ctx, h); err != nil {
		return out, err
	}
	out.Attached, err = cl.ListAttached(ctx, h)
	return out, err
}

// principalRows shows what principals have in common.
func principalRows(boundary string, tags []client.Tag, h holdings) [][]string {
	var rows [][]string
	for _, t := range tags {
		rows = append(rows, []string{"Tag", t.Key + "=" + t.Value})
	}
	for _, p := range h.Policies {
		rows = append(rows, []string{"Policy", p})
	}
	for _, p := range h.Attached {
		rows = append(rows, []string{"Attached", p})
	}
	if boundary != "" {
		rows = append(rows, []string{"Boundary", boundary})
	}
	return rows
}

// holderCommands are the commands that a kind of principal has in common with others.
func holderCommands(a *admin, kind string) []*cobra.Command {
	who, example := strings.ToUpper(kind), map[string]string{"user": "ci", "group": "ops", "role": "deploy"}[kind]
	at := func(name string) client.Holder { return client.Holder{Kind: kind, Name: name} }
	cmd := "  tacet " + kind + " "
	list := []*cobra.Command{
		newHolderPolicyCommand(a, kind, who, example),
		a.change("attach "+who+" POLICY", "Give a managed policy", cmd+"attach "+example+" readers\n"+cmd+"attach "+example+" aws/ReadOnlyAccess",
			func(args []string) string { return "the policy " + args[1] + " was not attached to " + args[0] },
			func(ctx context.Context, cl *client.Client, args []string) error {
				return cl.AttachPolicy(ctx, at(args[0]), args[1])
			}),
		a.change("detach "+who+" POLICY", "Take a managed policy away", cmd+"detach "+example+" readers",
			func(args []string) string { return "the policy " + args[1] + " was not detached from " + args[0] },
			func(ctx context.Context, cl *client.Client, args []string) error {
				return cl.DetachPolicy(ctx, at(args[0]), args[1])
			}),
	}
	if kind == "group" {
		return list
	}
	return append(list, newBoundaryCommand(a, at, who, cmd, example),
		a.change("tag "+who+" KEY=VALUE...", "Add tags, in place of those of the same keys", cmd+"tag "+example+" team=payments",
			func(args []string) string { return args[0] + " was not tagged" },
			func(ctx context.Context, cl *client.Client, args []string) error {
				tags, err := parseTags(args[1:])
				if err != nil {
					return usage(err)
				}
				return cl.Tag(ctx, at(args[0]), tags)
			}),
		a.change("untag "+who+" KEY...", "Remove tags", cmd+"untag "+example+" team",
			func(args []string) string { return "the tags of " + args[0] + " were not removed" },
			func(ctx context.Context, cl *client.Client, args []string) error {
				return cl.Untag(ctx, at(args[0]), args[1:])
			}))
}

func newBoundaryCommand(a *admin, at func(string) client.Holder, who, cmd, example string) *cobra.Command {
	return group("boundary", "Limit what the policies of a "+strings.ToLower(who)+" grant", cmd+"boundary put "+example+" limit",
		a.change("put "+who+" POLICY", "Limit what other policies grant by a managed policy", cmd+"boundary put "+example+" limit",
			func(args []string) string { return "the boundary of " + args[0] + " was not set" },
			func(ctx context.Context, cl *client.Client, args []string) error {
				return cl.PutBoundary(ctx, at(args[0]), args[1])
			}),
		a.change("delete "+who, "End the limit", cmd+"boundary delete "+example,
			func(args []string) string { return "the boundary of " + args[0] + " was not removed" },
			func(ctx context.Context, cl *client.Client, args []string) error {
				return cl.DeleteBoundary(ctx, at(args[0]))
			}))
}

func newHolderPolicyCommand(a *admin, kind, who, example string) *cobra.Command {
	cmd := "  tacet " + kind + " policy "
	at := func(name string) client.Holder { return client.Holder{Kind: kind, Name: name} }
	return group("policy", "Give, show and take the inline policies of a "+kind,
		cmd+"put "+example+" read-app policy.json\n"+cmd+"get "+example+" read-app",
		newPolicyPutCommand(a, at, who, cmd, example), newPolicyGetCommand(a, at, who, cmd, example), newPolicyListCommand(a, at, who, cmd, example),
		a.change("delete "+who+" POLICY", "Take an inline policy away", cmd+"delete "+example+" read-app",
			func(args []string) string { return "the policy " + args[1] + " was not taken from " + args[0] },
			func(ctx context.Context, cl *client.Client, args []string) error {
				return cl.DeletePolicy(ctx, at(args[0]), args[1])
			}))
}

func newPolicyPutCommand(a *admin, at func(string) client.Holder, who, cmd, example string) *cobra.Command {
	return &cobra.Command{
		Use:   "put " + who + " POLICY FILE",
		Short: "Give an inline policy, in place of the one of that name",
		Long:  "Gives an inline policy in AWS's policy language, in place of the one of that name. FILE\nis - for standard input.",
		Example: cmd + "put " + example + ` read-app policy.json
  echo '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Action":"secretsmanager:GetSecretValue","Resource":"*"}]}' |
  ` + cmd + "put " + example + " read-all -",
		Args: cobra.ExactArgs(3),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			doc, err := readPolicy(c, args[2])
			if err != nil {
				return err
			}
			if err := cl.PutPolicy(c.Context(), at(args[0]), args[1], doc); err != nil {
				return failed("the policy "+args[1]+" was not given to "+args[0], err)
			}
			return nil
		}),
	}
}

// readPolicy reads a policy document.
func readPolicy(c *cobra.Command, file string) (string, error) {
	doc, err := readInput(c.InOrStdin(), file)
	if err != nil {
		return "", fail(exitUsage, "the policy document cannot be read", err, "")
	}
	return string(doc), nil
}

func newPolicyGetCommand(a *admin, at func(string) client.Holder, who, cmd, example string) *cobra.Command {
	return &cobra.Command{
		Use:     "get " + who + " POLICY",
		Short:   "Print an inline policy as it was given",
		Example: cmd + "get " + example + " read-app",
		Args:    cobra.ExactArgs(2),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			doc, err := cl.GetPolicy(c.Context(), at(args[0]), args[1])
			if err != nil {
				return failed("the policy "+args[1]+" of "+args[0]+" cannot be shown", err)
			}
			return printDocument(c, doc)
		}),
	}
}

// printDocument prints a policy as it was given.
func printDocument(c *cobra.Command, doc string) error {
	_, err := io.WriteString(c.OutOrStdout(), strings.TrimRight(doc, "\n")+"\n")
	return err
}

func newPolicyListCommand(a *admin, at func(string) client.Holder, who, cmd, example string) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "list " + who,
		Short:   "List the names of inline policies",
		Example: cmd + "list " + example,
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			names, err := cl.ListPolicies(c.Context(), at(args[0]))
			if err != nil {
				return failed("the policies of "+args[0]+" cannot be listed", err)
			}
			return emit(c, format, names, func() [][]string {
				rows := [][]string{{"POLICY"}}
				for _, n := range names {
					rows = append(rows, []string{n})
				}
				return rows
			})
		}),
	}
	formatFlag(c, &format)
	return c
}
