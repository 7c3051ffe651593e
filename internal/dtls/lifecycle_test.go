package dtls

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/dtls/v3"
)

// isAsleep reports whether a connection is established without goroutines.
func isAsleep(s *side) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Conn.mu.Lock()
	defer s.Conn.mu.Unlock()
	return s.Conn.asleep != nil && s.Conn.run == nil
}

func wantAsleep(t *testing.T, want bool, sides ...*side) {
	t.Helper()
	for i, s := range sides {
		if isAsleep(s) != want {
			t.Fatalf("connection %d asleep %v, want %v", i, !want, want)
		}
	}
}

func TestWaitingServerHasNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSide(Options{})
		start(t, s, RoleServer, certificateB.Fingerprints())
		s.Feed([]byte{22, 0xfe, 0xfd})
		s.Feed(makeRecord(contentApplicationData, 1, make([]byte, 40)))
		s.Feed(plaintextRecord(contentAlert, []byte{2, 40}))
		s.Conn.mu.Lock()
		defer s.Conn.mu.Unlock()
		if s.Conn.run != nil {
			t.Error("anything but a ClientHello begins a handshake")
		}
		// Never closed: the bubble fails if anything is left running.
	})
}

func TestConnectionFallsAsleepAndEndsWithoutATrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := connected(t, Options{}, Options{Linger: 5 * time.Second})
		settle(5 * time.Second)
		wantAsleep(t, true, client)
		wantAsleep(t, false, server)
		settle(DefaultLinger)
		wantAsleep(t, true, client, server)
		wantState(t, server, StateConnected)
		exchangeMedia(t, server, client) // the keys outlive Pion's connection
		// Neither is closed: the bubble fails if a goroutine is left.
	})
}

func TestCloseIsNoticedByTheOtherSide(t *testing.T) {
	for _, asleep := range []bool{false, true} {
		for _, closer := range []Role{RoleServer, RoleClient} {
			t.Run(fmt.Sprintf("by the %s, asleep %v", closer, asleep), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a, b := connected(t, Options{}, Options{})
					if asleep {
						settle(DefaultLinger + time.Second)
					}
					wantAsleep(t, asleep, a, b)
					if closer == RoleClient {
						a, b = b, a
					}
					a.Close()
					wantState(t, a, StateClosed)
					settle(time.Second)
					wantState(t, b, StateClosed)
					if got := b.reported(); !slices.Equal(got, []State{StateConnected, StateClosed}) {
						t.Errorf("the other side reported %v", got)
					}
					if got := a.reported(); !slices.Equal(got, []State{StateConnected}) {
						t.Errorf("closing reported %v", got)
					}
					if b.failure() != nil {
						t.Errorf("closed with %v", b.failure())
					}
					sent := len(b.out.datagrams())
					closeAll(a, b, a, b)
					settle(time.Minute)
					if n := len(b.out.datagrams()) - sent; n != 0 {
						t.Errorf("%d datagrams after the end", n)
					}
				})
			})
		}
	}
}

func TestBothSidesCloseAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := connected(t, Options{}, Options{})
		go a.Close()
		b.Close()
		settle(time.Second)
		wantState(t, a, StateClosed)
		wantState(t, b, StateClosed)
	})
}

func TestCloseAtAnyTime(t *testing.T) {
	for at := time.Duration(0); at < 150*time.Millisecond; at += 5 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			server, client := newPair(Options{}, Options{})
			startPair(t, server, client)
			time.Sleep(at)
			client.Close()
			server.Close()
			for _, s := range []*side{server, client} {
				wantState(t, s, StateClosed)
				s.Feed(plaintextRecord(contentHandshake, clientHelloFragment(0, 100, 0, 50)))
			}
			// A goroutine that is left makes the bubble fail.
		})
	}
}

func TestCloseFromWithinTheReport(t *testing.T) {
	for _, when := range []State{StateConnected, StateClosed, StateFailed} {
		t.Run(string(when), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var server *side
				returned := time.Duration(-1)
				report := func(s State, _ error) {
					if s == when {
						began := time.Now()
						server.Close()
						returned = time.Since(began)
					}
				}
				var client *side
				server, client = newPair(Options{StateChange: report}, Options{})
				remote := certificateB.Fingerprints()
				if when == StateFailed {
					remote = certificateA.Fingerprints()
				}
				start(t, server, RoleServer, remote)
				start(t, client, RoleClient, certificateA.Fingerprints())
				settle(time.Second)
				client.Close()
				settle(time.Second)
				if returned != 0 {
					t.Errorf("Close took %v", returned)
				}
				wantState(t, server, StateClosed)
			})
		})
	}
}

func TestCloseDoesNotWaitForeverForASend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := connected(t, Options{}, Options{})
		release := make(chan struct{})
		server.out.setLoss(func([]byte) bool { <-release; return true })
		began := time.Now()
		server.Close()
		if took := time.Since(began); took != closeTimeout {
			t.Errorf("Close took %v", took)
		}
		close(release)
		client.Close()
	})
}

