package sfu

import "github.com/takoserver/takos-call/internal/codec"

// RED (RFC 2198) repeats in each packet of Opus the one before, so that a loss is
// made good by the next packet. Its blocks name their payload type themselves,
// so that is rewritten in the payload. A receiver that does not know RED gets the
// newest block of each packet, which is the Opus packet that it was made from.

// redForm is what of a payload a receiver is sent.
type redForm uint8

const (
	asItCame redForm = iota // it is not RED
	wholeRED
	newestOfRED
)

// takeRED sets what becomes of RED for c's receiver.
func (c *Consumer) takeRED() {
	red, opus, ok := c.consumed.consumable.RED()
	if !ok {
		return
	}
	to := consumerPayload{known: true, sent: opus, red: newestOfRED}
	if _, blocks, understood := c.params.RED(); understood {
		to = consumerPayload{known: true, sent: red, red: wholeRED}
		c.redBlocks = blocks
	}
	for from := range uint8(len(c.payloadTypes)) {
		if c.consumed.payloadType(from) == red {
			c.payloadTypes[from] = to
		}
	}
}

// newestBlock returns where the newest block of a payload of p begins, 0 if it is
// not RED. It is false for RED that is malformed, or has blocks of something else
// than p's Opus in it: nobody could be told what they are.
func (p *Producer) newestBlock(c codec.Codec, payload []byte) (at int, ok bool) {
	if c != codec.RED || len(payload) == 0 { // or padding alone
		return 0, true
	}
	return codec.ReadRED(payload, p.redBlocks)
}

// takeNewest makes what receivers without RED are sent of the packet at index i,
// whose newest block begins at a place in its payload.
func (w *worker) takeNewest(i, at int) {
	p, newest := &w.packets[i], &w.newest[i]
	newest.ext = p.ext
	newest.payloadLen = copy(newest.slot[headroom:], p.slot[headroom+at:headroom+p.payloadLen])
}
