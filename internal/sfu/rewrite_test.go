package sfu

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/layer"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

const rewriteStart = mono.Instant(time.Hour)

func rewriteStream(encoding int) *recvStream {
	return &recvStream{producer: &Producer{}, encoding: encoding, clockHz: 90000}
}

// mediaPacket is a packet with a payload.
func mediaPacket(s *recvStream, extSeq int64, ts uint32, keyframe bool) *packet {
	return &packet{stream: s, extSeq: extSeq, ts: ts, frame: frameInfo{Packet: layer.Packet{Frame: codec.Frame{Keyframe: keyframe}}}, payloadLen: 100}
}

// send gives p to r and returns what becomes of it.
func (r *rewriter) send(p *packet, target *recvStream, video bool, now mono.Instant) (seq uint16, ts uint32, result placement) {
	if result, _ = r.follow(p, target, video, now); result != placed {
		return 0, 0, result
	}
	seq, ts, ok := r.place(p, now)
	if !ok {
		return 0, 0, skipped
	}
	return seq, ts, placed
}

// placeAll gives packets to r, target being the stream of each, and returns
// what became of them: "seq:ts", "-" for skipped or "wait".
func placeAll(r *rewriter, now mono.Instant, packets ...*packet) (got []string) {
	for _, p := range packets {
		seq, ts, result := r.send(p, p.stream, true, now)
		got = append(got, describePlacement(seq, ts, result))
	}
	return got
}

func describePlacement(seq uint16, ts uint32, result placement) string {
	switch result {
	case skipped:
		return "-"
	case waiting:
		return "wait"
	}
	return fmt.Sprintf("%d:%d", seq, ts)
}

func checkPlacements(t *testing.T, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("placed %v, want %v", got, want)
	}
}

func TestVideoStartsWithItsFirstKeyframe(t *testing.T) {
	s := rewriteStream(0)
	r := rewriter{seq: 99}
	r.restart()
	checkPlacements(t, placeAll(&r, rewriteStart,
		mediaPacket(s, 70000, 1000, false),
		mediaPacket(s, 70002, 4000, true),
		mediaPacket(s, 70001, 1000, false), // from before it
		mediaPacket(s, 70004, 7000, false),
		mediaPacket(s, 70003, 4000, false),
	), "wait", "100:4000", "-", "102:7000", "101:4000")
}

func TestAudioStartsWithAnyPacket(t *testing.T) {
	s := rewriteStream(0)
	r := rewriter{seq: 65535}
	r.restart()
	for i, want := range []string{"0:1000", "1:1960"} {
		if got := describePlacement(r.send(mediaPacket(s, int64(70000+i), uint32(1000+960*i), false), s, false, rewriteStart)); got != want {
			t.Errorf("packet %d: %s, want %s", i, got, want)
		}
	}
}

func TestPauseLeavesNoHole(t *testing.T) {
	s := rewriteStream(0)
	r := rewriter{seq: 9}
	r.restart()
	got := placeAll(&r, rewriteStart, mediaPacket(s, 70000, 0, true), mediaPacket(s, 70001, 3000, false))
	r.restart() // 70002 to 70099 are not sent
	got = append(got, placeAll(&r, rewriteStart.Add(3*time.Second),
		mediaPacket(s, 70100, 300000, false), mediaPacket(s, 69999, 0, true), mediaPacket(s, 70101, 303000, true), mediaPacket(s, 70100, 300000, false))...)
	// The timestamp tells how long the pause was.
	checkPlacements(t, got, "10:0", "11:3000", "wait", "-", "12:303000", "-")
}

func TestStreamWithoutKeyframesStartsAfterAWhile(t *testing.T) {
	s := rewriteStream(0)
	r := rewriter{seq: 0}
	r.restart()
	quiet := rewriteStart.Add(time.Minute) // nothing was sent to begin with
	got := placeAll(&r, quiet, mediaPacket(s, 70000, 0, false))
	for i := range int64(5) {
		placeAll(&r, quiet.Add(time.Duration(i+1)*keyframePatience/6), mediaPacket(s, 70001+i, 0, false))
	}
	got = append(got, placeAll(&r, quiet.Add(keyframePatience-time.Millisecond), mediaPacket(s, 70090, 0, false))...)
	empty := mediaPacket(s, 70091, 0, false)
	empty.payloadLen = 0
	got = append(got, placeAll(&r, quiet.Add(keyframePatience), empty, mediaPacket(s, 70092, 9, false))...)
	checkPlacements(t, got, "wait", "wait", "-", "1:9")
}

