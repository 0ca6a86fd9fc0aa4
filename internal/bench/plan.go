package bench

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// Plan is what is to be measured.
type Plan struct {
	Binary     string
	Postgres   string
	Secrets    int
	ValueBytes int
	Rounds     int
	Duration   time.Duration
	// Only and Conns, when not zero, restrict a run to one operation and to one number
	// of connections. With Profile, one such load writes a CPU profile of the server.
	Only    string
	Conns   int
	Profile string
	// Records is how many records follow the denial that [Plan.RunQuestions] asks about.
	Records int
}

// load is a kind of request.
type load struct {
	name string
	// next returns the source of raw requests.
	next func(s Signer, p *Plan) (func(conn, n int) []byte, error)
}

// loads are what is measured. Those of a group are measured in turn, to be compared.
var loads = [][]load{
	{{"GetSecretValue", getRequests}},
	{{"GetSecretValue/1policy", requestsUnder(onePolicy())}, {"GetSecretValue/10policies", requestsUnder(tenPolicies())}},
	{{"GetSecret", azureGetRequests}},
	{{"PutSecretValue", putRequests}},
	{{"ListSecrets", listRequests}},
	{{"AssumeRole", assumeRequests}},
	{{"Token", tokenRequests}},
}

// secretName is fit for both clouds as it is.
func secretName(i int) string { return fmt.Sprintf("bench-%07d", i) }

// workingSet is how many secrets are read, spread evenly over all there are.
const workingSet = 20000

// getRequests signs one request per secret beforehand; a signature is good for five
// minutes, and signing is the client's cost, not the server's.
func getRequests(s Signer, p *Plan) (func(int, int) []byte, error) {
	raw := make([][]byte, min(p.Secrets, workingSet))
	step := max(1, p.Secrets/len(raw))
	for i := range raw {
		raw[i] = s.Raw("GetSecretValue", []byte(`{"SecretId":"`+secretName(i*step)+`"}`))
	}
	return func(conn, n int) []byte {
		if conn < 0 {
			return raw[n%len(raw)] // each in turn
		}
		return raw[(conn*7919+n*31)%len(raw)]
	}, nil
}

// azureGetRequests reads the same secrets through the Azure face, all with one token.
func azureGetRequests(s Signer, p *Plan) (func(int, int) []byte, error) {
	raw := make([][]byte, min(p.Secrets, workingSet))
	step := max(1, p.Secrets/len(raw))
	for i := range raw {
		raw[i] = s.RawGet("/secrets/" + secretName(i*step) + "?api-version=2026-04-01")
	}
	return func(conn, n int) []byte { return raw[(conn*7919+n*31)%len(raw)] }, nil
}

func putRequests(s Signer, p *Plan) (func(int, int) []byte, error) {
	var i atomic.Int64
	value := strings.Repeat("v", p.ValueBytes)
	return func(int, int) []byte {
		// Each secret is put to in turn, so that none reaches the quota of versions.
		name := secretName(int(i.Add(1)) % p.Secrets)
		return s.Raw("PutSecretValue", []byte(`{"SecretId":"`+name+`","ClientRequestToken":"`+token()+`","SecretString":"`+value+`"}`))
	}, nil
}

func listRequests(s Signer, _ *Plan) (func(int, int) []byte, error) {
	raw := s.Raw("ListSecrets", []byte(`{"MaxResults":100}`))
	return func(int, int) []byte { return raw }, nil
}

// account is the one that init makes.
const account = "000000000001"

