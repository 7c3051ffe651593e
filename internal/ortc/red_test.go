package ortc_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/takoserver/takos-call/internal/ortc"
)

// opusAndRED are the codecs of a room where voices may be sent as RED.
var opusAndRED = []ortc.RTPCodecCapability{
	{Kind: ortc.Audio, MimeType: "audio/opus", ClockRate: 48000, Channels: 2},
	{Kind: ortc.Audio, MimeType: "audio/red", ClockRate: 48000, Channels: 2},
}

// sentAsRED is what a browser sends that was told to: RED first.
func sentAsRED() ortc.RTPParameters {
	return ortc.RTPParameters{
		MID: "0",
		Codecs: []ortc.RTPCodecParameters{
			{MimeType: "audio/red", PayloadType: 63, ClockRate: 48000, Channels: 2},
			{MimeType: "audio/opus", PayloadType: 111, ClockRate: 48000, Channels: 2, Parameters: ortc.CodecParameters{"useinbandfec": 1}},
		},
		Encodings: []ortc.RTPEncodingParameters{{SSRC: 1}},
	}
}

// described is codecs in short.
func described(codecs []ortc.RTPCodecParameters) string {
	var list []string
	for _, c := range codecs {
		list = append(list, fmt.Sprintf("%s %d %v", c.MimeType, c.PayloadType, c.Parameters))
	}
	return strings.Join(list, ", ")
}

func TestREDGoesToThoseWhoUnderstandIt(t *testing.T) {
	router := routerOf(t, opusAndRED...)
	consumable := consumable(t, ortc.Audio, sentAsRED(), router)
	only := func(names ...string) ortc.RTPCapabilities {
		caps := router.Clone()
		caps.Codecs = slices.DeleteFunc(caps.Codecs, func(c ortc.RTPCodecCapability) bool { return !slices.Contains(names, c.MimeType) })
		return caps
	}
	for name, tt := range map[string]struct {
		receiver ortc.RTPCapabilities
		want     string
	}{
		"both":      {only("audio/opus", "audio/red"), "audio/red 101 map[:100/100], audio/opus 100 map[useinbandfec:1]"},
		"Opus only": {only("audio/opus"), "audio/opus 100 map[useinbandfec:1]"},
		"RED only":  {only("audio/red"), ""},
	} {
		can, err := ortc.CanConsume(consumable, tt.receiver)
		if err != nil || can != (tt.want != "") {
			t.Errorf("%s: can consume: %t, %v", name, can, err)
		}
		p, err := ortc.ConsumerRTPParameters(consumable, tt.receiver, ortc.ConsumerOptions{SSRC: ssrcsFrom(1)})
		if got := described(p.Codecs); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: gets %q, %v; want %q", name, got, err, tt.want)
		}
		if err == nil {
			if err := ortc.ValidateRTPParameters(&p); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestREDIsRenumberedOnItsWayThroughAnotherRouter(t *testing.T) {
	pt := uint8(120)
	other := slices.Clone(opusAndRED)
	other[0].PreferredPayloadType = &pt
	piped := consumable(t, ortc.Audio, consumable(t, ortc.Audio, sentAsRED(), routerOf(t, opusAndRED...)), routerOf(t, other...))
	if got, want := described(piped.Codecs), "audio/red 100 map[:120/120], audio/opus 120 map[useinbandfec:1]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestREDNeedsWhatItRepeats(t *testing.T) {
	for name, change := range map[string]func(*ortc.RTPParameters){
		"alone":             func(p *ortc.RTPParameters) { p.Codecs = p.Codecs[:1] },
		"of other channels": func(p *ortc.RTPParameters) { p.Codecs[1].Channels = 1 },
		"of another codec":  func(p *ortc.RTPParameters) { p.Codecs[1].MimeType = "audio/L16" },
	} {
		p := sentAsRED()
		change(&p)
		var e *ortc.Error
		if err := ortc.ValidateRTPParameters(&p); !errors.As(err, &e) || e.Kind != ortc.TypeError {
			t.Errorf("%s: %v", name, err)
		}
		if pt, blocks, ok := p.RED(); ok {
			t.Errorf("%s: RED is %d with %d in it", name, pt, blocks)
		}
	}
}

func TestEncodingsMayNameREDAsTheirCodec(t *testing.T) {
	p := sentAsRED()
	p.Encodings[0].CodecPayloadType = new(uint8(63))
	if err := ortc.ValidateRTPParameters(&p); err != nil {
		t.Error(err)
	}
}

func TestREDOfParameters(t *testing.T) {
	if pt, blocks, ok := sentAsRED().RED(); pt != 63 || blocks != 111 || !ok {
		t.Errorf("RED is %d with %d in it, %t", pt, blocks, ok)
	}
	opus := sentAsRED()
	opus.Codecs = opus.Codecs[1:]
	if _, _, ok := opus.RED(); ok {
		t.Error("Opus is RED")
	}
}

func TestPipesCarryRED(t *testing.T) {
	c := consumable(t, ortc.Audio, sentAsRED(), routerOf(t, opusAndRED...))
	p := ortc.PipeConsumerRTPParameters(c, false, ssrcsFrom(1))
	if got, want := described(p.Codecs), described(c.Codecs); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
