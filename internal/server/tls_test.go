package server

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writePair writes a certificate and its key as PEM files.
func writePair(t *testing.T, files TLSConfig, c *tls.Certificate) {
	t.Helper()
	var chain []byte
	for _, der := range c.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files.CertFile, chain, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReload(t *testing.T) {
	ts := newTestServer(t, nil)
	serial := func() string {
		t.Helper()
		c, err := tls.Dial("tcp", ts.Addr("https"), &tls.Config{RootCAs: ts.roots, ServerName: "localhost"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	leaf := ts.newCertificate(t)
	if serial() != first {
		t.Error("the certificate changed without a reload")
	}
	if err := ts.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != leaf.SerialNumber.String() {
		t.Errorf("after the reload the certificate is %s", got)
	}
	second := serial()
	for name, text := range map[string]string{"empty": "", "garbage": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if err := os.WriteFile(ts.cfg.TLS.CertFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := ts.Reload(); err == nil {
			t.Errorf("%s: reload did not fail", name)
		}
		if serial() != second {
			t.Errorf("%s: the certificate in use was lost", name)
		}
	}
}

func TestTLSVersions(t *testing.T) {
	ts := newTestServer(t, nil)
	if _, err := tls.Dial("tcp", ts.Addr("https"), &tls.Config{RootCAs: ts.roots, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	res, err := ts.client.Get("https://" + ts.Addr("https") + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.ProtoMajor != 2 || res.TLS.Version != tls.VersionTLS13 {
		t.Errorf("a modern client gets %s over TLS %x", res.Proto, res.TLS.Version)
	}
	if res, err := http.Get("http://" + ts.Addr("https") + "/livez"); err == nil {
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("plain HTTP on the TLS listener is answered %s", res.Status)
		}
		_ = res.Body.Close()
	}
}

func TestDevAuthority(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca-key.pem")
	a, err := openDevAuthority(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(keyFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the authority's key: %v, %v", info.Mode(), err)
	}
	leaf, err := a.certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	for _, name := range []string{"localhost", "main.localhost", "any.localhost", "main.vault.localhost", "other.vault.localhost", "127.0.0.1", "::1"} {
		if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := leaf.Leaf.VerifyHostname("example.org"); err == nil {
		t.Error("the certificate is good for example.org")
	}
	if same, _ := a.certificate(nil); same != leaf {
		t.Error("each connection gets a new certificate")
	}
	leaf.Leaf.NotAfter = time.Now().Add(devLeafRenew / 2)
	if renewed, err := a.certificate(nil); err != nil || renewed == leaf || time.Until(renewed.Leaf.NotAfter) < devLeafRenew {
		t.Errorf("a certificate near its end is kept: %v", err)
	}
	again, err := openDevAuthority(certFile, keyFile)
	if err != nil || !again.cert.Equal(a.cert) {
		t.Errorf("the authority is not kept: %v", err)
	}
	// Whoever trusts the authority trusts it for this machine only.
	if !a.cert.PermittedDNSDomainsCritical || a.cert.PermittedIPRanges[0].Contains(net.IPv4(10, 0, 0, 1)) {
		t.Error("the authority is not constrained")
	}
	if err := os.WriteFile(keyFile, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openDevAuthority(certFile, keyFile); err == nil {
		t.Error("a broken authority is replaced silently")
	}
}
