package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tacet"
	"tacet/internal/adminapi"
	"tacet/internal/awsapi"
	"tacet/internal/azureapi"
	"tacet/internal/identity"
	"tacet/internal/limit"
	"tacet/internal/seal/keyfile"
)

// Server is a built server: its store is open and its listeners are bound, so that
// callers queue, but nobody is answered before [Server.Run].
type Server struct {
	cfg     Config
	log     *slog.Logger
	now     func() time.Time
	rooms   *rooms
	metrics *metrics
	health  *health
	record  *auditor
	certs   *certificates // nil on a development server and without TLS

	faces    []*face
	draining atomic.Bool
	closing  sync.Once
	closeErr error
}

// face is a listener and what answers on it.
type face struct {
	name     string // "https", "http" or "admin"
	listener net.Listener
	http     *http.Server
	tls      bool
	fresh    sync.Map // of net.Conn: the connections that have not asked anything yet
}

// development is what makes a server a development server: see [StartDev].
type development struct {
	clock     *Clock
	authority *devAuthority
	metadata  *identity.MetadataIdentity
}

// Build opens the store, the key and the door, wires the faces to them and binds the
// listeners. What it opened it closes again when it fails.
func Build(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg.withDefaults(), now: time.Now}
	s.log = s.cfg.Logger
	if s.cfg.dev != nil {
		s.now = s.cfg.dev.clock.Now
	}
	if err := s.loadCertificates(); err != nil {
		return nil, err
	}
	var err error
	if s.rooms, err = openRooms(ctx, s.cfg, s.now); err != nil {
		return nil, err
	}
	if err = s.rooms.identity.RotateTokenKeys(ctx, s.cfg.Azure.TokenAlgorithm); err == nil {
		err = s.wire()
	}
	if err == nil {
		err = s.bind(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) loadCertificates() (err error) {
	if s.cfg.TLS != (TLSConfig{}) {
		s.certs, err = loadCertificates(s.cfg.TLS.CertFile, s.cfg.TLS.KeyFile)
	}
	return err
}

// wire makes what looks at the rooms: the metrics, the record's follower, health.
func (s *Server) wire() (err error) {
	if s.record, err = newAuditor(s); err != nil {
		return err
	}
	s.metrics = newMetrics(Version())
	s.metrics.watchGuard(s.rooms.guard.Stats)
	s.metrics.watchAudit(s.record)
	s.health = &health{checks: []check{
		{"serving", func(context.Context) error {
			if s.draining.Load() {
				return errors.New("the server is stopping")
			}
			return nil
		}, "the server is stopping"},
		{"store", s.rooms.guard.Ready, "the store does not answer"},
		{"audit", func(context.Context) error { return s.record.problem() }, "the audit record is not being signed"},
	}}
	if s.certs != nil {
		s.metrics.gauge("tacet_tls_not_after_seconds", "When the certificate in use expires, in seconds since 1970.",
			func() float64 { return float64(s.certs.current.Load().Leaf.NotAfter.Unix()) })
	}
	s.metrics.gauge("tacet_store_ready", "1 when the store answers.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
		defer cancel()
		if s.rooms.guard.Ready(ctx) != nil {
			return 0
		}
		return 1
	})
	return nil
}

