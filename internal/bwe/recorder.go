package bwe

import (
	"encoding/binary"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

const (
	// The window of packets that can be reported. It begins with what a small
	// call needs between two reports and doubles up to what a sender of
	// 100 Mbit/s does; a larger jump of sequence numbers is a restart.
	minRecorderWindow = 256
	maxRecorderWindow = 8192

	deltaTick     = 250 * time.Microsecond
	referenceTick = 64 * time.Millisecond
	// deltasPerReference is the number of delta ticks in a reference tick.
	deltasPerReference = int64(referenceTick / deltaTick)

	feedbackHeaderSize = 20
	// minFeedbackSize holds the header, a chunk and a large delta.
	minFeedbackSize = feedbackHeaderSize + 4
)

// Recorder notes when the packets of a transport arrived, by their
// transport-wide sequence numbers, and reports it to their sender. The zero
// value is ready.
//
// Reports are for all that lies between the last report and the newest packet,
// so that each loss is told once. A packet that arrives after it was reported
// lost is reported again, with what follows it.
type Recorder struct {
	seqs rtp.Unwrapper
	// arrivals is a ring by extSeq of the last len(arrivals) packets up to
	// newest; zero is one that has not arrived. A power of two.
	arrivals []mono.Instant
	newest   int64
	next     int64 // first one to be reported
	count    uint8 // of reports
}

// Receive notes that the packet seq arrived at now. Of duplicates the first
// counts.
func (r *Recorder) Receive(now mono.Instant, seq uint16) {
	extSeq := r.seqs.Unwrap(seq)
	now = max(now, 1) // zero means that a packet is missing
	if r.arrivals == nil {
		r.arrivals = make([]mono.Instant, minRecorderWindow)
		r.newest, r.next = extSeq-1, extSeq
	}
	if extSeq > r.newest {
		r.advance(extSeq)
	} else if extSeq <= r.newest-int64(len(r.arrivals)) {
		return
	}
	at := r.at(extSeq)
	if *at != 0 {
		return
	}
	*at = now
	r.next = min(r.next, extSeq)
}

func (r *Recorder) at(extSeq int64) *mono.Instant {
	return &r.arrivals[extSeq&int64(len(r.arrivals)-1)]
}

// advance moves the window up to extSeq. What has not been reported by then
// stays in it, if it can be enlarged so far.
func (r *Recorder) advance(extSeq int64) {
	for extSeq-r.next >= int64(len(r.arrivals)) && len(r.arrivals) < maxRecorderWindow {
		r.grow()
	}
	size := int64(len(r.arrivals))
	if extSeq-r.newest >= size {
		clear(r.arrivals)
		r.next = extSeq
	} else {
		for seq := r.newest + 1; seq <= extSeq; seq++ {
			*r.at(seq) = 0
		}
		r.next = max(r.next, extSeq-size+1)
	}
	r.newest = extSeq
}

func (r *Recorder) grow() {
	old, size := r.arrivals, int64(len(r.arrivals))
	r.arrivals = make([]mono.Instant, 2*size)
	for seq := r.newest - size + 1; seq <= r.newest; seq++ {
		*r.at(seq) = old[seq&(size-1)]
	}
}

// Pending reports whether there is something to report.
func (r *Recorder) Pending() bool { return r.arrivals != nil && r.next <= r.newest }

// AppendFeedback appends the next transport-wide feedback packet, of at most
// maxSize bytes, or nothing when nothing has arrived since the last. When not all fits one packet, or two arrivals are further
// apart than a packet can tell (8.2 s), Pending is still true afterwards and
// another call appends the next; it may as well be left to the next time.
// maxSize ought to be some hundred bytes and is taken to be at least 24.
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|V=2|P|  FMT=15 |    PT=205     |           length              |
//	|                       SSRC of sender                          |
//	|                       SSRC of media                           |
//	|      base sequence number     |      packet status count      |
//	|                 reference time                | fb pkt. count |
//	|          packet chunk         |         packet chunk          |
//	|         packet chunk          |  recv delta   |  recv delta   |
//	|  …            | zero padding, with P its length in the last byte
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
func (r *Recorder) AppendFeedback(dst []byte, senderSSRC, mediaSSRC uint32, maxSize int) []byte {
	if !r.Pending() {
		return dst
	}
	start, base := len(dst), r.next
	reference := r.reference()
	dst = rtp.AppendFeedbackHeader(dst, rtp.TypeRTPFB, rtp.FormatTransportCC, senderSSRC, mediaSSRC)
	dst = binary.BigEndian.AppendUint16(dst, uint16(base))
	dst = append(dst, 0, 0) // the count, when it is known
	dst = append(dst, byte(reference>>16), byte(reference>>8), byte(reference), r.count)
	dst, end := r.appendChunks(dst, reference*deltasPerReference, max(maxSize, minFeedbackSize)-feedbackHeaderSize)
	binary.BigEndian.PutUint16(dst[start+14:], uint16(end-base))
	dst = r.appendDeltas(dst, reference*deltasPerReference, end)
	if n := -(len(dst) - start) & 3; n > 0 {
		dst = append(dst, 0, 0, 0)[:len(dst)+n]
		dst[len(dst)-1] = byte(n)
		dst[start] |= 0x20
	}
	rtp.PatchRTCPLength(dst, start)
	r.next = end
	r.count++
	return dst
}

// reference returns the time of the first arrival to report in reference
// ticks.
func (r *Recorder) reference() int64 {
	for seq := r.next; seq <= r.newest; seq++ {
		if at := *r.at(seq); at != 0 {
			return int64(at) / int64(referenceTick)
		}
	}
	return 0 // not reached: the newest has arrived
}

// delta returns the arrival at, in delta ticks, relative to the tick before.
// Rounding the time and not the difference keeps errors from adding up.
func delta(at mono.Instant, before int64) (ticks, difference int64) {
	ticks = int64(at) / int64(deltaTick)
	return ticks, ticks - before
}

// appendChunks appends the status of the packets from r.next on, as far as
// chunks and deltas together fit room bytes, and returns the end of them. The
// first delta is relative to the tick before.
func (r *Recorder) appendChunks(dst []byte, before int64, room int) ([]byte, int64) {
	var c chunk
	seq, used := r.next, 0
	for ; seq <= r.newest; seq++ {
		status, size := uint8(statusMissing), 0
		if at := *r.at(seq); at != 0 {
			ticks, difference := delta(at, before)
			switch {
			case difference >= 0 && difference <= 0xFF:
				status, size = statusSmall, 1
			case difference == int64(int16(difference)):
				status, size = statusLarge, 2
			default:
				return c.appendAll(dst), seq
			}
			before = ticks
		}
		full := !c.accepts(status)
		if full {
			size += chunkSize
		}
		// One chunk is always still to come. Rounding room down leaves
		// place for the padding.
		if used+size+chunkSize > room&^3 {
			break
		}
		if full {
			dst = c.appendNext(dst)
		}
		c.add(status)
		used += size
	}
	return c.appendAll(dst), seq
}

// appendDeltas appends the arrival times of the packets from r.next up to end.
func (r *Recorder) appendDeltas(dst []byte, before, end int64) []byte {
	for seq := r.next; seq < end; seq++ {
		at := *r.at(seq)
		if at == 0 {
			continue
		}
		ticks, difference := delta(at, before)
		before = ticks
		if difference >= 0 && difference <= 0xFF {
			dst = append(dst, byte(difference))
		} else {
			dst = binary.BigEndian.AppendUint16(dst, uint16(int16(difference)))
		}
	}
	return dst
}
