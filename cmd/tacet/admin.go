package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"tacet/internal/client"
	"tacet/internal/server"
)

// newAdminCommands returns the commands that ask a running server: each calls it once
// or a few times as the user whose access key the environment holds. Secrets come from
// the environment, a file or standard input, never from the command line, which every
// process on a machine can read.
func newAdminCommands() []*cobra.Command {
	a := &admin{getenv: os.Getenv}
	commands := []*cobra.Command{
		newUserCommand(a), newGroupCommand(a), newRoleCommand(a), newPolicyCommand(a), newKeyCommand(a), newOIDCCommand(a),
		newRoleAssignmentCommand(a), newRoleDefinitionCommand(a),
		newAccountCommand(a), newVaultCommand(a), newAuditCommand(a), newClockCommand(a), newWhoamiCommand(a),
		newWhyCommand(a), newCanCommand(a), newWhoCanCommand(a), newCredentialProcessCommand(a),
	}
	for _, c := range commands {
		f := c.PersistentFlags()
		f.StringVar(&a.endpoint, "endpoint", "", "the server's `URL` (default $TACET_HTTPS_URL, $TACET_HTTP_URL, $AWS_ENDPOINT_URL or $AWS_ENDPOINT_URL_STS)")
		f.StringVar(&a.region, "region", "", "the vault's `region` (default $AWS_REGION)")
		f.StringVar(&a.caFile, "ca-file", "", "`file` of the certificates to trust (default $TACET_CA_FILE, else the system's)")
		f.StringVar(&a.envFile, "env-file", "", "read these variables from a `file` of KEY=VALUE lines instead, as tacet dev writes it")
	}
	return commands
}

// admin is what the commands have in common: how to find the server and who asks.
type admin struct {
	endpoint, region, caFile, envFile string

	getenv func(string) string
}

// client makes the client that the flags and, below them, the environment describe.
func (a *admin) client() (*client.Client, error) { return a.connect(client.New) }

// connect is client with the way to make one.
func (a *admin) connect(make func(client.Config) (*client.Client, error)) (*client.Client, error) {
	getenv := a.getenv
	if a.envFile != "" {
		vars, err := readEnvFile(a.envFile)
		if err != nil {
			return nil, fail(exitUsage, "the --env-file cannot be read", err, "")
		}
		getenv = func(name string) string { return vars[name] }
	}
	cfg := client.FromEnvironment(getenv)
	if a.endpoint != "" {
		cfg.Endpoint = a.endpoint
	}
	if a.region != "" {
		cfg.Region = a.region
	}
	if a.caFile != "" {
		cfg.CAFile = a.caFile
	}
	cfg.UserAgent = "tacet/" + server.Version()
	c, err := make(cfg)
	const what = "the server cannot be asked"
	switch {
	case errors.Is(err, client.ErrNoEndpoint):
		return nil, fail(exitUsage, what, err, "to try Tacet, start: tacet dev --env-file tacet.env, and add --env-file tacet.env here")
	case errors.Is(err, client.ErrNoCredentials):
		return nil, fail(exitAuth, what, err, "set them to an access key of this server")
	case err != nil:
		return nil, fail(exitUsage, what, err, "")
	}
	return c, nil
}

// ask makes the RunE of a command that calls a server.
func (a *admin) ask(run func(c *cobra.Command, cl *client.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		if err := namesNotARNs(c.Use, args); err != nil {
			return usage(err)
		}
		cl, err := a.client()
		if err != nil {
			return err
		}
		return run(c, cl, args)
	}
}

// namesNotARNs refuses the ARN of a user, a group or a role where a command's usage has the
// name of one of the account: the ARN may be another account's.
func namesNotARNs(use string, args []string) error {
	for i, word := range strings.Fields(use)[1:] {
		if i < len(args) && (word == "USER" || word == "GROUP" || word == "ROLE") && strings.HasPrefix(args[i], "arn:") {
			return fmt.Errorf("%s is a name: of %s that is %s", word, args[i], args[i][strings.LastIndexByte(args[i], '/')+1:])
		}
	}
	return nil
}

// readEnvFile reads KEY=VALUE lines. Its errors name lines, never their text.
func readEnvFile(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	vars := map[string]string{}
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		line := strings.TrimPrefix(strings.TrimSpace(s.Text()), "export ")
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("%s: line %d is not KEY=VALUE", path, n)
		}
		vars[name] = strings.Trim(value, `'"`)
	}
	return vars, s.Err()
}

// failed says what could not be done because of an error of the client, with the exit
// code that belongs to it.
func failed(what string, err error) error {
	var f *failure
	switch {
	case errors.As(err, &f): // it has its own words already
		return err
	case errors.Is(err, client.ErrNotFound):
		return fail(exitNotFound, what, err, "")
	case errors.Is(err, client.ErrUnauthenticated):
		return fail(exitAuth, what, err, "see that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are an active key of this server")
	case errors.Is(err, client.ErrDenied):
		return fail(exitDenied, what, err, "an administrator finds out with: tacet why "+decisionOf(err))
	case errors.Is(err, client.ErrConflict):
		return fail(exitConflict, what, err, "")
	case errors.Is(err, client.ErrInvalid):
		return fail(exitUsage, what, err, "")
	case errors.Is(err, client.ErrUnreachable):
		return fail(exitUnreachable, what, err, "see that the server runs and that --endpoint or TACET_HTTPS_URL is its address")
	}
	return fail(exitFailed, what, err, "")
}

// decisionOf is the id of a refused decision, or what stands for it.
func decisionOf(err error) string {
	var e *client.Error
	if errors.As(err, &e) && e.DecisionID != "" {
		return e.DecisionID
	}
	return "ID"
}

// The forms of output.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatEnv   = "env"
)

// formatFlag adds -o. Without it people get a table and programs get JSON.
func formatFlag(c *cobra.Command, format *string) {
	c.Flags().StringVarP(format, "output", "o", "", "table or json (default table on a terminal, json elsewhere)")
	c.Flags().BoolFunc("json", "the same as -o json", func(string) error {
		*format = formatJSON
		return nil
	})
}

// emit prints v as JSON, or the rows of a table, whose first is its head.
func emit(c *cobra.Command, format string, v any, rows func() [][]string) error {
	format, err := chooseFormat(c, format)
	if err != nil {
		return err
	}
	if format == formatJSON {
		e := json.NewEncoder(c.OutOrStdout())
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, row := range rows() {
		for i := range row {
			row[i] = printable(row[i])
		}
		if _, err := io.WriteString(w, strings.Join(row, "\t")+"\n"); err != nil {
			return err
		}
	}
	return w.Flush()
}

func chooseFormat(c *cobra.Command, format string) (string, error) {
	switch format {
	case formatTable, formatJSON:
		return format, nil
	case "":
		if isTerminal(c.OutOrStdout()) {
			return formatTable, nil
		}
		return formatJSON, nil
	}
	return "", usage(errors.New("-o must be table or json"))
}

// printable takes out what could move a terminal's cursor or colours: names and user
// agents in tables were chosen by callers.
func printable(s string) string {
	if s == "" {
		return "-"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}

// isTerminal reports whether w is a terminal: a character device other than the null
// device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// group makes a command that only holds others.
func group(use, short, example string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Example: example, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return usage(errors.New("a command is missing after " + use)) }}
	c.AddCommand(commands...)
	return c
}
