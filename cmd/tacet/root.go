package main

import (
	"cmp"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

// run runs one command line and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	began := false
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		err := cmp.Or(c.ValidateRequiredFlags(), c.ValidateFlagGroups()) // which cobra does only after this
		began = err == nil
		return err
	}
	c, err := root.ExecuteC()
	if err == nil {
		return exitOK
	}
	if !began {
		// cobra refused the command line before any command saw it.
		err = usage(err)
	}
	report(stderr, err, "see "+c.CommandPath()+" --help")
	return exitCode(err)
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "tacet",
		Short: "A self-hosted secrets store that AWS's own clients speak to",
		Long:  "Tacet keeps secrets. Unmodified AWS SDKs and tools use it by changing an endpoint.",
		Example: `  tacet dev                              try it: a server with everything made on the spot
  tacet init --config tacet.toml         prepare a real one
  tacet server --config tacet.toml       serve
  tacet doctor --config tacet.toml       find out what is wrong`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpTemplate(helpTemplate)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.AddCommand(newDevCommand(), newInitCommand(), newServerCommand(), newDoctorCommand(), newVersionCommand())
	root.AddCommand(newAdminCommands()...)
	root.InitDefaultCompletionCmd()
	if c, _, err := root.Find([]string{"completion"}); err == nil && c != root {
		c.Example = "  source <(tacet completion bash)\n  tacet completion zsh > \"${fpath[1]}/_tacet\"\n  tacet completion fish | source"
		for _, shell := range c.Commands() {
			shell.Example = "  tacet completion " + shell.Name()
		}
	}
	return root
}

// The help of every command begins with examples: that is what most people look for.
const (
	helpTemplate = `{{with .Short}}{{.}}{{end}}
{{if .HasExample}}
Examples:
{{.Example}}
{{end}}{{if and .Long (ne .Long .Short)}}
{{.Long | trimTrailingWhitespaces}}
{{end}}{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}`

	usageTemplate = `
Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND

Commands:{{range .Commands}}{{if or .IsAvailableCommand (eq .Name "help")}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Flags of every command:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
`
)

// newLogger makes the log of a process: JSON lines for machines, text for people.
func newLogger(w io.Writer, format, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: l}
	if format == "text" {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}
