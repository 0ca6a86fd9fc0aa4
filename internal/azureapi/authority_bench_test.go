package azureapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tacet/internal/azureapi"
	"tacet/internal/guard"
	"tacet/internal/identity"
	"tacet/internal/seal/keyfile"
	"tacet/internal/store"
)

// newGuard opens a deployment without a face.
func newGuard(tb testing.TB) (*guard.Guard, identity.BootstrapOutput) {
	tb.Helper()
	kek, err := keyfile.Create(filepath.Join(tb.TempDir(), "key"))
	must(tb, err)
	db, err := store.Open(tb.Context(), store.Config{URL: "sqlite:" + filepath.Join(tb.TempDir(), "tacet.db"), Interval: true})
	must(tb, err)
	tb.Cleanup(func() { _ = db.Close() })
	cfg := guard.Config{DB: db, KEK: kek, Now: time.Now}
	_, err = guard.Init(tb.Context(), cfg)
	must(tb, err)
	g, err := guard.Open(tb.Context(), cfg)
	must(tb, err)
	tb.Cleanup(g.Close)
	out, err := identity.New(g, identity.Config{}).Bootstrap(tb.Context(), identity.BootstrapInput{Account: "000000000001", Region: "us-east-1", VaultName: "main", UserName: "admin", ClientCredentials: true})
	must(tb, err)
	return g, out
}

// BenchmarkToken is a request of the token endpoint, ES256's signature and the record's
// commit included, against the same request of a bare net/http: "cpu-ns/op" is to be at
// most four times as much.
func BenchmarkToken(b *testing.B) {
	g, out := newGuard(b)
	ids := identity.New(g, identity.Config{})
	must(b, ids.RotateTokenKeys(b.Context(), "ES256"))
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {out.ClientID}, "client_secret": {string(out.ClientSecret.Reveal())},
		"scope": {"https://vault.azure.net/.default openid offline_access profile"}}.Encode()
	answer := []byte(`{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"` + strings.Repeat("a", 1200) + `"}`)
	for name, h := range map[string]http.Handler{
		"tacet": azureapi.NewAuthority(azureapi.AuthorityConfig{Identity: ids, Now: time.Now}),
		"bare": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = w.Write(answer)
		}),
	} {
		b.Run(name, func(b *testing.B) {
			s := httptest.NewServer(h)
			defer s.Close()
			s.Config.Handler = h
			transport := &http.Transport{MaxIdleConnsPerHost: 64}
			defer transport.CloseIdleConnections()
			c := &http.Client{Transport: transport}
			before := cpu(b)
			b.SetParallelism(16)
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					res, err := c.Post(s.URL+"/adfs/oauth2/token", "application/x-www-form-urlencoded", strings.NewReader(form))
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
					if res.StatusCode != http.StatusOK {
						b.Error(res.Status)
						return
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpu is the processor time of this process, client and server together.
func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return u.Utime.Nano() + u.Stime.Nano()
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
