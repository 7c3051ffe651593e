package sfu

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/udp"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// plainPeer is what is at the other end of a PlainTransport: GStreamer, say.
// Its packets come in by the test's own hand, synchronously; what it is sent
// comes over the network.
type plainPeer struct {
	*rig
	transport         *PlainTransport
	socket            *net.UDPConn
	addr              netip.AddrPort
	inbound, outbound *srtp.Context // nil: plain
}

func (r *rig) newPlain(o PlainTransportOptions) *PlainTransport {
	r.tb.Helper()
	t, err := r.router.NewPlainTransport(o)
	if err != nil {
		r.tb.Fatal(err)
	}
	return t
}

func (r *rig) plainPeer(t *PlainTransport) *plainPeer {
	r.tb.Helper()
	socket, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		r.tb.Fatal(err)
	}
	r.tb.Cleanup(func() { socket.Close() })
	return &plainPeer{rig: r, transport: t, socket: socket, addr: socket.LocalAddr().(*net.UDPAddr).AddrPort()}
}

func (p *plainPeer) deliver(k *plainSocket, datagrams ...[]byte) {
	batch := make([]udp.Datagram, len(datagrams))
	for i, b := range datagrams {
		batch[i] = udp.Datagram{Data: bytes.Clone(b), Path: udp.Path{Remote: udp.AddrFrom(p.addr), Local: k.local}}
	}
	p.worker.takePlain(p.now, k, batch)
	p.settle()
}

// send delivers media to the port of RTP.
func (p *plainPeer) send(packets ...*pionrtp.Packet) {
	p.tb.Helper()
	list := raw(p.tb, packets...)
	for i, b := range list {
		if p.outbound != nil {
			out, err := p.outbound.EncryptRTP(nil, b, nil)
			if err != nil {
				p.tb.Fatal(err)
			}
			list[i] = out
		}
	}
	p.deliver(p.transport.media, list...)
}

// read returns the next datagram that the server has sent.
func (p *plainPeer) read() []byte {
	p.tb.Helper()
	if err := p.socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.tb.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := p.socket.Read(b)
	if err != nil {
		p.tb.Fatalf("nothing has come from the server: %v", err)
	}
	return b[:n]
}

func (p *plainPeer) readRTP() (packet pionrtp.Packet) {
	p.tb.Helper()
	b := p.read()
	if p.inbound != nil {
		plain, err := p.inbound.DecryptRTP(nil, b, nil)
		if err != nil {
			p.tb.Fatalf("what the server has sent: %v", err)
		}
		b = plain
	}
	if err := packet.Unmarshal(b); err != nil {
		p.tb.Fatalf("what the server has sent is no RTP packet: %v", err)
	}
	return packet
}

func (p *plainPeer) readRTCP() []rtp.RTCPPacket {
	p.tb.Helper()
	b := p.read()
	if p.inbound != nil {
		plain, err := p.inbound.DecryptRTCP(nil, b, nil)
		if err != nil {
			p.tb.Fatalf("what the server has sent: %v", err)
		}
		b = plain
	}
	return splitRTCP(p.tb, b)
}

func (p *plainPeer) consume(producer *Producer) *Consumer {
	p.tb.Helper()
	c, err := p.transport.Consume(ConsumerOptions{ProducerID: producer.ID(), RTPCapabilities: p.router.RTPCapabilities()})
	if err != nil {
		p.tb.Fatal(err)
	}
	return c
}

func (p *plainPeer) produce() *Producer {
	p.tb.Helper()
	producer, err := p.transport.Produce(ProducerOptions{Kind: ortc.Video, RTPParameters: videoParameters()})
	if err != nil {
		p.tb.Fatal(err)
	}
	return producer
}

// remote is what Connect is told of the peer.
func (p *plainPeer) remote() PlainRemote { return PlainRemote{IP: p.addr.Addr(), Port: p.addr.Port()} }

func (p *plainPeer) connect(remote PlainRemote) {
	p.tb.Helper()
	if err := p.transport.Connect(remote); err != nil {
		p.tb.Fatal(err)
	}
	p.settle()
}

