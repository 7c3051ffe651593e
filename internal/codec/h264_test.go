package codec_test

import (
	"testing"

	"github.com/pion/rtp/codecs"

	"github.com/takoserver/takos-call/internal/codec"
)

func TestH264(t *testing.T) {
	keyframe := codec.Frame{Keyframe: true, Start: true}
	for _, test := range []struct {
		name    string
		payload []byte
		want    codec.Frame
	}{
		{"SPS", []byte{0x67, 0x42}, keyframe},
		{"PPS", []byte{0x68, 0xCE}, codec.Frame{Start: true}},
		{"delimiter", []byte{0x09, 0x10}, codec.Frame{Start: true, Discardable: true}},
		{"SEI", []byte{0x06, 0x05}, codec.Frame{Start: true, Discardable: true}},
		{"IDR, first slice", []byte{0x65, 0x88}, keyframe},
		{"IDR, later slice", []byte{0x65, 0x48}, codec.Frame{}},
		{"IDR without data", []byte{0x65}, codec.Frame{}},
		{"slice, first", []byte{0x41, 0x9A}, codec.Frame{Start: true}},
		{"slice, later", []byte{0x41, 0x1A}, codec.Frame{}},
		{"slice nobody refers to", []byte{0x01, 0x9A}, codec.Frame{Start: true, Discardable: true}},
		{"filler", []byte{0x0C, 0xFF}, codec.Frame{Discardable: true}},
		{"STAP-A of parameter sets", []byte{0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xCE}, keyframe},
		{"STAP-A, IDR at the end", []byte{0x78, 0, 2, 0x06, 0x05, 0, 2, 0x65, 0x88}, keyframe},
		{"STAP-A of slices", []byte{0x78, 0, 2, 0x41, 0x9A, 0, 2, 0x41, 0x1A}, codec.Frame{Start: true}},
		{"STAP-A of nothing", []byte{0x78}, codec.Frame{}},
		{"FU-A, IDR begins", []byte{0x7C, 0x85, 0x88}, keyframe},
		{"FU-A, IDR begins with a later slice", []byte{0x7C, 0x85, 0x48}, codec.Frame{}},
		{"FU-A, IDR goes on", []byte{0x7C, 0x05, 0x88}, codec.Frame{}},
		{"FU-A, IDR ends", []byte{0x7C, 0x45, 0x88}, codec.Frame{}},
		{"FU-A, SPS begins", []byte{0x7C, 0x87, 0x42}, keyframe},
		{"FU-A, slice begins", []byte{0x5C, 0x81, 0x9A}, codec.Frame{Start: true}},
		{"FU-A nobody refers to", []byte{0x1C, 0x01, 0x9A}, codec.Frame{Discardable: true}},
	} {
		var got codec.Frame
		if !codec.Read(codec.H264, test.payload, &got) || got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestH264RefusesWhatItCannotRead(t *testing.T) {
	for name, payload := range map[string][]byte{
		"type 0":                         {0x00, 1},
		"STAP-B":                         {25, 0, 0, 0, 2, 0x67, 0x42},
		"MTAP":                           {26, 0, 0, 0, 2},
		"FU-B":                           {29, 0x85, 0, 0, 0x88},
		"type 31":                        {31, 1},
		"STAP-A, half a length":          {0x78, 0},
		"STAP-A, unit cut off":           {0x78, 0, 3, 0x67, 0x42},
		"STAP-A, unit of nothing":        {0x78, 0, 0},
		"STAP-A, second unit cut off":    {0x78, 0, 1, 0x67, 0, 9, 0x68},
		"FU-A without its second header": {0x7C},
	} {
		var f codec.Frame
		if codec.Read(codec.H264, payload, &f) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestH264ReadsWhatPionPacketizes(t *testing.T) {
	annexB := func(units ...[]byte) (b []byte) {
		for _, unit := range units {
			b = append(append(b, 0, 0, 0, 1), unit...)
		}
		return b
	}
	idr := append([]byte{0x65, 0x88}, make([]byte, 3000)...)
	for i := range idr[2:] {
		idr[2+i] = 0xAA // no start codes
	}
	payloader := &codecs.H264Payloader{}
	payloads := payloader.Payload(1200, annexB([]byte{0x67, 0x42, 0xC0, 0x1F}, []byte{0x68, 0xCE, 0x3C}, idr))
	var keyframes []int
	for i, payload := range payloads {
		var f codec.Frame
		if !codec.Read(codec.H264, payload, &f) {
			t.Fatalf("cannot read % x", payload[:4])
		}
		if f.Keyframe {
			keyframes = append(keyframes, i)
		}
	}
	// The parameter sets in a STAP-A, then the fragments of the IDR.
	if len(payloads) < 4 || len(keyframes) != 2 || keyframes[0] != 0 || keyframes[1] != 1 {
		t.Errorf("keyframes at %v of %d packets", keyframes, len(payloads))
	}
}

func FuzzH264(f *testing.F) {
	f.Add(video[codec.H264])
	f.Add([]byte{0x7C, 0x85, 0x88})
	f.Add([]byte{0x78, 0, 1, 0x67, 0, 9, 0x68})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var got codec.Frame
		if codec.Read(codec.H264, payload, &got) {
			checkFrame(t, payload, &got)
		}
	})
}
