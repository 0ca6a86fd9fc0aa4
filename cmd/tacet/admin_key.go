package main

import (
	"context"
	"errors"
	"fmt"
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
			return out.create(c, "no key of "+args[0]+" was made", func(ctx context.Context) (madeSecret, error) {
				key, secret, err := cl.CreateAccessKey(ctx, args[0])
				if e := new(client.Error); errors.As(err, &e) && e.Code == "LimitExceeded" {
					err = fail(exitConflict, "no key of "+args[0]+" was made", err, "see which one is not used with tacet key list "+args[0]+", and remove it with tacet key delete")
				}
				return madeKey(key, secret), err
			})
		}),
	}
	out.flags(c)
	return c
}

// madeKey is a new access key as it is printed.
func madeKey(k client.AccessKey, secret string) madeSecret {
	return madeSecret{
		shown: struct {
			client.AccessKey
			Secret string `json:"secret"`
		}{k, secret},
		env:  fmt.Sprintf("AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n", k.ID, secret),
		name: "key " + k.ID, undo: "tacet key delete " + k.User + " " + k.ID,
	}
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
