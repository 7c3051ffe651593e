package dtls

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFingerprintsAreMediasoups(t *testing.T) {
	list := certificateA.Fingerprints()
	var algorithms []string
	for _, f := range list {
		algorithms = append(algorithms, f.Algorithm)
		if f.Value != strings.ToUpper(f.Value) {
			t.Errorf("%s is not upper case", f.Value)
		}
	}
	if diff := cmp.Diff([]string{"sha-1", "sha-224", "sha-256", "sha-384", "sha-512"}, algorithms); diff != "" {
		t.Error(diff)
	}
	sum := sha256.Sum256(certificateA.tls.Certificate[0])
	want := strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
	if list[2].Value != want {
		t.Errorf("sha-256 is %s, want %s", list[2].Value, want)
	}
	list[0].Value = "overwritten"
	if certificateA.Fingerprints()[0].Value == "overwritten" {
		t.Error("the caller can change the certificate's fingerprints")
	}
	if err := (Parameters{RoleAuto, certificateA.Fingerprints()}).Validate(); err != nil {
		t.Errorf("our own are not valid: %v", err)
	}
}

func TestCertificate(t *testing.T) {
	leaf := certificateA.tls.Leaf
	if leaf.PublicKeyAlgorithm != x509.ECDSA || leaf.SignatureAlgorithm != x509.ECDSAWithSHA256 {
		t.Errorf("%v signed with %v", leaf.PublicKeyAlgorithm, leaf.SignatureAlgorithm)
	}
	now := time.Now()
	if now.Before(leaf.NotBefore.Add(time.Hour)) || now.AddDate(5, 0, 0).After(leaf.NotAfter) {
		t.Errorf("valid from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
	if certificateA.Fingerprints()[2] == certificateB.Fingerprints()[2] {
		t.Error("two certificates are the same")
	}
}

func TestValidate(t *testing.T) {
	sha256 := certificateA.Fingerprints()[2].Value
	sha1 := certificateA.Fingerprints()[0].Value
	one := func(algorithm, value string) []Fingerprint { return []Fingerprint{{algorithm, value}} }
	tests := []struct {
		name  string
		p     Parameters
		wants []string // in the error; none for no error
	}{
		{"good", Parameters{RoleClient, one("sha-256", sha256)}, nil},
		{"lower case", Parameters{RoleServer, one("sha-256", strings.ToLower(sha256))}, nil},
		{"algorithm in capitals", Parameters{RoleAuto, one("SHA-256", sha256)}, nil},
		{"no role", Parameters{"", one("sha-1", sha1)}, nil},
		{"every hash", Parameters{RoleAuto, certificateA.Fingerprints()}, nil},
		{"unknown role", Parameters{"actpass", one("sha-256", sha256)}, []string{"role", "actpass"}},
		{"nil list", Parameters{RoleAuto, nil}, []string{"fingerprints"}},
		{"empty list", Parameters{RoleAuto, []Fingerprint{}}, []string{"fingerprints"}},
		{"endless list", Parameters{RoleAuto, make([]Fingerprint, 1000)}, []string{"fingerprints", "1000"}},
		{"unknown algorithm", Parameters{RoleAuto, one("md5", sha256)}, []string{"fingerprints[0].algorithm", "md5"}},
		{"no algorithm", Parameters{RoleAuto, one("", sha256)}, []string{"fingerprints[0].algorithm"}},
		{"second one is bad", Parameters{RoleAuto, append(one("sha-256", sha256), Fingerprint{"sha-1", "00"})}, []string{"fingerprints[1].value"}},
		{"value of another hash", Parameters{RoleAuto, one("sha-256", sha1)}, []string{"fingerprints[0].value", "32 bytes"}},
		{"no value", Parameters{RoleAuto, one("sha-256", "")}, []string{"fingerprints[0].value"}},
		{"a byte short", Parameters{RoleAuto, one("sha-256", sha256[3:])}, []string{"fingerprints[0].value"}},
		{"not hex", Parameters{RoleAuto, one("sha-256", "GG"+sha256[2:])}, []string{"fingerprints[0].value", "GG"}},
		{"not hex at the end", Parameters{RoleAuto, one("sha-256", sha256[:93]+"0x")}, []string{"fingerprints[0].value"}},
		{"dashes", Parameters{RoleAuto, one("sha-256", strings.ReplaceAll(sha256, ":", "-"))}, []string{"fingerprints[0].value", "colon"}},
		{"long garbage", Parameters{RoleAuto, one(strings.Repeat("x", 10000), "")}, []string{"algorithm"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.p.Validate()
			if (err == nil) != (test.wants == nil) {
				t.Fatalf("Validate: %v", err)
			}
			for _, want := range test.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if err != nil && len(err.Error()) > 200 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestParametersJSON(t *testing.T) {
	var p Parameters
	in := `{"role":"client","fingerprints":[{"algorithm":"sha-256","value":"AB"}]}`
	if err := json.Unmarshal([]byte(in), &p); err != nil {
		t.Fatal(err)
	}
	if out, err := json.Marshal(p); err != nil || string(out) != in {
		t.Errorf("%s, %v", out, err)
	}
}

func TestLocalRole(t *testing.T) {
	for remote, want := range map[Role]Role{
		RoleClient: RoleServer, RoleServer: RoleClient, RoleAuto: RoleServer, "": RoleServer,
	} {
		if got := LocalRole(remote); got != want {
			t.Errorf("LocalRole(%q) = %s, want %s", remote, got, want)
		}
	}
}
