package rtp

// SeqNewer reports whether the sequence number a comes after b on the circle
// of 2¹⁶ (RFC 3550 §A.1). Two that are exactly half the circle apart are not
// newer than each other.
func SeqNewer(a, b uint16) bool { return int16(a-b) > 0 }

// TSNewer reports whether the timestamp a comes after b on the circle of 2³².
func TSNewer(a, b uint32) bool { return int32(a-b) > 0 }

// cycle is the number of sequence numbers before they repeat.
const cycle = 1 << 16

// Unwrapper extends 16-bit sequence numbers of one stream to 64 bits, so that
// they can be compared, subtracted and used as keys without thought of
// wrapping. The low 16 bits of an extSeq are always its seq. The zero value is
// ready for a stream's first packet.
//
// Each number is taken to be the one nearest to the highest so far. Measuring
// from the highest rather than from the last means that no series of old or
// forged numbers can walk the state backwards. A sender that jumps by more
// than half the circle therefore appears to go back.
type Unwrapper struct {
	highest int64
	started bool
}

// Unwrap returns the extSeq of seq. The first packet gets its seq in cycle
// one, not zero: a packet that was sent before it and arrives after it may
// belong to the previous cycle, and must not get a negative number. The
// difference does not show in reports, where only the change of the extended
// highest sequence number has a meaning (RFC 3550 §6.4.1).
func (u *Unwrapper) Unwrap(seq uint16) int64 {
	if !u.started {
		u.started = true
		u.highest = cycle + int64(seq)
		return u.highest
	}
	extSeq := u.highest + int64(int16(seq-uint16(u.highest)))
	if extSeq > u.highest {
		u.highest = extSeq
	}
	return extSeq
}

// Highest returns the highest extSeq so far and whether there is one.
func (u *Unwrapper) Highest() (extSeq int64, ok bool) { return u.highest, u.started }
