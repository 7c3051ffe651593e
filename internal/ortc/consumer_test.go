package ortc_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/ortc"
)

// browser is what a browser with mediasoup-client sends.
type browser struct {
	RTPCapabilities ortc.RTPCapabilities
	Producers       []struct {
		Label         string
		Kind          ortc.MediaKind
		RTPParameters ortc.RTPParameters
	}
}

func readBrowser(t testing.TB, name string) browser {
	t.Helper()
	var b browser
	readGolden(t, "browser_"+name+".json", &b)
	return b
}

// olderRouter is the router that the browsers were captured with.
func olderRouter(t testing.TB) ortc.RTPCapabilities {
	t.Helper()
	var caps ortc.RTPCapabilities
	readGolden(t, "router_older.json", &caps)
	return caps
}

// consumable takes a producer's parameters to the router's numbers.
func consumable(t testing.TB, kind ortc.MediaKind, p ortc.RTPParameters, router ortc.RTPCapabilities) ortc.RTPParameters {
	t.Helper()
	if err := ortc.ValidateRTPParameters(&p); err != nil {
		t.Fatal(err)
	}
	m, err := ortc.ProducerRTPMapping(p, router)
	if err != nil {
		t.Fatal(err)
	}
	return ortc.ConsumableRTPParameters(kind, p, router, m)
}

