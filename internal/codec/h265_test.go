package codec_test

import (
	"testing"

	"github.com/pion/rtp/codecs"

	"github.com/takoserver/takos-call/internal/codec"
)

// unit returns a NAL unit of a type in the lowest layers, with data behind it.
func unit(kind uint8, data ...byte) []byte { return append([]byte{kind << 1, 1}, data...) }

func TestH265(t *testing.T) {
	frame := func(f codec.Frame) codec.Frame {
		f.HasLayer = true
		return f
	}
	keyframe := frame(codec.Frame{Keyframe: true, Start: true})
	for _, test := range []struct {
		name    string
		payload []byte
		want    codec.Frame
	}{
		{"VPS", unit(32, 1), keyframe},
		{"SPS", unit(33, 1), keyframe},
		{"PPS", unit(34, 1), frame(codec.Frame{Start: true})},
		{"delimiter", unit(35, 1), frame(codec.Frame{Start: true})},
		{"SEI before a picture", unit(39, 1), frame(codec.Frame{Start: true})},
		{"SEI after a picture", unit(40, 1), frame(codec.Frame{})},
		{"BLA", unit(16, 0x80), keyframe},
		{"IDR", unit(19, 0x80), keyframe},
		{"IDR with leading pictures", unit(20, 0x80), keyframe},
		{"CRA", unit(21, 0x80), keyframe},
		{"reserved IRAP", unit(22, 0x80), frame(codec.Frame{Start: true})},
		{"IDR, later slice", unit(19, 0x7F), frame(codec.Frame{})},
		{"IDR without data", unit(19), frame(codec.Frame{})},
		{"trailing picture", unit(1, 0x80), frame(codec.Frame{Start: true})},
		{"trailing picture nobody refers to", unit(0, 0x80), frame(codec.Frame{Start: true, Discardable: true})},
		{"TSA", unit(3, 0x80), frame(codec.Frame{Start: true, SwitchUp: true})},
		{"STSA nobody refers to", unit(4, 0x80), frame(codec.Frame{Start: true, SwitchUp: true, Discardable: true})},
		{"third temporal layer", []byte{1 << 1, 3, 0x80}, frame(codec.Frame{Start: true, Layer: codec.Layer{Temporal: 2}})},
		{"aggregate of parameter sets", []byte{48 << 1, 1, 0, 3, 32 << 1, 1, 0, 0, 3, 33 << 1, 1, 0}, keyframe},
		{"aggregate, IDR at the end", []byte{48 << 1, 1, 0, 3, 39 << 1, 1, 0, 0, 3, 19 << 1, 1, 0x80}, keyframe},
		{"aggregate of nothing", []byte{48 << 1, 1}, frame(codec.Frame{})},
		{"fragment, IDR begins", []byte{49 << 1, 1, 0x80 | 19, 0x80}, keyframe},
		{"fragment, IDR begins with a later slice", []byte{49 << 1, 1, 0x80 | 19, 0x7F}, frame(codec.Frame{})},
		{"fragment, IDR goes on", []byte{49 << 1, 1, 19, 0x80}, frame(codec.Frame{})},
		{"fragment, SPS begins", []byte{49 << 1, 1, 0x80 | 33, 1}, keyframe},
		{"fragment nobody refers to goes on", []byte{49 << 1, 1, 0, 1}, frame(codec.Frame{Discardable: true})},
	} {
		var got codec.Frame
		if !codec.Read(codec.H265, test.payload, &got) || got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestH265RefusesWhatItCannotRead(t *testing.T) {
	for name, payload := range map[string][]byte{
		"one byte":                    {19 << 1},
		"temporal id of zero":         {19 << 1, 0, 0x80},
		"PACI":                        unit(50, 1, 2, 3),
		"type 63":                     unit(63, 1),
		"aggregate, half a length":    {48 << 1, 1, 0},
		"aggregate, unit cut off":     {48 << 1, 1, 0, 4, 33 << 1, 1, 0},
		"aggregate, unit of one byte": {48 << 1, 1, 0, 1, 33 << 1},
		"fragment without its header": {49 << 1, 1},
		"aggregate, second cut off":   {48 << 1, 1, 0, 2, 33 << 1, 1, 0, 9},
	} {
		var f codec.Frame
		if codec.Read(codec.H265, payload, &f) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestH265ReadsWhatPionPacketizes(t *testing.T) {
	idr := unit(19, 0xAF)
	for range 3000 {
		idr = append(idr, 0xAA) // no start codes
	}
	var annexB []byte
	for _, u := range [][]byte{unit(32, 0x0C), unit(33, 0x01, 0x02), unit(34, 0xC1), idr} {
		annexB = append(append(annexB, 0, 0, 0, 1), u...)
	}
	payloads := (&codecs.H265Payloader{}).Payload(1200, annexB)
	starts := 0
	for i, payload := range payloads {
		var f codec.Frame
		if !codec.Read(codec.H265, payload, &f) {
			t.Fatalf("cannot read % x", payload[:4])
		}
		if f.Keyframe {
			starts++
		}
		if i == 0 && !f.Keyframe || i == len(payloads)-1 && f.Keyframe {
			t.Errorf("packet %d of %d: %+v", i, len(payloads), f)
		}
	}
	if len(payloads) < 4 || starts != 2 {
		t.Errorf("%d starts in %d packets", starts, len(payloads))
	}
}

func FuzzH265(f *testing.F) {
	f.Add(video[codec.H265])
	f.Add([]byte{49 << 1, 1, 0x80 | 19, 0x80})
	f.Add([]byte{48 << 1, 1, 0, 2, 33 << 1, 1, 0, 9})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var got codec.Frame
		if codec.Read(codec.H265, payload, &got) {
			checkFrame(t, payload, &got)
		}
	})
}
