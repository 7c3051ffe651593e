package codec_test

import (
	"bytes"
	"testing"

	"github.com/pion/rtp/codecs"

	"github.com/takoserver/takos-call/internal/codec"
)

func TestVP8(t *testing.T) {
	for _, test := range []struct {
		name    string
		payload []byte
		want    codec.Frame
	}{
		{"keyframe", []byte{0x10, 0x00}, codec.Frame{Keyframe: true, Start: true, DescriptorSize: 1}},
		{"interframe", []byte{0x10, 0x01}, codec.Frame{Start: true, DescriptorSize: 1}},
		{"keyframe goes on", []byte{0x00, 0x00}, codec.Frame{DescriptorSize: 1}},
		{"second partition begins", []byte{0x11, 0x00}, codec.Frame{DescriptorSize: 1}},
		{"not a reference", []byte{0x30, 0x01}, codec.Frame{Start: true, Discardable: true, DescriptorSize: 1}},
		{"no extension bits", []byte{0x90, 0x00, 0x00}, codec.Frame{Keyframe: true, Start: true, DescriptorSize: 2}},
		{"picture id of 7 bits", []byte{0x90, 0x80, 0x7F, 0x00}, codec.Frame{
			Keyframe: true, Start: true, HasPictureID: true, PictureID: 0x7F,
			PictureIDSize: 1, PictureIDOffset: 2, DescriptorSize: 3}},
		{"picture id of 15 bits", []byte{0x90, 0x80, 0xFF, 0xFE, 0x00}, codec.Frame{
			Keyframe: true, Start: true, HasPictureID: true, PictureID: 0x7FFE,
			PictureIDSize: 2, PictureIDOffset: 2, DescriptorSize: 4}},
		{"all fields", []byte{0x90, 0xF0, 0x81, 0x23, 0x07, 0xBF, 0x01}, codec.Frame{
			Start: true, HasPictureID: true, PictureID: 0x123, PictureIDSize: 2, PictureIDOffset: 2,
			HasTL0PicIdx: true, TL0PicIdx: 7, TL0PicIdxOffset: 4,
			HasLayer: true, Layer: codec.Layer{Temporal: 2}, SwitchUp: true, DescriptorSize: 6}},
		{"key index without a layer", []byte{0x90, 0x10, 0xFF, 0x00}, codec.Frame{Keyframe: true, Start: true, DescriptorSize: 3}},
	} {
		var got codec.Frame
		if !codec.Read(codec.VP8, test.payload, &got) || got != test.want {
			t.Errorf("%s:\n%+v, want\n%+v", test.name, got, test.want)
		}
	}
}

func TestVP8RefusesDescriptorsWithoutBitstream(t *testing.T) {
	whole := []byte{0x90, 0xF0, 0x81, 0x23, 0x07, 0xBF}
	for n := range len(whole) + 1 {
		var f codec.Frame
		if codec.Read(codec.VP8, whole[:n], &f) {
			t.Errorf("% x is %+v", whole[:n], f)
		}
	}
}

func TestVP8ReadsWhatPionPacketizes(t *testing.T) {
	for _, test := range []struct {
		first byte
		key   bool
	}{{0x10, true}, {0x11, false}} {
		frame := make([]byte, 3000)
		frame[0] = test.first
		payloader := &codecs.VP8Payloader{EnablePictureID: true}
		payloader.Payload(1200, frame)
		for i, payload := range payloader.Payload(1200, frame) {
			var f codec.Frame
			if !codec.Read(codec.VP8, payload, &f) {
				t.Fatalf("cannot read % x", payload[:8])
			}
			if f.Start != (i == 0) || f.Keyframe != (i == 0 && test.key) || f.PictureID != 1 {
				t.Errorf("packet %d: %+v", i, f)
			}
		}
	}
}

func FuzzVP8(f *testing.F) {
	f.Add(video[codec.VP8])
	f.Add([]byte{0x90, 0xF0, 0x81, 0x23, 0x07, 0xBF, 0x01})
	f.Add([]byte{0x90, 0x10, 0xFF, 0x00})
	f.Add([]byte{0x31, 0x00})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var got codec.Frame
		if !codec.Read(codec.VP8, payload, &got) {
			return
		}
		checkFrame(t, payload, &got)
		checkRenumbering(t, codec.VP8, payload, got)
		var want codecs.VP8Packet
		if _, err := want.Unmarshal(payload); err != nil {
			t.Fatalf("read what pion does not: %v", err)
		}
		if got.HasPictureID != (want.I == 1) || got.PictureID != want.PictureID ||
			got.HasTL0PicIdx != (want.L == 1) || got.TL0PicIdx != want.TL0PICIDX ||
			got.HasLayer != (want.T == 1) || got.Temporal != want.TID || got.SwitchUp != (want.T == 1 && want.Y == 1) ||
			got.Start != (want.S == 1 && want.PID == 0) || got.Discardable != (want.N == 1) ||
			int(got.DescriptorSize) != len(payload)-len(want.Payload) {
			t.Fatalf("%+v, pion reads %+v", got, want)
		}
	})
}

func TestVP8RenumbersInTheSizeThatIsThere(t *testing.T) {
	for _, test := range []struct {
		name          string
		payload, want []byte
	}{
		{"7 bits", []byte{0x90, 0xC0, 0x7F, 0x07, 0x00}, []byte{0x90, 0xC0, 0x23, 0xFF, 0x00}},
		{"15 bits", []byte{0x90, 0xC0, 0x80, 0x01, 0x07, 0x00}, []byte{0x90, 0xC0, 0xC1, 0x23, 0xFF, 0x00}},
	} {
		var f codec.Frame
		if !codec.Read(codec.VP8, test.payload, &f) {
			t.Fatalf("%s: cannot read", test.name)
		}
		f.PutPictureID(test.payload, 0x4123)
		f.PutTL0PicIdx(test.payload, 0xFF)
		if !bytes.Equal(test.payload, test.want) {
			t.Errorf("%s: % x, want % x", test.name, test.payload, test.want)
		}
	}
}
