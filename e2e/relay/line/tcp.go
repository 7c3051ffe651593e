package line

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/takoserver/takos-call/e2e/relay/link"
	"github.com/takoserver/takos-call/internal/mono"
)

// accept joins clients to the server by TCP.
func (l *Line) accept() {
	for {
		client, err := l.listener.AcceptTCP()
		if err != nil {
			return // closed: there is nothing else that ends a listener here
		}
		dialer := net.Dialer{Control: narrowly}
		server, err := dialer.DialTCP(context.Background(), "tcp", netip.AddrPort{}, l.options.Server)
		if err != nil {
			client.Close() // which says what there is to say: nobody listens there
			continue
		}
		if !l.join(client, server) {
			client.Close()
			server.Close()
			return
		}
	}
}

// join relays between two connections until one of them ends.
func (l *Line) join(client, server *net.TCPConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.connections[client], l.connections[server] = struct{}{}, struct{}{}
	l.running.Go(func() { l.pump(Up, client, server) })
	l.running.Go(func() { l.pump(Down, server, client) })
	return true
}

const (
	// window is what each end may have sent without our having read it, about. It
	// stands for the queue before a narrow line, whose losses would hold a sender
	// back; what the kernel offers by itself would be megabytes. What is only late
	// was read.
	window = 16 << 10
	// segment is the largest that is taken in, and what is read at once, so that a
	// narrow line does not stand still between.
	segment = 1460
	// inFlight is how many chunks may be on their way; then the sender has to
	// wait, as with a full window.
	inFlight = 256
)

// late is a chunk that is on its way.
type late struct {
	at   mono.Instant
	data []byte
}

// pump carries one way of a connection.
func (l *Line) pump(w Way, from, to *net.TCPConn) {
	way := make(chan late, inFlight)
	l.running.Go(func() {
		l.unload(way, to)
		l.part(from, to)
		for range way { // so that the reader never waits for us
		}
	})
	defer close(way)
	defer l.part(from, to)
	buffer := make([]byte, segment)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			c, ok := l.whenUp(w)
			if !ok {
				return
			}
			// A link that has a rate takes its time for each chunk.
			if c.Rate > 0 && !l.sleep(time.Duration(n*8)*time.Second/time.Duration(c.Rate)) {
				return
			}
			way <- late{mono.Now().Add(c.Delay), append([]byte(nil), buffer[:n]...)}
		}
		if err != nil {
			return
		}
	}
}

// unload writes chunks when they arrive.
func (l *Line) unload(way <-chan late, to *net.TCPConn) {
	for c := range way {
		if !l.sleep(c.at.Sub(mono.Now())) {
			return
		}
		if _, err := to.Write(c.data); err != nil {
			return
		}
	}
}

// part ends a pair of connections.
func (l *Line) part(a, b net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.connections, a)
	delete(l.connections, b)
	a.Close()
	b.Close()
}

// whenUp waits until the link is not down, and returns its conditions; ok is
// false when the line is closed.
func (l *Line) whenUp(w Way) (c link.Conditions, ok bool) {
	for {
		l.mu.Lock()
		c, changed := l.conditions[w], l.changed
		l.mu.Unlock()
		if !c.Down {
			return c, true
		}
		select {
		case <-changed:
		case <-l.closing:
			return c, false
		}
	}
}

// sleep returns false when the line is closed.
func (l *Line) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.closing:
		return false
	}
}
