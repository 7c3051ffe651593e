//go:build linux && !portable

package udp

import (
	"encoding/binary"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// A joined buffer is at most a 64 KiB packet. The strides are such that
	// buffers that hold one datagram each, as most do, do not all compete for
	// the same cache sets.
	groSlots, groStride     = 16, 64<<10 + 27*64
	plainSlots, plainStride = 64, 4<<10 + 9*64

	// controlSize has room for packet information (40) and a segment size (24).
	controlSize = 128
)

// mmsghdr is struct mmsghdr of recvmmsg(2) and sendmmsg(2).
type mmsghdr struct {
	unix.Msghdr
	length uint32
}

// slot is what the kernel fills in for one message.
type slot struct {
	iov     unix.Iovec
	name    unix.RawSockaddrInet6 // large enough for both families
	control [controlSize / 8]uint64
}

// Reader reads one socket. It belongs to one goroutine.
type Reader struct {
	socket  *socket
	receive func(fd uintptr) bool // receiveMessages, bound once

	messages []mmsghdr
	slots    []slot
	filled   int // messages of the last system call …
	next     int // … and the first not yet handed out

	// What is left of the message that is being handed out.
	rest    []byte
	segment int
	path    Path

	// Of the Read in progress.
	dry func()
	err error
}

// newReader takes at most batch messages a call, 0 for as many as is usual.
func newReader(k *socket, gro bool, batch int) *Reader {
	count, stride := plainSlots, plainStride
	if gro {
		count, stride = groSlots, groStride
	}
	if batch > 0 {
		count = min(count, batch)
	}
	r := &Reader{socket: k, messages: make([]mmsghdr, count), slots: make([]slot, count)}
	r.receive = r.receiveMessages
	memory := make([]byte, count*stride)
	for i := range r.messages {
		s, m := &r.slots[i], &r.messages[i]
		s.iov.Base = &memory[i*stride]
		s.iov.SetLen(stride)
		m.Iov = &s.iov
		m.SetIovlen(1)
		m.Name = (*byte)(unsafe.Pointer(&s.name))
		m.Control = (*byte)(unsafe.Pointer(&s.control))
	}
	r.path.Local = k.local
	r.recycle(count)
	return r
}

// recycle readies the first n messages for the kernel, which overwrites the
// lengths.
func (r *Reader) recycle(n int) {
	for i := range r.messages[:n] {
		m := &r.messages[i]
		m.Namelen = unix.SizeofSockaddrInet6
		m.SetControllen(controlSize)
		m.Flags = 0
	}
}

// Local returns the address of the Reader's socket; its IP may be unspecified.
func (r *Reader) Local() Addr { return r.socket.local }

// Read fills batch with what has arrived and returns how many. If nothing has,
// it calls dry once and then waits. The datagrams of earlier Reads become
// invalid. ICMP errors are counted, not returned; the error is net.ErrClosed
// after Close.
func (r *Reader) Read(batch []Datagram, dry func()) (int, error) {
	if len(batch) == 0 {
		return 0, nil
	}
	for {
		if n := r.take(batch); n > 0 {
			return n, nil
		}
		r.dry = dry
		if err := r.socket.raw.Read(r.receive); err != nil {
			return 0, closedOr(err)
		}
		if r.err != nil {
			return 0, r.err
		}
	}
}

// receiveMessages takes what the socket has, and reports false for "nothing":
// then RawConn.Read waits and calls again.
func (r *Reader) receiveMessages(fd uintptr) bool {
	for {
		// Raw for the reason given in transmit; it takes 30 µs at the most.
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVMMSG, fd,
			uintptr(unsafe.Pointer(&r.messages[0])), uintptr(len(r.messages)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			r.received(int(n))
			return true
		case syscall.EAGAIN:
			if r.dry != nil {
				dry := r.dry
				r.dry = nil
				dry()
			}
			return false
		case syscall.EINTR:
		case syscall.EBADF, syscall.EFAULT, syscall.EINVAL, syscall.ENOTSOCK, syscall.ENOSYS:
			r.err = os.NewSyscallError("recvmmsg", errno)
			return true
		default: // an ICMP error of some earlier send; the kernel forgets it once told
			r.socket.receiveErrors.Add(1)
		}
	}
}

func (r *Reader) received(n int) {
	r.filled, r.next = n, 0
	bytes := 0
	for i := range r.messages[:n] {
		bytes += int(r.messages[i].length)
	}
	r.socket.received.add(0, bytes, 1)
}

// take hands out datagrams that were received already.
func (r *Reader) take(batch []Datagram) int {
	n := 0
	for n < len(batch) && (len(r.rest) > 0 || r.nextMessage()) {
		size := min(r.segment, len(r.rest))
		batch[n].Data = r.rest[:size:size]
		batch[n].Path = r.path
		r.rest = r.rest[size:]
		n++
	}
	r.socket.received.datagrams.Add(uint64(n))
	return n
}

// nextMessage turns to the next message that has a payload. When there is none
// left, the messages are recycled and it reports false.
func (r *Reader) nextMessage() bool {
	for r.next < r.filled {
		m, s := &r.messages[r.next], &r.slots[r.next]
		r.next++
		switch {
		case m.Flags&unix.MSG_TRUNC != 0:
			r.socket.truncated.Add(1)
		case m.length > 0:
			r.rest = unsafe.Slice(s.iov.Base, m.length)
			r.segment = len(r.rest)
			r.path.Remote = s.remote()
			r.readControl(s.controlBytes(int(m.Controllen)))
			if r.segment < len(r.rest) {
				r.socket.groRuns.Add(1)
			}
			return true
		}
	}
	r.recycle(r.filled)
	r.filled, r.next = 0, 0
	return false
}

func (s *slot) remote() Addr {
	if s.name.Family == unix.AF_INET {
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.name))
		return addrFrom4(in.Addr, ntohs(in.Port))
	}
	a := addrFrom16(s.name.Addr, ntohs(s.name.Port))
	a.zone = s.name.Scope_id
	return a
}

func (s *slot) controlBytes(length int) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&s.control)), controlSize)[:length]
}

// readControl reads the control messages, cmsg(3): a header (length, level,
// type), the data, padding.
func (r *Reader) readControl(control []byte) {
	for len(control) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		length := int(h.Len)
		if length < unix.SizeofCmsghdr || length > len(control) {
			return
		}
		data := control[unix.SizeofCmsghdr:length]
		switch {
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			if size := int(int32(binary.NativeEndian.Uint32(data))); size > 0 {
				r.segment = size
			}
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0]))
			r.path.Local = addrFrom4(info.Spec_dst, r.socket.local.Port())
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			info := (*unix.Inet6Pktinfo)(unsafe.Pointer(&data[0]))
			r.path.Local = addrFrom16(info.Addr, r.socket.local.Port())
		}
		control = control[min(unix.CmsgSpace(len(data)), len(control)):]
	}
}

func ntohs(port uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], port)
	return binary.BigEndian.Uint16(b[:])
}