func TestPlainRTPComesInAndGoesOut(t *testing.T) {
	r := newRig(t)
	camera := r.plainPeer(r.newPlain(PlainTransportOptions{}))
	camera.connect(camera.remote())
	p := camera.produce()
	bob := r.connect(WebRTCTransportOptions{})
	bob.consume(p)
	recorder := r.plainPeer(r.newPlain(PlainTransportOptions{}))
	c := recorder.consume(p)
	if c.active.Load() {
		t.Error("something is sent before it is known where to")
	}
	recorder.connect(recorder.remote())

	camera.send(videoPacket(1, 0, false, true, 1000), videoPacket(2, 0, true, false, 999))
	if got := bob.take().rtp; len(got) != 2 || len(got[0].payload) != 1000 || len(got[1].payload) != 999 {
		t.Errorf("bob received %v", got)
	}
	first, second := recorder.readRTP(), recorder.readRTP()
	if len(first.Payload) != 1000 || len(second.Payload) != 999 || first.SSRC != c.ssrc || second.SequenceNumber != first.SequenceNumber+1 {
		t.Errorf("the recorder received %v and %v", first.Header, second.Header)
	}
	s := camera.transport.Stats()
	want := TransportTuple{
		LocalAddress: "127.0.0.1", LocalIP: "127.0.0.1", LocalPort: camera.transport.media.local.Port(),
		RemoteIP: "127.0.0.1", RemotePort: camera.addr.Port(), Protocol: "udp",
	}
	if s.Type != "plain-rtp-transport" || !*s.RTCPMux || *s.Comedia || *s.Tuple != want || s.RTCPTuple != nil || s.RTPBytesReceived != 1999+24 {
		t.Errorf("stats %+v, tuple %+v", s, s.Tuple)
	}
	if tuple := camera.transport.Tuple(); tuple != want {
		t.Errorf("tuple %+v", tuple)
	}
	recorder.deliver(recorder.transport.media, rtp.AppendPLI(nil, 9, c.ssrc))
	if got := camera.readRTCP(); got[0].Type != rtp.TypePSFB || got[0].Count != rtp.FormatPLI {
		t.Errorf("the camera was asked for %v", got)
	}
}

func TestRTCPOnAPortOfItsOwn(t *testing.T) {
	r := newRig(t)
	alice := r.connect(WebRTCTransportOptions{})
	producer := alice.produce(ortc.Video, videoParameters())
	transport := r.newPlain(PlainTransportOptions{DisableRTCPMux: true, Listen: ListenInfo{AnnouncedAddress: "media.example"}})
	media, control := r.plainPeer(transport), r.plainPeer(transport)
	c := media.consume(producer)
	tuple, ok := transport.RTCPTuple()
	if !ok || tuple.LocalPort == transport.Tuple().LocalPort || tuple.LocalAddress != "media.example" || tuple.RemoteIP != "" {
		t.Errorf("RTCP at %+v", tuple)
	}
	remote := media.remote()
	remote.RTCPPort = control.addr.Port()
	media.connect(remote)
	alice.sendRTP(videoPacket(1, 0, true, true, 500))
	if got := media.readRTP(); got.SSRC != c.ssrc {
		t.Errorf("received %v", got.Header)
	}
	r.advance(reportInterval + clockPeriod)
	if got := splitRTCP(t, control.read()); got[0].Type != rtp.TypeSR {
		t.Errorf("received RTCP of type %d", got[0].Type)
	}

	alice.take()
	pli := rtp.AppendPLI(nil, 9, c.ssrc)
	media.deliver(transport.media, pli)
	control.deliver(transport.media, pli)
	media.deliver(transport.control, pli)
	if alice.take().plis() != 0 || r.dropped(dropMalformed) != 1 || r.dropped(dropUnknownPath) != 2 {
		t.Error("RTCP was taken from elsewhere")
	}
	control.deliver(transport.control, pli)
	if got := alice.take().plis(); got != 1 {
		t.Errorf("alice was asked %d times", got)
	}
	if s := transport.Stats(); *s.RTCPMux || s.RTCPTuple == nil || s.RTCPTuple.RemotePort != control.addr.Port() {
		t.Errorf("stats %+v", s)
	}
}

