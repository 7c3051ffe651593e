package dtls

import (
	"context"
	"net"
	"os"
	"sync"
	"time"
)

// queueSize is how many datagrams wait for Pion. A flight has at most four; more wait
// only when the machine is overloaded, and then DTLS repeats what is dropped.
const queueSize = 16

// dataQueueSize is the same for a connection that carries data: the burst that a
// sender may have on its way where the round trip is short. What is dropped here looks
// like congestion to it.
const dataQueueSize = 256

// feed is the net.PacketConn that Pion reads and writes: a bounded queue of what
// Conn.Feed took in, and Options.Send.
//
// It honours read deadlines, since Pion interrupts its reader with them: without,
// a failed handshake would never return.
type feed struct {
	send  func([]byte) error
	queue chan []byte
	gate  chan struct{} // ReadFrom waits until it is closed

	mu        sync.Mutex
	deadline  chan struct{} // closed when the read deadline has passed
	timer     *time.Timer   // of the deadline
	deadlines int           // counts deadlines, so that an old timer knows that it is
	shut      chan struct{} // closed by halt and Close
	halted    bool          // shut is closed
	closed    bool          // by Pion
}

var _ net.PacketConn = (*feed)(nil)

func newFeed(send func([]byte) error, queueSize int) *feed {
	return &feed{
		send:     send,
		queue:    make(chan []byte, queueSize),
		gate:     make(chan struct{}),
		deadline: make(chan struct{}),
		shut:     make(chan struct{}),
	}
}

// open lets Pion read what is queued. It is called once.
func (f *feed) open() { close(f.gate) }

// push queues a datagram, which the feed then owns; when the queue is full it is lost.
func (f *feed) push(datagram []byte) {
	select {
	case f.queue <- datagram:
	default:
	}
}

// drain returns what nobody has read.
func (f *feed) drain() (datagrams [][]byte) {
	for {
		select {
		case d := <-f.queue:
			datagrams = append(datagrams, d)
		default:
			return datagrams
		}
	}
}

// ReadFrom implements net.PacketConn.
func (f *feed) ReadFrom(p []byte) (int, net.Addr, error) {
	f.mu.Lock()
	deadline := f.deadline
	f.mu.Unlock()
	if err := f.wait(f.gate, deadline); err != nil {
		return 0, nil, err
	}
	select {
	case d := <-f.queue:
		return copy(p, d), peer, nil
	case <-f.shut:
		return 0, nil, net.ErrClosed
	case <-deadline:
		return 0, nil, os.ErrDeadlineExceeded
	}
}

// wait returns nil when the gate is open, or why there is no point in passing it.
func (f *feed) wait(gate, deadline <-chan struct{}) error {
	select {
	case <-gate:
	case <-f.shut:
	case <-deadline:
	}
	select {
	case <-f.shut:
		return net.ErrClosed
	case <-deadline:
		return os.ErrDeadlineExceeded
	default:
		return nil
	}
}

// WriteTo implements net.PacketConn. A datagram that cannot be sent is a lost one,
// which DTLS repeats; an error would end the handshake.
func (f *feed) WriteTo(p []byte, _ net.Addr) (int, error) {
	f.mu.Lock()
	halted := f.halted
	f.mu.Unlock()
	if !halted {
		_ = f.send(p)
	}
	return len(p), nil
}

// listen waits until something ends the feed, or for the given time.
func (f *feed) listen(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.shut:
	case <-ctx.Done():
	}
}

// halt ends reading and writing for good, without a trace on the wire.
func (f *feed) halt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.halted {
		f.halted = true
		close(f.shut)
	}
	if f.timer != nil {
		f.timer.Stop()
	}
}

// Close implements net.PacketConn. Pion calls it when the connection has ended.
func (f *feed) Close() error {
	f.halt()
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	return nil
}

// closedByPeer reports whether Pion has closed the feed, which it does by itself only
// when the peer has closed the connection.
func (f *feed) closedByPeer() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// SetReadDeadline implements net.PacketConn.
func (f *feed) SetReadDeadline(t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deadlines++
	if f.timer != nil {
		f.timer.Stop()
		f.timer = nil
	}
	select {
	case <-f.deadline: // the old one has passed
		f.deadline = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return nil
	}
	if wait := time.Until(t); wait > 0 {
		this := f.deadlines
		f.timer = time.AfterFunc(wait, func() { f.pass(this) })
		return nil
	}
	close(f.deadline)
	return nil
}

// pass lets a deadline pass unless another was set meanwhile.
func (f *feed) pass(deadline int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deadlines == deadline {
		close(f.deadline)
	}
}

// SetWriteDeadline implements net.PacketConn; writes do not block.
func (f *feed) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline implements net.PacketConn.
func (f *feed) SetDeadline(t time.Time) error { return f.SetReadDeadline(t) }

// LocalAddr implements net.PacketConn.
func (f *feed) LocalAddr() net.Addr { return peer }

// peer stands for both ends: which tuple datagrams travel on is the transport's
// business and may change under a connection.
var peer net.Addr = address{}

type address struct{}

func (address) Network() string { return "transport" }
func (address) String() string  { return "transport" }