// assumeRequests makes the role, if it is not there yet, and asks for sessions of it.
func assumeRequests(s Signer, _ *Plan) (func(int, int) []byte, error) {
	made := s.RawForm("iam", url.Values{"Action": {"CreateRole"}, "RoleName": {"bench"}, "AssumeRolePolicyDocument": {
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole"}]}`}})
	sent := false
	if _, err := drive(s.Host, time.Now().Add(time.Minute), func(int) []byte {
		if sent {
			return nil
		}
		sent = true
		return made
	}); err != nil && !strings.Contains(err.Error(), "409") {
		return nil, err
	}
	raw := s.RawForm("sts", url.Values{"Action": {"AssumeRole"}, "RoleArn": {"arn:aws:iam::" + account + ":role/bench"}, "RoleSessionName": {"bench"}})
	return func(int, int) []byte { return raw }, nil
}

// tokenRequests asks for access tokens with a client secret.
func tokenRequests(s Signer, _ *Plan) (func(int, int) []byte, error) {
	raw := s.RawToken()
	return func(int, int) []byte { return raw }, nil
}

func token() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// fill creates the secrets numbered from..to.
func fill(p *Process, from, to, valueBytes int) error {
	value := strings.Repeat("x", valueBytes)
	var i atomic.Int64
	i.Store(int64(from) - 1)
	errs := make(chan error, 64)
	for range 64 {
		go func() {
			_, err := drive(p.Addr, time.Now().Add(24*time.Hour), func(int) []byte {
				n := int(i.Add(1))
				if n >= to {
					return nil
				}
				return p.Signer.Raw("CreateSecret", []byte(`{"Name":"`+secretName(n)+`","ClientRequestToken":"`+token()+`","SecretString":"`+value+`"}`))
			})
			errs <- err
		}()
	}
	for range 64 {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// Run measures every load at 1, 16 and 64 connections, with both settings of
// audit.fsync, on each engine, a bare server in turn.
func (p *Plan) Run(ctx context.Context, out io.Writer) error {
	if info, err := os.Stat(p.Binary); err == nil {
		fmt.Fprintf(out, "binary: %.1f MB\n\n", float64(info.Size())/1e6)
	}
	bare, err := StartBare(ctx, p.ValueBytes)
	if err != nil {
		return err
	}
	defer func() { _ = bare.Stop() }()
	for _, engine := range p.engines() {
		if err := p.runEngine(ctx, out, bare, engine); err != nil {
			return fmt.Errorf("%s: %w", engineName(engine), err)
		}
	}
	return nil
}

func (p *Plan) engines() []string {
	if p.Postgres == "" {
		return []string{"sqlite"}
	}
	return []string{"sqlite", p.Postgres}
}

func engineName(e string) string {
	if e == "sqlite" {
		return "SQLite"
	}
	return "PostgreSQL"
}

// RunProfile puts one load on a server and writes its CPU profile.
func (p *Plan) RunProfile(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "tacet-profile-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	port, err := freePort()
	if err != nil {
		return err
	}
	admin := fmt.Sprintf("127.0.0.1:%d", port)
	server, err := StartTacet(ctx, Options{Binary: p.Binary, Dir: dir, Engine: "sqlite", Fsync: "group", Admin: admin})
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop() }()
	if err := fill(server, 0, p.Secrets, p.ValueBytes); err != nil {
		return err
	}
	p.Only, p.Conns = cmp.Or(p.Only, "GetSecretValue"), cmp.Or(p.Conns, 64)
	all := slices.Concat(loads...)
	i := slices.IndexFunc(all, func(l load) bool { return l.name == p.Only })
	if i < 0 {
		return fmt.Errorf("no load is called %q", p.Only)
	}
	next, err := all[i].next(server.Signer, p)
	if err != nil {
		return err
	}
	if _, err := Run(server.Target, p.Conns, 2*time.Second, next); err != nil { // the day's first reads cost more
		return err
	}
	done := make(chan error, 1)
	go func() { done <- saveProfile(ctx, admin, p.Profile, p.Duration) }()
	r, err := Run(server.Target, p.Conns, p.Duration+time.Second, next)
	if err = errors.Join(err, <-done); err != nil {
		return err
	}
	metrics, err := fetch(ctx, "http://"+admin+"/metrics")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s, %d connections: %.1f CPU-µs per request, %.0f requests a second, %.1f records a commit\n",
		p.Only, p.Conns, r.CPUPerRequest(), r.PerSecond(), metric(metrics, "tacet_audit_records_total")/metric(metrics, "tacet_commit_groups_total"))
	return err
}

// metric finds a metric without labels in Prometheus's text.
func metric(text []byte, name string) float64 {
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			f, _ := strconv.ParseFloat(strings.TrimSpace(v), 64)
			return f
		}
	}
	return 0
}

func saveProfile(ctx context.Context, admin, file string, d time.Duration) error {
	b, err := fetch(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", admin, max(1, int(d.Seconds()))))
	if err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o600)
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(url + ": " + res.Status)
	}
	return b, err
}

func (p *Plan) runEngine(ctx context.Context, out io.Writer, bare *Process, engine string) error {
	dir, err := os.MkdirTemp("", "tacet-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	w := tabwriter.NewWriter(out, 2, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s, %d secrets of %d bytes\t\t\t\t\t\t\t\t\n", engineName(engine), p.Secrets, p.ValueBytes)
	fmt.Fprintln(w, "operation\tfsync\tconns\tCPU-µs\tbare\tratio\treq/s\tp50 ms\tp99 ms\t")
	for i, fsync := range []string{"group", "interval"} {
		server, err := StartTacet(ctx, Options{Binary: p.Binary, Dir: dir, Engine: engine, Fsync: fsync, Restart: i > 0})
		if err != nil {
			return err
		}
		idle, _ := ResidentBytes(server.PID)
		if i == 0 {
			if err := fill(server, 0, p.Secrets, p.ValueBytes); err != nil {
				return err
			}
		}
		for _, group := range loads {
			for _, conns := range []int{1, 16, 64} {
				if p.Only != "" && p.Only != group[0].name || p.Conns != 0 && p.Conns != conns {
					continue
				}
				if err := p.measure(w, server, bare, group, fsync, conns); err != nil {
					return fmt.Errorf("%s at %d connections: %w", group[0].name, conns, err)
				}
			}
		}
		full, _ := ResidentBytes(server.PID)
		fmt.Fprintf(w, "start %.0f ms, RSS %.0f MiB idle, %.0f MiB after\t\t\t\t\t\t\t\t\n", float64(server.Started.Microseconds())/1e3, mib(idle), mib(full))
		if err := server.Stop(); err != nil {
			return err
		}
	}
	return w.Flush()
}

