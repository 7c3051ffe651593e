package ortc_test

import (
	"slices"
	"testing"

	"github.com/takoserver/takos-call/internal/ortc"
)

// h265 is a codec as Chromium offers it.
func h265(profile, level float64) ortc.RTPCodecCapability {
	return ortc.RTPCodecCapability{
		Kind: ortc.Video, MimeType: "video/H265", ClockRate: 90000,
		Parameters: ortc.CodecParameters{
			"profile-id": profile, "tier-flag": 0.0, "level-id": level, "tx-mode": "SRST",
		},
	}
}

// produced returns what a receiver can get of a producer of codec.
func produced(t *testing.T, router ortc.RTPCapabilities, kind ortc.MediaKind, codec ortc.RTPCodecCapability, extensions ...ortc.RTPHeaderExtensionParameters) ortc.RTPParameters {
	t.Helper()
	params := ortc.RTPParameters{
		Codecs: []ortc.RTPCodecParameters{{
			MimeType: codec.MimeType, PayloadType: 49, ClockRate: codec.ClockRate,
			Channels: codec.Channels, Parameters: codec.Parameters,
		}},
		HeaderExtensions: extensions,
		Encodings:        []ortc.RTPEncodingParameters{{SSRC: 7}},
	}
	if err := ortc.ValidateRTPParameters(&params); err != nil {
		t.Fatal(err)
	}
	m, err := ortc.ProducerRTPMapping(params, router)
	if err != nil {
		t.Fatal(err)
	}
	return ortc.ConsumableRTPParameters(kind, params, router, m)
}

func routerOf(t *testing.T, codecs ...ortc.RTPCodecCapability) ortc.RTPCapabilities {
	t.Helper()
	router, err := ortc.RouterRTPCapabilities(codecs)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

func TestH265GoesToReceiversOfItsProfile(t *testing.T) {
	router := routerOf(t, h265(1, 180))
	consumable := produced(t, router, ortc.Video, h265(1, 93))
	for name, tt := range map[string]struct {
		caps ortc.RTPCodecCapability
		want bool
	}{
		"of another level":      {h265(1, 186), true},
		"of another profile":    {h265(2, 180), false},
		"that names no profile": {ortc.RTPCodecCapability{Kind: ortc.Video, MimeType: "video/h265", ClockRate: 90000}, true},
	} {
		pt := uint8(100)
		tt.caps.PreferredPayloadType = &pt
		got, err := ortc.CanConsume(consumable, ortc.RTPCapabilities{Codecs: []ortc.RTPCodecCapability{tt.caps}})
		if err != nil || got != tt.want {
			t.Errorf("a receiver %s can consume: %t, %v; want %t", name, got, err, tt.want)
		}
	}
}

func TestDependencyDescriptorGoesToReceiversIfItIsSent(t *testing.T) {
	router := routerOf(t, h265(1, 180))
	descriptor := ortc.RTPHeaderExtensionParameters{URI: ortc.URIDependencyDescriptor, ID: 12}
	isDescriptor := func(e ortc.RTPHeaderExtensionParameters) bool { return e.URI == descriptor.URI }
	ssrc := func() uint32 { return 1 }
	with := produced(t, router, ortc.Video, h265(1, 93), descriptor)
	without := produced(t, router, ortc.Video, h265(1, 93))
	for name, tt := range map[string]struct {
		consumable ortc.RTPParameters
		want       bool
	}{"sent": {with, true}, "not sent": {without, false}} {
		p, err := ortc.ConsumerRTPParameters(tt.consumable, router, ortc.ConsumerOptions{SSRC: ssrc})
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(p.HeaderExtensions, isDescriptor); got != tt.want {
			t.Errorf("%s: a consumer has it: %t", name, got)
		}
		pipe := ortc.PipeConsumerRTPParameters(tt.consumable, false, ssrc).HeaderExtensions
		pipe = slices.DeleteFunc(pipe, func(e ortc.RTPHeaderExtensionParameters) bool { return !isDescriptor(e) })
		if len(pipe) != 1 {
			t.Errorf("%s: a pipe has it %d times", name, len(pipe))
		}
	}
}
