// Package bench measures what a request costs the server: a loader with a fixed
// number of connections in a closed loop, and the server's CPU time from the
// process accounts of the kernel.
//
// CPU time per request is the figure that holds on a shared machine; requests per
// second and latencies are shown for scale. Every figure is taken in turn with the
// same load on a bare net/http server in the same run, so that what is compared is
// the ratio.
package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tacet/internal/sigv4"
)

// A Result is what one run measured.
type Result struct {
	Requests int
	Elapsed  time.Duration
	CPU      time.Duration // of the server, user and system
	P50, P99 time.Duration
}

// CPUPerRequest returns the server's CPU time per request in microseconds.
func (r Result) CPUPerRequest() float64 {
	return float64(r.CPU.Nanoseconds()) / 1e3 / float64(max(r.Requests, 1))
}

// PerSecond returns the requests answered per second.
func (r Result) PerSecond() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// Target is a server under load.
type Target struct {
	Addr string // host:port, plain HTTP
	PID  int
}

// Run sends requests over conns connections for duration, each connection a request
// after the answer to its last. next gives the raw bytes of the nth request of a
// connection. An answer that is not 200 ends the run with an error.
func Run(t Target, conns int, duration time.Duration, next func(conn, n int) []byte) (Result, error) {
	before, err := cpuTime(t.PID)
	if err != nil {
		return Result{}, err
	}
	var (
		mu   sync.Mutex
		all  []time.Duration
		errs []error
		wg   sync.WaitGroup
	)
	start := time.Now()
	for c := range conns {
		wg.Go(func() {
			lat, err := drive(t.Addr, start.Add(duration), func(n int) []byte { return next(c, n) })
			mu.Lock()
			defer mu.Unlock()
			all = append(all, lat...)
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	after, err := cpuTime(t.PID)
	if err = errors.Join(append(errs, err)...); err != nil {
		return Result{}, err
	}
	slices.Sort(all)
	r := Result{Requests: len(all), Elapsed: elapsed, CPU: after - before}
	if len(all) > 0 {
		r.P50, r.P99 = all[len(all)/2], all[len(all)*99/100]
	}
	return r, nil
}

// drive is one connection. It speaks just enough HTTP/1.1 to cost the machine little.
func drive(addr string, until time.Time, next func(int) []byte) ([]time.Duration, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	r := bufio.NewReaderSize(conn, 64<<10)
	lat := make([]time.Duration, 0, 1<<14)
	for n := 0; ; n++ {
		begin := time.Now()
		if begin.After(until) {
			return lat, nil
		}
		req := next(n)
		if req == nil {
			return lat, nil // nothing left to send
		}
		if _, err := conn.Write(req); err != nil {
			return lat, err
		}
		if err := readAnswer(r); err != nil {
			return lat, err
		}
		lat = append(lat, time.Since(begin))
	}
}

func readAnswer(r *bufio.Reader) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	ok := bytes.Contains(status, []byte(" 200 "))
	line := string(bytes.TrimSpace(status))
	length := 0
	for {
		h, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(h) <= 2 {
			break
		}
		if v, found := bytes.CutPrefix(h, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return err
			}
		}
	}
	if !ok {
		// The body of an error names a code; it holds no value.
		body := make([]byte, min(length, 300))
		_, _ = io.ReadFull(r, body)
		return fmt.Errorf("%s: %s", line, body)
	}
	_, err = r.Discard(length)
	return err
}

// clockTick is the kernel's unit of process accounts, 100 a second on Linux.
const clockTick = 10 * time.Millisecond

// cpuTime returns the CPU time a process has used, from /proc/PID/stat (proc(5),
// fields 14 and 15).
func cpuTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if !ok || len(f) < 13 {
		return 0, errors.New("bench: /proc stat has an unknown form")
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	sys, err2 := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+sys) * clockTick, errors.Join(err1, err2)
}

// ResidentBytes returns a process's resident memory (proc(5), VmRSS).
func ResidentBytes(pid int) (int64, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("bench: no VmRSS")
}

// Signer makes requests as a client of either cloud does.
type Signer struct {
	Host, AccessKey, SecretKey, Region string
	// Azure's clients have an id and a secret, and then an access token.
	ClientID, ClientSecret, Token string
}

// tokenPath is the token endpoint that Azure's clients use with the tenant "adfs".
const tokenPath = "/adfs/oauth2/token"

// tokenForm is what Azure's clients send there.
func (s Signer) tokenForm() string {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {s.ClientID}, "client_secret": {s.ClientSecret},
		"scope": {"https://vault.azure.net/.default openid offline_access profile"}}.Encode()
}

// RawToken returns the bytes of a request for an access token.
func (s Signer) RawToken() []byte {
	form := s.tokenForm()
	return []byte("POST " + tokenPath + " HTTP/1.1\r\nHost: " + s.Host + "\r\nAccept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
		"Content-Length: " + strconv.Itoa(len(form)) + "\r\n\r\n" + form)
}

// RawGet returns the bytes of a GET with the access token.
func (s Signer) RawGet(target string) []byte {
	return []byte("GET " + target + " HTTP/1.1\r\nHost: " + s.Host + "\r\nAccept: application/json\r\nAuthorization: Bearer " + s.Token + "\r\n\r\n")
}

// Raw returns the bytes of a signed request of the JSON protocol.
func (s Signer) Raw(operation string, body []byte) []byte {
	h := http.Header{}
	h.Set("Content-Type", "application/x-amz-json-1.1")
	h.Set("X-Amz-Target", "secretsmanager."+operation)
	return s.raw("secretsmanager", h, body)
}

// RawForm returns the bytes of a signed request of the Query protocol.
func (s Signer) RawForm(service string, form url.Values) []byte {
	h := http.Header{}
	h.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return s.raw(service, h, []byte(form.Encode()))
}

func (s Signer) raw(service string, h http.Header, body []byte) []byte {
	r := &sigv4.Request{Method: "POST", EscapedPath: "/", Host: s.Host, Header: h, Body: body}
	sigv4.Sign(r, s.AccessKey, []byte(s.SecretKey), s.Region, service, time.Now())
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", s.Host, len(body))
	_ = h.Write(&b)
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// ask makes one call of the Query protocol.
func (s Signer) ask(service string, form url.Values) ([]byte, error) {
	conn, err := net.Dial("tcp", s.Host)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write(s.RawForm(service, form)); err != nil {
		return nil, err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", form.Get("Action"), res.Status, strings.TrimSpace(string(body)))
	}
	return body, err
}
