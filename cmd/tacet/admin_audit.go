package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"tacet"
	"tacet/internal/client"
	"tacet/internal/server"
)

func newAuditCommand(a *admin) *cobra.Command {
	return group("audit", "Read, export and verify the record of every request",
		`  tacet audit tail -f
  tacet audit verify
  tacet audit export --from 2026-11-01 --to 2026-12-01 -o november.jsonl
  tacet audit verify november.jsonl --key "$(cat tacet.vkey)"`,
		newTailCommand(a), newVerifyCommand(a), newExportCommand(a), newCheckpointCommand(a))
}

func newVerifyCommand(a *admin) *cobra.Command {
	var key, checkpoint, format string
	c := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Prove that the record was not changed",
		Long: `Without FILE the server reads its whole record again and checks it against the signed
tree; with --checkpoint also that it contains all that an earlier checkpoint covered,
which shows whether it was put back to an older state.

With FILE an export is verified here, without any server. --key is the deployment's
verifier key, as "tacet audit checkpoint --key" printed it when the deployment was
trusted; without it the export is only shown to agree with itself.`,
		Example: `  tacet audit verify
  tacet audit verify --checkpoint last-month.note
  tacet audit verify november.jsonl --key "$(cat tacet.vkey)"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				if key != "" {
					return usage(errors.New("--key is for an export: name the FILE"))
				}
				return a.ask(func(c *cobra.Command, cl *client.Client, _ []string) error {
					return verifyServer(c, cl, checkpoint, format)
				})(c, args)
			}
			if checkpoint != "" {
				return usage(errors.New("--checkpoint is for the server's record, not for an export"))
			}
			return verifyFile(c, args[0], key, format)
		},
	}
	c.Flags().StringVar(&key, "key", "", "the deployment's verifier `key`")
	c.Flags().StringVar(&checkpoint, "checkpoint", "", "`file` of an earlier checkpoint")
	formatFlag(c, &format)
	return c
}

func verifyServer(c *cobra.Command, cl *client.Client, checkpoint, format string) error {
	since := ""
	if checkpoint != "" {
		b, err := readInput(c.InOrStdin(), checkpoint)
		if err != nil {
			return fail(exitUsage, "the earlier checkpoint cannot be read", err, "")
		}
		if since = string(b); strings.TrimSpace(since) == "" {
			// Verifying without it would look as if it had been compared.
			return fail(exitUsage, "the earlier checkpoint cannot be used", errors.New(checkpoint+" holds no checkpoint"),
				"name a file that `tacet audit checkpoint` printed")
		}
	}
	r, err := cl.VerifyAudit(c.Context(), since)
	if err != nil {
		return failed("the record was not verified", err)
	}
	return conclude(c, format, server.AuditReport(r))
}

func verifyFile(c *cobra.Command, name, key, format string) error {
	f, err := os.Open(name)
	if err != nil {
		return fail(exitUsage, "the export cannot be read", err, "")
	}
	defer func() { _ = f.Close() }() // only read
	r, err := server.VerifyExport(f, strings.TrimSpace(key))
	if err != nil {
		return fail(exitFailed, "the export was not verified", err, "")
	}
	return conclude(c, format, r)
}

// conclude prints a report and fails when something does not hold.
func conclude(c *cobra.Command, format string, r server.AuditReport) error {
	if err := emit(c, format, r, func() [][]string { return reportRows(r) }); err != nil {
		return err
	}
	if r.Problem != "" {
		return fail(exitFailed, "the record does not hold", errors.New(r.Problem), "keep the store, the export and all checkpoints as they are, and find out who could write to them")
	}
	return nil
}

func reportRows(r server.AuditReport) [][]string {
	verdict := "ok"
	if r.Problem != "" {
		verdict = "FAILED: " + r.Problem
	}
	rows := [][]string{
		{"Verdict", verdict},
		{"Records", fmt.Sprint(r.Records)},
		{"Signed", fmt.Sprint(r.Signed)},
		{"Root", r.Root},
	}
	if !r.SignedAt.IsZero() {
		rows = append(rows, []string{"Signed at", when(r.SignedAt)})
	}
	if r.Key != "" {
		key := r.Key
		if r.KeyFromExport {
			key += " (the export's own: compare it with the deployment's)"
		}
		rows = append(rows, []string{"Key", key})
	}
	return rows
}

func newCheckpointCommand(a *admin) *cobra.Command {
	var key bool
	c := &cobra.Command{
		Use:   "checkpoint",
		Short: "Print a signed statement of how long the record is and what it hashes to",
		Long: `Prints a signed note. Keep it where the server's owner cannot write: "tacet audit
verify --checkpoint" shows later that nothing it covers was changed or put back.`,
		Example: "  tacet audit checkpoint > 2026-11.note\n  tacet audit checkpoint --key > tacet.vkey",
		Args:    cobra.NoArgs,
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, _ []string) error {
			cp, err := cl.Checkpoint(c.Context())
			if err != nil {
				return failed("there is no checkpoint", err)
			}
			out := cp.Note
			if key {
				out = cp.Key + "\n"
			}
			_, err = io.WriteString(c.OutOrStdout(), out)
			return err
		}),
	}
	c.Flags().BoolVar(&key, "key", false, "print the key that verifies checkpoints instead")
	return c
}

