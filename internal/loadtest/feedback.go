package loadtest

import (
	"encoding/binary"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

// feedback collects the arrival times of a transport's packets by their
// transport-wide numbers and makes the feedback messages of
// draft-holmer-rmcat-transport-wide-cc-extensions-01. The zero value is ready.
type feedback struct {
	unwrapper rtp.Unwrapper
	base      int64 // first number of the next message, once started
	started   bool
	arrived   [feedbackWindow]mono.Instant // from base on; 0 for not arrived
	span      int                          // numbers from base to the highest
	sent      uint8                        // messages, counted
}

const (
	// feedbackWindow is at 100 ms the numbers of 50 Mbit/s.
	feedbackWindow = 512
	// feedbackInterval is what Chromium uses at most bitrates.
	feedbackInterval = 100 * time.Millisecond

	referenceUnit = 64 * time.Millisecond
	deltaUnit     = 250 * time.Microsecond
)

// Packet status symbols, §3.1.1.
const (
	notReceived = 0
	smallDelta  = 1 // 8 bits, unsigned
	largeDelta  = 2 // 16 bits, signed
)

// record takes note of a packet. Numbers outside of the window, and those of
// an interval that was reported on already, are left out.
func (f *feedback) record(seq uint16, now mono.Instant) {
	ext := f.unwrapper.Unwrap(seq)
	if !f.started {
		f.base, f.started = ext, true
	}
	if f.span == 0 && ext > f.base {
		f.base = ext // what is missing before is not ours to report
	}
	at := ext - f.base
	if at < 0 || at >= feedbackWindow {
		return
	}
	f.arrived[at] = now
	f.span = max(f.span, int(at)+1)
}

// full tells that a message should not wait.
func (f *feedback) full() bool { return f.span > feedbackWindow/2 }

// append appends a message about what was recorded since the last one, if
// anything was, and begins anew.
//
//	|V=2|P| FMT=15  |    PT=205     |            length             |
//	|                     SSRC of packet sender                     |
//	|                      SSRC of media source                     |
//	|      base sequence number     |      packet status count      |
//	|                 reference time                | fb pkt. count |
//	|         status vector chunk   |  …            |  deltas, padding
func (f *feedback) append(dst []byte, sender, media uint32) []byte {
	if f.span == 0 {
		return dst
	}
	start := len(dst)
	dst = rtp.AppendFeedbackHeader(dst, rtp.TypeRTPFB, rtp.FormatTransportCC, sender, media)
	dst = binary.BigEndian.AppendUint16(dst, uint16(f.base))
	dst = binary.BigEndian.AppendUint16(dst, uint16(f.span))
	reference := int64(f.firstArrival()) / int64(referenceUnit)
	dst = append(dst, byte(reference>>16), byte(reference>>8), byte(reference), f.sent)
	dst = f.appendStatus(dst, reference)
	for (len(dst)-start)%4 != 0 {
		dst = append(dst, 0)
	}
	rtp.PatchRTCPLength(dst, start)
	f.sent++
	f.base += int64(f.span)
	clear(f.arrived[:f.span])
	f.span = 0
	return dst
}

func (f *feedback) firstArrival() mono.Instant {
	for _, at := range f.arrived[:f.span] {
		if at != 0 {
			return at
		}
	}
	return 0
}

// appendStatus appends the chunks, each a vector of seven two-bit symbols, and
// the deltas. Deltas refer to the arrival before, in the order of numbers.
func (f *feedback) appendStatus(dst []byte, reference int64) []byte {
	var deltas [2 * feedbackWindow]byte
	size := 0
	// In units throughout, so that rounding does not add up.
	last := reference * int64(referenceUnit/deltaUnit)
	for from := 0; from < f.span; from += 7 {
		chunk := uint16(1<<15 | 1<<14)
		for i := range min(7, f.span-from) {
			at := f.arrived[from+i]
			if at == 0 {
				continue
			}
			units := int64(at) / int64(deltaUnit)
			delta := units - last
			last = units
			symbol := uint16(smallDelta)
			if delta < 0 || delta > 255 {
				symbol = largeDelta
				delta = max(min(delta, 1<<15-1), -1<<15)
				binary.BigEndian.PutUint16(deltas[size:], uint16(delta))
				size += 2
			} else {
				deltas[size] = byte(delta)
				size++
			}
			chunk |= symbol << (12 - 2*i)
		}
		dst = binary.BigEndian.AppendUint16(dst, chunk)
	}
	return append(dst, deltas[:size]...)
}
