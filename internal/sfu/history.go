package sfu

// historySize is how many packets a receiver can ask for again: 1.4 s of a
// 1.5 Mbit/s video with its retransmissions, which is what the stores keep.
const historySize = 512

// history remembers what was sent under which sequence number. The zero value
// remembers nothing.
type history struct {
	entries []sentPacket // by seq modulo historySize
}

// sentPacket has no pointers: 512 of them are kept per receiver and video.
type sentPacket struct {
	extSeq     int64
	ts         uint32 // as sent
	resentMS   uint32 // when it was retransmitted last, ms of the monotonic clock; 0: never
	seq        uint16
	pictureID  uint16 // what was added to it …
	tl0        uint8  // … and to TL0PICIDX
	generation uint8  // of the rewriter, when it was sent
	pt         uint8
	flags      sentFlags
}

type sentFlags uint8

const (
	sentUsed   sentFlags = 1 << iota // the entry holds a packet
	sentMarker                       // its marker bit, as sent
	sentEmpty                        // it only filled a place
	sentUpper                        // of a temporal layer that the least does without
)

func newHistory() history { return history{entries: make([]sentPacket, historySize)} }

// note remembers e in place of what was sent historySize packets before.
func (h *history) note(e sentPacket) *sentPacket {
	if h.entries == nil {
		return nil
	}
	e.flags |= sentUsed
	at := &h.entries[e.seq%historySize]
	*at = e
	return at
}

// find returns the packet sent as seq, or nil.
func (h *history) find(seq uint16) *sentPacket {
	if h.entries == nil {
		return nil
	}
	e := &h.entries[seq%historySize]
	if e.seq != seq || e.flags&sentUsed == 0 {
		return nil
	}
	return e
}

// replaced reports whether the place of seq was taken by what was sent later.
func (h *history) replaced(seq uint16) bool {
	if h.entries == nil {
		return false
	}
	e := &h.entries[seq%historySize]
	return e.flags&sentUsed != 0 && int16(e.seq-seq) > 0
}
