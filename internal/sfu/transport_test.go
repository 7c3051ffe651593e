package sfu

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/udp"
)

func TestMediaFollowsTheNominatedAddress(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 101))
	last := checkSizes(t, -1, c.bob.take().rtp, 101)
	wifi, wifiPath := c.bob.socket, c.bob.path

	c.bob.rebind() // a second interface
	c.bob.check(false)
	c.alice.sendRTP(videoPacket(2, 0, true, false, 102))
	mobile, mobilePath := c.bob.socket, c.bob.path
	c.bob.socket = wifi
	last = checkSizes(t, last, c.bob.take().rtp, 102)

	c.bob.socket, c.bob.path = mobile, mobilePath
	c.bob.check(true)
	c.alice.sendRTP(videoPacket(3, 0, true, false, 103))
	last = checkSizes(t, last, c.bob.take().rtp, 103)
	if st := c.bob.transport.Stats(); st.ICESelectedTuple == nil || st.ICESelectedTuple.RemotePort != mobilePath.Remote.Port() {
		t.Errorf("selected tuple %+v", st.ICESelectedTuple)
	}
	// What comes by the old path is still his.
	c.bob.path = wifiPath
	c.nack(uint16(last))
	c.bob.path = mobilePath
	if n := len(c.bob.take().rtp); n != 1 {
		t.Errorf("%d packets for a NACK that came over the other path", n)
	}
}

func TestRestartedICEAcceptsOldChecksUntilTheNewCome(t *testing.T) {
	r := newRig(t)
	c := r.newClient(WebRTCTransportOptions{})
	old := bindingRequest(t, c.transport, true)
	first, err := c.transport.RestartICE() // never used
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.transport.RestartICE()
	if err != nil {
		t.Fatal(err)
	}
	if first.UsernameFragment == second.UsernameFragment || c.transport.ICEParameters() != second {
		t.Errorf("parameters %+v, then %+v", first, second)
	}
	if r.sfu.ufrags.find(first.UsernameFragment) != nil || len(r.sfu.ufrags.m) != 2 {
		t.Errorf("%d names are known, want 2", len(r.sfu.ufrags.m))
	}
	c.deliver(slices.Clone(old))
	if c.transport.ICEState() != ice.StateCompleted {
		t.Errorf("ICE is %v after an old check", c.transport.ICEState())
	}
	c.check(true)
	c.deliver(slices.Clone(old))
	if n := r.dropped(dropUnknownUfrag); n != 1 || len(r.sfu.ufrags.m) != 1 {
		t.Errorf("%d old checks refused after a new one, %d names known", n, len(r.sfu.ufrags.m))
	}
	c.transport.Close()
	if len(r.sfu.ufrags.m) != 0 || r.sfu.paths.find(c.path) != nil {
		t.Error("a closed transport can still be found")
	}
}

func TestLostTransportComesBackWithACheck(t *testing.T) {
	r := newRig(t, func(o *Options) { o.ConsentTimeout = 5 * time.Second })
	var told journal
	alice := r.connect(WebRTCTransportOptions{})
	bob := r.connect(WebRTCTransportOptions{DisconnectTimeout: 10 * time.Second, Events: told.transport("bob")})
	bob.consume(alice.produce(ortc.Video, videoParameters()))
	keepAlice := func(d time.Duration) {
		for range int(d / time.Second) {
			alice.check(true)
			r.advance(time.Second)
		}
	}
	alice.sendRTP(videoPacket(1, 0, true, true, 101))
	last := checkSizes(t, -1, bob.take().rtp, 101)
	keepAlice(7 * time.Second)
	if s := bob.transport.ICEState(); s != ice.StateDisconnected || r.sfu.paths.find(bob.path) != nil {
		t.Fatalf("ICE is %v after 7 s without a check", s)
	}
	bob.take()
	alice.sendRTP(videoPacket(2, 0, true, true, 102))
	checkSizes(t, last, bob.take().rtp)
	alice.take()

	bob.check(true)
	if n := alice.take().plis(); n != 1 {
		t.Errorf("%d PLIs when the receiver was back, want 1", n)
	}
	alice.sendRTP(videoPacket(3, 0, true, false, 103), videoPacket(4, 0, true, true, 104))
	checkSizes(t, last, bob.take().rtp, 104)
	told.check(t, []string{"bob ICE completed"}, []string{"bob DTLS connected"}, []string{"bob ICE disconnected"}, []string{"bob ICE completed"})

	keepAlice(14 * time.Second) // 5 to be lost, 9 of waiting
	if bob.transport.Closed() {
		t.Fatal("closed too early")
	}
	keepAlice(3 * time.Second)
	told.check(t, []string{"bob ICE disconnected"}, []string{"bob closed: disconnected"})
	if !bob.transport.Closed() || alice.transport.Closed() {
		t.Errorf("closed: bob %v, alice %v", bob.transport.Closed(), alice.transport.Closed())
	}
}

