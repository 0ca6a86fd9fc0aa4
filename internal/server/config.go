package server

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Config is everything a server is made of. The fields with a toml name are the
// configuration file's; docs/config.schema.json describes the same keys, and a test
// compares the two. The zero value of every optional key means its default.
type Config struct {
	Listen   ListenConfig   `toml:"listen"`
	TLS      TLSConfig      `toml:"tls"`
	Admin    AdminConfig    `toml:"admin"`
	Store    StoreConfig    `toml:"store"`
	Key      KeyConfig      `toml:"key"`
	Audit    AuditConfig    `toml:"audit"`
	OIDC     OIDCConfig     `toml:"oidc"`
	Log      LogConfig      `toml:"log"`
	Azure    AzureConfig    `toml:"azure"`
	Limits   LimitsConfig   `toml:"limits"`
	Timeouts TimeoutsConfig `toml:"timeouts"`
	Init     InitConfig     `toml:"init"`

	// Logger takes the server's log; nil discards it.
	Logger *slog.Logger `toml:"-"`

	// dev is set by [StartDev] only: no file can make a development server.
	dev *development
}

// ListenConfig says where the faces listen.
type ListenConfig struct {
	// Address is where the faces listen, as "0.0.0.0:8443". It speaks HTTPS when tls names
	// a certificate, and plain HTTP when it does not.
	Address string `toml:"address"`
	// PlaintextAddress is a second address, of plain HTTP; empty for none.
	PlaintextAddress string `toml:"plaintext_address"`
	// AllowPlaintext allows plain HTTP on an address that is not loopback, for a server
	// behind a proxy that ends TLS. Values then cross that network in clear.
	AllowPlaintext bool `toml:"allow_plaintext"`
}

// TLSConfig names the certificate of listen.address. Both files are read again on
// SIGHUP; a broken pair leaves the one in use.
type TLSConfig struct {
	// CertFile is the certificate chain in PEM, the leaf first.
	CertFile string `toml:"cert_file"`
	// KeyFile is the private key in PEM.
	KeyFile string `toml:"key_file"`
}

// AdminConfig is the listener of metrics and profiles, which asks nobody who they are.
type AdminConfig struct {
	// Listen is its address; empty for none.
	Listen string `toml:"listen"`
	// AllowRemote allows an address that is not loopback. Metrics and profiles hold no
	// secrets, but whoever reaches them can make the server work.
	AllowRemote bool `toml:"allow_remote"`
}

// StoreConfig says where secrets are kept.
type StoreConfig struct {
	// URL is "sqlite:/var/lib/tacet/tacet.db" or "postgres://user@host/db?sslmode=verify-full",
	// or a reference to it: "env:NAME" or "file:PATH". A URL with a password in it must be
	// given by reference.
	URL string `toml:"url"`
	// MaxConns bounds the connections to PostgreSQL; 0 means 10.
	MaxConns int `toml:"max_conns"`
}

// KeyConfig names the key that wraps every other key.
type KeyConfig struct {
	// File is the key file. Nobody but the server's user may read it.
	File string `toml:"file"`
}

// AuditConfig chooses the durability of the records of reads. Changes and their
// records are always on disk before they are acknowledged.
type AuditConfig struct {
	// Fsync is "group" (the default: the record of a read is on disk before the answer
	// leaves; reads that arrive together share one fsync) or "interval" (it is committed
	// before the answer and on disk at most 100 ms later: it survives the end of the
	// process, not always that of the machine).
	Fsync string `toml:"fsync"`
}

// OIDCConfig says how the keys of registered OpenID Connect issuers are fetched.
type OIDCConfig struct {
	// AllowNetworks are networks, as "10.0.0.0/8", that issuers may be in besides the public
	// internet. Link-local addresses and clouds' metadata services are never asked.
	AllowNetworks []string `toml:"allow_networks"`
	// CAFile has the authorities, in PEM, that issuers' certificates are checked against;
	// empty means the system's.
	CAFile string `toml:"ca_file"`
	// Timeout is how long getting an issuer's keys may take; 0 means 5s.
	Timeout Duration `toml:"timeout"`
}

// LogConfig chooses what the server says on standard error.
type LogConfig struct {
	// Level is "debug", "info" (the default), "warn" or "error".
	Level string `toml:"level"`
	// Format is "json" (the default) or "text".
	Format string `toml:"format"`
}

// AzureConfig says under which names Azure SDKs find the vaults and the token endpoints.
// Names are written in lower case, without port.
type AzureConfig struct {
	// Domains are those that vaults are names in: "vault.example.com" makes the vault main
	// answer as main.vault.example.com. Empty: vaults are reached as localhost only.
	Domains []string `toml:"domains"`
	// DefaultHosts are names of the first vault, beside localhost and the loopback addresses.
	DefaultHosts []string `toml:"default_hosts"`
	// AuthorityHosts are the names of the token endpoints; challenges name the first. Empty
	// means localhost.
	AuthorityHosts []string `toml:"authority_hosts"`
	// Port is what clients connect to where that is not the port that listens, as behind a
	// proxy; 0 means the one that listens.
	Port int `toml:"port"`
	// Tenant is what a challenge names where its vault says nothing: "adfs" (the default),
	// with which SDKs ask nobody else about the authority, or "guid", the deployment's own.
	Tenant string `toml:"tenant"`
	// TokenAlgorithm signs access tokens: "ES256" (the default) or "RS256", which costs forty
	// times as much. A change takes a day, so that the new key is known before it signs.
	TokenAlgorithm string `toml:"token_algorithm"`
	// ChallengeResource is "derived" (the default): the vault's host less its first label,
	// which is what SDKs verify; or one for all, "https://vault.azure.net".
	ChallengeResource string `toml:"challenge_resource"`
}

