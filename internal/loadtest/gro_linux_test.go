package loadtest

import (
	"bytes"
	"net"
	"testing"

	"golang.org/x/sys/unix"
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
		buffer, control := make([]byte, maxDatagram), make([]byte, 64)
		n, controlLen, _, _, err := to.ReadMsgUDPAddrPort(buffer, control)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(buffer[:n], sent) || segmentSize(control[:controlLen], n) != size {
			t.Errorf("of %d bytes in datagrams of %d: got %d in %d", length, size, n, segmentSize(control[:controlLen], n))
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
