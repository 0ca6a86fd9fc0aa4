package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"tacet/internal/server"
)

func newInitCommand() *cobra.Command {
	var config, file string
	c := &cobra.Command{
		Use:   "init",
		Short: "Prepare a store and its key for a server",
		Long: `Makes the key file (for its owner only, and never over another), the first vault and
an administrator, whose access key is shown this once. The key file opens everything:
keep a copy of it away from the store.`,
		Example: `  tacet init --config /etc/tacet/tacet.toml
  tacet init --config tacet.toml --credentials-file admin.env`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := loadConfig(config)
			if err != nil {
				return err
			}
			cfg.Logger = newLogger(c.ErrOrStderr(), cfg.Log.Format, "warn")
			if file == "" {
				return initialise(c, cfg, c.OutOrStdout())
			}
			return initialiseToFile(c, cfg, file)
		},
	}
	c.Flags().StringVar(&config, "config", defaultConfig, "the configuration `file`")
	c.Flags().StringVar(&file, "credentials-file", "", "`file` to write the administrator's access key to, for its owner only (default the terminal)")
	return c
}

// initialise makes the deployment and hands the credentials to w.
func initialise(c *cobra.Command, cfg server.Config, w io.Writer) error {
	creds, err := server.Init(c.Context(), cfg)
	if errors.Is(err, server.ErrInitialised) {
		return fail(exitConflict, "nothing to do", err, "start it with: tacet server --config FILE")
	}
	if err != nil {
		return startFailure("the store was not initialised", err)
	}
	if err := creds.Write(w); err != nil {
		return fail(exitFailed, "the store is initialised, but the administrator's access key could not be handed over", err,
			"remove the new store and key file and run init again")
	}
	_, err = fmt.Fprintf(c.ErrOrStderr(), "initialised: account %s, region %s, administrator %s\nkey file: %s (keep a copy of it away from the store)\n",
		creds.Account, creds.Region, creds.User, cfg.Key.File)
	return err
}

// initialiseToFile makes sure that the credentials can be written before anything is
// made: they exist only once.
func initialiseToFile(c *cobra.Command, cfg server.Config, file string) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fail(exitConflict, "the credentials file cannot be made; nothing was initialised", err, "choose a file that does not exist yet")
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(file))
		}
	}()
	if err := initialise(c, cfg, f); err != nil {
		return err
	}
	return f.Sync()
}
