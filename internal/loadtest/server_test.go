package loadtest

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	pionrtp "github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v3"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// server is as much of an SFU as the clients need for a test: transports with
// ICE-lite, DTLS and SRTP of Pion's, and forwarding with nothing but a new
// SSRC. It is its own signalling.
type server struct {
	t           *testing.T
	certificate tls.Certificate
	password    string // of all transports
	refuse      bool   // answer connectivity checks with an error

	mu        sync.Mutex
	ids       int
	ends      map[string]*end
	producers map[string]*produced
	// forward decides what becomes of a packet: it returns those to forward
	// instead. nil forwards it as it is. Called with mu held.
	forward func(packet []byte) [][]byte
	// keepRTX forwards streams of retransmissions too.
	keepRTX bool

	fromSender   chan []byte // decrypted, of send transports
	rtcpReceived chan []byte // decrypted compounds, of all
	goodbyes     chan string // ids of transports that said close_notify
}

// produced is a producer with its consumers.
type produced struct {
	parameters ortc.RTPParameters
	kind       ortc.MediaKind
	from       *end
	consumers  []*consumed
}

type consumed struct {
	to            *end
	ssrc, rtxSSRC uint32
}

// end is the server's end of a transport.
type end struct {
	server *server
	id     string
	ufrag  string
	send   bool // the client sends
	conn   *net.UDPConn
	ended  sync.WaitGroup

	secured chan struct{} // closed when SRTP works

	mu       sync.Mutex
	remote   *net.UDPAddr
	feed     *dtlsFeed
	dtls     *dtls.Conn
	inbound  *srtp.Context
	outbound *srtp.Context
}

func newServer(t *testing.T) *server {
	t.Helper()
	c, _, err := certificate()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		t: t, certificate: c, password: "a-password-that-is-long-enough",
		ends: map[string]*end{}, producers: map[string]*produced{},
		fromSender: make(chan []byte, 10_000), rtcpReceived: make(chan []byte, 10_000), goodbyes: make(chan string, 1000),
	}
	t.Cleanup(s.close)
	return s
}

func (s *server) close() {
	s.mu.Lock()
	ends := s.ends
	s.ends = nil
	s.mu.Unlock()
	for _, e := range ends {
		e.close()
	}
}

func (e *end) close() {
	e.mu.Lock()
	conn := e.dtls
	feed := e.feed
	e.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
	if feed != nil {
		feed.Close()
	}
	e.conn.Close()
	e.ended.Wait()
}

// id makes a new one.
func (s *server) id(prefix string) string {
	s.ids++
	return fmt.Sprintf("%s-%d", prefix, s.ids)
}

// CreateTransport implements TransportSignalling.
func (s *server) CreateTransport(_ context.Context, d Direction) (TransportInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return TransportInfo{}, err
	}
	id := s.id("transport")
	e := &end{server: s, id: id, ufrag: "ufrag" + id, send: d == Send, conn: conn, secured: make(chan struct{})}
	s.ends[id] = e
	e.ended.Go(e.read)
	hash := fingerprint(fingerprintHashes["sha-512"], s.certificate.Certificate[0])
	return TransportInfo{
		ID:            id,
		ICEParameters: ICEParameters{UsernameFragment: e.ufrag, Password: s.password, ICELite: true},
		ICECandidates: []ICECandidate{
			{Address: "127.0.0.1", Port: 9, Protocol: "udp", Priority: 1},
			{Address: "127.0.0.1", Port: 9, Protocol: "tcp", Priority: 300},
			{IP: "127.0.0.1", Port: uint16(conn.LocalAddr().(*net.UDPAddr).Port), Protocol: "udp", Priority: 200},
		},
		DTLSParameters: DTLSParameters{Role: "auto", Fingerprints: []DTLSFingerprint{
			{Algorithm: "md2", Value: "00"}, {Algorithm: "SHA-512", Value: strings.ToLower(hash)},
		}},
	}, nil
}

// ConnectTransport implements TransportSignalling.
func (s *server) ConnectTransport(_ context.Context, id string, p DTLSParameters) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.ends[id]
	if e == nil {
		return errors.New("no such transport")
	}
	e.ended.Go(func() { e.secure(p) })
	return nil
}

