package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/spf13/cobra"
)

// secretOutput is where something new and its secret go.
type secretOutput struct {
	format string
	reveal bool
}

func (o *secretOutput) flags(c *cobra.Command) {
	c.Flags().BoolVar(&o.reveal, "reveal", false, "print the secret even to a terminal")
	c.Flags().StringVarP(&o.format, "output", "o", "", "env or json (default env on a terminal, json elsewhere)")
}

// A madeSecret is something new with its secret, which is never given again.
type madeSecret struct {
	shown any    // as JSON
	env   string // lines of KEY=VALUE
	name  string
	undo  string // the command that removes it
}

// create makes something and prints it, if there is where it may be printed and in a form
// that there is: what cannot be printed is lost.
func (o *secretOutput) create(c *cobra.Command, what string, create func(context.Context) (madeSecret, error)) error {
	format, out := o.format, c.OutOrStdout()
	if isTerminal(out) {
		if !o.reveal {
			return fail(exitUsage, what, errors.New("its secret would be printed to a terminal"), "redirect the output, or add --reveal")
		}
		format = cmp.Or(format, formatEnv)
	}
	if format = cmp.Or(format, formatJSON); format != formatEnv && format != formatJSON {
		return usage(errors.New("-o must be env or json"))
	}
	m, err := create(c.Context())
	if err != nil {
		return failed(what, err)
	}
	if format == formatEnv {
		_, err = io.WriteString(out, m.env)
	} else {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		err = e.Encode(m.shown)
	}
	if err != nil {
		return fail(exitFailed, "the "+m.name+" was made, but it could not be printed and is lost", err, m.undo+", and make another")
	}
	return nil
}
