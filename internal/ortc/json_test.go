package ortc_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/ortc"
)

func TestEncodingNeverHasNull(t *testing.T) {
	tests := map[string]struct {
		v    any
		want string
	}{
		"capabilities": {ortc.RTPCapabilities{}, `{"codecs":[],"headerExtensions":[]}`},
		"codec capability": {
			ortc.RTPCodecCapability{Kind: ortc.Audio, MimeType: "audio/PCMU", PreferredPayloadType: new(uint8(0)), ClockRate: 8000, Channels: 1},
			`{"kind":"audio","mimeType":"audio/PCMU","preferredPayloadType":0,"clockRate":8000,"channels":1,"parameters":{},"rtcpFeedback":[]}`,
		},
		"codec without a payload type": {
			ortc.RTPCodecCapability{Kind: ortc.Video, MimeType: "video/VP8", ClockRate: 90000},
			`{"kind":"video","mimeType":"video/VP8","clockRate":90000,"parameters":{},"rtcpFeedback":[]}`,
		},
		"header extension": {
			ortc.RTPHeaderExtension{Kind: ortc.Audio, URI: "urn:x", PreferredID: 1, Direction: "sendrecv"},
			`{"kind":"audio","uri":"urn:x","preferredId":1,"preferredEncrypt":false,"direction":"sendrecv"}`,
		},
		"parameters": {ortc.RTPParameters{}, `{"codecs":[],"headerExtensions":[],"encodings":[],"rtcp":{}}`},
		"codec parameters": {
			ortc.RTPCodecParameters{MimeType: "audio/PCMU", ClockRate: 8000, RTCPFeedback: []ortc.RTCPFeedback{{Type: "nack"}}},
			`{"mimeType":"audio/PCMU","payloadType":0,"clockRate":8000,"parameters":{},"rtcpFeedback":[{"type":"nack","parameter":""}]}`,
		},
		"header extension in use": {
			ortc.RTPHeaderExtensionParameters{URI: "urn:x", ID: 3},
			`{"uri":"urn:x","id":3,"encrypt":false,"parameters":{}}`,
		},
		"encoding": {
			ortc.RTPEncodingParameters{SSRC: 1, CodecPayloadType: new(uint8(0)), RTX: &ortc.RTXParameters{SSRC: 2}, DTX: true, MaxBitrate: 3},
			`{"ssrc":1,"codecPayloadType":0,"rtx":{"ssrc":2},"dtx":true,"maxBitrate":3}`,
		},
		"numbers in parameters": {
			ortc.CodecParameters{"a": 1.0, "b": 0.5, "c": "1", "d": 1000},
			`{"a":1,"b":0.5,"c":"1","d":1000}`,
		},
		"mapping": {ortc.RTPMapping{}, `{"codecs":[],"encodings":[]}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(tt.v)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, string(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestDecodingTakesWhatIsMissingForEmpty(t *testing.T) {
	for _, doc := range []string{
		`{"codecs":[{"mimeType":"audio/PCMU","payloadType":0,"clockRate":8000}]}`,
		`{"mid":null,"codecs":[{"mimeType":"audio/PCMU","payloadType":0,"clockRate":8000,"channels":null,"parameters":null,"rtcpFeedback":null}],
		  "headerExtensions":null,"encodings":null,"rtcp":null,"msid":null}`,
		`{"mid":"","unknown":[1],"codecs":[{"mimeType":"audio/PCMU","payloadType":0,"clockRate":8000,"channels":"2","parameters":[],"rtcpFeedback":"nack"}],
		  "headerExtensions":"","encodings":0,"rtcp":false,"msid":0}`,
	} {
		var got ortc.RTPParameters
		if err := json.Unmarshal([]byte(doc), &got); err != nil {
			t.Errorf("%s: %v", doc, err)
			continue
		}
		want := ortc.RTPParameters{
			Codecs: []ortc.RTPCodecParameters{{
				MimeType: "audio/PCMU", ClockRate: 8000, Parameters: ortc.CodecParameters{}, RTCPFeedback: []ortc.RTCPFeedback{},
			}},
			HeaderExtensions: []ortc.RTPHeaderExtensionParameters{},
			Encodings:        []ortc.RTPEncodingParameters{},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", doc, d)
		}
	}
}

func TestDecodingErrorsNameTheField(t *testing.T) {
	tests := []struct{ doc, says string }{
		{`[]`, "rtpParameters is not an object"},
		{`"x"`, "rtpParameters is not an object"},
		{`{}`, "rtpParameters.codecs is missing or not an array"},
		{`{"codecs":{}}`, "rtpParameters.codecs is missing or not an array"},
		{`{"codecs":[null]}`, "rtpParameters.codecs[0] is not an object"},
		{`{"codecs":[{"mimeType":5,"payloadType":1,"clockRate":1}]}`, "rtpParameters.codecs[0].mimeType is not a string"},
		{`{"codecs":[{"mimeType":"video/VP8","clockRate":1}]}`, "rtpParameters.codecs[0].payloadType is missing"},
		{`{"codecs":[{"mimeType":"video/VP8","payloadType":128,"clockRate":1}]}`, "rtpParameters.codecs[0].payloadType is not an integer from 0 to 127"},
		{`{"codecs":[{"mimeType":"video/VP8","payloadType":1,"clockRate":1,"rtcpFeedback":[{},{"type":1}]}]}`, "rtpParameters.codecs[0].rtcpFeedback[1].type is not a string"},
		{`{"codecs":[],"headerExtensions":[{"uri":"urn:x","id":256}]}`, "rtpParameters.headerExtensions[0].id is not an integer from 1 to 255"},
		{`{"codecs":[],"headerExtensions":[{"uri":"urn:x","id":1,"encrypt":"no"}]}`, "rtpParameters.headerExtensions[0].encrypt is not a boolean"},
		{`{"codecs":[],"encodings":[{"ssrc":1},{"ssrc":1e300}]}`, "rtpParameters.encodings[1].ssrc is not an integer from 0 to 4294967295"},
		{`{"codecs":[],"encodings":[{"rtx":{}}]}`, "rtpParameters.encodings[0].rtx.ssrc is missing"},
		{`{"codecs":[],"encodings":[{"rtx":7}]}`, "rtpParameters.encodings[0].rtx is not an object"},
		{`{"codecs":[],"encodings":[{"maxBitrate":-1}]}`, "rtpParameters.encodings[0].maxBitrate"},
		{`{"codecs":[{"parameters":{"x":1e999}}]}`, "rtpParameters holds a number 1e999, which is out of range"},
		{`{"codecs":[],"rtcp":{"cname":{}}}`, "rtpParameters.rtcp.cname is not a string"},
	}
	for _, tt := range tests {
		var p ortc.RTPParameters
		// Inside a message, as it comes.
		err := json.Unmarshal([]byte(`{"p":`+tt.doc+`}`), &struct{ P *ortc.RTPParameters }{&p})
		wantTypeError(t, err, tt.says)
	}
}

func TestDecodingReplacesWhatWasThere(t *testing.T) {
	p := vp8()
	if err := json.Unmarshal([]byte(`{"codecs":[]}`), &p); err != nil {
		t.Fatal(err)
	}
	if p.MID != "" || len(p.Codecs) != 0 || len(p.Encodings) != 0 || p.RTCP.CNAME != "" {
		t.Errorf("something is left: %+v", p)
	}
	caps := ortc.SupportedRTPCapabilities()
	if err := json.Unmarshal([]byte(`null`), &caps); err != nil || len(caps.Codecs) == 0 {
		t.Errorf("null changed the capabilities, or failed: %v", err)
	}
}

func TestDecodingKeepsTextAndNumbersApart(t *testing.T) {
	var c ortc.RTPCodecCapability
	doc := `{"mimeType":"video/VP9","clockRate":90000,"preferredPayloadType":0,"parameters":{"number":2,"text":"2","half":0.5}}`
	if err := json.Unmarshal([]byte(doc), &c); err != nil {
		t.Fatal(err)
	}
	if c.PreferredPayloadType == nil || *c.PreferredPayloadType != 0 {
		t.Error("payload type 0 is lost")
	}
	p := c.Parameters
	if p.Int("number", -1) != 2 || p.Int("text", -1) != -1 || p.Int("half", -1) != -1 || p.Int("none", -1) != -1 {
		t.Errorf("numbers of %v", p)
	}
	if p.String("text") != "2" || p.String("number") != "" || p.String("none") != "" {
		t.Errorf("texts of %v", p)
	}
}

func TestParametersHelperTakesAllNumbers(t *testing.T) {
	p := ortc.CodecParameters{
		"int": 5, "int8": int8(5), "int16": int16(5), "int32": int32(5), "int64": int64(5),
		"uint": uint(5), "uint8": uint8(5), "uint16": uint16(5), "uint32": uint32(5), "uint64": uint64(5),
		"float32": float32(5), "float64": float64(5),
	}
	for name := range p {
		if p.Int(name, 0) != 5 {
			t.Errorf("%s is %d", name, p.Int(name, 0))
		}
	}
	if (ortc.CodecParameters{"huge": 1e300}).Int("huge", -1) != -1 {
		t.Error("a number beyond int is an int")
	}
}
