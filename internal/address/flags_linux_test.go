package address

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadsTheKernelsTableOfIPv6Addresses(t *testing.T) {
	const table = `fe80000000000000000000fffe000001 04 40 20 80     eth0
20010db8000000000000000000000001 04 40 00 00     eth0
20010db8000000000000000000000002 04 40 00 01     eth0
20010db8000000000000000000000003 04 40 00 21     eth0
20010db8000000000000000000000004 04 40 00 40     eth0
20010db8000000000000000000000005 04 40 00 c8     eth0
not a line of the table
zz010db8000000000000000000000006 04 40 00 00     eth0
20010db8 04 40 00 00     eth0
20010db8000000000000000000000007 04 40 00 zz     eth0
`
	got := parseFlags([]byte(table))
	want := map[netip.Addr]Address{}
	for _, a := range []Address{
		{IP: netip.MustParseAddr("fe80::ff:fe00:1")},
		{IP: netip.MustParseAddr("2001:db8::1")},
		{IP: netip.MustParseAddr("2001:db8::2"), Temporary: true},
		{IP: netip.MustParseAddr("2001:db8::3"), Temporary: true, Deprecated: true},
		{IP: netip.MustParseAddr("2001:db8::4"), Tentative: true},
		{IP: netip.MustParseAddr("2001:db8::5"), Tentative: true},
	} {
		want[a.IP] = a
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
}
