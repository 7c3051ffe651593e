package sctp

import (
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/sctp"
	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/internal/pionlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire is one direction of a simulated network; packets keep their order.
type wire struct {
	delay   time.Duration
	deliver func([]byte)

	mu   sync.Mutex
	lose func([]byte) bool // nil for never
	in   chan flying
	done chan struct{}
}

type flying struct {
	due    time.Time
	packet []byte
}

func newWire(deliver func([]byte)) *wire {
	w := &wire{delay: 10 * time.Millisecond, deliver: deliver, in: make(chan flying, 1<<16), done: make(chan struct{})}
	go w.run()
	return w
}

func (w *wire) run() {
	defer close(w.done)
	for f := range w.in {
		time.Sleep(time.Until(f.due))
		w.deliver(f.packet)
	}
}

func (w *wire) send(packet []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.in == nil || (w.lose != nil && w.lose(packet)) {
		return io.ErrClosedPipe
	}
	w.in <- flying{time.Now().Add(w.delay), append([]byte(nil), packet...)}
	return nil
}

func (w *wire) setLoss(lose func([]byte) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = lose
}

func (w *wire) close() {
	w.mu.Lock()
	close(w.in)
	w.in = nil
	w.mu.Unlock()
	<-w.done
}

func randomLoss(seed uint64, share float64) func([]byte) bool {
	random := rand.New(rand.NewPCG(seed, 1))
	return func([]byte) bool { return random.Float64() < share }
}

// received is a message as it was told of.
type received struct {
	stream uint16
	ppid   PPID
	data   string
}

// world is an association under test and Pion as its peer.
type world struct {
	t       *testing.T
	a       *Association
	toPeer  *wire
	toUs    *wire
	conn    *peerConn
	peer    *pion.Association
	options []pion.ClientOption // of the peer

	mu       sync.Mutex
	messages []received
	states   []State
	err      error
	resets   []uint16
	lows     []uint16
}

// newWorld makes an association; nothing is sent yet.
func newWorld(t *testing.T, o Options) *world {
	w := &world{t: t}
	w.conn = newPeerConn(func(b []byte) error { return w.toUs.send(b) })
	w.toPeer = newWire(w.conn.push)
	if o.Message == nil {
		o.Message = w.message
	}
	o.Write = w.toPeer.send
	o.StateChange = func(s State, err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.states, w.err = append(w.states, s), err
	}
	o.Reset = func(id uint16) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.resets = append(w.resets, id)
	}
	o.BufferedAmountLow = func(id uint16, _ int) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lows = append(w.lows, id)
	}
	w.a = New(o)
	w.toUs = newWire(w.a.Feed)
	return w
}

func (w *world) message(m Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.messages = append(w.messages, received{m.Stream, m.PPID, string(m.Data)})
}

// take returns the messages since the last call.
func (w *world) take() []received {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.messages
	w.messages = nil
	return list
}

func (w *world) read(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// connect makes the peer begin, and waits.
func (w *world) connect() *world {
	w.t.Helper()
	options := append([]pion.ClientOption{
		pion.WithNetConn(w.conn), pion.WithLoggerFactory(pionlog.New(w.a.options.Logger, "SCTP")),
		pion.WithMaxMessageSize(1 << 20), pion.WithEnableZeroChecksum(true),
		pion.WithMaxReceiveBufferSize(1 << 26), pion.WithRTOMax(float64(maxRetransmitTimeout.Milliseconds())),
	}, w.options...)
	peer, err := pion.ClientWithOptions(options...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.peer = peer
	synctest.Wait()
	return w
}

// close ends everything, for synctest to see that nothing is left.
func (w *world) close() {
	w.a.Close()
	w.conn.Close()
	if w.peer != nil {
		_ = w.peer.Close()
	}
	w.toUs.close()
	w.toPeer.close()
}

func (w *world) stream(id uint16) *pion.Stream {
	w.t.Helper()
	s, err := w.peer.OpenStream(id, pion.PayloadTypeWebRTCBinary)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) peerSends(s *pion.Stream, ppid PPID, data string) {
	w.t.Helper()
	if _, err := s.WriteSCTP([]byte(data), pion.PayloadProtocolIdentifier(ppid)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) send(stream uint16, data string) {
	w.t.Helper()
	if err := w.a.Send(Message{stream, PPIDBinary, []byte(data)}, 0); err != nil {
		w.t.Fatal(err)
	}
}

// peerReads returns the next message that the peer has got, and fails where there is
// none within a minute of virtual time.
func (w *world) peerReads(s *pion.Stream) string {
	w.t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(time.Minute))
	defer func() { _ = s.SetReadDeadline(time.Time{}) }() // which has a goroutine
	b := make([]byte, 1<<20)
	n, _, err := s.ReadSCTP(b)
	if err != nil {
		w.t.Fatalf("the peer's read: %v", err)
	}
	return string(b[:n])
}

// settle lets virtual time pass.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// peerConn is the peer's net.Conn.
type peerConn struct {
	out  func([]byte) error
	in   chan []byte
	shut chan struct{}
	once sync.Once
}

func newPeerConn(out func([]byte) error) *peerConn {
	return &peerConn{out: out, in: make(chan []byte, 1<<16), shut: make(chan struct{})}
}

func (c *peerConn) push(b []byte) {
	select {
	case c.in <- b:
	case <-c.shut:
	}
}

func (c *peerConn) Read(p []byte) (int, error) {
	select {
	case b := <-c.in:
		return copy(p, b), nil
	case <-c.shut:
		return 0, net.ErrClosed
	}
}

func (c *peerConn) Write(p []byte) (int, error) {
	_ = c.out(p)
	return len(p), nil
}

func (c *peerConn) Close() error {
	c.once.Do(func() { close(c.shut) })
	return nil
}

func (c *peerConn) LocalAddr() net.Addr              { return address{} }
func (c *peerConn) RemoteAddr() net.Addr             { return address{} }
func (c *peerConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (c *peerConn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (c *peerConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
