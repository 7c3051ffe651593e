package sfu

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/ortc"
)

func udpOn(port uint16) ListenInfo { return ListenInfo{IP: loopback, Port: port} }

func tcpOn(port uint16) ListenInfo { return ListenInfo{Protocol: ice.TCP, IP: loopback, Port: port} }

func newTestServer(t testing.TB, s *SFU, list ...ListenInfo) *WebRTCServer {
	t.Helper()
	v, err := s.NewWebRTCServer(WebRTCServerOptions{ListenInfos: list})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// freePort is a UDP port that nobody has just now.
func freePort(t testing.TB) uint16 {
	t.Helper()
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// candidateLines are protocol and address of each candidate; the priorities have
// to go down.
func candidateLines(t *testing.T, list []ice.Candidate) (lines []string) {
	t.Helper()
	for i, c := range list {
		lines = append(lines, c.Protocol.String()+" "+c.Address)
		if i > 0 && c.Priority >= list[i-1].Priority {
			t.Errorf("candidate %d has priority %d, the one before %d", i, c.Priority, list[i-1].Priority)
		}
		if c.IP != c.Address || c.Type != "host" || (c.TCPType == "passive") != (c.Protocol == ice.TCP) || c.Port == 0 {
			t.Errorf("candidate %+v", c)
		}
	}
	return lines
}

func TestCandidatesOfOwnSocketsAreInTheOrderOfTheList(t *testing.T) {
	s := newTestSFU(t, func(o *Options) { o.Announced = []string{"192.0.2.1", "2001:db8::1", "sfu.example"} })
	r, err := s.NewRouter(RouterOptions{})
	check(t, err)
	everywhere, six := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	for _, test := range []struct {
		name string
		list []ListenInfo
		p    Protocols
		want []string
	}{
		{
			name: "announced addresses before those they stand for, whatever is preferred",
			list: []ListenInfo{
				{IP: loopback, AnnouncedAddress: "9.9.9.1", ExposeInternalIP: true},
				{Protocol: ice.TCP, IP: loopback, AnnouncedAddress: "9.9.9.1"},
				{IP: everywhere, AnnouncedAddress: "foo1.bar.org"},
				{Protocol: ice.TCP, IP: everywhere, AnnouncedAddress: "foo2.bar.org"},
				{IP: loopback},
				{Protocol: ice.TCP, IP: loopback},
			},
			p:    Protocols{PreferUDP: true},
			want: []string{"udp 9.9.9.1", "udp 127.0.0.1", "tcp 9.9.9.1", "udp foo1.bar.org", "tcp foo2.bar.org", "udp 127.0.0.1", "tcp 127.0.0.1"},
		},
		{
			name: "without one protocol",
			list: []ListenInfo{udpOn(0), tcpOn(0)},
			p:    Protocols{DisableUDP: true},
			want: []string{"tcp 127.0.0.1"},
		},
		{
			name: "every address means those that the server announces",
			list: []ListenInfo{{IP: everywhere}},
			want: []string{"udp 192.0.2.1", "udp sfu.example"},
		},
		{
			name: "of both families",
			list: []ListenInfo{{IP: six, AnnouncedAddress: "sfu.example", ExposeInternalIP: true}},
			want: []string{"udp sfu.example", "udp 192.0.2.1", "udp 2001:db8::1"},
		},
		{
			name: "of IPv6 only",
			list: []ListenInfo{{Protocol: ice.TCP, IP: six, IPv6Only: true}},
			want: []string{"tcp 2001:db8::1", "tcp sfu.example"},
		},
	} {
		transport, err := r.NewWebRTCTransport(WebRTCTransportOptions{ListenInfos: test.list, Protocols: test.p})
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, candidateLines(t, transport.ICECandidates())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		transport.Close()
	}
}

func TestPreferredProtocolOfAServerComesFirst(t *testing.T) {
	s := newTestSFU(t)
	r, err := s.NewRouter(RouterOptions{})
	check(t, err)
	v := newTestServer(t, s, udpOn(0), tcpOn(0), udpOn(0))
	for _, test := range []struct {
		p    Protocols
		want string
	}{
		{Protocols{}, "udp, tcp, udp"},
		{Protocols{PreferUDP: true}, "udp, udp, tcp"},
		{Protocols{PreferTCP: true}, "tcp, udp, udp"},
		{Protocols{PreferUDP: true, PreferTCP: true}, "udp, tcp, udp"},
		{Protocols{DisableUDP: true}, "tcp"},
		{Protocols{DisableTCP: true, PreferTCP: true}, "udp, udp"},
	} {
		transport := newTestTransport(t, r, WebRTCTransportOptions{Server: v, Protocols: test.p})
		got := strings.ReplaceAll(strings.Join(candidateLines(t, transport.ICECandidates()), ", "), " 127.0.0.1", "")
		if got != test.want {
			t.Errorf("%+v: %s, want %s", test.p, got, test.want)
		}
	}
}

func TestMeaninglessListsAreRefused(t *testing.T) {
	s := newTestSFU(t)
	r, err := s.NewRouter(RouterOptions{})
	check(t, err)
	foreign := newTestServer(t, newTestSFU(t), udpOn(0))
	before := usageNow(t)
	for _, test := range []struct {
		says string
		list []ListenInfo
	}{
		{"empty", []ListenInfo{}},
		{"100 are too many", slices.Repeat([]ListenInfo{udpOn(0)}, 100)},
		{"listenInfos[1].ip: missing", []ListenInfo{udpOn(0), {}}},
		{"multicast", []ListenInfo{{IP: netip.MustParseAddr("239.1.2.3")}}},
		{"from 4000 to 3000", []ListenInfo{{IP: loopback, PortRange: PortRange{4000, 3000}}}},
		{"from 0 to 3000", []ListenInfo{{IP: loopback, PortRange: PortRange{0, 3000}}}},
		{"announcedAddress", []ListenInfo{{IP: loopback, AnnouncedAddress: "a b"}}},
		{"announcedAddress", []ListenInfo{{IP: loopback, AnnouncedAddress: "192.0.2.1 9 typ host\r\na=x"}}},
		{"announcedAddress", []ListenInfo{{IP: loopback, AnnouncedAddress: "fe80::1%eth0"}}},
		{"announcedAddress", []ListenInfo{{IP: loopback, AnnouncedAddress: strings.Repeat("a", 254)}}},
		{"announcedAddress: missing", []ListenInfo{{IP: netip.IPv6Unspecified(), IPv6Only: true}}},
		{"sendBufferSize", []ListenInfo{{IP: loopback, SendBuffer: -1}}},
		{"recvBufferSize", []ListenInfo{{IP: loopback, RecvBuffer: 1 << 30}}},
	} {
		_, asServer := s.NewWebRTCServer(WebRTCServerOptions{ListenInfos: test.list})
		_, asOwn := r.NewWebRTCTransport(WebRTCTransportOptions{ListenInfos: test.list})
		for _, err := range []error{asServer, asOwn} {
			var refused *ortc.Error
			if !errors.As(err, &refused) || refused.Kind != ortc.TypeError || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q: %v", test.says, err)
			}
		}
	}
	for _, o := range []WebRTCTransportOptions{
		{ListenInfos: []ListenInfo{udpOn(0)}, Protocols: Protocols{DisableUDP: true}},
		{ListenInfos: []ListenInfo{udpOn(0)}, Server: newTestServer(t, s, udpOn(0))},
		{Server: foreign},
		{Server: newTestServer(t, s, udpOn(0)), Protocols: Protocols{DisableUDP: true}},
	} {
		var refused *ortc.Error
		if _, err := r.NewWebRTCTransport(o); !errors.As(err, &refused) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := s.NewWebRTCServer(WebRTCServerOptions{ListenInfos: []ListenInfo{udpOn(0)}, PortRange: PortRange{2, 1}}); err == nil {
		t.Error("a server with a wrong range")
	}
	if _, err := s.NewRouter(RouterOptions{PortRange: PortRange{2, 1}}); err == nil {
		t.Error("a router with a wrong range")
	}
	if n := len(r.Transports()); n != 0 {
		t.Errorf("%d transports are left", n)
	}
	for _, v := range s.openServers() {
		if v != s.own {
			v.Close()
		}
	}
	if after := usageNow(t); after.goroutines > before.goroutines {
		t.Errorf("%d goroutines, before %d", after.goroutines, before.goroutines)
	}
}

func TestSocketsThatCannotBeHadAreExplained(t *testing.T) {
	s := newTestSFU(t, enableTCP)
	taken := newTestServer(t, s, udpOn(0), tcpOn(0))
	udpPort, tcpPort := taken.endpoints[0].port, taken.endpoints[1].port
	free := freePort(t)
	elsewhere := ListenInfo{IP: netip.MustParseAddr("192.0.2.77")}
	shared := func(port uint16) ListenInfo { return ListenInfo{IP: loopback, Port: port, ReusePort: true} }
	for _, test := range []struct {
		name string
		list []ListenInfo
		want error
		says string
	}{
		{"no address of this machine", []ListenInfo{udpOn(0), elsewhere}, ErrNoAddress, "listenInfos[1]"},
		{"one port twice", []ListenInfo{udpOn(free), udpOn(free)}, ErrPortInUse, "listenInfos[1]"},
		{"the port of another server", []ListenInfo{udpOn(udpPort)}, ErrPortInUse, strconv.Itoa(int(udpPort))},
		{"the same for TCP", []ListenInfo{tcpOn(tcpPort)}, ErrPortInUse, strconv.Itoa(int(tcpPort))},
		{"sharing with who does not", []ListenInfo{shared(udpPort)}, ErrPortInUse, "in use"},
		{"the server's own port", []ListenInfo{udpOn(s.Port())}, ErrPortInUse, "in use"},
		{"sharing the server's own port", []ListenInfo{shared(s.Port())}, ErrPortInUse, "shares it with nobody"},
		{"sharing it by a range", []ListenInfo{{IP: loopback, PortRange: PortRange{s.Port(), s.Port()}, ReusePort: true}}, ErrLimit, "in use"},
		{"a range that is taken", []ListenInfo{{IP: loopback, Port: free, PortRange: PortRange{udpPort, udpPort}}}, ErrLimit, "in use"},
	} {
		before, err := os.ReadDir("/proc/self/fd")
		check(t, err)
		v, err := s.NewWebRTCServer(WebRTCServerOptions{ListenInfos: test.list})
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.name, err)
		}
		if v != nil {
			v.Close()
		}
		if after, _ := os.ReadDir("/proc/self/fd"); len(after) != len(before) {
			t.Errorf("%s: %d descriptors, before %d", test.name, len(after), len(before))
		}
	}
	r, err := s.NewRouter(RouterOptions{})
	check(t, err)
	if _, err := r.NewPlainTransport(PlainTransportOptions{Listen: shared(s.Port())}); !errors.Is(err, ErrPortInUse) {
		t.Errorf("a plain transport that shares the server's own port: %v", err)
	}
	// A protocol has ports of its own.
	newTestServer(t, s, ListenInfo{Protocol: ice.TCP, IP: loopback, Port: udpPort, ReusePort: true})
}

