package dtls

import (
	"errors"
	"runtime"
	"testing"
	"time"
)

// BenchmarkHandshake measures both sides of a handshake and of its end.
func BenchmarkHandshake(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		openAndClose(b)
	}
}

// idlePairs makes connections and waits until they are in the state that they stay in.
func idlePairs(b *testing.B, n int, linger time.Duration) []*Conn {
	conns := make([]*Conn, 0, 2*n)
	done := make(chan State, 2*n)
	for range n {
		var server, client *Conn
		report := func(s State, _ error) { done <- s }
		server = New(Options{Certificate: certificateA, StateChange: report, Linger: linger, Send: func(p []byte) error { client.Feed(p); return nil }})
		client = New(Options{Certificate: certificateB, StateChange: report, Linger: linger, HelloDelay: -1, Send: func(p []byte) error { server.Feed(p); return nil }})
		if err := errors.Join(server.Start(RoleServer, certificateB.Fingerprints()), client.Start(RoleClient, certificateA.Fingerprints())); err != nil {
			b.Fatal(err)
		}
		<-done
		<-done
		conns = append(conns, server, client)
	}
	return conns
}

// BenchmarkIdle measures what a connection holds, goroutines included.
func BenchmarkIdle(b *testing.B) {
	const pairs = 200
	for name, linger := range map[string]time.Duration{"awake": time.Hour, "asleep": time.Millisecond} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				goroutines := runtime.NumGoroutine()
				conns := idlePairs(b, pairs, linger)
				for linger < time.Second && runtime.NumGoroutine() > goroutines {
					runtime.Gosched()
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/(2*pairs), "heap-B/conn")
				b.ReportMetric((float64(after.StackInuse)-float64(before.StackInuse))/(2*pairs), "stack-B/conn")
				b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/(2*pairs), "goroutines/conn")
				for _, c := range conns {
					c.Close()
				}
			}
		})
	}
}

// BenchmarkWake measures what a forged record costs when a connection is asleep: a
// session is made and put to sleep again.
func BenchmarkWake(b *testing.B) {
	conns := idlePairs(b, 1, time.Millisecond)
	for i := range conns {
		for asleep := false; !asleep; runtime.Gosched() {
			conns[i].mu.Lock()
			asleep = conns[i].asleep != nil
			conns[i].mu.Unlock()
		}
	}
	c := conns[0]
	b.ReportAllocs()
	for b.Loop() {
		c.mu.Lock()
		state := c.asleep
		c.mu.Unlock()
		f := newFeed(func([]byte) error { return nil }, queueSize)
		session, err := c.resume(state, f)
		if err != nil {
			b.Fatal(err)
		}
		_ = session.Close()
	}
	for _, c := range conns {
		c.Close()
	}
}

// BenchmarkFeedDropped measures a datagram that is out of place.
func BenchmarkFeedDropped(b *testing.B) {
	c := New(Options{Certificate: certificateA, Send: func([]byte) error { return nil }})
	record := plaintextRecord(contentApplicationData, make([]byte, 1000))
	b.ReportAllocs()
	for b.Loop() {
		c.Feed(record)
	}
}
