package layer

import "github.com/takoserver/takos-call/internal/codec"

// PictureDelta is what is added to the numbers that a packet carries for the
// decoder, modulo their size.
type PictureDelta struct {
	ID    uint16 // picture id of VP8 and VP9
	Frame uint16 // frame number of the dependency descriptor
	TL0   uint8  // TL0PICIDX of VP8 and VP9
}

// Pictures numbers the pictures that one receiver is sent: they go on where
// another stream left off. VP8's picture ids have no holes for pictures that
// are left out either, which receivers take for losses. VP9's keep them, since
// frames tell their references by the difference of picture ids (RFC 9628
// §4.2), and so do frame numbers. The zero value is ready.
type Pictures struct {
	ids   counter
	tl0   counter
	frame counter
	gaps  Gaps // of VP8's picture ids
}

// counter is a number that streams count up, each from its own beginning.
type counter struct {
	in    int64  // newest of this stream, unwrapped
	out   uint16 // newest sent
	delta uint16
	known bool // of this stream
	ever  bool
}

// follow unwraps a number that is bits wide.
func (c *counter) follow(value uint16, bits uint) int64 {
	shift := 16 - bits
	return c.in + int64(int16((value-uint16(c.in))<<shift)>>shift)
}

// begin makes value, with which a stream begins, follow what was sent before.
func (c *counter) begin(value uint16) {
	if c.ever {
		c.delta = c.out + 1 - value
	}
	// Far from zero: there are numbers before the first.
	c.in, c.known, c.ever = 1<<16+int64(value), true, true
	c.out = value + c.delta
}

// place returns what is to be added to value.
func (c *counter) place(value uint16, bits uint) uint16 {
	if !c.known {
		c.begin(value)
	}
	if in := c.follow(value, bits); in > c.in {
		c.in = in
		c.out = uint16(in) + c.delta
	}
	return c.delta
}

// Restart makes the next packet's picture follow the newest that was sent.
func (n *Pictures) Restart() { n.ids.known, n.tl0.known, n.frame.known = false, false, false }

// Drop leaves the frame of a packet out; to be called for each packet that is
// not sent.
func (n *Pictures) Drop(p *Packet) {
	if p.Codec != codec.VP8 || !p.HasPictureID || !n.ids.known {
		return
	}
	in := n.ids.follow(p.PictureID, idBits(p))
	n.ids.in = max(n.ids.in, in)
	n.gaps.Drop(in)
}

// Place returns what to add to the numbers of a packet that is sent.
func (n *Pictures) Place(p *Packet) (d PictureDelta) {
	if p.HasPictureID {
		d.ID = n.placeID(p)
	}
	if p.HasTL0PicIdx {
		d.TL0 = uint8(n.tl0.place(uint16(p.TL0PicIdx), 8))
	}
	if p.Descriptor != nil {
		d.Frame = n.frame.place(p.Descriptor.FrameNumber, 16)
	}
	return d
}

func (n *Pictures) placeID(p *Packet) (delta uint16) {
	if !n.ids.known {
		n.ids.begin(p.PictureID)
		n.gaps.Restart(n.ids.in, n.ids.in+int64(int16(n.ids.delta)))
	}
	if p.Codec != codec.VP8 {
		return n.ids.place(p.PictureID, idBits(p))
	}
	in := n.ids.follow(p.PictureID, idBits(p))
	out, ok := n.gaps.Place(in)
	if !ok {
		return n.ids.delta // too old to matter
	}
	delta = uint16(out) - p.PictureID
	if in >= n.ids.in {
		n.ids.in, n.ids.out, n.ids.delta = in, uint16(out), delta
	}
	return delta
}

// idBits is the size of a picture id.
func idBits(p *Packet) uint {
	if p.PictureIDSize == 1 {
		return 7
	}
	return 15
}

// RewritePicture writes the numbers that the payload, from which f was read,
// carries with d added. It counts from f and not from what is there, so that
// one copy of the payload can be rewritten for each receiver in turn.
func RewritePicture(payload []byte, f *codec.Frame, d PictureDelta) {
	f.PutPictureID(payload, f.PictureID+d.ID)
	f.PutTL0PicIdx(payload, f.TL0PicIdx+d.TL0)
}
