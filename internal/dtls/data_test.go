package dtls

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// inbox keeps what Data was given.
type inbox struct {
	mu   sync.Mutex
	data []string
}

func (b *inbox) take(data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, string(data))
}

func (b *inbox) all() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprint(b.data)
}

// isAsleep reports whether the connection has no goroutine.
func (s *side) isAsleep() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asleep != nil && s.run == nil
}

// dataServer returns a server that takes data and Pion as its client.
func dataServer(t *testing.T, o Options) (*side, *foreign) {
	t.Helper()
	server := newSide(o)
	client := newForeign(t, server, true)
	client.out.sooner = -time.Microsecond // what is sent at once arrives in order
	start(t, server, RoleServer, certificateB.Fingerprints())
	client.begin()
	settle(time.Second)
	wantState(t, server, StateConnected)
	if err := <-client.done; err != nil {
		t.Fatal(err)
	}
	return server, client
}

func writeData(t *testing.T, p *foreign, data string) {
	t.Helper()
	if _, err := p.conn.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
}

func readData(t *testing.T, p *foreign) string {
	t.Helper()
	b := make([]byte, maxData)
	n, err := p.conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestDataIsHandedUpAndAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in inbox
		server, client := dataServer(t, Options{Data: in.take})
		defer client.conn.Close()
		defer server.Close()
		writeData(t, client, "one")
		writeData(t, client, "two")
		settle(time.Second)
		if got := in.all(); got != "[one two]" {
			t.Errorf("data %s", got)
		}
		if err := server.Write([]byte("three")); err != nil {
			t.Fatal(err)
		}
		if got := readData(t, client); got != "three" {
			t.Errorf("the client read %q", got)
		}
	})
}

func TestDataKeepsTheConnectionAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in inbox
		server, client := dataServer(t, Options{Data: in.take})
		defer client.conn.Close()
		defer server.Close()
		settle(time.Hour)
		if !server.isAsleep() {
			t.Fatal("awake although nobody has sent data")
		}
		if err := server.Write([]byte("early")); !errors.Is(err, ErrNoData) {
			t.Errorf("Write before any data: %v", err)
		}
		writeData(t, client, "wake up")
		settle(time.Hour)
		if server.isAsleep() {
			t.Error("asleep although data had come")
		}
		if got := in.all(); got != "[wake up]" {
			t.Errorf("data %s", got)
		}
		if err := server.Write([]byte("answer")); err != nil {
			t.Fatal(err)
		}
		if got := readData(t, client); got != "answer" {
			t.Errorf("the client read %q", got)
		}
	})
}

func TestDataThatNobodyTakesLetsTheConnectionSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := dataServer(t, Options{})
		defer client.conn.Close()
		defer server.Close()
		writeData(t, client, "anybody?")
		settle(time.Hour)
		if !server.isAsleep() {
			t.Error("awake for data that nobody takes")
		}
	})
}

func TestDataEndsWithTheConnection(t *testing.T) {
	for name, end := range map[string]func(*side, *foreign){
		"closed here":    func(s *side, _ *foreign) { s.Close() },
		"closed by peer": func(_ *side, p *foreign) { _ = p.conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var in inbox
				server, client := dataServer(t, Options{Data: in.take})
				defer client.conn.Close()
				defer server.Close()
				writeData(t, client, "hello")
				settle(time.Second)
				end(server, client)
				settle(time.Second)
				wantState(t, server, StateClosed)
				if err := server.Write([]byte("late")); !errors.Is(err, ErrNoData) {
					t.Errorf("Write after the end: %v", err)
				}
			})
		})
	}
}

// A taker that is slow holds up nobody but its own connection, and Close ends while
// more is waiting.
func TestDataBeyondTheQueueIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in inbox
		gate := make(chan struct{})
		server, client := dataServer(t, Options{Data: func(b []byte) { <-gate; in.take(b) }})
		defer client.conn.Close()
		for range 3 * dataQueueSize {
			writeData(t, client, "x")
		}
		settle(time.Second)
		close(gate)
		settle(time.Second)
		server.Close()
		if n := len(in.data); n < dataQueueSize || n > dataQueueSize+3 {
			t.Errorf("%d of %d datagrams came through a queue of %d", n, 3*dataQueueSize, dataQueueSize)
		}
	})
}
