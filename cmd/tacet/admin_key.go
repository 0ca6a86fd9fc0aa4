package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"tacet/internal/client"
)

func newKeyCommand(a *admin) *cobra.Command {
	return group("key", "Make, list, switch and remove access keys",
		`  tacet key create ci -o env > ci.env
  tacet key list ci
  tacet key deactivate ci AKIAIOSFODNN7EXAMPLE`,
		newKeyCreateCommand(a), newKeyListCommand(a),
		newKeySwitchCommand(a, "activate", "Let an access key sign again", true),
		newKeySwitchCommand(a, "deactivate", "Stop an access key from signing, until it is activated again", false),
		newKeyDeleteCommand(a))
}

func newKeyCreateCommand(a *admin) *cobra.Command {
	var out secretOutput
	c := &cobra.Command{
		Use:   "create USER",
		Short: "Make an access key and print it with its secret, this once",
		Long: `Makes an access key of a user and prints it with its secret, which is never given
again. It is not printed to a terminal, where it would stay, unless --reveal asks for
that.`,
		Example: "  (umask 077; tacet key create ci -o env > ci.env)\n  tacet key create ci -o json | deploy-credentials\n  tacet key create ci --reveal",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			return out.create(c, "no key of "+args[0]+" was made", func(ctx context.Context) (client.AccessKey, string, error) {
				return cl.CreateAccessKey(ctx, args[0])
			})
		}),
	}
	out.flags(c)
	return c
}

// secretOutput is where a new access key and its secret go.
type secretOutput struct {
	format string
	reveal bool
}

func (o *secretOutput) flags(c *cobra.Command) {
	c.Flags().BoolVar(&o.reveal, "reveal", false, "print the secret even to a terminal")
	c.Flags().StringVarP(&o.format, "output", "o", "", "env or json (default env on a terminal, json elsewhere)")
}

// create makes a key and prints it, if there is where it may be printed.
func (o *secretOutput) create(c *cobra.Command, what string, create func(context.Context) (client.AccessKey, string, error)) error {
	terminal := isTerminal(c.OutOrStdout())
	if terminal && !o.reveal {
		return fail(exitUsage, what, errors.New("its secret would be printed to a terminal"), "redirect the output, or add --reveal")
	}
	print, err := keyPrinter(o.format, terminal)
	if err != nil {
		return err
	}
	key, secret, err := create(c.Context())
	if err != nil {
		return failed(what, err)
	}
	if err := print(c.OutOrStdout(), key, secret); err != nil {
		return fail(exitFailed, "the key "+key.ID+" was made, but it could not be printed and is lost", err,
			"tacet key delete "+key.User+" "+key.ID+", and make another")
	}
	return nil
}

// keyPrinter returns what prints a key and its secret in a format. It is chosen before
// the key is made: a secret that cannot be printed is lost.
func keyPrinter(format string, terminal bool) (func(io.Writer, client.AccessKey, string) error, error) {
	if format == "" {
		format = formatJSON
		if terminal {
			format = formatEnv
		}
	}
	switch format {
	case formatEnv:
		return func(w io.Writer, k client.AccessKey, secret string) error {
			_, err := fmt.Fprintf(w, "AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n", k.ID, secret)
			return err
		}, nil
	case formatJSON:
		return func(w io.Writer, k client.AccessKey, secret string) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(struct {
				client.AccessKey
				Secret string `json:"secret"`
			}{k, secret})
		}, nil
	}
	return nil, usage(errors.New("-o must be env or json"))
}

func newKeyListCommand(a *admin) *cobra.Command {
	return show(a, "list USER", "List a user's access keys and when they were last used", "  tacet key list ci", cobra.ExactArgs(1), "the keys cannot be listed",
		func(ctx context.Context, cl *client.Client, args []string) ([]usedKey, error) {
			return keysOf(ctx, cl, args[0])
		}, func(keys []usedKey) [][]string {
			rows := [][]string{{"ACCESS KEY", "STATUS", "CREATED", "LAST USED", "FOR"}}
			for _, k := range keys {
				rows = append(rows, []string{k.ID, activity(k.Active), when(k.Created), k.lastUse(), k.Service})
			}
			return rows
		})
}

// usedKey is an access key with its last use, as far as the caller may know of that.
type usedKey struct {
	client.AccessKey
	LastUsed time.Time `json:"lastUsed,omitzero"`
	Service  string    `json:"lastUsedFor,omitempty"`
	hidden   bool      // whether it was used must not be known
}

func keysOf(ctx context.Context, cl *client.Client, user string) ([]usedKey, error) {
	keys, err := cl.ListAccessKeys(ctx, user)
	if err != nil {
		return nil, err
	}
	out := []usedKey{}
	for _, k := range keys {
		use, err := cl.LastUse(ctx, k.ID)
		hidden := errors.Is(err, client.ErrDenied)
		if err != nil && !hidden {
			return nil, err
		}
		out = append(out, usedKey{k, use.Time, use.Service, hidden})
	}
	return out, nil
}

func (k *usedKey) lastUse() string {
	if k.LastUsed.IsZero() && !k.hidden {
		return "never"
	}
	return when(k.LastUsed)
}

func activity(active bool) string {
	if active {
		return "active"
	}
	return "inactive"
}

func newKeySwitchCommand(a *admin, name, short string, active bool) *cobra.Command {
	return &cobra.Command{
		Use:     name + " USER KEY",
		Short:   short,
		Example: "  tacet key " + name + " ci AKIAIOSFODNN7EXAMPLE",
		Args:    cobra.ExactArgs(2),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			if err := cl.UpdateAccessKey(c.Context(), args[0], args[1], active); err != nil {
				return failed("the key was not changed", err)
			}
			return nil
		}),
	}
}

func newKeyDeleteCommand(a *admin) *cobra.Command {
	return &cobra.Command{
		Use:     "delete USER KEY",
		Short:   "Remove an access key for ever",
		Example: "  tacet key deactivate ci AKIAIOSFODNN7EXAMPLE   first, to see who still uses it\n  tacet key delete ci AKIAIOSFODNN7EXAMPLE",
		Args:    cobra.ExactArgs(2),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			if err := cl.DeleteAccessKey(c.Context(), args[0], args[1]); err != nil {
				return failed("the key was not removed", err)
			}
			return nil
		}),
	}
}
