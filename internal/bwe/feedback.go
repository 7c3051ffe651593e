package bwe

import (
	"encoding/binary"
	"time"

	"github.com/takoserver/takos-call/internal/rtp"
)

// feedbackBody is where the packet chunks begin in the body of a feedback
// packet, which comes after the header of RTCP.
const feedbackBody = feedbackHeaderSize - 4

// feedbackReader reads a transport-wide feedback packet, packet by packet,
// without a copy. For its layout see Recorder.AppendFeedback.
type feedbackReader struct {
	chunks []byte // not read yet
	deltas []byte // not read yet
	left   int    // packets that follow, those in the chunk included

	// The chunk in hand: inChunk symbols, the next in the highest bits of
	// vector, or all of them run.
	inChunk int
	vector  uint16
	width   uint8 // bits of a symbol of the vector; 0: a run
	run     uint8

	seq  uint16 // of the next packet
	time int64  // of the last arrival, in delta ticks

	reference uint32 // 24 bits, in reference ticks
	number    uint8  // of the report
}

// packetStatus is what a report says of one packet.
type packetStatus struct {
	seq     uint16
	arrived bool
	ticks   int64 // when it arrived, in delta ticks since the reference time
}

// readFeedback begins to read p. It is false if p is something else or its
// chunks are not complete.
func readFeedback(p rtp.RTCPPacket) (r feedbackReader, ok bool) {
	if p.Type != rtp.TypeRTPFB || p.Count != rtp.FormatTransportCC || len(p.Body) < feedbackBody {
		return r, false
	}
	b := p.Body
	r.seq = binary.BigEndian.Uint16(b[8:])
	r.left = int(binary.BigEndian.Uint16(b[10:]))
	r.reference = binary.BigEndian.Uint32(b[12:]) >> 8
	r.number = b[15]
	size, ok := chunksSize(b[feedbackBody:], r.left)
	if !ok {
		return feedbackReader{}, false
	}
	r.chunks, r.deltas = b[feedbackBody:feedbackBody+size], b[feedbackBody+size:]
	return r, true
}

// chunksSize returns how many bytes the chunks of packets take.
func chunksSize(b []byte, packets int) (size int, ok bool) {
	for packets > 0 {
		if len(b) < size+chunkSize {
			return 0, false
		}
		n := symbolsOf(binary.BigEndian.Uint16(b[size:]))
		if n == 0 {
			return 0, false // an empty run: nobody sends it, and it need not end
		}
		packets -= n
		size += chunkSize
	}
	return size, true
}

// symbolsOf returns how many packets a chunk tells of.
func symbolsOf(chunk uint16) int {
	switch {
	case chunk < oneBitVector:
		return int(chunk & maxRun)
	case chunk < twoBitVector:
		return oneBitSymbols
	default:
		return twoBitSymbols
	}
}

// next returns what is said of the next packet. It is false at the end and
// where the deltas are cut short; what was read before is good.
func (r *feedbackReader) next() (s packetStatus, ok bool) {
	if r.left == 0 {
		return s, false
	}
	if r.inChunk == 0 {
		r.nextChunk()
	}
	status := r.symbol()
	s.seq = r.seq
	switch status {
	case statusSmall:
		if len(r.deltas) < 1 {
			return s, r.end()
		}
		r.time += int64(r.deltas[0])
		r.deltas = r.deltas[1:]
	case statusLarge:
		if len(r.deltas) < 2 {
			return s, r.end()
		}
		r.time += int64(int16(binary.BigEndian.Uint16(r.deltas)))
		r.deltas = r.deltas[2:]
	}
	s.arrived = status == statusSmall || status == statusLarge
	s.ticks = r.time
	r.left--
	r.inChunk--
	r.seq++
	return s, true
}

func (r *feedbackReader) end() bool {
	r.left = 0
	return false
}

// nextChunk takes the next chunk in hand; that there is one was checked.
func (r *feedbackReader) nextChunk() {
	chunk := binary.BigEndian.Uint16(r.chunks)
	r.chunks = r.chunks[chunkSize:]
	r.inChunk = symbolsOf(chunk)
	switch {
	case chunk < oneBitVector:
		r.width, r.run = 0, uint8(chunk>>runLengthSymbols)
	case chunk < twoBitVector:
		r.width, r.vector = 1, chunk<<2
	default:
		r.width, r.vector = 2, chunk<<2
	}
}

func (r *feedbackReader) symbol() uint8 {
	if r.width == 0 {
		return r.run
	}
	s := uint8(r.vector >> (16 - r.width))
	r.vector <<= r.width
	return s
}

// receiverClock makes one time of the reference times, which wrap around after
// twelve days.
type receiverClock struct {
	reference int64 // reference ticks
	started   bool
}

// at returns the time on the receiver's clock of the reference time of a
// report; its zero is long before the first.
func (c *receiverClock) at(reference uint32) time.Duration {
	if !c.started {
		// So far above zero that an older report is not before it.
		c.started, c.reference = true, 1<<24+int64(reference)
	}
	c.reference += int64(int32((reference-uint32(c.reference))<<8) >> 8)
	return time.Duration(c.reference) * referenceTick
}
