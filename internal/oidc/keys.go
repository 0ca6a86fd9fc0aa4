package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tacet"
	"tacet/internal/jwa"
)

// How long an issuer's keys are kept. An issuer asks for more or less with
// Cache-Control: max-age, within bounds.
const (
	defaultFresh = time.Hour
	minFresh     = time.Minute
	maxFresh     = 24 * time.Hour
	// maxStale is how long after that keys are used while they cannot be refreshed.
	maxStale = time.Hour
	// minRefresh is the time between two attempts to get one issuer's keys, whatever
	// tokens come in meanwhile.
	minRefresh = 15 * time.Second
	// maxIssuers is how many issuers' keys are kept.
	maxIssuers = 1000
)

// cached is what is known of an issuer. It does not change once it is in the map.
type cached struct {
	keys      jwa.KeySet
	freshTill time.Time // zero: there are no keys
	attempted time.Time
	err       error // of the last attempt
}

// use decides whether the state answers a question for the key id at now: with keys, with
// an error, or not, which is when the issuer has to be asked.
func (c *cached) use(id string, now time.Time) (jwa.KeySet, error, bool) {
	switch {
	case c == nil:
		return jwa.KeySet{}, nil, false
	case now.Before(c.freshTill) && (id == "" || c.keys.Has(id)):
		return c.keys, nil, true
	case !now.Before(c.attempted.Add(minRefresh)) || now.Before(c.attempted):
		return jwa.KeySet{}, nil, false
	}
	return c.last(now)
}

// last answers with what there is when the issuer is not asked.
func (c *cached) last(now time.Time) (jwa.KeySet, error, bool) {
	if c.freshTill.IsZero() || !now.Before(c.freshTill.Add(maxStale)) {
		return jwa.KeySet{}, c.err, true
	}
	return c.keys, nil, true
}

// keys returns the keys of an issuer, asking it when they are not known, are old, or
// lack the key that a token was signed with.
func (v *Verifier) keys(ctx context.Context, issuer, id string) (jwa.KeySet, error) {
	if keys, err, ok := v.state(issuer).use(id, v.config.Now()); ok {
		return keys, err
	}
	done := v.fetching.DoChan(issuer, func() (any, error) {
		// Who came a moment too late to wait for the last fetch finds its result.
		if keys, err, ok := v.state(issuer).use(id, v.config.Now()); ok {
			return keys, err
		}
		keys, err, _ := v.refresh(ctx, issuer).last(v.config.Now())
		return keys, err
	})
	select {
	case <-ctx.Done():
		return jwa.KeySet{}, context.Cause(ctx)
	case r := <-done:
		keys, _ := r.Val.(jwa.KeySet)
		return keys, r.Err
	}
}

func (v *Verifier) state(issuer string) *cached {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.issuers[issuer]
}

// refresh asks the issuer and remembers what came of it.
func (v *Verifier) refresh(ctx context.Context, issuer string) *cached {
	// Others wait for the answer too: it does not end with the one who asked first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), v.config.Timeout)
	defer cancel()
	next := cached{attempted: v.config.Now()}
	keys, fresh, err := v.fetch(ctx, issuer)
	if err == nil {
		next.keys, next.freshTill = keys, next.attempted.Add(fresh)
	} else {
		next.err = &UnreachableError{issuer, err}
		if last := v.state(issuer); last != nil {
			next.keys, next.freshTill = last.keys, last.freshTill
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.issuers) >= maxIssuers && v.issuers[issuer] == nil {
		v.forgetOne()
	}
	v.issuers[issuer] = &next
	return &next
}

// forgetOne makes room by forgetting the issuer that was asked longest ago.
func (v *Verifier) forgetOne() {
	oldest := ""
	for issuer, c := range v.issuers {
		if oldest == "" || c.attempted.Before(v.issuers[oldest].attempted) {
			oldest = issuer
		}
	}
	delete(v.issuers, oldest)
}

// fetch gets an issuer's keys by OpenID Connect Discovery 1.0, and how long they are fresh.
func (v *Verifier) fetch(ctx context.Context, issuer string) (keys jwa.KeySet, fresh time.Duration, err error) {
	defer func() {
		// This runs on a goroutine of its own, where a panic would end the process.
		if p := recover(); p != nil {
			err = fmt.Errorf("reading its answers: panic: %s", tacet.PanicText(p))
		}
	}()
	if _, err := parseURL(issuer); err != nil {
		return jwa.KeySet{}, 0, err
	}
	body, _, err := v.get(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return jwa.KeySet{}, 0, err
	}
	var document struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return jwa.KeySet{}, 0, fmt.Errorf("the discovery document: %w", err)
	}
	if document.Issuer != issuer {
		return jwa.KeySet{}, 0, fmt.Errorf("the discovery document is of the issuer %q", document.Issuer)
	}
	body, header, err := v.get(ctx, document.JWKSURI)
	if err != nil {
		return jwa.KeySet{}, 0, err
	}
	keys, err = jwa.ParseKeySet(body)
	return keys, freshness(header), err
}

// get reads a document of an issuer.
func (v *Verifier) get(ctx context.Context, address string) ([]byte, http.Header, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, nil, err
	}
	if u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !v.config.AllowLoopbackHTTP || !isLoopbackName(u.Hostname())) {
		return nil, nil, fmt.Errorf("the address %q is not https", u.Redacted())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "tacet")
	res, err := v.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%s answers %s", u.Redacted(), res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, jwa.MaxKeySet+1))
	if err == nil && len(body) > jwa.MaxKeySet {
		err = errors.New("the answer is larger than 256 KiB")
	}
	return body, res.Header, err
}

// freshness returns how long an answer is fresh, RFC 9111 section 5.2.2.1.
func freshness(h http.Header) time.Duration {
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-store", "no-cache":
				return minFresh
			case "max-age":
				seconds, err := strconv.ParseInt(strings.Trim(value, `"`), 10, 64)
				if err != nil || seconds < 0 {
					return minFresh
				}
				return min(max(time.Duration(min(seconds, int64(maxFresh/time.Second)))*time.Second, minFresh), maxFresh)
			}
		}
	}
	return defaultFresh
}

// registeredKeys reads the key set that an issuer was registered with.
func registeredKeys(issuer Issuer) (jwa.KeySet, error) {
	keys, err := jwa.ParseKeySet(issuer.JWKS)
	if err == nil && keys.Len() == 0 {
		err = errors.New("the registered key set has no key that can be used")
	}
	if err != nil {
		return jwa.KeySet{}, &UnreachableError{issuer.URL, err}
	}
	return keys, nil
}