// Produce implements SendSignalling.
func (s *server) Produce(ctx context.Context, id string, kind ortc.MediaKind, p ortc.RTPParameters) (string, error) {
	s.mu.Lock()
	e := s.ends[id]
	s.mu.Unlock()
	select {
	case <-e.secured: // or the first packets would be lost
	case <-ctx.Done():
		return "", ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ortc.ValidateRTPParameters(&p); err != nil {
		return "", err
	}
	producerID := s.id("producer")
	s.producers[producerID] = &produced{parameters: p, kind: kind, from: e}
	return producerID, nil
}

// Consume implements ReceiveSignalling.
func (s *server) Consume(_ context.Context, id, producerID string) (ConsumerInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, e := s.producers[producerID], s.ends[id]
	if p == nil || e == nil {
		return ConsumerInfo{}, errors.New("no such producer or transport")
	}
	consumerID := s.id("consumer")
	c := &consumed{to: e, ssrc: uint32(1000 + s.ids), rtxSSRC: uint32(5000 + s.ids)}
	p.consumers = append(p.consumers, c)
	parameters := p.parameters.Clone()
	parameters.Encodings = []ortc.RTPEncodingParameters{{SSRC: c.ssrc, RTX: &ortc.RTXParameters{SSRC: c.rtxSSRC}}}
	return ConsumerInfo{ID: consumerID, ProducerID: producerID, Kind: p.kind, RTPParameters: parameters}, nil
}

// read answers checks and hands out the rest.
func (e *end) read() {
	buffer := make([]byte, 2048)
	for {
		n, from, err := e.conn.ReadFromUDP(buffer)
		if err != nil {
			return
		}
		b := append([]byte(nil), buffer[:n]...)
		switch rtp.Classify(b) {
		case rtp.KindSTUN:
			e.answer(b, from)
		case rtp.KindDTLS:
			e.mu.Lock()
			feed := e.feed
			e.mu.Unlock()
			if feed != nil {
				feed.push(b)
			}
		case rtp.KindRTP:
			e.receiveRTP(b)
		case rtp.KindRTCP:
			e.mu.Lock()
			compound, err := e.inbound.DecryptRTCP(nil, b, nil)
			e.mu.Unlock()
			if err == nil {
				e.server.rtcpReceived <- compound
			}
		}
	}
}

// answer checks a Binding request as RFC 8445 §7.3 wants it.
func (e *end) answer(b []byte, from *net.UDPAddr) {
	m := &stun.Message{Raw: b}
	var username stun.Username
	integrity := stun.NewShortTermIntegrity(e.server.password)
	failed := errors.Join(m.Decode(), username.GetFrom(m), integrity.Check(m), stun.Fingerprint.Check(m))
	switch {
	case failed != nil:
		return // as from a stranger
	case !strings.HasPrefix(username.String(), e.ufrag+":"),
		!m.Contains(stun.AttrPriority), !m.Contains(stun.AttrICEControlling), !m.Contains(stun.AttrUseCandidate):
		e.server.t.Errorf("a check with attributes %v", m.Attributes)
		return
	}
	e.mu.Lock()
	e.remote = from
	e.mu.Unlock()
	setters := []stun.Setter{stun.NewTransactionIDSetter(m.TransactionID)}
	if e.server.refuse {
		setters = append(setters, stun.BindingError, stun.CodeForbidden)
	} else {
		setters = append(setters, stun.BindingSuccess, &stun.XORMappedAddress{IP: from.IP, Port: from.Port})
	}
	reply, err := stun.Build(append(setters, integrity, stun.Fingerprint)...)
	if err != nil {
		e.server.t.Error(err)
		return
	}
	e.conn.WriteToUDP(reply.Raw, from)
}

// secure runs DTLS in the role that the client leaves.
func (e *end) secure(p DTLSParameters) {
	write := func(b []byte) (int, error) {
		e.mu.Lock()
		to := e.remote
		e.mu.Unlock()
		if to == nil {
			return len(b), nil // not yet known: lost
		}
		return e.conn.WriteToUDP(b, to)
	}
	feed := newDTLSFeed(write, e.conn.LocalAddr())
	e.mu.Lock()
	e.feed = feed
	e.mu.Unlock()
	conn, err := e.newDTLS(feed, p)
	if err != nil {
		e.server.t.Error(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		conn.Close()
		return // the client's test says whether that is as it should be
	}
	inbound, outbound, err := srtpContexts(conn, p.Role == RoleServer)
	if err != nil {
		e.server.t.Error(err)
		return
	}
	e.mu.Lock()
	e.dtls, e.inbound, e.outbound = conn, inbound, outbound
	e.mu.Unlock()
	close(e.secured)
	conn.Read(make([]byte, 1)) // ends with the client's close_notify
	e.server.goodbyes <- e.id
}

func (e *end) newDTLS(feed *dtlsFeed, p DTLSParameters) (*dtls.Conn, error) {
	shared := []dtls.Option{
		dtls.WithCertificates(e.server.certificate), dtls.WithInsecureSkipVerify(true),
		dtls.WithVerifyPeerCertificate(verifier(p.Fingerprints)), dtls.WithFlightInterval(flightInterval),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
	}
	if p.Role == RoleServer {
		var options []dtls.ClientOption
		for _, o := range shared {
			options = append(options, o)
		}
		return dtls.ClientWithOptions(feed, e.conn.LocalAddr(), options...)
	}
	options := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert)}
	for _, o := range shared {
		options = append(options, o)
	}
	return dtls.ServerWithOptions(feed, e.conn.LocalAddr(), options...)
}

