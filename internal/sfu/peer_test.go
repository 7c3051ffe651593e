package sfu

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/rtp"
)

// peer is the far side of a transport: what a browser is to the server, on a
// real socket, which has a datagram for each call. Media that arrives is decrypted and put into channels.
type peer struct {
	t         *testing.T
	transport *WebRTCTransport
	socket    net.Conn
	dtls      *dtls.Conn
	connected chan struct{}
	ended     chan dtls.State // failed, or closed by the server
	done      chan struct{}

	rtp  chan received
	rtcp chan []byte

	mu       sync.Mutex
	inbound  *srtp.Context
	outbound *srtp.Context
}

// received is a decrypted packet.
type received struct {
	header  pionrtp.Header
	payload []byte
	size    int // of header, payload and padding
}

// connectPeer does ICE and DTLS with t in the given role and returns when
// media can flow.
func connectPeer(t *testing.T, transport *WebRTCTransport, role dtls.Role) *peer {
	t.Helper()
	return newPeer(t, transport).connect(role)
}

// connect does ICE and DTLS and returns when media can flow.
func (p *peer) connect(role dtls.Role) *peer {
	t, transport := p.t, p.transport
	t.Helper()
	p.check()
	p.shakeHands(role, peerCertificate(t).Fingerprints())
	waitFor(t, p.connected, "DTLS of the peer")
	eventually(t, "DTLS of the transport", func() bool { return transport.DTLSState() == dtls.StateConnected })
	return p
}

// shakeHands begins the DTLS handshake; the server is told the fingerprints.
func (p *peer) shakeHands(role dtls.Role, fingerprints []dtls.Fingerprint) {
	p.t.Helper()
	if err := p.dtls.Start(role, p.transport.DTLSParameters().Fingerprints); err != nil {
		p.t.Fatal(err)
	}
	if err := p.transport.Connect(dtls.Parameters{Role: role, Fingerprints: fingerprints}); err != nil {
		p.t.Fatal(err)
	}
}

var peerCertificate = func() func(*testing.T) *dtls.Certificate {
	once := sync.OnceValues(dtls.NewCertificate)
	return func(t *testing.T) *dtls.Certificate {
		c, err := once()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}()

func newPeer(t *testing.T, transport *WebRTCTransport) *peer {
	t.Helper()
	c := transport.ICECandidates()[0]
	remote := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(c.Address), c.Port))
	socket, err := net.DialUDP("udp", nil, remote)
	if err != nil {
		t.Fatal(err)
	}
	return newPeerOn(t, transport, socket)
}

func newPeerOn(t *testing.T, transport *WebRTCTransport, socket net.Conn) *peer {
	p := &peer{
		t: t, transport: transport, socket: socket,
		connected: make(chan struct{}), ended: make(chan dtls.State, 1), done: make(chan struct{}),
		rtp: make(chan received, 4096), rtcp: make(chan []byte, 4096),
	}
	p.dtls = dtls.New(dtls.Options{
		Certificate: peerCertificate(t),
		Send:        func(b []byte) error { _, err := socket.Write(b); return err },
		StateChange: p.dtlsStateChanged,
		HelloDelay:  -1,
	})
	go p.read()
	t.Cleanup(p.close)
	return p
}

func (p *peer) dtlsStateChanged(s dtls.State, _ error) {
	if s != dtls.StateConnected {
		p.ended <- s
		return
	}
	inbound, outbound, _, _ := p.dtls.SRTP()
	p.mu.Lock()
	p.inbound, p.outbound = inbound, outbound
	p.mu.Unlock()
	close(p.connected)
}

func (p *peer) close() {
	p.dtls.Close()
	p.socket.Close()
	<-p.done
}

// check sends a nominating connectivity check until it is answered.
func (p *peer) check() {
	p.t.Helper()
	eventually(p.t, "ICE", func() bool {
		p.write(bindingRequest(p.t, p.transport, true))
		time.Sleep(5 * time.Millisecond)
		s := p.transport.ICEState()
		return s == "completed" || s == "connected"
	})
}

func (p *peer) write(b []byte) {
	_, err := p.socket.Write(b)
	if err != nil && !errors.Is(err, syscall.ECONNREFUSED) { // the server may have closed
		p.t.Error(err)
	}
}

func (p *peer) read() {
	defer close(p.done)
	buffer := make([]byte, 4096)
	for {
		n, err := p.socket.Read(buffer)
		if err != nil {
			return
		}
		p.receive(append([]byte(nil), buffer[:n]...))
	}
}

func (p *peer) receive(b []byte) {
	switch rtp.Classify(b) {
	case rtp.KindDTLS:
		p.dtls.Feed(b)
	case rtp.KindRTP:
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.inbound == nil {
			return
		}
		plain, err := p.inbound.DecryptRTP(nil, b, nil)
		if err != nil {
			p.t.Errorf("decrypting what the server sent: %v", err)
			return
		}
		var packet pionrtp.Packet
		if err := packet.Unmarshal(plain); err != nil {
			p.t.Errorf("what the server sent is no RTP packet: %v", err)
			return
		}
		p.rtp <- received{packet.Header, packet.Payload, len(plain)}
	case rtp.KindRTCP:
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.inbound == nil {
			return
		}
		plain, err := p.inbound.DecryptRTCP(nil, b, nil)
		if err != nil {
			p.t.Errorf("decrypting RTCP of the server: %v", err)
			return
		}
		p.rtcp <- plain
	}
}

// sendRTP encrypts and sends a packet.
func (p *peer) sendRTP(packet *pionrtp.Packet) {
	p.t.Helper()
	plain, err := packet.Marshal()
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	out, err := p.outbound.EncryptRTP(nil, plain, nil)
	p.mu.Unlock()
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(out)
}

func (p *peer) sendRTCP(plain []byte) {
	p.t.Helper()
	p.mu.Lock()
	out, err := p.outbound.EncryptRTCP(nil, plain, nil)
	p.mu.Unlock()
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(out)
}

// nextRTP waits for a media packet.
func (p *peer) nextRTP() received {
	p.t.Helper()
	select {
	case r := <-p.rtp:
		return r
	case <-time.After(patience):
		p.t.Fatalf("no RTP packet arrived within %v", patience)
		panic("unreachable")
	}
}

// nextRTCP waits for an RTCP packet of the given type and count (or format).
func (p *peer) nextRTCP(packetType, count uint8) rtp.RTCPPacket {
	p.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case compound := <-p.rtcp:
			r := rtp.NewRTCPReader(compound)
			var found rtp.RTCPPacket
			for r.Next(&found) {
				if found.Type == packetType && found.Count == count {
					return found
				}
			}
			if r.Err() != nil {
				p.t.Fatalf("RTCP of the server: %v", r.Err())
			}
		case <-timeout:
			p.t.Fatalf("no RTCP packet of type %d/%d arrived within %v", packetType, count, patience)
		}
	}
}

// nextPLI waits for a PLI.
func (p *peer) nextPLI() rtp.RTCPPacket {
	p.t.Helper()
	return p.nextRTCP(rtp.TypePSFB, rtp.FormatPLI)
}

// patience is how long a test waits for what ought to happen at once: the
// machine may have much else to do.
const patience = 20 * time.Second

func waitFor(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("%s did not happen within %v", what, patience)
	}
}

// eventually polls what a goroutine of the server will make true.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if f() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen within %v", what, patience)
		}
	}
}
