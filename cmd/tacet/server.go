package main

import (
	"context"
	"fmt"
	"syscall"

	"github.com/spf13/cobra"

	"tacet/internal/server"
)

// defaultConfig is where a server's configuration is looked for. It is never looked for
// in the current folder, which anybody may have prepared.
const defaultConfig = "/etc/tacet/tacet.toml"

func newServerCommand() *cobra.Command {
	var config string
	var check bool
	c := &cobra.Command{
		Use:   "server",
		Short: "Serve",
		Long: `Serves until SIGTERM or SIGINT, then lets the requests in progress finish; a second
one ends it at once. SIGHUP reads the certificate again; a broken one is reported and
the one in use stays.`,
		Example: `  tacet server --config /etc/tacet/tacet.toml
  tacet server --config tacet.toml --check     look whether it would start, and do not`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := loadConfig(config)
			if err != nil {
				return err
			}
			cfg.Logger = newLogger(c.ErrOrStderr(), cfg.Log.Format, cfg.Log.Level)
			if check {
				if err := server.Check(cfg); err != nil {
					return startFailure("the server would not start", err)
				}
				_, err := fmt.Fprintf(c.OutOrStdout(), "%s: ok\n", config)
				return err
			}
			return serve(c.Context(), cfg)
		},
	}
	c.Flags().StringVar(&config, "config", defaultConfig, "the configuration `file`")
	c.Flags().BoolVar(&check, "check", false, "check the configuration, the key file and the certificate, and do not serve")
	return c
}

func loadConfig(path string) (server.Config, error) {
	cfg, err := server.LoadConfig(path)
	if err != nil {
		return cfg, fail(exitUsage, "the configuration cannot be used", err, server.ConfigAdvice(err))
	}
	return cfg, nil
}

func serve(ctx context.Context, cfg server.Config) error {
	ctx, stop := stopOn(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	outliveReaders()
	easeCollector()
	s, err := server.Build(ctx, cfg)
	if err != nil {
		return startFailure("the server did not start", err)
	}
	hangup, unhook := hangups()
	defer unhook()
	go func() {
		for range hangup {
			if err := s.Reload(); err != nil {
				cfg.Logger.Error("reload failed; the certificate in use stays", "error", err)
			} else {
				cfg.Logger.Info("reloaded")
			}
		}
	}()
	if err := s.Run(ctx); err != nil {
		return fail(exitFailed, "the server ended badly", err, "look at its log")
	}
	return nil
}
