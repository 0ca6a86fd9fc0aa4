package awsapi

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"tacet"
	"tacet/internal/identity"
	"tacet/internal/limit"
	"tacet/internal/sigv4"
	"tacet/internal/vault"
	"tacet/internal/wire"
)

// Config is what the face needs.
type Config struct {
	Vault    *vault.Service
	Identity *identity.Service
	// Now is the clock that signatures are compared with; nil means time.Now.
	Now func() time.Time
	// ValidRegion reports whether a request may be scoped to a region, whose name is well
	// formed; nil means any such region.
	ValidRegion func(region string) bool
	// Limits protect the server; nil means none.
	Limits *limit.Callers
	// AWSRates holds callers to AWS's quotas of requests per second.
	AWSRates bool
	// Logger gets failures of ours; nil means slog.Default.
	Logger *slog.Logger
	// Observe, when not nil, is told of every answered request: its operation ("" when
	// it named none that exists), the code of its error ("" for success) and how long it
	// took. Both names come from fixed sets.
	Observe func(operation, code string, d time.Duration)
}

// Handler is the face. It is safe for concurrent use.
type Handler struct {
	cfg        Config
	operations map[string]operation      // by X-Amz-Target
	queries    map[string]queryOperation // by namespace and Action
	keys       sigv4.KeyCache
	rates      rates // nil: no quotas
	exchanges  sync.Pool

	// Header values that all answers share; net/http only reads them.
	typeJSON, typeXML []string
}

// New returns the face.
func New(cfg Config) *Handler {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.ValidRegion == nil {
		cfg.ValidRegion = func(string) bool { return true }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Observe == nil {
		cfg.Observe = func(string, string, time.Duration) {}
	}
	h := &Handler{
		cfg:        cfg,
		operations: make(map[string]operation),
		queries:    queryTable(),
		typeJSON:   []string{"application/x-amz-json-1.1"},
		typeXML:    []string{"text/xml"},
	}
	if cfg.AWSRates {
		h.rates = newRates(cfg.Now)
	}
	h.exchanges.New = func() any { return new(exchange) }
	for _, op := range operations() {
		h.operations["secretsmanager."+string(op.name)] = op
	}
	return h
}

// An exchange is one request and its answer. It is used again for later ones, so
// nothing of it may be kept behind ServeHTTP.
type exchange struct {
	w http.ResponseWriter
	r *http.Request

	id   string // the request's id, a UUID
	op   tacet.Operation
	code string // of the error answered

	// query says that the Query protocol is spoken: XML, with its own codes.
	query bool
	xmlns string

	body wire.Body
	in   decoder
	out  encoder
}

// reset forgets the exchange; buffers that held a value are overwritten.
func (x *exchange) reset() {
	x.body.Reset()
	x.in.Reset(nil)
	x.out.Reset()
	*x = exchange{body: x.body, in: x.in, out: x.out}
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	x, _ := h.exchanges.Get().(*exchange)
	x.w, x.r, x.id = w, r, wire.NewRequestID()
	// A panic ends in an answer and a line in the log, and not in a dropped connection.
	// The exchange is left to the collector then: who knows who holds it.
	defer func() {
		if p := recover(); p != nil {
			h.answer(x, wire.LogPanic(h.cfg.Logger, x.id, x.op, p))
			h.cfg.Observe(string(x.op), x.code, 0)
		}
	}()
	h.answer(x, h.handle(x))
	h.cfg.Observe(string(x.op), x.code, time.Since(start))
	x.reset()
	h.exchanges.Put(x)
}

// handle does everything but the answer; an error it returns is still to be translated.
func (h *Handler) handle(x *exchange) error {
	x.query = isForm(x.r)
	x.xmlns = stsNamespace
	if err := checkTarget(x.r); err != nil {
		return err
	}
	if err := h.cfg.Limits.Arrive(x.r.RemoteAddr); err != nil {
		return err
	}
	op, known := h.operation(x.r)
	if known {
		x.op = op.name
	}
	// The signature's header is looked at before the body is read, so that those without
	// a credential cannot make us hold one. That the body is too long comes first, though.
	if x.r.ContentLength > maxBody {
		return errTooLarge
	}
	if x.isAnonymous() {
		return h.serveAnonymous(x)
	}
	who, err := h.identify(x.r, x.choose)
	if err != nil {
		h.cfg.Limits.Fail(x.r.RemoteAddr)
		return err
	}
	if err := x.read(); err != nil {
		return err
	}
	call, err := h.verify(who, x.r, x.body.Bytes)
	if err != nil {
		h.cfg.Limits.Fail(x.r.RemoteAddr)
		return err
	}
	call.RequestID = x.id
	return h.recorded(x, call, h.serve(x, call, op, known))
}

// serve does what an authenticated request asks for.
func (h *Handler) serve(x *exchange, call tacet.Call, op operation, known bool) error {
	if err := h.cfg.Limits.Admit(&call.Caller); err != nil {
		return err
	}
	switch {
	case x.query:
		return h.serveQuery(x, call)
	case !known:
		return errUnknownOperation
	}
	if err := h.rates.allow(call, op.quota); err != nil {
		return err
	}
	return op.serve(x.r.Context(), h.cfg.Vault, call, x)
}

// recorded has a refusal of the face's own recorded: the core, which records everything
// it is asked, has not seen the request.
func (h *Handler) recorded(x *exchange, call tacet.Call, err error) error {
	code := tacet.RequestInvalid
	var ours *failure
	switch {
	case tacet.CodeOf(err) == tacet.Throttled:
		code = tacet.Throttled
	case !errors.As(err, &ours):
		return err
	}
	if rerr := h.cfg.Vault.RecordRefusal(x.r.Context(), call, x.op, code); rerr != nil {
		return rerr
	}
	return err
}

// operation finds the row that the request names.
func (h *Handler) operation(r *http.Request) (operation, bool) {
	target := r.Header["X-Amz-Target"]
	if len(target) != 1 {
		return operation{}, false
	}
	op, ok := h.operations[target[0]]
	return op, ok
}

// answer writes what was rendered, or the refusal.
func (h *Handler) answer(x *exchange, err error) {
	status := http.StatusOK
	header := x.w.Header()
	if err != nil {
		f := x.translate(err)
		status, x.code = f.status, f.code
		wire.LogFailure(h.cfg.Logger, x.id, x.op, status, err)
		x.out.Reset()
		if x.query {
			writeQueryFailure(&x.out, x.xmlns, x.id, f)
		} else {
			writeFailure(&x.out, f)
			header["X-Amzn-Errortype"] = []string{f.code}
		}
		if id := tacet.DecisionOf(err); id != "" {
			header["X-Tacet-Decision-Id"] = []string{id}
		}
		if status == http.StatusMethodNotAllowed {
			header["Allow"] = []string{http.MethodPost}
		}
	}
	header["Content-Type"] = h.typeJSON
	if x.query {
		header["Content-Type"] = h.typeXML
	}
	values := [2]string{x.id, strconv.Itoa(len(x.out.Buf))}
	header["X-Amzn-Requestid"] = values[0:1:1]
	header["Content-Length"] = values[1:2:2]
	x.w.WriteHeader(status)
	_, _ = x.w.Write(x.out.Buf) // a client that is gone needs no answer
}

// translate finds the words for an error in the protocol spoken.
func (x *exchange) translate(err error) *failure {
	if x.query {
		return translateQuery(x.op, err)
	}
	return translate(x.op, err)
}
