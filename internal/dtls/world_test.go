package dtls

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/dtls/v3"
	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/internal/pionlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Certificates are made once; tests that need two peers take both.
var certificateA, certificateB = mustCertificate(), mustCertificate()

func mustCertificate() *Certificate {
	c, err := NewCertificate()
	if err != nil {
		panic(err)
	}
	return c
}

// direction is one half of a simulated network, into one receiver. Its behaviour is
// changed from tests while packets fly.
type direction struct {
	mu      sync.Mutex
	receive func([]byte)
	delay   time.Duration
	sooner  time.Duration              // by how much each datagram is faster than the last
	lose    func(datagram []byte) bool // nil for never
	sent    [][]byte                   // all that was sent, lost or not
}

func (d *direction) send(datagram []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	datagram = append([]byte(nil), datagram...)
	d.sent = append(d.sent, datagram)
	if d.lose != nil && d.lose(datagram) {
		return errors.New("lost")
	}
	receive := d.receive
	time.AfterFunc(d.delay, func() { receive(datagram) })
	d.delay -= d.sooner
	return nil
}

func (d *direction) setLoss(lose func([]byte) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lose = lose
}

func (d *direction) datagrams() [][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([][]byte(nil), d.sent...)
}

func always([]byte) bool { return true }

// randomLoss loses that share of datagrams.
func randomLoss(seed uint64, share float64) func([]byte) bool {
	random := rand.New(rand.NewPCG(seed, 1))
	return func([]byte) bool { return random.Float64() < share }
}

// side is a connection under test with what it has reported.
type side struct {
	*Conn
	out *direction

	mu      sync.Mutex
	reports []State
	err     error
}

func (s *side) report(state State, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, state)
	if err != nil {
		s.err = err
	}
}

func (s *side) reported() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]State(nil), s.reports...)
}

func (s *side) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// newSide makes a connection that sends to nobody yet.
func newSide(o Options) *side {
	s := &side{out: &direction{delay: 10 * time.Millisecond, receive: func([]byte) {}}}
	if o.Certificate == nil {
		o.Certificate = certificateA
	}
	o.Send = s.out.send
	if o.StateChange == nil {
		o.StateChange = s.report
	}
	s.Conn = New(o)
	return s
}

// newPair joins two connections with a round trip of 20 ms.
func newPair(a, b Options) (*side, *side) {
	if b.Certificate == nil {
		b.Certificate = certificateB
	}
	left, right := newSide(a), newSide(b)
	left.out.receive, right.out.receive = right.Feed, left.Feed
	return left, right
}

func start(t *testing.T, s *side, role Role, remote []Fingerprint) {
	t.Helper()
	if err := s.Start(role, remote); err != nil {
		t.Fatal(err)
	}
}

// startPair starts a server a and a client b.
func startPair(t *testing.T, a, b *side) {
	t.Helper()
	start(t, a, RoleServer, b.options.Certificate.Fingerprints())
	start(t, b, RoleClient, a.options.Certificate.Fingerprints())
}

// settle lets virtual time pass until all that follows from now has happened.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func wantState(t *testing.T, s *side, want State) {
	t.Helper()
	if got := s.State(); got != want {
		t.Fatalf("state %s, want %s (%v)", got, want, s.failure())
	}
}

// connected returns a server and a client after their handshake.
func connected(t *testing.T, a, b Options) (*side, *side) {
	t.Helper()
	server, client := newPair(a, b)
	startPair(t, server, client)
	settle(time.Second)
	wantState(t, server, StateConnected)
	wantState(t, client, StateConnected)
	return server, client
}

func closeAll(sides ...*side) {
	for _, s := range sides {
		s.Close()
	}
}

// foreign is Pion's own connection as a peer, without anything of ours but the feed.
type foreign struct {
	out  *direction
	feed *feed
	conn *pion.Conn
	done chan error // of the handshake
}

// newForeign joins Pion to s. The options are Pion's.
func newForeign(t *testing.T, s *side, client bool, options ...pion.Option) *foreign {
	t.Helper()
	p := &foreign{out: &direction{delay: 10 * time.Millisecond, receive: s.Feed}, done: make(chan error, 1)}
	p.feed = newFeed(p.out.send, queueSize)
	s.out.receive = func(b []byte) { p.feed.push(b) }
	options = append([]pion.Option{
		pion.WithCertificates(certificateB.tls),
		pion.WithInsecureSkipVerify(true),
		pion.WithFlightInterval(100 * time.Millisecond),
		pion.WithLoggerFactory(pionlog.New(s.options.Logger, "DTLS")),
	}, options...)
	var err error
	if client {
		var list []pion.ClientOption
		for _, o := range options {
			list = append(list, o)
		}
		p.conn, err = pion.ClientWithOptions(p.feed, peer, list...)
	} else {
		list := []pion.ServerOption{pion.WithClientAuth(pion.RequireAnyClientCert)}
		for _, o := range options {
			list = append(list, o)
		}
		p.conn, err = pion.ServerWithOptions(p.feed, peer, list...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// begin begins Pion's handshake.
func (p *foreign) begin() {
	p.feed.open()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		p.done <- p.conn.HandshakeContext(ctx)
	}()
}