func TestComediaLearnsOnce(t *testing.T) {
	r := newRig(t)
	var learnt, learntRTCP []TransportTuple
	transport := r.newPlain(PlainTransportOptions{
		Comedia: true, DisableRTCPMux: true,
		AllowedRemotes: []netip.Prefix{netip.MustParsePrefix("::/0"), netip.MustParsePrefix("127.0.0.0/30")},
		Events: PlainTransportEvents{
			Tuple:     func(tuple TransportTuple) { learnt = append(learnt, tuple) },
			RTCPTuple: func(tuple TransportTuple) { learntRTCP = append(learntRTCP, tuple) },
		},
	})
	alice := r.connect(WebRTCTransportOptions{})
	p := r.plainPeer(transport)
	c := p.consume(alice.produce(ortc.Video, videoParameters()))

	outside := r.plainPeer(transport)
	outside.addr = netip.MustParseAddrPort("127.0.0.9:4000")
	outside.send(videoPacket(1, 0, true, true, 100))
	p.deliver(transport.media, nil, []byte{0x80}, []byte("STUN?"), bytes.Repeat([]byte{0x80}, 11), bytes.Repeat([]byte{0xbf}, 30))
	p.deliver(transport.control, []byte{0x80, 200, 0, 9, 1, 2, 3, 4})
	if transport.Tuple().RemoteIP != "" || learnt != nil || learntRTCP != nil || c.active.Load() {
		t.Fatalf("learnt %v, RTCP %v", learnt, learntRTCP)
	}

	p.send(videoPacket(1, 0, true, true, 100)) // of no producer; it shows all the same where the peer is
	if len(learnt) != 1 || learnt[0] != transport.Tuple() || learnt[0].RemotePort != p.addr.Port() || !c.active.Load() {
		t.Fatalf("learnt %v, is %v", learnt, transport.Tuple())
	}
	second := r.plainPeer(transport)
	r.dropped(dropUnknownPath)
	second.send(videoPacket(2, 0, true, true, 100))
	if len(learnt) != 1 || transport.Tuple() != learnt[0] || r.dropped(dropUnknownPath) != 1 {
		t.Errorf("learnt %v", learnt)
	}
	second.deliver(transport.control, rtp.AppendRR(nil, 9, nil))
	if len(learntRTCP) != 1 || learntRTCP[0].RemotePort != second.addr.Port() {
		t.Errorf("learnt for RTCP %v", learntRTCP)
	}
	alice.sendRTP(videoPacket(1, 0, true, true, 300))
	if got := p.readRTP(); len(got.Payload) != 300 {
		t.Errorf("received %v", got.Header)
	}
	if err := transport.Connect(PlainRemote{}); err != nil {
		t.Errorf("connecting what needs nothing: %v", err)
	}
	if transport.Tuple() != learnt[0] {
		t.Error("Connect has undone what was learnt")
	}
}

// secure gives the peer the keys of both sides.
func (p *plainPeer) secure(theirs SRTPParameters) {
	p.tb.Helper()
	ours, _ := p.transport.SRTPParameters()
	var err error
	if p.outbound, err = theirs.outbound(); err != nil {
		p.tb.Fatal(err)
	}
	if p.inbound, err = ours.inbound(); err != nil {
		p.tb.Fatal(err)
	}
}

