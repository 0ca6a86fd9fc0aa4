package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"tacet/internal/server"
)

// hostsFile is where a machine's own host names are (hosts(5)).
const hostsFile = "/etc/hosts"

// nameHosts adds the names of a development server's vaults to the machine's, or says to w
// what is to be added.
func nameHosts(w io.Writer) error {
	left, err := addHosts(hostsFile, server.DevHosts())
	if err != nil {
		return fail(exitFailed, "the host names cannot be added to "+hostsFile, err, "start without --hosts")
	}
	if left != "" {
		_, err = fmt.Fprintf(w, "%s cannot be written; add this line to it:\n%s\n", hostsFile, left)
	}
	return err
}

// addHosts makes the names mean this machine: a line at the end of file, for those of them
// that have none. It returns the line that is still to be added, where it may not write.
func addHosts(file string, names []string) (left string, err error) {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if names = missingHosts(string(text), names); len(names) == 0 {
		return "", nil
	}
	line := "127.0.0.1 " + strings.Join(names, " ")
	// Appended, not replaced: in a container the file is a mount of its own.
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644) //nolint:gosec // everybody resolves names
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return line, nil
	}
	if err != nil {
		return "", err
	}
	before := ""
	if len(text) > 0 && text[len(text)-1] != '\n' {
		before = "\n"
	}
	_, err = io.WriteString(f, before+line+" # tacet dev\n")
	return "", errors.Join(err, f.Close())
}

// missingHosts returns the names that no line of a hosts file has.
func missingHosts(text string, names []string) []string {
	var known []string
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		line, _, _ := strings.Cut(s.Text(), "#")
		if fields := strings.Fields(line); len(fields) > 1 {
			known = append(known, fields[1:]...)
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(known, n) })
}
