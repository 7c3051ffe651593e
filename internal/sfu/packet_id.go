package sfu

import "encoding/binary"

// identify gives p its number, if its producer's packets are to have one and the
// sender has given it none. It is made from the sequence number, so that it needs
// not be kept for when p is sent again.
func (p *packet) identify() {
	if !p.stream.producer.numberPackets || p.ext.present&(1<<extPacketID) != 0 {
		return
	}
	binary.BigEndian.PutUint32(p.id[:], p.stream.firstID+uint32(p.extSeq))
	p.ext.data[extPacketID] = p.id[:]
	p.ext.present |= 1 << extPacketID
}

// isSilence reports whether p, which becomes payload, is Opus without a sound.
func (c *Consumer) isSilence(p *packet, payload *consumerPayload) bool {
	return payload.sent == c.params.Codecs[0].PayloadType && payload.red == asItCame && p.isDTX()
}

// isDTX reports whether a packet of Opus says only that there is silence: no frame
// in it has any content (RFC 6716 §3.2).
func (p *packet) isDTX() bool {
	if p.payloadLen == 0 {
		return false // padding, which keeps its place
	}
	switch code := p.slot[headroom] & 3; code {
	case 0, 1:
		return p.payloadLen == 1
	case 2:
		return p.payloadLen == 2
	}
	return false
}
