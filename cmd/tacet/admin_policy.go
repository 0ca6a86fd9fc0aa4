package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tacet/internal/client"
	"tacet/internal/server"
)

func newPolicyCommand(a *admin) *cobra.Command {
	return group("policy", "Make, change and check managed policies",
		`  tacet policy check policy.json
  tacet policy create readers policy.json
  tacet user attach ana readers
  tacet policy update readers policy.json`,
		newPolicyCheckCommand(), newManagedCreateCommand(a), newManagedUpdateCommand(a),
		show(a, "list", "List the managed policies of the account and those that every deployment has", "  tacet policy list", cobra.NoArgs, "the policies cannot be listed",
			func(ctx context.Context, cl *client.Client, _ []string) ([]client.ManagedPolicy, error) {
				return cl.ListManaged(ctx)
			}, managedRows),
		show(a, "show POLICY", "Show a managed policy, its text and who has it", "  tacet policy show readers\n  tacet policy show aws/ReadOnlyAccess", cobra.ExactArgs(1),
			"the policy cannot be shown", managedOf, managedDetails.rows),
		a.change("delete POLICY", "Remove a managed policy that nobody has, with its versions", "  tacet policy delete readers",
			func(args []string) string { return "the policy " + args[0] + " was not removed" }, deleteManaged),
		newManagedVersionsCommand(a))
}

func newManagedCreateCommand(a *admin) *cobra.Command {
	var path, description string
	var tags []string
	var file *cobra.Command
	file = show(a, "create POLICY FILE", "Make a managed policy, which nobody has yet",
		"  tacet policy create readers policy.json --description 'Reads what applications need'", cobra.ExactArgs(2), "the policy was not created",
		func(ctx context.Context, cl *client.Client, args []string) (client.ManagedPolicy, error) {
			list, err := parseTags(tags)
			if err != nil {
				return client.ManagedPolicy{}, usage(err)
			}
			doc, err := readPolicy(file, args[1])
			if err != nil {
				return client.ManagedPolicy{}, err
			}
			return cl.CreateManaged(ctx, args[0], path, description, doc, list)
		}, func(p client.ManagedPolicy) [][]string { return managedRows([]client.ManagedPolicy{p}) })
	file.Flags().StringVar(&path, "path", "/", "`path` to keep policies apart by, as /team/")
	file.Flags().StringVar(&description, "description", "", "what the policy is for")
	file.Flags().StringArrayVar(&tags, "tag", nil, "a `KEY=VALUE`; may be given again")
	return file
}

// maxVersions is how many versions of a policy a server keeps.
const maxVersions = 5

func newManagedUpdateCommand(a *admin) *cobra.Command {
	return &cobra.Command{
		Use:   "update POLICY FILE",
		Short: "Put a new text of a managed policy in force, for everybody who has it",
		Long: `Puts a new text of a managed policy in force. The earlier ones are kept, five versions in
all: where there is no room the oldest goes.`,
		Example: "  tacet policy update readers policy.json",
		Args:    cobra.ExactArgs(2),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			doc, err := readPolicy(c, args[1])
			if err != nil {
				return err
			}
			what := "the policy " + args[0] + " was not changed"
			versions, err := cl.ListVersions(c.Context(), args[0])
			if err != nil {
				return failed(what, err)
			}
			slices.SortFunc(versions, func(a, b client.PolicyVersion) int { return a.Created.Compare(b.Created) })
			versions = slices.DeleteFunc(versions, func(v client.PolicyVersion) bool { return v.InForce })
			if len(versions)+1 >= maxVersions {
				if err := cl.DeleteVersion(c.Context(), args[0], versions[0].Version); err != nil {
					return failed(what, err)
				}
			}
			if _, err := cl.UpdateManaged(c.Context(), args[0], doc); err != nil {
				return failed(what, err)
			}
			return nil
		}),
	}
}

func newManagedVersionsCommand(a *admin) *cobra.Command {
	return group("version", "Go back to an earlier text of a managed policy",
		"  tacet policy version list readers\n  tacet policy version use readers v1",
		show(a, "list POLICY", "List the versions of a managed policy", "  tacet policy version list readers", cobra.ExactArgs(1), "the versions cannot be listed",
			func(ctx context.Context, cl *client.Client, args []string) ([]client.PolicyVersion, error) {
				return cl.ListVersions(ctx, args[0])
			}, versionRows),
		&cobra.Command{Use: "get POLICY VERSION", Short: "Print a version as it was given", Example: "  tacet policy version get readers v1", Args: cobra.ExactArgs(2),
			RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
				v, err := cl.GetVersion(c.Context(), args[0], args[1])
				if err != nil {
					return failed("the version "+args[1]+" of "+args[0]+" cannot be shown", err)
				}
				return printDocument(c, v.Document)
			})},
		a.change("use POLICY VERSION", "Put a version in force", "  tacet policy version use readers v1",
			func(args []string) string { return "the version " + args[1] + " was not put in force" },
			func(ctx context.Context, cl *client.Client, args []string) error {
				return cl.SetVersion(ctx, args[0], args[1])
			}),
		a.change("delete POLICY VERSION", "Remove a version that is not in force", "  tacet policy version delete readers v1",
			func(args []string) string { return "the version " + args[1] + " was not removed" },
			func(ctx context.Context, cl *client.Client, args []string) error {
				return cl.DeleteVersion(ctx, args[0], args[1])
			}))
}

