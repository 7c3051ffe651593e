package codec_test

import (
	"testing"

	"github.com/pion/rtp/codecs"

	"github.com/takoserver/takos-call/internal/codec"
)

func TestVP9(t *testing.T) {
	for _, test := range []struct {
		name    string
		payload []byte
		want    codec.Frame
	}{
		{"keyframe in one packet", []byte{0x0C, 0x82}, codec.Frame{Keyframe: true, Start: true, End: true, DescriptorSize: 1}},
		{"interframe", []byte{0x4C, 0x86}, codec.Frame{Start: true, End: true, DescriptorSize: 1}},
		{"keyframe goes on", []byte{0x00, 0x82}, codec.Frame{DescriptorSize: 1}},
		{"keyframe ends", []byte{0x04, 0x82}, codec.Frame{End: true, DescriptorSize: 1}},
		{"intra-only frame", []byte{0x08, 0x86}, codec.Frame{Start: true, DescriptorSize: 1}},
		{"shows an existing frame", []byte{0x08, 0x88}, codec.Frame{Start: true, DescriptorSize: 1}},
		{"keyframe of profile 3", []byte{0x08, 0xB0}, codec.Frame{Keyframe: true, Start: true, DescriptorSize: 1}},
		{"interframe of profile 3", []byte{0x08, 0xB2}, codec.Frame{Start: true, DescriptorSize: 1}},
		{"encrypted end to end", []byte{0x08, 0xFF}, codec.Frame{Keyframe: true, Start: true, DescriptorSize: 1}},
		{"non-flexible, base layer", []byte{0xA8, 0x81, 0x23, 0x10, 0x07, 0x82}, codec.Frame{
			Keyframe: true, Start: true, HasLayer: true, SwitchUp: true,
			HasPictureID: true, PictureID: 0x123, PictureIDSize: 2, PictureIDOffset: 1,
			HasTL0PicIdx: true, TL0PicIdx: 7, TL0PicIdxOffset: 4, DescriptorSize: 5}},
		{"keyframe's upper layer", []byte{0x28, 0x03, 0x07, 0x82}, codec.Frame{
			Start: true, HasLayer: true, Layer: codec.Layer{Spatial: 1},
			HasTL0PicIdx: true, TL0PicIdx: 7, TL0PicIdxOffset: 2, DescriptorSize: 3}},
		{"highest layers", []byte{0x68, 0xFF, 0x00, 0x86}, codec.Frame{
			Start: true, HasLayer: true, Layer: codec.Layer{Spatial: 7, Temporal: 7}, SwitchUp: true,
			HasTL0PicIdx: true, TL0PicIdxOffset: 2, DescriptorSize: 3}},
		{"not for higher layers", []byte{0x09, 0x82}, codec.Frame{Keyframe: true, Start: true, NoInterLayer: true, DescriptorSize: 1}},
		{"flexible, no references", []byte{0x38, 0x40, 0x82}, codec.Frame{
			Keyframe: true, Start: true, HasLayer: true, Layer: codec.Layer{Temporal: 2}, DescriptorSize: 2}},
		{"flexible, one reference", []byte{0x78, 0x40, 0x02, 0x86}, codec.Frame{
			Start: true, HasLayer: true, Layer: codec.Layer{Temporal: 2}, DescriptorSize: 3}},
		{"flexible, three references", []byte{0x78, 0x40, 0x03, 0x05, 0x06, 0x86}, codec.Frame{
			Start: true, HasLayer: true, Layer: codec.Layer{Temporal: 2}, DescriptorSize: 5}},
		{"structure with sizes", []byte{0x0A, 0x30, 1, 2, 3, 4, 5, 6, 7, 8, 0x82}, codec.Frame{
			Keyframe: true, Start: true, DescriptorSize: 10}},
		{"structure with pictures", []byte{0x0A, 0x08, 2, 0x04, 1, 0x08, 1, 2, 0x82}, codec.Frame{
			Keyframe: true, Start: true, DescriptorSize: 8}},
		{"empty structure", []byte{0x0A, 0x00, 0x82}, codec.Frame{Keyframe: true, Start: true, DescriptorSize: 2}},
	} {
		const inter = 0x40 // P
		test.want.NoInterPicture = test.payload[0]&inter == 0
		var got codec.Frame
		if !codec.Read(codec.VP9, test.payload, &got) || got != test.want {
			t.Errorf("%s:\n%+v, want\n%+v", test.name, got, test.want)
		}
	}
}

