package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tacet/internal/server"
)

func newPolicyCommand(*admin) *cobra.Command {
	return group("policy", "Check policies",
		"  tacet policy check policy.json",
		newPolicyCheckCommand())
}

func newPolicyCheckCommand() *cobra.Command {
	var kind, format string
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Find what is wrong with policies, without a server",
		Long: `Reads policies and tells what a server would refuse, and what it would take and the author
hardly meant: actions and condition keys that do not exist, statements without effect,
principals that are everybody, wildcards where something is written. FILE is - for
standard input. The exit code is 1 when a policy has an error.`,
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
				lines = append(lines, one.File+": "+f.String())
			}
		}
		return lines
	})
	if err == nil && bad > 0 {
		return fail(exitFailed, "not all policies are right", errors.New(count(bad, "error")+" in "+fmt.Sprint(len(files))+" files"), "")
	}
	return err
}
