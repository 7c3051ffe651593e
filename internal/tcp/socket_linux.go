//go:build linux

package tcp

import (
	"net"
	"syscall"
	"time"
	"unsafe"

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

// directWriter returns what hands bytes to the kernel without waiting, nil if
// conn is no socket. It belongs to one goroutine at a time.
func directWriter(conn net.Conn) func([]byte) int {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	w := &socketWriter{raw: raw}
	w.call = w.send
	return w.write
}

// socketWriter is the arguments and the result of a call of send(2).
type socketWriter struct {
	raw  syscall.RawConn
	call func(fd uintptr) // send, bound once
	b    []byte
	sent int
}

func (w *socketWriter) write(b []byte) int {
	w.b, w.sent = b, 0
	if w.raw.Control(w.call) != nil {
		return 0 // closed
	}
	w.b = nil
	return w.sent
}

func (w *socketWriter) send(fd uintptr) {
	// Raw, since it is bounded by what the kernel may hold, some 30 µs; telling
	// the scheduler would wake its monitor each time.
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&w.b[0])), uintptr(len(w.b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno == 0 {
		w.sent = int(n)
	}
}
