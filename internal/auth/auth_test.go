package auth

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openStore(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecretsAreLongAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		s := newSecret()
		if len(s) < 43 || seen[s] { // 256 bits in base64
			t.Fatalf("secret %q", s)
		}
		seen[s] = true
	}
}