func TestPlainTransportSpeaksSRTP(t *testing.T) {
	for _, suite := range []SRTPCryptoSuite{AEADAES256GCM, AEADAES128GCM, AESCM128HMACSHA180, AESCM128HMACSHA132} {
		for _, comedia := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %t", suite, comedia), func(t *testing.T) {
				r := newRig(t)
				p := r.plainPeer(r.newPlain(PlainTransportOptions{EnableSRTP: true, Comedia: comedia}))
				before, _ := p.transport.SRTPParameters()
				theirs, err := newSRTPParameters(suite)
				if err != nil {
					t.Fatal(err)
				}
				producer := p.produce()
				p.send(videoPacket(0, 0, true, true, 100)) // before there are keys
				remote := p.remote()
				remote.SRTP = &theirs
				p.connect(remote)
				p.secure(theirs)
				after, _ := p.transport.SRTPParameters()
				if after.CryptoSuite != suite || (after == before) != (suite == AESCM128HMACSHA180) {
					t.Errorf("our key is of %s, was of %s", after.CryptoSuite, before.CryptoSuite)
				}
				bob := r.connect(WebRTCTransportOptions{})
				toBob := bob.consume(producer)

				stranger := r.plainPeer(p.transport)
				stranger.addr = p.addr
				stranger.send(videoPacket(5, 0, true, true, 100)) // without the key
				if comedia && p.transport.Tuple().RemoteIP != "" {
					t.Error("somebody without the key was learnt")
				}
				p.send(videoPacket(1, 0, true, true, 700))
				if got := bob.take().rtp; len(got) != 1 || len(got[0].payload) != 700 {
					t.Errorf("received %v", got)
				}
				c := p.consume(bob.produce(ortc.Video, videoParameters()))
				bob.sendRTP(videoPacket(1, 0, true, true, 600))
				if got := p.readRTP(); len(got.Payload) != 600 || got.SSRC != c.ssrc {
					t.Errorf("received %v", got.Header)
				}
				bob.sendRTCP(rtp.AppendPLI(nil, 9, toBob.ssrc))
				if got := p.readRTCP(); got[0].Type != rtp.TypePSFB {
					t.Errorf("RTCP of type %d", got[0].Type)
				}
				pli, err := p.outbound.EncryptRTCP(nil, rtp.AppendPLI(nil, 9, c.ssrc), nil)
				if err != nil {
					t.Fatal(err)
				}
				bob.take()
				p.deliver(p.transport.media, pli)
				if bob.take().plis() != 1 {
					t.Error("SRTCP was not understood")
				}
			})
		}
	}
}

func TestPlainTransportRefuses(t *testing.T) {
	r := newRig(t)
	key := SRTPParameters{CryptoSuite: AEADAES128GCM, KeyBase64: strings.Repeat("A", 38) + "=="}
	ip := loopback
	for what, c := range map[string]struct {
		o      PlainTransportOptions
		remote PlainRemote
		want   string
	}{
		"no address":                  {remote: PlainRemote{Port: 1}, want: "missing ip"},
		"the unspecified address":     {remote: PlainRemote{IP: netip.IPv4Unspecified(), Port: 1}, want: "0.0.0.0"},
		"the other family":            {remote: PlainRemote{IP: netip.IPv6Loopback(), Port: 1}, want: "cannot be reached"},
		"no port":                     {remote: PlainRemote{IP: ip}, want: "missing port"},
		"a port of RTCP too many":     {remote: PlainRemote{IP: ip, Port: 1, RTCPPort: 2}, want: "rtcpMux enabled"},
		"no port of RTCP":             {o: PlainTransportOptions{DisableRTCPMux: true}, remote: PlainRemote{IP: ip, Port: 1}, want: "missing rtcpPort"},
		"a key without SRTP":          {remote: PlainRemote{IP: ip, Port: 1, SRTP: &key}, want: "not enabled"},
		"SRTP without a key":          {o: PlainTransportOptions{EnableSRTP: true}, remote: PlainRemote{IP: ip, Port: 1}, want: "missing srtpParameters"},
		"comedia's too":               {o: PlainTransportOptions{EnableSRTP: true, Comedia: true}, want: "missing srtpParameters"},
		"a key of another length":     {o: PlainTransportOptions{EnableSRTP: true}, remote: PlainRemote{IP: ip, Port: 1, SRTP: &SRTPParameters{AEADAES256GCM, key.KeyBase64}}, want: "28 bytes"},
		"a key that is no base64":     {o: PlainTransportOptions{EnableSRTP: true}, remote: PlainRemote{IP: ip, Port: 1, SRTP: &SRTPParameters{AEADAES256GCM, "~"}}, want: "not base64"},
		"a suite that nobody knows":   {o: PlainTransportOptions{EnableSRTP: true}, remote: PlainRemote{IP: ip, Port: 1, SRTP: &SRTPParameters{"ROT13", key.KeyBase64}}, want: "ROT13"},
		"no suite but in the options": {o: PlainTransportOptions{EnableSRTP: true, SRTPCryptoSuite: "ROT13"}, want: "ROT13"},
		"a suite without SRTP":        {o: PlainTransportOptions{SRTPCryptoSuite: AEADAES128GCM}, want: "without enableSrtp"},
	} {
		t.Run(what, func(t *testing.T) {
			transport, err := r.router.NewPlainTransport(c.o)
			if err == nil {
				err = transport.Connect(c.remote)
				if transport.Tuple().RemoteIP != "" {
					t.Error("it is connected")
				}
			}
			if kindOf(err) != ortc.TypeError || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want one with %q", err, c.want)
			}
		})
	}
	p := r.plainPeer(r.newPlain(PlainTransportOptions{}))
	p.connect(p.remote())
	if err := p.transport.Connect(p.remote()); kindOf(err) != ortc.InvalidState {
		t.Errorf("connecting twice: %v", err)
	}
	p.transport.Close()
	if err := p.transport.Connect(p.remote()); !errors.Is(err, ErrClosed) {
		t.Errorf("connecting what is closed: %v", err)
	}
	if _, ok := p.transport.SRTPParameters(); ok {
		t.Error("there are keys without SRTP")
	}
	if _, err := r.router.NewPlainTransport(PlainTransportOptions{Listen: ListenInfo{IP: netip.MustParseAddr("192.0.2.1")}}); err == nil {
		t.Error("listening where this machine is not")
	}
	r.router.Close()
	if _, err := r.router.NewPlainTransport(PlainTransportOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("making one of a closed router: %v", err)
	}
	if n := r.sfu.plainSlots.taken.Load(); n != 0 {
		t.Errorf("%d slots are taken by what is closed or was never made", n)
	}
}

