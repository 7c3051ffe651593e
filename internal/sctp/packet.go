package sctp

import (
	"encoding/binary"
	"hash/crc32"
)

//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|          source port          |       destination port        |
//	|                       verification tag                        |
//	|                           checksum                            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     type      |     flags     |            length             |
//	|  value …                                        (padded to 4) |
//
// A packet is the header and one chunk or several (RFC 9260 §3). Pion does the
// protocol; we look at a packet only for the streams that it concerns, since Pion
// does not say where a message has become complete, and for what Pion must be spared.
const (
	packetHeaderSize = 12

	// MinPacket is the size of the smallest packet there is, in bytes. All are multiples
	// of four.
	MinPacket = packetHeaderSize + chunkHeaderSize

	chunkHeaderSize = 4
	chunkData       = 0
	chunkInit       = 1
	chunkInitAck    = 2
	chunkSACK       = 3
	chunkReconfig   = 130
	chunkForwardTSN = 192

	// An INIT or INIT ACK chunk has a tag, a window, the numbers of streams out and in,
	// and a TSN before its parameters.
	initHeaderSize = chunkHeaderSize + 16
	// A DATA chunk has TSN, stream, sequence number and PPID before the user data.
	dataHeaderSize = chunkHeaderSize + 12
	// A FORWARD TSN chunk has a TSN, then pairs of stream and sequence number.
	forwardHeaderSize = chunkHeaderSize + 4
	// An outgoing reset request (RFC 6525 §4.1) has its type, length and three
	// numbers, then streams.
	paramOutgoingReset = 13
	paramHeaderSize    = 4
	resetHeaderSize    = paramHeaderSize + 12
)

// chunk is one chunk of a packet, header included and without padding.
type chunk []byte

func (c chunk) kind() byte { return c[0] }

// chunksOf returns what follows the header of a packet.
func chunksOf(packet []byte) []byte {
	if len(packet) < packetHeaderSize {
		return nil
	}
	return packet[packetHeaderSize:]
}

// nextChunk cuts the first chunk off; ok is false when there is none.
func nextChunk(b []byte) (c chunk, rest []byte, ok bool) {
	return nextPadded(b)
}

// nextPadded cuts off what has its length in bytes 2 and 3, and its padding to a
// multiple of four: a chunk, or a parameter of one.
func nextPadded(b []byte) (part, rest []byte, ok bool) {
	if len(b) < chunkHeaderSize {
		return nil, nil, false
	}
	end := int(binary.BigEndian.Uint16(b[2:]))
	if end < chunkHeaderSize || end > len(b) {
		return nil, nil, false
	}
	return b[:end], b[min((end+3)&^3, len(b)):], true
}

// isInit reports whether a packet begins with an INIT, which is alone (RFC 9260
// §6.10).
func isInit(packet []byte) bool {
	c, _, ok := nextChunk(chunksOf(packet))
	return ok && c.kind() == chunkInit
}

// BeginsAssociation reports whether a packet that came without DTLS is an INIT that has
// come through unharmed: the only one by which a peer may introduce itself.
func BeginsAssociation(packet []byte) bool { return isInit(packet) && intact(packet) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// intact reports whether the checksum of a packet is right: CRC32c, over the packet with
// zeros in the checksum's place (RFC 9260 §6.8).
func intact(packet []byte) bool {
	const at = packetHeaderSize - 4
	sum := crc32.Update(0, castagnoli, packet[:at])
	sum = crc32.Update(sum, castagnoli, []byte{0, 0, 0, 0})
	sum = crc32.Update(sum, castagnoli, packet[packetHeaderSize:])
	return sum == binary.LittleEndian.Uint32(packet[at:])
}

// streamCounts returns on how many streams the sender of an INIT or INIT ACK chunk
// sends, and on how many it takes messages.
func (c chunk) streamCounts() (outbound, inbound uint16, ok bool) {
	if len(c) < initHeaderSize {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(c[12:]), binary.BigEndian.Uint16(c[14:]), true
}

// dataStream returns the stream of a DATA chunk.
func (c chunk) dataStream() (stream uint16, err error) {
	if len(c) <= dataHeaderSize {
		return 0, errNoUserData
	}
	return binary.BigEndian.Uint16(c[8:]), nil
}

// window returns what a SACK chunk says that its sender still takes, in bytes.
func (c chunk) window() (bytes uint32, ok bool) {
	if c.kind() != chunkSACK || len(c) < chunkHeaderSize+8 {
		return 0, false
	}
	return binary.BigEndian.Uint32(c[8:]), true
}

// appendForwarded appends the streams in which a FORWARD TSN chunk gives messages up
// (RFC 3758 §3.2).
func (c chunk) appendForwarded(streams []uint16) []uint16 {
	for b := c[min(forwardHeaderSize, len(c)):]; len(b) >= 4; b = b[4:] {
		streams = append(streams, binary.BigEndian.Uint16(b))
	}
	return streams
}

// appendReset appends the streams that the peer closes with a RE-CONFIG chunk.
func (c chunk) appendReset(streams []uint16) []uint16 {
	rest := []byte(c[chunkHeaderSize:])
	for {
		param, more, ok := nextPadded(rest)
		if !ok {
			return streams
		}
		if binary.BigEndian.Uint16(param) == paramOutgoingReset {
			for b := param[min(resetHeaderSize, len(param)):]; len(b) >= 2; b = b[2:] {
				streams = append(streams, binary.BigEndian.Uint16(b))
			}
		}
		rest = more
	}
}
