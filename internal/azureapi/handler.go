package azureapi

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/limit"
	"tacet/internal/vault"
	"tacet/internal/wire"
)

// Config is what the face needs.
type Config struct {
	Vault    *vault.Service
	Identity *identity.Service
	// Hosts says which names the face answers to.
	Hosts Hosts
	// Limits protect the server; nil means none.
	Limits *limit.Callers
	// Version is told in the header x-ms-keyvault-service-version.
	Version string
	// Logger gets failures of ours; nil means slog.Default.
	Logger *slog.Logger
	// Observe, when not nil, is told of every answered request: its operation ("" when it
	// named none that exists), the code of its error ("" for success) and how long it took.
	// Both names come from fixed sets.
	Observe func(operation, code string, d time.Duration)
}

// Handler is the face. It is safe for concurrent use.
type Handler struct {
	cfg        Config
	operations []operation
	tenant     string // the deployment's
	exchanges  sync.Pool
}

// New returns the face.
func New(cfg Config) *Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Observe == nil {
		cfg.Observe = func(string, string, time.Duration) {}
	}
	h := &Handler{cfg: cfg, operations: operations(), tenant: cfg.Identity.TenantID()}
	h.exchanges.New = func() any { return new(exchange) }
	return h
}

// An exchange is one request for a vault and its answer. It is used again for later ones,
// so nothing of it may be kept behind ServeHTTP.
type exchange struct {
	w http.ResponseWriter
	r *http.Request

	id     string // the request's id, a UUID
	site   site   // the vault that was asked
	target target // what of it
	query  query
	op     tacet.Operation
	verb   string // what messages call the operation
	tenant string // the deployment's
	call   tacet.Call
	code   string // of the error answered
	role   string // id of the role assignment that allowed the request

	body wire.Body
	in   wire.Decoder
	out  wire.Encoder
}

// wipe overwrites what held a value.
func (x *exchange) wipe() {
	x.body.Reset()
	x.in.Reset(nil)
	x.out.Reset()
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	x, _ := h.exchanges.Get().(*exchange)
	x.w, x.r, x.id, x.tenant = w, r, wire.NewRequestID(), h.tenant
	// A panic ends in an answer and a line in the log, and not in a dropped connection.
	// The exchange is left to the collector then: who knows who holds it.
	defer func() {
		if p := recover(); p != nil {
			h.answer(x, 0, wire.LogPanic(h.cfg.Logger, x.id, x.op, p))
			h.cfg.Observe(string(x.op), x.code, 0)
		}
	}()
	status, err := h.handle(x)
	h.answer(x, status, err)
	h.cfg.Observe(string(x.op), x.code, time.Since(start))
	x.wipe()
	if r.Context().Err() == nil { // or else it may still be told of a decision, see [tacet.Call]
		*x = exchange{body: x.body, in: x.in, out: x.out}
		h.exchanges.Put(x)
	}
}

// handle does everything but the answer. It returns the status of a success; an error is
// still to be translated.
func (h *Handler) handle(x *exchange) (int, error) {
	var known bool
	if x.site, known = h.locate(x.r); !known {
		return 0, errNoVault
	}
	op, problem := h.route(x)
	x.op, x.verb = op.name, op.verb
	if err := h.cfg.Limits.Arrive(x.r.RemoteAddr); err != nil {
		return 0, err
	}
	// The first request of every SDK has no token, and its body is taken off: nothing else
	// may be looked at before the challenge is answered.
	caller, err := h.authenticate(x)
	x.call = wire.NewCall(x.r, "azure", caller)
	x.call.Vault, x.call.RequestID = x.site.vault.Name, x.id
	path := rawPath(x.r)
	x.call.Base, x.call.Path = x.site.base, path[:min(len(path), maxPath)]
	if err != nil {
		return 0, h.unknown(x, err)
	}
	return op.status, h.recorded(x, h.serve(x, op, problem))
}

// serve does what an authenticated request asks for.
func (h *Handler) serve(x *exchange, op operation, problem error) error {
	if err := h.cfg.Limits.Admit(&x.call.Caller); err != nil {
		return err
	}
	if err := x.readQuery(); err != nil {
		return err
	}
	x.call.APIVersion, x.call.Granted = x.query.version, &x.role
	if problem != nil {
		return problem
	}
	if err := x.target.check(); err != nil {
		return err
	}
	if op.body > 0 {
		if err := x.body.Read(x.w, x.r, op.body); errors.Is(err, wire.ErrTooLarge) {
			return errTooLarge
		} else if err != nil {
			return errBodyUnread
		}
	}
	return op.serve(x.r.Context(), h.cfg.Vault, x.call, x)
}

