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
	return setOption(conn, unix.IPPROTO_UDP, unix.UDP_GRO)
}

// stampArrivals makes the kernel say when it took a datagram in.
func stampArrivals(conn *net.UDPConn) error {
	return setOption(conn, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS)
}

// setOption switches an option of the socket on.
func setOption(conn *net.UDPConn, level, option int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), level, option, 1)
	}); err != nil {
		return err
	}
	return os.NewSyscallError("setsockopt", failed)
}

// readAncillary reads the control messages of a read of length bytes.
func readAncillary(control []byte, length int) ancillary {
	a := ancillary{segment: length}
	for len(control) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		size := int(h.Len) - unix.CmsgLen(0)
		if size < 0 || int(h.Len) > len(control) {
			return a
		}
		data := control[unix.CmsgLen(0):][:size]
		switch {
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && size >= 4:
			if n := int(binary.NativeEndian.Uint32(data)); n > 0 {
				a.segment = n
			}
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPNS && size >= int(unsafe.Sizeof(unix.Timespec{})):
			a.arrived = (*unix.Timespec)(unsafe.Pointer(&data[0])).Nano()
		}
		control = control[min(unix.CmsgSpace(size), len(control)):]
	}
	return a
}
