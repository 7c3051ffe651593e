package codec_test

import (
	"testing"

	"github.com/takoserver/takos-call/internal/codec"
)

// video lists a keyframe's first packet of each video codec, as short as it
// can be read.
var video = map[codec.Codec][]byte{
	codec.VP8:  {0x90, 0xE0, 0x81, 0x23, 0x07, 0x20, 0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A},
	codec.VP9:  {0xA8, 0x81, 0x23, 0x10, 0x07, 0x82, 0x49, 0x83, 0x42},
	codec.H264: {24, 0, 4, 0x67, 0x42, 0xC0, 0x1F, 0, 2, 0x68, 0xCE, 0, 3, 0x65, 0x88, 0x84},
	codec.H265: {48 << 1, 1, 0, 3, 33 << 1, 1, 1, 0, 4, 19 << 1, 1, 0xAF, 0x08},
	codec.AV1:  {0x28, 3, 1 << 3, 0, 0, 6 << 3, 0x10},
}

func TestReadFindsKeyframesOfEveryCodec(t *testing.T) {
	for c, payload := range video {
		if !codec.IsKeyframe(c, payload) {
			t.Errorf("%v: a keyframe is none", c)
		}
		for other := range video {
			if other != c {
				codec.IsKeyframe(other, payload) // any answer, but no panic
			}
		}
	}
}

func TestReadTakesEveryAudioPacketForAFrame(t *testing.T) {
	for _, c := range []codec.Codec{codec.Opus, codec.MultiOpus, codec.PCMU, codec.PCMA, codec.G722, codec.ComfortNoise, codec.TelephoneEvent} {
		var f codec.Frame
		if !codec.Read(c, []byte{0xFC}, &f) || f != (codec.Frame{Keyframe: true, Start: true, End: true}) {
			t.Errorf("%v: %+v", c, f)
		}
	}
}

func TestReadLeavesNothingBehindWhenItCannot(t *testing.T) {
	stale := codec.Frame{Keyframe: true, Start: true, PictureID: 7, HasPictureID: true}
	for _, test := range []struct {
		codec   codec.Codec
		payload []byte
	}{
		{codec.Opus, nil}, {codec.VP8, nil}, {codec.VP8, []byte{0x90}}, {codec.VP9, []byte{0xFF}},
		{codec.H264, []byte{30}}, {codec.H265, []byte{0}}, {codec.AV1, []byte{0x88, 1}},
		{codec.RTX, []byte{1, 2, 3}}, {codec.RED, []byte{1, 2}}, {codec.Other, []byte{1}}, {77, []byte{1}},
	} {
		f := stale
		if codec.Read(test.codec, test.payload, &f) || f != (codec.Frame{}) {
			t.Errorf("%v % x: %+v", test.codec, test.payload, f)
		}
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	var f codec.Frame
	for c, payload := range video {
		if allocs := testing.AllocsPerRun(100, func() {
			codec.Read(c, payload, &f)
			f.PutPictureID(payload, f.PictureID)
			f.PutTL0PicIdx(payload, f.TL0PicIdx)
		}); allocs != 0 {
			t.Errorf("%v: %v allocations", c, allocs)
		}
	}
}

func TestPutKeepsItsHandsOffPayloadsWithoutTheField(t *testing.T) {
	payload := []byte{0x10, 0}
	var f codec.Frame
	codec.Read(codec.VP8, payload, &f)
	f.PutPictureID(payload, 1)
	f.PutTL0PicIdx(payload, 1)
	if payload[0] != 0x10 || payload[1] != 0 {
		t.Errorf("% x", payload)
	}
	// A frame and another, shorter payload.
	codec.Read(codec.VP8, video[codec.VP8], &f)
	f.PutPictureID(payload, 1)
	f.PutTL0PicIdx(payload, 1)
	if payload[0] != 0x10 || payload[1] != 0 {
		t.Errorf("% x", payload)
	}
}

func BenchmarkRead(b *testing.B) {
	for _, c := range []codec.Codec{codec.Opus, codec.VP8, codec.VP9, codec.H264, codec.H265, codec.AV1} {
		payload := video[c]
		if payload == nil {
			payload = []byte{0xFC}
		}
		b.Run(c.String(), func(b *testing.B) {
			var f codec.Frame
			b.ReportAllocs()
			for b.Loop() {
				codec.Read(c, payload, &f)
			}
		})
	}
}

// checkFrame checks what holds for every frame that was read.
func checkFrame(t *testing.T, payload []byte, f *codec.Frame) {
	t.Helper()
	if f.Keyframe && !f.Start {
		t.Fatal("a keyframe that does not start")
	}
	if int(f.DescriptorSize) > len(payload) {
		t.Fatalf("a descriptor of %d bytes in %d", f.DescriptorSize, len(payload))
	}
	if f.HasPictureID && int(f.PictureIDOffset+f.PictureIDSize) > int(f.DescriptorSize) {
		t.Fatalf("picture id at %d, beyond the descriptor of %d bytes", f.PictureIDOffset, f.DescriptorSize)
	}
	if f.HasTL0PicIdx && f.TL0PicIdxOffset >= f.DescriptorSize {
		t.Fatalf("TL0PICIDX at %d, beyond the descriptor of %d bytes", f.TL0PicIdxOffset, f.DescriptorSize)
	}
	if !f.HasLayer && f.Layer != (codec.Layer{}) {
		t.Fatalf("layer %+v from nowhere", f.Layer)
	}
}

// checkRenumbering renumbers a payload and checks that nothing else changes.
func checkRenumbering(t *testing.T, c codec.Codec, payload []byte, f codec.Frame) {
	t.Helper()
	b := append([]byte(nil), payload...)
	id, index := f.PictureID^0x55, f.TL0PicIdx^0x55
	if !f.HasPictureID {
		id = 0
	}
	if !f.HasTL0PicIdx {
		index = 0
	}
	f.PutPictureID(b, id)
	f.PutTL0PicIdx(b, index)
	var got codec.Frame
	if !codec.Read(c, b, &got) {
		t.Fatalf("% x cannot be read after renumbering", b)
	}
	f.PictureID, f.TL0PicIdx = id, index
	if got != f {
		t.Fatalf("renumbered to\n%+v, want\n%+v", got, f)
	}
}
