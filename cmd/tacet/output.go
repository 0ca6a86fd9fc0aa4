package main

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/spf13/cobra"
)

// outputFlag adds -o to a command.
func outputFlag(c *cobra.Command, format *string) {
	c.Flags().StringVarP(format, "output", "o", "text", "text or json")
}

// printAs prints v as JSON, or the text.
func printAs(c *cobra.Command, format string, v any, text string) error {
	switch format {
	case "text":
		_, err := io.WriteString(c.OutOrStdout(), text)
		return err
	case "json":
		e := json.NewEncoder(c.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	return usage(errors.New("-o must be text or json"))
}
