package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	pionrtp "github.com/pion/rtp"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

// transport is a client's end of a transport: one connected UDP socket, one
// goroutine that reads it, the DTLS connection, and SRTP both ways.
type transport struct {
	// Constant after newTransport.
	pool   *Pool
	conn   *net.UDPConn
	feed   *dtlsFeed
	media  media
	server TransportInfo
	ended  chan struct{} // closed when the reading goroutine has ended

	mu       sync.Mutex
	checks   *checks
	dtls     *dtls.Conn    // nil before the handshake
	inbound  *srtp.Context // nil before
	outbound *srtp.Context
	parsed   rtp.Header     // scratch of the packet being received,
	header   pionrtp.Header // the same for Pion,
	scratch  []byte         // and for the packet being sent
	counters transportCounters
}

// media is who a transport's packets are for. Both are called with mu held.
type media struct {
	rtp  func(packet []byte, h *rtp.Header, now mono.Instant)
	rtcp func(compound []byte, now mono.Instant)
}

// transportCounters counts what went wrong, and all that was sent.
type transportCounters struct {
	early         uint64 // media before the handshake was over or the stream was known
	malformed     uint64
	undecryptable uint64
	sent          uint64 // packets of media and feedback
	writeErrors   uint64
}

// maxDatagram is the largest read; the kernel may join datagrams up to that.
const maxDatagram = 64 << 10

// openTransport opens the socket to the best candidate and starts to read.
func (p *Pool) openTransport(info TransportInfo, m media) (*transport, error) {
	remote, err := info.choose(p.reaches)
	if err != nil {
		return nil, fmt.Errorf("transport %s: %w", info.ID, err)
	}
	var local *net.UDPAddr
	if p.options.LocalIP.IsValid() {
		local = net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.options.LocalIP, 0))
	}
	conn, err := p.options.open(net.UDPAddrFromAddrPort(remote), local)
	if err != nil {
		return nil, fmt.Errorf("transport %s: %w", info.ID, err)
	}
	t := &transport{
		pool: p, conn: conn, media: m, server: info,
		feed:    newDTLSFeed(conn.Write, conn.RemoteAddr()),
		ended:   make(chan struct{}),
		checks:  newChecks(info.ICEParameters),
		scratch: make([]byte, 0, maxPacket),
	}
	go t.read()
	return t, nil
}

// maxPacket has room for any packet of ours.
const maxPacket = 1500

// reaches tells whether the pool's own address can send to ip.
func (p *Pool) reaches(ip netip.Addr) bool {
	own := p.options.LocalIP
	return !own.IsValid() || own.Unmap().Is4() == ip.Is4()
}

// establish connects ICE and DTLS, having told the server how.
func (t *transport) establish(ctx context.Context, s TransportSignalling) error {
	role := t.pool.options.DTLSRole
	err := s.ConnectTransport(ctx, t.server.ID, DTLSParameters{Role: role, Fingerprints: []DTLSFingerprint{t.pool.fingerprint}})
	if err != nil {
		return fmt.Errorf("connect transport %s: %w", t.server.ID, err)
	}
	if err := t.connectICE(ctx); err != nil {
		return fmt.Errorf("transport %s: %w", t.server.ID, err)
	}
	if err := t.handshake(ctx); err != nil {
		return fmt.Errorf("transport %s: %w", t.server.ID, err)
	}
	return nil
}

// handshake runs DTLS and makes the SRTP contexts.
func (t *transport) handshake(ctx context.Context) error {
	conn, err := t.newDTLS()
	if err != nil {
		return fmt.Errorf("start DTLS: %w", err)
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return errors.Join(fmt.Errorf("DTLS handshake: %w", err), conn.Close())
	}
	inbound, outbound, err := srtpContexts(conn, t.pool.options.DTLSRole == RoleClient)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dtls, t.inbound, t.outbound = conn, inbound, outbound
	return nil
}

func (t *transport) newDTLS() (*dtls.Conn, error) {
	shared := []dtls.Option{
		dtls.WithCertificates(t.pool.certificate),
		dtls.WithSRTPProtectionProfiles(dtls.SRTPProtectionProfile(t.pool.options.Profile)),
		dtls.WithInsecureSkipVerify(true), // the fingerprint is what is verified
		dtls.WithVerifyPeerCertificate(verifier(t.server.DTLSParameters.Fingerprints)),
		dtls.WithFlightInterval(flightInterval),
	}
	if t.pool.options.DTLSRole == RoleServer {
		options := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true)}
		for _, o := range shared {
			options = append(options, o)
		}
		return dtls.ServerWithOptions(t.feed, t.conn.RemoteAddr(), options...)
	}
	var options []dtls.ClientOption
	for _, o := range shared {
		options = append(options, o)
	}
	return dtls.ClientWithOptions(t.feed, t.conn.RemoteAddr(), options...)
}

