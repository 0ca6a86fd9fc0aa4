package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// A check is one thing a server needs to serve. Its run returns nil or what is wrong.
type check struct {
	name string
	run  func(ctx context.Context) error
	// hint is what a caller who is not an operator is told.
	hint string
}

// health answers /livez and /readyz.
type health struct {
	checks []check

	mu   sync.Mutex
	at   time.Time
	last []result
}

// result is what one check found.
type result struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
	// Reason is a fixed text for everybody, Detail the error itself, which is shown on
	// the admin listener only: it can name hosts and files.
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// How long an answer is good for, so that asking often costs nothing, and how long a
// check may take.
const (
	healthFresh   = 500 * time.Millisecond
	healthTimeout = 2 * time.Second
)

// run makes the checks, or repeats what they found a moment ago.
func (h *health) run(ctx context.Context) []result {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.at) < healthFresh {
		return h.last
	}
	// The answer is shared by all who wait for it: one who goes away must not spoil it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthTimeout)
	defer cancel()
	h.last = make([]result, len(h.checks))
	for i, c := range h.checks {
		h.last[i] = result{Name: c.name, Ready: true}
		if err := c.run(ctx); err != nil {
			h.last[i] = result{Name: c.name, Reason: c.hint, Detail: err.Error()}
		}
	}
	h.at = time.Now()
	return h.last
}

// forget makes the next question run the checks.
func (h *health) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = time.Time{}
}

// handler returns the health routes, or nil where path is none of them. detail shows
// the errors themselves.
func (h *health) handler(path string, detail bool) http.HandlerFunc {
	switch path {
	case "/livez":
		return onlyGet(func(w http.ResponseWriter, _ *http.Request) {
			writeHealth(w, http.StatusOK, map[string]string{"status": "alive"})
		})
	case "/readyz", "/healthz":
		return onlyGet(func(w http.ResponseWriter, r *http.Request) { h.ready(w, r, detail) })
	}
	return nil
}

// readiness is the answer of /readyz.
type readiness struct {
	Status string   `json:"status"`
	Checks []result `json:"checks"`
}

func (h *health) ready(w http.ResponseWriter, r *http.Request, detail bool) {
	answer := readiness{Status: "ready"}
	status := http.StatusOK
	for _, res := range h.run(r.Context()) {
		if !res.Ready {
			answer.Status, status = "not ready", http.StatusServiceUnavailable
		}
		if !detail {
			res.Detail = ""
		}
		answer.Checks = append(answer.Checks, res)
	}
	writeHealth(w, status, answer)
}

// ask returns what the server at a URL says of its checks.
func ask(ctx context.Context, client *http.Client, url string) (_ readiness, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return readiness{}, err
	}
	res, err := client.Do(req)
	if err != nil {
		return readiness{}, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	var r readiness
	if err := json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&r); err != nil {
		return r, fmt.Errorf("%s/readyz does not answer as a Tacet does: %s", url, res.Status)
	}
	return r, nil
}

func writeHealth(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller went away
}

func onlyGet(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h(w, r)
	}
}
