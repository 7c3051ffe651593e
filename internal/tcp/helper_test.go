package tcp

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback4 = netip.MustParseAddr("127.0.0.1")

// patience is how long a test waits for what takes microseconds.
const patience = 20 * time.Second

// listen opens a server on loopback that is closed with the test.
func openServer(t testing.TB, o Options) *Server {
	t.Helper()
	if o.IPs == nil {
		o.IPs = []netip.Addr{loopback4}
	}
	s, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// A tap is a Receiver that passes on copies of what it gets.
type tap struct {
	conn    *Conn
	packets chan []byte
	closed  chan struct{}
	slow    chan struct{} // nil, or what each Receive waits for
}

func newTap(c *Conn) *tap {
	return &tap{conn: c, packets: make(chan []byte, 10_000), closed: make(chan struct{})}
}

func (r *tap) Receive(packets [][]byte) {
	for _, p := range packets {
		r.packets <- bytes.Clone(p)
	}
	if r.slow != nil {
		<-r.slow
	}
}

func (r *tap) Closed() { close(r.closed) }

// taps collects the receivers of a server.
type taps chan *tap

func (ts taps) accept(c *Conn) Receiver {
	r := newTap(c)
	ts <- r
	return r
}

// next is the receiver of the connection made last.
func (ts taps) next(t testing.TB) *tap {
	t.Helper()
	return receive(t, ts, "a connection")
}

func receive[T any](t testing.TB, from chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

func dial(t testing.TB, s *Server) *net.TCPConn {
	t.Helper()
	conn, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(netip.AddrPortFrom(loopback4, s.Port())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// frame is p as RFC 4571 sends it, by code of the test's own.
func frame(p []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...)
}

func readFrame(t testing.TB, r io.Reader) []byte {
	t.Helper()
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		t.Fatalf("reading a length: %v", err)
	}
	p := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(r, p); err != nil {
		t.Fatalf("reading a packet: %v", err)
	}
	return p
}

func write(t testing.TB, conn net.Conn, b []byte) {
	t.Helper()
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
}

// patterned is n bytes that show where they belong.
func patterned(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + seed)
	}
	return b
}

// pipeConn makes a connection over a pipe, on which a write waits for its
// reader; for virtual time.
func pipeConn(t testing.TB, s *Server, remote netip.AddrPort) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	s.serve(ours, netip.AddrPortFrom(loopback4, 1), remote)
	t.Cleanup(func() { theirs.Close() })
	return theirs
}

// ender waits for the ends of many connections.
type ender struct{ sync.WaitGroup }

func (e *ender) accept(*Conn) Receiver { e.Add(1); return (*endingReceiver)(e) }

type endingReceiver ender

func (*endingReceiver) Receive([][]byte) {}
func (e *endingReceiver) Closed()        { e.Done() }
