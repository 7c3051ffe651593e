package loadtest

import (
	"bytes"
	"net"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/takoserver/takos-call/internal/mono"
)

// A socket that cuts what it sends, and one that joins what it gets.
func TestJoinedDatagramsAreToldApart(t *testing.T) {
	to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if err := joinDatagrams(to); err != nil {
		t.Fatal(err)
	}
	from, err := net.DialUDP("udp4", nil, to.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	raw, err := from.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, 1000)
	})
	if err != nil {
		t.Fatal(err)
	}
	for length, size := range map[int]int{3500: 1000, 1000: 1000, 10: 10} {
		sent := bytes.Repeat([]byte{byte(length)}, length)
		if _, err := from.Write(sent); err != nil {
			t.Fatal(err)
		}
		buffer, control := make([]byte, maxDatagram), make([]byte, ancillarySize)
		n, controlLen, _, _, err := to.ReadMsgUDPAddrPort(buffer, control)
		if err != nil {
			t.Fatal(err)
		}
		said := readAncillary(control[:controlLen], n)
		if !bytes.Equal(buffer[:n], sent) || said.segment != size {
			t.Errorf("of %d bytes in datagrams of %d: got %d in %d", length, size, n, said.segment)
		}
	}
}

func TestAPoolThatJoinsDatagramsReceives(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{JoinDatagrams: true})
	r := startReceiver(t, p, s, startSender(t, p, s, SenderOptions{Video: &Video{}}))
	if st := awaitPackets(t, r, 30); st.Lost+int64(st.Foreign+st.Duplicates) != 0 {
		t.Errorf("%+v", st)
	}
}

func TestKernelTellsWhenDatagramsArrived(t *testing.T) {
	to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if err := (Options{KernelTime: true, JoinDatagrams: true}).prepare(to); err != nil {
		t.Fatal(err)
	}
	const pause = 20 * time.Millisecond // what the kernel's time leaves out
	await(t, "an arrival long before the reading", func() bool {
		// The kernel begins to stamp a moment after the first socket wants it;
		// what came before then is stamped when it is read.
		if _, err := to.WriteToUDPAddrPort([]byte("x"), to.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
			t.Fatal(err)
		}
		sent := mono.Now()
		time.Sleep(pause)
		buffer, control := make([]byte, maxDatagram), make([]byte, ancillarySize)
		n, controlLen, _, _, err := to.ReadMsgUDPAddrPort(buffer, control)
		if err != nil {
			t.Fatal(err)
		}
		read := mono.Now()
		arrived := readAncillary(control[:controlLen], n).instant(read)
		return read.Sub(arrived) >= pause && arrived.Sub(sent) < pause
	})
}

func TestAncillaryDataThatAreCutShortAreLeftOut(t *testing.T) {
	var whole [64]byte
	h := (*unix.Cmsghdr)(unsafe.Pointer(&whole[0]))
	h.Level, h.Type = unix.IPPROTO_UDP, unix.UDP_GRO
	h.SetLen(unix.CmsgLen(4))
	whole[unix.CmsgLen(0)] = 100
	for length := range len(whole) {
		want := 1000
		if length >= unix.CmsgLen(4) {
			want = 100
		}
		if got := readAncillary(whole[:length], 1000).segment; got != want {
			t.Errorf("%d bytes: segments of %d, want %d", length, got, want)
		}
	}
	h.SetLen(3)
	if got := readAncillary(whole[:], 7); got != (ancillary{segment: 7}) {
		t.Errorf("of a length below that of its own header: %+v", got)
	}
}
