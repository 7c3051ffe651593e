package tcp

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// farewell is how long a closed connection has to send what was queued before:
// the goodbye of DTLS.
const farewell = 500 * time.Millisecond

// Conn is one connection.
type Conn struct {
	// Constant after newConn.
	server        *Server
	conn          net.Conn
	local, remote netip.AddrPort
	out           queue

	proven atomic.Bool // changes under server.mu
	ending sync.Once
}

func newConn(s *Server, conn net.Conn, local, remote netip.AddrPort) *Conn {
	c := &Conn{server: s, conn: conn, local: local, remote: remote}
	c.out.init(s.options.QueueBytes, s.options.QueueDelay, directWriter(conn))
	return c
}

// Local is our end of the connection.
func (c *Conn) Local() netip.AddrPort { return c.local }

// Remote is the other end.
func (c *Conn) Remote() netip.AddrPort { return c.remote }

// Keep says that the other end has proven itself: the connection stays until
// somebody closes it.
func (c *Conn) Keep() {
	if !c.proven.Load() {
		c.server.prove(c)
	}
}

// Send queues run as consecutive packets of segmentSize bytes, of which the last
// may be shorter: all of it or, with an error, nothing. It never waits. Errors:
// ErrQueueFull, ErrPacketSize, net.ErrClosed.
func (c *Conn) Send(run []byte, segmentSize int, class Class) error {
	if len(run) == 0 || segmentSize <= 0 || min(segmentSize, len(run)) > 0xffff {
		return ErrPacketSize
	}
	err := c.out.put(mono.Now(), run, segmentSize, class)
	n := uint64(packetsOf(run, segmentSize))
	switch err {
	case nil:
		c.server.sent.packets.Add(n)
		c.server.sent.bytes.Add(uint64(len(run)))
	case ErrQueueFull:
		c.server.queueFull.Add(n)
	}
	return err
}

// Congested reports whether Bulk is refused: something was, and the queue has
// not drained since.
func (c *Conn) Congested() bool { return c.out.congested.Load() }

// Close ends the connection once what is queued was sent, at the latest after
// half a second. It returns at once.
func (c *Conn) Close() {
	c.ending.Do(func() {
		c.out.end()
		// It may have to interrupt a write; an error means that it is closed.
		_ = c.conn.SetWriteDeadline(time.Now().Add(farewell))
	})
}

// abort ends the connection at once.
func (c *Conn) abort() {
	c.ending.Do(c.out.end)
	_ = c.conn.Close() // whose errors would tell nothing
}

// reset ends a stranger's connection at once and without a trace: closed in
// the usual way it would occupy the kernel for another minute (TIME_WAIT).
func (c *Conn) reset() {
	if conn, ok := c.conn.(*net.TCPConn); ok {
		_ = conn.SetLinger(0)
	}
	c.abort()
}

// run reads until the connection ends.
func (c *Conn) run() {
	var writer sync.WaitGroup
	writer.Go(func() {
		_ = c.out.drain(c.conn) // however it ended, so does the connection
		c.abort()
	})
	receiver := c.server.options.Accept(c)
	c.read(receiver)
	c.abort()
	writer.Wait()
	receiver.Closed()
}

// read hands what arrives to receiver, until there is nothing more or it is not
// made of frames.
func (c *Conn) read(receiver Receiver) {
	buffer, packets := make([]byte, readSize), make([][]byte, 0, maxBatch)
	filled := 0
	for {
		n, err := c.conn.Read(buffer[filled:])
		filled += n
		used, ok := c.receive(receiver, buffer[:filled], packets)
		if !ok || err != nil {
			return
		}
		filled = copy(buffer, buffer[used:filled])
	}
}

// receive hands over the packets that b begins with, and returns how many bytes
// they took.
func (c *Conn) receive(receiver Receiver, b []byte, packets [][]byte) (used int, ok bool) {
	for {
		batch, n, err := splitFrames(b[used:], packets)
		if len(batch) > 0 {
			c.server.received.add(batch)
			receiver.Receive(batch)
		}
		used += n
		if err != nil {
			c.server.malformed.Add(1)
			return used, false
		}
		if n == 0 {
			return used, true
		}
	}
}