// freePorts are some ports in a row that are free now.
func freePorts(t *testing.T, count int) PortRange {
	t.Helper()
	for first := 42000; first < 60000; first += count {
		free := 0
		for port := first; port < first+count; port++ {
			s, err := udp.Listen(udp.Options{IPs: []netip.Addr{loopback}, Port: uint16(port), Readers: 1})
			if err != nil {
				break
			}
			s.Close()
			free++
		}
		if free == count {
			return PortRange{uint16(first), uint16(first + count - 1)}
		}
	}
	t.Fatal("there are no free ports")
	return PortRange{}
}

func TestPlainTransportsTakePortsOfTheirRange(t *testing.T) {
	ports := freePorts(t, 4)
	r := newRig(t, func(o *Options) { o.PlainPorts = ports })
	var all []*PlainTransport
	var taken []uint16
	for range 2 {
		transport := r.newPlain(PlainTransportOptions{DisableRTCPMux: true})
		all = append(all, transport)
		rtcp, _ := transport.RTCPTuple()
		taken = append(taken, transport.Tuple().LocalPort, rtcp.LocalPort)
	}
	slices.Sort(taken)
	if want := []uint16{ports.Min, ports.Min + 1, ports.Min + 2, ports.Max}; !slices.Equal(taken, want) {
		t.Errorf("took %v, want %v", taken, want)
	}
	if _, err := r.router.NewPlainTransport(PlainTransportOptions{}); !errors.Is(err, ErrLimit) {
		t.Errorf("one more: %v", err)
	}
	port := all[0].Tuple().LocalPort
	all[0].Close()
	if got := r.newPlain(PlainTransportOptions{Listen: ListenInfo{Port: port}}).Tuple().LocalPort; got != port {
		t.Errorf("got port %d, asked for %d", got, port)
	}
	if _, err := r.router.NewPlainTransport(PlainTransportOptions{Listen: ListenInfo{Port: port}}); err == nil {
		t.Error("one port for two transports")
	}
	for _, bad := range []PortRange{{10, 9}, {0, 9}} {
		if _, err := listen(Options{Announced: []string{"127.0.0.1"}, PlainPorts: bad}); err == nil {
			t.Errorf("%v is taken for a range", bad)
		}
	}
}

// Studios send to groups, whose address is bound in the place of one's own.
func TestPlainTransportsListenToGroups(t *testing.T) {
	r := newRig(t)
	group := ListenInfo{IP: netip.MustParseAddr("224.0.0.1"), ReusePort: true}
	first := r.newPlain(PlainTransportOptions{Listen: group})
	group.Port = first.Tuple().LocalPort
	if second := r.newPlain(PlainTransportOptions{Listen: group}); second.Tuple() != first.Tuple() {
		t.Errorf("listens at %v, want %v", second.Tuple(), first.Tuple())
	}
	group.ReusePort = false
	if _, err := r.router.NewPlainTransport(PlainTransportOptions{Listen: group}); !errors.Is(err, ErrPortInUse) {
		t.Errorf("a third that shares with nobody: %v", err)
	}
}

