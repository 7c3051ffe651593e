package loadtest

import (
	"crypto"
	_ "crypto/sha1" // registers the hashes of fingerprints
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
)

// fingerprintHashes are the hash names of RFC 8122 §5 that may stand in a
// fingerprint.
var fingerprintHashes = map[string]crypto.Hash{
	"sha-1":   crypto.SHA1,
	"sha-224": crypto.SHA224,
	"sha-256": crypto.SHA256,
	"sha-384": crypto.SHA384,
	"sha-512": crypto.SHA512,
}

// certificate is the one certificate of all clients of a pool: making one for
// each would only cost time.
func certificate() (tls.Certificate, DTLSFingerprint, error) {
	c, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return c, DTLSFingerprint{}, fmt.Errorf("make a certificate: %w", err)
	}
	return c, DTLSFingerprint{Algorithm: "sha-256", Value: fingerprint(crypto.SHA256, c.Certificate[0])}, nil
}

// fingerprint is the hash of a certificate in upper-case hexadecimal bytes
// with colons between them.
func fingerprint(h crypto.Hash, certificate []byte) string {
	sum := h.New()
	sum.Write(certificate)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum.Sum(nil)), " ", ":")
}

// verifier checks the server's certificate against what it has signalled.
func verifier(fingerprints []DTLSFingerprint) func([][]byte, [][]*x509.Certificate) error {
	return func(chain [][]byte, _ [][]*x509.Certificate) error {
		if len(chain) == 0 {
			return errors.New("the server has no certificate")
		}
		for _, f := range fingerprints {
			h, known := fingerprintHashes[strings.ToLower(f.Algorithm)]
			if known && strings.EqualFold(fingerprint(h, chain[0]), f.Value) {
				return nil
			}
		}
		return errors.New("the server's certificate has none of the signalled fingerprints")
	}
}
