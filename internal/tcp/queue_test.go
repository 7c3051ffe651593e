package tcp

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

func newQueue(limit int, delay time.Duration) *queue {
	q := &queue{}
	q.init(limit, delay, nil)
	return q
}

func TestQueueKeepsTheOrder(t *testing.T) {
	q := newQueue(1<<20, time.Second)
	var want, buffer []byte
	for i := range 10 {
		p := patterned(100, i)
		if err := q.put(1, p, 100, Bulk); err != nil {
			t.Fatal(err)
		}
		want = append(want, frame(p)...)
		if i == 4 {
			if buffer = q.take(nil); !bytes.Equal(buffer, want) {
				t.Fatal("the first half is not what was put in")
			}
			q.written(len(buffer))
			want = nil
		}
	}
	if got := q.take(buffer); !bytes.Equal(got, want) {
		t.Fatal("the second half is not what was put in")
	}
}

func TestBulkLeavesRoomForVital(t *testing.T) {
	const packet = 1000
	q := newQueue(vitalReserve+10*(packet+lengthSize), time.Hour)
	count := func(class Class) (n int) {
		for q.put(1, make([]byte, packet), packet, class) == nil {
			n++
		}
		return n
	}
	if n := count(Bulk); n != 10 {
		t.Errorf("%d packets of Bulk went in, want 10", n)
	}
	if want := vitalReserve / (packet + lengthSize); count(Vital) != want {
		t.Errorf("not %d packets of Vital went in besides", want)
	}
	if err := q.put(1, make([]byte, packet), packet, Vital); err != ErrQueueFull {
		t.Errorf("what does not fit: %v", err)
	}
}

func TestRunIsTakenWholeOrNotAtAll(t *testing.T) {
	q := newQueue(vitalReserve+5000, time.Hour)
	if err := q.put(1, make([]byte, 6000), 1000, Bulk); err != ErrQueueFull {
		t.Fatalf("a run that does not fit: %v", err)
	}
	if q.congested.Load() {
		t.Error("congested though nothing waits: nothing would end it")
	}
	if err := q.put(1, make([]byte, 4000), 1000, Bulk); err != nil {
		t.Fatalf("a run that fits: %v", err)
	}
	if got := q.take(nil); len(got) != 4000+4*lengthSize {
		t.Errorf("%d bytes queued, want those of the second run only", len(got))
	}
}

func TestCongestionLastsUntilTheQueueHasDrained(t *testing.T) {
	q := newQueue(vitalReserve+100_000, time.Hour)
	fill := func() {
		for q.put(1, make([]byte, 1000), 1000, Bulk) == nil {
		}
	}
	fill()
	if !q.congested.Load() {
		t.Fatal("full and not congested")
	}
	taken := q.take(nil)
	q.written(len(taken) - drained - 1)
	if err := q.put(1, []byte{1}, 1, Bulk); err != ErrQueueFull {
		t.Errorf("Bulk, while congested: %v", err)
	}
	if err := q.put(1, make([]byte, 100), 100, Vital); err != nil {
		t.Errorf("Vital, while congested: %v", err)
	}
	q.written(drained)
	if q.congested.Load() {
		t.Error("drained and still congested")
	}
	if err := q.put(1, []byte{1}, 1, Bulk); err != nil {
		t.Errorf("Bulk, once drained: %v", err)
	}
}

func TestWhatWaitsTooLongCongests(t *testing.T) {
	const delay = 500 * time.Millisecond
	q := newQueue(1<<20, delay)
	start := mono.Instant(1)
	if err := q.put(start, make([]byte, 10_000), 1000, Bulk); err != nil {
		t.Fatal(err)
	}
	held := q.take(nil)
	if err := q.put(start.Add(delay), make([]byte, 1000), 1000, Bulk); err != nil {
		t.Errorf("after half a second: %v", err)
	}
	if err := q.put(start.Add(delay+1), make([]byte, 1000), 1000, Bulk); err != ErrQueueFull {
		t.Errorf("after more: %v", err)
	}
	if !q.congested.Load() {
		t.Error("not congested")
	}
	q.written(len(held))
	q.written(0)
	if q.congested.Load() {
		t.Error("congested though only a packet waits")
	}
}

