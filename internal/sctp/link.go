package sctp

import (
	"net"
	"sync"
	"time"
)

// linkQueue is how many packets wait for Pion's reader. A full queue holds up the
// caller of Feed, behind which packets are lost, as the peer can tell.
const linkQueue = 64

// maxPacket is more than any packet that comes in a datagram.
const maxPacket = 2048

// link is the net.Conn that Pion reads and writes: what Feed took in, and
// Options.Write.
//
// Pion's reader comes back to Read when it has worked off a packet, and holds no lock
// then. So Read is where an association looks at what a packet has brought, on that
// goroutine: Pion's own way is a goroutine per stream that waits for messages.
type link struct {
	write  func([]byte) error
	idle   func()             // looks at what the packet before has brought
	accept func([]byte) error // looks at a packet that comes; an error ends the link
	pass   func([]byte) bool  // whether Pion is to see it
	sent   func([]byte)       // looks at a packet that goes

	in   chan []byte
	free chan []byte   // buffers of in, to be used again
	poke chan struct{} // makes Read call idle
	shut chan struct{} // closed by Close

	mu     sync.RWMutex // held by writers, so that none is left after Close
	closed bool
	err    error // why accept has ended the link
}

var _ net.Conn = (*link)(nil)

func newLink(write func([]byte) error) *link {
	return &link{
		write: write,
		in:    make(chan []byte, linkQueue),
		free:  make(chan []byte, linkQueue),
		poke:  make(chan struct{}, 1),
		shut:  make(chan struct{}),
	}
}

// feed passes a copy of a packet to the reader, and waits while it is behind.
func (l *link) feed(packet []byte) {
	select {
	case l.in <- append(l.buffer(), packet...):
	case <-l.shut:
	}
}

// offer is feed that does not wait.
func (l *link) offer(packet []byte) {
	buffer := l.buffer()
	select {
	case l.in <- append(buffer, packet...):
	default:
		l.giveBack(buffer)
	}
}

// buffer is an empty one, with room for a packet.
func (l *link) buffer() []byte {
	select {
	case b := <-l.free:
		return b[:0]
	default:
		return make([]byte, 0, maxPacket)
	}
}

func (l *link) giveBack(b []byte) {
	select {
	case l.free <- b:
	default:
	}
}

// Read implements net.Conn.
func (l *link) Read(p []byte) (int, error) {
	l.idle()
	for {
		select {
		case <-l.shut:
			return 0, net.ErrClosed
		case <-l.poke:
			l.idle()
		case packet := <-l.in:
			n := 0
			if l.pass(packet) {
				if err := l.accept(packet); err != nil {
					l.fail(err)
					return 0, err
				}
				n = copy(p, packet)
			}
			l.giveBack(packet)
			if n > 0 {
				return n, nil
			}
		}
	}
}

// nudge makes a reader that waits call idle.
func (l *link) nudge() {
	select {
	case l.poke <- struct{}{}:
	default:
	}
}

// Write implements net.Conn. A packet that cannot be sent is a lost one.
func (l *link) Write(p []byte) (int, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return 0, net.ErrClosed
	}
	l.sent(p)
	_ = l.write(p)
	return len(p), nil
}

// fail remembers why the link ends.
func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// failure is why the link has ended, nil if that was no fault of the peer.
func (l *link) failure() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.err
}

// Close implements net.Conn. It waits for writers.
func (l *link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.shut)
	}
	return nil
}

// LocalAddr implements net.Conn.
func (l *link) LocalAddr() net.Addr { return address{} }

// RemoteAddr implements net.Conn.
func (l *link) RemoteAddr() net.Addr { return address{} }

// SetDeadline implements net.Conn. Pion sets deadlines only for Abort, which is not
// used.
func (l *link) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn; see SetDeadline.
func (l *link) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn; see SetDeadline.
func (l *link) SetWriteDeadline(time.Time) error { return nil }

type address struct{}

func (address) Network() string { return "dtls" }
func (address) String() string  { return "dtls" }