// handler returns what the listeners of the faces answer.
func (s *Server) handler() http.Handler {
	// Signatures are compared with the machine's clock, which the callers have too: moving
	// a development server's clock must not lock every SDK out.
	limits := limit.NewCallers(limit.Rates{Principal: float64(s.cfg.Limits.PrincipalRate), Address: float64(s.cfg.Limits.AddressRate),
		Failures: float64(s.cfg.Limits.FailureRate)}, time.Now)
	aws := awsapi.New(awsapi.Config{Vault: s.rooms.vault, Identity: s.rooms.identity, Now: time.Now,
		ValidRegion: s.rooms.guard.ValidRegion, Limits: limits, AWSRates: s.cfg.Limits.AWSRates, Logger: room(s.log, "awsapi"), Observe: s.metrics.observeAWS})
	admin := adminapi.Config{Vault: s.rooms.vault, Identity: s.rooms.identity, Audit: s.record, Limits: limits,
		Identify: func(r *http.Request) error { return lend(aws.Identify(r, adminapi.Service)) }, Authenticate: authenticator(aws), Logger: room(s.log, "adminapi"), Observe: s.metrics.observeAdmin}
	if s.cfg.dev != nil {
		admin.Clock = s.cfg.dev.clock
	}
	azure := azureapi.New(azureapi.Config{Vault: s.rooms.vault, Identity: s.rooms.identity, Hosts: s.azureHosts(), Limits: limits, Version: Version(),
		Logger: room(s.log, "azureapi"), Observe: s.metrics.observeAzure})
	return &router{health: s.health, admin: adminapi.New(admin), authority: s.authority(limits), azure: azure, aws: aws}
}

// azureHosts are the names that the Azure face answers to.
func (s *Server) azureHosts() azureapi.Hosts {
	c := &s.cfg.Azure
	h := azureapi.Hosts{Domains: c.Domains, Default: c.DefaultHosts, Authorities: c.AuthorityHosts, Port: c.Port, SecurePort: s.securePort}
	for _, d := range c.Domains { // and not instead: a vault called login keeps its own paths
		h.Authorities = append(slices.Clip(h.Authorities), "login."+d)
	}
	if c.Tenant != TenantGUID {
		h.Tenant = c.Tenant
	}
	if c.ChallengeResource != ResourceDerived {
		h.Resource = c.ChallengeResource
	}
	return h
}

// securePort is the port of the HTTPS listener, 0 for none.
func (s *Server) securePort() int {
	for _, f := range s.faces {
		if a, ok := f.listener.Addr().(*net.TCPAddr); ok && f.name == "https" {
			return a.Port
		}
	}
	return 0
}

// authenticator lends the AWS face's check of signatures to the administration face.
func authenticator(aws *awsapi.Handler) func(*http.Request, []byte) (tacet.Call, error) {
	return func(r *http.Request, body []byte) (tacet.Call, error) {
		call, err := aws.Authenticate(r, body, adminapi.Service)
		return call, lend(err)
	}
}

// lend translates a refusal of the AWS face for the administration face.
func lend(err error) error {
	var refused *awsapi.AuthError
	if errors.As(err, &refused) {
		return &adminapi.AuthError{Code: refused.Code, Message: refused.Message}
	}
	return err
}

// bind opens the listeners that the configuration names.
func (s *Server) bind(ctx context.Context) error {
	handler := s.handler()
	conns := newConnections(s.cfg.Limits.Connections, s.cfg.Limits.ConnectionsPerAddress)
	s.metrics.watchConnections(conns)
	name := "http"
	if s.cfg.secure() {
		name = "https"
	}
	return errors.Join(
		s.listen(ctx, name, s.cfg.Listen.Address, handler, conns),
		s.listen(ctx, "http", s.cfg.Listen.PlaintextAddress, handler, conns),
		s.listen(ctx, "admin", s.cfg.Admin.Listen, s.metrics.adminHandler(s.health), newConnections(64, 64)))
}

func (s *Server) listen(ctx context.Context, name, address string, h http.Handler, conns *connections) error {
	if address == "" {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("%s listener: %w", name, err)
	}
	f := &face{name: name, listener: &listener{l, conns}, http: s.httpServer(name, h)}
	f.http.ConnState = f.watch
	if name == "https" {
		get := s.certs.get
		if s.cfg.dev != nil {
			get = s.cfg.dev.authority.certificate
		}
		f.http.TLSConfig, f.tls = tlsConfig(get), true
	}
	s.faces = append(s.faces, f)
	return nil
}

