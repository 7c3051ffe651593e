package doctor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificate writes a certificate for call.example.org that is valid at noon,
// with changes, and returns its paths.
func certificate(t *testing.T, change func(*x509.Certificate)) (certPath, keyPath string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(90 * 24 * time.Hour),
		DNSNames: []string{"call.example.org"},
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certPath, keyPath = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{certPath: {Type: "CERTIFICATE", Bytes: der}, keyPath: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certPath, keyPath
}

func examineTLS(t *testing.T, certPath, keyPath string, environment ...string) *Report {
	t.Helper()
	r := &Report{}
	environment = append(environment, "TAKOS_CALL_TLS_CERT="+certPath, "TAKOS_CALL_TLS_KEY="+keyPath)
	checkTLS(healthy(), settings(t, environment...), r)
	return r
}

func TestTLSFiles(t *testing.T) {
	certPath, keyPath := certificate(t, nil)
	r := examineTLS(t, certPath, keyPath)
	expectOne(t, r, Good, "TLS", "match", "2027-02-18")
	expectOne(t, r, Warn, "TLS issuer", "does not trust", "whole chain")

	_, otherKey := certificate(t, nil)
	expectOne(t, examineTLS(t, certPath, otherKey), Bad, "TLS", "private key does not match", "TAKOS_CALL_TLS_KEY")
	expectOne(t, examineTLS(t, "/nowhere/cert.pem", keyPath), Bad, "TLS", "/nowhere/cert.pem")

	if err := os.Chmod(keyPath, 0o644); err != nil {
		t.Fatal(err)
	}
	expectOne(t, examineTLS(t, certPath, keyPath), Warn, "TLS key", "every user", "chmod")
}

func TestTLSDates(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*x509.Certificate)
		grade  Grade
		words  []string
	}{
		"expired":     {func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Minute) }, Bad, []string{"has expired on 2026-11-20", "renew"}},
		"not yet":     {func(c *x509.Certificate) { c.NotBefore = noon.Add(time.Hour) }, Bad, []string{"not valid before", "clock"}},
		"soon":        {func(c *x509.Certificate) { c.NotAfter = noon.Add(7 * 24 * time.Hour) }, Warn, []string{"expires on 2026-11-27"}},
		"a good time": {nil, Good, []string{"valid until"}},
	} {
		certPath, keyPath := certificate(t, test.change)
		t.Run(name, func(t *testing.T) { expectOne(t, examineTLS(t, certPath, keyPath), test.grade, "TLS", test.words...) })
	}
}

func TestTLSNames(t *testing.T) {
	certPath, keyPath := certificate(t, nil)
	expectOne(t, examineTLS(t, certPath, keyPath, "TAKOS_CALL_PUBLIC_URL=https://call.example.org"), Good, "TLS names", "call.example.org")
	expectOne(t, examineTLS(t, certPath, keyPath, "TAKOS_CALL_PUBLIC_URL=https://www.example.org"), Bad, "TLS names", "www.example.org", "TAKOS_CALL_PUBLIC_URL")
	expectOne(t, examineTLS(t, certPath, keyPath, "MEDIASOUP_ANNOUNCED_IP=media.example.org"), Note, "TLS names", "media.example.org")
}

func TestNoTLS(t *testing.T) {
	r := &Report{}
	checkTLS(healthy(), settings(t), r)
	expect(t, r)
	checkTLS(healthy(), settings(t, "TAKOS_CALL_LAN=true"), r)
	expectOne(t, r, Note, "TLS", "makes a certificate itself")
}
