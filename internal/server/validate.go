package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Validate reports everything that is wrong with the configuration at once, one
// line for each key. It reads no file and asks no server.
func (c Config) Validate() error {
	v := validation{dev: c.dev != nil}
	c = c.withDefaults()
	c.validateListen(&v)
	c.validateStore(&v)
	v.check(c.Key.File != "", "key.file", "is required: the file that `tacet init` makes")
	v.oneOf("audit.fsync", c.Audit.Fsync, FsyncGroup, FsyncInterval)
	v.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	v.oneOf("log.format", c.Log.Format, "json", "text")
	c.Azure.validate(&v)
	v.inRange("store.max_conns", int64(c.Store.MaxConns), 2, 1000)
	for _, n := range c.OIDC.AllowNetworks {
		_, err := netip.ParsePrefix(n)
		v.check(err == nil, "oidc.allow_networks", fmt.Sprintf("has %q, which is no network such as 10.0.0.0/8", n))
	}
	v.inRange("limits.principal_rate", int64(c.Limits.PrincipalRate), -1, 10_000_000)
	v.inRange("limits.address_rate", int64(c.Limits.AddressRate), -1, 10_000_000)
	v.inRange("limits.failure_rate", int64(c.Limits.FailureRate), -1, 10_000_000)
	v.inRange("limits.connections", int64(c.Limits.Connections), 1, 1_000_000)
	v.inRange("limits.connections_per_address", int64(c.Limits.ConnectionsPerAddress), 1, 1_000_000)
	v.inRange("limits.header_bytes", int64(c.Limits.HeaderBytes), 4<<10, 1<<20)
	v.inRange("limits.cache_bytes", c.Limits.CacheBytes, 1<<20, 1<<40)
	v.inRange("limits.secrets", c.Limits.Secrets, 1, 1_000_000_000)
	for _, t := range []struct {
		key   string
		value Duration
	}{{"header", c.Timeouts.Header}, {"read", c.Timeouts.Read}, {"write", c.Timeouts.Write}, {"idle", c.Timeouts.Idle}, {"drain", c.Timeouts.Drain}} {
		v.check(t.value > 0, "timeouts."+t.key, "must be more than nothing")
	}
	v.check(accountPattern.MatchString(c.Init.Account), "init.account", "must be twelve digits")
	v.check(regionPattern.MatchString(c.Init.Region), "init.region", "must look like us-east-1")
	v.check(vaultPattern.MatchString(c.Init.Vault), "init.vault", "must be 3 to 24 letters, digits and single hyphens, a letter first")
	v.check(userPattern.MatchString(c.Init.Administrator), "init.administrator", "must be 1 to 64 of A-Z a-z 0-9 + = , . @ _ -")
	if err := joinLines(v.errs); err != nil {
		return &configError{err}
	}
	return nil
}

// configError is what [Config.Validate] returns: see [CauseConfig].
type configError struct{ error }

func (e *configError) Unwrap() error { return e.error }

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]{1,12}){1,3}-[0-9]{1,2}$`)
	vaultPattern   = regexp.MustCompile(`^[A-Za-z](-?[A-Za-z0-9]){2,23}$`)
	userPattern    = regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]{1,64}$`)
)

// secure reports whether listen.address speaks HTTPS.
func (c Config) secure() bool { return c.TLS != TLSConfig{} || c.dev != nil }

func (c Config) validateListen(v *validation) {
	v.check(c.Listen.Address != "" || c.dev != nil, "listen.address", `is required, as "0.0.0.0:8443"`)
	addressOK := v.address("listen.address", c.Listen.Address)
	plaintextOK := v.address("listen.plaintext_address", c.Listen.PlaintextAddress)
	adminOK := v.address("admin.listen", c.Admin.Listen)
	v.check(c.TLS.CertFile != "" || c.TLS.KeyFile == "", "tls.cert_file", "is required with tls.key_file")
	v.check(c.TLS.KeyFile != "" || c.TLS.CertFile == "", "tls.key_file", "is required with tls.cert_file")
	// Of an address that is none, that is said once and nothing else.
	if addressOK && !c.secure() {
		c.validatePlaintext(v, "listen.address", c.Listen.Address)
	}
	if plaintextOK {
		c.validatePlaintext(v, "listen.plaintext_address", c.Listen.PlaintextAddress)
	}
	if c.Admin.Listen == "" || !adminOK || loopback(c.Admin.Listen) {
		return
	}
	if c.dev != nil {
		v.check(false, "admin.listen", "is not a loopback address: a development server shows its metrics to this machine only")
		return
	}
	v.check(c.Admin.AllowRemote, "admin.listen", "is not a loopback address and asks nobody who they are; set admin.allow_remote = true where a firewall guards it")
}

// hostPattern is a host name in lower case. What is written here stands in challenges, so
// it must have nothing in it that their parsers split at.
var hostPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

