package tacet_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// plan is who may import whom among Tacet's own rooms, one line a room. Rooms lower
// in the house stand on the right. It is a statement of policy: do not edit it to
// make a build pass. A new room needs a line here and a reason in docs/design.
//
// The test-only room tacettest wires everything and is imported by tests alone.
const plan = `
tacet                  :
internal/policy        : tacet
internal/audit         : tacet
internal/seal          : tacet
internal/store         : tacet
internal/sigv4         : tacet
internal/jwa           : tacet
internal/wire          : tacet
internal/oidc          : tacet internal/jwa
internal/seal/keyfile  : internal/seal tacet
internal/seal/sealtest : internal/seal tacet
internal/store/storetest :
internal/recent        :
internal/limit         : tacet internal/recent
internal/guard         : tacet internal/policy internal/seal internal/store internal/recent
internal/vault         : tacet internal/guard
internal/identity      : tacet internal/guard internal/jwa internal/oidc internal/recent
internal/awsapi        : tacet internal/vault internal/identity internal/limit internal/sigv4 internal/wire
internal/azureapi      : tacet internal/vault internal/identity internal/limit internal/wire
internal/adminapi      : tacet internal/vault internal/identity internal/limit internal/wire
internal/client        : tacet internal/sigv4
internal/server        : tacet internal/policy internal/audit internal/seal internal/store internal/sigv4 internal/seal/keyfile internal/guard internal/limit internal/oidc internal/vault internal/identity internal/awsapi internal/azureapi internal/adminapi
internal/tacettest/golden :
internal/tacettest     : tacet internal/server internal/store internal/sigv4 internal/client
internal/bench         : tacet internal/sigv4
cmd/tacet              : tacet internal/server internal/client
cmd/bench              : internal/bench
`

var rootFS = os.DirFS(".")

// vendors is where a library that reaches outside the process may be imported: each
// in one leaf only.
var vendors = map[string][]string{
	"modernc.org/sqlite":                  {"internal/store"},
	"github.com/jackc/pgx/v5":             {"internal/store", "internal/store/storetest"},
	"golang.org/x/mod":                    {"internal/audit"},
	"github.com/go-jose/go-jose/v4":       {"internal/jwa"},
	"github.com/prometheus/client_golang": {"internal/server"},
	"github.com/pelletier/go-toml/v2":     {"internal/server"},
	"github.com/spf13/cobra":              {"cmd/tacet"},
}

func TestImportPlan(t *testing.T) {
	allowed := parsePlan(t)
	seen := map[string]bool{}
	walkGo(t, func(file string) {
		room := path.Dir(file)
		if room == "." {
			room = "tacet"
		}
		test := strings.HasSuffix(file, "_test.go")
		may, ok := allowed[room]
		if !ok {
			t.Errorf("%s: the room %s is not in the plan", file, room)
			return
		}
		seen[room] = true
		for _, imp := range imports(t, file) {
			checkVendor(t, file, room, imp, test)
			rest, ours := strings.CutPrefix(imp, "tacet")
			if !ours || rest != "" && rest[0] != '/' {
				continue
			}
			target := strings.TrimPrefix(rest, "/")
			if target == "" {
				target = "tacet"
			}
			if target == room || test {
				continue // tests may look at whatever they need
			}
			if !slices.Contains(may, target) {
				t.Errorf("%s: %s may not import %s", file, room, target)
			}
		}
	})
	for room := range allowed {
		if !seen[room] {
			t.Errorf("the plan has a room %s that does not exist", room)
		}
	}
}

func checkVendor(t *testing.T, file, room, imp string, test bool) {
	t.Helper()
	for vendor, rooms := range vendors {
		if (imp == vendor || strings.HasPrefix(imp, vendor+"/")) && !test && !slices.Contains(rooms, room) {
			t.Errorf("%s: %s may be imported by %v only", file, vendor, rooms)
		}
	}
	if imp == "C" {
		t.Errorf("%s: the core is free of cgo", file)
	}
}

// TestRevealIsRare holds the places that may look at a plaintext to a short list.
func TestRevealIsRare(t *testing.T) {
	may := []string{
		"plaintext.go",
		"internal/guard/tx.go",           // hands it to the seal
		"internal/guard/principals.go",   // likewise, an access key's
		"internal/guard/applications.go", // compares a client secret with its digest
		"internal/jwa/signingkey.go",     // reads a private key
		"internal/awsapi/write.go",       // the answer
		"internal/awsapi/auth.go",        // derives a signing key from a secret access key
		"internal/azureapi/write.go",     // the answer
		"internal/adminapi/write.go",     // a new access key's secret, shown once
		"internal/server/bootstrap.go",   // the first administrator's secret, written once
		"internal/tacettest/server.go",
	}
	walkGo(t, func(file string) {
		if strings.HasSuffix(file, "_test.go") || slices.Contains(may, file) {
			return
		}
		src, err := fs.ReadFile(rootFS, file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(src), ".Reveal()") {
			t.Errorf("%s reveals a plaintext: only %v may", file, may)
		}
	})
}

// TestFileSizes keeps files readable.
func TestFileSizes(t *testing.T) {
	walkGo(t, func(file string) {
		src, err := fs.ReadFile(rootFS, file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(src), "\n"); n > 600 && !strings.HasSuffix(file, "_test.go") {
			t.Errorf("%s has %d lines: would two rooms be clearer?", file, n)
		}
	})
}

func parsePlan(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for line := range strings.Lines(plan) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		room, may, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("plan line %q has no colon", line)
		}
		out[strings.TrimSpace(room)] = strings.Fields(may)
	}
	return out
}

func walkGo(t *testing.T, visit func(file string)) {
	t.Helper()
	err := fs.WalkDir(rootFS, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "e2e" || name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") && p != ".") {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(name, ".go") {
			visit(p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func imports(t *testing.T, file string) []string {
	t.Helper()
	src, err := fs.ReadFile(rootFS, file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range f.Imports {
		p, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}
