package loadtest

import (
	"encoding/binary"
	"net"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// joinDatagrams lets the kernel deliver several datagrams as one (UDP_GRO).
func joinDatagrams(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_GRO, 1)
	}); err != nil {
		return err
	}
	return os.NewSyscallError("setsockopt", failed)
}

// segmentSize returns the size of the datagrams that a read of length bytes
// with this control message is made of.
func segmentSize(control []byte, length int) int {
	if len(control) < unix.SizeofCmsghdr+4 {
		return length
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	if h.Level != unix.IPPROTO_UDP || h.Type != unix.UDP_GRO {
		return length
	}
	if size := int(binary.NativeEndian.Uint32(control[unix.SizeofCmsghdr:])); size > 0 {
		return size
	}
	return length
}
