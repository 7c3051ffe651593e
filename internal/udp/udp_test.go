package udp

import (
	"bytes"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	loopback6 = netip.IPv6Loopback()
)

// patience bounds every wait for what must happen.
const patience = 5 * time.Second

func listen(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	setDeadlines(t, s, time.Now().Add(patience))
	return s
}

// setDeadlines makes Reads fail from then on instead of waiting for ever.
func setDeadlines(t testing.TB, s *Server, when time.Time) {
	t.Helper()
	for k := range s.sockets {
		if err := k.conn.SetReadDeadline(when); err != nil {
			t.Fatal(err)
		}
	}
}

// single is a Server with one socket on ip.
func single(t testing.TB, ip netip.Addr) *Server {
	t.Helper()
	return listen(t, Options{IPs: []netip.Addr{ip}, Readers: 1})
}

func at(ip netip.Addr, port uint16) Addr { return AddrFrom(netip.AddrPortFrom(ip, port)) }

// makeRun is a run whose datagrams differ from each other.
func makeRun(length int) []byte {
	run := make([]byte, length)
	for i := range run {
		run[i] = byte(i*31 + i>>8*7)
	}
	return run
}

// received is a Datagram that outlives the next Read.
type received struct {
	data []byte
	path Path
}

// collect reads until it has n datagrams, with batches of that size.
func collect(t testing.TB, r *Reader, n, batchSize int) []received {
	t.Helper()
	var all []received
	batch := make([]Datagram, batchSize)
	for len(all) < n {
		got, err := r.Read(batch, func() {})
		if err != nil {
			t.Fatalf("after %d of %d datagrams: %v", len(all), n, err)
		}
		for _, d := range batch[:got] {
			all = append(all, received{bytes.Clone(d.Data), d.Path})
		}
	}
	if len(all) > n {
		t.Fatalf("received %d datagrams, want %d", len(all), n)
	}
	return all
}

// checkRun compares what was received with the run that was sent.
func checkRun(t testing.TB, got []received, run []byte, segmentSize int, want Path) {
	t.Helper()
	for i, d := range got {
		segment := run[:min(segmentSize, len(run))]
		if !bytes.Equal(d.data, segment) {
			t.Fatalf("datagram %d: %d bytes that are not the %d sent", i, len(d.data), len(segment))
		}
		if d.path != want {
			t.Fatalf("datagram %d came along %v, want %v", i, d.path, want)
		}
		run = run[len(segment):]
	}
	if len(run) > 0 {
		t.Fatalf("%d bytes of the run are missing", len(run))
	}
}

func TestRunsArriveAsTheyWereSent(t *testing.T) {
	lengths := []struct{ length, segment int }{
		{1, 1200}, {1200, 1200}, {1201, 1200}, {2400, 1200}, {4700, 1176},
		{8 * 1200, 1200}, {70 * 1100, 1100}, {200 * 100, 100}, {65507, 1200}, {3 * 40000, 40000},
	}
	for _, ip := range []netip.Addr{loopback4, loopback6} {
		p := newPair(t, ip)
		sender, dest := NewSender(0), p.a.Dest(p.there)
		for _, l := range lengths {
			run := makeRun(l.length)
			if err := sender.Send(&dest, run, l.segment); err != nil {
				t.Fatalf("%s: send %d in %d: %v", ip, l.length, l.segment, err)
			}
			got := collect(t, p.b.Readers()[0], datagrams(run, l.segment), 7)
			checkRun(t, got, run, l.segment, p.back)
		}
	}
}

// pair is two servers: what a sends there, b receives as coming back.
type pair struct {
	a, b        *Server
	there, back Path
}

func newPair(t testing.TB, ip netip.Addr) pair {
	t.Helper()
	a, b := single(t, ip), single(t, ip)
	return pair{
		a: a, b: b,
		there: Path{Local: at(ip, a.Port()), Remote: at(ip, b.Port())},
		back:  Path{Local: at(ip, b.Port()), Remote: at(ip, a.Port())},
	}
}

