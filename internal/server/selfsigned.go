package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

const (
	// selfSignedLifetime is the longest that Safari takes from anybody.
	selfSignedLifetime = 397 * 24 * time.Hour
	// selfSignedRenewal is how long before its end the certificate is replaced.
	selfSignedRenewal = 14 * 24 * time.Hour
)

// selfSigned returns the paths of the server's own certificate in dir and of its
// key. It is kept from start to start, so that people accept it once; it is made
// anew when it is about to expire or is not for one of the addresses.
func selfSigned(dir string, addresses []netip.Addr, now time.Time) (certPath, keyPath string, err error) {
	certPath, keyPath = filepath.Join(dir, "lan-cert.pem"), filepath.Join(dir, "lan-key.pem")
	if pair, err := tls.LoadX509KeyPair(certPath, keyPath); err == nil && serves(pair.Leaf, addresses, now) {
		return certPath, keyPath, nil
	}
	certPEM, keyPEM, err := makeSelfSigned(addresses, now)
	if err != nil {
		return "", "", fmt.Errorf("make a certificate: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", fmt.Errorf("make the data folder: %w", err)
	}
	if err := os.WriteFile(keyPath, keyPEM, 0o600); err != nil {
		return "", "", fmt.Errorf("keep the key of the certificate: %w", err)
	}
	if err := os.WriteFile(certPath, certPEM, 0o644); err != nil {
		return "", "", fmt.Errorf("keep the certificate: %w", err)
	}
	return certPath, keyPath, nil
}

// serves reports whether the certificate is good for a while and for all of the
// addresses.
func serves(c *x509.Certificate, addresses []netip.Addr, now time.Time) bool {
	if now.Before(c.NotBefore) || now.Add(selfSignedRenewal).After(c.NotAfter) {
		return false
	}
	for _, ip := range addresses {
		if c.VerifyHostname(ip.String()) != nil {
			return false
		}
	}
	return true
}

func makeSelfSigned(addresses []netip.Addr, now time.Time) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "takos-call in the local network"},
		NotBefore:    now.Add(-time.Hour), // other devices' clocks differ
		NotAfter:     now.Add(selfSignedLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},

		BasicConstraintsValid: true,
	}
	for _, ip := range addresses {
		template.IPAddresses = append(template.IPAddresses, ip.AsSlice())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	return certPEM, keyPEM, nil
}
