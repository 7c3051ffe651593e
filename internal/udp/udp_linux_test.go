//go:build linux && !portable

package udp

import (
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// only is the one socket of a Server from single.
func only(s *Server) *socket { return s.groups[0].sockets[0] }

func set(t *testing.T, k *socket, level, option, value int) {
	t.Helper()
	if err := setOption(k.raw, level, option, value); err != nil {
		t.Fatal(err)
	}
}

func TestOffloadsAreUsedAndCanBeSwitchedOff(t *testing.T) {
	for _, off := range []bool{false, true} {
		s := listen(t, Options{IPs: []netip.Addr{loopback4, loopback6}, DisableGSO: off, DisableGRO: off})
		if st := s.Stats(); st.GSO == off || st.GRO == off {
			t.Errorf("disabled %t: GSO %t, GRO %t", off, st.GSO, st.GRO)
		}
	}
}

// Every combination of a joining and a segmenting end carries the same data.
func TestOffloadsChangeNothingButTheirCounters(t *testing.T) {
	for _, gso := range []bool{true, false} {
		for _, gro := range []bool{true, false} {
			a := listen(t, Options{IPs: []netip.Addr{loopback4}, Readers: 1, DisableGSO: !gso})
			b := listen(t, Options{IPs: []netip.Addr{loopback4}, Readers: 1, DisableGRO: !gro})
			sender, dest := NewSender(0), a.Dest(Path{Local: at(loopback4, a.Port()), Remote: at(loopback4, b.Port())})
			run := makeRun(10*1100 + 1)
			if err := sender.Send(&dest, run, 1100); err != nil {
				t.Fatal(err)
			}
			got := collect(t, b.Readers()[0], 11, 4)
			checkRun(t, got, run, 1100, Path{Local: at(loopback4, b.Port()), Remote: at(loopback4, a.Port())})
			if runs := a.Stats().GSORuns; (runs > 0) != gso {
				t.Errorf("GSO %t: %d segmented runs", gso, runs)
			}
			if runs := b.Stats().GRORuns; (runs > 0) != (gso && gro) {
				t.Errorf("GSO %t, GRO %t: %d joined runs", gso, gro, runs)
			}
		}
	}
}

func TestRefusedSegmentsFallBackAtOnce(t *testing.T) {
	tests := []struct {
		errno syscall.Errno
		// what is still sent segmented afterwards
		same, smaller, otherDest bool
	}{
		{syscall.EIO, false, false, false},
		{syscall.EINVAL, false, false, true},
		{syscall.EMSGSIZE, false, true, true},
	}
	for _, test := range tests {
		p := newPair(t, loopback4)
		sender, dest, other := NewSender(0), p.a.Dest(p.there), p.a.Dest(p.there)
		failOn(p.a, test.errno, true)
		run := makeRun(3500)
		if err := sender.Send(&dest, run, 1000); err != nil {
			t.Fatalf("%v: %v", test.errno, err)
		}
		checkRun(t, collect(t, p.b.Readers()[0], 4, 4), run, 1000, p.back)
		if st := p.a.Stats(); st.GSOFallbacks != 1 || st.Dropped != (Drops{}) {
			t.Errorf("%v: %d fall-backs, drops %+v; want 1 and none", test.errno, st.GSOFallbacks, st.Dropped)
		}
		p.a.fault.Store(nil)
		for _, after := range []struct {
			name      string
			dest      *Dest
			segment   int
			segmented bool
		}{
			{"the same size", &dest, 1000, test.same},
			{"a smaller size", &dest, 900, test.smaller},
			{"another destination", &other, 1000, test.otherDest},
		} {
			before := p.a.Stats().GSORuns
			if err := sender.Send(after.dest, run, after.segment); err != nil {
				t.Fatal(err)
			}
			checkRun(t, collect(t, p.b.Readers()[0], 4, 4), run, after.segment, p.back)
			if segmented := p.a.Stats().GSORuns > before; segmented != after.segmented {
				t.Errorf("after %v, %s: segmented %t, want %t", test.errno, after.name, segmented, after.segmented)
			}
		}
	}
}

func TestErrorsThatAreNoRefusalDropTheRun(t *testing.T) {
	p := newPair(t, loopback4)
	sender, dest := NewSender(0), p.a.Dest(p.there)
	failOn(p.a, syscall.EAGAIN, true)
	if err := sender.Send(&dest, makeRun(3500), 1000); err != ErrBufferFull {
		t.Errorf("Send returned %v, want ErrBufferFull", err)
	}
	if st := p.a.Stats(); st.Dropped.BufferFull != 4 || st.GSOFallbacks != 0 {
		t.Errorf("%d dropped and %d fall-backs, want 4 and 0", st.Dropped.BufferFull, st.GSOFallbacks)
	}
}

// The kernel itself refuses segments larger than the path's MTU, which
// IPV6_MTU sets for one socket; plain sends are cut into fragments.
func TestSegmentsBeyondTheMTUFallBack(t *testing.T) {
	p := newPair(t, loopback6)
	set(t, only(p.a), unix.IPPROTO_IPV6, unix.IPV6_MTU, 1280)
	sender, dest := NewSender(0), p.a.Dest(p.there)
	run := makeRun(4000)
	if err := sender.Send(&dest, run, 1400); err != nil {
		t.Fatal(err)
	}
	checkRun(t, collect(t, p.b.Readers()[0], 3, 4), run, 1400, p.back)
	if n := p.a.Stats().GSOFallbacks; n != 1 {
		t.Errorf("%d fall-backs, want 1", n)
	}
}

// The kernel itself refuses segments without a checksum (EINVAL).
func TestSegmentsWithoutChecksumFallBack(t *testing.T) {
	p := newPair(t, loopback4)
	set(t, only(p.a), unix.SOL_SOCKET, unix.SO_NO_CHECK, 1)
	sender, dest := NewSender(0), p.a.Dest(p.there)
	run := makeRun(4000)
	if err := sender.Send(&dest, run, 1400); err != nil {
		t.Fatal(err)
	}
	checkRun(t, collect(t, p.b.Readers()[0], 3, 4), run, 1400, p.back)
	if n := p.a.Stats().GSOFallbacks; n != 1 {
		t.Errorf("%d fall-backs, want 1", n)
	}
}

// IP_RECVERR makes the kernel report the ICMP message "port unreachable" to
// sockets that are not connected as well.
func TestICMPErrorsDoNotEndReading(t *testing.T) {
	p := newPair(t, loopback4)
	set(t, only(p.b), unix.IPPROTO_IP, unix.IP_RECVERR, 1)
	gone := single(t, loopback4)
	gone.Close()
	deaf := p.b.Dest(Path{Local: p.back.Local, Remote: at(loopback4, gone.Port())})
	if err := NewSender(0).Send(&deaf, makeRun(10), 10); err != nil {
		t.Fatal(err)
	}
	sender, dest, run := NewSender(0), p.a.Dest(p.there), makeRun(10)
	if err := sender.Send(&dest, run, 10); err != nil {
		t.Fatal(err)
	}
	checkRun(t, collect(t, p.b.Readers()[0], 1, 1), run, 10, p.back)
	if n := p.b.Stats().ReceiveErrors; n != 1 {
		t.Errorf("%d errors counted, want 1", n)
	}
}

func TestDryIsNotCalledWhileThereIsInput(t *testing.T) {
	p := newPair(t, loopback4)
	sender, dest := NewSender(0), p.a.Dest(p.there)
	for range 3 {
		if err := sender.Send(&dest, makeRun(1000), 1000); err != nil {
			t.Fatal(err)
		}
	}
	batch := make([]Datagram, 1)
	for range 3 {
		if _, err := p.b.Readers()[0].Read(batch, func() { t.Error("dry was called") }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnotherProgramCannotShareThePort(t *testing.T) {
	s := single(t, loopback4)
	thief, err := bind(netip.AddrPortFrom(loopback4, s.Port()), false, false)
	if err == nil {
		thief.Close()
		t.Fatal("a second socket without SO_REUSEPORT was bound")
	}
}

func TestTheKernelsDropsAreCounted(t *testing.T) {
	b := listen(t, Options{IPs: []netip.Addr{loopback4}, Readers: 1, ReceiveBuffer: 4096})
	a := single(t, loopback4)
	const sent = 1000
	sender, dest := NewSender(0), a.Dest(Path{Remote: at(loopback4, b.Port())})
	for range sent {
		if err := sender.Send(&dest, makeRun(1000), 1000); err != nil {
			t.Fatal(err)
		}
	}
	drops := b.Stats().Dropped.Kernel
	if drops == 0 || drops >= sent {
		t.Fatalf("%d drops of %d", drops, sent)
	}
	collect(t, b.Readers()[0], sent-int(drops), 8)
	b.Close()
	if again := b.Stats().Dropped.Kernel; again != drops {
		t.Errorf("after Close the drops are %d, not %d", again, drops)
	}
}

func TestWhatDoesNotFitIsDroppedAndCounted(t *testing.T) {
	b := listen(t, Options{IPs: []netip.Addr{loopback4}, Readers: 1, DisableGRO: true})
	a := single(t, loopback4)
	sender, dest := NewSender(0), a.Dest(Path{Remote: at(loopback4, b.Port())})
	for _, size := range []int{plainStride + 1, 100} {
		if err := sender.Send(&dest, makeRun(size), size); err != nil {
			t.Fatal(err)
		}
	}
	if got := collect(t, b.Readers()[0], 1, 4)[0]; len(got.data) != 100 {
		t.Errorf("received %d bytes, want the datagram of 100", len(got.data))
	}
	if n := b.Stats().Dropped.Truncated; n != 1 {
		t.Errorf("%d counted, want 1", n)
	}
}

func TestEmptyDatagramsAreSkipped(t *testing.T) {
	s := single(t, loopback4)
	client, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback4, s.Port())))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, data := range []string{"", "full"} {
		if _, err := client.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if got := collect(t, s.Readers()[0], 1, 4)[0]; string(got.data) != "full" {
		t.Errorf("received %q", got.data)
	}
}

func TestATrialFailsWhereNothingArrives(t *testing.T) {
	var log strings.Builder
	if passes(slog.New(slog.NewTextHandler(&log, nil)), "GSO", netip.MustParseAddr("203.0.113.77"), true, false) {
		t.Error("passed on an address that is not ours")
	}
	if !strings.Contains(log.String(), "GSO") || !strings.Contains(log.String(), "203.0.113.77") {
		t.Errorf("the log does not tell what failed: %s", &log)
	}
}

func TestATrialNoticesDamage(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"changed":   func(b []byte) []byte { b[10]++; return b },
		"shortened": func(b []byte) []byte { return b[:len(b)-1] },
		"missing":   func([]byte) []byte { return nil },
	} {
		p := newPair(t, loopback4)
		sender, dest := NewSender(0), p.a.Dest(p.there)
		// What is read at b, at once, is the damaged first segment that was
		// there before; the trial's own data arrives behind it.
		intruder := damage(trialRun(trialSegment))
		toB := p.a.Dest(p.there)
		if err := sender.Send(&toB, intruder, trialSegment); err != nil {
			t.Fatal(err)
		}
		if name == "missing" {
			failOn(p.a, syscall.EPERM, false)
		}
		if err := p.b.tryRun(sender, &dest, trialSegment); err == nil {
			t.Errorf("a run with a segment %s passed", name)
		}
	}
}

func TestTrialsPassHere(t *testing.T) {
	for _, ip := range []netip.Addr{loopback4, loopback6} {
		for _, gro := range []bool{false, true} {
			if err := trial(ip, true, gro); err != nil {
				t.Errorf("%s, GRO %t: %v", ip, gro, err)
			}
		}
	}
}

// The kernel's control messages are not the network's, but a parser with
// unsafe in it should hold whatever comes.
func FuzzControl(f *testing.F) {
	info := make([]byte, unix.CmsgSpace(unix.SizeofInet4Pktinfo)+unix.CmsgSpace(4))
	header := (*unix.Cmsghdr)(unsafe.Pointer(&info[0]))
	header.Level, header.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
	header.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
	size := info[unix.CmsgSpace(unix.SizeofInet4Pktinfo):]
	header = (*unix.Cmsghdr)(unsafe.Pointer(&size[0]))
	header.Level, header.Type = unix.IPPROTO_UDP, unix.UDP_GRO
	header.SetLen(unix.CmsgLen(4))
	binary.NativeEndian.PutUint32(size[unix.SizeofCmsghdr:], 1200)
	f.Add(info)
	f.Add(info[:20])
	f.Add([]byte{})
	k := &socket{local: at(netip.IPv4Unspecified(), 4000), wildcard: true}
	f.Fuzz(func(t *testing.T, control []byte) {
		s := &slot{}
		n := copy(s.controlBytes(controlSize), control)
		r := &Reader{socket: k, segment: 1500}
		r.readControl(s.controlBytes(n))
		if r.segment <= 0 {
			t.Errorf("segment of %d bytes", r.segment)
		}
	})
}

func TestControlMessagesAreUnderstood(t *testing.T) {
	s := listen(t, Options{IPs: []netip.Addr{netip.IPv4Unspecified()}, Readers: 1})
	a := single(t, loopback4)
	sender, dest := NewSender(0), a.Dest(Path{Remote: at(loopback4, s.Port()), Local: at(loopback4, a.Port())})
	run := makeRun(3000)
	if err := sender.Send(&dest, run, 1000); err != nil {
		t.Fatal(err)
	}
	// Both at once: where it arrived, and that it is three.
	checkRun(t, collect(t, s.Readers()[0], 3, 3), run, 1000, Path{Remote: at(loopback4, a.Port()), Local: at(loopback4, s.Port())})
	if n := s.Stats().GRORuns; n != 1 {
		t.Errorf("%d joined runs, want 1", n)
	}
}

func TestReadsCanBeInterruptedByADeadline(t *testing.T) {
	s := single(t, loopback4)
	setDeadlines(t, s, time.Now())
	if _, err := s.Readers()[0].Read(make([]Datagram, 1), func() {}); err == nil {
		t.Error("Read returned without input or error")
	}
}
