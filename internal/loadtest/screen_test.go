package loadtest

import (
	"testing"
	"time"

	"github.com/pion/rtp/codecs"

	"github.com/takoserver/takos-call/internal/mono"
)

// arriving is a packet as a screen gets it.
type arriving struct {
	extSeq        int64
	start, marker bool
	stamp         stamp
}

// framesOf makes packets of frames: each of two, with these references. Frames
// count from 1.
func framesOf(origin uint32, extSeq int64, references ...uint32) []arriving {
	var all []arriving
	for i, reference := range references {
		st := stamp{origin: origin, frame: uint32(i + 1), reference: reference}
		all = append(all, arriving{extSeq, true, false, st}, arriving{extSeq + 1, false, true, st})
		extSeq += 2
	}
	return all
}

// interval is what lies between packets.
const interval = mono.Instant(10 * time.Millisecond)

// show lets packets arrive, after what was shown last.
func show(s *screen, packets ...arriving) {
	now := s.lastAt
	for _, p := range packets {
		now += interval
		s.receive(p.extSeq, p.start, p.marker, p.stamp, now)
	}
}

func TestScreenShowsWhatIsWhole(t *testing.T) {
	var s screen
	show(&s, framesOf(7, 65_534, 1, 1, 2, 3)...)
	if s.count != 4 || s.origin != 7 || s.lastAt != 8*interval || len(s.pending) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestScreenWaitsForARetransmission(t *testing.T) {
	p := framesOf(7, 100, 1, 1, 2, 3)
	var s screen
	show(&s, p[0], p[1], p[2], p[4], p[5], p[6], p[7]) // frame 2 lacks its end
	if s.count != 1 {
		t.Fatalf("%d shown", s.count)
	}
	show(&s, p[3])
	if s.count != 4 {
		t.Errorf("%d shown when it has come", s.count)
	}
}

func TestScreenDoesWithoutWhatNothingRefersTo(t *testing.T) {
	p := framesOf(7, 100, 1, 1, 1, 3)
	var s screen
	show(&s, p[0], p[1], p[2], p[4], p[5], p[6], p[7])
	if s.count != 1 {
		t.Fatalf("%d shown: nobody waits for the second", s.count)
	}
	s.lastAt += 2 * mono.Instant(screenPatience)
	show(&s, arriving{extSeq: 108, start: true, stamp: stamp{origin: 7, frame: 5, reference: 4}})
	if s.count != 3 {
		t.Fatalf("%d shown when that has lasted too long", s.count)
	}
	s.pending = s.pending[:0]
	show(&s, p[3])
	if s.count != 3 || len(s.pending) != 0 {
		t.Errorf("%d shown, %d pending: what comes too late is shown, or kept", s.count, len(s.pending))
	}
}

func TestScreenGoesOnWithAKeyframe(t *testing.T) {
	p := framesOf(7, 100, 1, 1, 2, 4, 4)
	var s screen
	show(&s, p[0], p[1], p[3], p[4], p[5], p[6], p[7], p[8], p[9])
	s.lastAt += 2 * mono.Instant(screenPatience)
	show(&s, arriving{extSeq: 110, start: true, stamp: stamp{origin: 7, frame: 6, reference: 5}})
	if s.count != 3 || s.last != 109 {
		t.Errorf("%d shown, up to %d", s.count, s.last)
	}
}

func TestScreenChangesEncodingWithAKeyframeOnly(t *testing.T) {
	var s screen
	show(&s, framesOf(7, 100, 1, 1)...)
	show(&s, framesOf(8, 104, 0, 1, 3, 3)...) // the first two need a frame that was never sent
	s.lastAt += 2 * mono.Instant(screenPatience)
	show(&s, arriving{extSeq: 112, start: true, stamp: stamp{origin: 8, frame: 5, reference: 4}})
	if s.count != 4 || s.origin != 8 {
		t.Errorf("%d shown, the last of %d", s.count, s.origin)
	}
}

func TestScreenForgetsWhatNeverComesWhole(t *testing.T) {
	var s screen
	for frame := range uint32(1000) {
		show(&s, arriving{int64(frame) * 2, true, false, stamp{origin: 7, frame: frame + 1, reference: frame}})
	}
	if len(s.pending) > screenPending || s.count != 0 {
		t.Errorf("%d pending, %d shown", len(s.pending), s.count)
	}
}

// Every frame of the source is decodable by what was sent before it, and the
// layers are what the descriptor says to Pion.
func TestTemporalLayersOfTheSource(t *testing.T) {
	const frames = 40
	v := newVideoSource(Video{Temporal: true}.withDefaults())
	var bytesOf, framesOf [3]int
	layerOf := map[uint32]uint8{}
	tl0 := uint8(0)
	for n := range frames {
		count := v.next(n == 0 || n == 22)
		var p codecs.VP8Packet
		for i := range count {
			body, err := p.Unmarshal(v.appendPayload(nil, i))
			if err != nil {
				t.Fatal(err)
			}
			bytesOf[p.TID] += len(body)
		}
		framesOf[p.TID]++
		layerOf[v.number] = p.TID
		keyframe := n == 0 || n == 22
		needed, known := layerOf[v.reference]
		switch {
		case p.T != 1 || p.L != 1 || p.PictureID != uint16(1<<14+1+n):
			t.Fatalf("frame %d: %+v", n, p)
		case keyframe && (v.reference != v.number || p.TID != 0):
			t.Errorf("frame %d is a keyframe of layer %d that refers to %d", n, p.TID, v.reference)
		case !known || needed > p.TID || !keyframe && v.reference >= v.number:
			t.Errorf("frame %d of layer %d refers to %d of layer %d", n, p.TID, v.reference, needed)
		case p.Y == 1 && needed != 0:
			t.Errorf("frame %d is called a sync of layer %d, but refers to layer %d", n, p.TID, needed)
		}
		if p.TID == 0 {
			tl0++
		}
		if p.TL0PICIDX != tl0 {
			t.Errorf("frame %d: TL0PICIDX %d, want %d", n, p.TL0PICIDX, tl0)
		}
	}
	if framesOf[2] < frames/2-1 || framesOf[1] < frames/4-1 {
		t.Errorf("frames by layer: %v", framesOf)
	}
}
