package dtls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// Certificate is what a server shows in its handshakes. One is made at start and
// used for all connections; peers trust it for its fingerprint alone.
type Certificate struct {
	tls          tls.Certificate
	fingerprints []Fingerprint
}

// certificateLifetime is long because nobody checks it (RFC 8122 §5.1) and a server
// may run for years.
const certificateLifetime = 10 * 365 * 24 * time.Hour

// NewCertificate makes a self-signed ECDSA P-256 certificate, the kind with the
// cheapest handshake that all browsers take (RFC 8827 §6.5).
func NewCertificate() (*Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate DTLS key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("choose DTLS certificate serial: %w", err)
	}
	now := time.Now()
	template := x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "takos-call"},
		NotBefore:    now.Add(-24 * time.Hour), // peers' clocks differ
		NotAfter:     now.Add(certificateLifetime),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign DTLS certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse own DTLS certificate: %w", err)
	}
	return &Certificate{
		tls:          tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf},
		fingerprints: fingerprintsOf(der),
	}, nil
}

// Fingerprints returns the certificate's fingerprints by sha-1, sha-224, sha-256,
// sha-384 and sha-512, in this order and upper case. Clients pick one.
func (c *Certificate) Fingerprints() []Fingerprint {
	return append([]Fingerprint(nil), c.fingerprints...)
}
