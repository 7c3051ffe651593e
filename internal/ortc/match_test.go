package ortc

import (
	"errors"
	"testing"
)

func TestValuesAreComparedByTypeAndValue(t *testing.T) {
	tests := []struct {
		a, b any
		same bool
	}{
		{1, 1.0, true},
		{uint8(2), int64(2), true},
		{1, 2, false},
		{"1", "1", true},
		{"1", 1, false},
		{"a", "b", false},
		{nil, nil, true},
		{nil, "", false},
		{nil, 0, false},
	}
	for _, tt := range tests {
		if sameValue(tt.a, tt.b) != tt.same || sameValue(tt.b, tt.a) != tt.same {
			t.Errorf("%T %v and %T %v: same is not %v", tt.a, tt.a, tt.b, tt.b, tt.same)
		}
	}
}

func TestFormatsAreCompared(t *testing.T) {
	vp8 := format{"video/VP8", 90000, 0, nil}
	vp9 := func(profile any) format { return format{"video/VP9", 90000, 0, CodecParameters{"profile-id": profile}} }
	h264 := func(p CodecParameters) format { return format{"video/H264", 90000, 0, p} }
	surround := func(streams, coupled any) format {
		return format{"audio/multiopus", 48000, 6, CodecParameters{"num_streams": streams, "coupled_streams": coupled}}
	}
	tests := map[string]struct {
		a, b                  format
		sameCodec, sameFormat bool
	}{
		"letter case":            {vp8, format{"VIDEO/vp8", 90000, 0, nil}, true, true},
		"clock":                  {vp8, format{"video/VP8", 45000, 0, nil}, false, false},
		"channels":               {format{"audio/opus", 48000, 2, nil}, format{"audio/opus", 48000, 1, nil}, false, false},
		"other parameters":       {vp8, format{"video/VP8", 90000, 0, CodecParameters{"max-fs": 1}}, true, true},
		"VP9 profile":            {vp9(0), vp9(2), true, false},
		"VP9 profile 0 is unset": {vp9(0), vp9(nil), true, true},
		"VP9 profile in text":    {vp9("2"), vp9(2), true, false},
		"H264 mode 0 is unset":   {h264(nil), h264(CodecParameters{"packetization-mode": 0}), true, true},
		"H264 mode":              {h264(nil), h264(CodecParameters{"packetization-mode": 1}), true, false},
		"H264 profile":           {h264(nil), h264(CodecParameters{"profile-level-id": "4d001f"}), true, false},
		"H264 level":             {h264(nil), h264(CodecParameters{"profile-level-id": "42e034"}), true, true},
		"surround":               {surround(4, 2), surround(4.0, uint8(2)), true, true},
		"surround streams":       {surround(4, 2), surround(5, 2), false, false},
		"surround coupled":       {surround(4, 2), surround(4, nil), false, false},
		"AV1 profile": {
			format{"video/AV1", 90000, 0, CodecParameters{"profile": 1}},
			format{"video/AV1", 90000, 0, CodecParameters{"profile": 0}}, true, true,
		},
	}
	for name, tt := range tests {
		if sameCodec(tt.a, tt.b) != tt.sameCodec || sameCodec(tt.b, tt.a) != tt.sameCodec {
			t.Errorf("%s: same codec is not %v", name, tt.sameCodec)
		}
		if sameFormat(tt.a, tt.b) != tt.sameFormat || sameFormat(tt.b, tt.a) != tt.sameFormat {
			t.Errorf("%s: same format is not %v", name, tt.sameFormat)
		}
	}
}

func TestMimeTypesAreSplit(t *testing.T) {
	for s, want := range map[string]MediaKind{
		"audio/opus": Audio, "VIDEO/h264": Video, "video/x-google-rtx": Video,
		"": "", "audio": "", "audio/": "", "/opus": "", "text/plain": "", "audio/a b": "", "audio/a/b": "", "audio/\x00": "", "audio/é": "",
	} {
		if kind := kindOf(s); kind != want {
			t.Errorf("%q is %q, want %q", s, kind, want)
		}
	}
	for s, want := range map[string]bool{"video/rtx": true, "audio/RTX": true, "/rtx": false, "rtx": false, "video/rtx2": false, "": false} {
		if isRTX(s) != want {
			t.Errorf("%q is RTX: %v", s, !want)
		}
	}
}

// Parameters that were not validated do no harm.
func TestMappingOfInvalidParameters(t *testing.T) {
	caps, err := RouterRTPCapabilities([]RTPCodecCapability{{MimeType: "video/VP8", ClockRate: 90000}})
	if err != nil {
		t.Fatal(err)
	}
	vp8 := RTPCodecParameters{MimeType: "video/VP8", PayloadType: 96, ClockRate: 90000}
	rtx := RTPCodecParameters{MimeType: "video/rtx", PayloadType: 97, ClockRate: 90000, Parameters: CodecParameters{apt: 96}}
	orphan := rtx
	orphan.Parameters = nil
	itself := rtx
	itself.Parameters = CodecParameters{apt: 97}
	tests := map[string]struct {
		codecs []RTPCodecParameters
		caps   RTPCapabilities
		want   ErrorKind
	}{
		"RTX of nothing":           {[]RTPCodecParameters{vp8, orphan}, caps, TypeError},
		"RTX of itself":            {[]RTPCodecParameters{vp8, itself}, caps, TypeError},
		"router without RTX":       {[]RTPCodecParameters{vp8, rtx}, RTPCapabilities{Codecs: caps.Codecs[:1]}, UnsupportedError},
		"router without numbers":   {[]RTPCodecParameters{vp8}, RTPCapabilities{Codecs: []RTPCodecCapability{{MimeType: "video/VP8", ClockRate: 90000}}}, UnsupportedError},
		"router without the codec": {[]RTPCodecParameters{vp8}, RTPCapabilities{}, UnsupportedError},
	}
	for name, tt := range tests {
		_, err := ProducerRTPMapping(RTPParameters{Codecs: tt.codecs}, tt.caps)
		var e *Error
		if !errors.As(err, &e) || e.Kind != tt.want {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}
