package udp

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func TestAddrConvertsBothWays(t *testing.T) {
	tests := []struct{ in, out string }{
		{"192.0.2.1:4000", "192.0.2.1:4000"},
		{"[::ffff:192.0.2.1]:4000", "192.0.2.1:4000"},
		{"[2001:db8::1]:65535", "[2001:db8::1]:65535"},
		{"0.0.0.0:0", "0.0.0.0:0"},
		{"[::]:0", "[::]:0"},
		{"[fe80::1%7]:1", "[fe80::1%7]:1"},
		{"[fe80::1%no-such-interface]:1", "[fe80::1]:1"},
	}
	for _, test := range tests {
		a := AddrFrom(netip.MustParseAddrPort(test.in))
		if a.String() != test.out {
			t.Errorf("%s became %s, want %s", test.in, a, test.out)
		}
		if again := AddrFrom(a.AddrPort()); again != a {
			t.Errorf("%s: converted back and forth gives %s", a, again)
		}
	}
}

func TestMappedAndPlainIPv4AreOneAddr(t *testing.T) {
	plain := AddrFrom(netip.MustParseAddrPort("192.0.2.1:4000"))
	mapped := AddrFrom(netip.MustParseAddrPort("[::ffff:192.0.2.1]:4000"))
	if plain != mapped || plain.Hash() != mapped.Hash() {
		t.Errorf("%#v and %#v differ", plain, mapped)
	}
	if !mapped.Is4() {
		t.Error("a mapped address is not taken for IPv4")
	}
}

func TestZeroAddrIsNoAddress(t *testing.T) {
	var none Addr
	if none.IsValid() || none.Is4() || none.AddrPort().IsValid() || none.String() != "none" {
		t.Errorf("the zero Addr passes for %s", none)
	}
	if AddrFrom(netip.AddrPort{}) != none {
		t.Error("an invalid netip.AddrPort gives an address")
	}
	if lowest := AddrFrom(netip.MustParseAddrPort("[::]:0")); lowest == none {
		t.Error("[::]:0 is indistinguishable from none")
	}
}

func TestAddrKeepsEveryAddress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ip netip.Addr
		if rapid.Bool().Draw(t, "v4") {
			ip = netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "ip")))
		} else {
			ip = netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "ip"))).Unmap()
		}
		want := netip.AddrPortFrom(ip, rapid.Uint16().Draw(t, "port"))
		a := AddrFrom(want)
		if a.AddrPort() != want || a.Port() != want.Port() || a.Is4() != ip.Is4() {
			t.Fatalf("%s came back as %s", want, a.AddrPort())
		}
	})
}

// What arrives at a server are addresses that differ in a few bits: many ports
// of one host, one port of neighbouring hosts.
func TestHashSpreadsNeighbours(t *testing.T) {
	const keys, buckets = 1 << 14, 1 << 8
	local := at(loopback4, 4000)
	families := map[string]func(i int) Path{
		"ports of an IPv4 host": func(i int) Path { return Path{at(loopback4, uint16(i)), local} },
		"ports of an IPv6 host": func(i int) Path { return Path{at(loopback6, uint16(i)), local} },
		"IPv4 neighbours":       func(i int) Path { return Path{at(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 5000), local} },
		"IPv6 networks": func(i int) Path {
			return Path{at(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 0, byte(i >> 8), byte(i), 15: 1}), 5000), local}
		},
		"local ports": func(i int) Path { return Path{local, at(loopback4, uint16(i))} },
	}
	for name, path := range families {
		for part, shift := range map[string]int{"low": 0, "high": 24} {
			var pathFill, addrFill [buckets]int
			for i := range keys {
				p := path(i)
				pathFill[p.Hash()>>shift%buckets]++
				addrFill[p.Remote.Hash()>>shift%buckets]++
			}
			checkSpread(t, name+", path, "+part, pathFill[:], keys)
			if name != "local ports" { // there the remote is always the same
				checkSpread(t, name+", address, "+part, addrFill[:], keys)
			}
		}
	}
}

// checkSpread fails when a bucket holds twice its share or a quarter of it, six
// or more standard deviations off for a random spread.
func checkSpread(t *testing.T, name string, fill []int, keys int) {
	t.Helper()
	share := keys / len(fill)
	for bucket, n := range fill {
		if n > 2*share || n < share/4 {
			t.Errorf("%s bits: bucket %d holds %d keys of %d, fair share %d", name, bucket, n, keys, share)
			return
		}
	}
}

func TestPathHashTellsItsEndsApart(t *testing.T) {
	a, b := at(loopback4, 1), at(loopback4, 2)
	if (Path{a, b}).Hash() == (Path{b, a}).Hash() {
		t.Error("a path and its reverse hash alike")
	}
}

func BenchmarkPathHash(b *testing.B) {
	p := Path{at(loopback6, 4000), at(loopback4, 5000)}
	b.ReportAllocs()
	var sum uint32
	for b.Loop() {
		sum += p.Hash()
	}
	_ = sum
}
