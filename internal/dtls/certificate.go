package dtls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
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

// minRSABits is what browsers take without a warning.
const minRSABits = 2048

// ParseCertificate makes a certificate of one and its private key in PEM, RSA or
// ECDSA. What stands behind the first certificate is not shown to peers, who look at
// the fingerprint alone. The errors say what is wrong, and never show the key.
func ParseCertificate(certificatePEM, keyPEM []byte) (*Certificate, error) {
	pair, err := tls.X509KeyPair(certificatePEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("reading the DTLS certificate and its key: %w", err)
	}
	switch key := pair.PrivateKey.(type) {
	case *ecdsa.PrivateKey:
		if key.Curve == elliptic.P224() {
			return nil, errors.New("reading the DTLS certificate: peers do not know the curve P-224; use P-256")
		}
	case *rsa.PrivateKey:
		if bits := key.N.BitLen(); bits < minRSABits {
			return nil, fmt.Errorf("reading the DTLS certificate: its RSA key of %d bits is too short; use one of %d", bits, minRSABits)
		}
	default:
		return nil, fmt.Errorf("reading the DTLS certificate: its key is %s; use an ECDSA or RSA key", pair.Leaf.PublicKeyAlgorithm)
	}
	pair.Certificate = pair.Certificate[:1]
	return &Certificate{tls: pair, fingerprints: fingerprintsOf(pair.Certificate[0])}, nil
}

// EncodeCertificate writes a certificate, as [Conn.RemoteCertificate] returns it, in
// PEM; "" for none.
func EncodeCertificate(der []byte) string {
	if len(der) == 0 {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// Fingerprints returns the certificate's fingerprints by sha-1, sha-224, sha-256,
// sha-384 and sha-512, in this order and upper case. Clients pick one.
func (c *Certificate) Fingerprints() []Fingerprint {
	return append([]Fingerprint(nil), c.fingerprints...)
}
