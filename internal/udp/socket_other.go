//go:build !linux || portable

package udp

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
)

const (
	offloads   = false
	maxReaders = 1

	receiveLimit = "the system's limit for socket buffers"
	sendLimit    = receiveLimit

	// maxDatagram is the largest UDP payload.
	maxDatagram = 64 << 10
)

// socket is one bound UDP socket.
type socket struct {
	// Constant after newSocket.
	conn                      *net.UDPConn
	local                     Addr
	receiveBuffer, sendBuffer int // wanted; nothing portable tells what was granted

	counters
}

func sharePortBeforeBind(_, _ string, _ syscall.RawConn) error {
	return errors.ErrUnsupported
}

func bindMulticast(netip.AddrPort, bool) (*net.UDPConn, error) { return nil, errors.ErrUnsupported }

func newSocket(conn *net.UDPConn, local Addr, o Options) (*socket, error) {
	if err := conn.SetReadBuffer(o.ReceiveBuffer); err != nil {
		o.ReceiveBuffer = 0
	}
	if err := conn.SetWriteBuffer(o.SendBuffer); err != nil {
		o.SendBuffer = 0
	}
	return &socket{conn: conn, local: local, receiveBuffer: o.ReceiveBuffer, sendBuffer: o.SendBuffer}, nil
}

func (k *socket) enableGRO() error { return errors.ErrUnsupported }

func (k *socket) kernelDrops() uint64 { return 0 }

// Reader reads one socket. It belongs to one goroutine.
type Reader struct {
	socket *socket
	buffer []byte
}

func newReader(k *socket, _ bool, _ int) *Reader {
	return &Reader{socket: k, buffer: make([]byte, maxDatagram)}
}

// Local returns the address of the Reader's socket; its IP may be unspecified.
func (r *Reader) Local() Addr { return r.socket.local }

// Read waits for a datagram, after calling dry, since there is no asking
// whether one has arrived. The datagram of the Read before becomes invalid.
// ICMP errors are counted, not returned; the error is net.ErrClosed after
// Close.
func (r *Reader) Read(batch []Datagram, dry func()) (int, error) {
	if len(batch) == 0 {
		return 0, nil
	}
	if dry != nil {
		dry()
	}
	for {
		n, from, err := r.socket.conn.ReadFromUDPAddrPort(r.buffer)
		r.socket.received.syscalls.Add(1)
		switch {
		case err == nil && n > 0:
			r.socket.received.add(1, n, 0)
			batch[0] = Datagram{Data: r.buffer[:n:n], Path: Path{Remote: AddrFrom(from), Local: r.socket.local}}
			return 1, nil
		case err == nil:
		case errnoOf(err) == 0:
			return 0, closedOr(err)
		default:
			r.socket.receiveErrors.Add(1)
		}
	}
}

// prebuilt is the destination as package net takes it.
type prebuilt struct{ remote netip.AddrPort }

func prebuild(p Path, _ bool) prebuilt { return prebuilt{remote: p.Remote.AddrPort()} }

// sendCall has no state here.
type sendCall struct{}

func (*sendCall) init() {}

func (*sendCall) segmented(*Server, *socket, *Dest, []byte, int) (syscall.Errno, error) {
	return syscall.EIO, nil
}

// plain sends the first datagram of run. Package net waits for room in the
// buffer, which the systems that need this file have almost always.
func (*sendCall) plain(s *Server, k *socket, d *Dest, run []byte, segmentSize int) (int, syscall.Errno, error) {
	if hook := s.fault.Load(); hook != nil {
		if errno := (*hook)(false); errno != 0 {
			return 0, errno, nil
		}
	}
	_, err := k.conn.WriteToUDPAddrPort(run[:min(segmentSize, len(run))], d.message.remote)
	if err == nil {
		return 1, 0, nil
	}
	if errno := errnoOf(err); errno != 0 {
		return 0, errno, nil
	}
	return 0, 0, err
}

// errnoOf returns the system's error in err, or 0 for one of package net.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}
