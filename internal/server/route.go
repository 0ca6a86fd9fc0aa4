package server

import (
	"net/http"
	"strings"

	"tacet/internal/adminapi"
	"tacet/internal/azureapi"
)

// router sends a request to its face by its host and the path as it was sent.
// http.ServeMux is not used here: it cleans paths and answers redirects, and a face must
// see what was signed.
//
// Health and the administration face take the paths they know, spelt plainly, on every
// host. The Azure face takes what its hosts are asked, and the paths of vaults and token
// endpoints on others. All else is for the AWS face, which takes "/" on every host and
// refuses every other path; so there is no second spelling of any path.
type router struct {
	health *health
	admin  http.Handler
	// authority is asked before azure, which takes everything on its vaults' hosts.
	authority *azureapi.Authority
	azure     *azureapi.Handler
	aws       http.Handler
}

// ServeHTTP sends the request to its face.
func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if h := rt.health.handler(path, false); h != nil {
		h(w, r)
		return
	}
	if name, ok := strings.CutPrefix(path, adminapi.Prefix); ok && plainName(name) {
		rt.admin.ServeHTTP(w, r)
		return
	}
	if rt.authority.Claims(r) {
		rt.authority.ServeHTTP(w, r)
		return
	}
	if rt.azure.Claims(r) {
		rt.azure.ServeHTTP(w, r)
		return
	}
	rt.aws.ServeHTTP(w, r)
}

// plainName reports whether name is words of letters, digits and hyphens with single
// slashes between them: without dots and escapes there is nothing to be ambiguous about.
func plainName(name string) bool {
	slash := true
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-':
			slash = false
		case c == '/' && !slash:
			slash = true
		default:
			return false
		}
	}
	return !slash
}
