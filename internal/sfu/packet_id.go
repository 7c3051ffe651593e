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
