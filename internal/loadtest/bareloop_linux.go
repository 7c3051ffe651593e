package loadtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	pionrtp "github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"golang.org/x/sys/unix"
)

// ServeBareLoop sends the frames that come to conn, an IPv4 socket, on to
// everybody who has joined, until ctx ends: encrypted for each with keys of
// their own, a frame as one segmented send (GSO). It does nothing else, and
// without the care of a server: it is the least that forwarding can cost.
func ServeBareLoop(ctx context.Context, conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	l := &bareLoop{conn: conn, raw: raw, run: make([]byte, 0, maxDatagram), joined: map[netip.AddrPort]bool{}}
	l.fanOut = l.sendFrame // bound once, as a closure made anew would be garbage
	l.message.Iov = &l.iov
	l.message.SetIovlen(1)
	l.message.Namelen = unix.SizeofSockaddrInet4
	l.message.Control = (*byte)(unsafe.Pointer(&l.control))
	l.message.SetControllen(unix.CmsgSpace(2))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&l.control))
	h.Level, h.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	if err := l.read(); ctx.Err() == nil {
		return err
	}
	return nil
}

// bareLoop belongs to its one goroutine.
type bareLoop struct {
	conn   *net.UDPConn
	raw    syscall.RawConn
	dests  []bareDest
	joined map[netip.AddrPort]bool

	packets [64][]byte // of the frame that is coming in
	count   int
	size    int // of the largest

	fanOut  func(fd uintptr)
	run     []byte
	header  pionrtp.Header
	message unix.Msghdr
	iov     unix.Iovec
	control [3]uint64 // a header and the segment size
	errno   syscall.Errno
}

type bareDest struct {
	name     unix.RawSockaddrInet4
	outbound *srtp.Context
}

// read takes in frames, packet by packet, and those who join.
func (l *bareLoop) read() error {
	for {
		if l.packets[l.count] == nil {
			l.packets[l.count] = make([]byte, maxPacket)
		}
		slot := l.packets[l.count][:maxPacket]
		n, from, err := l.conn.ReadFromUDPAddrPort(slot)
		if err != nil {
			return err
		}
		if n == joinSize && slot[0] == joinLetter {
			if err := l.join(slot[:n], from); err != nil {
				return err
			}
			continue
		}
		l.packets[l.count] = slot[:n]
		l.size = max(l.size, n)
		l.count++
		if slot[1]&0x80 == 0 && l.count < len(l.packets) {
			continue // the marker bit ends a frame
		}
		if err := l.forward(); err != nil {
			return err
		}
	}
}

func (l *bareLoop) join(ask []byte, from netip.AddrPort) error {
	if !l.joined[from] {
		outbound, err := bareContext(ask)
		if err != nil {
			return err
		}
		name := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: from.Addr().Unmap().As4()}
		binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&name.Port))[:], from.Port())
		l.dests = append(l.dests, bareDest{name, outbound})
		l.joined[from] = true
	}
	_, err := l.conn.WriteToUDPAddrPort(ask, from)
	return err
}

// forward sends the frame to all.
func (l *bareLoop) forward() error {
	for i, b := range l.packets[:l.count] {
		l.packets[i] = padTo(b, l.size)
	}
	l.errno = 0
	err := l.raw.Control(l.fanOut)
	l.count, l.size = 0, 0
	if err == nil && l.errno != 0 {
		err = os.NewSyscallError("sendmsg", l.errno)
	}
	return err
}

// padTo makes the packet b as large as the others of its frame (RFC 3550
// §5.1).
func padTo(b []byte, size int) []byte {
	short := size - len(b)
	if short == 0 {
		return b
	}
	b[0] |= 0x20
	clear(b[len(b):size])
	b = b[:size]
	b[size-1] = byte(short)
	return b
}

// sendFrame encrypts and sends the frame for one after the other. It makes raw
// system calls, which do not wait here: a server that others run beside can
// not afford that.
func (l *bareLoop) sendFrame(fd uintptr) {
	for i := range l.dests {
		d := &l.dests[i]
		run := l.run
		for _, b := range l.packets[:l.count] {
			encrypted, err := d.outbound.EncryptRTP(run[len(run):cap(run)], b, &l.header)
			if err != nil {
				l.errno = syscall.EINVAL
				return
			}
			run = run[:len(run)+len(encrypted)]
		}
		*(*uint16)(unsafe.Pointer(&l.control[unix.SizeofCmsghdr/8])) = uint16(len(run) / l.count)
		l.message.Name = (*byte)(unsafe.Pointer(&d.name))
		l.iov.Base = &run[0]
		l.iov.SetLen(len(run))
		_, _, errno := syscall.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&l.message)), unix.MSG_DONTWAIT)
		if errno != 0 && errno != syscall.EAGAIN && errno != syscall.ECONNREFUSED {
			l.errno = errno
		}
	}
}

// ListenBareLoop opens the socket of a ServeBareLoop on loopback.
func ListenBareLoop() (*net.UDPConn, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	const buffer = 4 << 20 // as the server's
	if err := errors.Join(conn.SetReadBuffer(buffer), conn.SetWriteBuffer(buffer)); err != nil {
		return nil, errors.Join(fmt.Errorf("set the buffers: %w", err), conn.Close())
	}
	return conn, nil
}
