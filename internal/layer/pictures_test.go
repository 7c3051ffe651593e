package layer_test

import (
	"testing"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/layer"
)

func picture(c codec.Codec, id uint16, tl0 uint8) *layer.Packet {
	p := &layer.Packet{Codec: c}
	p.HasPictureID, p.PictureIDSize, p.PictureID, p.PictureIDOffset = true, 2, id, 2
	p.HasTL0PicIdx, p.TL0PicIdx, p.TL0PicIdxOffset = true, tl0, 4
	return p
}

// sentAs returns the numbers that a packet is sent with.
func sentAs(n *layer.Pictures, p *layer.Packet) (id uint16, tl0 uint8) {
	payload := make([]byte, 5)
	layer.RewritePicture(payload, &p.Frame, n.Place(p))
	return uint16(payload[2]&0x7F)<<8 | uint16(payload[3]), payload[4]
}

func TestPicturesGoOnAcrossStreams(t *testing.T) {
	for _, c := range []codec.Codec{codec.VP8, codec.VP9} {
		var n layer.Pictures
		if id, tl0 := sentAs(&n, picture(c, 0x7FFF, 255)); id != 0x7FFF || tl0 != 255 {
			t.Errorf("%v: the first is %d, %d", c, id, tl0)
		}
		n.Restart()
		for i, want := range []uint16{0, 1, 2} {
			id, tl0 := sentAs(&n, picture(c, 500+uint16(i), 9+uint8(i)))
			if id != want || tl0 != uint8(want) {
				t.Errorf("%v: picture %d of the second stream is %d, %d", c, i, id, tl0)
			}
		}
	}
}

// VP8's receivers take a hole for a loss; VP9's find references by difference.
func TestPicturesLeftOut(t *testing.T) {
	for c, want := range map[codec.Codec]uint16{codec.VP8: 11, codec.VP9: 12} {
		var n layer.Pictures
		sentAs(&n, picture(c, 10, 1))
		n.Drop(picture(c, 11, 1))
		if id, _ := sentAs(&n, picture(c, 12, 2)); id != want {
			t.Errorf("%v: the picture after the one left out is %d, want %d", c, id, want)
		}
	}
}

func TestFrameNumbersGoOnAcrossStreams(t *testing.T) {
	var n layer.Pictures
	frame := func(number uint16) uint16 {
		p := &layer.Packet{Codec: codec.AV1, Descriptor: &codec.DependencyDescriptor{FrameNumber: number}}
		return number + n.Place(p).Frame
	}
	frame(100)
	frame(103)
	frame(102) // late
	n.Restart()
	if got := frame(7); got != 104 {
		t.Errorf("the first frame of the second stream is %d, want 104", got)
	}
}