func TestPlainTransportsAreLimited(t *testing.T) {
	r := newRig(t, func(o *Options) { o.MaxPlainTransports = 2 })
	first := r.newPlain(PlainTransportOptions{})
	r.newPlain(PlainTransportOptions{})
	if _, err := r.router.NewPlainTransport(PlainTransportOptions{}); !errors.Is(err, ErrLimit) {
		t.Errorf("a third: %v", err)
	}
	first.Close()
	first.Close()
	r.newPlain(PlainTransportOptions{})
	if _, err := r.router.NewPlainTransport(PlainTransportOptions{}); !errors.Is(err, ErrLimit) {
		t.Errorf("a third after one was closed twice: %v", err)
	}
}

// Over the network, read by the transports' own goroutines, while they come and
// go.
func TestPlainTransportsLeaveNothingBehind(t *testing.T) {
	s := newTestSFU(t)
	round := func() {
		r, err := s.NewRouter(RouterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		in, err := r.NewPlainTransport(PlainTransportOptions{Comedia: true})
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.NewPlainTransport(PlainTransportOptions{DisableRTCPMux: true})
		if err != nil {
			t.Fatal(err)
		}
		sink, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		source, err := net.Dial("udp4", fmt.Sprintf("127.0.0.1:%d", in.Tuple().LocalPort))
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		p, err := in.Produce(ProducerOptions{Kind: ortc.Video, RTPParameters: videoParameters()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Consume(ConsumerOptions{ProducerID: p.ID(), RTPCapabilities: r.RTPCapabilities()}); err != nil {
			t.Fatal(err)
		}
		port := sink.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		if err := out.Connect(PlainRemote{IP: loopback, Port: port, RTCPPort: port}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the consumer", func() bool {
			out.sendMu.Lock()
			defer out.sendMu.Unlock()
			return out.send.streams[0].active.Load()
		})
		if _, err := source.Write(raw(t, videoPacket(1, 0, true, true, 400))[0]); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 2000)
		_ = sink.SetReadDeadline(time.Now().Add(patience))
		if n, err := sink.Read(b); err != nil || rtp.Classify(b) != rtp.KindRTP || n < 400 {
			t.Fatalf("received %d bytes, %v", n, err)
		}
		r.Close()
	}
	round()
	before := usageNow(t)
	for range 100 {
		round()
	}
	eventually(t, "the end of all goroutines", func() bool {
		after := usageNow(t)
		return after.goroutines <= before.goroutines && after.descriptors <= before.descriptors && after.heapBytes < before.heapBytes+1<<20
	})
	r, err := s.NewRouter(RouterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.NewPlainTransport(PlainTransportOptions{}); err != nil {
		t.Fatal(err)
	}
	goroutines := runtime.NumGoroutine()
	s.Close() // with one open
	if n := runtime.NumGoroutine(); n >= goroutines {
		t.Errorf("%d goroutines, before there were %d", n, goroutines)
	}
}

func TestPlainMediaDoesNotAllocate(t *testing.T) {
	r := newRig(t)
	in, out := r.newPlain(PlainTransportOptions{}), r.newPlain(PlainTransportOptions{})
	p, q := r.plainPeer(in), r.plainPeer(out)
	p.connect(p.remote())
	q.connect(q.remote())
	q.consume(p.produce())
	frame := raw(t, videoPacket(0, 0, true, true, 1000))[0]
	batch := []udp.Datagram{{Path: udp.Path{Remote: udp.AddrFrom(p.addr), Local: in.media.local}}}
	buffer := make([]byte, len(frame))
	seq := uint16(0)
	send := func() {
		copy(buffer, frame)
		buffer[2], buffer[3] = byte(seq>>8), byte(seq)
		seq++
		batch[0].Data = buffer
		r.worker.takePlain(r.now, in.media, batch)
	}
	for range historySize * 2 {
		send()
	}
	if n := testing.AllocsPerRun(200, send); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
	if out.Stats().RTPBytesSent == 0 {
		t.Error("nothing was sent")
	}
}

func TestPanicClosesThePlainTransportItHappenedIn(t *testing.T) {
	for what, poke := range map[string]func(r *rig, p *plainPeer, direct *DirectTransport) *Transport{
		"on a port": func(_ *rig, p *plainPeer, _ *DirectTransport) *Transport {
			p.produce()
			p.transport.recv.demux.streams = nil
			p.send(videoPacket(1, 0, true, true, 100))
			return &p.transport.Transport
		},
		"in what the server sends": func(_ *rig, _ *plainPeer, direct *DirectTransport) *Transport {
			own := produceDirect(t, direct, ortc.Video, videoParameters())
			direct.recv.demux.streams = nil
			if err := own.Send(raw(t, videoPacket(1, 0, true, true, 100))...); err != nil {
				t.Error(err)
			}
			return &direct.Transport
		},
		"in the server's RTCP": func(_ *rig, _ *plainPeer, direct *DirectTransport) *Transport {
			direct.recv.sinks[77] = &Consumer{ssrc: 77, rtxSSRC: 1}
			if err := direct.SendRTCP(rtp.AppendNACK(nil, 9, 77, []uint16{1})); err != nil {
				t.Error(err)
			}
			return &direct.Transport
		},
	} {
		t.Run(what, func(t *testing.T) {
			r := newRig(t)
			p := r.plainPeer(r.newPlain(PlainTransportOptions{}))
			p.connect(p.remote())
			direct := newDirect(t, r.router, DirectTransportOptions{})
			faulty := poke(r, p, direct)
			r.settle()
			if n := r.sfu.counters.panics.Load(); n != 1 || !faulty.Closed() {
				t.Errorf("%d panics, closed: %t", n, faulty.Closed())
			}
			if p.transport.Closed() && direct.Closed() {
				t.Error("the other is closed, too")
			}
		})
	}
}

func TestPlainTransportsCloseWhileMediaFlows(t *testing.T) {
	r := newTestRouter(t)
	for range 10 {
		in, err := r.NewPlainTransport(PlainTransportOptions{Comedia: true})
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.NewPlainTransport(PlainTransportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		direct := newDirect(t, r, DirectTransportOptions{})
		p, err := in.Produce(ProducerOptions{Kind: ortc.Video, RTPParameters: videoParameters()})
		if err != nil {
			t.Fatal(err)
		}
		var seen atomic.Int64
		for _, to := range []*Transport{&out.Transport, &direct.Transport} {
			if _, err := to.Consume(ConsumerOptions{
				ProducerID: p.ID(), RTPCapabilities: r.RTPCapabilities(),
				Events: ConsumerEvents{RTP: func([]byte) { seen.Add(1) }},
			}); err != nil {
				t.Fatal(err)
			}
		}
		if err := out.Connect(PlainRemote{IP: loopback, Port: 9}); err != nil { // nobody is there
			t.Fatal(err)
		}
		source, err := net.Dial("udp4", fmt.Sprintf("127.0.0.1:%d", in.Tuple().LocalPort))
		if err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		var sending sync.WaitGroup
		sending.Go(func() {
			for seq := uint16(0); ; seq++ {
				select {
				case <-stop:
					return
				default:
					_, _ = source.Write(raw(t, videoPacket(seq, uint32(seq)*3000, true, true, 300))[0]) // refused once the port is closed
				}
			}
		})
		eventually(t, "media", func() bool { return seen.Load() > 10 })
		var closing sync.WaitGroup
		for _, transport := range []*Transport{&in.Transport, &out.Transport, &direct.Transport} {
			closing.Go(transport.Close)
		}
		closing.Wait()
		close(stop)
		sending.Wait()
		source.Close()
	}
	if st := r.sfu.Stats(); st.Panics != 0 {
		t.Errorf("%d panics", st.Panics)
	}
}

// BenchmarkPlainForward is a packet of plain RTP on its way to plain receivers:
// what a packet costs but for SRTP.
func BenchmarkPlainForward(b *testing.B) {
	for _, receivers := range []int{1, 10} {
		b.Run(fmt.Sprintf("%d consumers", receivers), func(b *testing.B) {
			r := newRig(b)
			in := r.plainPeer(r.newPlain(PlainTransportOptions{}))
			in.connect(in.remote())
			p := in.produce()
			for range receivers {
				out := r.plainPeer(r.newPlain(PlainTransportOptions{}))
				_ = out.socket.SetReadBuffer(4096) // full at once
				out.connect(out.remote())
				out.consume(p)
			}
			frame := raw(b, videoPacket(0, 0, true, true, 1160))[0]
			batch := []udp.Datagram{{Data: frame, Path: udp.Path{Remote: udp.AddrFrom(in.addr), Local: in.transport.media.local}}}
			b.ReportAllocs()
			for seq := uint16(0); b.Loop(); seq++ {
				frame[2], frame[3] = byte(seq>>8), byte(seq)
				r.worker.takePlain(r.now, in.transport.media, batch)
			}
		})
	}
}

// FuzzPlainTransport takes in what anybody may send to the ports of a plain
// transport that waits for its peer, and of one that has it.
func FuzzPlainTransport(f *testing.F) {
	f.Add(raw(f, videoPacket(1, 0, true, true, 100))[0], false)
	f.Add(raw(f, videoPacket(2, 0, true, false, 100))[0], true)
	f.Add(rtp.AppendPLI(nil, 9, 9), false)
	f.Add(rtp.AppendSR(nil, rtp.SenderReport{SSRC: videoSSRC, NTP: 1 << 63}, nil), true)
	f.Add(rtp.AppendBYE(nil, []uint32{videoSSRC}), true)
	f.Add([]byte{22, 254, 253}, false)
	f.Add([]byte{0, 1, 0, 0}, false)
	r := newRig(f)
	sink := newDirect(f, r.router, DirectTransportOptions{})
	f.Fuzz(func(t *testing.T, b []byte, connected bool) {
		r.tb = t
		p := r.plainPeer(r.newPlain(PlainTransportOptions{Comedia: true, DisableRTCPMux: true}))
		defer p.socket.Close()
		defer p.transport.Close()
		producer := p.produce()
		consumeDirect(t, sink, producer, &handed{})
		if connected {
			p.send(videoPacket(0, 0, true, true, 50))
			p.deliver(p.transport.control, rtp.AppendRR(nil, 9, nil))
		}
		r.now = r.now.Add(time.Millisecond)
		p.deliver(p.transport.media, b)
		p.deliver(p.transport.control, b)
		r.clock.tickDue(r.now)
		if n := r.sfu.counters.panics.Load(); n != 0 || p.transport.Closed() {
			t.Fatalf("%d panics", n)
		}
	})
}

// Neither a recorder in the process nor GStreamer tells what comes through:
// nothing may be held back from them for that.
func TestReceiversWithoutFeedbackGetTheHighestLayers(t *testing.T) {
	s := newSimulcast(t)
	direct := newDirect(t, s.router, DirectTransportOptions{})
	var h handed
	toDirect := consumeDirect(t, direct, s.producer, &h)
	recorder := s.plainPeer(s.newPlain(PlainTransportOptions{}))
	recorder.connect(recorder.remote())
	capabilities := s.router.RTPCapabilities()
	capabilities.HeaderExtensions = nil
	toPlain, err := recorder.transport.Consume(ConsumerOptions{ProducerID: s.producer.ID(), RTPCapabilities: capabilities})
	if err != nil {
		t.Fatal(err)
	}
	for range 250 { // of ten seconds
		s.frame(0, 1, 2)
		s.bob.take()
		s.advance(40 * time.Millisecond)
	}
	for _, c := range []*Consumer{toDirect, toPlain} {
		if l, sent := c.CurrentLayers(); !sent || l.Spatial != 2 {
			t.Errorf("sent are layers %v", l)
		}
		if st := c.Stats()[0]; st.PacketCount < 240 || st.PacketsRetransmitted != 0 {
			t.Errorf("%d packets were sent, and %d as padding", st.PacketCount, st.PacketsRetransmitted)
		}
	}
	if direct.AvailableOutgoingBitrate() != 0 || recorder.transport.AvailableOutgoingBitrate() != 0 {
		t.Error("a line is estimated of which nothing is known")
	}
}
