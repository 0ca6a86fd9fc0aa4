package server

import "runtime/debug"

// version is the release; a release build sets it with -ldflags -X.
var version = "0.1.0-dev"

// Version returns Tacet's version.
func Version() string { return version }

// Commit returns the commit a binary was built from, "" where that is not known, and
// whether files had been changed since.
func Commit() (commit string, changed bool) {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return "", false
	}
	for _, s := range b.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.modified":
			changed = s.Value == "true"
		}
	}
	return commit, changed
}
