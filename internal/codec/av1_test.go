package codec_test

import (
	"testing"

	"github.com/pion/rtp/codecs"

	"github.com/takoserver/takos-call/internal/codec"
)

// OBU headers of the types that come up, without a size.
const (
	sequenceHeader = 1 << 3
	frameHeader    = 3 << 3
	tileGroup      = 4 << 3
	metadata       = 5 << 3
	frameOBU       = 6 << 3
	extended       = 1 << 2
	sized          = 1 << 1
)

func TestAV1(t *testing.T) {
	keyframe := codec.Frame{Keyframe: true, Start: true}
	start := codec.Frame{Start: true}
	for _, test := range []struct {
		name    string
		payload []byte
		want    codec.Frame
	}{
		{"new sequence", []byte{0x28, 2, sequenceHeader, 0, frameOBU, 0x10}, keyframe},
		{"new sequence, whatever is first", []byte{0x18, tileGroup, 0x30}, keyframe},
		{"interframe", []byte{0x10, frameOBU, 0x30}, start},
		{"frame header on its own", []byte{0x10, frameHeader, 0x30}, start},
		{"metadata first", []byte{0x20, 2, metadata, 1, frameOBU, 0x30}, start},
		{"tile group", []byte{0x10, tileGroup, 0x30}, codec.Frame{}},
		{"continues", []byte{0x90, 0x55, 0x66}, codec.Frame{}},
		{"continues and is continued", []byte{0xD0, 0x55, 0x66}, codec.Frame{}},
		{"continues, counted by lengths", []byte{0x80, 2, 0x55, 0x66}, codec.Frame{}},
		{"every element with a length", []byte{0x08, 2, sequenceHeader, 0, 2, frameOBU, 0x10}, keyframe},
		{"sequence header and keyframe, N left out", []byte{0x20, 2, sequenceHeader, 0, frameOBU, 0x10}, keyframe},
		{"sequence header and interframe", []byte{0x20, 2, sequenceHeader, 0, frameOBU, 0x30}, start},
		{"sequence header and a shown frame", []byte{0x20, 2, sequenceHeader, 0, frameOBU, 0x80}, start},
		{"keyframe without sequence header", []byte{0x10, frameOBU, 0x10}, start},
		{"sequence header alone", []byte{0x10, sequenceHeader, 0}, start},
		{"sizes inside the OBUs", []byte{0x20, 3, sequenceHeader | sized, 1, 0, frameOBU | sized, 1, 0x10}, keyframe},
		{"layers", []byte{0x10, frameOBU | extended, 2<<5 | 1<<3, 0x30},
			codec.Frame{Start: true, HasLayer: true, Layer: codec.Layer{Spatial: 1, Temporal: 2}}},
		{"layers behind a sequence header", []byte{0x28, 2, sequenceHeader, 0, frameOBU | extended, 1 << 5, 0x10},
			codec.Frame{Keyframe: true, Start: true, HasLayer: true, Layer: codec.Layer{Temporal: 1}}},
		{"the first of two layers", []byte{0x20, 3, metadata | extended, 1 << 3, 0, frameOBU | extended, 2 << 3, 0x30},
			codec.Frame{Start: true, HasLayer: true, Layer: codec.Layer{Spatial: 1}}},
		{"size of an OBU in the next packet", []byte{0x50, frameOBU | sized}, start},
	} {
		var got codec.Frame
		if !codec.Read(codec.AV1, test.payload, &got) || got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestAV1RefusesWhatItCannotRead(t *testing.T) {
	for name, payload := range map[string][]byte{
		"aggregation header alone":    {0x10},
		"new sequence that continues": {0x98, 1, 2},
		"element longer than packet":  {0x20, 9, sequenceHeader, 0},
		"length without an end":       {0x00, 0x80, 0x80},
		"length of nine bytes":        {0x00, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, frameOBU},
		"huge length":                 {0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, frameOBU},
		"one element of two":          {0x20, 2, metadata, 0},
		"empty element":               {0x00, 0},
		"forbidden bit":               {0x10, 0x80 | frameOBU, 0},
		"extension cut off":           {0x10, frameOBU | extended},
		"continues with nothing":      {0x80, 5, 1},
	} {
		var f codec.Frame
		if codec.Read(codec.AV1, payload, &f) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestAV1ReadsWhatPionPacketizes(t *testing.T) {
	frame := append([]byte{frameOBU | sized, 0xB8, 0x17}, make([]byte, 3000)...) // LEB128 of 3000
	frame[3] = 0x10                                                              // shown keyframe
	temporalUnit := append([]byte{2<<3 | sized, 0, sequenceHeader | sized, 2, 0, 0}, frame...)
	payloads := (&codecs.AV1Payloader{}).Payload(1200, temporalUnit)
	if len(payloads) < 3 {
		t.Fatalf("%d packets", len(payloads))
	}
	for i, payload := range payloads {
		var f codec.Frame
		if !codec.Read(codec.AV1, payload, &f) {
			t.Fatalf("cannot read % x", payload[:8])
		}
		if f.Start != (i == 0) || f.Keyframe != (i == 0) {
			t.Errorf("packet %d: %+v", i, f)
		}
	}
}

func FuzzAV1(f *testing.F) {
	f.Add(video[codec.AV1])
	f.Add([]byte{0x20, 3, sequenceHeader | sized, 1, 0, frameOBU | sized, 1, 0x10})
	f.Add([]byte{0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, frameOBU})
	f.Add([]byte{0xD0, 0x55, 0x66})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var got codec.Frame
		if codec.Read(codec.AV1, payload, &got) {
			checkFrame(t, payload, &got)
		}
	})
}
