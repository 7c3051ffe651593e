package server

import (
	"crypto/tls"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var someAddresses = []netip.Addr{netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("fd00::2"), netip.MustParseAddr("127.0.0.1")}

func TestSelfSignedCertificateIsForEveryAddress(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	certPath, keyPath, err := selfSigned(t.TempDir(), someAddresses, now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(certPath, keyPath)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "192.0.2.2", "fd00::2", "127.0.0.1"} {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if lifetime := pair.Leaf.NotAfter.Sub(pair.Leaf.NotBefore); lifetime > 398*24*time.Hour {
		t.Errorf("valid for %v, which Safari refuses", lifetime)
	}
	if info, err := os.Stat(keyPath); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the key: %v, %v", info, err)
	}
}

func TestSelfSignedCertificateIsKeptWhileItServes(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	current := func(addresses []netip.Addr, at time.Time) string {
		t.Helper()
		certPath, _, err := selfSigned(dir, addresses, at)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(certPath)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	first := current(someAddresses, now)
	if current(someAddresses[:1], now.Add(300*24*time.Hour)) != first {
		t.Error("made anew although it is still good")
	}
	moved := current([]netip.Addr{netip.MustParseAddr("192.168.7.7")}, now)
	if moved == first {
		t.Error("kept although the machine has another address")
	}
	if current([]netip.Addr{netip.MustParseAddr("192.168.7.7")}, now.Add(390*24*time.Hour)) == moved {
		t.Error("kept although it is about to expire")
	}
	if err := os.WriteFile(filepath.Join(dir, "lan-cert.pem"), []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if current(someAddresses, now) == "no certificate" {
		t.Error("kept although it is damaged")
	}
}

// A renewable is a certificate file with a clock that a test moves.
func renewable(t *testing.T) (c *certificateFile, dir string, pass func(time.Duration)) {
	t.Helper()
	dir = t.TempDir()
	certPath, keyPath, err := selfSigned(dir, someAddresses, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err = openCertificate(certPath, keyPath, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c.now = func() time.Time { return now }
	return c, dir, func(d time.Duration) { now = now.Add(d) }
}

func serial(t *testing.T, c *certificateFile) string {
	t.Helper()
	pair, err := c.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf.SerialNumber.String()
}

// replace puts another certificate in the place of the one in dir.
func replace(t *testing.T, dir string) {
	t.Helper()
	certPEM, keyPEM, err := makeSelfSigned(someAddresses, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"lan-cert.pem": certPEM, "lan-key.pem": keyPEM} {
		overwrite(t, filepath.Join(dir, name), text)
	}
}

// overwrite writes a file and gives it a time of its own, since the clock of a
// file system may be slower than a test.
func overwrite(t *testing.T, path string, text []byte) {
	t.Helper()
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	later := before.ModTime().Add(time.Second)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
}

func TestCertificateIsReadAgainWhenItsFilesChange(t *testing.T) {
	c, dir, pass := renewable(t)
	first := serial(t, c)
	replace(t, dir)
	if serial(t, c) != first {
		t.Error("looked at the files before it was time to")
	}
	pass(recheckInterval)
	second := serial(t, c)
	if second == first {
		t.Error("the new certificate is not taken")
	}
	pass(recheckInterval)
	if serial(t, c) != second {
		t.Error("the certificate changed although the files did not")
	}
}

func TestCertificateStaysWhenItsFilesAreBroken(t *testing.T) {
	c, dir, pass := renewable(t)
	first := serial(t, c)
	overwrite(t, filepath.Join(dir, "lan-cert.pem"), []byte("half a cert"))
	pass(recheckInterval)
	if serial(t, c) != first {
		t.Error("took a broken file")
	}
	if err := os.Remove(filepath.Join(dir, "lan-key.pem")); err != nil {
		t.Fatal(err)
	}
	pass(recheckInterval)
	if serial(t, c) != first {
		t.Error("lost the certificate with the file")
	}
	if err := os.WriteFile(filepath.Join(dir, "lan-key.pem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	replace(t, dir)
	pass(recheckInterval)
	if serial(t, c) == first {
		t.Error("does not recover when the files are good again")
	}
}

func TestCertificateThatCannotBeReadIsAnError(t *testing.T) {
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	if _, err := openCertificate(filepath.Join(dir, "none.pem"), filepath.Join(dir, "none.key"), log); err == nil {
		t.Error("files that are not there pass")
	}
	certPath, _, err := selfSigned(dir, someAddresses, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	_, otherKey, err := selfSigned(t.TempDir(), someAddresses, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openCertificate(certPath, otherKey, log); err == nil {
		t.Error("a key of another certificate passes")
	}
}
