package tcp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestPacketsGoBothWays(t *testing.T) {
	ts := make(taps, 1)
	s := openServer(t, Options{Accept: ts.accept})
	client := dial(t, s)
	r := ts.next(t)
	if got, want := r.conn.Remote(), client.LocalAddr().(*net.TCPAddr).AddrPort(); got != want {
		t.Errorf("remote is %v, want %v", got, want)
	}
	if got, want := r.conn.Local(), netip.AddrPortFrom(loopback4, s.Port()); got != want {
		t.Errorf("local is %v, want %v", got, want)
	}
	for i := range 300 {
		write(t, client, frame(patterned(10+i, i)))
	}
	for i := range 300 {
		if got := receive(t, r.packets, "a packet"); !bytes.Equal(got, patterned(10+i, i)) {
			t.Fatalf("packet %d is another", i)
		}
	}
	run := patterned(3000, 5)
	if err := r.conn.Send(run, 1200, Bulk); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]byte{run[:1200], run[1200:2400], run[2400:]} {
		if got := readFrame(t, client); !bytes.Equal(got, want) {
			t.Fatalf("%d bytes came, want %d", len(got), len(want))
		}
	}
	st := s.Stats()
	if st.Received.Packets != 300 || st.Sent != (Traffic{Packets: 3, Bytes: 3000}) || st.Open != 1 {
		t.Errorf("counted %+v", st)
	}
}

func TestPacketsInPiecesComeWhole(t *testing.T) {
	ts := make(taps, 1)
	s := openServer(t, Options{Accept: ts.accept})
	client := dial(t, s)
	r := ts.next(t)
	stream := append(frame(patterned(300, 1)), frame(patterned(maxPacket, 2))...)
	for len(stream) > 0 {
		n := min(97, len(stream))
		write(t, client, stream[:n])
		stream = stream[n:]
	}
	for i, want := range [][]byte{patterned(300, 1), patterned(maxPacket, 2)} {
		if got := receive(t, r.packets, "a packet"); !bytes.Equal(got, want) {
			t.Errorf("packet %d is another", i)
		}
	}
}

func TestSendRefusesWhatCannotBeFramed(t *testing.T) {
	ts := make(taps, 1)
	s := openServer(t, Options{Accept: ts.accept})
	dial(t, s)
	c := ts.next(t).conn
	for _, test := range []struct{ bytes, segment int }{{0, 1200}, {10, 0}, {10, -1}, {70_000, 66_000}} {
		if err := c.Send(make([]byte, test.bytes), test.segment, Vital); err != ErrPacketSize {
			t.Errorf("%d bytes in segments of %d: %v", test.bytes, test.segment, err)
		}
	}
	if err := c.Send(make([]byte, 10), 70_000, Vital); err != nil {
		t.Errorf("a short packet with a large segment size: %v", err)
	}
}

func TestGarbageEndsTheConnection(t *testing.T) {
	ts := make(taps, 1)
	s := openServer(t, Options{Accept: ts.accept})
	client := dial(t, s)
	r := ts.next(t)
	write(t, client, append(frame([]byte("first")), "GET / HTTP/1.1\r\n\r\n"...))
	if got := receive(t, r.packets, "what came before"); string(got) != "first" {
		t.Errorf("received %q", got)
	}
	receive(t, r.closed, "the end")
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("something was answered")
	}
	if n := s.Stats().Malformed; n != 1 {
		t.Errorf("%d malformed counted", n)
	}
}

func TestEndOfTheRemoteIsTold(t *testing.T) {
	ts := make(taps, 1)
	s := openServer(t, Options{Accept: ts.accept})
	client := dial(t, s)
	r := ts.next(t)
	write(t, client, frame([]byte("last")))
	client.Close()
	receive(t, r.closed, "the end")
	if got := receive(t, r.packets, "what came before"); string(got) != "last" {
		t.Errorf("received %q", got)
	}
	if err := r.conn.Send([]byte("x"), 1, Vital); !errors.Is(err, net.ErrClosed) {
		t.Errorf("sending afterwards: %v", err)
	}
}

func TestCloseSendsWhatIsQueued(t *testing.T) {
	ts := make(taps, 1)
	s := openServer(t, Options{Accept: ts.accept})
	client := dial(t, s)
	r := ts.next(t)
	want := patterned(200_000, 1)
	if err := r.conn.Send(want, 1000, Bulk); err != nil {
		t.Fatal(err)
	}
	r.conn.Close()
	r.conn.Close() // twice is nothing
	var got []byte
	for len(got) < len(want) {
		got = append(got, readFrame(t, client)...)
	}
	if !bytes.Equal(got, want) {
		t.Error("not what was sent")
	}
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("then %v, want the end", err)
	}
	receive(t, r.closed, "the end")
}