func mib(b int64) float64 { return float64(b) / (1 << 20) }

// measure runs the loads of a group in turn, each on the server and on the bare one, and
// prints the medians.
func (p *Plan) measure(w io.Writer, server, bare *Process, group []load, fsync string, conns int) error {
	ours, theirs := make([][]Result, len(group)), make([][]Result, len(group))
	for range p.Rounds {
		for i, l := range group {
			next, err := l.next(server.Signer, p)
			if err != nil {
				return err
			}
			r, err := Run(server.Target, conns, p.Duration, next)
			if err != nil {
				return err
			}
			b, err := Run(bare.Target, conns, p.Duration, next)
			if err != nil {
				return err
			}
			ours[i], theirs[i] = append(ours[i], r), append(theirs[i], b)
		}
	}
	for i, l := range group {
		cost, base := median(ours[i], Result.CPUPerRequest), median(theirs[i], Result.CPUPerRequest)
		if _, err := fmt.Fprintf(w, "%s\t%s\t%d\t%.1f\t%.1f\t%.2f\t%.0f\t%.2f\t%.2f\t\n", l.name, fsync, conns, cost, base, cost/base,
			median(ours[i], Result.PerSecond), median(ours[i], func(r Result) float64 { return ms(r.P50) }), median(ours[i], func(r Result) float64 { return ms(r.P99) })); err != nil {
			return err
		}
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

func median(rs []Result, f func(Result) float64) float64 {
	v := make([]float64, len(rs))
	for i, r := range rs {
		v[i] = f(r)
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// readOnce reads each secret of the working set once: the day's first read of a secret
// also moves its last-read date, which is a write, and is not what grows.
func readOnce(server *Process, p *Plan) error {
	next, err := getRequests(server.Signer, p)
	if err != nil {
		return err
	}
	begin := time.Now()
	_, err = drive(server.Addr, begin.Add(5*time.Minute), func(n int) []byte {
		if n >= min(p.Secrets, workingSet) {
			return nil
		}
		return next(-1, n)
	})
	return err
}

// RunScale measures how reads, pages and memory grow with the number of secrets, on
// the embedded store.
func (p *Plan) RunScale(ctx context.Context, out io.Writer) error {
	bare, err := StartBare(ctx, p.ValueBytes)
	if err != nil {
		return err
	}
	defer func() { _ = bare.Stop() }()
	dir, err := os.MkdirTemp("", "tacet-scale-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	w := tabwriter.NewWriter(out, 2, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "operation\tfsync\tconns\tCPU-µs\tbare\tratio\treq/s\tp50 ms\tp99 ms\t")
	have := 0
	for _, n := range []int{1000, 100000, 1000000} {
		o := Options{Binary: p.Binary, Dir: dir, Engine: "sqlite", Fsync: "group", Restart: have > 0}
		server, err := StartTacet(ctx, o)
		if err != nil {
			return err
		}
		if err := fill(server, have, n, p.ValueBytes); err != nil {
			return err
		}
		if err := server.Stop(); err != nil {
			return err
		}
		have = n
		o.Restart = true
		if server, err = StartTacet(ctx, o); err != nil {
			return err
		}
		idle, _ := ResidentBytes(server.PID)
		sized := *p
		sized.Secrets = n
		fmt.Fprintf(w, "%d secrets, start %.0f ms, RSS %.0f MiB\t\t\t\t\t\t\t\t\n", n, float64(server.Started.Microseconds())/1e3, mib(idle))
		if err := readOnce(server, &sized); err != nil {
			return err
		}
		for _, l := range []load{{"GetSecretValue", getRequests}, {"PutSecretValue", putRequests}, {"ListSecrets", listRequests}} {
			if err := sized.measure(w, server, bare, []load{l}, "group", 16); err != nil {
				return err
			}
		}
		full, _ := ResidentBytes(server.PID)
		fmt.Fprintf(w, "RSS after %.0f MiB, %.2f KB per secret\t\t\t\t\t\t\t\t\n", mib(full), float64(full-idle)/1024/float64(n))
		if err := server.Stop(); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}
