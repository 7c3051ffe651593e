package sfu

import (
	"crypto/rand"
	"encoding/binary"

	"github.com/takoserver/takos-call/internal/ortc"
)

// What a line carries is found out with padding. A receiver that takes RTX gets
// it there. One that does not would never be probed, as padding in the stream of
// a video is a part of it: what is lost of it is missed. For such receivers
// mediasoup-client adds a media section of its own to each transport on which
// video comes in, and these are the facts of it. A receiver without that section
// drops the padding, but reports its arrival all the same.
const (
	probatorMID         = "probator"
	probatorSSRC        = 1234 // below those of consumers; see randomSSRC
	probatorPayloadType = 127
)

// newProbator is a consumer of nothing that has only the stream of padding. It
// lives as long as its transport: SRTP must see no sequence number twice.
func newProbator() *Consumer {
	const media = 0 // any payload type: no media is sent
	c := &Consumer{
		params: ortc.RTPParameters{Codecs: []ortc.RTPCodecParameters{{PayloadType: media}}},
		mid:    []byte(probatorMID), rtxSSRC: probatorSSRC, video: true,
	}
	c.payloadTypes[media].rtx = probatorPayloadType
	var random [2]byte
	_, _ = rand.Read(random[:]) // never fails
	c.rtxSeq = binary.BigEndian.Uint16(random[:]) & 0x7fff
	return c
}

// probatorLocked is what padding is sent by to a receiver without RTX; nil if no
// video is sent to it. mediasoup-client makes its media section with the header
// extensions of the first video, and a router gives them the same ids everywhere.
// sendMu is held.
func (t *Transport) probatorLocked() *Consumer {
	if _, ok := t.kind.(*WebRTCTransport); !ok {
		return nil
	}
	b := t.send.bandwidth
	for _, c := range t.send.streams {
		if !c.video || c.rtxSSRC != 0 || !c.rewrite.started || !c.active.Load() {
			continue
		}
		if b.probator == nil {
			b.probator = newProbator()
		}
		b.probator.extensions, b.probator.rewrite.ts = c.extensions, c.rewrite.ts
		return b.probator
	}
	return nil
}