func TestSmallBatchesLoseNothing(t *testing.T) {
	p := newPair(t, loopback4)
	sender, dest := NewSender(0), p.a.Dest(p.there)
	for batchSize := 1; batchSize < 12; batchSize++ {
		run := makeRun(10*1000 + 1)
		if err := sender.Send(&dest, run, 1000); err != nil {
			t.Fatal(err)
		}
		checkRun(t, collect(t, p.b.Readers()[0], 11, batchSize), run, 1000, p.back)
	}
}

func TestAnEmptyBatchReadsNothing(t *testing.T) {
	s := single(t, loopback4)
	if n, err := s.Readers()[0].Read(nil, func() { t.Error("dry was called") }); n != 0 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestDryIsCalledOncePerWait(t *testing.T) {
	p := newPair(t, loopback4)
	sender, dest := NewSender(0), p.a.Dest(p.there)
	batch := make([]Datagram, 4)
	for wait := range 20 {
		calls := 0
		n, err := p.b.Readers()[0].Read(batch, func() {
			calls++
			if err := sender.Send(&dest, makeRun(10), 1000); err != nil {
				t.Error(err)
			}
		})
		if n != 1 || err != nil || calls != 1 {
			t.Fatalf("wait %d: got %d datagrams, %v, after %d calls of dry; want one of each", wait, n, err, calls)
		}
	}
}

func TestAPanicInDryLeavesTheReaderUsable(t *testing.T) {
	p := newPair(t, loopback4)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		p.b.Readers()[0].Read(make([]Datagram, 1), func() { panic("on purpose") })
	}()
	sender, dest := NewSender(0), p.a.Dest(p.there)
	run := makeRun(100)
	if err := sender.Send(&dest, run, 1000); err != nil {
		t.Fatal(err)
	}
	checkRun(t, collect(t, p.b.Readers()[0], 1, 1), run, 1000, p.back)
}

func TestAnswersComeFromTheAddressAsked(t *testing.T) {
	s := listen(t, Options{IPs: []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, Readers: 2})
	sender := NewSender(1)
	for _, ip := range []netip.Addr{loopback4, netip.AddrFrom4([4]byte{127, 0, 0, 2}), loopback6} {
		client, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, s.Port())))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if _, err := client.Write([]byte("question")); err != nil {
			t.Fatal(err)
		}
		asked := whoever(t, s)
		if string(asked.data) != "question" || asked.path.Remote != AddrFrom(client.LocalAddr().(*net.UDPAddr).AddrPort()) {
			t.Fatalf("%s: received %q from %s", ip, asked.data, asked.path.Remote)
		}
		if want := at(ip, s.Port()); offloads && asked.path.Local != want {
			t.Errorf("received at %s, want %s", asked.path.Local, want)
		}
		if ip == loopback4 || offloads {
			checkAnswer(t, s, sender, client, asked.path)
		}
	}
}

// checkAnswer sends a run that the client, which is connected, only receives
// from the address that it asked.
func checkAnswer(t *testing.T, s *Server, sender *Sender, client *net.UDPConn, path Path) {
	t.Helper()
	dest, run := s.Dest(path), makeRun(2500)
	if err := sender.Send(&dest, run, 1000); err != nil {
		t.Fatal(err)
	}
	client.SetReadDeadline(time.Now().Add(patience))
	for len(run) > 0 {
		var buffer [2000]byte
		n, err := client.Read(buffer[:])
		if err != nil {
			t.Fatalf("answer to %s: %v", path.Local, err)
		}
		if want := run[:min(1000, len(run))]; !bytes.Equal(buffer[:n], want) {
			t.Fatalf("answer of %d bytes is not the one sent", n)
		}
		run = run[min(1000, len(run)):]
	}
}

// whoever returns the one datagram that some socket of s receives.
func whoever(t *testing.T, s *Server) received {
	t.Helper()
	results := make(chan received, len(s.Readers()))
	var group sync.WaitGroup
	for _, r := range s.Readers() {
		group.Go(func() {
			var batch [1]Datagram
			if n, _ := r.Read(batch[:], func() {}); n == 1 {
				results <- received{bytes.Clone(batch[0].Data), batch[0].Path}
			}
		})
	}
	select {
	case got := <-results:
		setDeadlines(t, s, time.Now()) // the others wait in vain
		group.Wait()
		setDeadlines(t, s, time.Now().Add(patience))
		return got
	case <-time.After(patience):
		t.Fatal("nothing arrived")
		return received{}
	}
}

