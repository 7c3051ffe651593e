package speaker

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// Silence is the level of a source that is not heard: −127 dBov (RFC 6464 §3).
const Silence = 127

const (
	// slotLength is the grain of activity, a usual packet of audio.
	slotLength = 20 * time.Millisecond
	// slots are remembered: a second, and what passes between two readings.
	slots = 64
	// held is how many slots the level of a packet is valid without another:
	// the longest packet of Opus, 120 ms (RFC 6716 §2.1.4). It also bridges
	// what the network delays.
	held = 6
)

// Source is how loud one sender is. The zero value has never been heard.
type Source struct {
	sum, packets uint64       // of levels, of packets, since the beginning
	newest       int64        // the slot of the last packet
	ring         [slots]uint8 // loudness: 0 is silence, 127 is 0 dBov
}

// Note takes in the level of a packet that came at now: the byte of the header
// extension,
//
//	+-+-+-+-+-+-+-+-+
//	|V|    level    |  in −dBov, 127 is silence (RFC 6464 §3)
//	+-+-+-+-+-+-+-+-+
//
// V, whether the sender believes it to be voice, is not looked at: many never
// set it.
func (s *Source) Note(now mono.Instant, extension byte) {
	level := extension & 0x7f
	s.sum += uint64(level)
	s.packets++
	slot := slotOf(now)
	if slot <= s.newest {
		// A second packet in a slot, or one of another goroutine whose time
		// is a little behind: the loudest counts.
		at := &s.ring[s.newest%slots]
		*at = max(*at, Silence-level)
		return
	}
	for i := max(s.newest+1, slot-slots+1); i < slot; i++ {
		s.ring[i%slots] = s.loudness(i)
	}
	s.ring[slot%slots] = Silence - level
	s.newest = slot
}

// loudness is that of a slot not more than slots before the newest, or after
// it.
func (s *Source) loudness(slot int64) uint8 {
	switch {
	case slot > s.newest+held || slot <= s.newest-slots || slot < 0:
		return 0
	case slot > s.newest:
		return s.ring[s.newest%slots]
	}
	return s.ring[slot%slots]
}

func slotOf(t mono.Instant) int64 { return int64(t) / int64(slotLength) }