// flightInterval is when a lost flight is repeated.
const flightInterval = 100 * time.Millisecond

// srtpContexts derives the contexts of both directions (RFC 5764 §4.2). There
// is no replay protection, so that a doubled packet is seen and counted.
func srtpContexts(conn *dtls.Conn, client bool) (inbound, outbound *srtp.Context, err error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	state, known := conn.ConnectionState()
	if !ok || !known {
		return nil, nil, errors.New("DTLS has not agreed on SRTP")
	}
	config := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := config.ExtractSessionKeysFromDTLS(&state, client); err != nil {
		return nil, nil, fmt.Errorf("export SRTP keys: %w", err)
	}
	k := config.Keys
	inbound, err = srtp.CreateContext(k.RemoteMasterKey, k.RemoteMasterSalt, config.Profile)
	if err == nil {
		outbound, err = srtp.CreateContext(k.LocalMasterKey, k.LocalMasterSalt, config.Profile)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("make SRTP contexts: %w", err)
	}
	return inbound, outbound, nil
}

// read takes in datagrams until the socket is closed.
func (t *transport) read() {
	defer close(t.ended)
	buffer, control := make([]byte, maxDatagram), make([]byte, ancillarySize)
	for {
		n, controlLen, _, _, err := t.conn.ReadMsgUDPAddrPort(buffer, control)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error of something that we sent
		}
		said := readAncillary(control[:controlLen], n)
		t.receive(buffer[:n], said.segment, said.instant(mono.Now()))
	}
}

// receive takes in the datagrams of one read, all of size bytes but the last.
func (t *transport) receive(data []byte, size int, now mono.Instant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(data) > 0 {
		n := min(size, len(data))
		t.receiveLocked(data[:n:n], now)
		data = data[n:]
	}
}

func (t *transport) receiveLocked(b []byte, now mono.Instant) {
	switch rtp.Classify(b) {
	case rtp.KindRTP:
		switch {
		case t.inbound == nil:
			t.counters.early++
		case t.parsed.Parse(b) != nil:
			t.counters.malformed++
		case t.media.rtp != nil:
			t.media.rtp(b, &t.parsed, now)
		}
	case rtp.KindRTCP:
		t.receiveRTCPLocked(b, now)
	case rtp.KindSTUN:
		t.checks.receive(b, now)
	case rtp.KindDTLS:
		t.feed.push(b)
	default:
		t.counters.malformed++
	}
}

func (t *transport) receiveRTCPLocked(b []byte, now mono.Instant) {
	if t.inbound == nil {
		t.counters.early++
		return
	}
	compound, err := t.inbound.DecryptRTCP(nil, b, nil)
	if err != nil {
		t.counters.undecryptable++
		return
	}
	t.media.rtcp(compound, now)
}

// decryptLocked decrypts an RTP packet in place.
func (t *transport) decryptLocked(b []byte) ([]byte, bool) {
	plain, err := t.inbound.DecryptRTP(b[:0], b, &t.header)
	if err != nil {
		t.counters.undecryptable++
		return nil, false
	}
	return plain, true
}

// sendRTPLocked encrypts an RTP packet in place, which needs 16 bytes of room
// behind it, and sends it.
func (t *transport) sendRTPLocked(b []byte) {
	encrypted, err := t.outbound.EncryptRTP(b[:0], b, &t.header)
	if err != nil {
		t.counters.malformed++
		return
	}
	t.writeLocked(encrypted)
}

// sendRTCPLocked encrypts a compound of RTCP packets and sends it; an empty
// one is none.
func (t *transport) sendRTCPLocked(compound []byte) {
	if len(compound) == 0 {
		return
	}
	encrypted, err := t.outbound.EncryptRTCP(nil, compound, nil)
	if err != nil {
		t.counters.malformed++
		return
	}
	t.writeLocked(encrypted)
}

// writeLocked sends a datagram. An error is that of the network: what a lost
// datagram means shows elsewhere.
func (t *transport) writeLocked(b []byte) {
	if _, err := t.conn.Write(b); err != nil {
		t.counters.writeErrors++
		return
	}
	t.counters.sent++
}

// tickLocked keeps consent.
func (t *transport) tickLocked(now mono.Instant) {
	if !t.checks.consentDue(now) {
		return
	}
	if request, err := t.checks.request(now); err == nil {
		t.writeLocked(request)
	}
}

// close says goodbye to DTLS, closes the socket and waits for the reader.
func (t *transport) close() error {
	t.mu.Lock()
	conn := t.dtls
	t.mu.Unlock()
	var err error
	if conn != nil {
		err = conn.Close()
	}
	err = errors.Join(err, t.feed.Close(), t.conn.Close())
	<-t.ended
	return err
}
