package udp

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestListenErrorsSayWhatToDo(t *testing.T) {
	taken := single(t, loopback4)
	tests := []struct {
		name string
		o    Options
		want []string
	}{
		{"no address", Options{}, []string{"no address given", "0.0.0.0"}},
		{"invalid address", Options{IPs: []netip.Addr{{}}}, []string{"address 1"}},
		{"same twice", Options{IPs: []netip.Addr{loopback4, netip.MustParseAddr("::ffff:127.0.0.1")}}, []string{"127.0.0.1", "twice"}},
		{"all and one", Options{IPs: []netip.Addr{netip.IPv4Unspecified(), loopback4}}, []string{"0.0.0.0", "127.0.0.1", "only one"}},
		{"port in use", Options{IPs: []netip.Addr{loopback4}, Port: taken.Port(), Readers: 2}, []string{"in use", "another port"}},
		{"port in use by all", Options{IPs: []netip.Addr{netip.IPv4Unspecified()}, Port: taken.Port()}, []string{"in use"}},
		{"foreign address", Options{IPs: []netip.Addr{netip.MustParseAddr("203.0.113.77")}}, []string{"203.0.113.77", "no interface"}},
	}
	for _, test := range tests {
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
	s := listen(t, Options{IPs: []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, Readers: 2})
	if s.Port() == 0 {
		t.Fatal("no port")
	}
	if want := 2 * min(2, maxReaders); len(s.Readers()) != want {
		t.Errorf("%d readers, want %d", len(s.Readers()), want)
	}
	for _, r := range s.Readers() {
		if r.Local().Port() != s.Port() {
			t.Errorf("a socket is on %s, want port %d", r.Local(), s.Port())
		}
	}
}

// SO_REUSEPORT would make the kernel hand out a port that another server of the
// same user has, if the first socket of an address had it when it is bound.
func TestTwoServersNeverShareAPort(t *testing.T) {
	first := listen(t, Options{IPs: []netip.Addr{loopback4, loopback6}, Readers: 2})
	second := listen(t, Options{IPs: []netip.Addr{loopback4, loopback6}, Readers: 2})
	if first.Port() == second.Port() {
		t.Errorf("two servers share port %d", first.Port())
	}
}

func TestCapsOnBuffersAreReported(t *testing.T) {
	var log bytes.Buffer
	s := single(t, loopback4)
	for k := range s.sockets {
		k.receiveBuffer, k.sendBuffer = 1000, 2000
	}
	s.reportBuffers(Options{ReceiveBuffer: 5000, SendBuffer: 5000, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, want := range []string{"granted=1000", "granted=2000", "wanted=5000", receiveLimit, sendLimit} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q does not tell %q", log.String(), want)
		}
	}
	log.Reset()
	s.reportBuffers(Options{ReceiveBuffer: 1000, SendBuffer: 1000, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if log.Len() > 0 {
		t.Errorf("complains about what is as wanted: %s", &log)
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

func TestUseAfterCloseIsRefused(t *testing.T) {
	s := single(t, loopback4)
	sender, dest := NewSender(0), s.Dest(Path{Remote: at(loopback4, s.Port()), Local: at(loopback4, s.Port())})
	s.Close()
	for _, length := range []int{100, 5000} {
		if err := sender.Send(&dest, makeRun(length), 1000); err != net.ErrClosed {
			t.Errorf("Send of %d bytes returned %v, want net.ErrClosed", length, err)
		}
	}
	if _, err := s.Readers()[0].Read(make([]Datagram, 1), func() {}); err != net.ErrClosed {
		t.Errorf("Read returned %v, want net.ErrClosed", err)
	}
	s.Stats() // must not need open sockets
}
