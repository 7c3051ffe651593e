//go:build linux && !portable

package udp

import (
	"encoding/binary"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// prebuilt is the address and the control messages of a Dest as sendmsg(2)
// takes them: packet information, which chooses the source address, when the
// socket is on the unspecified one; then the segment size, which plain sends
// leave off.
type prebuilt struct {
	name        unix.RawSockaddrInet6 // or the shorter RawSockaddrInet4
	control     [8]uint64             // 40 bytes at most of packet information and 24 of segment size, aligned
	nameLen     uint32
	infoLen     uint32 // of the packet information within control
	segmentSpot uint32 // offset of the segment size's two bytes
}

func prebuild(p Path, wildcard bool) prebuilt {
	var b prebuilt
	if p.Remote.Is4() {
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(&b.name))
		*in = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: ntohs(p.Remote.Port()), Addr: p.Remote.as4()}
		b.nameLen = unix.SizeofSockaddrInet4
	} else {
		b.name = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: ntohs(p.Remote.Port()), Addr: p.Remote.as16(), Scope_id: p.Remote.zone}
		b.nameLen = unix.SizeofSockaddrInet6
	}
	if wildcard && p.Local.IsValid() && !p.Local.isUnspecified() {
		b.addSource(p)
	}
	at := b.infoLen
	b.addHeader(at, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
	b.segmentSpot = at + unix.SizeofCmsghdr
	return b
}

func (b *prebuilt) addSource(p Path) {
	if p.Local.Is4() {
		b.addHeader(0, unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&b.bytes()[unix.SizeofCmsghdr]))
		info.Spec_dst = p.Local.as4()
		b.infoLen = uint32(unix.CmsgSpace(unix.SizeofInet4Pktinfo))
		return
	}
	b.addHeader(0, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	info := (*unix.Inet6Pktinfo)(unsafe.Pointer(&b.bytes()[unix.SizeofCmsghdr]))
	info.Addr = p.Local.as16()
	info.Ifindex = p.Remote.zone
	b.infoLen = uint32(unix.CmsgSpace(unix.SizeofInet6Pktinfo))
}

func (b *prebuilt) addHeader(at uint32, level, kind int32, size int) {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b.bytes()[at]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(size))
}

func (b *prebuilt) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&b.control)), len(b.control)*8)
}

// address points m at the prebuilt address and control messages.
func (b *prebuilt) address(m *unix.Msghdr, controlLen uint32) {
	m.Name = (*byte)(unsafe.Pointer(&b.name))
	m.Namelen = b.nameLen
	m.Control = nil
	if controlLen > 0 {
		m.Control = (*byte)(unsafe.Pointer(&b.control))
	}
	m.SetControllen(int(controlLen))
}

// sendCall is the arguments and results of the system calls that send.
type sendCall struct {
	control  func(fd uintptr) // transmit, bound once
	messages [maxSegments]mmsghdr
	iovs     [maxSegments]unix.Iovec

	count int           // messages to send
	sent  int           // messages sent
	errno syscall.Errno // why not all
}

func (c *sendCall) init() {
	c.control = c.transmit
	for i := range c.messages {
		c.messages[i].Iov = &c.iovs[i]
		c.messages[i].SetIovlen(1)
	}
}

// segmented sends run as one message that the kernel or the network card cuts.
func (c *sendCall) segmented(s *Server, k *socket, d *Dest, run []byte, segmentSize int) (syscall.Errno, error) {
	b := &d.message
	binary.NativeEndian.PutUint16(b.bytes()[b.segmentSpot:], uint16(segmentSize))
	b.address(&c.messages[0].Msghdr, b.infoLen+uint32(unix.CmsgSpace(2)))
	c.load(0, run)
	_, errno, err := c.do(s, k, 1, true)
	return errno, err
}

// plain sends up to maxSegments datagrams of run. An error is that of the
// first datagram not sent.
func (c *sendCall) plain(s *Server, k *socket, d *Dest, run []byte, segmentSize int) (int, syscall.Errno, error) {
	n := 0
	for ; n < maxSegments && len(run) > 0; n++ {
		size := min(segmentSize, len(run))
		d.message.address(&c.messages[n].Msghdr, d.message.infoLen)
		c.load(n, run[:size])
		run = run[size:]
	}
	return c.do(s, k, n, false)
}

func (c *sendCall) load(i int, data []byte) {
	c.iovs[i].Base = &data[0]
	c.iovs[i].SetLen(len(data))
}

// do makes the system call. It goes through Control, which, unlike Write,
// takes no lock: senders on one socket only meet in the kernel.
func (c *sendCall) do(s *Server, k *socket, count int, segmented bool) (int, syscall.Errno, error) {
	if hook := s.fault.Load(); hook != nil {
		if errno := (*hook)(segmented); errno != 0 {
			return 0, errno, nil
		}
	}
	c.count = count
	err := k.raw.Control(c.control)
	return c.sent, c.errno, err
}

func (c *sendCall) transmit(fd uintptr) {
	for {
		c.sent = 0
		var n uintptr
		if c.count == 1 {
			// Raw, since it is bounded: 64 segments take 25 µs. Telling the
			// scheduler would wake its monitor each time, which then polls
			// every 20 µs; with few receivers that costs as much as the sending.
			_, _, c.errno = syscall.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&c.messages[0])), unix.MSG_DONTWAIT)
			n = 1
		} else {
			n, _, c.errno = syscall.Syscall6(unix.SYS_SENDMMSG, fd,
				uintptr(unsafe.Pointer(&c.messages[0])), uintptr(c.count), unix.MSG_DONTWAIT, 0, 0)
		}
		if c.errno == 0 {
			c.sent = int(n)
		}
		if c.errno != syscall.EINTR {
			return
		}
	}
}