func TestLostTransportStaysWithoutADisconnectTimeout(t *testing.T) {
	r := newRig(t, func(o *Options) { o.ConsentTimeout = 2 * time.Second })
	c := r.connect(WebRTCTransportOptions{})
	r.advance(time.Minute)
	if c.transport.Closed() || c.transport.ICEState() != ice.StateDisconnected {
		t.Errorf("closed %v, ICE %v", c.transport.Closed(), c.transport.ICEState())
	}
}

func TestMediaKeepsAPathFromBeingLeft(t *testing.T) {
	c := newRigCall(t)
	path := c.alice.path
	for i := range 20 { // media, and no check for 20 s
		c.alice.sendRTP(videoPacket(uint16(i), 0, true, true, 100))
		c.advance(time.Second)
	}
	c.alice.rebind()
	c.alice.check(false) // a path that is only tried
	if tuple, _ := c.alice.transport.link.agent.Selected(); pathOf(tuple) != path {
		t.Error("the path that media came over was left for one that was only tried")
	}
}

func TestSSRCOfAnEndedStreamIsNotUsedAgain(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	c.consumer.Close()
	if !c.bob.transport.hasUsed(c.consumer.ssrc) || c.bob.transport.hasUsed(c.consumer.ssrc+1) {
		t.Error("what was sent is not remembered")
	}
	next := c.bob.consume(c.producer)
	if !c.bob.transport.hasUsed(next.ssrc) || !c.alice.transport.hasUsed(videoSSRC) {
		t.Error("what is in use is not known")
	}
}

func TestCallOverIPv6(t *testing.T) {
	c := newCall(t, func(o *Options) {
		o.ListenIPs, o.Announced = []netip.Addr{netip.IPv6Loopback()}, []string{"::1"}
	})
	checkCall(t, c)
}

func TestCallOverUnspecifiedAddresses(t *testing.T) {
	for _, announced := range []string{"127.0.0.1", "::1"} {
		c := newCall(t, func(o *Options) { o.ListenIPs, o.Announced = nil, []string{announced} })
		checkCall(t, c)
	}
}

// checkCall checks that media and RTCP go through a call in both directions.
func checkCall(t *testing.T, c *call) {
	t.Helper()
	c.alice.sendRTP(videoPacket(1, 1000, true, false, 100))
	c.alice.nextPLI()
	c.alice.sendRTP(videoPacket(2, 4000, true, true, 200))
	if got := c.bob.nextRTP(); len(got.payload) != 200 {
		t.Errorf("a packet of %d bytes arrived, want the keyframe of 200", len(got.payload))
	}
}

func TestCallWithEachSRTPProfile(t *testing.T) {
	for _, profile := range dtls.DefaultProfiles() {
		t.Run(profile.String(), func(t *testing.T) {
			c := newCall(t, func(o *Options) { o.SRTPProfiles = []srtp.ProtectionProfile{profile} })
			if got, _ := c.alice.dtls.SelectedProfile(); got != profile {
				t.Errorf("agreed on %v", got)
			}
			checkCall(t, c)
		})
	}
}

func TestServerWaitsForAPathBeforeItSaysHello(t *testing.T) {
	r := newTestRouter(t)
	transport := newTestTransport(t, r, WebRTCTransportOptions{})
	p := newPeer(t, transport)
	p.shakeHands(dtls.RoleServer, peerCertificate(t).Fingerprints()) // the peer waits, too
	if s := transport.DTLSState(); s != dtls.StateNew {
		t.Errorf("DTLS is %v before there is a path", s)
	}
	p.check()
	waitFor(t, p.connected, "DTLS")
}

