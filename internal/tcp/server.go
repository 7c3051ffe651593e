package tcp

import (
	"container/list"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/takoserver/takos-call/internal/address"
)

// Server is a set of listeners, all on one port, and their connections.
type Server struct {
	// Constant after Listen.
	options   Options
	port      uint16
	listeners []net.Listener

	running sync.WaitGroup // listeners and connections
	counters

	mu        sync.Mutex              // a leaf; guards the following
	conns     map[*Conn]*list.Element // all, with the place among unproven or nil
	unproven  list.List               // of *Conn, the oldest first
	addresses map[netip.Prefix]int    // connections by network
	strangers map[netip.Prefix]int    // of them, unproven ones
	closed    bool
}

// portAttempts bounds the search for a port that is free on every address.
const portAttempts = 32

// Listen opens the port and starts to accept connections. When it fails nothing
// stays open, and the error names the address and port and what would help.
func Listen(o Options) (*Server, error) {
	if len(o.IPs) == 0 {
		return nil, errors.New("listen on TCP: no address given; use 0.0.0.0 or :: for all")
	}
	s := newServer(o)
	for attempt := 1; ; attempt++ {
		err := s.open()
		if err == nil {
			break
		}
		retry := o.Port == 0 && errors.Is(err, syscall.EADDRINUSE) && attempt < portAttempts
		if !retry {
			return nil, err
		}
	}
	for _, l := range s.listeners {
		s.running.Go(func() { s.accept(l) })
	}
	return s, nil
}

func newServer(o Options) *Server {
	return &Server{
		options: o.withDefaults(), conns: map[*Conn]*list.Element{},
		strangers: map[netip.Prefix]int{}, addresses: map[netip.Prefix]int{},
	}
}

// open opens all listeners, or none.
func (s *Server) open() error {
	s.port, s.listeners = s.options.Port, nil
	for _, ip := range s.options.IPs {
		l, err := listen(netip.AddrPortFrom(ip.Unmap(), s.port), s.options.DualStack && ip.IsUnspecified())
		if err != nil {
			s.closeListeners()
			return address.ExplainBind("TCP", netip.AddrPortFrom(ip, s.port), err)
		}
		s.listeners = append(s.listeners, l)
		s.port = l.Addr().(*net.TCPAddr).AddrPort().Port()
	}
	return nil
}

func listen(at netip.AddrPort, dual bool) (net.Listener, error) {
	network := "tcp6" // without IPv4, even for ::
	switch {
	case at.Addr().Is4():
		network = "tcp4"
	case dual:
		network = "tcp"
	}
	// Consent checks of ICE are what keeps a connection alive.
	config := net.ListenConfig{KeepAlive: -1}
	return config.Listen(context.Background(), network, at.String())
}

// Port returns the port of all listeners.
func (s *Server) Port() uint16 { return s.port }

// Close ends the listeners and every connection, and waits for their
// goroutines. It must not be called from a Receiver.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	open := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		open = append(open, c)
	}
	s.mu.Unlock()
	s.closeListeners()
	for _, c := range open {
		c.Close()
	}
	s.running.Wait()
}

func (s *Server) closeListeners() {
	for _, l := range s.listeners {
		_ = l.Close()
	}
}

const (
	firstAcceptPause = 5 * time.Millisecond
	lastAcceptPause  = time.Second
)

// accept takes connections until l is closed. An error of one, mostly too many
// open files, passes.
func (s *Server) accept(l net.Listener) {
	pause := firstAcceptPause
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = firstAcceptPause
			s.admit(conn.(*net.TCPConn))
		case errors.Is(err, net.ErrClosed):
			return
		default:
			s.options.Logger.Warn("accepting TCP connections for media", slog.Any("error", err))
			time.Sleep(pause)
			pause = min(2*pause, lastAcceptPause)
		}
	}
}

func (s *Server) admit(conn *net.TCPConn) {
	local := conn.LocalAddr().(*net.TCPAddr).AddrPort()
	remote := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	tune(conn)
	s.setBuffers(conn)
	s.serve(conn, unmapped(local), unmapped(remote))
}

// setBuffers asks for buffers; what the system thinks of it does not count.
func (s *Server) setBuffers(conn *net.TCPConn) {
	if n := s.options.ReceiveBuffer; n > 0 {
		_ = conn.SetReadBuffer(n)
	}
	if n := s.options.SendBuffer; n > 0 {
		_ = conn.SetWriteBuffer(n)
	}
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// serve makes a connection of conn unless there are too many.
func (s *Server) serve(conn net.Conn, local, remote netip.AddrPort) {
	c := newConn(s, conn, local, remote)
	if !s.enter(c) {
		s.refused.Add(1)
		c.reset()
		return
	}
	s.accepted.Add(1)
	s.running.Go(func() {
		defer s.leave(c)
		c.run()
	})
}