func TestVP9RefusesDescriptorsThatAreCutOff(t *testing.T) {
	for _, whole := range [][]byte{
		{0xA8, 0x81, 0x23, 0x10, 0x07},
		{0xF8, 0x01, 0x40, 0x03, 0x05, 0x06},
		{0x0A, 0x38, 1, 2, 3, 4, 5, 6, 7, 8, 2, 0x04, 1, 0x08, 1, 2},
	} {
		for n := range len(whole) + 1 {
			var f codec.Frame
			if codec.Read(codec.VP9, whole[:n], &f) {
				t.Errorf("% x is %+v", whole[:n], f)
			}
		}
	}
}

func TestVP9RefusesFourReferences(t *testing.T) {
	var f codec.Frame
	if codec.Read(codec.VP9, []byte{0x58, 0x03, 0x03, 0x03, 0x02, 0x86}, &f) {
		t.Errorf("%+v", f)
	}
}

func TestVP9RefusesEndlessStructures(t *testing.T) {
	payload := append([]byte{0x0A, 0x08, 255}, make([]byte, 400)...)
	var f codec.Frame
	if codec.Read(codec.VP9, payload, &f) {
		t.Errorf("%+v: a descriptor of more than 255 bytes", f)
	}
}

// vp9Keyframe is the uncompressed header of a keyframe of 640 × 360, profile 0,
// and some data.
func vp9Keyframe() []byte {
	return append([]byte{0x82, 0x49, 0x83, 0x42, 0x00, 0x27, 0xF0, 0x16, 0x70}, make([]byte, 3000)...)
}

func TestVP9ReadsWhatPionPacketizes(t *testing.T) {
	interframe := append([]byte{0x86, 0x00}, make([]byte, 3000)...)
	for _, flexible := range []bool{false, true} {
		payloader := &codecs.VP9Payloader{FlexibleMode: flexible, InitialPictureIDFn: func() uint16 { return 0x7FFF }}
		for number, frame := range [][]byte{vp9Keyframe(), interframe} {
			payloads := payloader.Payload(1200, frame)
			for i, payload := range payloads {
				var f codec.Frame
				if !codec.Read(codec.VP9, payload, &f) {
					t.Fatalf("cannot read % x", payload[:8])
				}
				if f.Start != (i == 0) || f.End != (i == len(payloads)-1) || f.Keyframe != (i == 0 && number == 0) {
					t.Errorf("flexible %v, frame %d, packet %d: %+v", flexible, number, i, f)
				}
				if want := uint16(0x7FFF+number) & 0x7FFF; f.PictureID != want {
					t.Errorf("picture id %d, want %d", f.PictureID, want)
				}
			}
		}
	}
}

func FuzzVP9(f *testing.F) {
	f.Add(video[codec.VP9])
	f.Add([]byte{0x78, 0x40, 0x03, 0x05, 0x06, 0x86})
	f.Add([]byte{0x0A, 0x38, 1, 2, 3, 4, 5, 6, 7, 8, 2, 0x04, 1, 0x08, 1, 2, 0x82})
	f.Add([]byte{0x08, 0xB2})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var got codec.Frame
		if !codec.Read(codec.VP9, payload, &got) {
			return
		}
		checkFrame(t, payload, &got)
		checkRenumbering(t, codec.VP9, payload, got)
		var want codecs.VP9Packet
		if _, err := want.Unmarshal(payload); err != nil {
			return // pion is stricter about layers that no encoder makes
		}
		if got.HasPictureID != want.I || got.PictureID != want.PictureID ||
			got.HasTL0PicIdx != (want.L && !want.F) || got.TL0PicIdx != want.TL0PICIDX ||
			got.HasLayer != want.L || got.Temporal != want.TID || got.Spatial != want.SID || got.SwitchUp != want.U ||
			got.Start != want.B || got.End != want.E || got.NoInterLayer != want.Z ||
			int(got.DescriptorSize) != len(payload)-len(want.Payload) {
			t.Fatalf("%+v, pion reads %+v", got, want)
		}
	})
}
