package sfu

import (
	"crypto/sha256"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ice"
)

// connectOver is connectPeer at the server's first port of the protocol.
func connectOver(t *testing.T, transport *WebRTCTransport, protocol ice.Protocol) *peer {
	t.Helper()
	if protocol == ice.UDP {
		return connectPeer(t, transport, dtls.RoleClient)
	}
	i := slices.IndexFunc(transport.server.endpoints, func(e *endpoint) bool { return e.connections != nil })
	return newPeerOn(t, transport, dialTCP(t, transport.server.endpoints[i].port)).connect(dtls.RoleClient)
}

func TestCallBetweenTwoServers(t *testing.T) {
	for _, protocols := range [][2]ice.Protocol{{ice.UDP, ice.UDP}, {ice.UDP, ice.TCP}, {ice.TCP, ice.UDP}} {
		t.Run(fmt.Sprint(protocols), func(t *testing.T) {
			s := newTestSFU(t)
			r, err := s.NewRouter(RouterOptions{})
			check(t, err)
			left, right := newTestServer(t, s, udpOn(0), tcpOn(0)), newTestServer(t, s, udpOn(0), tcpOn(0))
			send, recv := newTestTransport(t, r, WebRTCTransportOptions{Server: left}), newTestTransport(t, r, WebRTCTransportOptions{Server: right})
			own := newTestTransport(t, r, WebRTCTransportOptions{})
			p := produceVideo(t, send)
			c, ownConsumer := consume(t, recv, p), consume(t, own, p)
			alice, bob := connectOver(t, send, protocols[0]), connectOver(t, recv, protocols[1])
			carol := connectPeer(t, own, dtls.RoleClient) // at the server's own port
			eventually(t, "the consumers", func() bool { return c.active.Load() && ownConsumer.active.Load() })
			for i := range uint16(50) {
				alice.sendRTP(videoPacket(1+i, uint32(i)*3000, true, i == 0, 300+int(i)))
			}
			for i := range uint16(50) {
				want := string(videoPacket(1+i, 0, true, i == 0, 300+int(i)).Payload)
				if string(bob.nextRTP().payload) != want || string(carol.nextRTP().payload) != want {
					t.Fatalf("packet %d is another", i)
				}
			}
			if selectedProtocol(send) != protocols[0].String() || selectedProtocol(recv) != protocols[1].String() {
				t.Errorf("selected %s and %s", selectedProtocol(send), selectedProtocol(recv))
			}
			st := s.Stats()
			if n := st.DatagramsReceived + st.TCP.PacketsReceived; n < 50 || st.Drops["unknown_path"] != 0 {
				t.Errorf("%d packets received, dropped %v", n, st.Drops)
			}
			right.Close() // counters never go down
			if after := s.Stats(); after.BytesSent < st.BytesSent || after.TCP.BytesSent < st.TCP.BytesSent || after.TCP.Open > st.TCP.Open {
				t.Errorf("sent %d and %d bytes, before %d and %d", after.BytesSent, after.TCP.BytesSent, st.BytesSent, st.TCP.BytesSent)
			}
		})
	}
}

// Pion is the other side as a whole: ICE that chooses, DTLS and SCTP.
func TestPionFindsServersAndSocketsOfATransport(t *testing.T) {
	s := newTestSFU(t)
	r, err := s.NewRouter(RouterOptions{})
	check(t, err)
	dual := ListenInfo{IP: netip.IPv6Unspecified(), AnnouncedAddress: "127.0.0.1"}
	for name, list := range map[string][]ListenInfo{
		"UDP": {udpOn(0)}, "TCP": {tcpOn(0)}, "both": {tcpOn(0), udpOn(0)}, "both families": {dual},
	} {
		t.Run(name, func(t *testing.T) {
			alice := connectDataPeer(t, r, WebRTCTransportOptions{Server: newTestServer(t, s, list...)})
			bob := connectDataPeer(t, r, WebRTCTransportOptions{ListenInfos: list})
			p, out := alice.produce(DataProducerOptions{})
			_, in := bob.consume(DataConsumerOptions{DataProducerID: p.ID()})
			sendText(t, out, "hello")
			in.want(t, "hello")
		})
	}
}

