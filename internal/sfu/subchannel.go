package sfu

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/takoserver/takos-call/internal/sctp"
)

// A message that has subchannels takes them along to another router, in front of its
// data. The layout is mediasoup's (3.27), so that its routers can be at either end:
//
//	| magic, 8 bytes; lowest bits: R, I | count, 2 | count × subchannel, 2 each |
//	| required, 2, if R | ignored, 2, if I | data …
//
// No text begins so, since the first byte begins nothing in UTF-8. Bytes that begin so by
// chance are understood wrongly; that is one message of 2^62.
const (
	subchannelMagic    = 0xA5F09CB3D6E1F28C
	subchannelRequired = 2
	subchannelIgnored  = 1
	subchannelHeader   = 8 + 2
)

// encode puts the subchannels in front of data; data without any is as it was.
func (s Subchannels) encode(data []byte) []byte {
	if len(s.Any) == 0 && s.Required == nil && s.Ignored == nil {
		return data
	}
	magic := uint64(subchannelMagic)
	if s.Required != nil {
		magic |= subchannelRequired
	}
	if s.Ignored != nil {
		magic |= subchannelIgnored
	}
	s.Any = s.Any[:min(len(s.Any), math.MaxUint16)] // there are no more different ones
	b := make([]byte, 0, subchannelHeader+2*len(s.Any)+4+len(data))
	b = binary.BigEndian.AppendUint64(b, magic)
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.Any)))
	for _, n := range s.Any {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	for _, n := range []*uint16{s.Required, s.Ignored} {
		if n != nil {
			b = binary.BigEndian.AppendUint16(b, *n)
		}
	}
	return append(b, data...)
}

// decodeSubchannels undoes encode. What has no subchannels in front, or not all that it
// says, is data.
func decodeSubchannels(b []byte) (s Subchannels, data []byte) {
	if len(b) < subchannelHeader {
		return Subchannels{}, b
	}
	magic := binary.BigEndian.Uint64(b)
	if magic&^(subchannelRequired|subchannelIgnored) != subchannelMagic {
		return Subchannels{}, b
	}
	count, rest := int(binary.BigEndian.Uint16(b[8:])), b[subchannelHeader:]
	required, ignored := int(magic&subchannelRequired>>1), int(magic&subchannelIgnored)
	if len(rest) < 2*(count+required+ignored) {
		return Subchannels{}, b
	}
	next := func() uint16 {
		n := binary.BigEndian.Uint16(rest)
		rest = rest[2:]
		return n
	}
	for range count {
		s.Any = append(s.Any, next())
	}
	if required > 0 {
		s.Required = new(next())
	}
	if ignored > 0 {
		s.Ignored = new(next())
	}
	return s, rest
}

// through is what becomes of the subchannels of a message on its way to another router,
// and whether it goes there at all. A pipe that is subscribed to none carries everything.
// One that is to some carries for those: it takes along those of a message that it has,
// and leaves it to the data consumers behind it which are ignored, as it stands for all
// of them.
func (s Subchannels) through(subscribed []uint16) (Subchannels, bool) {
	if len(subscribed) == 0 {
		return s, true
	}
	if s.Required != nil && !slices.Contains(subscribed, *s.Required) {
		return s, false
	}
	if len(s.Any) == 0 {
		return s, true
	}
	var carried []uint16
	for _, n := range s.Any {
		if slices.Contains(subscribed, n) {
			carried = append(carried, n)
		}
	}
	s.Any = carried
	return s, len(carried) > 0
}

// relay sends a message to another router.
func (c *DataConsumer) relay(m dataMessage) {
	if to, ok := m.to.through(*c.subchannels.Load()); ok {
		m.data = to.encode(m.data)
		c.sendSCTP(m)
	}
}

// relayed is a message from whatever is at the other end of t.
func (t *Transport) relayed(m sctp.Message) dataMessage {
	if !t.isPipe() {
		return dataMessage{ppid: m.PPID, data: m.Data}
	}
	to, data := decodeSubchannels(m.Data)
	return dataMessage{ppid: m.PPID, data: data, to: to}
}
