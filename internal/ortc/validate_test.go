package ortc_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/ortc"
)

// vp8 returns parameters of a good producer of VP8 with RTX.
func vp8() ortc.RTPParameters {
	return ortc.RTPParameters{
		MID: "0",
		Codecs: []ortc.RTPCodecParameters{
			{MimeType: "video/VP8", PayloadType: 96, ClockRate: 90000},
			{MimeType: "video/rtx", PayloadType: 97, ClockRate: 90000, Parameters: ortc.CodecParameters{"apt": 96}},
		},
		HeaderExtensions: []ortc.RTPHeaderExtensionParameters{
			{URI: ortc.URIMID, ID: 4},
			{URI: ortc.URITransportWideCC, ID: 5},
		},
		Encodings: []ortc.RTPEncodingParameters{{SSRC: 11, RTX: &ortc.RTXParameters{SSRC: 12}}},
		RTCP:      ortc.RTCPParameters{CNAME: "c"},
	}
}

// wantTypeError fails the test unless err is a TypeError whose message has part.
func wantTypeError(t *testing.T, err error, part string) {
	t.Helper()
	var e *ortc.Error
	switch {
	case !errors.As(err, &e):
		t.Fatalf("error is %v, want one about %q", err, part)
	case e.Kind != ortc.TypeError:
		t.Errorf("error is a %v, want a TypeError", e.Kind)
	case !strings.Contains(e.Message, part):
		t.Errorf("error %q does not say %q", e.Message, part)
	}
}

