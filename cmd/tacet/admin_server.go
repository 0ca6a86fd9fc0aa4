package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

func newWhoamiCommand(a *admin) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "whoami",
		Short:   "Show who the access key in the environment belongs to",
		Example: "  tacet whoami\n  tacet whoami --env-file tacet.env",
		Args:    cobra.NoArgs,
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, _ []string) error {
			who, err := cl.WhoAmI(c.Context())
			if err != nil {
				return failed("the server does not say", err)
			}
			return emit(c, format, who, func() [][]string {
				return [][]string{{"Server", cl.Endpoint()}, {"ARN", who.ARN}, {"Account", who.Account}, {"User id", who.UserID}}
			})
		}),
	}
	formatFlag(c, &format)
	return c
}

func newClockCommand(a *admin) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "clock [OFFSET]",
		Short: "Show or move the clock of a development server",
		Long: `Shows how far the clock of a development server is ahead of its machine's, or sets
that, to see what time does to secrets. OFFSET is always counted from the machine's
clock: +40d twice is still forty days. +0s puts the clock right.`,
		Example: "  tacet clock\n  tacet clock +40d\n  tacet clock +1h30m\n  tacet clock -- -2h\n  tacet clock +0s",
		Args:    cobra.MaximumNArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			var d time.Duration
			var err error
			if len(args) == 1 {
				if err := (*offset)(&d).Set(args[0]); err != nil {
					return usage(fmt.Errorf("OFFSET %w", err))
				}
				err = cl.SetClockOffset(c.Context(), d)
				d = d.Truncate(time.Second)
			} else {
				d, err = cl.ClockOffset(c.Context())
			}
			if err != nil {
				return failed("the clock is not told or moved", err)
			}
			out := struct {
				Offset string `json:"offset"`
				// Seconds is the same for programs.
				Seconds int64 `json:"seconds"`
			}{showOffset(d), int64(d / time.Second)}
			return emit(c, format, out, func() [][]string { return [][]string{{out.Offset}} })
		}),
	}
	formatFlag(c, &format)
	return c
}

// showOffset writes a duration in the form that offset reads: "+40d", "-2h30m0s".
func showOffset(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	const day = 24 * time.Hour
	var b strings.Builder
	b.WriteString(sign)
	if d >= day {
		fmt.Fprintf(&b, "%dd", d/day)
	}
	if rest := d % day; rest != 0 || d < day {
		b.WriteString(rest.String())
	}
	return b.String()
}
