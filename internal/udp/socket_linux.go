//go:build linux && !portable

package udp

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// offloads tells that GSO and GRO are worth a trial.
	offloads = true
	// maxReaders bounds the sockets of a group.
	maxReaders = 1024

	receiveLimit = "sysctl net.core.rmem_max"
	sendLimit    = "sysctl net.core.wmem_max"
)

// socket is one bound UDP socket.
type socket struct {
	// Constant after newSocket.
	conn                      *net.UDPConn
	raw                       syscall.RawConn
	local                     Addr
	wildcard                  bool
	receiveBuffer, sendBuffer int // granted, bytes

	drops atomic.Uint64 // the kernel's counter when last read

	counters
}

// sharePortBeforeBind lets a socket join others on its port.
func sharePortBeforeBind(_, _ string, c syscall.RawConn) error {
	return setOption(c, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}

// bindMulticast binds the address of a multicast group. Package net would listen
// to every address in its place, on a port that anybody else may join.
func bindMulticast(at netip.AddrPort, join bool) (*net.UDPConn, error) {
	family, addr := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()})
	if at.Addr().Is4() {
		family, addr = unix.AF_INET, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	file := os.NewFile(uintptr(fd), "")
	defer file.Close() // the connection has a descriptor of its own
	if join {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return nil, os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.Bind(fd, addr); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	conn, err := net.FilePacketConn(file)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

func newSocket(conn *net.UDPConn, local Addr, o Options) (*socket, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	k := &socket{conn: conn, raw: raw, local: local, wildcard: local.isUnspecified()}
	if o.Readers > 1 { // so that the others of the group may join
		if err := setOption(raw, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return nil, err
		}
	}
	if k.wildcard {
		if err := k.askForLocalAddr(); err != nil {
			return nil, err
		}
	}
	k.receiveBuffer, err = growBuffer(raw, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE, o.ReceiveBuffer)
	if err != nil {
		return nil, err
	}
	k.sendBuffer, err = growBuffer(raw, unix.SO_SNDBUF, unix.SO_SNDBUFFORCE, o.SendBuffer)
	return k, err
}

// askForLocalAddr makes every datagram come with the address it was sent to.
func (k *socket) askForLocalAddr() error {
	if k.local.Is4() {
		return setOption(k.raw, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
	}
	return setOption(k.raw, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
}

// enableGRO lets the kernel deliver several datagrams of a remote as one
// buffer.
func (k *socket) enableGRO() error {
	return setOption(k.raw, unix.IPPROTO_UDP, unix.UDP_GRO, 1)
}

// growBuffer asks for a buffer of that many bytes, beyond the system's limit
// when we may (CAP_NET_ADMIN), and returns what was granted. The kernel doubles
// the number for its own bookkeeping, socket(7).
func growBuffer(c syscall.RawConn, option, force, bytes int) (int, error) {
	if setOption(c, unix.SOL_SOCKET, force, bytes) != nil {
		if err := setOption(c, unix.SOL_SOCKET, option, bytes); err != nil {
			return 0, err
		}
	}
	granted, err := option32(c, unix.SOL_SOCKET, option)
	return granted / 2, err
}

func setOption(c syscall.RawConn, level, option, value int) error {
	var failed error
	if err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), level, option, value)
	}); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("%w (level %d, option %d)", os.NewSyscallError("setsockopt", failed), level, option)
	}
	return nil
}

func option32(c syscall.RawConn, level, option int) (value int, err error) {
	var failed error
	if err := c.Control(func(fd uintptr) {
		value, failed = unix.GetsockoptInt(int(fd), level, option)
	}); err != nil {
		return 0, err
	}
	return value, os.NewSyscallError("getsockopt", failed)
}

// kernelDrops returns how many datagrams the kernel dropped because the
// receive buffer was full; after Close, how many it had when last asked.
func (k *socket) kernelDrops() uint64 {
	const skMeminfoVars, skMeminfoDrops = 9, 8 // linux/sock_diag.h
	var info [skMeminfoVars]uint32
	size := uint32(unsafe.Sizeof(info))
	_ = k.raw.Control(func(fd uintptr) {
		_, _, errno := syscall.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno == 0 {
			k.drops.Store(uint64(info[skMeminfoDrops]))
		}
	})
	return k.drops.Load()
}