// The values of [AzureConfig.Tenant] and the word of [AzureConfig.ChallengeResource].
const (
	TenantADFS      = "adfs"
	TenantGUID      = "guid"
	ResourceDerived = "derived"
)

// LimitsConfig bounds what callers can make the server hold.
type LimitsConfig struct {
	// Connections is how many connections are held at once; 0 means 4096.
	Connections int `toml:"connections"`
	// ConnectionsPerAddress is how many of them one address may hold; 0 means 1024.
	ConnectionsPerAddress int `toml:"connections_per_address"`
	// HeaderBytes bounds the headers of a request; 0 means 16384.
	HeaderBytes int `toml:"header_bytes"`
	// CacheBytes bounds the sealed rows kept in memory; 0 means 67108864.
	CacheBytes int64 `toml:"cache_bytes"`
	// Secrets is how many secrets an account may have in a region, those waiting for
	// their purge included; 0 means 500000, as at AWS.
	Secrets int64 `toml:"secrets"`
	// PrincipalRate is how many requests a second each principal may make, with any of its
	// keys and sessions; 0 means 20000, a negative number no limit.
	PrincipalRate int `toml:"principal_rate"`
	// AddressRate is the same for each address, whoever asks from it; 0 means 40000.
	AddressRate int `toml:"address_rate"`
	// FailureRate is how many failed attempts a second to prove who one is an address may
	// make before it is not listened to; 0 means 100.
	FailureRate int `toml:"failure_rate"`
	// AWSRates holds callers to AWS's quotas of requests per second, such as 50 writes
	// and 10,000 reads a second for an account in a region.
	AWSRates bool `toml:"aws_rates"`
}

// TimeoutsConfig bounds how long callers can keep the server waiting. Durations are
// written as "10s" or "1m30s".
type TimeoutsConfig struct {
	// Header is the time to send a request's headers; 0 means 5s.
	Header Duration `toml:"header"`
	// Read is the time to send a whole request; 0 means 20s.
	Read Duration `toml:"read"`
	// Write is the time from the end of the headers to the end of the answer; 0 means 60s.
	Write Duration `toml:"write"`
	// Idle is how long an idle connection is kept; 0 means 2m.
	Idle Duration `toml:"idle"`
	// Drain is how long requests may take to finish when the server stops; 0 means 20s.
	Drain Duration `toml:"drain"`
}

// InitConfig says what `tacet init` makes. A server does not read it.
type InitConfig struct {
	// Account is the account of the first vault, twelve digits; empty means 000000000001.
	Account string `toml:"account"`
	// Region is its region; empty means us-east-1.
	Region string `toml:"region"`
	// Vault is its name; empty means main.
	Vault string `toml:"vault"`
	// Administrator is the name of the first user; empty means admin.
	Administrator string `toml:"administrator"`
}

// Duration is a length of time written as Go writes it, "1m30s".
type Duration time.Duration

// UnmarshalText parses the form of time.ParseDuration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// MarshalText writes the form of time.Duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// The values of [AuditConfig.Fsync].
const (
	FsyncGroup    = "group"
	FsyncInterval = "interval"
)

// LoadConfig reads and validates a configuration file. Relative paths in it are
// relative to its folder, never to the folder the command was started in. An error
// names every key that is wrong.
func LoadConfig(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	cfg, err := parseConfig(text)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, err
	}
	cfg.resolvePaths(folder)
	if err := cfg.Validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}

func (c *Config) resolvePaths(folder string) {
	for _, p := range []*string{&c.TLS.CertFile, &c.TLS.KeyFile, &c.Key.File, &c.OIDC.CAFile} {
		*p = absolute(folder, *p)
	}
	if file, ok := strings.CutPrefix(c.Store.URL, "file:"); ok {
		c.Store.URL = "file:" + absolute(folder, file)
	}
	if file, ok := strings.CutPrefix(c.Store.URL, "sqlite:"); ok {
		c.Store.URL = "sqlite:" + absolute(folder, file)
	}
}

func absolute(folder, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}

// withDefaults returns the configuration with every default filled in.
func (c Config) withDefaults() Config {
	def(&c.Store.MaxConns, 10)
	def(&c.Audit.Fsync, FsyncGroup)
	def(&c.Log.Level, "info")
	def(&c.Log.Format, "json")
	def(&c.Azure.Tenant, TenantADFS)
	def(&c.Azure.ChallengeResource, ResourceDerived)
	def(&c.Azure.TokenAlgorithm, "ES256")
	if len(c.Azure.AuthorityHosts) == 0 {
		c.Azure.AuthorityHosts = []string{"localhost"}
	}
	def(&c.Limits.Connections, 4096)
	def(&c.Limits.ConnectionsPerAddress, 1024)
	def(&c.Limits.HeaderBytes, 16<<10)
	def(&c.Limits.CacheBytes, 64<<20)
	def(&c.Limits.Secrets, 500_000)
	def(&c.Limits.PrincipalRate, 20_000)
	def(&c.Limits.AddressRate, 40_000)
	def(&c.Limits.FailureRate, 100)
	def(&c.OIDC.Timeout, Duration(5*time.Second))
	def(&c.Timeouts.Header, Duration(5*time.Second))
	def(&c.Timeouts.Read, Duration(20*time.Second))
	def(&c.Timeouts.Write, Duration(60*time.Second))
	def(&c.Timeouts.Idle, Duration(2*time.Minute))
	def(&c.Timeouts.Drain, Duration(20*time.Second))
	def(&c.Init.Account, "000000000001")
	def(&c.Init.Region, "us-east-1")
	def(&c.Init.Vault, "main")
	def(&c.Init.Administrator, "admin")
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
