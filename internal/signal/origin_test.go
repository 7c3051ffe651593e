package signal

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOriginsOfTheListAndOurOwnAreAllowed(t *testing.T) {
	list := Origins{"app.example.com", "*.Example.org", "localhost:*", "https://Only.example.com"}
	for origin, want := range map[string]bool{
		"":                               true, // no page
		"https://call.example.net":       true, // our own
		"https://CALL.example.net":       true,
		"https://app.example.com":        true,
		"https://app.example.com:8443":   false,
		"http://app.example.com":         true,
		"https://only.example.com":       true,
		"http://only.example.com":        false,
		"http://call.example.net":        false, // ours, but not as we sent it
		"https://x.example.org":          true,
		"https://example.org":            false,
		"https://evil.com":               false,
		"https://app.example.com.evil.x": false,
		"http://localhost:5173":          true,
		"null":                           false,
		"::garbage":                      false,
	} {
		r := httptest.NewRequest("GET", "https://call.example.net/takos-api", nil)
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if got := list.Allow(r); got != want {
			t.Errorf("%q: %v", origin, got)
		}
	}
	r := httptest.NewRequest("GET", "https://call.example.net/", nil)
	r.Header.Set("Origin", "https://app.example.com")
	if (Origins)(nil).Allow(r) || (Origins{"[broken"}).Allow(r) {
		t.Error("a foreign page is allowed by a list without it")
	}
}

func TestUpgradeIsRecognised(t *testing.T) {
	for name, test := range map[string]struct {
		header http.Header
		want   bool
	}{
		"as browsers send it": {http.Header{"Connection": {"keep-alive, Upgrade"}, "Upgrade": {"websocket"}}, true},
		"in another case":     {http.Header{"Connection": {"upgrade"}, "Upgrade": {"WebSocket"}}, true},
		"in two headers":      {http.Header{"Connection": {"keep-alive", "upgrade"}, "Upgrade": {"h2c, websocket"}}, true},
		"plain":               {http.Header{}, false},
		"another protocol":    {http.Header{"Connection": {"upgrade"}, "Upgrade": {"h2c"}}, false},
		"stripped by a proxy": {http.Header{"Upgrade": {"websocket"}}, false},
	} {
		if got := IsUpgrade(&http.Request{Header: test.header}); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