func TestClosingDoesNotWaitForOneWhoDoesNotRead(t *testing.T) {
	ts := make(taps, 1)
	s := openServer(t, Options{Accept: ts.accept, QueueBytes: 64 << 20, QueueDelay: time.Hour})
	dial(t, s)
	r := ts.next(t)
	for range 32 { // more than the kernel takes
		if err := r.conn.Send(make([]byte, 1<<20), 1000, Bulk); err != nil {
			t.Fatal(err)
		}
	}
	r.conn.Close()
	receive(t, r.closed, "the end")
}

// Whoever reads slowly, or not at all, holds up nobody and costs bounded memory.
func TestSlowReaderHoldsUpNobody(t *testing.T) {
	ts := make(taps, 2)
	s := openServer(t, Options{Accept: ts.accept, QueueBytes: 1 << 20})
	dial(t, s)
	slow := ts.next(t).conn
	quick := dial(t, s)
	fast := ts.next(t).conn
	run := patterned(12_000, 1)
	refused, rounds := 0, 0
	for ; refused < 100; rounds++ {
		switch err := slow.Send(run, 1200, Bulk); err {
		case nil:
		case ErrQueueFull:
			refused++
		default:
			t.Fatal(err)
		}
		if err := fast.Send(run, 1200, Bulk); err != nil {
			t.Fatalf("round %d: the other is refused: %v", rounds, err)
		}
		for range 10 {
			readFrame(t, quick)
		}
	}
	if !slow.Congested() || fast.Congested() {
		t.Errorf("congested: slow %v, fast %v", slow.Congested(), fast.Congested())
	}
	if held := slow.out.held + len(slow.out.pending); held > 1<<20 {
		t.Errorf("%d bytes wait", held)
	}
	if err := slow.Send(run[:100], 100, Vital); err != nil {
		t.Errorf("audio for the slow one: %v", err)
	}
	if n := s.Stats().QueueFull; n != uint64(refused*10) {
		t.Errorf("%d packets counted as refused, want %d", n, refused*10)
	}
}

// A receiver that is busy slows its own sender down, not others.
func TestBusyReceiverHoldsUpNobody(t *testing.T) {
	ts := make(taps, 2)
	release := make(chan struct{})
	var accepted atomic.Int32
	s := openServer(t, Options{Accept: func(c *Conn) Receiver {
		r := newTap(c)
		if accepted.Add(1) == 1 {
			r.slow = release
		}
		ts <- r
		return r
	}})
	a := dial(t, s)
	busy := ts.next(t)
	b := dial(t, s)
	idle := ts.next(t)
	write(t, a, frame([]byte("a")))
	receive(t, busy.packets, "the packet that keeps it busy")
	write(t, b, frame([]byte("b")))
	receive(t, idle.packets, "the other's packet")
	close(release)
}

func TestConnectionThatProvesNothingIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := make(taps, 2)
		s := newServer(Options{Accept: ts.accept})
		start := time.Now()
		pipeConn(t, s, netip.MustParseAddrPort("192.0.2.1:1"))
		silent := ts.next(t)
		proven := pipeConn(t, s, netip.MustParseAddrPort("192.0.2.1:2"))
		kept := ts.next(t)
		kept.conn.Keep()
		kept.conn.Keep() // twice is nothing
		<-silent.closed
		if after := time.Since(start); after != 5*time.Second {
			t.Errorf("closed after %v", after)
		}
		time.Sleep(time.Hour)
		write(t, proven, frame([]byte("still here")))
		<-kept.packets
		if st := s.Stats(); st.Open != 1 || st.Unproven != 0 || st.UnprovenEnds != 1 {
			t.Errorf("counted %+v", st)
		}
		s.Close()
	})
}

func TestLimits(t *testing.T) {
	at := func(ip string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(ip), 1) }
	for _, test := range []struct {
		name    string
		options Options
		keep    bool
		remotes []string
		refused int
		evicted int
	}{
		{"none reached", Options{}, false, []string{"192.0.2.1", "192.0.2.1", "192.0.2.2"}, 0, 0},
		{"all", Options{MaxConns: 2}, true, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, 1, 0},
		{"of an address", Options{MaxPerAddress: 2}, true, []string{"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"}, 1, 0},
		{"strangers of an address", Options{MaxUnprovenPerAddress: 1}, false, []string{"192.0.2.1", "192.0.2.1", "192.0.2.2"}, 1, 0},
		{"the proven are no strangers", Options{MaxUnprovenPerAddress: 1}, true, []string{"192.0.2.1", "192.0.2.1"}, 0, 0},
		{"strangers", Options{MaxUnproven: 2}, false, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}, 0, 2},
		{"a network of IPv6", Options{MaxPerAddress: 1}, true, []string{"2001:db8::1", "2001:db8::2:3", "2001:db8:0:1::1"}, 1, 0},
	} {
		ts := make(taps, len(test.remotes))
		test.options.Accept = ts.accept
		s := newServer(test.options)
		for _, ip := range test.remotes {
			before := s.Stats().Accepted
			pipeConn(t, s, at(ip))
			if s.Stats().Accepted > before && test.keep {
				ts.next(t).conn.Keep()
			}
		}
		if st := s.Stats(); int(st.Refused) != test.refused || int(st.Evicted) != test.evicted {
			t.Errorf("%s: %d refused, %d evicted; want %d, %d", test.name, st.Refused, st.Evicted, test.refused, test.evicted)
		}
		s.Close()
		if len(s.conns) != 0 || len(s.addresses) != 0 || len(s.strangers) != 0 || s.unproven.Len() != 0 {
			t.Errorf("%s: something stays counted: %+v", test.name, s.Stats())
		}
	}
}