func TestParametersAreRefused(t *testing.T) {
	long := strings.Repeat("x", 256)
	tests := map[string]struct {
		spoil func(p *ortc.RTPParameters)
		says  string
	}{
		"no codec":                {func(p *ortc.RTPParameters) { p.Codecs = nil }, "rtpParameters.codecs has no media codec"},
		"RTX only":                {func(p *ortc.RTPParameters) { p.Codecs = p.Codecs[1:] }, "rtpParameters.codecs has no media codec"},
		"comfort noise only":      {func(p *ortc.RTPParameters) { *p = audio("CN") }, "no media codec"},
		"telephone events only":   {func(p *ortc.RTPParameters) { *p = audio("telephone-event") }, "no media codec"},
		"payload type over 127":   {func(p *ortc.RTPParameters) { p.Codecs[0].PayloadType = 128 }, "codecs[0].payloadType"},
		"payload type twice":      {func(p *ortc.RTPParameters) { p.Codecs[1].PayloadType = 96 }, "codecs[1].payloadType 96 is duplicated"},
		"audio and video":         {func(p *ortc.RTPParameters) { p.Codecs[1].MimeType = "audio/opus" }, "codecs[1].mimeType audio/opus mixes"},
		"no mime type":            {func(p *ortc.RTPParameters) { p.Codecs[0].MimeType = "" }, "codecs[0].mimeType is missing"},
		"mime type of text":       {func(p *ortc.RTPParameters) { p.Codecs[0].MimeType = "text/VP8" }, "codecs[0].mimeType"},
		"mime type with a line":   {func(p *ortc.RTPParameters) { p.Codecs[0].MimeType = "video/VP8\r\na=x" }, "codecs[0].mimeType"},
		"long mime type":          {func(p *ortc.RTPParameters) { p.Codecs[0].MimeType = "video/" + long }, "codecs[0].mimeType"},
		"no clock rate":           {func(p *ortc.RTPParameters) { p.Codecs[0].ClockRate = 0 }, "codecs[0].clockRate is missing"},
		"parameter NaN":           {setParameter("p", math.NaN()), "codecs[0].parameters.p"},
		"parameter infinite":      {setParameter("p", math.Inf(-1)), "codecs[0].parameters.p"},
		"parameter of bool":       {setParameter("p", true), "codecs[0].parameters.p"},
		"parameter nil":           {setParameter("p", nil), "codecs[0].parameters.p"},
		"parameter with a line":   {setParameter("p", "a\nb"), "codecs[0].parameters.p has a control character"},
		"parameter not UTF-8":     {setParameter("p", "\xff"), "codecs[0].parameters.p is not UTF-8"},
		"long parameter":          {setParameter("p", strings.Repeat("x", 4097)), "codecs[0].parameters.p is longer"},
		"parameter's name long":   {setParameter(long, 1), "codecs[0].a name in parameters is longer"},
		"apt in text":             {setParameter("apt", "96"), "codecs[0].parameters.apt is not a number"},
		"too many parameters":     {manyParameters, "codecs[0].parameters has 65 entries"},
		"RTX without apt":         {func(p *ortc.RTPParameters) { p.Codecs[1].Parameters = nil }, "codecs[1].parameters.apt is missing"},
		"RTX of nothing":          {func(p *ortc.RTPParameters) { p.Codecs[1].Parameters["apt"] = 98 }, "codecs[1].parameters.apt"},
		"RTX of itself":           {func(p *ortc.RTPParameters) { p.Codecs[1].Parameters["apt"] = 97 }, "codecs[1].parameters.apt"},
		"feedback without type":   {setFeedback(ortc.RTCPFeedback{Parameter: "pli"}), "codecs[0].rtcpFeedback[0].type is missing"},
		"feedback with a line":    {setFeedback(ortc.RTCPFeedback{Type: "nack", Parameter: "\r"}), "rtcpFeedback[0].parameter"},
		"too much feedback":       {setFeedback(make([]ortc.RTCPFeedback, 65)...), "codecs[0].rtcpFeedback has 65 entries"},
		"too many codecs":         {func(p *ortc.RTPParameters) { p.Codecs = make([]ortc.RTPCodecParameters, 129) }, "codecs has 129 entries"},
		"extension without uri":   {func(p *ortc.RTPParameters) { p.HeaderExtensions[0].URI = "" }, "headerExtensions[0].uri is missing"},
		"unknown extension":       {func(p *ortc.RTPParameters) { p.HeaderExtensions[1].URI = "urn:x" }, "headerExtensions[1].uri"},
		"extension id 0":          {func(p *ortc.RTPParameters) { p.HeaderExtensions[0].ID = 0 }, "headerExtensions[0].id"},
		"extension id twice":      {func(p *ortc.RTPParameters) { p.HeaderExtensions[1].ID = 4 }, "headerExtensions[1].id 4 is duplicated"},
		"extension's parameter":   {func(p *ortc.RTPParameters) { p.HeaderExtensions[0].Parameters = ortc.CodecParameters{"p": false} }, "headerExtensions[0].parameters.p"},
		"too many encodings":      {func(p *ortc.RTPParameters) { p.Encodings = make([]ortc.RTPEncodingParameters, 33) }, "encodings has 33 entries"},
		"SSRC twice":              {second(ortc.RTPEncodingParameters{SSRC: 11}), "encodings[1].ssrc 11 is duplicated"},
		"SSRC is one of RTX":      {second(ortc.RTPEncodingParameters{SSRC: 12}), "encodings[1].ssrc 12 is duplicated"},
		"SSRC of RTX twice":       {second(ortc.RTPEncodingParameters{SSRC: 13, RTX: &ortc.RTXParameters{SSRC: 12}}), "encodings[1].rtx.ssrc 12"},
		"SSRC of RTX is its own":  {func(p *ortc.RTPParameters) { p.Encodings[0].RTX.SSRC = 11 }, "encodings[0].rtx.ssrc 11"},
		"RID twice":               {rids("a", "a"), "encodings[1].rid a is duplicated"},
		"RID with a space":        {rids("a b"), "encodings[0].rid"},
		"long RID":                {rids(long), "encodings[0].rid is longer"},
		"second without SSRC":     {second(ortc.RTPEncodingParameters{}), "encodings[1] has neither ssrc nor rid"},
		"nothing to find it by":   {func(p *ortc.RTPParameters) { p.MID, p.Encodings[0].SSRC = "", 0 }, "encodings[0] has neither ssrc nor rid"},
		"no encoding and no MID":  {func(p *ortc.RTPParameters) { p.MID, p.Encodings = "", nil }, "rtpParameters.mid is missing"},
		"unknown codec of stream": {func(p *ortc.RTPParameters) { p.Encodings[0].CodecPayloadType = new(uint8(98)) }, "encodings[0].codecPayloadType"},
		"RTX as codec of stream":  {func(p *ortc.RTPParameters) { p.Encodings[0].CodecPayloadType = new(uint8(97)) }, "encodings[0].codecPayloadType"},
		"scaled down by NaN":      {func(p *ortc.RTPParameters) { p.Encodings[0].ScaleResolutionDownBy = math.NaN() }, "encodings[0].scaleResolutionDownBy"},
		"mode with a line":        {func(p *ortc.RTPParameters) { p.Encodings[0].ScalabilityMode = "L1T1\n" }, "encodings[0].scalabilityMode"},
		"simulcast of SVC":        {second(ortc.RTPEncodingParameters{SSRC: 13, ScalabilityMode: "L2T1"}), "encodings[1].scalabilityMode has spatial layers"},
		"simulcast of audio":      {simulcastOf("audio/opus"), "audio/opus cannot be"},
		"audio with layers":       {layered("audio/opus", "L1T2"), "svc, which audio/opus cannot be"},
		"long MID":                {func(p *ortc.RTPParameters) { p.MID = long }, "rtpParameters.mid is longer"},
		"MID with a line":         {func(p *ortc.RTPParameters) { p.MID = "0\r\na=x" }, "rtpParameters.mid"},
		"MID that is not ASCII":   {func(p *ortc.RTPParameters) { p.MID = "é" }, "rtpParameters.mid"},
		"CNAME with a line":       {func(p *ortc.RTPParameters) { p.RTCP.CNAME = "a\nb" }, "rtpParameters.rtcp.cname"},
		"long CNAME":              {func(p *ortc.RTPParameters) { p.RTCP.CNAME = long }, "rtpParameters.rtcp.cname"},
		"long MSID":               {func(p *ortc.RTPParameters) { p.MSID = long }, "rtpParameters.msid"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := vp8()
			tt.spoil(&p)
			wantTypeError(t, ortc.ValidateRTPParameters(&p), tt.says)
		})
	}
}

