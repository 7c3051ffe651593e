//go:build linux && !portable

package udp

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

func TestDualStackAnswersBothFamilies(t *testing.T) {
	s := listen(t, Options{IPs: []netip.Addr{netip.IPv6Unspecified()}, DualStack: true, Readers: 1})
	for _, ip := range []netip.Addr{loopback4, loopback6} {
		peer, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, s.Port())))
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		if _, err := peer.Write([]byte("question")); err != nil {
			t.Fatal(err)
		}
		got := collect(t, s.Readers()[0], 1, 1)[0]
		if want := at(ip, s.Port()); got.path.Local != want {
			t.Errorf("came to %v, want %v", got.path.Local, want)
		}
		if remote := peer.LocalAddr().(*net.UDPAddr).AddrPort(); got.path.Remote != AddrFrom(remote) {
			t.Errorf("came from %v, want %v", got.path.Remote, remote)
		}
		dest := s.Dest(got.path)
		if err := NewSender(0).Send(&dest, makeRun(300), 100); err != nil {
			t.Fatal(err)
		}
		_ = peer.SetReadDeadline(time.Now().Add(patience))
		for range 3 {
			if n, err := peer.Read(make([]byte, 200)); n != 100 || err != nil {
				t.Errorf("%v: an answer of %d bytes, %v", ip, n, err)
			}
		}
	}
}

func TestUnspecifiedIPv6AloneLeavesIPv4ToOthers(t *testing.T) {
	six := listen(t, Options{IPs: []netip.Addr{netip.IPv6Unspecified()}, Readers: 1})
	listen(t, Options{IPs: []netip.Addr{netip.IPv4Unspecified()}, Port: six.Port(), Readers: 1})
}

func TestPortIsSharedOnlyByThoseWhoSaySo(t *testing.T) {
	share := func(port uint16, reuse bool) Options {
		return Options{IPs: []netip.Addr{loopback4}, Port: port, Readers: 1, ReusePort: reuse}
	}
	first := listen(t, share(0, true))
	second := listen(t, share(first.Port(), true))
	if first.Port() != second.Port() {
		t.Errorf("ports %d and %d", first.Port(), second.Port())
	}
	alone := listen(t, share(0, false))
	for _, o := range []Options{share(first.Port(), false), share(alone.Port(), true), share(alone.Port(), false)} {
		if s, err := Listen(o); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%+v: %v", o, err)
			if err == nil {
				s.Close()
			}
		}
	}
}

func TestSmallReadsLoseNothing(t *testing.T) {
	s := listen(t, Options{IPs: []netip.Addr{loopback4}, Readers: 1, DisableGRO: true, Batch: 4})
	sender, dest := NewSender(0), s.Dest(Path{Remote: at(loopback4, s.Port())})
	if err := sender.Send(&dest, makeRun(1000), 100); err != nil {
		t.Fatal(err)
	}
	for i, got := range collect(t, s.Readers()[0], 10, 10) {
		if string(got.data) != string(makeRun(1000)[i*100:(i+1)*100]) {
			t.Errorf("datagram %d is another", i)
		}
	}
	if n := s.Stats().Received.Syscalls; n < 3 {
		t.Errorf("10 datagrams in %d calls", n)
	}
}

func TestOneSenderServesSeveralServers(t *testing.T) {
	a, b, sender := single(t, loopback4), single(t, loopback6), NewSender(0)
	to, from := a.Dest(Path{Remote: at(loopback4, a.Port())}), b.Dest(Path{Remote: at(loopback6, b.Port())})
	for range 2 {
		if err := errors.Join(sender.Send(&to, makeRun(10), 10), sender.Send(&from, makeRun(20), 20)); err != nil {
			t.Fatal(err)
		}
	}
	sum := a.Stats()
	sum.Add(b.Stats())
	if sum.Sent.Datagrams != 4 || sum.Sent.Bytes != 60 || b.Stats().Sent.Bytes != 40 {
		t.Errorf("sent %+v, of them %+v", sum.Sent, b.Stats().Sent)
	}
}

func TestMulticastGroupIsBoundItself(t *testing.T) {
	group := netip.MustParseAddr("224.0.0.1") // every machine is in it
	on := func(port uint16, reuse bool) Options {
		return Options{IPs: []netip.Addr{group}, Port: port, Readers: 1, ReusePort: reuse}
	}
	s := listen(t, on(0, true))
	listen(t, on(s.Port(), true))
	if _, err := Listen(on(s.Port(), false)); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a socket that shares with nobody: %v", err)
	}
	// What is sent to the machine itself is not for the group.
	listen(t, Options{IPs: []netip.Addr{loopback4}, Port: s.Port(), Readers: 1})
}
