package azureapi

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tacet"
	"tacet/internal/vault"
)

// "Build ids from the configured vault URL (with port if not 443)".
func TestContractB_PortOfIDs(t *testing.T) {
	for _, tt := range []struct {
		hosts    Hosts
		tls      bool
		listener int
		want     string // what ids begin with, and the resource of challenges
	}{
		{Hosts{}, true, 443, "https://main.vault.example.com https://vault.example.com"},
		{Hosts{}, true, 8443, "https://main.vault.example.com:8443 https://vault.example.com:8443"},
		{Hosts{Port: 443}, true, 8443, "https://main.vault.example.com https://vault.example.com"},
		{Hosts{Port: 443}, false, 8480, "https://main.vault.example.com https://vault.example.com"}, // behind a proxy
		{Hosts{Port: 9443}, false, 8480, "https://main.vault.example.com:9443 https://vault.example.com:9443"},
		{Hosts{SecurePort: func() int { return 8443 }}, false, 8480, "http://main.vault.example.com:8480 https://vault.example.com:8443"},
	} {
		r := (&http.Request{Host: "main.vault.example.com:1"}).WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, &net.TCPAddr{Port: tt.listener}))
		if tt.tls {
			r.TLS = new(tls.ConnectionState)
		}
		h := &Handler{cfg: Config{Hosts: tt.hosts}}
		s := h.site(r, tacet.Vault{Name: "main"}, "main.vault.example.com", "vault.example.com")
		if got := s.base + " " + s.resource; got != tt.want {
			t.Errorf("%+v at port %d: %s, want %s", tt.hosts, tt.listener, got, tt.want)
		}
	}
}

// "secrets backing certificates have `managed:true` (and are listed)"; others do
// not have the member. "absent optional members are omitted, not null".
func TestContractC_Managed(t *testing.T) {
	x := testExchange(tacet.OpGetSecretValue, "get", "secrets", "n")
	x.query.version = "7.4"
	for _, managed := range []bool{true, false} {
		b := vault.SecretBundle{Name: "n", Version: "v", Enabled: true, Created: time.Unix(1, 0), Updated: time.Unix(2, 0), RecoveryLevel: "Recoverable", RecoverableDays: 90, Managed: managed}
		want := `"attributes":{"enabled":true,"created":1,"updated":2,"recoveryLevel":"Recoverable","recoverableDays":90}`
		if managed {
			want += `,"managed":true`
		}
		x.out.Reset()
		writeBundle(x, b)
		if got := string(x.out.Buf); got != `{"id":"https://main.vault.example.com/secrets/n/v",`+want+`}` {
			t.Errorf("managed %v: %s", managed, got)
		}
		x.out.Reset()
		writeList(x, vault.ShownList{Items: []vault.SecretBundle{b}})
		if got := string(x.out.Buf); !strings.Contains(got, `{"id":"https://main.vault.example.com/secrets/n",`+want+`}`) {
			t.Errorf("managed %v, listed: %s", managed, got)
		}
	}
}
