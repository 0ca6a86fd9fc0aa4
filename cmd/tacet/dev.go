package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tacet/internal/server"
)

func newDevCommand() *cobra.Command {
	var dc server.DevConfig
	var envFile, level string
	var hosts bool
	c := &cobra.Command{
		Use:   "dev",
		Short: "Start a development server with everything made on the spot",
		Long: `Starts a server for the first minute and for tests: an embedded store, a certificate
authority, the vault main, an administrator. It prints the lines to paste. Every
region an SDK signs for is served. Without --data nothing is left behind.`,
		Example: `  tacet dev
  tacet dev --data ./tacet-data                       keep everything between starts
  tacet dev --listen 127.0.0.1:0 --tls-listen 127.0.0.1:0 --env-file tacet.env
  tacet dev --hosts                                   for Azure SDKs, where *.localhost does not resolve
  tacet dev --clock +40d                              a day when recovery windows have ended`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := new(slog.Level).UnmarshalText([]byte(level)); err != nil {
				return usage(errors.New("--log-level must be debug, info, warn or error"))
			}
			dc.Logger = newLogger(c.ErrOrStderr(), "text", level)
			if hosts {
				if err := nameHosts(c.ErrOrStderr()); err != nil {
					return err
				}
			}
			return runDev(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), dc, envFile)
		},
	}
	f := c.Flags()
	f.StringVar(&dc.DataDir, "data", "", "`folder` to keep the data in (default a temporary one)")
	f.StringVar(&dc.Listen, "listen", "127.0.0.1:8480", "`address` of plain HTTP, loopback only; port 0 is a free one")
	f.StringVar(&dc.TLSListen, "tls-listen", "127.0.0.1:8443", "`address` of HTTPS; port 0 is a free one")
	f.StringVar(&dc.AdminListen, "admin-listen", "", "`address` of metrics and profiles (default none)")
	f.StringVar(&dc.StoreURL, "store", "", "`URL` of another store, as postgres://... (default embedded)")
	f.StringVar(&dc.MetadataIdentity, "metadata-identity", "", "whose access tokens everybody on this machine may have from the metadata endpoint, `user/NAME or role/NAME` (default nobody's)")
	f.StringVar(&dc.Fsync, "fsync", "group", "when the records of reads are on disk: group or interval")
	f.Var((*offset)(&dc.Clock), "clock", "how far the clock is `ahead`, as +40d, -2h or +1h30m")
	f.BoolVar(&hosts, "hosts", false, "add the vault's host names to "+hostsFile+", or print the line to add")
	f.StringVar(&envFile, "env-file", "", "`file` to write KEY=VALUE lines to once the server answers")
	f.StringVar(&level, "log-level", "warn", "debug, info, warn or error")
	return c
}

// startTimeout is how long a server may take until it answers.
const startTimeout = 30 * time.Second

func runDev(ctx context.Context, out, errs io.Writer, dc server.DevConfig, envFile string) error {
	ctx, stop := stopOn(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	outliveReaders()
	easeCollector()
	d, err := server.StartDev(ctx, dc)
	if err != nil {
		return devFailure(err)
	}
	defer sayStopping(ctx, errs)()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	announced := make(chan error, 1)
	go func() {
		err := announce(ctx, out, d, dc, envFile)
		if err != nil {
			cancel()
		}
		announced <- err
	}()
	err = d.Run(ctx)
	cancel()
	if said := <-announced; said != nil && !errors.Is(said, context.Canceled) {
		return errors.Join(said, err)
	}
	if err != nil {
		return fail(exitFailed, "the development server ended badly", err, "see its log: --log-level debug")
	}
	return nil
}

// slowStop is how long stopping may take without a word.
const slowStop = time.Second

// sayStopping tells whoever interrupted the server what it is waiting for, when it is.
// The function it returns ends that.
func sayStopping(ctx context.Context, w io.Writer) (end func()) {
	ended := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-ctx.Done():
		case <-ended:
			return
		}
		select {
		case <-time.After(slowStop):
			_, _ = io.WriteString(w, "stopping; interrupt again to stop at once\n") // nowhere to report it to
		case <-ended:
		}
	})
	return func() {
		close(ended)
		wg.Wait()
	}
}

