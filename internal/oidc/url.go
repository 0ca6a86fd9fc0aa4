package oidc

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"tacet"
)

// maxURL is the length of the longest issuer URL, in bytes, as AWS has it.
const maxURL = 255

// ProviderName returns what an issuer's URL is called in ARNs and in the names of condition
// keys: host, port if there is one, and path, as "gitlab.example.com:8443/group".
//
// A URL has one writing, so that an issuer has one name: https, a host in lower case, no
// default port, a path of unreserved characters without empty or dotted segments but for
// a slash at the end, no query, fragment or user. Plain http is taken for a host that is
// this machine by its name; whether such an issuer is used, [Config.AllowLoopbackHTTP]
// says. Any other URL is a [tacet.InvalidParameter] that says what is wrong with it.
func ProviderName(issuerURL string) (string, error) {
	u, err := parseURL(issuerURL)
	if err != nil {
		return "", err
	}
	return u.Host + u.Path, nil
}

// IssuerURL is the inverse of [ProviderName] for an issuer that speaks https.
func IssuerURL(providerName string) string { return "https://" + providerName }

func parseURL(raw string) (*url.URL, error) {
	bad := func(problem string) (*url.URL, error) {
		return nil, tacet.Errorf(tacet.InvalidParameter, "Invalid Open ID Connect Provider URL: it %s.", problem)
	}
	if len(raw) > maxURL {
		return bad("is longer than 255 characters")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" {
		return bad("is not a URL")
	}
	switch host := u.Hostname(); {
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopbackName(host)):
		return bad("must begin with https://")
	case u.User != nil:
		return bad("must not have a user")
	case strings.ContainsAny(raw, "?#"):
		return bad("must not have a query or a fragment")
	case !isHost(host):
		return bad("must have a host name in lower case")
	case !isPort(u):
		return bad("must have no port or one that is not the default")
	case !isPath(u.Path):
		return bad("must have a path of letters, digits and -._~ without empty or dotted segments")
	case u.Scheme+"://"+u.Host+u.Path != raw:
		return bad("is written in an unusual way")
	}
	return u, nil
}

// isHost reports whether host is a DNS name in lower case or an IP address as it is
// usually written.
func isHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Zone() == "" && ip.String() == host
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	// A last label of digits is an address in another writing, as 127.1 and 0x7f.1 are.
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last[0] < '0' || last[0] > '9'
}

// isPort reports whether u has no port, or one in its usual writing that is not the
// scheme's own.
func isPort(u *url.URL) bool {
	port := u.Port()
	if port == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == port && u.Scheme+":"+port != "https:443" && u.Scheme+":"+port != "http:80"
}

func isPath(path string) bool {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if s == "" && i > 0 && i < len(segments)-1 || s == "." || s == ".." ||
			strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") != "" {
			return false
		}
	}
	return true
}

// isLoopbackName reports whether host is this machine by its name.
func isLoopbackName(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}