func newExportCommand(a *admin) *cobra.Command {
	var format, file, from, to string
	c := &cobra.Command{
		Use:   "export",
		Short: "Write the record as JSON lines that can be verified without a server",
		Example: `  tacet audit export -o record.jsonl
  tacet audit export --format cloudtrail --from 2026-11-01 --to 2026-12-01 -o november.jsonl
  tacet audit export --from 2026-11-23T06:00:00Z | grep '"denied"'`,
		Args: cobra.NoArgs,
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, _ []string) error {
			start, err1 := parseTime(from)
			end, err2 := parseTime(to)
			if err := errors.Join(err1, err2); err != nil {
				return usage(err)
			}
			write := func(w io.Writer) error { return cl.ExportAudit(c.Context(), w, format, start, end) }
			if file == "" || file == "-" {
				if err := write(c.OutOrStdout()); err != nil {
					return failed("the export is not complete", err)
				}
				return nil
			}
			if err := writeWhole(file, write); err != nil {
				return failed("the record was not exported", err)
			}
			return nil
		}),
	}
	c.Flags().StringVar(&format, "format", "tacet", "`tacet`, cloudtrail or azure")
	c.Flags().StringVar(&from, "from", "", "the first `time`, as 2026-11-01 or 2026-11-01T06:00:00Z (default the beginning)")
	c.Flags().StringVar(&to, "to", "", "the `time` to stop before (default the end)")
	c.Flags().StringVarP(&file, "output", "o", "-", "`file` to write, - for standard output")
	return c
}

// writeWhole writes a file that is there as a whole or not at all.
func writeWhole(name string, write func(io.Writer) error) error {
	f, err := renameio.NewPendingFile(name, renameio.WithPermissions(0o600))
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	if err = write(w); err == nil {
		err = w.Flush()
	}
	if err != nil {
		return errors.Join(err, f.Cleanup())
	}
	return f.CloseAtomicallyReplace()
}

// parseTime reads a date, which is its first moment in UTC, or a time. "" is the zero time.
func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2026-11-01 or 2026-11-01T06:00:00Z", s)
}

func newTailCommand(a *admin) *cobra.Command {
	t := &tail{seen: -1}
	c := &cobra.Command{
		Use:   "tail",
		Short: "Show the last records, and with -f those to come",
		Long: `Shows the last records, oldest first. Reading the record is recorded too; what -f
itself adds by asking is not shown. With -o json each record is a line.`,
		Example: "  tacet audit tail\n  tacet audit tail -f\n  tacet audit tail -n 1000 -o json | jq 'select(.record.outcome == \"denied\")'",
		Args:    cobra.NoArgs,
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, _ []string) error {
			if t.limit < 1 || t.limit > pageSize {
				return usage(fmt.Errorf("-n must be from 1 to %d; for more: tacet audit export", pageSize))
			}
			format, err := chooseFormat(c, t.format)
			if err != nil {
				return err
			}
			t.format, t.out, t.client = format, c.OutOrStdout(), cl
			return t.run(c.Context())
		}),
	}
	c.Flags().BoolVarP(&t.follow, "follow", "f", false, "go on with the records to come, until interrupted")
	c.Flags().IntVarP(&t.limit, "lines", "n", 20, "how many `records` to begin with")
	formatFlag(c, &t.format)
	return c
}

const (
	pageSize  = 1000
	tailPause = time.Second // between two questions of tail -f
)

// tail is one run of the command.
type tail struct {
	follow bool
	limit  int
	format string
	out    io.Writer
	client *client.Client

	seen int64 // the number of the last record that was shown or left out
}

func (t *tail) run(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	records, id, err := t.client.LastRecords(ctx, t.limit)
	if err != nil {
		return failed("the record cannot be read", err)
	}
	if t.format == formatTable {
		if err := t.line("TIME", "OUTCOME", "CALLER", "OPERATION", "FROM", "RESOURCE"); err != nil {
			return err
		}
	}
	own := map[string]bool{id: true}
	for {
		if err := t.show(records, own); err != nil || !t.follow {
			return err
		}
		if len(records) < pageSize {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(tailPause):
			}
		}
		records, id, err = t.client.RecordsAfter(ctx, t.seen, pageSize)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return failed("the record cannot be read on", err)
		}
		own[id] = true
	}
}

// show prints records, but those of the requests in own: each is seen once and then
// forgotten.
func (t *tail) show(records []client.Record, own map[string]bool) error {
	for _, r := range records {
		t.seen = r.Seq
		var rec tacet.Record
		err := json.Unmarshal(r.Record, &rec)
		if err != nil {
			return fail(exitFailed, fmt.Sprintf("record %d cannot be shown", r.Seq), err, "tacet audit verify")
		}
		if own[rec.RequestID] {
			delete(own, rec.RequestID)
			continue
		}
		if t.format == formatTable {
			err = t.line(when(rec.Time), rec.Outcome, callerName(rec.Caller), string(rec.Operation), rec.SourceIP, rec.Resource)
		} else {
			e := json.NewEncoder(t.out)
			e.SetEscapeHTML(false) // the record's own bytes
			err = e.Encode(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// line prints a row of columns that stay where they are however many follow.
func (t *tail) line(at, outcome, caller, op, from, resource string) error {
	_, err := fmt.Fprintf(t.out, "%-20s  %-7s  %-16s  %-24s  %-15s  %s\n",
		printable(at), printable(outcome), printable(caller), printable(op), printable(from), printable(resource))
	return err
}

// callerName shortens an ARN to what tells callers apart: "user/admin".
func callerName(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	name := parts[len(parts)-1]
	if role, ok := strings.CutSuffix(name, "/*"); ok { // whatever its session
		return strings.Replace(role, "assumed-role/", "role/", 1)
	}
	return name
}
