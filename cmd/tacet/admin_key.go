package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

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
	var format string
	var reveal bool
	c := &cobra.Command{
		Use:   "create USER",
		Short: "Make an access key and print it with its secret, this once",
		Long: `Makes an access key of a user and prints it with its secret, which is never given
again. It is not printed to a terminal, where it would stay, unless --reveal asks for
that.`,
		Example: "  (umask 077; tacet key create ci -o env > ci.env)\n  tacet key create ci -o json | deploy-credentials\n  tacet key create ci --reveal",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			terminal := isTerminal(c.OutOrStdout())
			if terminal && !reveal {
				return fail(exitUsage, "no key was made", errors.New("its secret would be printed to a terminal"), "redirect the output, or add --reveal")
			}
			print, err := keyPrinter(format, terminal)
			if err != nil {
				return err
			}
			key, secret, err := cl.CreateAccessKey(c.Context(), args[0])
			if err != nil {
				return failed("no key of "+args[0]+" was made", err)
			}
			if err := print(c.OutOrStdout(), key, secret); err != nil {
				return fail(exitFailed, "the key "+key.ID+" was made, but it could not be printed and is lost", err,
					"tacet key delete "+args[0]+" "+key.ID+", and make another")
			}
			return nil
		}),
	}
	c.Flags().BoolVar(&reveal, "reveal", false, "print the secret even to a terminal")
	c.Flags().StringVarP(&format, "output", "o", "", "env or json (default env on a terminal, json elsewhere)")
	return c
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
	var format string
	c := &cobra.Command{
		Use:     "list USER",
		Short:   "List a user's access keys",
		Example: "  tacet key list ci",
		Args:    cobra.ExactArgs(1),
		RunE: a.ask(func(c *cobra.Command, cl *client.Client, args []string) error {
			keys, err := cl.ListAccessKeys(c.Context(), args[0])
			if err != nil {
				return failed("the keys of "+args[0]+" cannot be listed", err)
			}
			return emit(c, format, keys, func() [][]string {
				rows := [][]string{{"ACCESS KEY", "STATUS", "CREATED"}}
				for _, k := range keys {
					rows = append(rows, []string{k.ID, activity(k.Active), when(k.Created)})
				}
				return rows
			})
		}),
	}
	formatFlag(c, &format)
	return c
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
