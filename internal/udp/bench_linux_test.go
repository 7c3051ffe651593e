//go:build linux && !portable

package udp

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// threadCPU is the CPU time of the calling thread in nanoseconds. Benchmarks
// report it per packet, as other work on the machine does not change it much.
func threadCPU() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return t.Nano()
}

// measure runs work b.N times on one thread and reports its cost per packet.
func measure(b *testing.B, packetsPerOp int, work func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.ReportAllocs()
	b.ResetTimer()
	before := threadCPU()
	for range b.N {
		work()
	}
	b.ReportMetric(float64(threadCPU()-before)/float64(b.N*packetsPerOp), "cpu-ns/packet")
	b.ReportMetric(0, "ns/op")
}

// sinks are sockets that nobody reads, so that a send over loopback takes the
// whole way through the kernel up to a full buffer.
func sinks(b *testing.B, count int) []Addr {
	addrs := make([]Addr, count)
	for i := range addrs {
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback4, 0)))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { conn.Close() })
		if err := conn.SetReadBuffer(4096); err != nil {
			b.Fatal(err)
		}
		addrs[i] = AddrFrom(conn.LocalAddr().(*net.UDPAddr).AddrPort())
	}
	return addrs
}

const benchmarkDests, benchmarkSegment = 64, 1200

// BenchmarkSend sends runs of 1200-byte packets to 64 destinations in turn,
// from a socket on the unspecified address, as a server has it.
func BenchmarkSend(b *testing.B) {
	for _, mode := range []struct {
		name    string
		packets int
		plain   bool
	}{{"plain", 1, true}, {"sendmmsg4", 4, true}, {"gso2", 2, false}, {"gso4", 4, false}, {"gso8", 8, false}, {"gso40", 40, false}} {
		b.Run(mode.name, func(b *testing.B) {
			s := listen(b, Options{IPs: []netip.Addr{netip.IPv4Unspecified()}, Readers: 1, DisableGSO: mode.plain})
			sender, run := NewSender(0), makeRun(mode.packets*benchmarkSegment)
			dests := make([]Dest, 0, benchmarkDests)
			for _, remote := range sinks(b, benchmarkDests) {
				dests = append(dests, s.Dest(Path{Remote: remote, Local: at(loopback4, s.Port())}))
			}
			i := 0
			measure(b, mode.packets, func() {
				if err := sender.Send(&dests[i%benchmarkDests], run, benchmarkSegment); err != nil {
					b.Fatal(err)
				}
				i++
			})
		})
	}
}

// BenchmarkSendNaked is what the first row of BenchmarkSend is measured
// against: a system call and nothing around it.
func BenchmarkSendNaked(b *testing.B) {
	s := single(b, loopback4)
	data := makeRun(benchmarkSegment)
	var names []unix.RawSockaddrInet4
	for _, remote := range sinks(b, benchmarkDests) {
		names = append(names, unix.RawSockaddrInet4{Family: unix.AF_INET, Port: ntohs(remote.Port()), Addr: remote.as4()})
	}
	only(s).raw.Control(func(fd uintptr) {
		i := 0
		measure(b, 1, func() {
			name := &names[i%benchmarkDests]
			_, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&data[0])), benchmarkSegment,
				0, uintptr(unsafe.Pointer(name)), unix.SizeofSockaddrInet4)
			if errno != 0 {
				b.Fatal(errno)
			}
			i++
		})
	})
}

// BenchmarkSendConnected is the alternative: a connected socket for each
// established path, sharing the port.
func BenchmarkSendConnected(b *testing.B) {
	for _, packets := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprint(packets), func(b *testing.B) {
			s := listen(b, Options{IPs: []netip.Addr{loopback4}, Readers: 1, ReusePort: true})
			calls := make([]connectedCall, benchmarkDests)
			for i, remote := range sinks(b, benchmarkDests) {
				conn, err := bind(netip.AddrPortFrom(loopback4, s.Port()), false, true)
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { conn.Close() })
				calls[i].open(b, conn, remote)
			}
			run, i := makeRun(packets*benchmarkSegment), 0
			measure(b, packets, func() {
				if errno := calls[i%benchmarkDests].send(run); errno != 0 {
					b.Fatal(errno)
				}
				i++
			})
		})
	}
}

// connectedCall sends on a connected socket as Sender does on a shared one.
type connectedCall struct {
	raw     syscall.RawConn
	control func(uintptr)
	message unix.Msghdr
	iov     unix.Iovec
	cmsg    [3]uint64
	errno   syscall.Errno
}

func (c *connectedCall) open(b *testing.B, conn *net.UDPConn, remote Addr) {
	var err error
	if c.raw, err = conn.SyscallConn(); err != nil {
		b.Fatal(err)
	}
	ip := remote.as4()
	if cerr := c.raw.Control(func(fd uintptr) {
		err = unix.Connect(int(fd), &unix.SockaddrInet4{Port: int(remote.Port()), Addr: ip})
	}); cerr != nil || err != nil {
		b.Fatal(cerr, err)
	}
	c.message.Iov = &c.iov
	c.message.SetIovlen(1)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&c.cmsg))
	h.Level, h.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	*(*uint16)(unsafe.Pointer(&c.cmsg[unix.SizeofCmsghdr/8])) = benchmarkSegment
	c.control = func(fd uintptr) {
		_, _, c.errno = syscall.Syscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&c.message)), unix.MSG_DONTWAIT)
	}
}

func (c *connectedCall) send(run []byte) syscall.Errno {
	c.iov.Base = &run[0]
	c.iov.SetLen(len(run))
	if len(run) > benchmarkSegment {
		c.message.Control = (*byte)(unsafe.Pointer(&c.cmsg))
		c.message.SetControllen(unix.CmsgSpace(2))
	}
	if err := c.raw.Control(c.control); err != nil {
		return unix.EBADF
	}
	return c.errno
}

// BenchmarkRead fills a socket's buffer outside of the measurement and reads
// it empty, which leaves out what the kernel does on arrival.
func BenchmarkRead(b *testing.B) {
	const fill = 512
	for _, mode := range []struct {
		name string
		gro  bool
		run  int
	}{{"singles", false, 1}, {"singles-gro", true, 1}, {"runs4", false, 4}, {"runs4-gro", true, 4}, {"runs8-gro", true, 8}} {
		b.Run(mode.name, func(b *testing.B) {
			s := listen(b, Options{IPs: []netip.Addr{netip.IPv4Unspecified()}, Readers: 1, DisableGRO: !mode.gro})
			a := single(b, loopback4)
			sender, dest := NewSender(0), a.Dest(Path{Remote: at(loopback4, s.Port()), Local: at(loopback4, a.Port())})
			run, batch, reader := makeRun(mode.run*benchmarkSegment), make([]Datagram, 64), s.Readers()[0]
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			b.ReportAllocs()
			var spent int64
			for range b.N {
				for range fill / mode.run {
					if err := sender.Send(&dest, run, benchmarkSegment); err != nil {
						b.Fatal(err)
					}
				}
				before := threadCPU()
				for got := 0; got < fill; {
					n, err := reader.Read(batch, func() {})
					if err != nil {
						b.Fatal(err)
					}
					got += n
				}
				spent += threadCPU() - before
			}
			b.ReportMetric(float64(spent)/float64(b.N*fill), "cpu-ns/packet")
			b.ReportMetric(0, "ns/op")
		})
	}
}
