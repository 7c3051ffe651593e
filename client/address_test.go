package client

import "testing"

func TestEndpoints(t *testing.T) {
	for _, test := range []struct{ address, key, url, header string }{
		{"http://localhost:3000", "k", "http://localhost:3000/takos-api", "k"},
		{"ws://localhost:3000/", "", "ws://localhost:3000/takos-api", ""},
		{"wss://example.com/takos-api", "k", "wss://example.com/takos-api", "k"},
		{"https://example.com/calls/", "k", "https://example.com/calls/takos-api", "k"},
		{"https://example.com/calls/takos-api/", "k", "https://example.com/calls/takos-api", "k"},
		{"wss://example.com/takos-api?api_key=old&tenant=7#x", "", "wss://example.com/takos-api?tenant=7", "old"},
		{"wss://example.com?api_key=old", "new", "wss://example.com/takos-api", "new"},
		{"http://[::1]:3000", "", "http://[::1]:3000/takos-api", ""},
	} {
		e, err := parseEndpoint(test.address, test.key)
		if err != nil || e.url != test.url || e.header.Get("api-key") != test.header {
			t.Errorf("%s with key %q: %s with key %q, %v; want %s with key %q",
				test.address, test.key, e.url, e.header.Get("api-key"), err, test.url, test.header)
		}
	}
}
