package tacet_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// threatPage is where the classes of threats are listed, with the rooms that test them.
const threatPage = "docs/design/0010-threats.md"

var (
	threatRow  = regexp.MustCompile(`(?m)^\| (\d\d) \|.*\| ([^|]+) \|$`)
	threatTest = regexp.MustCompile(`(?m)^func (TestThreat(\d*)(\w*))\(`)
)

// TestThreatClasses holds the page and the tests to one another: each class has a test that
// bears its number in each room that the page names, and no test bears a number that the
// page does not have, or bears it in another form.
func TestThreatClasses(t *testing.T) {
	page, err := fs.ReadFile(rootFS, threatPage)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string][]string{} // rooms by class
	for _, row := range threatRow.FindAllStringSubmatch(string(page), -1) {
		if listed[row[1]] != nil {
			t.Errorf("%s: class %s has two rows", threatPage, row[1])
		}
		listed[row[1]] = strings.Split(row[2], ", ")
	}
	for _, class := range strings.Fields("01 05 07 08 09 10 11 13 14 15 16 17 18 19 20 25 39 40 41") {
		if listed[class] == nil {
			t.Errorf("%s has no row of class %s", threatPage, class)
		}
	}
	found := map[string][]string{}
	walkGo(t, func(file string) {
		if !strings.HasSuffix(file, "_test.go") {
			return
		}
		src, err := fs.ReadFile(rootFS, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range threatTest.FindAllStringSubmatch(string(src), -1) {
			if m[1] == "TestThreatClasses" {
				continue
			}
			if len(m[2]) != 2 || !strings.HasPrefix(m[3], "_") || len(m[3]) < 2 {
				t.Errorf("%s: %s: the form is TestThreat05_WhatIsTested", file, m[1])
			}
			room := strings.TrimPrefix(path.Dir(file), "internal/")
			if room == "." {
				room = "tacet"
			}
			if !slices.Contains(found[m[2]], room) {
				found[m[2]] = append(found[m[2]], room)
			}
		}
	})
	for class, rooms := range found {
		slices.Sort(rooms)
		if want := listed[class]; !slices.Equal(rooms, want) {
			t.Errorf("%s: class %s is tested in %s, and the page says %s", threatPage, class, strings.Join(rooms, ", "), strings.Join(want, ", "))
		}
		delete(listed, class)
	}
	for class := range listed {
		t.Errorf("no test bears the number of class %s", class)
	}
}

// egress is what of the standard library makes a connection, or asks for one: names of
// functions and types by package; "*" is all of a package.
var egress = map[string][]string{
	"net": {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "Resolver", "DefaultResolver", "LookupHost", "LookupIP", "LookupAddr",
		"LookupCNAME", "LookupMX", "LookupNS", "LookupPort", "LookupSRV", "LookupTXT", "LookupNetIP", "ResolveTCPAddr", "ResolveUDPAddr", "ResolveIPAddr"},
	"net/http":          {"Get", "Head", "Post", "PostForm", "Client", "DefaultClient", "Transport", "DefaultTransport"},
	"crypto/tls":        {"Dial", "DialWithDialer", "Dialer", "Client"},
	"net/http/httputil": {"ReverseProxy", "NewSingleHostReverseProxy"},
	"os/exec":           {"*"}, "plugin": {"*"}, "net/rpc": {"*"}, "net/rpc/jsonrpc": {"*"}, "net/smtp": {"*"}, "log/syslog": {"*"},
}

// TestThreat35_OneWayOut: nothing in the server connects to anything but the store, which
// has its driver, and the fetcher of an issuer's keys, which looks at every address.
func TestThreat35_OneWayOut(t *testing.T) {
	may := []string{
		"internal/oidc/network.go", "internal/oidc/oidc.go", // the issuers' keys
		"internal/client/client.go",                                                                                   // the commands ask the server
		"internal/server/health.go",                                                                                   // asked by the next two: whether a server answers
		"internal/server/dev.go",                                                                                      // waits for the server that it started itself
		"internal/server/doctor.go",                                                                                   // asks the operator's own listener
		"internal/bench/load.go", "internal/bench/plan.go", "internal/bench/questions.go", "internal/bench/server.go", // no part of the server
		"internal/tacettest/aws.go", "internal/tacettest/azure.go", "internal/tacettest/server.go",
	}
	used := map[string]bool{}
	walkGo(t, func(file string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		for _, name := range egresses(t, file) {
			if used[file] = true; !slices.Contains(may, file) {
				t.Errorf("%s uses %s: the server connects to nobody but by internal/oidc", file, name)
			}
		}
	})
	for _, file := range may {
		if !used[file] {
			t.Errorf("%s makes no connection any more: take it off the list", file)
		}
	}
}

// egresses returns the names in a file that make connections.
func egresses(t *testing.T, file string) (out []string) {
	t.Helper()
	src, err := fs.ReadFile(rootFS, file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]string{} // by what the file calls them
	for _, s := range f.Imports {
		p := strings.Trim(s.Path.Value, `"`)
		names, ok := egress[p]
		if !ok {
			continue
		}
		name := path.Base(p)
		if s.Name != nil {
			name = s.Name.Name
		}
		if packages[name] = p; names[0] == "*" || name == "." {
			out = append(out, p)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && slices.Contains(egress[packages[id.Name]], s.Sel.Name) {
				out = append(out, packages[id.Name]+"."+s.Sel.Name)
			}
		}
		return true
	})
	return out
}