// checkAt sends a check for t to a UDP port and reports whether it was answered.
func checkAt(t *testing.T, transport *WebRTCTransport, port uint16) bool {
	t.Helper()
	c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, port)))
	check(t, err)
	defer c.Close()
	dropped := transport.sfu.counters.drops[dropUnknownUfrag].Load()
	_, err = c.Write(bindingRequest(t, transport, true))
	check(t, err)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	done := make(chan bool)
	go func() {
		n, err := c.Read(make([]byte, 1500))
		done <- err == nil && n > 0
	}()
	eventually(t, "the fate of a check", func() bool {
		return transport.ICEState() != ice.StateNew || transport.sfu.counters.drops[dropUnknownUfrag].Load() > dropped
	})
	if transport.ICEState() == ice.StateNew {
		_ = c.SetReadDeadline(time.Now())
	}
	return <-done
}

func TestTransportAnswersOnItsOwnServerOnly(t *testing.T) {
	s := newTestSFU(t, enableTCP)
	r, err := s.NewRouter(RouterOptions{})
	check(t, err)
	mine, other := newTestServer(t, s, udpOn(0), tcpOn(0)), newTestServer(t, s, udpOn(0), tcpOn(0))
	transport := newTestTransport(t, r, WebRTCTransportOptions{Server: mine})
	own := newTestTransport(t, r, WebRTCTransportOptions{})
	for _, port := range []uint16{other.endpoints[0].port, s.Port()} {
		if checkAt(t, transport, port) {
			t.Errorf("answered at port %d, which is of another server", port)
		}
	}
	if checkAt(t, own, mine.endpoints[0].port) {
		t.Error("a transport at the server's own port answers at another")
	}
	stranger := dialTCP(t, other.endpoints[1].port)
	before := s.counters.drops[dropUnknownUfrag].Load()
	if _, err := stranger.Write(bindingRequest(t, transport, true)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the refusal over TCP", func() bool { return s.counters.drops[dropUnknownUfrag].Load() > before })
	if s := transport.ICEState(); s != ice.StateNew {
		t.Errorf("ICE is %s", s)
	}
	if !checkAt(t, transport, mine.endpoints[0].port) || !checkAt(t, own, s.Port()) {
		t.Error("not answered at its own port")
	}
}

func TestClosedServerTakesItsTransportsAlong(t *testing.T) {
	s := newTestSFU(t)
	r, err := s.NewRouter(RouterOptions{})
	check(t, err)
	other := newTestTransport(t, r, WebRTCTransportOptions{})
	before := usageNow(t)
	var ports [2]uint16
	for range 3 { // the ports are free at once
		var told journal
		v := newTestServer(t, s, udpOn(ports[0]), tcpOn(ports[1]))
		ports[0], ports[1] = v.endpoints[0].port, v.endpoints[1].port
		one := newTestTransport(t, r, WebRTCTransportOptions{Server: v, Events: TransportEvents{Closed: told.closed("one")}})
		two := newTestTransport(t, r, WebRTCTransportOptions{Server: v, Events: TransportEvents{Closed: told.closed("two")}})
		a, b := connectOver(t, one, ice.UDP), connectOver(t, two, ice.TCP)
		v.Close()
		waitForState(t, a, dtls.StateClosed) // said goodbye
		waitForState(t, b, dtls.StateClosed)
		a.close()
		b.close()
		r.Settle()
		told.check(t, []string{"one closed: listenServerClosed", "two closed: listenServerClosed"})
		if !v.Closed() || !one.Closed() || one.ICEState() != ice.StateClosed || one.DTLSState() != dtls.StateClosed {
			t.Errorf("closed %v and %v, ICE %s, DTLS %s", v.Closed(), one.Closed(), one.ICEState(), one.DTLSState())
		}
		if _, err := v.Dump(); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed server is shown: %v", err)
		}
		if _, err := r.NewWebRTCTransport(WebRTCTransportOptions{Server: v}); !errors.Is(err, ErrClosed) {
			t.Errorf("a transport on a closed server: %v", err)
		}
	}
	if other.Closed() {
		t.Error("a transport of another server was closed")
	}
	wantNothingLeft(t, s, before)
}

// wantNothingLeft waits for all that was made since to be released.
func wantNothingLeft(t *testing.T, s *SFU, before usage) {
	t.Helper()
	var after usage
	eventually(t, "the release of everything", func() bool {
		after = usageNow(t)
		return after.goroutines <= before.goroutines && after.descriptors <= before.descriptors
	})
	if n := len(s.openServers()); n != 1 || s.socketSlots.taken.Load() != 0 {
		t.Errorf("%d servers, %d sockets", n, s.socketSlots.taken.Load())
	}
}

