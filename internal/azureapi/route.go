package azureapi

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tacet"
	"tacet/internal/wire"
)

// A target is what of a vault a request is about: the parts of its path.
type target struct {
	collection string // in lower case: "secrets", "deletedsecrets"
	name       string // as the caller wrote it
	version    string // likewise; empty: the current one
}

// id is how Azure's messages call the target: the name, and the version if one was given.
func (t *target) id() string {
	if t.version == "" {
		return t.name
	}
	return t.name + "/" + t.version
}

// check refuses a name that no object can have.
func (t *target) check() error {
	if t.name != "" && !tacet.ValidShownName(t.name) {
		return badParameter("The request URI contains an invalid name: " + printable(t.name))
	}
	return nil
}

// collections are the first segments of a vault's paths, those included that other
// versions of Tacet will serve: they are not another face's.
var collections = []string{"secrets", "deletedsecrets", "keys", "deletedkeys", "certificates", "deletedcertificates",
	"storage", "deletedstorage", "rng"}

// isVaultPath reports whether a path as it was sent is one of a vault's.
func isVaultPath(path string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	for _, c := range collections {
		if strings.EqualFold(first, c) {
			return true
		}
	}
	return false
}

// rawPath returns a request's path as it was sent. http.Request's own is unescaped, and
// what an escaped slash means must not depend on who looks.
func rawPath(r *http.Request) string {
	target := r.RequestURI
	if target == "" { // a request made in the process
		target = r.URL.EscapedPath()
	}
	path, _, _ := strings.Cut(wire.WithoutOrigin(target), "?")
	return path
}

// segments takes a path apart. Empty segments count for nothing: SDKs write one for an
// empty version, and two slashes where a vault's URL ended in one. The error is that the
// path has an escape that is none.
func segments(path string) ([]string, error) {
	var out []string
	for s := range strings.SplitSeq(path, "/") {
		if s == "" {
			continue
		}
		if strings.IndexByte(s, '%') >= 0 {
			var err error
			if s, err = url.PathUnescape(s); err != nil {
				return nil, err
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// method returns what a request wants to be taken for: a POST may say another method in
// X-HTTP-Method or X-HTTP-Request (Key Vault, "Authentication, requests and responses",
// which has had both names).
func method(r *http.Request) string {
	if r.Method == http.MethodPost {
		if m := cmp.Or(r.Header.Get("X-Http-Method"), r.Header.Get("X-Http-Request")); m != "" {
			return strings.ToUpper(m)
		}
	}
	return r.Method
}

// route finds the operation that a request asks for and what it is about. The error is
// told once it is known who asks.
func (h *Handler) route(x *exchange) (operation, error) {
	parts, err := segments(rawPath(x.r))
	if err != nil {
		return operation{}, badParameter("The request URI is not valid.")
	}
	m := method(x.r)
	var allowed []string
	for i := range h.operations {
		op := &h.operations[i]
		if t, ok := op.match(parts); ok {
			if op.method == m {
				x.target = t
				return *op, nil
			}
			if !slices.Contains(allowed, op.method) {
				allowed = append(allowed, op.method)
			}
		}
	}
	switch {
	case allowed != nil:
		return operation{}, &failure{status: http.StatusMethodNotAllowed, code: "BadParameter",
			text: "The method " + printable(m) + " is not allowed for this request URI.", allowed: allowed}
	case len(parts) > 0 && isVaultPath(parts[0]) && !strings.HasSuffix(strings.ToLower(parts[0]), "secrets"):
		return operation{}, errSecretsOnly
	}
	return operation{}, errNoRoute
}

// match compares a request's path with the operation's.
func (op *operation) match(parts []string) (t target, ok bool) {
	if len(parts) != len(op.path) {
		return t, false
	}
	for i, p := range op.path {
		switch p {
		case "{name}":
			t.name = parts[i]
		case "{version}":
			t.version = parts[i]
		default:
			if !strings.EqualFold(p, parts[i]) {
				return t, false
			}
		}
	}
	t.collection = op.path[0]
	return t, true
}

// printable returns what of a caller's text may be repeated in an answer.
func printable(s string) string {
	const most = 256
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), most)], "\ufffd"))
}
