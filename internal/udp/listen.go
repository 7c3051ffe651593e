package udp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"github.com/takoserver/takos-call/internal/address"
)

// Server is a set of open sockets, all on one port.
type Server struct {
	// Constant after Listen.
	groups  []group
	readers []*Reader
	port    uint16
	gro     bool

	// Atomic.
	gso   atomic.Bool // cleared for good by the first EIO
	fault atomic.Pointer[faultHook]
}

// group is the sockets of one local address.
type group struct {
	local    Addr
	wildcard bool
	dual     bool // takes IPv4 although its address is of IPv6
	sockets  []*socket
}

// faultHook lets a test put an error in the place of a system call that sends.
type faultHook func(segmented bool) syscall.Errno

// portAttempts bounds the search for a port that is free on every address.
const portAttempts = 32

// Listen opens the sockets. When it fails nothing stays open, and the error
// names the address and port and what would help.
func Listen(o Options) (*Server, error) {
	o = o.withDefaults()
	if err := checkIPs(o.IPs); err != nil {
		return nil, err
	}
	s, err := listenAll(o)
	if err != nil {
		return nil, err
	}
	s.startOffloads(o)
	s.openReaders(o.Batch)
	s.reportBuffers(o)
	return s, nil
}

func checkIPs(ips []netip.Addr) error {
	if len(ips) == 0 {
		return errors.New("listen on UDP: no address given; use 0.0.0.0 or :: for all")
	}
	for i, ip := range ips {
		if !ip.IsValid() {
			return fmt.Errorf("listen on UDP: address %d of the list is not an IP address", i+1)
		}
		for _, other := range ips[:i] {
			if other.Unmap() == ip.Unmap() {
				return fmt.Errorf("listen on UDP: address %s is given twice", ip)
			}
			sameFamily := other.Unmap().Is4() == ip.Unmap().Is4()
			if sameFamily && (other.Unmap().IsUnspecified() || ip.Unmap().IsUnspecified()) {
				return fmt.Errorf("listen on UDP: %s and %s exclude each other, since one of them means every address; give only one of them", other, ip)
			}
		}
	}
	return nil
}

// listenAll opens every group on one port. With port 0 the first group chooses
// and a conflict on a later address starts again with another choice.
func listenAll(o Options) (*Server, error) {
	for attempt := 1; ; attempt++ {
		s := &Server{port: o.Port}
		err := s.listenOnce(o)
		if err == nil {
			return s, nil
		}
		s.Close()
		retry := o.Port == 0 && errors.Is(err, syscall.EADDRINUSE) && attempt < portAttempts
		if !retry {
			return nil, err
		}
	}
}

func (s *Server) listenOnce(o Options) error {
	for _, ip := range o.IPs {
		if err := s.openGroup(ip.Unmap(), o); err != nil {
			return err
		}
	}
	return nil
}

// openGroup opens the sockets of one address. The first binds alone, so that a
// port in use is an error even when its owner shares it (SO_REUSEPORT would
// let two servers of one user steal each other's datagrams unnoticed), and
// only then lets the others join.
func (s *Server) openGroup(ip netip.Addr, o Options) error {
	s.groups = append(s.groups, group{
		wildcard: ip.IsUnspecified(), dual: o.DualStack && ip.IsUnspecified() && !ip.Is4(),
	})
	g := &s.groups[len(s.groups)-1]
	for i := range min(o.Readers, maxReaders) {
		conn, err := bind(netip.AddrPortFrom(ip, s.port), g.dual, i > 0 || o.ReusePort)
		if err != nil {
			return address.ExplainBind("UDP", netip.AddrPortFrom(ip, s.port), err)
		}
		local := conn.LocalAddr().(*net.UDPAddr).AddrPort()
		s.port = local.Port()
		g.local = AddrFrom(local)
		k, err := newSocket(conn, g.local, o)
		if err != nil {
			return errors.Join(fmt.Errorf("set up UDP socket on %s: %w", local, err), conn.Close())
		}
		g.sockets = append(g.sockets, k)
	}
	return nil
}

func bind(at netip.AddrPort, dual, join bool) (*net.UDPConn, error) {
	network := "udp6"
	switch {
	case dual:
		network = "udp"
	case at.Addr().Is4():
		network = "udp4"
	}
	if at.Addr().IsMulticast() {
		return bindMulticast(at, join)
	}
	var config net.ListenConfig
	if join {
		config.Control = sharePortBeforeBind
	}
	conn, err := config.ListenPacket(context.Background(), network, at.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

// reportBuffers tells the operator when the kernel capped the buffers.
func (s *Server) reportBuffers(o Options) {
	st := s.Stats()
	if st.ReceiveBuffer < o.ReceiveBuffer {
		o.Logger.Warn("UDP receive buffer is smaller than wanted; bursts may be lost",
			slog.Int("granted", st.ReceiveBuffer), slog.Int("wanted", o.ReceiveBuffer), slog.String("raise", receiveLimit))
	}
	if st.SendBuffer < o.SendBuffer {
		o.Logger.Warn("UDP send buffer is smaller than wanted; bursts may be lost",
			slog.Int("granted", st.SendBuffer), slog.Int("wanted", o.SendBuffer), slog.String("raise", sendLimit))
	}
}

// openReaders makes a Reader for each socket, with buffers that suit whether
// the kernel joins datagrams.
func (s *Server) openReaders(batch int) {
	for k := range s.sockets {
		s.readers = append(s.readers, newReader(k, s.gro, batch))
	}
}

// Port returns the port of all sockets.
func (s *Server) Port() uint16 { return s.port }

// Readers returns a Reader for each socket: those of the first address, then
// those of the second, and so on. Each must be read by a goroutine of its own.
func (s *Server) Readers() []*Reader { return s.readers }

// Close closes every socket. Reads and Sends in progress return net.ErrClosed.
func (s *Server) Close() error {
	var errs []error
	for k := range s.sockets {
		errs = append(errs, k.conn.Close())
	}
	return errors.Join(errs...)
}

// sockets yields every socket in the order of Readers.
func (s *Server) sockets(yield func(*socket) bool) {
	for _, g := range s.groups {
		for _, k := range g.sockets {
			if !yield(k) {
				return
			}
		}
	}
}

// groupFor picks the group that sends from local to remote, or -1: the group
// of exactly that address, else one on the unspecified address, else any of
// the remote's family.
func (s *Server) groupFor(p Path) int {
	best := -1
	for i, g := range s.groups {
		switch {
		case g.local.Is4() != p.Remote.Is4() && !g.dual:
		case g.local == p.Local:
			return i
		case g.wildcard || best < 0:
			best = i
		}
	}
	return best
}

// closedOr replaces the errors of a closed connection by the plain
// net.ErrClosed that callers compare with.
func closedOr(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return net.ErrClosed
	}
	return err
}