func setParameter(name string, v any) func(*ortc.RTPParameters) {
	return func(p *ortc.RTPParameters) { p.Codecs[0].Parameters = ortc.CodecParameters{name: v} }
}

func manyParameters(p *ortc.RTPParameters) {
	p.Codecs[0].Parameters = ortc.CodecParameters{}
	for i := range 65 {
		p.Codecs[0].Parameters[fmt.Sprint(i)] = i
	}
}

func setFeedback(fb ...ortc.RTCPFeedback) func(*ortc.RTPParameters) {
	return func(p *ortc.RTPParameters) { p.Codecs[0].RTCPFeedback = fb }
}

func second(e ortc.RTPEncodingParameters) func(*ortc.RTPParameters) {
	return func(p *ortc.RTPParameters) { p.Encodings = append(p.Encodings, e) }
}

func rids(names ...string) func(*ortc.RTPParameters) {
	return func(p *ortc.RTPParameters) {
		p.Encodings = nil
		for _, name := range names {
			p.Encodings = append(p.Encodings, ortc.RTPEncodingParameters{RID: name})
		}
	}
}

func audio(name string) ortc.RTPParameters {
	return ortc.RTPParameters{
		Codecs:    []ortc.RTPCodecParameters{{MimeType: "audio/" + name, ClockRate: 8000}},
		Encodings: []ortc.RTPEncodingParameters{{SSRC: 1}},
	}
}

