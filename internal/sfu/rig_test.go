package sfu

import (
	"crypto/rand"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v3"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/tcp"
	"github.com/takoserver/takos-call/internal/udp"
)

// rig is an SFU in virtual time: nothing reads its sockets and no clock runs.
// A test hands datagrams to its one worker, advances its time, and reads what
// the server has sent, synchronously. SRTP and STUN are real; DTLS is left out.
type rig struct {
	tb     testing.TB
	sfu    *SFU
	router *Router
	worker *worker
	clock  *scratch
	now    mono.Instant
	shared atomic.Int64 // now, for other goroutines
}

func newRig(tb testing.TB, change ...func(*Options)) *rig {
	tb.Helper()
	o := Options{ListenIPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Announced: []string{"127.0.0.1"}, Readers: 1}
	for _, f := range change {
		f(&o)
	}
	s, err := listen(o)
	if err != nil {
		tb.Fatal(err)
	}
	r := &rig{tb: tb, sfu: s, now: mono.Instant(time.Hour)}
	r.shared.Store(int64(r.now))
	s.now = func() mono.Instant { return mono.Instant(r.shared.Load()) }
	s.running.Go(s.chores.run)
	tb.Cleanup(s.Close)
	r.worker, r.clock = newWorker(s, s.own.endpoints[0], nil, 0), newClockScratch(s)
	codecs := append(DefaultMediaCodecs(), ortc.RTPCodecCapability{Kind: ortc.Audio, MimeType: "audio/PCMU", ClockRate: 8000})
	if r.router, err = s.NewRouter(RouterOptions{MediaCodecs: codecs}); err != nil {
		tb.Fatal(err)
	}
	return r
}

// datagramStats and streamStats are the counters of the server's own port.
func (r *rig) datagramStats() udp.Stats { return r.sfu.own.endpoints[0].sockets.Stats() }

func (r *rig) streamStats() tcp.Stats { return r.sfu.own.endpoints[1].connections.Stats() }

// settle waits until what the packet path has left to others is done, and the
// callbacks that followed.
func (r *rig) settle() {
	for _, q := range []*eventQueue{r.sfu.chores, r.router.events} {
		done := make(chan struct{})
		q.post(func() { close(done) })
		<-done
	}
}

// advance lets time pass as the clock goroutine does.
func (r *rig) advance(d time.Duration) {
	for end := r.now.Add(d); r.now < end; {
		r.now = min(r.now.Add(clockPeriod), end)
		r.shared.Store(int64(r.now))
		r.clock.tickDue(r.now)
	}
	r.settle()
}

// client is a transport and what is at its other end.
type client struct {
	*rig
	transport         *WebRTCTransport
	socket            *net.UDPConn
	path              udp.Path
	inbound, outbound *srtp.Context
	taken             uint64 // datagrams read so far
	replies           [][]byte
}

// newClient makes a transport whose peer has sent no check yet.
func (r *rig) newClient(o WebRTCTransportOptions) *client {
	r.tb.Helper()
	t, err := r.router.NewWebRTCTransport(o)
	if err != nil {
		r.tb.Fatal(err)
	}
	c := &client{rig: r, transport: t}
	c.rebind()
	return c
}

// rebind gives the client a new address, as a NAT does.
func (c *client) rebind() {
	c.tb.Helper()
	server := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), c.sfu.Port())
	socket, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		c.tb.Fatal(err)
	}
	c.tb.Cleanup(func() { socket.Close() })
	_ = socket.SetReadBuffer(4 << 20)
	local := socket.LocalAddr().(*net.UDPAddr).AddrPort()
	c.socket, c.path = socket, udp.Path{Remote: udp.AddrFrom(local), Local: udp.AddrFrom(server)}
}

// connect makes a client to and from which media can flow.
func (r *rig) connect(o WebRTCTransportOptions) *client {
	r.tb.Helper()
	c := r.newClient(o)
	c.check(true)
	c.shakeHands(srtp.ProtectionProfileAeadAes128Gcm)
	return c
}

