package sfu

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// rewriter places packets of a producer's streams into the one stream that a
// consumer's receiver sees: sequence numbers without holes of our making and
// timestamps that never jump, whatever was paused or switched in between.
//
// It is guarded by the sendMu of the consumer's transport.
type rewriter struct {
	stream     *recvStream  // being sent; nil before the first packet
	wanted     *recvStream  // waited for
	giveUpAt   mono.Instant // until when wanted is held back for a keyframe
	started    bool
	restarting bool  // the next packet starts anew
	firstSeq   int64 // extSeq of the packet that was started with
	seqOffset  uint16
	tsOffset   uint32
	seq        uint16 // of the newest packet sent
	ts         uint32 // likewise
	highestSeq int64  // extSeq of the newest packet sent
	sentAt     mono.Instant
}

// keyframePatience is how long a video stream that shows no keyframe is held
// back. One whose payload is encrypted end to end may never show any.
const keyframePatience = 3 * time.Second

// restart makes the next packet start anew: with a keyframe, if it is video.
func (r *rewriter) restart(now mono.Instant) {
	r.restarting = true
	r.giveUpAt = now.Add(keyframePatience)
}

// place returns the sequence number and timestamp under which p is sent; ok is
// false if it is not to be sent. target is the stream that ought to be sent.
func (r *rewriter) place(p *packet, target *recvStream, video bool, now mono.Instant) (seq uint16, ts uint32, ok bool) {
	if r.restarting || p.stream != r.stream {
		if p.stream != target {
			return 0, 0, false
		}
		if r.wanted != target {
			r.wanted, r.giveUpAt = target, now.Add(keyframePatience)
		}
		// Until the wanted stream can be shown, the old one goes on.
		if video && !p.keyframe && now < r.giveUpAt {
			return 0, 0, false
		}
		r.start(p, now)
	}
	if p.extSeq < r.firstSeq {
		return 0, 0, false // older than the keyframe that was started with
	}
	seq, ts = uint16(p.extSeq)+r.seqOffset, p.ts+r.tsOffset
	if p.extSeq > r.highestSeq {
		r.highestSeq, r.seq, r.ts, r.sentAt = p.extSeq, seq, ts, now
	}
	return seq, ts, true
}

// start continues the receiver's stream with p.
func (r *rewriter) start(p *packet, now mono.Instant) {
	switch {
	case r.started && p.stream != r.stream:
		// Streams of one picture have timestamps of their own; time passed
		// since the last packet is what they have in common.
		elapsed := now.Sub(r.sentAt)
		r.tsOffset = r.ts + max(1, uint32(elapsed.Microseconds()*int64(p.stream.clockHz)/1_000_000)) - p.ts
	case !r.started:
		r.tsOffset = 0
	}
	r.seqOffset = r.seq + 1 - uint16(p.extSeq)
	r.stream, r.firstSeq, r.highestSeq = p.stream, p.extSeq, p.extSeq-1
	r.started, r.restarting = true, false
}

// historySize is how many packets a receiver can ask for again: 1.4 s of a
// 1.5 Mbit/s video, which is what the stores keep.
const historySize = 512

// history remembers what was sent under which sequence number. The zero value
// remembers nothing.
type history struct {
	entries []sentPacket // by seq modulo historySize
}

// sentPacket has no pointers: 512 of them are kept per receiver and video.
type sentPacket struct {
	extSeq   int64
	ts       uint32 // as sent
	resentMS uint32 // when it was retransmitted last, ms of the monotonic clock
	seq      uint16
	encoding uint8
	pt       uint8
	used     bool
}

func newHistory() history { return history{entries: make([]sentPacket, historySize)} }

func (h *history) note(p *packet, seq uint16, ts uint32) {
	if h.entries == nil {
		return
	}
	h.entries[seq%historySize] = sentPacket{
		extSeq: p.extSeq, ts: ts, seq: seq, encoding: uint8(p.stream.encoding), pt: p.pt, used: true,
	}
}

// find returns the packet sent as seq, or nil.
func (h *history) find(seq uint16) *sentPacket {
	if h.entries == nil {
		return nil
	}
	e := &h.entries[seq%historySize]
	if e.seq != seq || !e.used {
		return nil
	}
	return e
}
