package auth

import (
	"crypto/tls"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func addresses(t *testing.T, texts ...string) Addresses {
	t.Helper()
	list, err := ParseAddresses(texts)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestListsContainTheirNetworks(t *testing.T) {
	list := addresses(t, "192.0.2.0/24", " 198.51.100.7 ", "2001:db8::/32", "::ffff:203.0.113.0/120", "10.1.2.3/8", "")
	for addr, want := range map[string]bool{
		"192.0.2.1": true, "192.0.2.255": true, "192.0.3.1": false,
		"198.51.100.7": true, "198.51.100.8": false,
		"2001:db8::1": true, "2001:db9::1": false,
		"203.0.113.9": true, "203.0.114.9": false,
		"10.200.0.1": true, // host bits of a network do not matter
		// The same address in IPv6 clothes.
		"::ffff:192.0.2.1": true, "::ffff:192.0.3.1": false,
		"fe80::1%eth0": false,
	} {
		if got := list.Contains(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}

func TestZonesDoNotMatter(t *testing.T) {
	if !addresses(t, "fe80::/10").Contains(netip.MustParseAddr("fe80::1%eth0")) {
		t.Error("the zone hid the address")
	}
}

func TestEmptyListAllowsAllAndTrustsNobody(t *testing.T) {
	var empty Addresses
	addr := netip.MustParseAddr("192.0.2.1")
	if !empty.Allows(addr) || empty.Contains(addr) {
		t.Error("the empty list")
	}
	other := addresses(t, "198.51.100.0/24")
	if other.Allows(addr) || other.Allows(netip.Addr{}) {
		t.Error("an address outside the list is allowed")
	}
}

func TestWrongListIsNamed(t *testing.T) {
	for _, text := range []string{"localhost", "192.0.2.0/33", "192.0.2", "192.0.2.0/24/1"} {
		if _, err := ParseAddresses([]string{"192.0.2.1", text}); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestForwardedAddressIsBelievedOnlyFromTrustedProxies(t *testing.T) {
	trusted := addresses(t, "10.0.0.0/8", "2001:db8:ffff::/48")
	for name, test := range map[string]struct {
		from      string
		forwarded []string
		want      string
	}{
		"direct":                              {"192.0.2.1:5000", nil, "192.0.2.1"},
		"a stranger cannot pretend":           {"192.0.2.1:5000", []string{"198.51.100.1"}, "192.0.2.1"},
		"behind a proxy":                      {"10.0.0.1:5000", []string{"198.51.100.1"}, "198.51.100.1"},
		"the client's own claims are hearsay": {"10.0.0.1:5000", []string{"203.0.113.66, 198.51.100.1"}, "198.51.100.1"},
		"behind two proxies":                  {"10.0.0.1:5000", []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		"in two headers":                      {"10.0.0.1:5000", []string{"203.0.113.66", "198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		"only proxies":                        {"10.0.0.1:5000", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"no header":                           {"10.0.0.1:5000", nil, "10.0.0.1"},
		"garbage":                             {"10.0.0.1:5000", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		"with a port":                         {"10.0.0.1:5000", []string{"198.51.100.1:77"}, "198.51.100.1"},
		"IPv6":                                {"[2001:db8:ffff::1]:5000", []string{"2001:db8::5"}, "2001:db8::5"},
		"IPv6 with a port":                    {"10.0.0.1:5000", []string{"[2001:db8::5]:99"}, "2001:db8::5"},
		"mapped":                              {"[::ffff:10.0.0.1]:5000", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.from
		for _, value := range test.forwarded {
			r.Header.Add("X-Forwarded-For", value)
		}
		if got := ClientAddress(r, trusted); got.String() != test.want {
			t.Errorf("%s: %v, want %s", name, got, test.want)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "@" // a Unix socket
	if got := ClientAddress(r, trusted); got.IsValid() {
		t.Errorf("an address from nowhere: %v", got)
	}
}

func FuzzParseHop(f *testing.F) {
	for _, seed := range []string{"192.0.2.1", "[2001:db8::1]:80", "unknown", "fe80::1%eth0", "::ffff:1.2.3.4", " [::1] "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		addr, ok := parseHop(text)
		if ok && (!addr.IsValid() || addr.Is4In6() || addr.Zone() != "") {
			t.Errorf("%q became %v", text, addr)
		}
	})
}

func TestOriginIsAsTheClientAddressedIt(t *testing.T) {
	trusted := addresses(t, "10.0.0.0/8")
	for name, test := range map[string]struct {
		from, proto string
		tls         bool
		want        string
	}{
		"plain":           {"192.0.2.1:1", "", false, "http://call.example.com:3000"},
		"TLS":             {"192.0.2.1:1", "", true, "https://call.example.com:3000"},
		"proxy with TLS":  {"10.0.0.1:1", "HTTPS", false, "https://call.example.com:3000"},
		"proxy without":   {"10.0.0.1:1", "http", false, "http://call.example.com:3000"},
		"a stranger lies": {"192.0.2.1:1", "https", false, "http://call.example.com:3000"},
	} {
		r := httptest.NewRequest("GET", "http://call.example.com:3000/x", nil)
		r.RemoteAddr = test.from
		r.Header.Set("X-Forwarded-Proto", test.proto)
		if test.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := RequestOrigin(r, trusted); got != test.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestInvitationsLeadToThePage(t *testing.T) {
	for page, want := range map[string]string{
		"":                           "http://here:3000/c/i",
		"/base":                      "http://here:3000/base/c/i",
		"https://call.example.com/x": "https://call.example.com/x/c/i",
	} {
		if got := InvitationURL(page, "http://here:3000", "i", VideoCall); got != want {
			t.Errorf("%q: %s", page, got)
		}
		if got := InvitationURL(page, "http://here:3000", "i", AudioCall); got != want+"#voice" {
			t.Errorf("%q, voice: %s", page, got)
		}
	}
}