// shakeHands does what follows from a DTLS handshake.
func (c *client) shakeHands(profile srtp.ProtectionProfile) {
	c.tb.Helper()
	context := func(key, salt []byte, o ...srtp.ContextOption) *srtp.Context {
		ctx, err := srtp.CreateContext(key, salt, profile, o...)
		if err != nil {
			c.tb.Fatal(err)
		}
		return ctx
	}
	keyLen, _ := profile.KeyLen()
	saltLen, _ := profile.SaltLen()
	secret := make([]byte, 2*(keyLen+saltLen))
	_, _ = rand.Read(secret)
	toServer, toClient := secret[:keyLen+saltLen], secret[keyLen+saltLen:]
	window := srtp.SRTPReplayProtection(1024)
	c.outbound = context(toServer[:keyLen], toServer[keyLen:])
	c.inbound = context(toClient[:keyLen], toClient[keyLen:], window)
	t := c.transport
	t.recvMu.Lock()
	t.recv.inbound = context(toServer[:keyLen], toServer[keyLen:], window)
	t.sendMu.Lock()
	t.send.outbound = context(toClient[:keyLen], toClient[keyLen:])
	t.sendMu.Unlock()
	t.setDTLSStateLocked(dtls.StateConnected)
	t.recvMu.Unlock()
	c.sfu.chores.post(t.activateConsumers)
	c.settle()
}

// check sends a connectivity check.
func (c *client) check(nominate bool) {
	c.tb.Helper()
	c.deliver(bindingRequest(c.tb, c.transport, nominate))
	c.settle()
}

func bindingRequest(tb testing.TB, t *WebRTCTransport, nominate bool) []byte {
	tb.Helper()
	p := t.ICEParameters()
	setters := []stun.Setter{
		stun.BindingRequest, stun.TransactionID, stun.NewUsername(p.UsernameFragment + ":peer"),
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{1, 2, 3, 4}},
	}
	if nominate {
		setters = append(setters, stun.RawAttribute{Type: stun.AttrUseCandidate})
	}
	m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(p.Password), stun.Fingerprint)...)
	if err != nil {
		tb.Fatal(err)
	}
	return m.Raw
}

// deliver hands datagrams to the server as one batch.
func (c *client) deliver(datagrams ...[]byte) {
	batch := make([]udp.Datagram, len(datagrams))
	for i, b := range datagrams {
		batch[i] = udp.Datagram{Data: b, Path: c.path}
	}
	c.worker.takeBatch(c.now, batch)
}

// sendRTP delivers packets as one batch.
func (c *client) sendRTP(packets ...*pionrtp.Packet) {
	c.tb.Helper()
	datagrams := make([][]byte, len(packets))
	for i, p := range packets {
		datagrams[i] = c.protect(p)
	}
	c.deliver(datagrams...)
}

func (c *client) protect(p *pionrtp.Packet) []byte {
	c.tb.Helper()
	plain, err := p.Marshal()
	if err != nil {
		c.tb.Fatal(err)
	}
	return c.protectBytes(plain)
}

func (c *client) protectBytes(plain []byte) []byte {
	c.tb.Helper()
	out, err := c.outbound.EncryptRTP(nil, plain, nil)
	if err != nil {
		c.tb.Fatal(err)
	}
	return out
}

func (c *client) sendRTCP(plain []byte) {
	c.tb.Helper()
	out, err := c.outbound.EncryptRTCP(nil, plain, nil)
	if err != nil {
		c.tb.Fatal(err)
	}
	c.deliver(out)
}

// taken is what the server has sent to a client.
type taken struct {
	rtp  []received
	rtcp []rtp.RTCPPacket
	raw  [][]byte // compounds of the RTCP packets
}

