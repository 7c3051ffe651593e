package tcp

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func cpuTime(clock int32) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		panic(err)
	}
	return t.Nano()
}

const (
	benchmarkConns  = 64
	benchmarkPacket = 1200
)

// sink reads and throws away on one thread, whose CPU time is not ours. TCP
// copies nothing for a reader that asks so (MSG_TRUNC).
type sink struct {
	cpu   atomic.Int64
	read  atomic.Int64
	ready chan struct{}
	done  sync.WaitGroup
}

func (k *sink) run(fds []unix.PollFd) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	buffer := make([]byte, 1<<20)
	k.cpu.Store(cpuTime(unix.CLOCK_THREAD_CPUTIME_ID))
	close(k.ready)
	for {
		if _, err := unix.Poll(fds, -1); err == unix.EINTR {
			continue
		}
		for i := range fds {
			if fds[i].Revents == 0 {
				continue
			}
			n, _, errno := syscall.Syscall6(unix.SYS_RECVFROM, uintptr(fds[i].Fd), uintptr(unsafe.Pointer(&buffer[0])), uintptr(len(buffer)),
				unix.MSG_TRUNC|unix.MSG_DONTWAIT, 0, 0)
			if errno == 0 && n == 0 {
				return
			}
			if errno == 0 {
				k.read.Add(int64(n))
			}
		}
		k.cpu.Store(cpuTime(unix.CLOCK_THREAD_CPUTIME_ID))
	}
}

// BenchmarkSend sends runs of 1200-byte packets to 64 connections in turn, 64
// runs a millisecond, and reports the CPU time of the process per packet, without
// that of the readers.
func BenchmarkSend(b *testing.B) {
	for _, packets := range []int{1, 4, 8, 40} {
		b.Run(fmt.Sprintf("run%d", packets), func(b *testing.B) { benchmarkSend(b, packets) })
	}
}

func benchmarkSend(b *testing.B, packets int) {
	ts := make(taps, benchmarkConns)
	s := openServer(b, Options{Accept: ts.accept})
	var conns []*Conn
	var fds []unix.PollFd
	for range benchmarkConns {
		client := dial(b, s)
		conns = append(conns, ts.next(b).conn)
		conns[len(conns)-1].Keep()
		raw, err := client.SyscallConn()
		if err != nil {
			b.Fatal(err)
		}
		_ = raw.Control(func(fd uintptr) { fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}) })
	}
	k := sink{ready: make(chan struct{})}
	k.done.Go(func() { k.run(fds) })
	<-k.ready
	run := make([]byte, packets*benchmarkPacket)
	b.ReportAllocs()
	b.ResetTimer()
	ours, theirs := cpuTime(unix.CLOCK_PROCESS_CPUTIME_ID), k.cpu.Load()
	sent := 0
	for i := range b.N {
		if conns[i%benchmarkConns].Send(run, benchmarkPacket, Bulk) == nil {
			sent += packets
		}
		if i%benchmarkConns == benchmarkConns-1 {
			time.Sleep(time.Millisecond)
		}
	}
	for want := int64(sent) * (benchmarkPacket + lengthSize); k.read.Load() < want; {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(time.Millisecond) // for the sink to note its time
	spent := cpuTime(unix.CLOCK_PROCESS_CPUTIME_ID) - ours - (k.cpu.Load() - theirs)
	b.StopTimer()
	b.ReportMetric(float64(spent)/float64(sent), "cpu-ns/packet")
	b.ReportMetric(0, "ns/op")
	s.Close()
	k.done.Wait()
}

// BenchmarkReceive reads packets of 1200 bytes that a client sends four at a
// time.
func BenchmarkReceive(b *testing.B) {
	counted := make(countingReceiver, 1)
	s := openServer(b, Options{Accept: func(c *Conn) Receiver { c.Keep(); return counted }})
	client := dial(b, s)
	if err := client.SetDeadline(time.Time{}); err != nil {
		b.Fatal(err)
	}
	var four []byte
	for range 4 {
		four = append(four, frame(make([]byte, benchmarkPacket))...)
	}
	b.ReportAllocs()
	b.SetBytes(4 * benchmarkPacket)
	b.ResetTimer()
	for range b.N {
		if _, err := client.Write(four); err != nil {
			b.Fatal(err)
		}
		for range 4 {
			<-counted
		}
	}
}

type countingReceiver chan struct{}

func (r countingReceiver) Receive(packets [][]byte) {
	for range packets {
		r <- struct{}{}
	}
}
func (countingReceiver) Closed() {}
