package server

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
)

func TestListensOnOnePortOfEveryHost(t *testing.T) {
	listeners, err := listenAll(t.Context(), []string{"127.0.0.1", "::1"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	port := listeners[0].Addr().(*net.TCPAddr).Port
	for _, l := range listeners {
		defer l.Close()
		if got := l.Addr().(*net.TCPAddr).Port; got != port || port == 0 {
			t.Errorf("%s is on port %d, the first on %d", l.Addr(), got, port)
		}
	}
}

func TestAPortInUseIsExplained(t *testing.T) {
	taken, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	_, err = listenAll(t.Context(), []string{"127.0.0.1", "::1"}, port)
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "another program uses it") {
		t.Fatalf("half of a port was free, and the error is: %v", err)
	}
	again, err := net.Listen("tcp", (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String())
	if err != nil {
		t.Fatalf("the half that was free stays open after the failure: %v", err)
	}
	_ = again.Close()
}

func TestAnAddressOfAnotherMachineIsExplained(t *testing.T) {
	_, err := listenAll(t.Context(), []string{"203.0.113.77"}, 0)
	if err == nil || !strings.Contains(err.Error(), "does not have that address") {
		t.Errorf("the error is: %v", err)
	}
}

func TestConnectionsOverTheLimitAreClosedAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	refused := make(chan struct{}, 1)
	g := &gate{limit: 1, exempt: netip.Addr.IsLoopback, over: func(uint64) { refused <- struct{}{} }}
	accepted := make(chan net.Conn, 2)
	go func() {
		guarded := g.guard(l)
		for {
			c, err := guarded.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}

	dial()
	first := <-accepted
	second := dial()
	<-refused
	if _, err := second.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a connection over the limit is not closed: %v", err)
	}
	if open := g.open.Load(); open != 1 {
		t.Errorf("%d connections are counted, want 1", open)
	}
	for range 2 { // closing twice counts once
		_ = first.Close()
	}
	dial()
	if c := <-accepted; c == nil {
		t.Error("none is accepted although there is room again")
	}
	if open := g.open.Load(); open != 1 {
		t.Errorf("%d connections are counted, want 1", open)
	}
}

func TestOneAddressDoesNotTakeAllPlaces(t *testing.T) {
	told := 0
	g := &gate{limit: 10, perAddress: 3, exempt: netip.Addr.IsLoopback, over: func(uint64) { told++ }}
	stranger, other, here := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2"), netip.MustParseAddr("127.0.0.1")
	for i := range 5 {
		if got := g.enter(stranger); got != (i < 3) {
			t.Errorf("connection %d of a stranger: %v", i, got)
		}
	}
	if told != 1 {
		t.Errorf("told %d times of the refusals, want once in a while", told)
	}
	if !g.enter(other) {
		t.Error("another address is kept out")
	}
	for range 6 {
		if !g.enter(here) {
			t.Error("this machine is kept out although there is room")
		}
	}
	if g.enter(here) {
		t.Error("let in over the limit of all")
	}
	g.leave(stranger)
	if !g.enter(stranger) {
		t.Error("kept out although one has left")
	}
	for range 3 {
		g.leave(stranger)
	}
	if len(g.of) != 1 {
		t.Errorf("addresses without connections are remembered: %v", g.of)
	}
}
