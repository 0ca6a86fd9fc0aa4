package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// certificates is the certificate of the TLS listener, read from files and read again
// on demand.
type certificates struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

func loadCertificates(certFile, keyFile string) (*certificates, error) {
	c := &certificates{certFile: certFile, keyFile: keyFile}
	return c, c.reload()
}

// reload reads the files again. On an error the certificate in use stays.
func (c *certificates) reload() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("tls.cert_file, tls.key_file: %w", err)
	}
	if time.Now().After(pair.Leaf.NotAfter) && c.current.Load() != nil {
		return errors.New("tls.cert_file: the new certificate has expired; the one in use is kept")
	}
	c.current.Store(&pair)
	return nil
}

// get has the form of tls.Config.GetCertificate.
func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}

// tlsConfig is the TLS of the faces: 1.2 for the SDKs that still need it, Go's own
// choice of suites and curves.
func tlsConfig(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: get,
		NextProtos:     []string{"h2", "http/1.1"},
	}
}