func TestEndedQueueGivesWhatItHas(t *testing.T) {
	q := newQueue(1<<20, time.Second)
	if err := q.put(1, []byte("bye"), 3, Vital); err != nil {
		t.Fatal(err)
	}
	q.end()
	if err := q.put(1, []byte("late"), 4, Vital); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	if got := q.take(nil); string(got) != "\x00\x03bye" {
		t.Errorf("left: %q", got)
	}
	if got := q.take(nil); len(got) != 0 {
		t.Errorf("then: %q", got)
	}
}

func TestWriterGetsWhatTheKernelDidNotTakeAtOnce(t *testing.T) {
	var sent []byte
	room := 150
	q := newQueue(1<<20, time.Second)
	q.direct = func(b []byte) int {
		n := min(room, len(b))
		sent, room = append(sent, b[:n]...), room-n
		return n
	}
	var want []byte
	for i := range 4 {
		p := patterned(98, i)
		if err := q.put(1, p, 98, Bulk); err != nil {
			t.Fatal(err)
		}
		want = append(want, frame(p)...)
		if i == 1 && len(q.pending) != 50 {
			t.Fatalf("%d bytes wait, want half a packet", len(q.pending))
		}
		if i == 2 {
			room = 1000 // but there is a queue now
		}
	}
	rest := q.take(nil)
	if got := append(sent, rest...); !bytes.Equal(got, want) {
		t.Error("the stream is not what was put in")
	}
	if len(rest) != 250 {
		t.Errorf("%d bytes left to the writer, want 250", len(rest))
	}
	if err := q.put(1, []byte("x"), 1, Bulk); err != nil || room != 1000 {
		t.Error("the kernel was handed something past what the writer holds")
	}
	q.written(len(rest))
}

func TestQueueGivesBackWhatACongestionNeeded(t *testing.T) {
	q := newQueue(1<<20, time.Second)
	large := make([]byte, 0, keepBuffer+1)
	if err := q.put(1, []byte{1}, 1, Vital); err != nil {
		t.Fatal(err)
	}
	q.take(large)
	if cap(q.pending) != 0 {
		t.Errorf("a buffer of %d bytes is kept", cap(q.pending))
	}
}

func TestQueueingDoesNotAllocate(t *testing.T) {
	q := newQueue(1<<20, time.Second)
	run := make([]byte, 4800)
	buffer := make([]byte, 0, 8000)
	if n := testing.AllocsPerRun(100, func() {
		if q.put(1, run, 1200, Bulk) != nil {
			t.Fatal("refused")
		}
		buffer = q.take(buffer)
		q.written(len(buffer))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// In virtual time: a line that takes a kilobyte every 40 ms is congested within
// the delay allowed, and free again soon after it has become faster.
func TestSlowLineCongestsAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := make(taps, 1)
		s := newServer(Options{Accept: ts.accept})
		remote := pipeConn(t, s, netip.MustParseAddrPort("192.0.2.1:1"))
		c := ts.next(t).conn
		pace := make(chan time.Duration, 1)
		pace <- 40 * time.Millisecond
		go func() {
			every, piece := <-pace, make([]byte, 1000)
			for {
				if _, err := remote.Read(piece); err != nil {
					return
				}
				select {
				case every = <-pace:
				default:
				}
				time.Sleep(every)
			}
		}()
		// 1 Mbit/s: five packets of 500 bytes every 20 ms.
		frames := func(n int) (refused int) {
			for range n {
				if c.Send(make([]byte, 2500), 500, Bulk) == ErrQueueFull {
					refused++
				}
				time.Sleep(20 * time.Millisecond)
			}
			return refused
		}
		if frames(25) != 0 {
			t.Error("refused within half a second")
		}
		if frames(25) == 0 || !c.Congested() {
			t.Error("nothing refused within a second on a line five times too slow")
		}
		pace <- time.Millisecond
		time.Sleep(time.Second)
		if c.Congested() {
			t.Error("congested a second after the line became fast")
		}
		if n := frames(100); n != 0 {
			t.Errorf("%d frames refused on a fast line", n)
		}
		remote.Close()
		s.Close()
	})
}
