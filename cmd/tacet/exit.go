package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// The exit codes, which scripts rely on.
const (
	exitOK          = 0
	exitFailed      = 1 // anything that has no code of its own
	exitUsage       = 2 // the command line or the configuration is wrong
	exitNotFound    = 3
	exitAuth        = 4 // credentials are missing or not accepted
	exitDenied      = 5 // known, but not allowed
	exitConflict    = 6 // it is there already, or has changed meanwhile
	exitUnreachable = 7 // no server answers
)

// A failure is how a command ends that did not do what it was asked: what it could not
// do, why, and what to do next, a line each.
type failure struct {
	code int
	what string
	why  error
	next string
}

func fail(code int, what string, why error, next string) error {
	return &failure{code, what, why, next}
}

// silent ends a command with a code and no words: its output was the answer.
func silent(code int) error { return &failure{code: code} }

// usage is the failure of a command line. What to do next is to read the command's help.
func usage(err error) error {
	var f *failure
	if errors.As(err, &f) {
		return err
	}
	return &failure{exitUsage, "the command line is wrong", err, ""}
}

// Error returns what and why on one line.
func (f *failure) Error() string {
	if f.why == nil {
		return f.what
	}
	return f.what + ": " + f.why.Error()
}

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.why }

// report prints an error as a person reads it; help is what to do next about a command
// line that is wrong.
func report(w io.Writer, err error, help string) {
	var f *failure
	if !errors.As(err, &f) {
		_, _ = fmt.Fprintf(w, "tacet: %s\n", err)
		return
	}
	if f.what == "" {
		return
	}
	var b strings.Builder
	b.WriteString("tacet: " + f.what + "\n")
	if f.why != nil {
		b.WriteString("  why:  " + strings.ReplaceAll(f.why.Error(), "\n", "\n      ") + "\n")
	}
	next := f.next
	if next == "" && f.code == exitUsage {
		next = help
	}
	if next != "" {
		b.WriteString("  next: " + next + "\n")
	}
	_, _ = io.WriteString(w, b.String()) // nowhere to report it to
}

// exitCode returns the code an error ends the process with.
func exitCode(err error) int {
	var f *failure
	if errors.As(err, &f) {
		return f.code
	}
	return exitFailed
}