func versionRows(list []client.PolicyVersion) [][]string {
	rows := [][]string{{"VERSION", "IN FORCE", "CREATED"}}
	for _, v := range list {
		inForce := "no"
		if v.InForce {
			inForce = "yes"
		}
		rows = append(rows, []string{v.Version, inForce, when(v.Created)})
	}
	return rows
}

// deleteManaged removes a policy and, before it, the versions that are not in force.
func deleteManaged(ctx context.Context, cl *client.Client, args []string) error {
	holders, err := cl.ListHolders(ctx, args[0])
	if err != nil {
		return err
	}
	if len(holders) == 0 { // else the server refuses it, and nothing must be lost
		versions, err := cl.ListVersions(ctx, args[0])
		if err != nil {
			return err
		}
		for _, v := range versions {
			if !v.InForce {
				if err := cl.DeleteVersion(ctx, args[0], v.Version); err != nil {
					return err
				}
			}
		}
	}
	err = cl.DeleteManaged(ctx, args[0])
	if err != nil && errors.Is(err, client.ErrConflict) && len(holders) > 0 {
		by := make([]string, len(holders))
		for i, h := range holders {
			by[i] = h.Kind + "/" + h.Name
		}
		return fail(exitConflict, "the policy "+args[0]+" was not removed", err, "take it from those who hold it: "+strings.Join(by, ", "))
	}
	return err
}

func managedRows(list []client.ManagedPolicy) [][]string {
	rows := [][]string{{"NAME", "VERSION", "ATTACHED", "BOUNDARIES", "ARN"}}
	for _, p := range list {
		rows = append(rows, []string{p.Name, p.Version, strconv.Itoa(p.Attached), strconv.Itoa(p.Boundaries), p.ARN})
	}
	return rows
}

// managedDetails is everything there is to show of a managed policy.
type managedDetails struct {
	client.ManagedPolicy
	Holders []client.PolicyHolder `json:"holders"`
}

func managedOf(ctx context.Context, cl *client.Client, args []string) (d managedDetails, err error) {
	if d.ManagedPolicy, err = cl.GetManaged(ctx, args[0]); err != nil {
		return d, err
	}
	d.Holders, err = cl.ListHolders(ctx, args[0])
	return d, err
}

func (d managedDetails) rows() [][]string {
	rows := [][]string{{"Name", d.Name}, {"ARN", d.ARN}, {"ID", d.ID}, {"Version", d.Version}, {"Changed", when(d.Updated)}}
	if d.Description != "" {
		rows = append(rows, []string{"Description", d.Description})
	}
	rows = append(rows, principalRows("", d.Tags, holdings{})...)
	for _, h := range d.Holders {
		rows = append(rows, []string{"Held by", h.Kind + "/" + h.Name})
	}
	return append(rows, []string{"Document", strings.Join(strings.Fields(d.Document), " ")})
}

func newPolicyCheckCommand() *cobra.Command {
	var kind, format string
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Find what is wrong with policies, without a server",
		Long: `Reads policies and tells what a server would refuse, and what it would take and the author
hardly meant: actions and condition keys that do not exist, statements without effect,
principals that are everybody, wildcards where something is written. Each finding says
the file, the line, the column and the element. FILE is - for standard input. The exit
code is 1 when a policy has an error, and 0 for warnings and notes.`,
		Example: `  tacet policy check policy.json
  tacet policy check --kind trust trust.json
  tacet policy check policies/*.json --json | jq '.[].findings[]'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return checkPolicies(c, args, kind, format) },
	}
	c.Flags().StringVar(&kind, "kind", "", "what kind of policy: `"+strings.Join(server.PolicyKinds(), ", ")+"` (default what it looks like)")
	formatFlag(c, &format)
	return c
}

// checked is what was found in one file.
type checked struct {
	File     string                 `json:"file"`
	Kind     string                 `json:"kind"`
	Findings []server.PolicyFinding `json:"findings"`
}

func checkPolicies(c *cobra.Command, files []string, kind, format string) error {
	var all []checked
	bad := 0
	for _, file := range files {
		text, err := readInput(c.InOrStdin(), file)
		if err != nil {
			return fail(exitUsage, "the policy document cannot be read", err, "")
		}
		findings, taken, err := server.CheckPolicy(kind, text)
		if err != nil {
			return usage(err)
		}
		all = append(all, checked{file, taken, append([]server.PolicyFinding{}, findings...)})
		for _, f := range findings {
			if server.IsPolicyError(f) {
				bad++
			}
		}
	}
	err := emitText(c, format, all, func() []string {
		var lines []string
		for _, one := range all {
			if len(one.Findings) == 0 {
				lines = append(lines, one.File+": nothing to object to ("+one.Kind+")")
			}
			for _, f := range one.Findings {
				at := one.File
				if f.Line > 0 {
					at += fmt.Sprintf(":%d:%d", f.Line, f.Column)
				}
				lines = append(lines, at+": "+f.String())
			}
		}
		return lines
	})
	if err == nil && bad > 0 {
		return fail(exitFailed, "not all policies are right", errors.New(count(bad, "error")+" in "+count(len(files), "file")), "")
	}
	return err
}