func TestWrongFingerprintFailsTheTransport(t *testing.T) {
	for _, timeout := range []time.Duration{0, time.Minute} {
		var told journal
		r := newTestRouter(t)
		transport := newTestTransport(t, r, WebRTCTransportOptions{DisconnectTimeout: timeout, Events: told.transport("alice")})
		p := newPeer(t, transport)
		p.check()
		p.shakeHands(dtls.RoleClient, transport.DTLSParameters().Fingerprints) // the server's own
		select {
		case s := <-p.ended:
			if s != dtls.StateFailed {
				t.Errorf("the peer's DTLS is %v", s)
			}
		case <-time.After(patience):
			t.Fatal("the peer was not told")
		}
		if timeout == 0 {
			eventually(t, "failing", func() bool { return transport.DTLSState() == dtls.StateFailed })
			if transport.Closed() {
				t.Error("closed, though nobody wanted that")
			}
			transport.Close()
		} else {
			eventually(t, "closing", transport.Closed)
		}
		r.sfu.Close()
		want := [][]string{{"alice ICE completed"}, {"alice DTLS failed"}, {"alice closed: dtlsFailed"}}
		if timeout == 0 {
			want[2][0] = "alice closed: closed"
		}
		told.check(t, want...)
		if st := r.sfu.Stats(); st.HandshakesFailed != 1 || st.Handshakes != 0 {
			t.Errorf("%d handshakes failed, %d succeeded", st.HandshakesFailed, st.Handshakes)
		}
	}
}

func TestGoodbyeOfThePeerStopsItsMedia(t *testing.T) {
	c := newCall(t)
	var told journal
	transport := newTestTransport(t, c.router, WebRTCTransportOptions{DisconnectTimeout: time.Minute, Events: told.transport("carol")})
	carol := connectPeer(t, transport, dtls.RoleClient)
	consumer := consume(t, transport, c.producer)
	eventually(t, "the consumer", consumer.active.Load)
	carol.dtls.Close()
	eventually(t, "closing", transport.Closed)

	c.bob.dtls.Close() // his transport has no DisconnectTimeout
	eventually(t, "the end of DTLS", func() bool { return c.bob.transport.DTLSState() == dtls.StateClosed })
	eventually(t, "the end of sending", func() bool { return !c.consumer.active.Load() })
	if c.bob.transport.Closed() {
		t.Error("closed, though nobody wanted that")
	}
	c.router.sfu.Close()
	told.check(t, []string{"carol ICE completed"}, []string{"carol DTLS connected"}, []string{"carol DTLS closed"}, []string{"carol closed: dtlsClosed"})
}

func TestClosedTransportSaysGoodbye(t *testing.T) {
	for what, end := range map[string]func(*call){
		"transport": func(c *call) { c.bob.transport.Close() },
		"router":    func(c *call) { c.router.Close(); c.router.sfu.Close() },
		"server":    func(c *call) { c.router.sfu.Close() },
	} {
		t.Run(what, func(t *testing.T) {
			c := newCall(t)
			c.alice.sendRTP(videoPacket(1, 1000, true, true, 100))
			c.bob.nextRTP()
			end(c)
			select {
			case s := <-c.bob.ended:
				if s != dtls.StateClosed {
					t.Errorf("the peer's DTLS is %v", s)
				}
			case <-time.After(patience):
				t.Error("the peer was not told")
			}
		})
	}
}

func TestDTLSOfAStrangerIsNotAnswered(t *testing.T) {
	c := newCall(t)
	stranger, err := net.DialUDP("udp", nil, c.bob.socket.RemoteAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	hello := append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 1, 0, 0, 8}, make([]byte, 40)...)
	before := c.router.sfu.Stats()
	for _, b := range [][]byte{hello, {22, 0xfe, 0xfd}, append([]byte{0x80, 96}, make([]byte, 100)...)} {
		if _, err := stranger.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "dropping", func() bool { return c.router.sfu.Stats().Drops["unknown_path"] == 3 })
	checkCall(t, c) // the call goes on
	after := c.router.sfu.Stats()
	if after.DatagramsReceived < before.DatagramsReceived+3 {
		t.Errorf("%d datagrams received after %d", after.DatagramsReceived, before.DatagramsReceived)
	}
	_ = stranger.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if n, err := stranger.Read(make([]byte, 100)); err == nil {
		t.Errorf("an answer of %d bytes", n)
	}
}