func (c *AzureConfig) validate(v *validation) {
	for _, list := range []struct {
		key   string
		hosts []string
	}{{"domains", c.Domains}, {"default_hosts", c.DefaultHosts}, {"authority_hosts", c.AuthorityHosts}} {
		for _, h := range list.hosts {
			v.check(len(h) <= 253 && hostPattern.MatchString(h), "azure."+list.key, "must be host names in lower case, without port")
		}
	}
	v.inRange("azure.port", int64(c.Port), 0, 65535)
	v.oneOf("azure.tenant", c.Tenant, TenantADFS, TenantGUID)
	v.oneOf("azure.token_algorithm", c.TokenAlgorithm, "ES256", "RS256")
	host, https := strings.CutPrefix(c.ChallengeResource, "https://")
	v.check(c.ChallengeResource == ResourceDerived || https && hostPattern.MatchString(host), "azure.challenge_resource",
		`must be "derived" or an address such as "https://vault.azure.net", without a slash at the end`)
}

func (c Config) validatePlaintext(v *validation, key, address string) {
	if address == "" || loopback(address) {
		return
	}
	if c.dev != nil {
		v.check(false, key, "is not a loopback address: a development server speaks plain HTTP to this machine only")
		return
	}
	v.check(c.Listen.AllowPlaintext, key,
		"is not a loopback address, so values would cross the network in clear; name a certificate in tls, or set listen.allow_plaintext = true behind a proxy that ends TLS")
}

func (c Config) validateStore(v *validation) {
	u := c.Store.URL
	scheme, rest, _ := strings.Cut(u, ":")
	switch scheme {
	case "":
		v.check(false, "store.url", `is required: "sqlite:/var/lib/tacet/tacet.db" or a reference to a PostgreSQL URL, "file:/etc/tacet/store-url"`)
	case "sqlite", "env", "file":
		v.check(rest != "", "store.url", "says "+scheme+": and then nothing")
	case "postgres", "postgresql":
		// A development server gets it from its command line or its test.
		v.check(c.dev != nil || !urlHasPassword(u), "store.url", `holds a password; put the URL into a file only the server can read and write "file:PATH", or use "env:NAME"`)
	default:
		// Not repeated: it may be a password without its scheme.
		v.check(false, "store.url", "must begin with sqlite:, postgres:, env: or file:")
	}
}

func urlHasPassword(s string) bool {
	u, err := url.Parse(s)
	if err != nil {
		return true // whatever it is, it does not belong into the file
	}
	_, has := u.User.Password()
	return has || u.Query().Has("password") || u.Query().Has("sslpassword")
}

// storeURL follows the reference in store.url.
func (c Config) storeURL() (string, error) {
	url, err := resolveStoreURL(c.Store.URL)
	if err != nil {
		err = fmt.Errorf("%s: %w", keyName("store.url", c.dev != nil), err)
	}
	return url, err
}

func resolveStoreURL(ref string) (string, error) {
	switch scheme, rest, _ := strings.Cut(ref, ":"); scheme {
	case "env":
		if s := strings.TrimSpace(os.Getenv(rest)); s != "" {
			return s, nil
		}
		return "", fmt.Errorf("the environment variable %s is empty", rest)
	case "file":
		text, err := os.ReadFile(rest)
		if err != nil {
			return "", err
		}
		if s := strings.TrimSpace(string(text)); s != "" {
			return s, nil
		}
		return "", fmt.Errorf("the file %s is empty", rest)
	}
	return ref, nil
}

// loopback reports whether the host of an address can be reached from this machine only.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// validation gathers what is wrong.
type validation struct {
	errs []error
	dev  bool
}

// keyName is what the reader of an error wrote: a key of a configuration, or a flag of
// `tacet dev`, which has no configuration.
func keyName(key string, dev bool) string {
	flags := map[string]string{"listen.address": "--tls-listen", "listen.plaintext_address": "--listen", "admin.listen": "--admin-listen",
		"store.url": "--store", "audit.fsync": "--fsync"}
	if flag := flags[key]; dev && flag != "" {
		return flag
	}
	return key
}

func (v *validation) check(ok bool, key, text string) {
	if !ok {
		v.errs = append(v.errs, errors.New(keyName(key, v.dev)+" "+text))
	}
}

func (v *validation) oneOf(key, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	v.check(false, key, `must be "`+strings.Join(allowed, `" or "`)+`"`)
}

func (v *validation) inRange(key string, n, low, high int64) {
	v.check(low <= n && n <= high, key, fmt.Sprintf("must be from %d to %d", low, high))
}

// address reports whether an address is one, or empty.
func (v *validation) address(key, address string) bool {
	if address == "" {
		return true
	}
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	v.check(err == nil, key, `must be an address and a port, as "127.0.0.1:8443" or ":8443"`)
	return err == nil
}

// lines is several errors, each on a line of its own.
type lines struct{ errs []error }

func joinLines(errs []error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return &lines{errs}
}

func (l *lines) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d things are wrong", len(l.errs))
	for _, e := range l.errs {
		b.WriteString("\n  " + e.Error())
	}
	return b.String()
}

func (l *lines) Unwrap() []error { return l.errs }
