package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tacet/internal/server"
)

func newDoctorCommand() *cobra.Command {
	var config, format string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong with a deployment",
		Long: `Looks at the configuration, the key file, the certificate, the store, the disk, the
clock and the audit record, running server or not, and changes nothing. The exit
code is 1 when a check fails.`,
		Example: "  tacet doctor --config /etc/tacet/tacet.toml\n  tacet doctor --config tacet.toml -o json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			findings := server.Diagnose(c.Context(), config)
			if err := printAs(c, format, findings, findingsText(findings)); err != nil {
				return err
			}
			for _, f := range findings {
				if f.Status == server.StatusFail {
					return fail(exitFailed, "something is wrong", errors.New(f.Check+": "+f.Found), f.Next)
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&config, "config", defaultConfig, "the configuration `file`")
	outputFlag(c, &format)
	return c
}

func findingsText(findings []server.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		line := fmt.Sprintf("%-4s  %-10s  %s", f.Status, f.Check, strings.ReplaceAll(f.Found, "\n", " "))
		if f.Next != "" {
			line += "; " + f.Next
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