func TestOldestStrangerMakesWay(t *testing.T) {
	ts := make(taps, 3)
	s := newServer(Options{Accept: ts.accept, MaxUnproven: 2})
	var receivers []*tap
	for _, ip := range []string{"192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"} {
		pipeConn(t, s, netip.MustParseAddrPort(ip))
		receivers = append(receivers, ts.next(t))
	}
	receive(t, receivers[0].closed, "the end of the oldest")
	receivers[0].conn.Keep() // too late, and no harm
	for i, r := range receivers[1:] {
		if err := r.conn.Send([]byte("x"), 1, Vital); err != nil {
			t.Errorf("stranger %d: %v", i+2, err)
		}
	}
	s.Close()
}

// Ten thousand connections that say nothing, garbage or half a packet leave
// nothing behind, and one that behaves goes on all the while.
func TestManyConnections(t *testing.T) {
	const count, workers = 10_000, 20
	var ends ender
	good := make(taps, 1)
	var accepted atomic.Int32
	s := openServer(t, Options{MaxUnproven: 100, MaxUnprovenPerAddress: 100_000, MaxPerAddress: 100_000,
		Accept: func(c *Conn) Receiver {
			if accepted.Add(1) == 1 {
				return good.accept(c)
			}
			return ends.accept(c)
		}})
	client := dial(t, s)
	kept := good.next(t)
	kept.conn.Keep()
	var running sync.WaitGroup
	for w := range workers {
		running.Go(func() {
			for i := range count / workers {
				knock(t, s.Port(), w+i)
			}
		})
	}
	for i := range 100 {
		write(t, client, frame(patterned(100, i)))
		if got := receive(t, kept.packets, "a packet amid the flood"); !bytes.Equal(got, patterned(100, i)) {
			t.Fatal("another packet")
		}
	}
	running.Wait()
	client.Close()
	receive(t, kept.closed, "the end")
	s.Close()
	ends.Wait()
	st := s.Stats()
	if st.Open != 0 || st.Accepted+st.Refused != count+1 || st.Malformed == 0 || len(s.addresses) != 0 {
		t.Errorf("counted %+v", st)
	}
}

// knock connects, sends something useless or nothing, and leaves.
func knock(t *testing.T, port uint16, i int) {
	conn, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(netip.AddrPortFrom(loopback4, port)))
	if errors.Is(err, syscall.ECONNRESET) {
		return // evicted before it was up
	}
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	_ = conn.SetLinger(0) // leave no port occupied
	switch i % 3 {
	case 0:
		_, _ = conn.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		_, _ = conn.Read(make([]byte, 1)) // until it is closed
	case 1:
		_, _ = conn.Write([]byte{1, 0, 1})
	}
}

func TestListenErrorsSayWhatToDo(t *testing.T) {
	taken := openServer(t, Options{})
	for _, test := range []struct {
		name string
		o    Options
		want []string
	}{
		{"no address", Options{}, []string{"no address given", "0.0.0.0"}},
		{"port in use", Options{IPs: []netip.Addr{loopback4}, Port: taken.Port()}, []string{"TCP", "in use", "another port"}},
		{"foreign address", Options{IPs: []netip.Addr{netip.MustParseAddr("203.0.113.77")}}, []string{"203.0.113.77", "no interface"}},
		{"the second fails", Options{IPs: []netip.Addr{loopback4, netip.MustParseAddr("203.0.113.77")}}, []string{"203.0.113.77"}},
	} {
		s, err := Listen(test.o)
		if err == nil {
			s.Close()
			t.Errorf("%s: no error", test.name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not mention %q", test.name, err, want)
			}
		}
	}
}

func TestAllAddressesGetOnePort(t *testing.T) {
	ts := make(taps, 2)
	s := openServer(t, Options{IPs: []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, Accept: ts.accept})
	for _, to := range []string{"127.0.0.1", "::1"} {
		at := netip.AddrPortFrom(netip.MustParseAddr(to), s.Port())
		conn, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(at))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if got := ts.next(t).conn.Local(); got != at {
			t.Errorf("connected to %v, which says it is %v", at, got)
		}
	}
}
