package azureapi

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"tacet"
)

// Hosts says which names the face answers to. Nothing that it tells a client is taken from
// the Host header but which of these names was used.
type Hosts struct {
	// Domains are those that vaults are names in: "vault.example.com" makes the vault "main"
	// answer as "main.vault.example.com". A longer one is tried before a shorter one.
	Domains []string
	// Default are names of the first vault, beside localhost and the loopback addresses.
	Default []string
	// Authorities are the names of the token endpoints; challenges name the first. Empty
	// means localhost.
	Authorities []string
	// Port is what clients connect to, where that is not the port that listens: behind a
	// proxy, which then speaks HTTPS to them. 0 means the listener's.
	Port int
	// SecurePort returns the port of the HTTPS listener, for what is told to those who come
	// over plain HTTP: tokens go over HTTPS only. Nil or 0: there is none.
	SecurePort func() int
	// Resource is the resource of every challenge, "https://vault.azure.net"; empty means
	// the vault's own: its name less the first label, which SDKs verify.
	Resource string
	// Tenant is what challenges name where the vault says nothing: "adfs", or empty for the
	// deployment's own GUID.
	Tenant string
}

// PublicResource is the audience that every vault takes, as Azure's public cloud does.
const PublicResource = "https://vault.azure.net"

// A site is a vault under the name that a request used for it.
type site struct {
	vault    tacet.Vault
	base     string // "https://main.vault.example.com:8443", what ids begin with
	resource string // of its challenge
	bare     string // the same without the port
}

// locate finds the vault that a request is for, by its host. It reports false where the
// host names none.
func (h *Handler) locate(r *http.Request) (site, bool) {
	host := hostname(r.Host)
	if h.isDefault(host) {
		v, ok := h.cfg.Vault.FirstVault()
		return h.site(r, v, host, ""), ok
	}
	name, domain, ok := h.cfg.Hosts.split(host)
	if !ok {
		return site{}, false
	}
	v, ok := h.cfg.Vault.VaultNamed(name)
	if !ok {
		return site{}, false
	}
	return h.site(r, v, strings.ToLower(v.Name)+"."+domain, domain), true
}

// site describes a vault under a host name; domain is empty for a name that is in none.
func (h *Handler) site(r *http.Request, v tacet.Vault, host, domain string) site {
	scheme, port := h.cfg.Hosts.origin(r)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	s := site{vault: v, base: scheme + host + port, resource: h.cfg.Hosts.Resource, bare: h.cfg.Hosts.Resource}
	if s.resource == "" && domain != "" {
		s.resource, s.bare = "https://"+domain+h.cfg.Hosts.securePort(r), "https://"+domain
	}
	if s.resource == "" {
		s.resource, s.bare = PublicResource, PublicResource
	}
	return s
}

// origin returns how clients reach the listener that a request came in at: scheme, and
// port with its colon unless it is the scheme's own.
func (h *Hosts) origin(r *http.Request) (scheme, port string) {
	if h.Port == 0 && r.TLS == nil {
		return "http://", portSuffix(localPort(r), 80)
	}
	return "https://", h.securePort(r)
}

// securePort returns the port that clients reach with HTTPS, with its colon unless it is 443.
func (h *Hosts) securePort(r *http.Request) string {
	n := h.Port
	if n == 0 && r.TLS == nil && h.SecurePort != nil {
		n = h.SecurePort()
	}
	if n == 0 {
		n = localPort(r)
	}
	return portSuffix(n, 443)
}

func portSuffix(n, usual int) string {
	if n == 0 || n == usual {
		return ""
	}
	return ":" + strconv.Itoa(n)
}

// localPort returns the port of the listener that a request came in at.
func localPort(r *http.Request) int {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		return local.Port
	}
	return 0
}

// isDefault reports whether host is a name of the first vault.
func (h *Handler) isDefault(host string) bool {
	return isLoopback(host) || slices.Contains(h.cfg.Hosts.Default, host)
}

// isLoopback reports whether host is this machine's own name or address.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// split takes a host apart into the vault's name and the domain. It reports false for a
// host that is in none of the domains.
func (h *Hosts) split(host string) (name, domain string, ok bool) {
	for _, d := range h.Domains {
		n, in := strings.CutSuffix(host, "."+d)
		if in && n != "" && !strings.Contains(n, ".") && (domain == "" || len(d) > len(domain)) {
			name, domain, ok = n, d, true
		}
	}
	return name, domain, ok
}

// isAuthority reports whether host is a name of the token endpoints.
func (h *Hosts) isAuthority(host string) bool {
	for _, a := range h.Authorities {
		if host == a {
			return true
		}
	}
	return false
}

// authority returns the URL of the token endpoints, without a path.
func (h *Hosts) authority(r *http.Request) string {
	host := "localhost"
	if len(h.Authorities) > 0 {
		host = h.Authorities[0]
	}
	return "https://" + host + h.securePort(r)
}

// hostname takes the port, a root's period and the brackets of an IPv6 address off a Host
// header, and the case.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// Claims reports whether a request is for this face: by its host, and on the hosts that
// belong to nobody by its path. What is sent to "/" by POST is AWS's on every host.
func (h *Handler) Claims(r *http.Request) bool {
	path := rawPath(r)
	if path == "/" && r.Method == http.MethodPost {
		return false
	}
	host := hostname(r.Host)
	if _, _, ok := h.cfg.Hosts.split(host); ok {
		return true
	}
	return isVaultPath(path)
}
