package tcp

import (
	"net"
	"net/netip"
	"testing"
)

func TestDualStackTakesBothFamilies(t *testing.T) {
	accepted := make(chan netip.AddrPort, 2)
	s, err := Listen(Options{
		IPs: []netip.Addr{netip.IPv6Unspecified()}, DualStack: true, ReceiveBuffer: 64 << 10, SendBuffer: 64 << 10,
		Accept: func(c *Conn) Receiver {
			accepted <- c.Local()
			return deaf{}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, ip := range []string{"127.0.0.1", "::1"} {
		want := netip.AddrPortFrom(netip.MustParseAddr(ip), s.Port())
		c, err := net.Dial("tcp", want.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := <-accepted; got != want {
			t.Errorf("a connection to %v, want %v", got, want)
		}
	}
	sum := s.Stats()
	sum.Add(Stats{Accepted: 5, Received: Traffic{Packets: 1}})
	if sum.Accepted != 7 || sum.Received.Packets != 1 {
		t.Errorf("the sum is %+v", sum)
	}
}

// deaf is a Receiver that does nothing.
type deaf struct{}

func (deaf) Receive([][]byte) {}
func (deaf) Closed()          {}
