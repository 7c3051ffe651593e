package loadtest

import (
	"net"
	"os"
	"sync"
	"time"
)

// dtlsFeed is the net.PacketConn on which Pion runs DTLS: what the reading
// goroutine recognises as DTLS goes in, what Pion writes goes out. Pion ends a
// failed handshake with a read deadline, so those are honoured.
type dtlsFeed struct {
	write    func([]byte) (int, error)
	remote   net.Addr
	incoming chan []byte
	closed   chan struct{}

	mu       sync.Mutex
	closing  bool
	deadline chan struct{} // closed when it has passed
	timer    *time.Timer
}

var _ net.PacketConn = (*dtlsFeed)(nil)

// dtlsQueue holds the longest flight with room to spare; DTLS repeats what
// does not fit.
const dtlsQueue = 16

func newDTLSFeed(write func([]byte) (int, error), remote net.Addr) *dtlsFeed {
	return &dtlsFeed{
		write:    write,
		remote:   remote,
		incoming: make(chan []byte, dtlsQueue),
		closed:   make(chan struct{}),
		deadline: make(chan struct{}),
	}
}

// push hands a copy of datagram to Pion, or drops it when Pion is behind.
func (f *dtlsFeed) push(datagram []byte) {
	select {
	case f.incoming <- append([]byte(nil), datagram...):
	default:
	}
}

// ReadFrom implements net.PacketConn.
func (f *dtlsFeed) ReadFrom(p []byte) (int, net.Addr, error) {
	f.mu.Lock()
	deadline := f.deadline
	f.mu.Unlock()
	select {
	case <-deadline:
		return 0, nil, os.ErrDeadlineExceeded
	default:
	}
	select {
	case d := <-f.incoming:
		return copy(p, d), f.remote, nil
	case <-deadline:
		return 0, nil, os.ErrDeadlineExceeded
	case <-f.closed:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo implements net.PacketConn.
func (f *dtlsFeed) WriteTo(p []byte, _ net.Addr) (int, error) { return f.write(p) }

// Close implements net.PacketConn.
func (f *dtlsFeed) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closing {
		f.closing = true
		close(f.closed)
		f.stopTimerLocked()
	}
	return nil
}

// LocalAddr implements net.PacketConn.
func (f *dtlsFeed) LocalAddr() net.Addr { return f.remote }

// SetDeadline implements net.PacketConn.
func (f *dtlsFeed) SetDeadline(t time.Time) error { return f.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn. Reads that wait already see a
// deadline that is brought forward, which is all that Pion needs.
func (f *dtlsFeed) SetReadDeadline(t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopTimerLocked()
	select {
	case <-f.deadline:
		f.deadline = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return nil
	}
	passed := f.deadline
	if wait := time.Until(t); wait > 0 {
		f.timer = time.AfterFunc(wait, func() { f.pass(passed) })
		return nil
	}
	close(passed)
	return nil
}

// pass ends the wait for a deadline, unless there is a newer one.
func (f *dtlsFeed) pass(deadline chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.timer == nil || deadline != f.deadline {
		return
	}
	f.timer = nil
	close(deadline)
}

func (f *dtlsFeed) stopTimerLocked() {
	if f.timer != nil {
		f.timer.Stop()
		f.timer = nil
	}
}

// SetWriteDeadline implements net.PacketConn; writes do not wait.
func (f *dtlsFeed) SetWriteDeadline(time.Time) error { return nil }