// TestPanicClosesTheTransportItHappenedIn lets something go wrong in Carol's
// transport, who sits in a call with Alice and Bob.
func TestPanicClosesTheTransportItHappenedIn(t *testing.T) {
	for _, c := range []struct {
		what    string
		corrupt func(carol *client, c *Consumer)
		poke    func(call *rigCall, carol *client, c *Consumer)
	}{
		{"receiving media",
			func(carol *client, _ *Consumer) { carol.transport.recv.demux.streams = nil },
			func(_ *rigCall, carol *client, _ *Consumer) {
				carol.produce(ortc.Audio, audioParameters())
				carol.sendRTP(audioPacket(1, 0, 10))
			}},
		{"receiving RTCP",
			func(carol *client, c *Consumer) {
				carol.transport.recv.sinks[c.ssrc] = &Consumer{ssrc: c.ssrc, rtxSSRC: 1}
			},
			func(_ *rigCall, carol *client, c *Consumer) {
				carol.sendRTCP(rtp.AppendNACK(nil, 9, c.ssrc, []uint16{1}))
			}},
		{"sending media",
			func(_ *client, c *Consumer) { c.history.entries = c.history.entries[:1] },
			func(*rigCall, *client, *Consumer) {}},
		{"the clock",
			func(_ *client, c *Consumer) { c.rewrite.stream = nil },
			func(call *rigCall, _ *client, _ *Consumer) { call.advance(2 * time.Second) }},
	} {
		t.Run(c.what, func(t *testing.T) {
			var told journal
			call := newRigCall(t) // Bob comes before Carol …
			carol := call.connect(WebRTCTransportOptions{Events: told.transport("carol")})
			dave := call.connect(WebRTCTransportOptions{}) // … and Dave after her
			broken, last := carol.consume(call.producer), dave.consume(call.producer)
			call.alice.sendRTP(videoPacket(1, 0, true, true, 101))
			told.take()

			c.corrupt(carol, broken)
			c.poke(call, carol, broken)
			call.bob.take()
			dave.take()
			call.alice.sendRTP(videoPacket(2, 0, true, false, 102), videoPacket(3, 0, true, false, 103))
			call.settle()
			checkSizes(t, -1, call.bob.take().rtp, 102, 103)
			checkSizes(t, -1, dave.take().rtp, 102, 103)
			if !carol.transport.Closed() || call.alice.transport.Closed() || call.bob.transport.Closed() || dave.transport.Closed() || last.Closed() {
				t.Errorf("closed: alice %v, bob %v, carol %v, dave %v", call.alice.transport.Closed(),
					call.bob.transport.Closed(), carol.transport.Closed(), dave.transport.Closed())
			}
			told.check(t, []string{"carol closed: panic"})
			if st := call.sfu.Stats(); st.Panics != 1 || st.Transports[dtls.StateConnected] != 3 {
				t.Errorf("%d panics counted, transports %v", st.Panics, st.Transports)
			}
			if n := len(call.sfu.ufrags.m); n != 3 || call.sfu.paths.find(carol.path) != nil {
				t.Errorf("the closed transport can still be found; %d names known", n)
			}
			call.alice.sendRTP(videoPacket(4, 0, true, false, 104))
			checkSizes(t, -1, call.bob.take().rtp, 104)
		})
	}
}

func TestPanicOfNobodysTransportIsSurvived(t *testing.T) {
	c := newRigCall(t)
	c.worker.sfu.paths.shards[uint8(c.alice.path.Hash())].Store(&map[udp.Path]*WebRTCTransport{c.alice.path: {}}) // one without an agent or a router
	c.alice.deliver([]byte{22, 0xfe, 0xfd, 0, 0})
	if n := c.sfu.counters.panics.Load(); n != 1 {
		t.Errorf("%d panics counted", n)
	}
	c.alice.check(true)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 101))
	checkSizes(t, -1, c.bob.take().rtp, 101)
}
