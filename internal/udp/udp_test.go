package udp

import (
	"bytes"
	"net"
	"net/netip"
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
	for k := range s.sockets {
		if err := k.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	return s
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
		a, b := single(t, ip), single(t, ip)
		there, back := Path{Local: at(ip, a.Port()), Remote: at(ip, b.Port())}, Path{Local: at(ip, b.Port()), Remote: at(ip, a.Port())}
		sender, dest := a.NewSender(0), a.Dest(there)
		for _, l := range lengths {
			run := makeRun(l.length)
			if err := sender.Send(&dest, run, l.segment); err != nil {
				t.Fatalf("%s: send %d in %d: %v", ip, l.length, l.segment, err)
			}
			got := collect(t, b.Readers()[0], datagrams(run, l.segment), 7)
			checkRun(t, got, run, l.segment, back)
		}
	}
}

func TestCloseEndsAWaitingRead(t *testing.T) {
	s := listen(t, Options{IPs: []netip.Addr{loopback4, loopback6}, Readers: 2})
	waiting, ended := make(chan struct{}), make(chan error)
	for _, r := range s.Readers() {
		go func() {
			_, err := r.Read(make([]Datagram, 1), func() { waiting <- struct{}{} })
			ended <- err
		}()
	}
	for range s.Readers() {
		<-waiting
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range s.Readers() {
		if err := <-ended; err != net.ErrClosed {
			t.Errorf("Read returned %v, want net.ErrClosed", err)
		}
	}
}