func TestManyGoroutinesSendOnOneSocket(t *testing.T) {
	const goroutines, runs, perRun, segment = 8, 64, 4, 500
	p := newPair(t, loopback4)
	window := make(chan struct{}, 16) // runs on their way: what any receive buffer holds
	var group sync.WaitGroup
	for id := range goroutines {
		group.Go(func() {
			sender, dest := NewSender(0), p.a.Dest(p.there)
			run := make([]byte, perRun*segment)
			for n := range runs * perRun {
				at := run[n%perRun*segment:]
				at[0], at[1] = byte(id), byte(n)
				if n%perRun == perRun-1 {
					window <- struct{}{}
					if err := sender.Send(&dest, run, segment); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	var next [goroutines]byte
	for got := 0; got < goroutines*runs*perRun; got++ {
		d := collect(t, p.b.Readers()[0], 1, 1)[0]
		id := d.data[0]
		if len(d.data) != segment || d.data[1] != next[id] {
			t.Fatalf("sender %d: datagram %d of %d bytes, want %d", id, d.data[1], len(d.data), next[id])
		}
		next[id]++
		if got%perRun == perRun-1 {
			<-window
		}
	}
	group.Wait()
}

func TestOtherFamilyHasNoSocket(t *testing.T) {
	s := single(t, loopback4)
	sender, dest := NewSender(0), s.Dest(Path{Remote: at(loopback6, 4000)})
	if err := sender.Send(&dest, makeRun(10), 10); err != ErrNoSocket {
		t.Errorf("Send returned %v, want ErrNoSocket", err)
	}
}

func TestSegmentSizeMustBePositive(t *testing.T) {
	s := single(t, loopback4)
	sender, dest := NewSender(0), s.Dest(Path{Remote: at(loopback4, s.Port())})
	for _, size := range []int{0, -1} {
		if err := sender.Send(&dest, makeRun(10), size); err != ErrSegmentSize {
			t.Errorf("Send with segments of %d bytes returned %v, want ErrSegmentSize", size, err)
		}
	}
}

func TestAnEmptyRunSendsNothing(t *testing.T) {
	s := single(t, loopback4)
	sender, dest := NewSender(0), s.Dest(Path{Remote: at(loopback4, s.Port())})
	if err := sender.Send(&dest, nil, 100); err != nil {
		t.Fatal(err)
	}
	if sent := s.Stats().Sent; sent != (Traffic{}) {
		t.Errorf("counted %+v", sent)
	}
}

func TestDestPrefersTheSocketOfItsLocalAddress(t *testing.T) {
	second := netip.AddrFrom4([4]byte{127, 0, 0, 2})
	s := listen(t, Options{IPs: []netip.Addr{loopback6, loopback4, second}, Readers: 1})
	remote := at(loopback4, 4000)
	for want, p := range []Path{
		{Remote: at(loopback6, 4000)},
		{Remote: remote, Local: at(loopback4, s.Port())},
		{Remote: remote, Local: at(second, s.Port())},
	} {
		if d := s.Dest(p); int(d.group) != want || d.Path() != p {
			t.Errorf("%v is sent by socket group %d along %v, want %d", p, d.group, d.Path(), want)
		}
	}
}

func TestStatsCountBothWays(t *testing.T) {
	p := newPair(t, loopback4)
	sender, dest := NewSender(0), p.a.Dest(p.there)
	run := makeRun(3500)
	if err := sender.Send(&dest, run, 1000); err != nil {
		t.Fatal(err)
	}
	collect(t, p.b.Readers()[0], 4, 10)
	sent, got := p.a.Stats(), p.b.Stats()
	if sent.Sent.Datagrams != 4 || sent.Sent.Bytes != 3500 {
		t.Errorf("sent %+v, want 4 datagrams of 3500 bytes", sent.Sent)
	}
	if got.Received.Datagrams != 4 || got.Received.Bytes != 3500 {
		t.Errorf("received %+v, want 4 datagrams of 3500 bytes", got.Received)
	}
	if sent.Sent.Syscalls == 0 || got.Received.Syscalls == 0 {
		t.Error("system calls are not counted")
	}
	if sent.GSO && (sent.GSORuns != 1 || sent.Sent.Syscalls != 1) {
		t.Errorf("%d segmented runs in %d system calls, want 1 in 1", sent.GSORuns, sent.Sent.Syscalls)
	}
	if got.GRO && (got.GRORuns != 1 || got.Received.Syscalls != 1) {
		t.Errorf("%d joined runs in %d system calls, want 1 in 1", got.GRORuns, got.Received.Syscalls)
	}
	if sent.ReceiveBuffer <= 0 || sent.SendBuffer <= 0 {
		t.Errorf("granted buffers are unknown: %+v", sent)
	}
	if sent.Dropped != (Drops{}) || got.Dropped != (Drops{}) {
		t.Errorf("counted drops: %+v, %+v", sent.Dropped, got.Dropped)
	}
}

// failOn makes sends fail with errno, segmented ones or all.
func failOn(s *Server, errno syscall.Errno, segmentedOnly bool) {
	hook := faultHook(func(segmented bool) syscall.Errno {
		if segmented || !segmentedOnly {
			return errno
		}
		return 0
	})
	s.fault.Store(&hook)
}

func TestFailedSendsAreCountedByReason(t *testing.T) {
	tests := []struct {
		errno syscall.Errno
		want  Drops
		err   error
	}{
		{syscall.EAGAIN, Drops{BufferFull: 3}, ErrBufferFull},
		{syscall.ENOBUFS, Drops{BufferFull: 3}, ErrBufferFull},
		{syscall.EMSGSIZE, Drops{TooBig: 3}, syscall.EMSGSIZE},
		{syscall.ENETUNREACH, Drops{Unreachable: 3}, syscall.ENETUNREACH},
		{syscall.ECONNREFUSED, Drops{Unreachable: 3}, syscall.ECONNREFUSED},
		{syscall.EPERM, Drops{Other: 3}, syscall.EPERM},
	}
	for _, test := range tests {
		s := single(t, loopback4)
		sender, dest := NewSender(0), s.Dest(Path{Remote: at(loopback4, s.Port())})
		failOn(s, test.errno, false)
		if err := sender.Send(&dest, makeRun(2500), 1000); err != test.err {
			t.Errorf("%v: Send returned %v, want %v", test.errno, err, test.err)
		}
		if st := s.Stats(); st.Dropped != test.want || st.Sent.Datagrams != 0 {
			t.Errorf("%v: counted %+v and %d sent, want %+v and 0", test.errno, st.Dropped, st.Sent.Datagrams, test.want)
		}
		s.fault.Store(nil)
		if err := sender.Send(&dest, makeRun(10), 1000); err != nil {
			t.Errorf("%v: the next Send returned %v", test.errno, err)
		}
	}
}

func TestSendingWithoutAnAllocation(t *testing.T) {
	p := newPair(t, loopback4)
	sender, dest, run := NewSender(0), p.a.Dest(p.there), makeRun(4*1200)
	for _, count := range []int{1, 4} {
		allocs := testing.AllocsPerRun(100, func() {
			if err := sender.Send(&dest, run[:count*1200], 1200); err != nil {
				t.Error(err)
			}
		})
		if allocs != 0 {
			t.Errorf("sending %d datagrams allocates %.1f times", count, allocs)
		}
	}
}

func TestReceivingWithoutAnAllocation(t *testing.T) {
	p := newPair(t, loopback4)
	sender, dest, run := NewSender(0), p.a.Dest(p.there), makeRun(4*1200)
	batch, dry := make([]Datagram, 64), func() {}
	allocs := testing.AllocsPerRun(100, func() {
		if err := sender.Send(&dest, run, 1200); err != nil {
			t.Error(err)
		}
		for got := 0; got < 4; {
			n, err := p.b.Readers()[0].Read(batch, dry)
			if err != nil {
				t.Error(err)
			}
			got += n
		}
	})
	if allocs != 0 {
		t.Errorf("receiving 4 datagrams allocates %.1f times", allocs)
	}
}
