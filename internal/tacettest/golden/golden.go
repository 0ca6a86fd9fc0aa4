// Package golden holds what a face answers to files: pairs of a request and its answer,
// byte by byte but for what differs from run to run.
package golden

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// update is read, and never set but by the flag.
var update = flag.Bool("update", false, "write the golden files")

// A Mask replaces what a pattern (package regexp) matches in an answer.
type Mask struct{ Pattern, With string }

// UUIDs shows random UUIDs as all zeros.
func UUIDs() Mask {
	return Mask{`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`, "00000000-0000-4000-8000-000000000000"}
}

// Check goes through the requests of a file, "CASE/request" in a txtar archive, in their
// order, and holds the masked answers to its "CASE/response" files. With -update the answers
// are written there. The requests come without the line break that ends their file.
func Check(t *testing.T, path string, masks []Mask, respond func(t *testing.T, request []byte) []byte) {
	t.Helper()
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []txtar.File
	for _, f := range a.Files {
		what, kind, _ := strings.Cut(f.Name, "/")
		if kind != "request" {
			continue
		}
		got := append(respond(t, bytes.TrimSuffix(f.Data, []byte("\n"))), '\n')
		for _, m := range masks {
			got = regexp.MustCompile(m.Pattern).ReplaceAll(got, []byte(m.With))
		}
		out = append(out, f, txtar.File{Name: what + "/response", Data: got})
		i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == what+"/response" })
		if !*update && (i < 0 || !bytes.Equal(a.Files[i].Data, got)) {
			t.Errorf("%s:\n%s", what, got)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(&txtar.Archive{Comment: a.Comment, Files: out}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(out) == 0 {
		t.Error("no cases")
	}
}
