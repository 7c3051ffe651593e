//go:build unix

package line

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// narrowly makes a socket, before it is connected or listens, take in segments
// as those of the internet and offer a window of so many bytes. With the segments
// of loopback, as large as that, a window that was full once would open only when
// the sender asks again, seconds later.
func narrowly(_, _ string, raw syscall.RawConn) (err error) {
	controlled := raw.Control(func(fd uintptr) {
		err = errors.Join(
			unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, segment),
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, window),
		)
	})
	return errors.Join(controlled, err)
}