// recordNumbers returns the epoch and number of all encrypted records sent.
func recordNumbers(s *side) (numbers []uint64) {
	for _, d := range s.out.datagrams() {
		for r, rest, ok := nextRecord(d); ok; r, rest, ok = nextRecord(rest) {
			if r.epoch() > 0 {
				numbers = append(numbers, binary.BigEndian.Uint64(r[3:]))
			}
		}
	}
	return numbers
}

// One number used twice with one key would give the key stream of both away.
func TestSleepNeverRepeatsARecordNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSide(Options{Linger: time.Second})
		p := newForeign(t, s, true)
		p.begin()
		start(t, s, RoleServer, certificateB.Fingerprints())
		settle(time.Second / 2)
		random := rand.New(rand.NewPCG(1, 2))
		for range 50 {
			time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second))))
			if _, err := p.conn.Write([]byte("wake up")); err != nil {
				t.Fatal(err)
			}
		}
		settle(3 * time.Second)
		wantAsleep(t, true, s)
		s.Close()
		settle(time.Second)
		if _, err := p.conn.Read(make([]byte, 10)); err == nil {
			t.Error("the peer has not noticed the end")
		}
		p.conn.Close()
		numbers := recordNumbers(s)
		slices.Sort(numbers)
		if len(numbers) < 2 {
			t.Fatalf("%d encrypted records", len(numbers))
		}
		for i := range numbers[1:] {
			if numbers[i] == numbers[i+1] {
				t.Errorf("record %#x was sent twice", numbers[i])
			}
		}
	})
}

func TestForgedRecordsDoNotEndASleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := connected(t, Options{}, Options{})
		settle(DefaultLinger + time.Second)
		sent := len(server.out.datagrams())
		for range 5 {
			server.Feed(makeRecord(contentAlert, 1, make([]byte, 26)))
			settle(time.Millisecond)
			wantAsleep(t, false, server) // it has to be looked at
			settle(2 * wakeLinger)
			wantAsleep(t, true, server)
		}
		for _, ignored := range [][]byte{
			plaintextRecord(contentAlert, []byte{2, 40}),
			plaintextRecord(contentHandshake, clientHelloFragment(0, 100, 0, 50)),
			makeRecord(contentHandshake, 1, make([]byte, 48)),
		} {
			server.Feed(ignored)
			wantAsleep(t, true, server)
		}
		if n := len(server.out.datagrams()) - sent; n != 0 {
			t.Errorf("%d answers to forged records", n)
		}
		client.Close()
		settle(time.Second)
		wantState(t, server, StateClosed)
	})
}

func TestReplayedRecordsAreStillRecognisedAfterASleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSide(Options{Linger: time.Second})
		p := newForeign(t, s, true)
		p.begin()
		start(t, s, RoleServer, certificateB.Fingerprints())
		settle(3 * time.Second)
		wantAsleep(t, true, s)
		sent := len(s.out.datagrams())
		for _, d := range p.out.datagrams() {
			s.Feed(d)
		}
		settle(5 * time.Second)
		wantState(t, s, StateConnected)
		wantAsleep(t, true, s)
		if n := len(s.out.datagrams()) - sent; n != 0 {
			t.Errorf("%d answers to replayed records", n)
		}
		s.Close()
		p.conn.Close()
	})
}

// garbage is what an attacker who can forge the peer's address may send.
func garbage(random *rand.Rand) [][]byte {
	list := [][]byte{
		nil, {22}, make([]byte, 2000),
		plaintextRecord(contentAlert, []byte{2, 40}),
		plaintextRecord(contentAlert, []byte{1, 0}), // close_notify
		plaintextRecord(contentApplicationData, []byte("hello")),
		plaintextRecord(contentChangeCipherSpec, []byte{1}),
		plaintextRecord(contentChangeCipherSpec, []byte{7, 7}),
		plaintextRecord(contentHandshake, clientHelloFragment(0, 10, 0, 10)),
		plaintextRecord(contentHandshake, handshakeFragment(11, maxHandshakeLength, 3, 40, 1000)),
		makeRecord(contentAlert, 1, make([]byte, 26)),
		makeRecord(contentApplicationData, 1, make([]byte, 100)),
		makeRecord(contentHandshake, 1, make([]byte, 48)),
		makeRecord(contentHandshake, 7, make([]byte, 48)),
	}
	for range 100 {
		b := make([]byte, random.IntN(200))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		if len(b) > 13 {
			b[0], b[1], b[2] = byte(20+random.IntN(6)), 0xfe, 0xfd
			binary.BigEndian.PutUint16(b[3:], uint16(random.IntN(3)))
			binary.BigEndian.PutUint16(b[11:], uint16(len(b)-13))
		}
		list = append(list, b)
	}
	return list
}

func TestGarbageDoesNotDisturbAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := connected(t, Options{}, Options{})
		sent := len(server.out.datagrams())
		random := rand.New(rand.NewPCG(3, 4))
		for range 3 {
			for _, b := range garbage(random) {
				server.Feed(b)
				time.Sleep(time.Millisecond)
			}
		}
		settle(time.Second)
		wantState(t, server, StateConnected)
		for _, d := range server.out.datagrams()[sent:] {
			for r, rest, ok := nextRecord(d); ok; r, rest, ok = nextRecord(rest) {
				if r.contentType() == contentAlert {
					t.Errorf("an alert to the peer because of garbage: %x", r)
				}
			}
		}
		wantState(t, client, StateConnected)
		client.Close()
		settle(time.Second)
		wantState(t, server, StateClosed)
		server.Close()
	})
}

func TestGarbageBeforeTheHandshakeDoesNotPreventIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := newPair(Options{}, Options{})
		defer closeAll(server, client)
		random := rand.New(rand.NewPCG(5, 6))
		withoutHello := func(s *side) {
			for _, b := range garbage(random) {
				if !hasHandshake(b, handshakeClientHello) {
					s.Feed(b)
				}
			}
		}
		withoutHello(server)
		start(t, server, RoleServer, certificateB.Fingerprints())
		withoutHello(server)
		start(t, client, RoleClient, certificateA.Fingerprints())
		settle(time.Second)
		wantState(t, server, StateConnected)
	})
}

func TestFeedNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := newPair(Options{}, Options{})
		block := make(chan struct{})
		server.out.setLoss(func([]byte) bool { <-block; return true })
		startPair(t, server, client)
		settle(100 * time.Millisecond) // the server is stuck in its first flight
		record := makeRecord(contentApplicationData, 1, make([]byte, 1000))
		for range 10_000 {
			server.Feed(record)
		}
		server.Conn.mu.Lock()
		queued := len(server.Conn.run.feed.queue)
		server.Conn.mu.Unlock()
		if queued != queueSize {
			t.Errorf("%d datagrams queued", queued)
		}
		close(block)
		closeAll(server, client)
	})
}

func TestFatalAlertOfAnEstablishedPeerCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := connected(t, Options{}, Options{})
		// A plaintext record that ours would drop makes Pion send a fatal alert.
		client.Conn.mu.Lock()
		client.Conn.run.feed.push(plaintextRecord(contentApplicationData, []byte("x")))
		client.Conn.mu.Unlock()
		settle(time.Second)
		wantState(t, server, StateClosed)
		closeAll(server, client)
	})
}

func TestApplicationDataIsDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSide(Options{Linger: 3 * time.Second})
		p := newForeign(t, s, true, pion.WithSRTPProtectionProfiles(pion.SRTP_AEAD_AES_128_GCM))
		p.begin()
		start(t, s, RoleServer, certificateB.Fingerprints())
		settle(time.Second)
		for range 20 {
			if _, err := p.conn.Write(make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			settle(time.Second)
			wantAsleep(t, false, s) // data that goes on keeps it awake
		}
		wantState(t, s, StateConnected)
		p.conn.Close()
		settle(time.Second)
		wantState(t, s, StateClosed)
	})
}

func TestZeroOptionsNeedNoCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a, b *Conn
		a = New(Options{Certificate: certificateA, Send: func(p []byte) error { b.Feed(p); return nil }})
		b = New(Options{Certificate: certificateB, Send: func(p []byte) error { a.Feed(p); return errors.New("sent all the same") }})
		if err := errors.Join(a.Start(RoleServer, certificateB.Fingerprints()), b.Start(RoleClient, certificateA.Fingerprints())); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		if a.State() != StateConnected || b.State() != StateConnected {
			t.Errorf("states %s and %s", a.State(), b.State())
		}
		a.Close()
		b.Close()
	})
}

// openAndClose runs a handshake in real time, without delay.
func openAndClose(t testing.TB) {
	var a, b *Conn
	done := make(chan State, 4)
	report := func(s State, _ error) { done <- s }
	a = New(Options{Certificate: certificateA, StateChange: report, Send: func(p []byte) error { b.Feed(p); return nil }})
	b = New(Options{Certificate: certificateB, StateChange: report, HelloDelay: -1, Send: func(p []byte) error { a.Feed(p); return nil }})
	if err := errors.Join(a.Start(RoleServer, certificateB.Fingerprints()), b.Start(RoleClient, certificateA.Fingerprints())); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if s := <-done; s != StateConnected {
			t.Fatalf("state %s", s)
		}
	}
	a.Close()
	b.Close()
}

func TestAThousandConnectionsLeaveNothingBehind(t *testing.T) {
	measure := func() (goroutines int, heap uint64) {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), m.HeapAlloc
	}
	for range 50 {
		openAndClose(t)
	}
	goroutines, heap := measure()
	for range 1000 {
		openAndClose(t)
	}
	// Goroutines of Pion that have been told to end may take a moment longer.
	for i := 0; ; i++ {
		now, used := measure()
		if now <= goroutines && used < heap+1<<20 {
			return
		}
		if i == 1000 {
			t.Fatalf("%d goroutines and %d bytes, before %d and %d", now, used, goroutines, heap)
		}
		runtime.Gosched()
	}
}