// maxPath is how much of a path is recorded, in bytes; those that exist are shorter.
const maxPath = 512

// unknown has it recorded that somebody did not prove who he is, as Key Vault does, and
// returns why. Every client comes once without a token, which is no failure.
func (h *Handler) unknown(x *exchange, why error) error {
	code := tacet.CodeOf(why)
	if code != tacet.CredentialMissing {
		h.cfg.Limits.Fail(x.r.RemoteAddr)
	}
	if !h.cfg.Limits.Note(x.r.RemoteAddr) {
		return why
	}
	if err := h.cfg.Vault.RecordRefusal(x.r.Context(), x.call, x.op, code); err != nil {
		return err
	}
	return why
}

// recorded has a refusal of the face's own recorded: the core, which records everything it
// is asked, has not seen the request.
func (h *Handler) recorded(x *exchange, err error) error {
	code := tacet.RequestInvalid
	var ours *failure
	switch {
	case tacet.CodeOf(err) == tacet.Throttled:
		code = tacet.Throttled
	case !errors.As(err, &ours):
		return err
	}
	if rerr := h.cfg.Vault.RecordRefusal(x.r.Context(), x.call, x.op, code); rerr != nil {
		return rerr
	}
	return err
}

// answer writes what was rendered, or the refusal.
func (h *Handler) answer(x *exchange, status int, err error) {
	if err != nil {
		f := x.translate(err)
		status, x.code = f.status, f.code
		wire.LogFailure(h.cfg.Logger, x.id, x.op, status, err)
		if id := tacet.DecisionOf(err); id != "" {
			x.w.Header()["X-Tacet-Decision-Id"] = []string{id}
		}
		x.out.Reset()
		writeFailure(&x.out, f)
		if f.allowed != nil {
			x.w.Header()["Allow"] = []string{strings.Join(f.allowed, ", ")}
		}
	}
	list := make(values, 0, maxValues)
	x.headers(&list, h.cfg.Version)
	header := x.w.Header()
	if status == http.StatusUnauthorized {
		header["Www-Authenticate"] = list.one(h.challenge(x))
	}
	mayRetry(header, status)
	if err == nil && x.role != "" {
		header["X-Ms-Keyvault-Rbac-Assignment-Id"] = list.one(x.role)
	}
	if status != http.StatusNoContent {
		header["Content-Type"] = typeJSON
		header["Content-Length"] = list.one(strconv.Itoa(len(x.out.Buf)))
	}
	x.w.WriteHeader(status)
	if status != http.StatusNoContent {
		_, _ = x.w.Write(x.out.Buf) // a client that is gone needs no answer
	}
}

// values are the values of an answer's headers, in one piece of memory.
type values []string

// maxValues is how many there are at most; more only cost another piece.
const maxValues = 8

// one returns v as the one value of a header.
func (list *values) one(v string) []string {
	*list = append(*list, v)
	n := len(*list)
	return (*list)[n-1 : n : n]
}

// Header values that all answers share; net/http only reads them.
var (
	typeJSON  = []string{"application/json; charset=utf-8"}
	noCache   = []string{"no-cache"}
	expired   = []string{"-1"}
	noSniff   = []string{"nosniff"}
	strictTLS = []string{"max-age=31536000;includeSubDomains"}
)

// headers writes those that every answer has (recorded traffic of Key Vault).
func (x *exchange) headers(list *values, version string) {
	header := x.w.Header()
	header["Cache-Control"], header["Pragma"], header["Expires"] = noCache, noCache, expired
	header["X-Content-Type-Options"] = noSniff
	if x.r.TLS != nil {
		header["Strict-Transport-Security"] = strictTLS
	}
	header["X-Ms-Request-Id"] = list.one(x.id)
	if id := x.r.Header.Get("X-Ms-Client-Request-Id"); id != "" && len(id) <= maxRequestID {
		header["X-Ms-Client-Request-Id"] = list.one(id)
	}
	if x.site.vault.Name == "" {
		return
	}
	header["X-Ms-Keyvault-Region"] = list.one(x.site.vault.Region)
	header["X-Ms-Keyvault-Service-Version"] = list.one(version)
	header["X-Ms-Keyvault-Network-Info"] = list.one(networkInfo(x.r))
}

// maxRequestID is the longest id of a client's that is echoed.
const maxRequestID = 128

// networkInfo tells the client where it was seen to come from.
func networkInfo(r *http.Request) string {
	address := wire.SourceIP(r)
	kind, family := "Ipv4", "InterNetwork"
	if strings.Contains(address, ":") {
		kind, family = "Ipv6", "InterNetworkV6"
	}
	return "conn_type=" + kind + ";addr=" + address + ";act_addr_fam=" + family + ";"
}
