//go:build linux

package tcp

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// userTimeout ends a connection whose other end acknowledges nothing, tcp(7).
	// A browser that has moved checks its new path within a few seconds.
	userTimeout = 10 * time.Second
	// unsentBytes is what the kernel may hold that has not gone out: a packet or
	// two in each direction of its clock, so that the line is never idle, and
	// everything else waits where it can be refused.
	unsentBytes = 16 << 10
)

// tune makes conn fit for media. None of it is needed for it to work, so errors
// do not count.
func tune(conn *net.TCPConn) {
	_ = conn.SetNoDelay(true)
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentBytes)
	})
}
