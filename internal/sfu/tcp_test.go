package sfu

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/udp"
)

// framedConn makes a TCP connection look like a socket of datagrams (RFC 4571).
type framedConn struct{ *net.TCPConn }

func (c framedConn) Write(b []byte) (int, error) {
	if _, err := c.TCPConn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (c framedConn) Read(b []byte) (int, error) {
	var length [2]byte
	if _, err := io.ReadFull(c.TCPConn, length[:]); err != nil {
		return 0, err
	}
	return io.ReadFull(c.TCPConn, b[:binary.BigEndian.Uint16(length[:])])
}

func dialTCP(t testing.TB, port uint16) framedConn {
	t.Helper()
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
	conn, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return framedConn{conn}
}

func enableTCP(o *Options) { o.EnableTCP = true }

// connectTCPPeer is connectPeer over TCP.
func connectTCPPeer(t *testing.T, transport *WebRTCTransport) *peer {
	t.Helper()
	return newPeerOn(t, transport, dialTCP(t, transport.sfu.Port())).connect(dtls.RoleClient)
}

func selectedProtocol(t *WebRTCTransport) string {
	if tuple := t.Stats().ICESelectedTuple; tuple != nil {
		return tuple.Protocol
	}
	return "none"
}

func TestCandidatesOfBothProtocols(t *testing.T) {
	r := newTestRouter(t, enableTCP)
	for _, test := range []struct {
		name string
		p    Protocols
		want []string // the preferred first
	}{
		{"all", Protocols{}, []string{"udp", "tcp passive"}},
		{"TCP preferred", Protocols{PreferTCP: true}, []string{"tcp passive", "udp"}},
		{"no UDP", Protocols{DisableUDP: true}, []string{"tcp passive"}},
		{"no TCP", Protocols{DisableTCP: true}, []string{"udp"}},
	} {
		list := newTestTransport(t, r, WebRTCTransportOptions{Protocols: test.p}).ICECandidates()
		var got []string
		for i, c := range list {
			got = append(got, strings.TrimSpace(c.Protocol.String()+" "+c.TCPType))
			if c.Port != r.sfu.Port() || (i > 0 && c.Priority >= list[i-1].Priority) {
				t.Errorf("%s: candidate %+v", test.name, c)
			}
		}
		if strings.Join(got, ", ") != strings.Join(test.want, ", ") {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if list := newTestTransport(t, newTestRouter(t), WebRTCTransportOptions{}).ICECandidates(); len(list) != 1 {
		t.Errorf("a server without TCP announces %+v", list)
	}
	var refused *ortc.Error
	if _, err := r.NewWebRTCTransport(WebRTCTransportOptions{Protocols: Protocols{DisableUDP: true, DisableTCP: true}}); !errors.As(err, &refused) {
		t.Errorf("a transport that nothing reaches: %v", err)
	}
}

func TestCallOverTCP(t *testing.T) {
	r := newTestRouter(t, enableTCP)
	send, recv := newTestTransport(t, r, WebRTCTransportOptions{}), newTestTransport(t, r, WebRTCTransportOptions{})
	p := produceVideo(t, send)
	c := consume(t, recv, p)
	alice, bob := connectTCPPeer(t, send), connectTCPPeer(t, recv)
	eventually(t, "the consumer", func() bool { return c.active.Load() })
	if selectedProtocol(send) != "tcp" || selectedProtocol(recv) != "tcp" {
		t.Errorf("selected %s and %s", selectedProtocol(send), selectedProtocol(recv))
	}
	alice.sendRTP(videoPacket(1, 1000, true, false, 200))
	alice.nextPLI()
	for i := range uint16(200) {
		alice.sendRTP(videoPacket(2+i, uint32(i)*3000, true, i == 0, 300+int(i)))
	}
	for i := range uint16(200) {
		got, want := bob.nextRTP(), videoPacket(2+i, 0, true, i == 0, 300+int(i)).Payload
		if !bytes.Equal(got.payload, want) {
			t.Fatalf("packet %d: %d bytes, want %d", i, len(got.payload), len(want))
		}
	}
	st := r.sfu.Stats().TCP
	if st.Open != 2 || st.Unproven != 0 || st.PacketsReceived < 200 || st.PacketsSent < 200 {
		t.Errorf("counted %+v", st)
	}
	// DTLS says goodbye before the connection ends.
	recv.Close()
	waitForState(t, bob, dtls.StateClosed)
	waitFor(t, bob.done, "the end of the connection")
}

func waitForState(t *testing.T, p *peer, want dtls.State) {
	t.Helper()
	select {
	case got := <-p.ended:
		if got != want {
			t.Errorf("DTLS of the peer: %v, want %v", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("DTLS of the peer is not %v", want)
	}
}

// A client that is alone in virtual time can have a connection too: what comes
// over it is read by the server's own goroutine.
func (c *client) connectTCP() framedConn {
	c.tb.Helper()
	conn := dialTCP(c.tb, c.sfu.Port())
	c.checkTCP(conn, false)
	c.checkTCP(conn, true)
	return conn
}

func (c *client) checkTCP(conn framedConn, nominate bool) {
	c.tb.Helper()
	if _, err := conn.Write(bindingRequest(c.tb, c.transport, nominate)); err != nil {
		c.tb.Fatal(err)
	}
	if b := c.readTCP(conn); !bytes.HasPrefix(b, []byte{1, 1}) {
		c.tb.Fatalf("a check is answered with %x", b)
	}
	c.settle()
}

func (c *client) readTCP(conn framedConn) []byte {
	c.tb.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 4096)
	n, err := conn.Read(b)
	if err != nil {
		c.tb.Fatalf("what the server has sent did not arrive: %v", err)
	}
	return b[:n]
}

// nextTCP is the next media packet over a connection.
func (c *client) nextTCP(conn framedConn) received {
	c.tb.Helper()
	for {
		if b := c.readTCP(conn); b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223) { // RFC 5761 §4
			return c.openRTP(b)
		}
	}
}

func TestMediaMovesBetweenProtocols(t *testing.T) {
	c := newRigCall(t, enableTCP)
	seq := uint16(0)
	send := func(key bool) []byte {
		seq++
		p := videoPacket(seq, uint32(seq)*3000, true, key, 100+int(seq))
		c.alice.sendRTP(p)
		return p.Payload
	}
	overUDP := func(key bool) {
		t.Helper()
		want := send(key)
		if got := c.bob.take().rtp; len(got) != 1 || !bytes.Equal(got[0].payload, want) || selectedProtocol(c.bob.transport) != "udp" {
			t.Fatalf("packet %d did not come over UDP: %d came, selected %s", seq, len(got), selectedProtocol(c.bob.transport))
		}
	}
	conn := framedConn{}
	overTCP := func() {
		t.Helper()
		want := send(false)
		if got := c.bob.nextTCP(conn); !bytes.Equal(got.payload, want) || selectedProtocol(c.bob.transport) != "tcp" {
			t.Fatalf("packet %d did not come over TCP", seq)
		}
		c.bob.taken = c.bob.transport.send.packets // none of it over UDP
	}
	overUDP(true)
	conn = c.bob.connectTCP()
	for range 3 {
		overTCP()
	}
	c.advance(time.Second)
	c.bob.check(false)
	overTCP() // tried only
	c.bob.check(true)
	overUDP(false)
	c.bob.checkTCP(conn, false)
	c.bob.checkTCP(conn, true)
	overTCP()
	// The connection ends in mid-call: UDP, which is still valid, takes its place.
	conn.Close()
	eventually(t, "the end of the connection", func() bool { return selectedProtocol(c.bob.transport) == "udp" })
	overUDP(false)
	if n := len(c.bob.transport.link.connections); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

func TestEndOfTheOnlyConnectionDisconnects(t *testing.T) {
	r := newRig(t, enableTCP)
	alice, bob := r.connect(WebRTCTransportOptions{}), r.newClient(WebRTCTransportOptions{})
	consumer := bob.consume(alice.produce(ortc.Video, videoParameters()))
	conn := bob.connectTCP()
	bob.shakeHands(srtp.ProtectionProfileAeadAes128Gcm)
	if !consumer.active.Load() {
		t.Fatal("not active over TCP")
	}
	conn.Close()
	eventually(t, "ICE disconnected", func() bool { return bob.transport.ICEState() == ice.StateDisconnected })
	r.settle()
	if consumer.active.Load() || len(bob.transport.ICECandidates()) != 2 {
		t.Error("still active without a path")
	}
	// Another connection brings it back.
	bob.connectTCP()
	if !consumer.active.Load() || selectedProtocol(bob.transport) != "tcp" {
		t.Error("not active on a new connection")
	}
}

// Whoever reads slowly is not sent what is late, others see nothing of it, and
// once the queue has drained the picture starts with a keyframe.
func TestSlowTCPReceiverGetsAFreshStart(t *testing.T) {
	r := newRig(t, enableTCP)
	alice, slow, fast := r.connect(WebRTCTransportOptions{}), r.newClient(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
	producer := alice.produce(ortc.Video, videoParameters())
	conn := slow.connectTCP()
	slow.shakeHands(srtp.ProtectionProfileAeadAes128Gcm)
	slow.consume(producer)
	fast.consume(producer)
	alice.take()
	seq := uint16(0)
	send := func(key bool) {
		seq++
		alice.sendRTP(videoPacket(seq, uint32(seq)*3000, true, key, 1100))
		if got := fast.take().rtp; len(got) != 1 {
			t.Fatalf("packet %d: the other receiver got %d", seq, len(got))
		}
	}
	congested := func() bool { return slow.transport.send.dest.tcp.Congested() }
	send(true)
	for !congested() {
		if send(false); seq > 30_000 {
			t.Fatal("never congested")
		}
	}
	sent := slow.transport.send.streams[0].sent.packets
	alice.take()
	for range 100 {
		send(false)
	}
	if n := slow.transport.send.streams[0].sent.packets; n != sent {
		t.Errorf("%d packets more were made for a congested connection", n-sent)
	}
	if n := alice.take().plis(); n != 0 {
		t.Errorf("%d keyframes asked for while nothing can be sent", n)
	}
	last := slow.nextTCP(conn)
	for congested() {
		next := slow.nextTCP(conn)
		if next.header.SequenceNumber != last.header.SequenceNumber+1 {
			t.Fatalf("packet %d after %d", next.header.SequenceNumber, last.header.SequenceNumber)
		}
		last = next
	}
	send(false)
	if n := alice.take().plis(); n != 1 {
		t.Errorf("%d keyframes asked for once the queue has drained, want 1", n)
	}
	send(true)
	send(false)
	for last.payload[1] != 0 { // what was left in the queue
		last = slow.nextTCP(conn)
	}
	last = slow.nextTCP(conn)
	if !bytes.Equal(last.payload, videoPacket(seq, 0, true, false, 1100).Payload) {
		t.Error("the last packet is another")
	}
	if r.sfu.Stats().Drops["tcp_queue_full"] == 0 {
		t.Error("nothing counted")
	}
}

func TestSendingOverTCPDoesNotAllocate(t *testing.T) {
	const frames, perFrame, runs = 500, 3, 100
	c := newRigCall(t, enableTCP)
	conn := c.bob.connectTCP()
	eventually(t, "the count of the answers to two checks", func() bool { return c.streamStats().Sent.Packets == 2 })
	before := c.streamStats().Sent
	var read atomic.Uint64
	var reader sync.WaitGroup
	reader.Go(func() {
		for b := make([]byte, 1<<20); ; {
			n, err := conn.TCPConn.Read(b)
			if err != nil {
				return
			}
			read.Add(uint64(n))
		}
	})
	defer reader.Wait()
	defer conn.Close()
	batches := make([][]udp.Datagram, frames)
	for i := range batches {
		batches[i] = benchFrame(t, c.alice, uint16(i*perFrame), perFrame)
	}
	next := 0
	forward := func() {
		c.worker.takeBatch(c.now, batches[next])
		next++
		sent := c.streamStats().Sent // each packet with two bytes of length
		for read.Load() < sent.Bytes-before.Bytes+2*(sent.Packets-before.Packets) {
			runtime.Gosched()
		}
	}
	for next < frames-runs-10 {
		forward()
	}
	if n := testing.AllocsPerRun(runs, forward); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
	if n := c.sfu.Stats().TCP; n.PacketsSent < uint64(next*perFrame) || n.QueueFull > 0 {
		t.Errorf("counted %+v for %d packets", n, next*perFrame)
	}
}

func TestStrangersOnTCP(t *testing.T) {
	r := newRig(t, enableTCP)
	c := r.newClient(WebRTCTransportOptions{})
	other := r.newClient(WebRTCTransportOptions{})
	drops := func(reason dropReason) uint64 { return r.sfu.counters.drops[reason].Load() }

	// Media before a check.
	conn := dialTCP(t, r.sfu.Port())
	media := append([]byte{0x80, 96}, make([]byte, 98)...)
	if _, err := conn.Write(media); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the drop", func() bool { return drops(dropUnknownPath) == 1 })

	// A check for nobody, and one that does not authenticate.
	for _, wrong := range []func([]byte) []byte{
		func(b []byte) []byte { b[24] ^= 1; return b },        // the ufrag
		func(b []byte) []byte { b[len(b)-10] ^= 1; return b }, // the integrity
	} {
		if _, err := conn.Write(wrong(bindingRequest(t, c.transport, true))); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the drops", func() bool { return drops(dropUnknownUfrag) == 1 && drops(dropSTUN) == 1 })
	if c.transport.ICEState() != ice.StateNew {
		t.Error("connected by a wrong check")
	}

	// A connection belongs to who proved itself first.
	c.checkTCP(conn, true)
	if _, err := conn.Write(bindingRequest(t, other.transport, true)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the drop", func() bool { return drops(dropUnknownUfrag) == 2 })
	if other.transport.ICEState() != ice.StateNew {
		t.Error("two transports on one connection")
	}

	// Too much without a check.
	flood := dialTCP(t, r.sfu.Port())
	for range maxUnproven + 1 {
		if _, err := flood.Write(media); err != nil {
			break // closed already
		}
	}
	_ = flood.SetReadDeadline(time.Now().Add(patience))
	if _, err := flood.TCPConn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection that proves nothing goes on: %v", err)
	}
}

func TestDisabledProtocolIsNotListenedTo(t *testing.T) {
	r := newRig(t, enableTCP)
	noTCP := r.newClient(WebRTCTransportOptions{Protocols: Protocols{DisableTCP: true}})
	noUDP := r.newClient(WebRTCTransportOptions{Protocols: Protocols{DisableUDP: true}})
	conn := dialTCP(t, r.sfu.Port())
	if _, err := conn.Write(bindingRequest(t, noTCP.transport, true)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the drop", func() bool { return r.sfu.counters.drops[dropUnknownUfrag].Load() == 1 })
	noUDP.check(true)
	if noTCP.transport.ICEState() != ice.StateNew || noUDP.transport.ICEState() != ice.StateNew {
		t.Error("connected by a protocol that is disabled")
	}
	noTCP.check(true)
	noUDP.connectTCP()
	if noTCP.transport.ICEState() != ice.StateCompleted || noUDP.transport.ICEState() != ice.StateCompleted {
		t.Error("not connected by the protocol that is left")
	}
}

func TestConsentEndsAConnection(t *testing.T) {
	r := newRig(t, enableTCP, func(o *Options) { o.ConsentTimeout = 5 * time.Second })
	c := r.newClient(WebRTCTransportOptions{})
	conn := c.connectTCP()
	r.advance(6 * time.Second)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := conn.TCPConn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a connection without consent: %v", err)
	}
	if c.transport.ICEState() != ice.StateDisconnected {
		t.Errorf("ICE is %v", c.transport.ICEState())
	}
}

func TestClosingATransportEndsItsConnections(t *testing.T) {
	r := newRig(t, enableTCP)
	c := r.newClient(WebRTCTransportOptions{})
	conn := c.connectTCP()
	c.transport.Close()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := conn.TCPConn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the connection of a closed transport: %v", err)
	}
}

func TestTCPPortInUseIsAnError(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).AddrPort().Port()
	s, err := New(Options{
		ListenIPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Announced: []string{"127.0.0.1"}, Port: port, EnableTCP: true,
	})
	if err == nil {
		s.Close()
		t.Fatal("no error")
	}
	if !strings.Contains(err.Error(), "TCP") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v", err)
	}
}
