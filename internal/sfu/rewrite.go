package sfu

import (
	"time"

	"github.com/takoserver/takos-call/internal/layer"
	"github.com/takoserver/takos-call/internal/mono"
)

// rewriter places packets of a producer's streams into the one stream that a
// consumer's receiver sees: sequence numbers without holes of our making and
// timestamps that never jump, whatever was paused or switched in between. No
// sequence number is given away twice; see arrivals for why that matters.
//
// It is an engine, guarded by the sendMu of the consumer's transport.
type rewriter struct {
	stream     *recvStream   // being sent; nil before the first packet
	previous   *recvStream   // sent before it
	generation uint8         // counts changes of stream
	wanted     *recvStream   // waited for
	waited     time.Duration // for a keyframe of wanted, while it was arriving
	waitedAt   mono.Instant
	started    bool
	restarting bool       // the next packet starts anew
	gaps       layer.Gaps // extSeq to its place in what the receiver gets
	highestSeq int64      // extSeq of the newest packet sent
	tsOffset   uint32
	seq        int64  // place of the newest packet sent; its low 16 bits are the sequence number
	keyframe   int64  // place with which the newest keyframe begins
	ts         uint32 // of the newest packet sent
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

// follow says whether p is of what the receiver is sent, after starting with it
// if that can be. target is the stream that ought to be sent.
func (r *rewriter) follow(p *packet, target *recvStream, video bool, now mono.Instant) (result placement, starts bool) {
	if !r.restarting && p.stream == r.stream {
		if p.stream == target {
			r.wanted = nil
		}
		return placed, false
	}
	if result = r.mayStart(p, target, video, now); result != placed {
		return result, false
	}
	r.start(p, now)
	return placed, true
}

// place returns the sequence number and timestamp under which p is sent, which
// has to follow what is sent. It is false for what is older than what was
// started with, or too old.
func (r *rewriter) place(p *packet, now mono.Instant) (seq uint16, ts uint32, ok bool) {
	at, ok := r.gaps.Place(p.extSeq)
	if !ok {
		return 0, 0, false
	}
	ts = p.ts + r.tsOffset
	if p.extSeq > r.highestSeq {
		r.highestSeq, r.seq, r.ts, r.sentAt = p.extSeq, at, ts, now
		if p.frame.Keyframe {
			r.keyframe = at
		}
	}
	return uint16(at), ts, true
}

// skip leaves p out without leaving a hole. That comes too late if packets after
// p were sent: then its place is to be filled with an empty packet of the
// sequence number returned.
func (r *rewriter) skip(p *packet) (seq uint16, fill bool) {
	if r.restarting || p.stream != r.stream || r.gaps.Drop(p.extSeq) {
		return 0, false
	}
	at, fill := r.gaps.Place(p.extSeq)
	return uint16(at), fill
}

// mayStart says whether the receiver's stream can go on with p. Until it can,
// the old one is sent.
func (r *rewriter) mayStart(p *packet, target *recvStream, video bool, now mono.Instant) placement {
	if p.stream != target || p.payloadLen == 0 {
		return skipped
	}
	if r.wanted != target {
		r.wanted, r.waited, r.waitedAt = target, 0, now
	}
	r.waited += min(now.Sub(r.waitedAt), encodingSilence)
	r.waitedAt = now
	if video && !p.frame.Keyframe && r.waited < keyframePatience {
		return waiting
	}
	if p.stream == r.stream && p.extSeq <= r.highestSeq {
		return skipped // a late one would turn time back
	}
	return placed
}

// sinceKeyframe reports whether the receiver needs what was sent as seq: no
// keyframe has been sent after it.
func (r *rewriter) sinceKeyframe(seq uint16) bool {
	behind := int64(uint16(r.seq) - seq)
	return r.started && r.seq-behind >= r.keyframe
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
	r.gaps.Restart(p.extSeq, r.seq+1)
	r.highestSeq = p.extSeq - 1
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
	behind := uint16(r.seq) - seq
	if !r.started || r.restarting || behind >= historySize {
		return 0, false
	}
	return r.gaps.Original(r.seq - int64(behind))
}
