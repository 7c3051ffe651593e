package address_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/address"
)

var everywhere = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}

func up(name string, ips ...string) address.Interface {
	i := address.Interface{Name: name, Up: true, Loopback: name == "lo"}
	for _, ip := range ips {
		i.Addresses = append(i.Addresses, address.Address{IP: netip.MustParseAddr(ip)})
	}
	return i
}

func TestAnnouncesWhatBrowsersCanReach(t *testing.T) {
	lo := up("lo", "127.0.0.1", "::1")
	for _, test := range []struct {
		name       string
		interfaces []address.Interface
		policy     address.Policy
		want       []string
	}{
		{
			name:       "a laptop: every interface, IPv4 first, no loopback",
			interfaces: []address.Interface{lo, up("wlan0", "fd00::7", "192.168.1.7"), up("eth0", "10.0.0.5")},
			want:       []string{"192.168.1.7", "10.0.0.5", "fd00::7"},
		},
		{
			name:       "only this machine: loopback too, but last",
			interfaces: []address.Interface{lo, up("eth0", "192.0.2.2", "fd00::2")},
			policy:     address.Policy{LoopbackOnly: true},
			want:       []string{"192.0.2.2", "fd00::2", "127.0.0.1", "::1"},
		},
		{
			name:       "without a network only loopback is left",
			interfaces: []address.Interface{lo},
			policy:     address.Policy{LoopbackOnly: true},
			want:       []string{"127.0.0.1", "::1"},
		},
		{
			name:       "a server: public before private",
			interfaces: []address.Interface{up("eth1", "10.1.2.3", "fd12::3"), up("eth0", "2001:db8::1", "203.0.113.9")},
			want:       []string{"203.0.113.9", "2001:db8::1", "10.1.2.3", "fd12::3"},
		},
		{
			name: "container and virtual machine bridges are left out",
			interfaces: []address.Interface{
				up("docker0", "172.17.0.1"), up("br-0f1e2d3c4b5a", "172.18.0.1"), up("veth12ab", "10.9.0.1"), up("virbr0", "192.168.122.1"),
				up("cni0", "10.244.0.1"), up("flannel.1", "10.244.0.0"), up("lxcbr0", "10.0.3.1"), up("podman0", "10.88.0.1"),
				up("eth0", "192.168.0.2"),
			},
			want: []string{"192.168.0.2"},
		},
		{
			name:       "a bridge that a person has named is a network like any other",
			interfaces: []address.Interface{up("br-lan", "192.168.8.1"), up("br0", "192.168.9.1")},
			want:       []string{"192.168.8.1", "192.168.9.1"},
		},
		{
			name:       "link-local is left out in both families",
			interfaces: []address.Interface{up("eth0", "169.254.3.4", "fe80::1", "192.168.0.2")},
			want:       []string{"192.168.0.2"},
		},
		{
			name:       "a service address on the loopback interface is left out",
			interfaces: []address.Interface{up("lo", "127.0.0.1", "203.0.113.53")},
			policy:     address.Policy{LoopbackOnly: true},
			want:       []string{"127.0.0.1"},
		},
		{
			name:       "an interface that is down is left out",
			interfaces: []address.Interface{{Name: "eth0", Addresses: up("", "192.168.0.2").Addresses}},
		},
		{
			name:       "a temporary address gives way to a stable one of its network",
			interfaces: []address.Interface{withFlags("eth0", "2001:db8:0:1::aaaa temporary", "2001:db8:0:1::1", "2001:db8:0:2::bbbb temporary")},
			want:       []string{"2001:db8:0:1::1", "2001:db8:0:2::bbbb"},
		},
		{
			name:       "deprecated and tentative addresses are left out, and do not count as stable",
			interfaces: []address.Interface{withFlags("eth0", "2001:db8::1 deprecated", "2001:db8::2 tentative", "2001:db8::3 temporary")},
			want:       []string{"2001:db8::3"},
		},
		{
			name:       "listening on IPv4 only",
			interfaces: []address.Interface{up("eth0", "192.168.0.2", "fd00::2")},
			policy:     address.Policy{Listen: []netip.Addr{netip.IPv4Unspecified()}},
			want:       []string{"192.168.0.2"},
		},
		{
			name:       "listening on one address",
			interfaces: []address.Interface{up("eth0", "192.168.0.2", "192.168.0.3")},
			policy:     address.Policy{Listen: []netip.Addr{netip.MustParseAddr("192.168.0.3")}},
			want:       []string{"192.168.0.3"},
		},
		{
			name:       "what the operator announces replaces what is found, in that order",
			interfaces: []address.Interface{lo, up("eth0", "192.168.0.2")},
			policy:     address.Policy{Announced: []string{"call.example.org", "192.168.0.2", "203.0.113.9"}, LoopbackOnly: true},
			want:       []string{"call.example.org", "192.168.0.2", "203.0.113.9"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.policy.Listen == nil {
				test.policy.Listen = everywhere
			}
			choices := address.Choose(test.interfaces, test.policy)
			if diff := cmp.Diff(test.want, address.Announced(choices)); diff != "" {
				t.Errorf("announced (-want +got):\n%s", diff)
			}
		})
	}
}