// announce waits until the server answers and tells how to use it.
func announce(ctx context.Context, out io.Writer, d *server.DevServer, dc server.DevConfig, envFile string) error {
	wait, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := d.WaitReady(wait); err != nil {
		return fail(exitFailed, "the development server does not answer", err, "see its log: --log-level debug")
	}
	vars := d.Environment()
	if envFile != "" {
		if err := server.WriteEnvironment(envFile, vars); err != nil {
			// Only the reason: the path in the error is that of a temporary file beside it.
			if path := (*fs.PathError)(nil); errors.As(err, &path) {
				err = path.Err
			}
			return fail(exitFailed, "the env file "+envFile+" cannot be written", err, "name a file in a folder that exists and can be written")
		}
	}
	_, err := io.WriteString(out, welcome(d, vars, dc.DataDir == ""))
	return err
}

func welcome(d *server.DevServer, vars []server.Variable, temporary bool) string {
	var b strings.Builder
	kept := "kept"
	if temporary {
		kept = "removed at the end; --data FOLDER keeps it"
	}
	value := map[string]string{}
	for _, v := range vars {
		value[v.Name] = v.Value
	}
	fmt.Fprintf(&b, "Tacet %s, a development server.\n\n  HTTP   %s\n  HTTPS  %s\n  data   %s (%s)\n",
		server.Version(), value["TACET_HTTP_URL"], value["TACET_HTTPS_URL"], d.DataDir, kept)
	if o := d.Clock.Offset(); o != 0 {
		fmt.Fprintf(&b, "  clock  %s\n", d.Clock.Now().UTC().Format(time.RFC3339))
	}
	b.WriteString("\nPaste into another terminal:\n\n")
	for _, v := range vars {
		if v.Name != "TACET_PID" {
			fmt.Fprintf(&b, "export %s=%s\n", v.Name, shellWord(v.Value))
		}
	}
	b.WriteString("unset AWS_SESSION_TOKEN AWS_PROFILE\n")
	b.WriteString("\nThen try:\n\n")
	b.WriteString("aws secretsmanager create-secret --name hello --secret-string world\n")
	b.WriteString("aws secretsmanager get-secret-value --secret-id hello\n")
	b.WriteString("\nInterrupt to stop.\n")
	return b.String()
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// shellWord quotes s for a POSIX shell where that is needed.
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// offset is a flag: a duration with a sign and, beyond what Go knows, days.
type offset time.Duration

// String returns the duration as Go writes it.
func (o *offset) String() string {
	if *o == 0 {
		return ""
	}
	return time.Duration(*o).String()
}

// Type names the flag's value in the help.
func (o *offset) Type() string { return "duration" }

// Set parses "+40d", "-2h", "+1d12h": a sign or none, days, and what Go calls a duration.
func (o *offset) Set(s string) error {
	if s == "0" {
		*o = 0
		return nil
	}
	m := offsetPattern.FindStringSubmatch(s)
	if m == nil || m[2] == "" && m[3] == "" {
		return errOffset
	}
	var total time.Duration
	for _, part := range []struct {
		text string
		unit time.Duration
	}{{m[2], 24}, {m[3], 1}} {
		if part.text == "" {
			continue
		}
		d, err := time.ParseDuration(strings.Replace(part.text, "d", "h", 1))
		if err != nil || d > maxOffset/part.unit {
			return errOffset
		}
		total += d * part.unit
	}
	if total > maxOffset {
		return errOffset
	}
	if m[1] == "-" {
		total = -total
	}
	*o = offset(total)
	return nil
}

var offsetPattern = regexp.MustCompile(`^([+-]?)([0-9.]+d)?((?:[0-9.]+(?:h|m|s|ms))*)$`)

// maxOffset is as far as a clock can be moved: a hundred years.
const maxOffset = 100 * 365 * 24 * time.Hour

var errOffset = errors.New("must be a time such as +40d, -2h or +1h30m, of a hundred years at most")
