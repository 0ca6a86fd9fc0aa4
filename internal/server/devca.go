package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/renameio/v2"
)

// The lifetimes of a development server's certificates. The authority is kept in
// the data folder, so that trusting it once is enough; leaves are made on the spot.
const (
	devAuthorityLife = 10 * 365 * 24 * time.Hour
	devLeafLife      = 30 * 24 * time.Hour
	devLeafRenew     = 10 * 24 * time.Hour // left when it is made anew
)

// devNames are the names a development server answers to: the machine itself and,
// below localhost, a host for each vault.
func devNames() []string {
	return []string{"localhost", "*.localhost", "*.vault.localhost", "main.localhost", devVaultHost}
}

// devDomains are the domains that vaults of a development server are names in.
func devDomains() []string { return []string{"vault.localhost", "localhost"} }

// devVaultHost is the name of a development server's vault that is told to clients.
const devVaultHost = "main.vault.localhost"

// DevHosts are the names that clients of a development server's vault use, which only
// some systems resolve by themselves (RFC 6761 section 6.3 lets them).
func DevHosts() []string { return []string{devVaultHost, "main.localhost"} }

// devAuthority is the certificate authority of a development server. It always uses
// the machine's clock: TLS clients do not see the moved one.
type devAuthority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey

	mu   sync.Mutex
	leaf *tls.Certificate
}

// openDevAuthority returns the authority kept in certFile and keyFile, and makes it
// where there is none.
func openDevAuthority(certFile, keyFile string) (*devAuthority, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return makeDevAuthority(certFile, keyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("development certificate authority: %w", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA || time.Now().After(pair.Leaf.NotAfter) {
		return nil, fmt.Errorf("development certificate authority: %s is not one, or is too old; remove it and %s to make a new one", certFile, filepath.Base(keyFile))
	}
	return &devAuthority{cert: pair.Leaf, key: key}, nil
}

func makeDevAuthority(certFile, keyFile string) (*devAuthority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serialNumber(),
		Subject:               pkix.Name{Organization: []string{"Tacet development"}, CommonName: "Tacet development authority"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(devAuthorityLife),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		// Whoever trusts this authority trusts it for this machine's own names only.
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{"localhost"},
		PermittedIPRanges:           []*net.IPNet{{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}, {IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := renameio.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600); err != nil {
		return nil, err
	}
	if err := renameio.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644, renameio.IgnoreUmask()); err != nil {
		return nil, errors.Join(err, os.Remove(keyFile))
	}
	return &devAuthority{cert: cert, key: key}, nil
}

// certificate returns a certificate for the names of a development server, a new one
// when the last comes near its end. It has the form of tls.Config.GetCertificate.
func (a *devAuthority) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.leaf != nil && time.Until(a.leaf.Leaf.NotAfter) > devLeafRenew {
		return a.leaf, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serialNumber(),
		Subject:      pkix.Name{Organization: []string{"Tacet development"}, CommonName: "localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(devLeafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     devNames(),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	a.leaf = &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}
	return a.leaf, nil
}

// serialNumber returns a random serial of 127 bits, as RFC 5280 section 4.1.2.2 allows.
func serialNumber() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails, and never short: crypto/rand
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}
