package line

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/e2e/relay/link"
)

const ms = time.Millisecond

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a UDP and TCP server that sends back what it gets.
type server struct {
	at   netip.AddrPort
	from chan netip.AddrPort // of each datagram
}

func startServer(t *testing.T) *server {
	t.Helper()
	udp, tcp, err := listenBoth(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{udp.LocalAddr().(*net.UDPAddr).AddrPort(), make(chan netip.AddrPort, 1000)}
	ended := make(chan struct{}, 2)
	go func() {
		defer func() { ended <- struct{}{} }()
		b := make([]byte, 2000)
		for {
			n, from, err := udp.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			s.from <- from
			udp.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	go func() {
		defer func() { ended <- struct{}{} }()
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			io.Copy(c, c)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		udp.Close()
		tcp.Close()
		<-ended
		<-ended
	})
	return s
}

func startLine(t *testing.T, at netip.AddrPort) *Line {
	t.Helper()
	l, err := Listen(Options{Server: at, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func dial(t *testing.T, network string, l *Line) net.Conn {
	t.Helper()
	c, err := net.Dial(network, l.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, c net.Conn) string {
	t.Helper()
	b := make([]byte, 2000)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func set(t *testing.T, l *Line, w Way, c link.Conditions) {
	t.Helper()
	if err := l.Set(w, c); err != nil {
		t.Fatal(err)
	}
}

// until waits for what the relay does in its own time.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(ms) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come about")
		}
	}
}

func TestDatagramsGoThereAndBack(t *testing.T) {
	s := startServer(t)
	l := startLine(t, s.at)
	anna, ben := dial(t, "udp", l), dial(t, "udp", l)
	for _, c := range []net.Conn{anna, ben} {
		text := c.LocalAddr().String()
		write(t, c, text)
		if got := read(t, c); got != text {
			t.Errorf("sent %q, got %q", text, got)
		}
	}
	if first, second := <-s.from, <-s.from; first == second {
		t.Error("the server cannot tell two clients apart")
	}
	st := l.Stats()
	if st.Flows != 2 || st.Up.Passed != 2 || st.Down.Passed != 2 || st.Unsent != 0 {
		t.Errorf("%+v", st)
	}
}

func TestDelayIsKept(t *testing.T) {
	s := startServer(t)
	l := startLine(t, s.at)
	set(t, l, Up, link.Conditions{Delay: 30 * ms})
	set(t, l, Down, link.Conditions{Delay: 20 * ms})
	c := dial(t, "udp", l)
	began := time.Now()
	write(t, c, "a")
	read(t, c)
	if took := time.Since(began); took < 50*ms {
		t.Errorf("there and back took %v", took)
	}
}

func TestOvertaken(t *testing.T) {
	s := startServer(t)
	l := startLine(t, s.at)
	c := dial(t, "udp", l)
	set(t, l, Up, link.Conditions{Reorder: 1, ReorderBy: 200 * ms})
	write(t, c, "first")
	until(t, func() bool { return l.Stats().Up.HeldBack != 0 })
	set(t, l, Up, link.Conditions{})
	write(t, c, "second")
	if got := []string{read(t, c), read(t, c)}; !slices.Equal(got, []string{"second", "first"}) {
		t.Errorf("%q", got)
	}
}

func TestBlackoutAndBlockedUDP(t *testing.T) {
	s := startServer(t)
	l := startLine(t, s.at)
	c := dial(t, "udp", l)
	set(t, l, Up, link.Conditions{Down: true})
	write(t, c, "lost")
	until(t, func() bool { return l.Stats().Up.Dark != 0 })
	set(t, l, Up, link.Conditions{})
	l.BlockUDP(true)
	write(t, c, "lost")
	until(t, func() bool { return l.Stats().Blocked != 0 })
	l.BlockUDP(false)
	write(t, c, "here")
	if got := read(t, c); got != "here" {
		t.Errorf("%q", got)
	}
}

func TestRebind(t *testing.T) {
	s := startServer(t)
	l := startLine(t, s.at)
	c := dial(t, "udp", l)
	write(t, c, "a")
	read(t, c)
	old := <-s.from
	if err := l.Rebind(); err != nil {
		t.Fatal(err)
	}
	write(t, c, "b")
	if got := read(t, c); got != "b" {
		t.Errorf("%q", got)
	}
	if now := <-s.from; now == old {
		t.Errorf("the server still sees %v", now)
	}
	if st := l.Stats(); st.Flows != 1 {
		t.Errorf("%+v", st)
	}
}

func TestTCPHasTheDelayAndRate(t *testing.T) {
	s := startServer(t)
	l := startLine(t, s.at)
	set(t, l, Up, link.Conditions{Delay: 50 * ms, Rate: 4_000_000, Queue: time.Second})
	l.BlockUDP(true)
	c := dial(t, "tcp", l)
	sent := bytes.Repeat([]byte("0123456789"), 10_000) // 200 ms at that rate
	began := time.Now()
	go c.Write(sent)
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 240*ms {
		t.Errorf("took %v", took)
	}
	if !bytes.Equal(got, sent) {
		t.Error("something else comes back")
	}
	if st := l.Stats(); st.Connections != 1 {
		t.Errorf("%+v", st)
	}
}

func TestTCPStandsStillInABlackout(t *testing.T) {
	s := startServer(t)
	l := startLine(t, s.at)
	c := dial(t, "tcp", l)
	set(t, l, Up, link.Conditions{Down: true})
	write(t, c, "a")
	c.SetReadDeadline(time.Now().Add(100 * ms))
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("something comes through")
	}
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	set(t, l, Up, link.Conditions{})
	if got := read(t, c); got != "a" {
		t.Errorf("%q", got)
	}
}

func TestTCPEndsAtBothEnds(t *testing.T) {
	s := startServer(t)
	l := startLine(t, s.at)
	c := dial(t, "tcp", l)
	write(t, c, "a")
	read(t, c)
	c.Close()
	until(t, func() bool { return l.Stats().Connections == 0 })
}

func TestCloseCutsAConnection(t *testing.T) {
	s := startServer(t)
	l := startLine(t, s.at)
	set(t, l, Down, link.Conditions{Down: true})
	c := dial(t, "tcp", l)
	write(t, c, "a")
	until(t, func() bool { return l.Stats().Connections != 0 })
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection goes on")
	}
	if err := l.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

func TestBadConditionsChangeNothing(t *testing.T) {
	s := startServer(t)
	l := startLine(t, s.at)
	if err := l.Set(Up, link.Conditions{Loss: 2}); err == nil {
		t.Error("a loss of 2 is taken")
	}
	c := dial(t, "udp", l)
	write(t, c, "a")
	read(t, c)
}
