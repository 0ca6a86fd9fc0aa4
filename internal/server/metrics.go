package server

import (
	"maps"
	"net/http"
	"net/http/pprof"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tacet"
	"tacet/internal/guard"
)

// metrics is what the admin listener tells Prometheus. Labels are operations, codes
// and reasons, which are few and known beforehand; never a name of a secret or of a
// caller.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	auth     *prometheus.CounterVec
	sweeps   *prometheus.CounterVec
	purged   prometheus.Counter
	reloads  *prometheus.CounterVec

	operations map[string]bool

	// children are the histograms by label, found without a lock and without an
	// allocation: a request is observed in some 50 ns.
	children atomic.Pointer[map[requestKey]prometheus.Observer]
	mu       sync.Mutex // of making a child
}

type requestKey struct{ api, op, code string }

// maxChildren bounds the label combinations, whatever the faces report.
const maxChildren = 2048

// other stands for operations and codes that are not known.
const other = "other"

// requestBuckets are the bounds of the duration histogram in seconds: the anchors of
// a read served from memory (0.1 ms) up to the write timeout.
func requestBuckets() []float64 {
	return []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}
}

// authCodes are the codes that mean that a caller could not be told.
func authCodes() []string {
	return []string{"MissingAuthenticationTokenException", "MissingAuthenticationToken", "IncompleteSignatureException", "IncompleteSignature",
		"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch", "ExpiredTokenException", "ExpiredToken", "Unauthorized", "invalid_client", "unauthorized_client"}
}

func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tacet_request_duration_seconds",
			Help: "Time from a whole request to its answer.", Buckets: requestBuckets()}, []string{"api", "op", "code"}),
		auth: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tacet_auth_failures_total",
			Help: "Requests whose caller could not be authenticated, by reason."}, []string{"reason"}),
		sweeps: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tacet_sweep_runs_total",
			Help: "Searches for secrets whose recovery window has ended."}, []string{"result"}),
		purged: prometheus.NewCounter(prometheus.CounterOpts{Name: "tacet_sweep_purged_total",
			Help: "Secrets and versions removed for good after their window."}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tacet_tls_reloads_total",
			Help: "Times the certificate was read again; after an error the one before stays in use."}, []string{"result"}),
		operations: map[string]bool{},
	}
	for _, op := range tacet.Operations() {
		m.operations[string(op)] = true
	}
	for _, reason := range authCodes() {
		m.auth.WithLabelValues(reason)
	}
	for _, result := range []string{"ok", "error"} {
		m.sweeps.WithLabelValues(result)
		m.reloads.WithLabelValues(result)
	}
	m.children.Store(&map[requestKey]prometheus.Observer{})
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tacet_build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "go": goVersion()}}, func() float64 { return 1 })
	m.registry.MustRegister(m.requests, m.auth, m.sweeps, m.purged, m.reloads, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func goVersion() string {
	if b, ok := debug.ReadBuildInfo(); ok {
		return b.GoVersion
	}
	return ""
}

// observe counts one request of a face.
func (m *metrics) observe(api, op, code string, d time.Duration) {
	key := requestKey{api, op, code}
	child := (*m.children.Load())[key]
	if child == nil {
		child = m.child(key)
	}
	child.Observe(d.Seconds())
}

func (m *metrics) child(key requestKey) prometheus.Observer {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := *m.children.Load()
	if child, ok := old[key]; ok {
		return child
	}
	label := key
	if len(old) >= maxChildren {
		// Answered, not remembered: what comes after the bound shares one child.
		label = requestKey{key.api, other, other}
		return m.requests.WithLabelValues(label.api, label.op, label.code)
	}
	children := maps.Clone(old)
	child := m.requests.WithLabelValues(label.api, label.op, label.code)
	children[key] = child
	m.children.Store(&children)
	return child
}

// observeAWS has the form that the AWS face reports its requests in.
func (m *metrics) observeAWS(op, code string, d time.Duration) { m.observeCloud("aws", op, code, d) }

// observeAzure is observeAWS for the Azure face.
func (m *metrics) observeAzure(op, code string, d time.Duration) {
	m.observeCloud("azure", op, code, d)
}

// observeCloud counts one request. What is not an operation's name is counted under one
// label, so that callers cannot make series.
func (m *metrics) observeCloud(api, op, code string, d time.Duration) {
	if code == "" {
		code = "OK"
	}
	if !m.operations[op] {
		op = other
	}
	m.observe(api, op, code, d)
	if code != "OK" {
		m.countAuth(code)
	}
}

func (m *metrics) countAuth(code string) {
	for _, reason := range authCodes() {
		if reason == code {
			m.auth.WithLabelValues(reason).Inc()
		}
	}
}

// observeAdmin has the form that the administration face reports its requests in.
func (m *metrics) observeAdmin(op, code string, d time.Duration) { m.observeOwn("admin", op, code, d) }

// observeAuthority is observeAdmin for the endpoints of access tokens.
func (m *metrics) observeAuthority(op, code string, d time.Duration) {
	m.observeOwn("authority", op, code, d)
}

// observeOwn counts one request of a face that names only operations it has.
func (m *metrics) observeOwn(api, op, code string, d time.Duration) {
	if op == "" {
		op = other
	}
	if code == "" {
		code = "OK"
	}
	m.observe(api, op, code, d)
	if code != "OK" {
		m.countAuth(code)
	}
}

// watchGuard adds the door's counters.
func (m *metrics) watchGuard(stats func() guard.Stats) {
	for _, c := range []struct {
		name, help string
		read       func(guard.Stats) int64
	}{
		{"tacet_audit_records_total", "Audit records committed.", func(s guard.Stats) int64 { return s.Records }},
		{"tacet_commit_groups_total", "Groups of requests committed together; records per group is the group size.", func(s guard.Stats) int64 { return s.Groups }},
		{"tacet_commit_changes_total", "Changes committed.", func(s guard.Stats) int64 { return s.Changes }},
		{"tacet_commit_failures_total", "Groups that could not be committed.", func(s guard.Stats) int64 { return s.Failures }},
		{"tacet_reads_repeated_total", "Reads done again because a change overtook them.", func(s guard.Stats) int64 { return s.Stale }},
	} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: c.name, Help: c.help},
			func() float64 { return float64(c.read(stats())) }))
	}
}

// watchConnections adds the connections of the faces.
func (m *metrics) watchConnections(c *connections) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tacet_connections_open", Help: "Connections open on the faces' listeners."},
			func() float64 { return float64(c.open.Load()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "tacet_connections_refused_total", Help: "Connections closed at once because a limit was reached."},
			func() float64 { return float64(c.refused.Load()) }))
}

// gauge adds a gauge that is read when asked for.
func (m *metrics) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// adminHandler is everything the admin listener answers.
func (m *metrics) adminHandler(h *health) http.Handler {
	serveMetrics := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", serveMetrics)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := h.handler(r.URL.Path, true); h != nil {
			h(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