// take returns all that the server has sent since it was called last. How much
// that is, the server's own counter tells, so nothing is waited for in vain.
func (c *client) take() (got taken) {
	c.tb.Helper()
	c.transport.sendMu.Lock()
	sent := c.transport.send.packets
	c.transport.sendMu.Unlock()
	for c.taken < sent {
		b := c.read()
		switch rtp.Classify(b) {
		case rtp.KindSTUN:
			c.replies = append(c.replies, b)
			continue
		case rtp.KindRTP:
			got.rtp = append(got.rtp, c.openRTP(b))
		case rtp.KindRTCP:
			plain, err := c.inbound.DecryptRTCP(nil, b, nil)
			if err != nil {
				c.tb.Fatalf("RTCP of the server: %v", err)
			}
			got.raw = append(got.raw, plain)
			got.rtcp = append(got.rtcp, splitRTCP(c.tb, plain)...)
		}
		c.taken++
	}
	return got
}

func (c *client) read() []byte {
	c.tb.Helper()
	buffer := make([]byte, 4096)
	if err := c.socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
		c.tb.Fatal(err)
	}
	n, err := c.socket.Read(buffer)
	if err != nil {
		c.tb.Fatalf("what the server has sent did not arrive: %v", err)
	}
	return buffer[:n]
}

// reply returns the answer to the last check, nil if there is none.
func (c *client) reply() []byte {
	c.tb.Helper()
	_ = c.socket.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	buffer := make([]byte, 4096)
	n, err := c.socket.Read(buffer)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err != nil {
		c.tb.Fatal(err)
	}
	return buffer[:n]
}

func (c *client) openRTP(b []byte) received {
	c.tb.Helper()
	plain, err := c.inbound.DecryptRTP(nil, b, nil)
	if err != nil {
		c.tb.Fatalf("what the server sent: %v", err)
	}
	var p pionrtp.Packet
	if err := p.Unmarshal(plain); err != nil {
		c.tb.Fatalf("what the server sent is no RTP packet: %v", err)
	}
	return received{header: p.Header, payload: p.Payload, size: len(plain)}
}

func splitRTCP(tb testing.TB, compound []byte) (packets []rtp.RTCPPacket) {
	tb.Helper()
	r := rtp.NewRTCPReader(compound)
	var p rtp.RTCPPacket
	for r.Next(&p) {
		packets = append(packets, p)
	}
	if r.Err() != nil {
		tb.Fatalf("RTCP of the server: %v", r.Err())
	}
	return packets
}

// only returns the packets of a type and count (or format).
func (got taken) only(packetType, count uint8) (found []rtp.RTCPPacket) {
	for _, p := range got.rtcp {
		if p.Type == packetType && p.Count == count {
			found = append(found, p)
		}
	}
	return found
}

func (c *client) produce(kind ortc.MediaKind, params ortc.RTPParameters) *Producer {
	c.tb.Helper()
	p, err := c.transport.Produce(ProducerOptions{Kind: kind, RTPParameters: params})
	if err != nil {
		c.tb.Fatal(err)
	}
	return p
}

func (c *client) consume(p *Producer, change ...func(*ConsumerOptions)) *Consumer {
	c.tb.Helper()
	o := ConsumerOptions{ProducerID: p.ID(), RTPCapabilities: c.router.RTPCapabilities()}
	for _, f := range change {
		f(&o)
	}
	consumer, err := c.transport.Consume(o)
	if err != nil {
		c.tb.Fatal(err)
	}
	return consumer
}

// rigCall is a sender of VP8 and one receiver.
type rigCall struct {
	*rig
	alice, bob *client
	producer   *Producer
	consumer   *Consumer
}

func newRigCall(tb testing.TB, change ...func(*Options)) *rigCall {
	tb.Helper()
	r := newRig(tb, change...)
	c := &rigCall{rig: r, alice: r.connect(WebRTCTransportOptions{}), bob: r.connect(WebRTCTransportOptions{})}
	c.producer = c.alice.produce(ortc.Video, videoParameters())
	c.consumer = c.bob.consume(c.producer)
	return c
}
