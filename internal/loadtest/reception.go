package loadtest

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

// reception is the account of one incoming stream: which sequence numbers have
// come, and the figures of its report blocks (RFC 3550 §6.4.1 and §A.8). The
// zero value is ready.
type reception struct {
	unwrapper      rtp.Unwrapper
	first, highest int64
	started        bool
	window         [receptionWindow / 64]uint64 // of the last numbers, by number

	received   uint64 // each number once
	recovered  uint64 // of these, by retransmission
	duplicates uint64
	reordered  uint64 // came after a higher one, in their own stream

	clockRate   uint32
	jitter      uint32 // in units of the stream's clock, times 16
	lastTransit uint32
	timed       bool

	// Of the last sender report, and of the report block before the next.
	senderReport   uint32 // Mid32
	senderReportAt mono.Instant
	blockExpected  int64
	blockReceived  uint64
}

// receptionWindow is how far back a number is recognised as a duplicate.
const receptionWindow = 4096

// arrival is what a packet was to its stream.
type arrival struct {
	extSeq    int64
	duplicate bool
	// newest tells that there is no higher number yet; missed is how many
	// numbers between it and the highest before have not come.
	newest bool
	missed int
}

// record takes note of a packet; retransmitted ones have no say in jitter or
// order.
func (r *reception) record(seq uint16, ts uint32, retransmitted bool, now mono.Instant) arrival {
	ext := r.unwrapper.Unwrap(seq)
	if !r.started {
		r.started = true
		r.first, r.highest = ext, ext-1
	}
	a := arrival{extSeq: ext, newest: ext > r.highest}
	switch {
	case a.newest:
		a.missed = int(ext - r.highest - 1)
		r.advance(ext)
	case ext <= r.highest-receptionWindow || r.has(ext):
		if !retransmitted { // a server may fill a line with those, to see how wide it is
			r.duplicates++
		}
		a.duplicate = true
		return a
	case ext < r.first:
		r.first = ext // overtaken by the packet that we began with
	}
	r.set(ext)
	r.received++
	if retransmitted {
		r.recovered++
		return a
	}
	if !a.newest {
		r.reordered++
	}
	r.updateJitter(ts, now)
	return a
}

// advance moves the window up to ext.
func (r *reception) advance(ext int64) {
	if ext-r.highest >= receptionWindow {
		clear(r.window[:])
	} else {
		for n := r.highest + 1; n <= ext; n++ {
			r.window[n%receptionWindow/64] &^= 1 << (n % 64)
		}
	}
	r.highest = ext
}

func (r *reception) has(ext int64) bool {
	return r.window[ext%receptionWindow/64]&(1<<(ext%64)) != 0
}

func (r *reception) set(ext int64) { r.window[ext%receptionWindow/64] |= 1 << (ext % 64) }

// updateJitter is the estimator of RFC 3550 §A.8.
func (r *reception) updateJitter(ts uint32, now mono.Instant) {
	arrived := uint64(now) / uint64(time.Microsecond) * uint64(r.clockRate) / 1_000_000
	transit := uint32(arrived) - ts
	if r.timed {
		d := int32(transit - r.lastTransit)
		r.jitter += uint32(max(d, -d)) - (r.jitter+8)>>4
	}
	r.lastTransit, r.timed = transit, true
}

// expected is how many numbers there were from the first to the highest.
func (r *reception) expected() int64 {
	if !r.started {
		return 0
	}
	return r.highest - r.first + 1
}

// lost is how many of them have not come.
func (r *reception) lost() int64 { return r.expected() - int64(r.received) }

// onSenderReport remembers a sender report for the next block.
func (r *reception) onSenderReport(sr rtp.SenderReport, now mono.Instant) {
	r.senderReport, r.senderReportAt = sr.NTP.Mid32(), now
}

// block makes the report block about ssrc and begins the next interval; ok is
// false before the first packet.
func (r *reception) block(ssrc uint32, now mono.Instant) (b rtp.ReportBlock, ok bool) {
	if !r.started {
		return b, false
	}
	expected := r.expected() - r.blockExpected
	lost := expected - int64(r.received-r.blockReceived)
	r.blockExpected, r.blockReceived = r.expected(), r.received
	b = rtp.ReportBlock{
		SSRC:       ssrc,
		TotalLost:  int32(r.lost()),
		HighestSeq: uint32(r.highest),
		Jitter:     r.jitter >> 4,
	}
	if lost > 0 && expected > 0 {
		b.FractionLost = uint8(min(lost<<8/expected, 255))
	}
	if r.senderReport != 0 {
		b.LastSR = r.senderReport
		b.DelaySinceLastSR = rtp.CompactDuration(now.Sub(r.senderReportAt))
	}
	return b, true
}

// missing is the numbers of a stream that are asked for again.
type missing struct {
	list []gap
	seqs []uint16 // scratch
}

// gap is a number that has not come.
type gap struct {
	extSeq int64
	next   mono.Instant // when to ask, again
	tries  int
}

const (
	// nackDelay lets a reordered packet come by itself.
	nackDelay = 10 * time.Millisecond
	// nackInterval is about a round trip within a continent.
	nackInterval = 50 * time.Millisecond
	nackTries    = 10
	// nackLimit is how many numbers may be missing; beyond, libwebrtc too
	// gives up and asks for a keyframe.
	nackLimit = 500
)

// note enters what an arrival left out, and takes out what it was.
func (m *missing) note(a arrival, now mono.Instant) {
	if !a.newest {
		m.remove(a.extSeq)
		return
	}
	for ext := a.extSeq - int64(a.missed); ext < a.extSeq; ext++ {
		if len(m.list) == nackLimit {
			m.list = m.list[:copy(m.list, m.list[1:])]
		}
		m.list = append(m.list, gap{extSeq: ext, next: now.Add(nackDelay)})
	}
}

func (m *missing) remove(extSeq int64) {
	for i := range m.list {
		if m.list[i].extSeq == extSeq {
			m.list = append(m.list[:i], m.list[i+1:]...)
			return
		}
	}
}

// due returns the numbers to ask for now, in order. The slice is good until
// the next call.
func (m *missing) due(now mono.Instant) []uint16 {
	m.seqs = m.seqs[:0]
	kept := m.list[:0]
	for _, g := range m.list {
		if now >= g.next {
			m.seqs = append(m.seqs, uint16(g.extSeq))
			g.tries++
			g.next = now.Add(nackInterval)
		}
		if g.tries < nackTries {
			kept = append(kept, g)
		}
	}
	m.list = kept
	return m.seqs
}
