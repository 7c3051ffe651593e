package dtls

import (
	"crypto/sha1" // RFC 8122 lists it, and old clients send nothing else
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Fingerprint is the hash of a certificate (RFC 8122 §5).
type Fingerprint struct {
	// Algorithm is one of sha-1, sha-224, sha-256, sha-384 and sha-512.
	Algorithm string `json:"algorithm"`
	// Value is the hash in hex, a colon between bytes; ours is upper case, either is read.
	Value string `json:"value"`
}

// Parameters is what one side signals about its DTLS: mediasoup's DtlsParameters.
type Parameters struct {
	Role         Role          `json:"role"`
	Fingerprints []Fingerprint `json:"fingerprints"`
}

// hashes are the known algorithms in the order in which we announce them.
var hashes = []struct {
	name string
	size int
	sum  func([]byte) []byte
}{
	{"sha-1", sha1.Size, func(b []byte) []byte { s := sha1.Sum(b); return s[:] }},
	{"sha-224", sha256.Size224, func(b []byte) []byte { s := sha256.Sum224(b); return s[:] }},
	{"sha-256", sha256.Size, func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }},
	{"sha-384", sha512.Size384, func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }},
	{"sha-512", sha512.Size, func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }},
}

func fingerprintsOf(der []byte) []Fingerprint {
	list := make([]Fingerprint, 0, len(hashes))
	for _, h := range hashes {
		list = append(list, Fingerprint{Algorithm: h.name, Value: formatHash(h.sum(der))})
	}
	return list
}

// formatHash writes a hash as upper-case hex with colons.
func formatHash(sum []byte) string {
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, 3*len(sum))
	for i, v := range sum {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, digits[v>>4], digits[v&15])
	}
	return string(b)
}

// Validate checks what a peer has signalled; an error names the field. An absent
// role is read as "auto".
func (p Parameters) Validate() error {
	switch p.Role {
	case RoleAuto, RoleClient, RoleServer, "":
	default:
		return fmt.Errorf("role: %q is not auto, client or server", clip(string(p.Role)))
	}
	return validateFingerprints(p.Fingerprints)
}

// maxFingerprints is more than there are algorithms, since a peer may have several
// certificates (RFC 8122 §5), and small enough that a list is no burden.
const maxFingerprints = 32

func validateFingerprints(list []Fingerprint) error {
	if len(list) == 0 {
		return errors.New("fingerprints: at least one is needed")
	}
	if len(list) > maxFingerprints {
		return fmt.Errorf("fingerprints: %d are too many", len(list))
	}
	for i, f := range list {
		if _, _, err := f.parse(); err != nil {
			return fmt.Errorf("fingerprints[%d].%w", i, err)
		}
	}
	return nil
}

// parse returns the index of the algorithm in hashes and the bytes of the value.
func (f Fingerprint) parse() (algorithm int, sum []byte, err error) {
	algorithm = -1
	for i := range hashes {
		if strings.EqualFold(hashes[i].name, f.Algorithm) {
			algorithm = i
		}
	}
	if algorithm < 0 {
		return 0, nil, fmt.Errorf("algorithm: %q is not known", clip(f.Algorithm))
	}
	size := hashes[algorithm].size
	if len(f.Value) != 3*size-1 {
		return 0, nil, fmt.Errorf("value: %s has %d bytes in hex with colons between them", hashes[algorithm].name, size)
	}
	sum = make([]byte, size)
	for i := range sum {
		if _, err := hex.Decode(sum[i:i+1], []byte(f.Value[3*i:3*i+2])); err != nil {
			return 0, nil, fmt.Errorf("value: %q is not hex", f.Value[3*i:3*i+2])
		}
		if i > 0 && f.Value[3*i-1] != ':' {
			return 0, nil, errors.New("value: bytes are not separated by colons")
		}
	}
	return algorithm, sum, nil
}

// clip shortens what a peer sent for an error message.
func clip(s string) string {
	const most = 32
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// ErrFingerprint says that a peer showed another certificate than it had announced.
var ErrFingerprint = errors.New("the peer's certificate matches none of its fingerprints")

// matchFingerprints returns ErrFingerprint unless der has one of the fingerprints.
func matchFingerprints(der []byte, list []Fingerprint) error {
	for _, f := range list {
		algorithm, want, err := f.parse()
		if err == nil && subtle.ConstantTimeCompare(hashes[algorithm].sum(der), want) == 1 {
			return nil
		}
	}
	return ErrFingerprint
}
