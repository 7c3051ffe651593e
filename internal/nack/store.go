package nack

import (
	"math"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

const (
	defaultInitialBytes = 64 << 10
	defaultMaxBytes     = 1 << 20
	defaultKeep         = time.Second
	initialSlots        = 64
	// maxSlots bounds the index: 4096 packets in a second are 40 Mbit/s of
	// full packets, far more than the arena holds.
	maxSlots = 4096
)

// StoreOptions are the settings of a Store; the zero value suits a video
// stream.
type StoreOptions struct {
	// InitialBytes and MaxBytes are the least and greatest size of the arena,
	// rounded up to a power of two; 64 KiB and 1 MiB if zero.
	InitialBytes int
	MaxBytes     int
	// Keep is how long packets ought to be there, 1 s if zero. The arena
	// grows when it turns over in less. Nobody is answered with a packet
	// that is older than twice that: it would come too late to be shown.
	Keep time.Duration
}

// slot says where in the arena a packet is. Its place in the index is the low
// bits of its extSeq.
type slot struct {
	extSeq int64
	offset uint64 // of all bytes ever written, see Store.head
	at     mono.Instant
	size   int32 // 0: never used
}

// Store keeps copies of the last packets of one stream. The bytes lie one
// behind the other in one arena that is written round and round, and an index
// of fixed-size slots leads to them, so that the garbage collector sees two
// objects however many packets there are.
//
// Positions count all bytes ever written; a position's place in the arena is
// its remainder. A packet is there as long as the writer has not come round
// to it, which one subtraction tells; nothing is ever freed.
type Store struct {
	// Constant after NewStore.
	initialBytes int
	maxBytes     int
	keep         time.Duration

	arena []byte // a power of two
	slots []slot // a power of two
	head  uint64 // position of the next packet
	floor uint64 // what lies before was lost when the arena grew

	lapFrom uint64 // position and time at which the current lap began
	lapAt   mono.Instant
}

// NewStore returns an empty Store. It takes its memory with the first packet.
func NewStore(o StoreOptions) *Store {
	if o.InitialBytes <= 0 {
		o.InitialBytes = defaultInitialBytes
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Keep <= 0 {
		o.Keep = defaultKeep
	}
	initial := ceilPowerOfTwo(o.InitialBytes)
	return &Store{
		initialBytes: initial,
		maxBytes:     max(initial, ceilPowerOfTwo(o.MaxBytes)),
		keep:         o.Keep,
	}
}

func ceilPowerOfTwo(n int) int {
	size := 1
	for size < n {
		size *= 2
	}
	return size
}

// Put copies packet into the store. It does not allocate but to grow to what
// the bitrate of the stream needs, which takes a few laps. A packet of more
// than the initial size of the arena is not kept.
func (s *Store) Put(now mono.Instant, extSeq int64, packet []byte) {
	if len(packet) == 0 || len(packet) > s.initialBytes || len(packet) > math.MaxInt32 {
		return
	}
	if s.arena == nil {
		s.arena = make([]byte, s.initialBytes)
		s.slots = make([]slot, initialSlots)
		s.lapAt = now
	}
	e := s.claim(now, extSeq)
	if e == nil {
		return
	}
	size := uint64(len(s.arena))
	if place := s.head & (size - 1); place+uint64(len(packet)) > size {
		s.endLap(now, s.head+size-place)
	} else if place == 0 && s.head > s.lapFrom {
		s.endLap(now, s.head)
	}
	*e = slot{extSeq: extSeq, offset: s.head, at: now, size: int32(len(packet))}
	copy(s.arena[s.head&uint64(len(s.arena)-1):], packet)
	s.head += uint64(len(packet))
}

// Packet returns the packet extSeq, or nil if it is not there (any more). The
// bytes belong to the store and are good until the next Put.
func (s *Store) Packet(extSeq int64, now mono.Instant) []byte {
	if len(s.slots) == 0 {
		return nil
	}
	e := s.slot(extSeq)
	if e.extSeq != extSeq || !s.holds(e) || now.Sub(e.at) > 2*s.keep {
		return nil
	}
	place := e.offset & uint64(len(s.arena)-1)
	return s.arena[place : place+uint64(e.size) : place+uint64(e.size)]
}

// Bytes returns the size of the arena.
func (s *Store) Bytes() int { return len(s.arena) }

func (s *Store) slot(extSeq int64) *slot { return &s.slots[extSeq&int64(len(s.slots)-1)] }

// holds reports whether the bytes of e are still in the arena.
func (s *Store) holds(e *slot) bool {
	return e.size > 0 && e.offset >= s.floor && s.head-e.offset <= uint64(len(s.arena))
}

// claim returns the slot for extSeq, enlarging the index while it would push
// out a packet that is still worth having; nil if a newer one has the place.
func (s *Store) claim(now mono.Instant, extSeq int64) *slot {
	for {
		e := s.slot(extSeq)
		switch {
		case !s.holds(e) || e.extSeq == extSeq:
			return e
		case e.extSeq > extSeq:
			return nil
		case now.Sub(e.at) >= s.keep || len(s.slots) >= maxSlots:
			return e
		}
		s.growSlots()
	}
}

// growSlots doubles the index. Slots that were apart stay apart: the bits that
// told them apart are still looked at.
func (s *Store) growSlots() {
	old := s.slots
	s.slots = make([]slot, 2*len(old))
	for i := range old {
		if old[i].size > 0 {
			*s.slot(old[i].extSeq) = old[i]
		}
	}
}

// endLap moves the writer to position to, a multiple of the arena's size, and
// doubles the arena if at the rate of the last lap it would turn over in less
// than keep. Not more than doubles: one burst, such as a keyframe, says little
// about the rate, and while the arena doubles with each lap nothing is lost.
func (s *Store) endLap(now mono.Instant, to uint64) {
	s.head = to
	took := max(now.Sub(s.lapAt), time.Millisecond)
	wanted := float64(s.head-s.lapFrom) * s.keep.Seconds() / took.Seconds()
	s.lapFrom, s.lapAt = to, now
	size := len(s.arena)
	if size >= s.maxBytes || float64(size) >= wanted {
		return
	}
	// What the old arena holds is one piece that begins at a multiple of its
	// size, and so stays one piece in the new.
	old := s.arena
	s.arena = make([]byte, 2*size)
	s.floor = max(s.floor, s.head-uint64(size))
	copy(s.arena[(s.head-uint64(size))&uint64(2*size-1):], old)
}
