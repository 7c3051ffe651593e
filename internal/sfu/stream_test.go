package sfu

import (
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

func testStream(nack bool) *recvStream {
	p := &Producer{useNACK: nack, keyframeInterval: defaultKeyframeInterval}
	return newRecvStream(p, 0, videoSSRC, payloadCodec{use: payloadMedia, clockHz: 90000})
}

func TestFractionLost(t *testing.T) {
	for _, c := range []struct {
		expected, received int64
		want               uint8
	}{
		{0, 0, 0}, {100, 100, 0}, {100, 75, 64}, {100, 50, 128}, {2, 0, 255}, {100, 101, 0}, {-5, 0, 0}, {0, 3, 0}, {3, 2, 85},
	} {
		if got := fractionLost(c.expected, c.received); got != c.want {
			t.Errorf("%d of %d: %d/256, want %d", c.received, c.expected, got, c.want)
		}
	}
}

func TestReportCountsRepairedPacketsAsLost(t *testing.T) {
	s := testStream(true)
	now := mono.Instant(time.Hour)
	receive := func(seq uint16) {
		if _, ok := s.receive(now, &rtp.Header{Seq: seq}, 1000, false); !ok {
			t.Fatalf("packet %d was not taken", seq)
		}
	}
	for _, seq := range []uint16{65533, 65534, 65535, 1, 2, 4} { // 0 and 3 are missing
		receive(seq)
	}
	if _, ok := s.repair(now, &rtp.Header{Seq: 0}, 1000, false); !ok {
		t.Fatal("the answer to our NACK was not taken")
	}
	b := s.reportBlock(now)
	if b.TotalLost != 2 || b.FractionLost != 2*256/8 || uint16(b.HighestSeq) != 4 || b.HighestSeq>>16 != 2 {
		t.Errorf("reported %+v; want 2 lost of 8, the second cycle", b)
	}
	receive(5)
	receive(3) // late, but by itself
	if b = s.reportBlock(now); b.TotalLost != 1 || b.FractionLost != 0 {
		t.Errorf("then reported %+v; want 1 lost in all, none newly", b)
	}
}

func TestPacketThatCameAsRTXAndByItselfIsTakenOnce(t *testing.T) {
	now := mono.Instant(time.Hour)
	s := testStream(true)
	s.receive(now, &rtp.Header{Seq: 10}, 100, false)
	s.receive(now, &rtp.Header{Seq: 12}, 100, false)
	if _, ok := s.repair(now, &rtp.Header{Seq: 11}, 100, false); !ok {
		t.Fatal("the retransmission was not taken")
	}
	if _, ok := s.receive(now, &rtp.Header{Seq: 11}, 100, false); ok {
		t.Error("the packet itself was taken as well")
	}
	if _, ok := s.repair(now, &rtp.Header{Seq: 11}, 100, false); ok {
		t.Error("a second retransmission was taken")
	}
	if s.discarded != 2 || s.packets != 3 || s.repaired != 1 {
		t.Errorf("%d packets, %d repaired, %d discarded", s.packets, s.repaired, s.discarded)
	}
}

func TestRetransmissionNobodyAskedForChangesNothing(t *testing.T) {
	now := mono.Instant(time.Hour)
	s := testStream(true)
	if _, ok := s.repair(now, &rtp.Header{Seq: 9}, 100, false); ok {
		t.Error("taken before the stream began")
	}
	first, _ := s.receive(now, &rtp.Header{Seq: 10}, 100, false)
	for _, seq := range []uint16{10, 9, 40000, 10 + 32767} {
		if _, ok := s.repair(now, &rtp.Header{Seq: seq}, 100, false); ok {
			t.Errorf("packet %d was taken", seq)
		}
	}
	if extSeq, ok := s.receive(now, &rtp.Header{Seq: 11}, 100, false); !ok || extSeq != first+1 {
		t.Errorf("packet 11 is %d after %d", extSeq, first)
	}
	if s := testStream(false); s.nack != nil {
		t.Error("a stream without NACK has a list of missing packets")
	}
}

func TestJitter(t *testing.T) {
	s := testStream(false)
	now := mono.Instant(time.Hour)
	for i := range 500 { // every 20 ms, every other one 4 ms late
		if i == 400 {
			continue
		}
		late := time.Duration(i%2) * 4 * time.Millisecond
		s.receive(now.Add(late), &rtp.Header{Seq: uint16(i), Timestamp: uint32(i * 1800)}, 100, false)
		now = now.Add(20 * time.Millisecond)
	}
	if got, want := s.jitter>>4, uint32(4*90); got < want-20 || got > want+20 {
		t.Errorf("jitter %d, want about %d: 4 ms", got, want)
	}
	before := s.jitter
	s.receive(now, &rtp.Header{Seq: 400, Timestamp: 400 * 1800}, 100, false) // of long ago
	s.receive(now, &rtp.Header{Seq: 500, Timestamp: 3_000_000_000}, 100, false)
	if s.jitter != before {
		t.Errorf("a late packet and a jump of the timestamp made the jitter %d", s.jitter>>4)
	}
}

func TestClockOffsetFollowsTheFastestReport(t *testing.T) {
	var o clockOffset
	wall := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	base := mono.Instant(time.Hour)
	note := func(sent, took time.Duration) time.Duration {
		at := o.note(rtp.ToNTP(wall.Add(sent)), base.Add(sent+took))
		return at.Sub(base.Add(sent)) // how much later than it was sent we believe it was
	}
	if got := note(0, 30*time.Millisecond); got.Round(time.Microsecond) != 30*time.Millisecond {
		t.Errorf("the first report is %v off", got)
	}
	if got := note(time.Second, 80*time.Millisecond); (got - 30*time.Millisecond).Abs() > 100*time.Microsecond {
		t.Errorf("a slow report is %v off", got)
	}
	if got := note(2*time.Second, 10*time.Millisecond); (got - 10*time.Millisecond).Abs() > 100*time.Microsecond {
		t.Errorf("a fast report is %v off", got)
	}
	if got := note(3*time.Second, 200*time.Millisecond); (got - 10*time.Millisecond).Abs() > 200*time.Microsecond {
		t.Errorf("a very slow report after it is %v off", got)
	}
	wall = wall.Add(-time.Hour) // the sender sets its clock back
	if got := note(4*time.Second, 20*time.Millisecond); got.Round(time.Microsecond) != 20*time.Millisecond {
		t.Errorf("after a step the report is %v off", got)
	}
}

func TestRTPUnits(t *testing.T) {
	back := int32(-900)
	for _, c := range []struct {
		d    time.Duration
		hz   uint32
		want uint32
	}{{time.Second, 48000, 48000}, {10 * time.Millisecond, 8000, 80}, {-10 * time.Millisecond, 90000, uint32(back)}, {0, 90000, 0}} {
		if got := rtpUnits(c.d, c.hz); got != c.want {
			t.Errorf("%v at %d Hz is %d", c.d, c.hz, got)
		}
	}
}