func (s *Server) httpServer(name string, h http.Handler) *http.Server {
	t := s.cfg.Timeouts
	write := time.Duration(t.Write)
	if name == "admin" {
		write = 0 // a profile or a trace lasts as long as was asked for
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(name == "https")
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: time.Duration(t.Header),
		ReadTimeout:       time.Duration(t.Read),
		WriteTimeout:      write,
		IdleTimeout:       time.Duration(t.Idle),
		MaxHeaderBytes:    s.cfg.Limits.HeaderBytes,
		Protocols:         protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 128, MaxReadFrameSize: 64 << 10},
		// "OPTIONS *" is a request like any other: net/http must not answer it by itself.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(room(s.log, name).Handler(), slog.LevelDebug),
	}
}

// Addr returns the address a listener was bound to, "" for none: "https", "http" or
// "admin".
func (s *Server) Addr(name string) string {
	for _, f := range s.faces {
		if f.name == name {
			return f.listener.Addr().String()
		}
	}
	return ""
}

// Run serves until ctx ends; then it stops accepting, lets the requests that are
// being served finish (the admin listener answers meanwhile), and closes the door and the store. It returns nil after an
// orderly stop. It may be called once.
func (s *Server) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { s.record.run(background) })
	wg.Go(func() { s.record.prune(background) })
	wg.Go(func() { s.sweep(background) })
	failed := make(chan error, len(s.faces))
	for _, f := range s.faces {
		wg.Go(func() { failed <- f.serve() })
		s.log.Info("listening", "listener", f.name, "address", f.listener.Addr().String())
	}
	var err error
	select {
	case <-ctx.Done():
		err = s.drain()
	case err = <-failed:
		err = errors.Join(fmt.Errorf("a listener failed: %w", err), s.drain())
	}
	stop()
	wg.Wait()
	err = errors.Join(err, s.Close())
	s.log.Info("stopped")
	return err
}

func (f *face) serve() error {
	var err error
	if f.tls {
		err = f.http.ServeTLS(f.listener, "", "")
	} else {
		err = f.http.Serve(f.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Reload reads the certificate again. Where that fails, the one in use stays.
func (s *Server) Reload() error {
	if s.certs == nil {
		return nil
	}
	err := s.certs.reload()
	result := "ok"
	if err != nil {
		result = "error"
	}
	s.metrics.reloads.WithLabelValues(result).Inc()
	return err
}

// Close gives back everything a server that was built holds. [Server.Run] does it by
// itself.
func (s *Server) Close() error {
	s.closing.Do(func() {
		var errs []error
		for _, f := range s.faces {
			if err := f.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
		s.closeErr = errors.Join(append(errs, s.rooms.close())...)
	})
	return s.closeErr
}

// sweepEvery is how often what has outlived its window is looked for.
const sweepEvery = time.Minute

// sweep removes for good what was deleted and has outlived its recovery window.
func (s *Server) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	var moved <-chan struct{}
	if s.cfg.dev != nil {
		moved = s.cfg.dev.clock.onMove()
	}
	for {
		if err := s.rooms.identity.RotateTokenKeys(ctx, s.cfg.Azure.TokenAlgorithm); err != nil && ctx.Err() == nil {
			s.log.Error("the keys of access tokens were not looked after", "error", err)
		}
		purged, err := s.rooms.vault.Sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.metrics.sweeps.WithLabelValues("error").Inc()
			s.log.Error("sweep failed", "error", err)
		default:
			s.metrics.sweeps.WithLabelValues("ok").Inc()
			s.metrics.purged.Add(float64(purged))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-moved:
		}
	}
}

// Check looks whether a server of this configuration could start, as far as that can be
// told without opening the store: the configuration, the key file, the certificate.
func Check(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	var errs []error
	if _, err := keyfile.Open(cfg.Key.File); err != nil {
		errs = append(errs, err)
	}
	if cfg.TLS != (TLSConfig{}) {
		if _, err := loadCertificates(cfg.TLS.CertFile, cfg.TLS.KeyFile); err != nil {
			errs = append(errs, err)
		}
	}
	if _, err := cfg.storeURL(); err != nil {
		errs = append(errs, err)
	}
	return joinLines(errs)
}
