package sfu

import (
	"errors"
	"slices"
	"sync/atomic"

	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/tcp"
	"github.com/takoserver/takos-call/internal/udp"
)

// dest is where packets are sent to: a path of UDP, or a TCP connection.
type dest struct {
	udp udp.Dest
	tcp *tcp.Conn // nil: UDP
}

// send hands a run of packets of size bytes (the last may be shorter) to the
// kernel or to the connection's queue. What these do not take is lost, as on any
// network, and counted there.
func (sc *scratch) send(d *dest, run []byte, size int, class tcp.Class) {
	var err error
	if d.tcp != nil {
		err = d.tcp.Send(run, size, class)
	} else {
		err = sc.sender.Send(&d.udp, run, size)
	}
	if err != nil && !errors.Is(err, udp.ErrBufferFull) && !errors.Is(err, tcp.ErrQueueFull) {
		sc.drop(dropSend)
	}
}

// classOf is how c's media is treated where there is hardly room: what is heard
// goes before what is seen.
func (c *Consumer) classOf() tcp.Class {
	if c.video {
		return tcp.Bulk
	}
	return tcp.Vital
}

// holdBackLocked reports whether c gets nothing now, since what takes its
// transport's packets is slower than they come, and has c go on with a keyframe
// later.
// A receiver that is asked to wait for all that was missed would be late for
// ever. t.sendMu is held.
func (t *Transport) holdBackLocked(c *Consumer) bool {
	full := t.send.dest.tcp != nil && t.send.dest.tcp.Congested() || t.send.direct != nil && t.send.direct.full()
	if !full || !c.video {
		return false
	}
	c.rewrite.restart()
	return true
}

// connection is one TCP connection, on its way to being a tuple of a transport
// or one already. It is the [tcp.Receiver] of its connection.
type connection struct {
	// Constant.
	endpoint *endpoint
	conn     *tcp.Conn
	path     udp.Path // its two ends, in the packet path's form

	// transport is the one whose peer proved itself here first, nil before. A
	// connection is not shared: no browser does.
	transport atomic.Pointer[WebRTCTransport]

	strangers int // packets that came before the proof; the reading goroutine's
}

// maxUnproven is how many packets may come on a connection before one of them
// is a valid check.
const maxUnproven = 64

func (e *endpoint) accept(conn *tcp.Conn) tcp.Receiver {
	return &connection{endpoint: e, conn: conn, path: udp.Path{
		Remote: udp.AddrFrom(conn.Remote()), Local: udp.AddrFrom(conn.Local()),
	}}
}

// Receive does all that the packets ask for, with a worker that it borrows.
func (c *connection) Receive(packets [][]byte) {
	s := c.endpoint.server.sfu
	w := s.workers.Get().(*worker)
	w.endpoint, w.connection = c.endpoint, c
	for i, p := range packets {
		w.batch[i] = udp.Datagram{Data: p, Path: c.path}
	}
	w.takeBatch(s.now(), w.batch[:len(packets)])
	clear(w.batch[:len(packets)])
	w.endpoint, w.connection = nil, nil
	s.workers.Put(w)
	if c.transport.Load() == nil {
		if c.strangers += len(packets); c.strangers > maxUnproven {
			c.conn.Close()
		}
	}
}

// Closed takes the tuple of a connection that has ended from its transport.
func (c *connection) Closed() {
	t := c.transport.Load()
	if t == nil {
		return
	}
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	t.link.connections = slices.DeleteFunc(t.link.connections, func(other *connection) bool { return other == c })
	t.applyExpiryLocked(t.link.agent.Remove(c.tuple()), t.sfu.now())
}

func (c *connection) tuple() ice.Tuple {
	return ice.Tuple{Protocol: ice.TCP, Local: c.path.Local.AddrPort(), Remote: c.path.Remote.AddrPort()}
}

// proveLocked makes c one of t's paths, after a check was accepted. t.recvMu is
// held.
func (c *connection) proveLocked(t *WebRTCTransport) {
	if c.transport.CompareAndSwap(nil, t) {
		t.link.connections = append(t.link.connections, c)
		c.conn.Keep()
	}
}

// connectionLocked is the connection of a tuple, nil if it has ended. recvMu is
// held.
func (t *WebRTCTransport) connectionLocked(tuple ice.Tuple) *connection {
	for _, c := range t.link.connections {
		if c.tuple() == tuple {
			return c
		}
	}
	return nil
}

// destLocked is where what is sent along tuple goes; false if its connection has
// ended. recvMu is held.
func (t *WebRTCTransport) destLocked(tuple ice.Tuple) (dest, bool) {
	if tuple.Protocol == ice.UDP {
		if e := t.server.endpointAt(tuple.Local); e != nil {
			return dest{udp: e.sockets.Dest(pathOf(tuple))}, true
		}
		return dest{}, false
	}
	if c := t.connectionLocked(tuple); c != nil {
		return dest{tcp: c.conn}, true
	}
	return dest{}, false
}

// dropTupleLocked makes packets of a tuple that ICE has given up not be t's any
// more. recvMu is held.
func (t *WebRTCTransport) dropTupleLocked(tuple ice.Tuple) {
	if tuple.Protocol == ice.UDP {
		t.sfu.paths.remove(pathOf(tuple), t)
	} else if c := t.connectionLocked(tuple); c != nil {
		c.conn.Close() // Closed does the rest
	}
}

// closeConnections ends what is left of t's connections.
func (t *WebRTCTransport) closeConnections() {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	for _, c := range t.link.connections {
		c.conn.Close()
	}
}

// protocol is what the batch came over.
func (w *worker) protocol() ice.Protocol {
	if w.connection != nil {
		return ice.TCP
	}
	return ice.UDP
}

// mayCheck reports whether a check for t is taken from where the batch came: t
// has to be of that server and to allow the protocol, and a connection belongs to
// one transport.
func (w *worker) mayCheck(t *WebRTCTransport) bool {
	if t.server != w.endpoint.server {
		return false
	}
	if w.connection == nil {
		return !t.protocols.DisableUDP
	}
	owner := w.connection.transport.Load()
	return !t.protocols.DisableTCP && (owner == nil || owner == t)
}

// answerTo is where the answer to a packet of the batch goes.
func (w *worker) answerTo(path udp.Path) dest {
	if w.connection != nil {
		return dest{tcp: w.connection.conn}
	}
	return dest{udp: w.endpoint.sockets.Dest(path)}
}
