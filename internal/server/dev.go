package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// The account and region of a development server.
const (
	DevAccount = "000000000001"
	DevRegion  = "us-east-1"
)

// DevConfig says what kind of development server to start. The zero value starts one
// in a temporary folder on free ports.
type DevConfig struct {
	// DataDir keeps everything: store, keys, certificate authority, credentials. One that
	// was used before is used again, and the same credentials work. Empty means a
	// temporary folder that is removed at the end.
	DataDir string
	// Listen is the address of the plain listener, loopback only; empty means
	// 127.0.0.1 and a free port.
	Listen string
	// TLSListen is the address of the HTTPS listener; empty means likewise.
	TLSListen string
	// AdminListen is the address of the listener of metrics; empty means none.
	AdminListen string
	// StoreURL is a store outside the data folder; empty means the embedded one. Servers
	// that share a PostgreSQL share a data folder too, for the key in it.
	StoreURL string
	// Clock is how far the clock is ahead of the machine's.
	Clock time.Duration
	// MetadataIdentity is whose access tokens the metadata endpoint of managed identities
	// gives to everybody on this machine: "user/NAME" or "role/NAME"; empty for nobody's.
	MetadataIdentity string
	// Fsync is as [AuditConfig.Fsync].
	Fsync string
	// Limits are as in a configuration; the zero value has the defaults, but for a
	// FailureRate, which there is none of.
	Limits LimitsConfig
	// Logger takes the log; nil discards it.
	Logger *slog.Logger
}

// DevServer is a development server, built but not running: see [Server.Run].
type DevServer struct {
	*Server
	Credentials Credentials
	Clock       *Clock
	DataDir     string
	CAFile      string
	temporary   bool
}

// Files of a development server's data folder.
const (
	devStore       = "tacet.db"
	devKey         = "tacet.key"
	devCredentials = "credentials.json"
	devCA          = "ca.pem"
	devCAKey       = "ca-key.pem"
)

// StartDev builds a development server. After it returns, callers can connect; they
// are answered when [DevServer.Run] is called.
func StartDev(ctx context.Context, dc DevConfig) (_ *DevServer, err error) {
	def(&dc.Listen, "127.0.0.1:0")
	def(&dc.TLSListen, "127.0.0.1:0")
	d := &DevServer{Clock: new(Clock), DataDir: dc.DataDir}
	d.Clock.SetOffset(dc.Clock)
	if err := d.makeFolder(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.removeFolder())
		}
	}()
	d.CAFile = filepath.Join(d.DataDir, devCA)
	authority, err := openDevAuthority(d.CAFile, filepath.Join(d.DataDir, devCAKey))
	if err != nil {
		return nil, err
	}
	metadata, err := metadataIdentity(dc.MetadataIdentity)
	if err != nil {
		return nil, err
	}
	cfg := Config{
		Listen: ListenConfig{Address: dc.TLSListen, PlaintextAddress: dc.Listen},
		Admin:  AdminConfig{Listen: dc.AdminListen},
		Store:  StoreConfig{URL: dc.StoreURL},
		Key:    KeyConfig{File: filepath.Join(d.DataDir, devKey)},
		Audit:  AuditConfig{Fsync: dc.Fsync},
		Azure:  AzureConfig{Domains: devDomains()},
		Init:   InitConfig{Account: DevAccount, Region: DevRegion},
		Limits: dc.Limits,
		Logger: dc.Logger,
		// Whoever interrupts it waits at a terminal.
		Timeouts: TimeoutsConfig{Drain: Duration(2 * time.Second)},
		dev:      &development{clock: d.Clock, authority: authority, metadata: metadata},
	}
	def(&cfg.Store.URL, "sqlite:"+filepath.Join(d.DataDir, devStore))
	// Those who test have one address, and failures are among what they test.
	def(&cfg.Limits.FailureRate, -1)
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if d.Credentials, err = devCredentialsOf(ctx, cfg.withDefaults(), filepath.Join(d.DataDir, devCredentials)); err != nil {
		return nil, err
	}
	d.Server, err = Build(ctx, cfg)
	return d, err
}

func (d *DevServer) makeFolder() (err error) {
	if d.DataDir == "" {
		d.temporary = true
		d.DataDir, err = os.MkdirTemp("", "tacet-dev-")
		return err
	}
	if d.DataDir, err = filepath.Abs(d.DataDir); err != nil {
		return err
	}
	return os.MkdirAll(d.DataDir, 0o700)
}

func (d *DevServer) removeFolder() error {
	if !d.temporary {
		return nil
	}
	return os.RemoveAll(d.DataDir)
}

// Run is [Server.Run]; a temporary data folder is removed at the end.
func (d *DevServer) Run(ctx context.Context) error {
	return errors.Join(d.Server.Run(ctx), d.removeFolder())
}

// Close is [Server.Close], for a server that never ran; a temporary data folder is
// removed.
func (d *DevServer) Close() error { return errors.Join(d.Server.Close(), d.removeFolder()) }

// Environment returns what a client needs to use the server.
func (d *DevServer) Environment() []Variable {
	plain := "http://" + clientAddress(d.Addr("http"))
	secure := "https://" + clientAddress(d.Addr("https"))
	vars := append([]Variable{{"AWS_ENDPOINT_URL", plain}}, d.Credentials.environment()...)
	vars = append(vars, d.Credentials.azureEnvironment(secure, plain+"/msi/token")...)
	return append(vars,
		Variable{"TACET_TENANT_ID", d.rooms.identity.TenantID()},
		Variable{"TACET_CA_FILE", d.CAFile},
		Variable{"TACET_HTTP_URL", plain},
		Variable{"TACET_VAULT_URL", d.vaultURL()},
		Variable{"TACET_HTTPS_URL", secure},
		Variable{"TACET_PID", strconv.Itoa(os.Getpid())})
}

// vaultURL is where Azure's clients find the vault. Its name has to be one that the machine
// can resolve: see [DevHosts].
func (d *DevServer) vaultURL() string {
	url := "https://" + devVaultHost
	if _, port, err := net.SplitHostPort(d.Addr("https")); err == nil && port != "443" {
		url += ":" + port
	}
	return url
}

// clientAddress returns where a client on this machine reaches a bound address.
func clientAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// WaitReady waits until the server answers on both listeners that it is ready.
func (d *DevServer) WaitReady(ctx context.Context) error {
	roots := x509.NewCertPool()
	roots.AddCert(d.cfg.dev.authority.cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for _, url := range []string{"http://" + clientAddress(d.Addr("http")), "https://" + clientAddress(d.Addr("https"))} {
		for {
			r, err := ask(ctx, client, url)
			if err == nil && r.Status == "ready" {
				break
			}
			select {
			case <-ctx.Done():
				return errors.Join(fmt.Errorf("%s does not become ready: %w", url, ctx.Err()), err)
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	return nil
}