func simulcastOf(mimeType string) func(*ortc.RTPParameters) {
	return func(p *ortc.RTPParameters) {
		p.Codecs = []ortc.RTPCodecParameters{{MimeType: mimeType, PayloadType: 96, ClockRate: 90000}}
		p.Encodings = []ortc.RTPEncodingParameters{{SSRC: 1}, {SSRC: 2}}
	}
}

func layered(mimeType, mode string) func(*ortc.RTPParameters) {
	return func(p *ortc.RTPParameters) {
		simulcastOf(mimeType)(p)
		p.Encodings = []ortc.RTPEncodingParameters{{SSRC: 1, ScalabilityMode: mode}}
	}
}

func TestParametersAreAccepted(t *testing.T) {
	tests := map[string]func(p *ortc.RTPParameters){
		"as they are":              func(p *ortc.RTPParameters) {},
		"PCMU with payload type 0": func(p *ortc.RTPParameters) { *p = audio("PCMU") },
		"stream with codec 0": func(p *ortc.RTPParameters) {
			*p = audio("PCMU")
			p.Encodings[0].CodecPayloadType = new(uint8(0))
		},
		"found by MID only":      func(p *ortc.RTPParameters) { p.Encodings = nil },
		"found by RID only":      func(p *ortc.RTPParameters) { p.MID = ""; rids("a")(p) },
		"simulcast by RID":       rids("a", "b", "c"),
		"simulcast of H264":      simulcastOf("video/h264"),
		"simulcast of VP9":       simulcastOf("video/VP9"),
		"simulcast of AV1":       simulcastOf("video/AV1"),
		"simulcast of H265":      simulcastOf("video/H265"),
		"VP9 with layers":        layered("video/vp9", "L3T3_KEY"),
		"AV1 with layers":        layered("video/AV1", "S2T1"),
		"VP8 with layers":        layered("video/VP8", "L1T3"),
		"a mode nobody knows":    layered("audio/opus", "best"),
		"one extension two ids":  func(p *ortc.RTPParameters) { p.HeaderExtensions[1].URI = ortc.URIMID },
		"unknown codec":          func(p *ortc.RTPParameters) { p.Codecs[0].MimeType = "video/Theora" },
		"RTX before its codec":   func(p *ortc.RTPParameters) { p.Codecs[0], p.Codecs[1] = p.Codecs[1], p.Codecs[0] },
		"Firefox's MSID":         func(p *ortc.RTPParameters) { p.MSID = "{38a44223-15c3} {1c6b70e2}" },
		"second codec of stream": func(p *ortc.RTPParameters) { p.Encodings[0].CodecPayloadType = new(uint8(96)) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			p := vp8()
			change(&p)
			if err := ortc.ValidateRTPParameters(&p); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParametersAreCompleted(t *testing.T) {
	p := vp8()
	p.Codecs[0].Channels = 2
	p.Encodings = nil
	p.RTCP.ReducedSize = new(false)
	if err := ortc.ValidateRTPParameters(&p); err != nil {
		t.Fatal(err)
	}
	want := vp8()
	want.Codecs[0].Parameters = ortc.CodecParameters{}
	want.Codecs[0].RTCPFeedback = []ortc.RTCPFeedback{}
	want.Codecs[1].Parameters = ortc.CodecParameters{"apt": 96.0}
	want.Codecs[1].RTCPFeedback = []ortc.RTCPFeedback{}
	want.HeaderExtensions[0].Parameters = ortc.CodecParameters{}
	want.HeaderExtensions[1].Parameters = ortc.CodecParameters{}
	want.Encodings = []ortc.RTPEncodingParameters{{}}
	want.RTCP.ReducedSize = new(true)
	if d := cmp.Diff(want, p); d != "" {
		t.Error(d)
	}
}

func TestCapabilitiesAreRefused(t *testing.T) {
	tests := map[string]struct {
		spoil func(c *ortc.RTPCapabilities)
		says  string
	}{
		"payload type over 127": {func(c *ortc.RTPCapabilities) { c.Codecs[0].PreferredPayloadType = new(uint8(200)) }, "codecs[0].preferredPayloadType"},
		"no mime type":          {func(c *ortc.RTPCapabilities) { c.Codecs[1].MimeType = "" }, "codecs[1].mimeType is missing"},
		"no clock rate":         {func(c *ortc.RTPCapabilities) { c.Codecs[1].ClockRate = 0 }, "codecs[1].clockRate is missing"},
		"parameter of a list":   {func(c *ortc.RTPCapabilities) { c.Codecs[0].Parameters["p"] = []any{} }, "codecs[0].parameters.p"},
		"too many codecs":       {func(c *ortc.RTPCapabilities) { c.Codecs = make([]ortc.RTPCodecCapability, 257) }, "codecs has 257 entries"},
		"extension's kind":      {func(c *ortc.RTPCapabilities) { c.HeaderExtensions[3].Kind = "" }, "headerExtensions[3].kind"},
		"extension without uri": {func(c *ortc.RTPCapabilities) { c.HeaderExtensions[3].URI = "" }, "headerExtensions[3].uri is missing"},
		"extension with a line": {func(c *ortc.RTPCapabilities) { c.HeaderExtensions[0].URI = "urn:x\n" }, "headerExtensions[0].uri"},
		"extension id 0":        {func(c *ortc.RTPCapabilities) { c.HeaderExtensions[0].PreferredID = 0 }, "headerExtensions[0].preferredId"},
		"long direction":        {func(c *ortc.RTPCapabilities) { c.HeaderExtensions[0].Direction = strings.Repeat("x", 256) }, "headerExtensions[0].direction"},
		"too many extensions":   {func(c *ortc.RTPCapabilities) { c.HeaderExtensions = make([]ortc.RTPHeaderExtension, 511) }, "headerExtensions has 511 entries"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			caps := ortc.SupportedRTPCapabilities()
			tt.spoil(&caps)
			wantTypeError(t, ortc.ValidateRTPCapabilities(&caps), "rtpCapabilities."+tt.says)
			if _, err := ortc.CanConsume(ortc.RTPParameters{}, caps); err == nil {
				t.Error("can be asked what they consume")
			}
		})
	}
}

func TestCapabilitiesAreCompleted(t *testing.T) {
	caps := ortc.RTPCapabilities{
		Codecs: []ortc.RTPCodecCapability{
			{Kind: ortc.Video, MimeType: "Audio/opus", ClockRate: 48000, Parameters: ortc.CodecParameters{"a": uint16(7), "b": int64(-1), "c": "x"}},
			{MimeType: "video/VP8", ClockRate: 90000, Channels: 2},
		},
		HeaderExtensions: []ortc.RTPHeaderExtension{{Kind: ortc.Audio, URI: "urn:x", PreferredID: 255}},
	}
	if err := ortc.ValidateRTPCapabilities(&caps); err != nil {
		t.Fatal(err)
	}
	want := ortc.RTPCapabilities{
		Codecs: []ortc.RTPCodecCapability{
			{
				Kind: ortc.Audio, MimeType: "Audio/opus", ClockRate: 48000, Channels: 1,
				Parameters: ortc.CodecParameters{"a": 7.0, "b": -1.0, "c": "x"}, RTCPFeedback: []ortc.RTCPFeedback{},
			},
			{
				Kind: ortc.Video, MimeType: "video/VP8", ClockRate: 90000,
				Parameters: ortc.CodecParameters{}, RTCPFeedback: []ortc.RTCPFeedback{},
			},
		},
		HeaderExtensions: []ortc.RTPHeaderExtension{{Kind: ortc.Audio, URI: "urn:x", PreferredID: 255, Direction: "sendrecv"}},
	}
	if d := cmp.Diff(want, caps); d != "" {
		t.Error(d)
	}
}