// What is waited for has to arrive meanwhile, and to be wanted.
func TestPatienceForAKeyframeBeginsAnewWithTheWish(t *testing.T) {
	low, high := rewriteStream(0), rewriteStream(1)
	r := rewriter{seq: 0}
	r.restart()
	at := func(after time.Duration, p *packet, target *recvStream) string {
		return describePlacement(r.send(p, target, true, rewriteStart.Add(after)))
	}
	second := time.Second
	var got []string
	got = append(got, at(0, mediaPacket(low, 70000, 0, true), low))
	got = append(got, at(0, mediaPacket(high, 80000, 0, false), high))
	got = append(got, at(second, mediaPacket(low, 70001, 9, false), low)) // not any more
	got = append(got, at(4*second, mediaPacket(high, 80001, 0, false), high))
	got = append(got, at(9*second, mediaPacket(high, 80002, 0, false), high)) // it was silent
	got = append(got, at(10*second, mediaPacket(high, 80003, 0, false), high))
	checkPlacements(t, got, "1:0", "wait", "2:9", "wait", "wait", "wait")
	if got := at(11*second, mediaPacket(high, 80004, 0, false), high); got == "wait" {
		t.Error("it waits for ever")
	}
}

func TestOldStreamGoesOnUntilTheNewShowsAKeyframe(t *testing.T) {
	low, high := rewriteStream(0), rewriteStream(1)
	r := rewriter{seq: 0}
	r.restart()
	now := rewriteStart
	place := func(p *packet, target *recvStream) string {
		now = now.Add(10 * time.Millisecond)
		return describePlacement(r.send(p, target, true, now))
	}
	var got []string
	got = append(got, place(mediaPacket(low, 70000, 5000, true), low))
	got = append(got, place(mediaPacket(high, 80000, 777000, false), low)) // not asked for
	got = append(got, place(mediaPacket(high, 80001, 777000, false), high))
	got = append(got, place(mediaPacket(low, 70001, 8000, false), high))
	got = append(got, place(mediaPacket(high, 80002, 780000, true), high)) // 10 ms after the last
	got = append(got, place(mediaPacket(low, 70002, 11000, false), high))
	got = append(got, place(mediaPacket(high, 80003, 783000, false), high))
	checkPlacements(t, got, "1:5000", "-", "wait", "2:8000", "3:8900", "-", "4:11900")
	if r.streamOf(r.generation) != high || r.streamOf(r.generation-1) != low || r.streamOf(r.generation-2) != nil || r.streamOf(r.generation+1) != nil {
		t.Error("the streams of the generations are mixed up")
	}
}

func TestSwitchKeepsTimeByTheSendersClock(t *testing.T) {
	low, high := rewriteStream(0), rewriteStream(1)
	low.clock.Store(&rtpClock{rtpTime: 10_000, at: rewriteStart, clockHz: 90000})
	high.clock.Store(&rtpClock{rtpTime: 500_000, at: rewriteStart, clockHz: 90000})
	for _, c := range []struct {
		what string
		ts   uint32 // of the high stream's keyframe, captured 200 ms after the start
		want uint32
	}{
		{"a frame later", 518_000, 28_000},
		{"the frame that was sent already", 514_500, 26_500 + 45}, // no time has passed on its clock
		{"from nowhere", 3_000_000_000, 26_500 + 45},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := rewriter{}
			r.restart()
			// Captured after 183 ms, it arrives after 199.5; the keyframe after 200.
			placeAll(&r, rewriteStart.Add(199_500*time.Microsecond), mediaPacket(low, 70000, 26_500, true))
			_, ts, _ := r.send(mediaPacket(high, 80000, c.ts, true), high, true, rewriteStart.Add(200*time.Millisecond))
			if ts != c.want {
				t.Errorf("timestamp %d, want %d", ts, c.want)
			}
		})
	}
}

func TestSkippedPacketLeavesNoHole(t *testing.T) {
	s := rewriteStream(0)
	r := rewriter{seq: 0}
	r.restart()
	r.skip(mediaPacket(s, 69999, 0, false)) // nothing to leave out yet
	got := placeAll(&r, rewriteStart, mediaPacket(s, 70000, 0, true))
	r.skip(mediaPacket(s, 70001, 0, false))
	got = append(got, placeAll(&r, rewriteStart, mediaPacket(s, 70002, 2, false))...)
	r.skip(mediaPacket(s, 70004, 0, false)) // 70003 is on its way
	got = append(got, placeAll(&r, rewriteStart, mediaPacket(s, 70003, 3, false), mediaPacket(s, 70006, 6, false))...)
	if seq, fill := r.skip(mediaPacket(s, 70005, 0, false)); !fill || seq != 4 {
		t.Errorf("the place of a packet that comes late and is left out is %d, to be filled %v", seq, fill)
	}
	if _, fill := r.skip(mediaPacket(s, 69998, 0, false)); fill {
		t.Error("a packet from before the start has a place")
	}
	checkPlacements(t, got, "1:0", "2:2", "3:3", "5:6")
}