// The ids of the captured router are no longer ours, but every function takes
// them from the capabilities that it is given.
func TestBrowsersConsumeEachOther(t *testing.T) {
	router := olderRouter(t)
	for _, from := range []string{"chromium", "firefox"} {
		for _, to := range []string{"chromium", "firefox"} {
			receiver := readBrowser(t, to).RTPCapabilities
			for _, p := range readBrowser(t, from).Producers {
				t.Run(p.Label+" from "+from+" to "+to, func(t *testing.T) {
					c := consumable(t, p.Kind, p.RTPParameters, router)
					got, err := ortc.ConsumerRTPParameters(c, receiver, ortc.ConsumerOptions{MID: "m7", SSRC: ssrcsFrom(5000)})
					// Firefox has no H264 here, and no second profile of VP9.
					if to == "firefox" && (p.Label == "h264" || from == "chromium" && p.Label == "vp9-svc") {
						var e *ortc.Error
						if !errors.As(err, &e) || e.Kind != ortc.UnsupportedError {
							t.Errorf("error is %v", err)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					checkConsumer(t, p.Kind, c, got)
				})
			}
		}
	}
}

func TestKindIsThatOfTheCodecs(t *testing.T) {
	if kind := (ortc.RTPParameters{}).Kind(); kind != "" {
		t.Errorf("nothing is %s", kind)
	}
	for _, name := range []string{"chromium", "firefox"} {
		for _, p := range readBrowser(t, name).Producers {
			if kind := p.RTPParameters.Kind(); kind != p.Kind {
				t.Errorf("%s is %s", p.Label, kind)
			}
		}
	}
}

func checkConsumer(t *testing.T, kind ortc.MediaKind, c, got ortc.RTPParameters) {
	t.Helper()
	if got.MID != "m7" || len(got.Encodings) != 1 || got.Encodings[0].SSRC != 5000 || got.Encodings[0].RID != "" {
		t.Errorf("mid %q, encodings %+v", got.MID, got.Encodings)
	}
	if rtx := got.Encodings[0].RTX; (rtx != nil) != (kind == ortc.Video) || rtx != nil && rtx.SSRC != 5001 {
		t.Errorf("%s has RTX %+v", kind, rtx)
	}
	if got.Codecs[0].MimeType != c.Codecs[0].MimeType || got.Codecs[0].PayloadType != c.Codecs[0].PayloadType {
		t.Errorf("codec is %+v", got.Codecs[0])
	}
	if !has(got, ortc.URIMID, 1) {
		t.Errorf("%s has lost its MID: %+v", kind, got.HeaderExtensions)
	}
	if err := ortc.ValidateRTPParameters(&got); err != nil {
		t.Errorf("the consumer's parameters are not valid: %v", err)
	}
}

func has(p ortc.RTPParameters, uri string, id uint8) bool {
	return slices.ContainsFunc(p.HeaderExtensions, func(e ortc.RTPHeaderExtensionParameters) bool {
		return e.URI == uri && e.ID == id
	})
}

func TestExtensionsMatchByURIAndID(t *testing.T) {
	router := demoRouter(t)
	p := audio("opus")
	p.Codecs[0].ClockRate, p.Codecs[0].Channels, p.Codecs[0].PayloadType = 48000, 2, 111
	c := consumable(t, ortc.Audio, p, router)
	receiver := ortc.RTPCapabilities{
		Codecs: []ortc.RTPCodecCapability{codec("audio/opus", 48000, 2, nil)},
		HeaderExtensions: []ortc.RTPHeaderExtension{
			{Kind: ortc.Video, URI: ortc.URIMID, PreferredID: 1},
			{Kind: ortc.Audio, URI: ortc.URIAudioLevel, PreferredID: 10}, // another id than the router's
			{Kind: ortc.Audio, URI: "urn:x", PreferredID: 4},             // another uri
		},
	}
	got, err := ortc.ConsumerRTPParameters(c, receiver, ortc.ConsumerOptions{SSRC: ssrcsFrom(1)})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.HeaderExtensions) != 1 || !has(got, ortc.URIMID, 1) {
		t.Errorf("extensions are %+v", got.HeaderExtensions)
	}
}

func TestRTXIsOnForVideoOnly(t *testing.T) {
	router := demoRouter(t)
	c := consumable(t, ortc.Video, vp8(), router)
	for want, option := range map[bool][]*bool{true: {nil, new(true)}, false: {new(false)}} {
		for _, enable := range option {
			got, err := ortc.ConsumerRTPParameters(c, router, ortc.ConsumerOptions{EnableRTX: enable, SSRC: ssrcsFrom(1)})
			if err != nil {
				t.Fatal(err)
			}
			nack := slices.Contains(got.Codecs[0].RTCPFeedback, ortc.RTCPFeedback{Type: "nack"})
			if (got.Encodings[0].RTX != nil) != want || (len(got.Codecs) == 2) != want || nack != want {
				t.Errorf("RTX %v: %+v", want, got)
			}
		}
	}
}

func TestCodecsOutsideTheMappingAreLeftOut(t *testing.T) {
	router := demoRouter(t)
	got := ortc.ConsumableRTPParameters(ortc.Video, vp8(), router, ortc.RTPMapping{})
	if len(got.Codecs) != 0 || len(got.Encodings) != 0 {
		t.Errorf("got %+v", got)
	}
	if can, err := ortc.CanConsume(got, router); can || err != nil {
		t.Errorf("nothing can be consumed: %v, %v", can, err)
	}
	_, err := ortc.ConsumerRTPParameters(got, router, ortc.ConsumerOptions{SSRC: ssrcsFrom(1)})
	var e *ortc.Error
	if !errors.As(err, &e) || e.Kind != ortc.UnsupportedError {
		t.Errorf("error is %v", err)
	}
}

func TestAcceptedParametersHaveTheAnsweredLevel(t *testing.T) {
	router := demoRouter(t)
	p := simulcastParameters("video/H264", ortc.CodecParameters{"packetization-mode": 1.0, "profile-level-id": "42e034"})
	m, err := ortc.ProducerRTPMapping(p, router)
	if err != nil {
		t.Fatal(err)
	}
	got := ortc.AcceptedRTPParameters(p, router, m)
	if id := got.Codecs[0].Parameters.String("profile-level-id"); id != "42e01f" {
		t.Errorf("the producer is answered %s", id)
	}
	if id := p.Codecs[0].Parameters.String("profile-level-id"); id != "42e034" {
		t.Errorf("the argument was changed to %s", id)
	}
}

func simulcastParameters(mimeType string, p ortc.CodecParameters) ortc.RTPParameters {
	return ortc.RTPParameters{
		MID:       "0",
		Codecs:    []ortc.RTPCodecParameters{{MimeType: mimeType, PayloadType: 96, ClockRate: 90000, Parameters: p}},
		Encodings: []ortc.RTPEncodingParameters{{SSRC: 1}, {SSRC: 2}},
	}
}

// stages are all values on the way from a producer to its consumers.
type stages struct {
	Router, Receiver                                ortc.RTPCapabilities
	Params, Accepted, Consumable, Consumer, Pipe, P ortc.RTPParameters
	Mapping                                         ortc.RTPMapping
}

func negotiate(t testing.TB, from, to browser, i int) stages {
	t.Helper()
	s := stages{Router: olderRouter(t), Receiver: to.RTPCapabilities, Params: from.Producers[i].RTPParameters}
	if err := ortc.ValidateRTPParameters(&s.Params); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.Mapping, err = ortc.ProducerRTPMapping(s.Params, s.Router); err != nil {
		t.Fatal(err)
	}
	s.Accepted = ortc.AcceptedRTPParameters(s.Params, s.Router, s.Mapping)
	s.Consumable = ortc.ConsumableRTPParameters(from.Producers[i].Kind, s.Params, s.Router, s.Mapping)
	s.Pipe = ortc.PipeConsumerRTPParameters(s.Consumable, true, ssrcsFrom(1))
	for _, out := range []*ortc.RTPParameters{&s.Consumer, &s.P} {
		opts := ortc.ConsumerOptions{SSRC: ssrcsFrom(1), Pipe: out == &s.P}
		if *out, err = ortc.ConsumerRTPParameters(s.Consumable, s.Receiver, opts); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// Whatever is done to one of the values, the others stay as they are.
func TestResultsShareNoMemory(t *testing.T) {
	chromium := readBrowser(t, "chromium")
	for i, p := range chromium.Producers {
		t.Run(p.Label, func(t *testing.T) {
			s := negotiate(t, chromium, chromium, i)
			capabilities := []*ortc.RTPCapabilities{&s.Router, &s.Receiver}
			parameters := []*ortc.RTPParameters{&s.Params, &s.Accepted, &s.Consumable, &s.Consumer, &s.Pipe, &s.P}
			for i, c := range capabilities {
				before := c.Clone()
				rest := asText(t, capabilities[1-i], parameters)
				spoilCapabilities(c)
				if d := cmp.Diff(rest, asText(t, capabilities[1-i], parameters)); d != "" {
					t.Errorf("capabilities %d share memory: %s", i, d)
				}
				*c = before
			}
			for i, p := range parameters {
				before := p.Clone()
				others := slices.Delete(slices.Clone(parameters), i, i+1)
				rest := asText(t, capabilities, others)
				spoilParameters(p)
				if d := cmp.Diff(rest, asText(t, capabilities, others)); d != "" {
					t.Errorf("parameters %d share memory: %s", i, d)
				}
				*p = before
			}
		})
	}
}

func asText(t *testing.T, v ...any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func spoilCapabilities(c *ortc.RTPCapabilities) {
	for i := range c.Codecs {
		c.Codecs[i].Parameters["spoilt"] = 1
		if pt := c.Codecs[i].PreferredPayloadType; pt != nil {
			*pt = 1
		}
		spoilFeedback(c.Codecs[i].RTCPFeedback)
	}
	for i := range c.HeaderExtensions {
		c.HeaderExtensions[i].URI = "spoilt"
	}
}

func spoilParameters(p *ortc.RTPParameters) {
	for i := range p.Codecs {
		p.Codecs[i].Parameters["spoilt"] = 1
		spoilFeedback(p.Codecs[i].RTCPFeedback)
		p.Codecs[i].PayloadType = 1
	}
	for i := range p.HeaderExtensions {
		p.HeaderExtensions[i].Parameters["spoilt"] = 1
		p.HeaderExtensions[i].ID = 1
	}
	for i := range p.Encodings {
		if p.Encodings[i].RTX != nil {
			p.Encodings[i].RTX.SSRC = 77
		}
		p.Encodings[i].SSRC = 77
	}
	if p.RTCP.ReducedSize != nil {
		*p.RTCP.ReducedSize = false
	}
}

func spoilFeedback(feedback []ortc.RTCPFeedback) {
	for i := range feedback {
		feedback[i].Type = "spoilt"
	}
}

func TestClonesShareNoMemory(t *testing.T) {
	p := vp8()
	p.Encodings[0].CodecPayloadType = new(uint8(96))
	p.RTCP.Mux = new(true)
	if err := ortc.ValidateRTPParameters(&p); err != nil {
		t.Fatal(err)
	}
	before, clone := asText(t, p), p.Clone()
	if d := cmp.Diff(p, clone); d != "" {
		t.Errorf("the clone differs: %s", d)
	}
	spoilParameters(&clone)
	*clone.Encodings[0].CodecPayloadType, *clone.RTCP.Mux = 1, false
	if d := cmp.Diff(before, asText(t, p)); d != "" {
		t.Error(d)
	}
	router := demoRouter(t)
	before, copied := asText(t, router), router.Clone()
	if d := cmp.Diff(router, copied); d != "" {
		t.Errorf("the clone differs: %s", d)
	}
	spoilCapabilities(&copied)
	if d := cmp.Diff(before, asText(t, router)); d != "" {
		t.Error(d)
	}
}