func TestPortsComeFromTheNarrowestRange(t *testing.T) {
	ports := [3]uint16{freePort(t), freePort(t), freePort(t)}
	only := func(i int) PortRange { return PortRange{ports[i], ports[i]} }
	s := newTestSFU(t, func(o *Options) { o.PlainPorts = only(0) })
	port := func(v *WebRTCServer) uint16 { return v.endpoints[0].port }
	if got := port(newTestServer(t, s, udpOn(0))); got != ports[0] {
		t.Errorf("port %d, want the server's %d", got, ports[0])
	}
	r, err := s.NewRouter(RouterOptions{PortRange: only(1)})
	check(t, err)
	plain, err := r.NewPlainTransport(PlainTransportOptions{Listen: ListenInfo{IP: loopback}})
	check(t, err)
	if got := plain.Tuple().LocalPort; got != ports[1] {
		t.Errorf("a plain transport has port %d, want the router's %d", got, ports[1])
	}
	plain.Close()
	transport := newTestTransport(t, r, WebRTCTransportOptions{ListenInfos: []ListenInfo{udpOn(0)}})
	if got := port(transport.Server()); got != ports[1] {
		t.Errorf("port %d, want the router's %d", got, ports[1])
	}
	transport = newTestTransport(t, r, WebRTCTransportOptions{ListenInfos: []ListenInfo{{IP: loopback, Port: 1, PortRange: only(2)}}})
	if got := port(transport.Server()); got != ports[2] {
		t.Errorf("port %d, want the socket's %d", got, ports[2])
	}
	if _, err := r.NewWebRTCTransport(WebRTCTransportOptions{ListenInfos: []ListenInfo{udpOn(0)}}); !errors.Is(err, ErrLimit) {
		t.Errorf("a range that is used up: %v", err)
	}
}

func TestSocketsAreBounded(t *testing.T) {
	s := newTestSFU(t, func(o *Options) { o.MaxSockets = 3 })
	v := newTestServer(t, s, udpOn(0), tcpOn(0))
	if _, err := s.NewWebRTCServer(WebRTCServerOptions{ListenInfos: []ListenInfo{udpOn(0), udpOn(0)}}); !errors.Is(err, ErrLimit) {
		t.Errorf("a fourth socket: %v", err)
	}
	newTestServer(t, s, udpOn(0))
	v.Close()
	newTestServer(t, s, udpOn(0), tcpOn(0))
}

func TestServersMaySharePorts(t *testing.T) {
	s := newTestSFU(t)
	shared := ListenInfo{IP: loopback, ReusePort: true}
	first := newTestServer(t, s, shared)
	shared.Port = first.endpoints[0].port
	if second := newTestServer(t, s, shared); second.endpoints[0].port != shared.Port {
		t.Errorf("port %d, want %d", second.endpoints[0].port, shared.Port)
	}
}