func TestSocketsOfATransportEndWithIt(t *testing.T) {
	s := newTestSFU(t)
	before := usageNow(t)
	for i := range 10 {
		r, err := s.NewRouter(RouterOptions{})
		check(t, err)
		o := WebRTCTransportOptions{ListenInfos: []ListenInfo{udpOn(0), tcpOn(0)}}
		protocols := []ice.Protocol{ice.UDP, ice.TCP}
		transport := newTestTransport(t, r, o)
		p := connectOver(t, transport, protocols[i%2])
		if i%3 == 0 {
			transport.Close()
		} else if i%3 == 1 {
			transport.Server().Close()
		}
		r.Close()
		waitForState(t, p, dtls.StateClosed)
		p.close()
		if _, err := r.NewWebRTCTransport(o); !errors.Is(err, ErrClosed) {
			t.Errorf("a transport of a closed router: %v", err)
		}
	}
	wantNothingLeft(t, s, before)
}

func TestServersEndWithTheSFU(t *testing.T) {
	before := usageNow(t)
	s := newTestSFU(t)
	r, err := s.NewRouter(RouterOptions{})
	check(t, err)
	v := newTestServer(t, s, udpOn(0), tcpOn(0))
	newTestTransport(t, r, WebRTCTransportOptions{Server: v})
	newTestTransport(t, r, WebRTCTransportOptions{ListenInfos: []ListenInfo{udpOn(0)}})
	s.Close()
	if _, err := s.NewWebRTCServer(WebRTCServerOptions{ListenInfos: []ListenInfo{udpOn(0)}}); !errors.Is(err, ErrClosed) || !v.Closed() {
		t.Errorf("a server of a closed SFU: %v; closed %v", err, v.Closed())
	}
	wantNothingLeft(t, s, before)
}

func TestDumpShowsTheServersState(t *testing.T) {
	s := newTestSFU(t)
	r, err := s.NewRouter(RouterOptions{})
	check(t, err)
	v, err := s.NewWebRTCServer(WebRTCServerOptions{
		ListenInfos: []ListenInfo{udpOn(0), {Protocol: ice.TCP, IP: loopback, AnnouncedAddress: "foo.bar.org"}}, AppData: 7,
	})
	check(t, err)
	defer v.Close()
	want := WebRTCServerDump{
		ID:         v.ID(),
		UDPSockets: []IPPort{{"127.0.0.1", v.endpoints[0].port}}, TCPServers: []IPPort{{"127.0.0.1", v.endpoints[1].port}},
		WebRTCTransportIDs: []string{}, LocalICEUsernameFragments: []UsernameFragment{}, TupleHashes: []TupleHash{},
	}
	compare := func(when string) {
		t.Helper()
		got, err := v.Dump()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", when, err, diff)
		}
	}
	compare("empty")
	if v.AppData() != 7 || v.Closed() {
		t.Errorf("app data %v, closed %v", v.AppData(), v.Closed())
	}
	text, err := json.Marshal(want)
	check(t, err)
	if s := fmt.Sprintf(`{"id":%q,"udpSockets":[{"ip":"127.0.0.1","port":%d}],`, v.ID(), v.endpoints[0].port); !strings.HasPrefix(string(text), s) {
		t.Errorf("as JSON %s", text)
	}

	transport := newTestTransport(t, r, WebRTCTransportOptions{Server: v})
	first := transport.ICEParameters().UsernameFragment
	want.WebRTCTransportIDs = []string{transport.ID()}
	want.LocalICEUsernameFragments = []UsernameFragment{{first, transport.ID()}}
	compare("one transport")
	connectPeer(t, transport, dtls.RoleClient)
	tuple := transport.link.agent.Tuples()[0]
	want.TupleHashes = []TupleHash{{pathOf(tuple).Hash(), transport.ID()}}
	compare("connected")

	second, err := transport.RestartICE()
	check(t, err)
	want.LocalICEUsernameFragments = []UsernameFragment{{second.UsernameFragment, transport.ID()}, {first, transport.ID()}}
	compare("restarted")
	transport.Close()
	want.WebRTCTransportIDs, want.LocalICEUsernameFragments, want.TupleHashes = []string{}, []UsernameFragment{}, []TupleHash{}
	compare("closed")
	own, err := s.own.Dump()
	if err != nil || len(own.UDPSockets) != 1 || own.UDPSockets[0].Port != s.Port() {
		t.Errorf("the server's own port is %+v, %v", own, err)
	}
}

