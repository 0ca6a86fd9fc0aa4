package main

import (
	"crypto/fips140"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"tacet/internal/server"
)

func newVersionCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  tacet version\n  tacet version -o json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			commit, changed := server.Commit()
			v := versionInfo{Version: server.Version(), Commit: commit, Modified: changed,
				Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, FIPS140: fips140.Enabled()}
			return printAs(c, format, v, v.text())
		},
	}
	outputFlag(c, &format)
	return c
}

type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	FIPS140  bool   `json:"fips140"`
}

func (v versionInfo) text() string {
	s := "tacet " + v.Version + "\n"
	if v.Commit != "" {
		s += "commit " + v.Commit
		if v.Modified {
			s += ", with changes"
		}
		s += "\n"
	}
	mode := "off"
	if v.FIPS140 {
		mode = "on"
	}
	return s + fmt.Sprintf("%s %s, FIPS 140-3 mode %s\n", v.Go, v.Platform, mode)
}
