package dtls

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pemPair is a self-signed certificate and its key, as openssl writes them.
func pemPair(t *testing.T, key crypto.Signer) (certificate, private []byte) {
	t.Helper()
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func ecdsaKey(t *testing.T, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t *testing.T, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestCertificatesOfTheOwnerShakeHandsInEitherRole(t *testing.T) {
	for name, key := range map[string]crypto.Signer{
		"RSA": rsaKey(t, 2048), "P-256": ecdsaKey(t, elliptic.P256()), "P-384": ecdsaKey(t, elliptic.P384()),
	} {
		t.Run(name, func(t *testing.T) {
			own, err := ParseCertificate(pemPair(t, key))
			if err != nil {
				t.Fatal(err)
			}
			var algorithms []string
			for _, f := range own.Fingerprints() {
				algorithms = append(algorithms, f.Algorithm)
			}
			if diff := cmp.Diff([]string{"sha-1", "sha-224", "sha-256", "sha-384", "sha-512"}, algorithms); diff != "" {
				t.Error(diff)
			}
			synctest.Test(t, func(t *testing.T) {
				for _, roles := range [][2]Options{{{Certificate: own}, {}}, {{Certificate: certificateA}, {Certificate: own}}} {
					server, client := connected(t, roles[0], roles[1])
					exchangeMedia(t, server, client)
					closeAll(server, client)
				}
			})
		})
	}
}

func TestOnlyTheFirstCertificateIsShown(t *testing.T) {
	certificate, key := pemPair(t, ecdsaKey(t, elliptic.P256()))
	other, _ := pemPair(t, ecdsaKey(t, elliptic.P256()))
	own, err := ParseCertificate(append(bytes.Clone(certificate), other...), key)
	if err != nil {
		t.Fatal(err)
	}
	if len(own.tls.Certificate) != 1 || EncodeCertificate(own.tls.Certificate[0]) != string(certificate) {
		t.Errorf("%d certificates, the first is\n%s", len(own.tls.Certificate), EncodeCertificate(own.tls.Certificate[0]))
	}
	if EncodeCertificate(nil) != "" {
		t.Error("no certificate is written as something")
	}
}

func TestUnfitCertificatesAreRefusedWithAReason(t *testing.T) {
	certificate, key := pemPair(t, ecdsaKey(t, elliptic.P256()))
	_, otherKey := pemPair(t, ecdsaKey(t, elliptic.P256()))
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edCertificate, edKey := pemPair(t, ed)
	shortCertificate, shortKey := pemPair(t, rsaKey(t, 1024))
	oldCertificate, oldKey := pemPair(t, ecdsaKey(t, elliptic.P224()))
	for _, test := range []struct {
		name             string
		certificate, key []byte
		says             string
	}{
		{"nothing", nil, nil, "PEM"},
		{"no PEM", []byte("certificate"), key, "PEM"},
		{"no key", certificate, certificate, "rather than a key"},
		{"the key of another", certificate, otherKey, "does not match"},
		{"a kind of key that browsers do not know", edCertificate, edKey, "use an ECDSA or RSA key"},
		{"a short key", shortCertificate, shortKey, "1024 bits"},
		{"an old curve", oldCertificate, oldKey, "P-224"},
	} {
		c, err := ParseCertificate(test.certificate, test.key)
		if err == nil || c != nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
