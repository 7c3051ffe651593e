package sfu

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