func TestUnsentPacketsAreThoseAfterALateKeyframe(t *testing.T) {
	s := rewriteStream(0)
	r := rewriter{seq: 0}
	r.restart()
	// 70000, the beginning of the keyframe, was repaired after 70001 to 70003.
	placeAll(&r, rewriteStart, mediaPacket(s, 70001, 0, false), mediaPacket(s, 70000, 0, true), mediaPacket(s, 70004, 0, false))
	for _, c := range []struct {
		seq    uint16
		extSeq int64
		ok     bool
	}{{2, 70001, true}, {4, 70003, true}, {0, 0, false}, {6, 0, false}} {
		extSeq, ok := r.unsent(c.seq)
		if ok != c.ok || (ok && extSeq != c.extSeq) {
			t.Errorf("unsent(%d) = %d, %v", c.seq, extSeq, ok)
		}
	}
	var never rewriter
	if _, ok := never.unsent(0); ok {
		t.Error("nothing was sent, and yet something unsent is known")
	}
}

// modelSource is one stream of a sender as the rewriter's model sees it.
type modelSource struct {
	stream *recvStream
	extSeq int64
	ts     uint32
	late   []*packet // held back by the network
}

// rewriteModel checks a rewriter against what a receiver may rely on.
type rewriteModel struct {
	r        rewriter
	sources  []*modelSource
	target   int
	now      mono.Instant
	ordered  bool // no loss and no reordering so far
	seqs     rtp.Unwrapper
	used     map[int64]bool
	highest  int64
	ts       uint32
	any      bool
	fresh    bool         // the next packet placed is the first after a restart
	waitFrom mono.Instant // since when a packet of the target waits; 0: none does
}

func (m *rewriteModel) deliver(t *rapid.T, p *packet) {
	target := m.sources[m.target].stream
	starts := m.fresh || m.r.stream != p.stream
	if starts && p.stream == target && m.waitFrom == 0 {
		m.waitFrom = m.now
	}
	seq, ts, result := m.r.send(p, target, true, m.now)
	if result != placed {
		return
	}
	if starts && !p.frame.Keyframe && m.now.Sub(m.waitFrom) < keyframePatience {
		t.Fatalf("started with a packet that is no keyframe after %v", m.now.Sub(m.waitFrom))
	}
	if starts {
		m.fresh, m.waitFrom = false, 0
	}
	extSeq := m.seqs.Unwrap(seq)
	if m.used[extSeq] {
		t.Fatalf("sequence number %d was given away twice", seq)
	}
	m.used[extSeq] = true
	if extSeq > m.highest {
		if m.any && rtp.TSNewer(m.ts, ts) {
			t.Fatalf("the timestamp went from %d back to %d", m.ts, ts)
		}
		if m.any && m.ordered && extSeq != m.highest+1 {
			t.Fatalf("a hole between %d and %d, and nothing was lost", m.highest, extSeq)
		}
		m.highest, m.ts, m.any = extSeq, ts, true
	} else if starts {
		t.Fatalf("started at %d, behind %d", extSeq, m.highest)
	}
}

// emit makes the next packet of a source and lets the network have its way
// with it.
func (m *rewriteModel) emit(t *rapid.T, s *modelSource) {
	s.extSeq++
	if rapid.Bool().Draw(t, "new frame") {
		s.ts += 3000
	}
	p := mediaPacket(s.stream, s.extSeq, s.ts, rapid.IntRange(0, 9).Draw(t, "keyframe") == 0)
	switch rapid.IntRange(0, 19).Draw(t, "fate") {
	case 0:
		m.ordered = false // lost
	case 1:
		m.ordered = false
		s.late = append(s.late, p)
	default:
		m.deliver(t, p)
	}
}

func TestRewriterUnderSwitchesLossAndReordering(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &rewriteModel{now: rewriteStart, ordered: true, used: map[int64]bool{}, fresh: true}
		m.r.seq = int64(rapid.Uint16().Draw(t, "seq"))
		m.r.restart()
		for i := range 3 {
			m.sources = append(m.sources, &modelSource{
				stream: rewriteStream(i), extSeq: rapid.Int64Range(1<<16, 1<<17).Draw(t, "extSeq"), ts: rapid.Uint32().Draw(t, "ts"),
			})
		}
		for range rapid.IntRange(200, 600).Draw(t, "steps") {
			m.step(t)
		}
	})
}

// step lets something happen: mostly a packet.
func (m *rewriteModel) step(t *rapid.T) {
	s := m.sources[rapid.IntRange(0, 2).Draw(t, "source")]
	switch rapid.IntRange(0, 49).Draw(t, "step") {
	case 0:
		if to := rapid.IntRange(0, 2).Draw(t, "switch to"); to != m.target {
			m.target, m.waitFrom = to, 0
		}
	case 1:
		m.now = m.now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms paused")) * time.Millisecond)
		m.r.restart()
		m.fresh, m.waitFrom = true, 0
	case 2, 8: // of a payload type that the receiver does not know
		s.extSeq++
		m.r.skip(mediaPacket(s.stream, s.extSeq, s.ts, false))
	case 3, 4, 5, 6, 7:
		if len(s.late) > 0 {
			i := rapid.IntRange(0, len(s.late)-1).Draw(t, "late packet")
			p := s.late[i]
			s.late = append(s.late[:i], s.late[i+1:]...)
			m.deliver(t, p)
		}
	default:
		m.now = m.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "ms")) * time.Millisecond)
		m.emit(t, s)
	}
}
