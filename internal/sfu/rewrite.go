package sfu

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// rewriter places packets of a producer's streams into the one stream that a
// consumer's receiver sees: sequence numbers without holes of our making and
// timestamps that never jump, whatever was paused or switched in between. No
// sequence number is given away twice; see arrivals for why that matters.
//
// It is an engine, guarded by the sendMu of the consumer's transport.
type rewriter struct {
	stream     *recvStream  // being sent; nil before the first packet
	previous   *recvStream  // sent before it
	generation uint8        // counts changes of stream
	wanted     *recvStream  // waited for
	giveUpAt   mono.Instant // until when wanted is held back for a keyframe
	started    bool
	restarting bool  // the next packet starts anew
	firstSeq   int64 // extSeq of the packet that was started with
	highestSeq int64 // extSeq of the newest packet sent
	seqOffset  uint16
	tsOffset   uint32
	seq        uint16 // of the newest packet sent
	ts         uint32 // likewise
	sentAt     mono.Instant
}

// keyframePatience is how long a video stream that shows no keyframe is held
// back. One whose payload is encrypted end to end may never show any.
const keyframePatience = 3 * time.Second

// placement is what becomes of a packet.
type placement uint8

const (
	placed  placement = iota
	skipped           // not to be sent
	waiting           // not to be sent, since a keyframe has to come first
)

// restart makes the next packet start anew: with a keyframe, if it is video.
func (r *rewriter) restart() { r.restarting, r.wanted = true, nil }

// place returns the sequence number and timestamp under which p is sent, if it
// is. target is the stream that ought to be sent.
func (r *rewriter) place(p *packet, target *recvStream, video bool, now mono.Instant) (seq uint16, ts uint32, result placement) {
	if r.restarting || p.stream != r.stream {
		if result = r.mayStart(p, target, video, now); result != placed {
			return 0, 0, result
		}
		r.start(p, now)
	}
	if p.extSeq < r.firstSeq {
		return 0, 0, skipped // older than what was started with
	}
	seq, ts = uint16(p.extSeq)+r.seqOffset, p.ts+r.tsOffset
	if p.extSeq > r.highestSeq {
		r.highestSeq, r.seq, r.ts, r.sentAt = p.extSeq, seq, ts, now
	}
	return seq, ts, placed
}

// mayStart says whether the receiver's stream can go on with p. Until it can,
// the old one is sent.
func (r *rewriter) mayStart(p *packet, target *recvStream, video bool, now mono.Instant) placement {
	if p.stream != target || p.payloadLen == 0 {
		return skipped
	}
	if r.wanted != target {
		r.wanted, r.giveUpAt = target, now.Add(keyframePatience)
	}
	if video && !p.frame.Keyframe && now < r.giveUpAt {
		return waiting
	}
	if p.stream == r.stream && p.extSeq <= r.highestSeq {
		return skipped // a late one would turn time back
	}
	return placed
}

// start continues the receiver's stream with p.
func (r *rewriter) start(p *packet, now mono.Instant) {
	switch {
	case !r.started:
		r.tsOffset = 0
	case p.stream != r.stream:
		r.tsOffset = r.continuedTime(p, now) - p.ts
		r.generation++
	}
	if p.stream != r.stream {
		r.previous, r.stream = r.stream, p.stream
	}
	r.seqOffset = r.seq + 1 - uint16(p.extSeq)
	r.firstSeq, r.highestSeq = p.extSeq, p.extSeq-1
	r.started, r.restarting = true, false
}

// continuedTime is the timestamp that p has among those of the stream before.
// Each stream counts from a number of its own; what they have in common is the
// sender's clock, if both have reported it, or else the time that has passed.
func (r *rewriter) continuedTime(p *packet, now mono.Instant) uint32 {
	elapsed := rtpUnits(now.Sub(r.sentAt), p.stream.clockHz)
	before, after := r.stream.clock.Load(), p.stream.clock.Load()
	if before != nil && after != nil && before.clockHz == after.clockHz {
		ts := before.time(now) + r.tsOffset + p.ts - after.time(now)
		// A frame that is older than the last one sent, or comes from nowhere
		// near it, has no place of its own.
		if ahead := int64(int32(ts - r.ts)); ahead > 0 && ahead < int64(elapsed)+int64(p.stream.clockHz) {
			return ts
		}
	}
	return r.ts + max(1, elapsed)
}

// skip leaves p out without leaving a hole.
func (r *rewriter) skip(p *packet) {
	if r.restarting || p.stream != r.stream || p.extSeq <= r.highestSeq {
		return
	}
	// Packets that are still on their way from before p are given up: their
	// place would depend on whether p was known.
	r.seqOffset = r.seq - uint16(p.extSeq)
	r.firstSeq, r.highestSeq = p.extSeq+1, p.extSeq
}

// streamOf returns the stream that was sent in a generation; nil if it was
// before the last but one.
func (r *rewriter) streamOf(generation uint8) *recvStream {
	switch generation {
	case r.generation:
		return r.stream
	case r.generation - 1:
		return r.previous
	}
	return nil
}

// unsent returns the extSeq of a packet that the receiver misses although it
// was never sent: it came before the keyframe that was started with, which was
// repaired late, but belongs after it.
func (r *rewriter) unsent(seq uint16) (extSeq int64, ok bool) {
	behind := r.seq - seq
	if !r.started || r.restarting || behind >= historySize {
		return 0, false
	}
	extSeq = r.highestSeq - int64(behind)
	return extSeq, extSeq >= r.firstSeq
}