// receiveRTP decrypts a packet, records and forwards it.
func (e *end) receiveRTP(b []byte) {
	e.mu.Lock()
	if e.inbound == nil {
		e.mu.Unlock()
		return
	}
	plain, err := e.inbound.DecryptRTP(nil, b, nil)
	e.mu.Unlock()
	if err != nil {
		e.server.t.Errorf("a packet cannot be decrypted: %v", err)
		return
	}
	select {
	case e.server.fromSender <- plain:
	default: // nobody looks
	}
	e.server.distribute(e, plain)
}

func (s *server) distribute(from *end, packet []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	packets := [][]byte{packet}
	if s.forward != nil {
		packets = s.forward(packet)
	}
	for _, packet := range packets {
		for _, p := range s.producers {
			encoding := p.parameters.Encodings[0]
			ssrc := binary.BigEndian.Uint32(packet[8:])
			for _, c := range p.consumers {
				switch {
				case p.from != from:
				case ssrc == encoding.SSRC:
					c.to.sendRTP(packet, c.ssrc)
				case s.keepRTX && encoding.RTX != nil && ssrc == encoding.RTX.SSRC:
					c.to.sendRTP(packet, c.rtxSSRC)
				}
			}
		}
	}
}

// sendRTP sends a packet with another SSRC.
func (e *end) sendRTP(packet []byte, ssrc uint32) {
	b := append([]byte(nil), packet...)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.outbound == nil {
		return
	}
	encrypted, err := e.outbound.EncryptRTP(nil, b, &pionrtp.Header{})
	if err != nil {
		e.server.t.Error(err)
		return
	}
	e.conn.WriteToUDP(encrypted, e.remote)
}

// sendRTCP sends a compound to every client of the direction.
func (s *server) sendRTCP(toSenders bool, compound []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.ends {
		e.mu.Lock()
		if e.send == toSenders && e.outbound != nil {
			encrypted, err := e.outbound.EncryptRTCP(nil, compound, nil)
			if err != nil {
				s.t.Error(err)
			}
			e.conn.WriteToUDP(encrypted, e.remote)
		}
		e.mu.Unlock()
	}
}

// patience bounds every wait for what must happen.
const patience = 10 * time.Second

func withPatience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func newPool(t *testing.T, o Options) *Pool {
	t.Helper()
	p, err := NewPool(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// await polls until the condition holds: the counters of a client have no
// other way to tell.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, patience)
		}
		time.Sleep(time.Millisecond)
	}
}