func TestSelectedTupleIsToldWithTheAnnouncedAddress(t *testing.T) {
	r := newRig(t)
	var told []TransportTuple
	c := r.newClient(WebRTCTransportOptions{
		ListenInfos: []ListenInfo{{IP: loopback, AnnouncedAddress: "media.example"}},
		Events:      TransportEvents{ICESelectedTupleChange: func(tuple TransportTuple) { told = append(told, tuple) }},
	})
	if tuple, ok := c.transport.ICESelectedTuple(); ok {
		t.Errorf("selected %+v before a check", tuple)
	}
	port := c.transport.server.endpoints[0].port
	if !checkAt(t, c.transport, port) {
		t.Fatal("no answer")
	}
	r.settle()
	tuple, ok := c.transport.ICESelectedTuple()
	want := TransportTuple{
		LocalAddress: "media.example", LocalIP: "media.example", LocalPort: port,
		RemoteIP: "127.0.0.1", RemotePort: tuple.RemotePort, Protocol: "udp",
	}
	if !ok || tuple != want || tuple.RemotePort == 0 || !slices.Equal(told, []TransportTuple{want}) {
		t.Errorf("selected %+v, told %+v", tuple, told)
	}
	checkAt(t, c.transport, port) // from another port of the peer
	r.settle()
	if now, _ := c.transport.ICESelectedTuple(); len(told) != 2 || told[1] != now || now == want {
		t.Errorf("selected %+v, told %+v", now, told)
	}
	c.transport.Close()
	r.settle()
	if _, ok := c.transport.ICESelectedTuple(); ok || len(told) != 2 {
		t.Errorf("a closed transport has a path; told %+v", told)
	}
}

func TestConsentOfATransport(t *testing.T) {
	r := newRig(t)
	short := r.connect(WebRTCTransportOptions{ConsentTimeout: 5 * time.Second})
	usual := r.connect(WebRTCTransportOptions{})
	never := r.connect(WebRTCTransportOptions{ConsentTimeout: -1})
	states := func() string {
		return fmt.Sprint(short.transport.ICEState(), usual.transport.ICEState(), never.transport.ICEState())
	}
	r.advance(4 * time.Second)
	if got := states(); got != fmt.Sprint(ice.StateCompleted, ice.StateCompleted, ice.StateCompleted) {
		t.Errorf("after 4 s: %s", got)
	}
	r.advance(3 * time.Second)
	if got := states(); got != fmt.Sprint(ice.StateDisconnected, ice.StateCompleted, ice.StateCompleted) {
		t.Errorf("after 7 s: %s", got)
	}
	r.advance(time.Minute)
	if got := states(); got != fmt.Sprint(ice.StateDisconnected, ice.StateDisconnected, ice.StateCompleted) {
		t.Errorf("after a minute: %s", got)
	}
}

func TestRouterShowsItsOwnCertificate(t *testing.T) {
	s := newTestSFU(t)
	certificate, err := dtls.NewCertificate()
	check(t, err)
	special, err := s.NewRouter(RouterOptions{Certificate: certificate})
	check(t, err)
	usual, err := s.NewRouter(RouterOptions{})
	check(t, err)
	for r, want := range map[*Router]*dtls.Certificate{special: certificate, usual: s.certificate} {
		transport := newTestTransport(t, r, WebRTCTransportOptions{})
		p := transport.DTLSParameters()
		if diff := cmp.Diff(dtls.Parameters{Role: dtls.RoleAuto, Fingerprints: want.Fingerprints()}, p); diff != "" {
			t.Error(diff)
		}
		if c := transport.DTLSRemoteCertificate(); c != "" {
			t.Errorf("the peer's certificate before it was shown: %s", c)
		}
		peer := connectPeer(t, transport, dtls.RoleClient) // which looks at the fingerprint
		if role := transport.DTLSParameters().Role; role != dtls.RoleServer {
			t.Errorf("role %s", role)
		}
		block, rest := pem.Decode([]byte(transport.DTLSRemoteCertificate()))
		if block == nil || len(rest) > 0 || block.Type != "CERTIFICATE" {
			t.Fatalf("the peer's certificate is %q", transport.DTLSRemoteCertificate())
		}
		sum := fmt.Sprintf("% X", sha256.Sum256(block.Bytes))
		if f := peerCertificate(t).Fingerprints()[2]; f.Value != strings.ReplaceAll(sum, " ", ":") {
			t.Errorf("the peer's certificate has the %s %s, want %s", f.Algorithm, sum, f.Value)
		}
		peer.close()
	}
}

func TestRoleIsKnownOnceTheTransportIsConnecting(t *testing.T) {
	transport := newTestTransport(t, newTestRouter(t), WebRTCTransportOptions{})
	check(t, transport.Connect(dtls.Parameters{Role: dtls.RoleServer, Fingerprints: peerCertificate(t).Fingerprints()}))
	if role := transport.DTLSParameters().Role; role != dtls.RoleClient {
		t.Errorf("role %s of a transport that waits for a path", role)
	}
}