func withFlags(name string, addresses ...string) address.Interface {
	i := address.Interface{Name: name, Up: true}
	for _, text := range addresses {
		ip, flag, _ := strings.Cut(text, " ")
		i.Addresses = append(i.Addresses, address.Address{
			IP:         netip.MustParseAddr(ip),
			Temporary:  flag == "temporary",
			Deprecated: flag == "deprecated",
			Tentative:  flag == "tentative",
		})
	}
	return i
}

func TestEveryAddressGetsAReason(t *testing.T) {
	interfaces := []address.Interface{up("lo", "127.0.0.1"), up("docker0", "172.17.0.1"), up("eth0", "192.168.0.2", "fe80::1")}
	choices := address.Choose(interfaces, address.Policy{Listen: everywhere})
	want := []address.Choice{
		{Host: "192.168.0.2", Interface: "eth0", Announce: true, Reason: "its private network"},
		{Host: "127.0.0.1", Interface: "lo", Reason: "it is a loopback address, which no other machine can reach"},
		{Host: "172.17.0.1", Interface: "docker0", Reason: "its interface connects containers or virtual machines of this computer only"},
		{Host: "fe80::1", Interface: "eth0", Reason: "it is link-local: it means something on one cable only"},
	}
	if diff := cmp.Diff(want, choices); diff != "" {
		t.Errorf("choices (-want +got):\n%s", diff)
	}
}

func TestAddressesNobodyCanBeSentTo(t *testing.T) {
	for _, text := range []string{"0.0.0.0", "::", "::ffff:0.0.0.0", "224.0.0.1", "ff02::1", "169.254.0.1", "fe80::1%eth0", "::ffff:169.254.0.1", "fec0::1", "255.255.255.255"} {
		for _, loopbackOnly := range []bool{false, true} {
			if address.Unusable(netip.MustParseAddr(text), loopbackOnly) == "" {
				t.Errorf("%s passes as usable", text)
			}
		}
	}
	for _, text := range []string{"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"} {
		ip := netip.MustParseAddr(text)
		if address.Unusable(ip, false) == "" {
			t.Errorf("%s passes as usable for other machines", text)
		}
		if reason := address.Unusable(ip, true); reason != "" {
			t.Errorf("%s is refused on this machine: %s", text, reason)
		}
	}
	for _, text := range []string{"192.0.2.2", "10.0.0.1", "100.64.0.1", "203.0.113.1", "fd00::2", "2001:db8::1"} {
		if reason := address.Unusable(netip.MustParseAddr(text), false); reason != "" {
			t.Errorf("%s is refused: %s", text, reason)
		}
	}
}

func TestListensOnlyInFamiliesThatTheMachineHas(t *testing.T) {
	v4only, v6only, both := []address.Interface{up("lo", "127.0.0.1")}, []address.Interface{up("lo", "::1")}, []address.Interface{up("lo", "127.0.0.1", "::1")}
	one := []netip.Addr{netip.MustParseAddr("2001:db8::1")}
	for _, test := range []struct {
		listen     []netip.Addr
		interfaces []address.Interface
		want       []netip.Addr
	}{
		{everywhere, both, everywhere},
		{everywhere, v4only, everywhere[:1]},
		{everywhere, v6only, everywhere[1:]},
		{everywhere[1:], v4only, everywhere[1:]}, // asked for nothing else: let it fail in words
		{one, v4only, one},
	} {
		if got := address.Listenable(test.listen, test.interfaces); !slices.Equal(got, test.want) {
			t.Errorf("of %v listens on %v, want %v", test.listen, got, test.want)
		}
	}
}

func TestMissesAddressesOfOtherMachines(t *testing.T) {
	interfaces := []address.Interface{up("lo", "127.0.0.1", "::1"), up("eth0", "192.0.2.7", "2001:db8::7", "fe80::7")}
	for text, want := range map[string]bool{
		"0.0.0.0": false, "::": false, "127.0.0.1": false, "127.0.0.2": false, "192.0.2.7": false, "2001:db8::7": false,
		"192.0.2.8": true, "2001:db8::8": true, "fe80::7": true,
	} {
		listen := []netip.Addr{netip.IPv4Unspecified(), netip.MustParseAddr(text)}
		if got, missing := address.Missing(listen, interfaces); missing != want || missing && got != listen[1] {
			t.Errorf("%s: %v %v, want %v", text, got, missing, want)
		}
	}
}

func TestReadsTheInterfacesOfThisMachine(t *testing.T) {
	interfaces, err := address.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	loopback := slices.IndexFunc(interfaces, func(i address.Interface) bool { return i.Loopback })
	if loopback < 0 {
		t.Fatalf("no loopback interface among %+v", interfaces)
	}
	found := interfaces[loopback]
	if !found.Up || !slices.ContainsFunc(found.Addresses, func(a address.Address) bool { return a.IP.IsLoopback() }) {
		t.Errorf("the loopback interface is down or has no loopback address: %+v", found)
	}
}
