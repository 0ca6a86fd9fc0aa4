package awsapi

import (
	"context"
	"net/http"
	"strings"

	"tacet"
	"tacet/internal/identity"
)

// The versions of the Query protocol's APIs; each has only ever had the one.
const (
	stsVersion = "2011-06-15"
	iamVersion = "2010-05-08"
)

// The namespaces of the Query protocol's answers.
const (
	stsNamespace = "https://sts.amazonaws.com/doc/" + stsVersion + "/"
	iamNamespace = "https://iam.amazonaws.com/doc/" + iamVersion + "/"
)

// maxAnonymous is the longest body of a request without a signature, in bytes: an
// identity token of 20,000 and a session policy, escaped.
const maxAnonymous = 64 << 10

// A queryOperation is a row of the table of the Query protocol: a form in, XML out.
type queryOperation struct {
	name tacet.Operation
	// anonymous says that the request is not signed: it brings its own proof.
	anonymous bool
	serve     func(ctx context.Context, s *identity.Service, call tacet.Call, f *form, x *exchange) error
}

// query makes an operation of its three parts, as serve does for the JSON protocol. A nil
// write answers without a result.
func query[In, Out any](
	read func(*form, *checks) In,
	call func(*identity.Service, context.Context, tacet.Call, In) (Out, error),
	write func(*encoder, Out),
) func(context.Context, *identity.Service, tacet.Call, *form, *exchange) error {
	return func(ctx context.Context, s *identity.Service, by tacet.Call, f *form, x *exchange) error {
		c := checks{iam: x.op.Service() == "iam"}
		in := read(f, &c)
		if err := c.failure(); err != nil {
			return err
		}
		out, err := call(s, ctx, by, in)
		if err != nil {
			return err
		}
		if write == nil {
			x.respond(nil)
			return nil
		}
		x.respond(func(e *encoder) { write(e, out) })
		return nil
	}
}

// respond writes an answer around its result; nil is an answer without one.
func (x *exchange) respond(result func(*encoder)) {
	e, name := &x.out, string(x.op)
	e.Raw("<" + name + `Response xmlns="` + x.xmlns + `">`)
	if result != nil {
		e.within(name+"Result", func() { result(e) })
	}
	e.within("ResponseMetadata", func() { e.element("RequestId", x.id) })
	e.Raw("</" + name + "Response>")
}

// queryOperations is the table, by service.
func queryOperations() map[string][]queryOperation {
	return map[string][]queryOperation{"sts": stsOperations(), "iam": iamOperations()}
}

// queryTable finds an operation by its service's namespace and its name.
func queryTable() map[string]queryOperation {
	out := map[string]queryOperation{}
	for service, list := range queryOperations() {
		for _, op := range list {
			out[namespaceOf(service)+string(op.name)] = op
		}
	}
	return out
}

func namespaceOf(service string) string {
	if service == "iam" {
		return iamNamespace
	}
	return stsNamespace
}

// findQuery reads the form and finds the operation that it asks for.
func (h *Handler) findQuery(x *exchange) (queryOperation, *form, error) {
	x.op = ""
	f, err := parseForm(x.body.Bytes)
	if err != nil {
		return queryOperation{}, nil, err
	}
	action, version := f.text("Action"), f.text("Version")
	if action.S == "" {
		return queryOperation{}, nil, &failure{400, "MissingAction", "The request is missing an action parameter.", false}
	}
	op, ok := h.queries[x.xmlns+action.S]
	if !ok || version.S != "" && !strings.HasSuffix(x.xmlns, "/"+version.S+"/") {
		return queryOperation{}, nil, &failure{400, "InvalidAction", "Could not find operation " + printable(action.S) +
			" for version " + printable(version.S), false}
	}
	x.op = op.name
	return op, f, nil
}

// serveQuery answers a signed request of the Query protocol.
func (h *Handler) serveQuery(x *exchange, call tacet.Call) error {
	op, f, err := h.findQuery(x)
	if err != nil {
		return err
	}
	return op.serve(x.r.Context(), h.cfg.Identity, call, f, x)
}

// isAnonymous reports whether the request is one of the Query protocol that makes no
// attempt at a signature.
func (x *exchange) isAnonymous() bool {
	return x.query && len(x.r.Header["Authorization"]) == 0
}

// serveAnonymous answers a request of the Query protocol without a signature. Only an
// operation that brings a proof of its own may come so.
func (h *Handler) serveAnonymous(x *exchange) error {
	if x.r.ContentLength > maxAnonymous {
		return errTooLarge
	}
	x.r.Body = http.MaxBytesReader(x.w, x.r.Body, maxAnonymous)
	if err := x.read(); err != nil {
		return err
	}
	op, f, err := h.findQuery(x)
	if err != nil || !op.anonymous {
		x.op = ""
		h.cfg.Limits.Fail(x.r.RemoteAddr)
		return &failure{400, "MissingAuthenticationTokenException", "Missing Authentication Token", false}
	}
	call := newCall(x.r, tacet.Caller{}, globalRegion)
	call.RequestID = x.id
	err = op.serve(x.r.Context(), h.cfg.Identity, call, f, x)
	if err != nil {
		h.cfg.Limits.Fail(x.r.RemoteAddr)
	}
	return err
}

// printable cuts what a caller sent to what an answer repeats of it.
func printable(s string) string {
	if s == "" {
		return "NO_VERSION_SPECIFIED"
	}
	return s[:min(len(s), 128)]
}
