package loadtest

import (
	"encoding/binary"

	"github.com/takoserver/takos-call/internal/mono"
)

// stamp ends the payload of every packet of ours, so that a receiver knows
// what it got and how old it is.
//
//	|  magic (32)  |  origin SSRC (32)  |  number (32)  |  sent, ns (64)  |
//	|  frame (32)  |  reference (32)    |
//
// origin and number are those of the sender: a server that mixes streams up or
// skips what it had is found out, whatever it makes of the RTP header. So are
// the number of the frame that the packet is of, and that of the frame without
// which it cannot be decoded: its own in a keyframe.
type stamp struct {
	origin    uint32
	number    uint32
	sent      mono.Instant
	frame     uint32
	reference uint32
}

const (
	stampSize  = 28
	stampMagic = 0x746b_6c74
)

// put writes s to the end of payload, which must be long enough.
func (s stamp) put(payload []byte) {
	b := payload[len(payload)-stampSize:]
	binary.BigEndian.PutUint32(b, stampMagic)
	binary.BigEndian.PutUint32(b[4:], s.origin)
	binary.BigEndian.PutUint32(b[8:], s.number)
	binary.BigEndian.PutUint64(b[12:], uint64(s.sent))
	binary.BigEndian.PutUint32(b[20:], s.frame)
	binary.BigEndian.PutUint32(b[24:], s.reference)
}

// readStamp reads the stamp at the end of payload; ok is false when there is
// none.
func readStamp(payload []byte) (s stamp, ok bool) {
	if len(payload) < stampSize {
		return stamp{}, false
	}
	b := payload[len(payload)-stampSize:]
	if binary.BigEndian.Uint32(b) != stampMagic {
		return stamp{}, false
	}
	return stamp{
		origin: binary.BigEndian.Uint32(b[4:]),
		number: binary.BigEndian.Uint32(b[8:]),
		sent:   mono.Instant(binary.BigEndian.Uint64(b[12:])),

		frame:     binary.BigEndian.Uint32(b[20:]),
		reference: binary.BigEndian.Uint32(b[24:]),
	}, true
}
