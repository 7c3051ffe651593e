package server

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/takoserver/takos-call/internal/signal"
)

// A gate counts the connections of all listeners and closes those over the
// limits at once: a connection that waits for its turn looks to its client like
// a server that is down, and holds a descriptor as well. It counts those of each
// address too, so that no stranger can take all places.
type gate struct {
	// constant after openHTTP
	limit      int64
	perAddress int
	exempt     func(netip.Addr) bool // from perAddress: proxies, and this machine
	over       func(refused uint64)  // called now and then while connections are refused

	open atomic.Int64

	refusals signal.Seldom

	mu sync.Mutex
	of map[netip.Addr]int // guarded by mu: open connections by address
}

// guard returns l behind the gate.
func (g *gate) guard(l net.Listener) net.Listener { return gatedListener{l, g} }

// enter lets a connection of an address in, or refuses it.
func (g *gate) enter(from netip.Addr) bool {
	if g.open.Add(1) <= g.limit && g.countIn(from) {
		return true
	}
	g.open.Add(-1)
	g.refusals.Say(func(leftOut uint64) { g.over(leftOut + 1) })
	return false
}

func (g *gate) countIn(from netip.Addr) bool {
	if g.exempt(from) {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of[from] >= g.perAddress {
		return false
	}
	if g.of == nil {
		g.of = make(map[netip.Addr]int)
	}
	g.of[from]++
	return true
}

func (g *gate) leave(from netip.Addr) {
	g.open.Add(-1)
	if g.exempt(from) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of[from]--; g.of[from] <= 0 {
		delete(g.of, from)
	}
}

type gatedListener struct {
	net.Listener
	gate *gate
}

func (l gatedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, _ := netip.ParseAddrPort(c.RemoteAddr().String())
		if address := from.Addr().Unmap(); l.gate.enter(address) {
			return &gatedConn{Conn: c, gate: l.gate, from: address}, nil
		}
		_ = c.Close()
	}
}

type gatedConn struct {
	net.Conn
	gate *gate
	from netip.Addr
	once sync.Once
}

func (c *gatedConn) Close() error {
	c.once.Do(func() { c.gate.leave(c.from) })
	return c.Conn.Close()
}
