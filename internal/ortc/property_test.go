package ortc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/ortc"
)

// testingT is what *testing.T and *rapid.T have in common.
type testingT interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkRouter checks what holds for every router: no payload type is there
// twice, and each video codec has an RTX codec behind it.
func checkRouter(t testingT, caps ortc.RTPCapabilities) {
	t.Helper()
	taken := map[uint8]bool{}
	for i, c := range caps.Codecs {
		if c.PreferredPayloadType == nil || taken[*c.PreferredPayloadType] {
			t.Fatalf("codec %d has no payload type of its own", i)
		}
		taken[*c.PreferredPayloadType] = true
		if c.Kind != ortc.Video || strings.HasSuffix(c.MimeType, "/rtx") {
			continue
		}
		if i+1 == len(caps.Codecs) || caps.Codecs[i+1].Parameters.Int("apt", -1) != int(*c.PreferredPayloadType) {
			t.Fatalf("codec %d has no RTX", i)
		}
	}
}

// drawRouter makes a router of some of the supported codecs, each with the
// parameters that tell it from others.
func drawRouter(t *rapid.T) ortc.RTPCapabilities {
	supported := ortc.SupportedRTPCapabilities().Codecs
	var codecs []ortc.RTPCodecCapability
	comfortNoise := false
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(supported)-1), 1, 12, rapid.ID).Draw(t, "codecs") {
		c := supported[i]
		if c.MimeType == "audio/CN" { // all of one payload type
			if comfortNoise {
				continue
			}
			comfortNoise = true
		}
		if c.MimeType == "video/H264" {
			c.Parameters["profile-level-id"] = rapid.SampledFrom([]string{"42e01f", "42001f", "4d0032", "640c1f"}).Draw(t, "profile")
			c.Parameters["packetization-mode"] = rapid.IntRange(0, 1).Draw(t, "mode")
		}
		codecs = append(codecs, c)
	}
	caps, err := ortc.RouterRTPCapabilities(codecs)
	if err != nil {
		t.Fatalf("supported codecs: %v", err)
	}
	checkRouter(t, caps)
	return caps
}

// drawProducer makes a producer of one of the router's media codecs, under a
// payload type and header extension ids of its own.
func drawProducer(t *rapid.T, router ortc.RTPCapabilities) (ortc.MediaKind, ortc.RTPParameters) {
	media := slices.DeleteFunc(slices.Clone(router.Codecs), func(c ortc.RTPCodecCapability) bool {
		return strings.HasSuffix(c.MimeType, "/rtx") || c.MimeType == "audio/CN" || c.MimeType == "audio/telephone-event" || c.MimeType == "audio/red"
	})
	if len(media) == 0 {
		return "", ortc.RTPParameters{}
	}
	c := rapid.SampledFrom(media).Draw(t, "codec").Clone()
	pts := rapid.SliceOfNDistinct(rapid.Uint8Range(0, 127), 2, 2, rapid.ID).Draw(t, "payload types")
	p := ortc.RTPParameters{
		MID: "0",
		Codecs: []ortc.RTPCodecParameters{{
			MimeType: c.MimeType, PayloadType: pts[0], ClockRate: c.ClockRate, Channels: c.Channels, Parameters: c.Parameters,
		}},
	}
	if c.Kind == ortc.Video && rapid.Bool().Draw(t, "rtx") {
		p.Codecs = append(p.Codecs, ortc.RTPCodecParameters{
			MimeType: "video/rtx", PayloadType: pts[1], ClockRate: 90000, Parameters: ortc.CodecParameters{"apt": int(pts[0])},
		})
	}
	hasRED := slices.ContainsFunc(router.Codecs, func(c ortc.RTPCodecCapability) bool { return c.MimeType == "audio/red" })
	if c.MimeType == "audio/opus" && hasRED && rapid.Bool().Draw(t, "red") {
		p.Codecs = append(p.Codecs, ortc.RTPCodecParameters{MimeType: "audio/red", PayloadType: pts[1], ClockRate: 48000, Channels: 2})
	}
	streams := 1
	if c.MimeType == "video/VP8" || c.MimeType == "video/H264" {
		streams = rapid.IntRange(1, 4).Draw(t, "streams")
	}
	for i := range streams {
		p.Encodings = append(p.Encodings, ortc.RTPEncodingParameters{
			RID: fmt.Sprint("r", i), MaxBitrate: rapid.Uint64Range(0, 1e7).Draw(t, "bitrate"),
		})
	}
	for i, uri := range []string{ortc.URIAbsCaptureTime, ortc.URIMID, ortc.URITransportWideCC} {
		if rapid.Bool().Draw(t, uri) {
			p.HeaderExtensions = append(p.HeaderExtensions, ortc.RTPHeaderExtensionParameters{URI: uri, ID: uint8(14 - i)})
		}
	}
	return c.Kind, p
}

// A router understands what it made of any producer that it accepts.
func TestRoutersConsumeTheirProducers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		router := drawRouter(t)
		kind, p := drawProducer(t, router)
		if kind == "" {
			return
		}
		if err := ortc.ValidateRTPParameters(&p); err != nil {
			t.Fatalf("producer: %v", err)
		}
		m, err := ortc.ProducerRTPMapping(p, router)
		if err != nil {
			t.Fatalf("mapping: %v", err)
		}
		c := ortc.ConsumableRTPParameters(kind, p, router, m)
		checkConsumable(t, p, c, router)
		if can, err := ortc.CanConsume(c, router); !can || err != nil {
			t.Fatalf("can consume: %v, %v", can, err)
		}
		enableRTX := rapid.Bool().Draw(t, "enable rtx")
		got, err := ortc.ConsumerRTPParameters(c, router, ortc.ConsumerOptions{EnableRTX: &enableRTX, SSRC: ssrcsFrom(1)})
		if err != nil {
			t.Fatalf("consumer: %v", err)
		}
		checkReduced(t, p, c, got)
		if err := ortc.ValidateRTPParameters(&got); err != nil {
			t.Fatalf("consumer: %v", err)
		}
	})
}

// checkConsumable checks that all numbers are the router's, and that there is an
// encoding for each of the producer's.
func checkConsumable(t testingT, p, c ortc.RTPParameters, router ortc.RTPCapabilities) {
	t.Helper()
	for _, codec := range c.Codecs {
		if !slices.ContainsFunc(router.Codecs, func(r ortc.RTPCodecCapability) bool {
			return *r.PreferredPayloadType == codec.PayloadType && r.MimeType == codec.MimeType
		}) {
			t.Fatalf("%+v is not the router's", codec)
		}
	}
	ssrcs := map[uint32]bool{}
	for _, e := range c.Encodings {
		ssrcs[e.SSRC] = true
	}
	if len(c.Encodings) != len(p.Encodings) || len(ssrcs) != len(p.Encodings) {
		t.Fatalf("encodings of %+v are %+v", p.Encodings, c.Encodings)
	}
}

// checkReduced checks that a consumer has nothing which the consumable has not,
// and one stream with one way of bandwidth estimation.
func checkReduced(t testingT, p, c, got ortc.RTPParameters) {
	t.Helper()
	for _, codec := range got.Codecs {
		if !slices.ContainsFunc(c.Codecs, func(o ortc.RTPCodecParameters) bool { return o.PayloadType == codec.PayloadType }) {
			t.Fatalf("%+v came from nowhere", codec)
		}
		remb := slices.Contains(codec.RTCPFeedback, ortc.RTCPFeedback{Type: "goog-remb"})
		transportCC := slices.Contains(codec.RTCPFeedback, ortc.RTCPFeedback{Type: "transport-cc"})
		if remb && transportCC {
			t.Fatalf("two ways of bandwidth estimation: %+v", codec)
		}
	}
	for _, e := range got.HeaderExtensions {
		if !has(c, e.URI, e.ID) {
			t.Fatalf("%+v came from nowhere", e)
		}
	}
	var most uint64
	for _, e := range p.Encodings {
		most = max(most, e.MaxBitrate)
	}
	if len(got.Encodings) != 1 || got.Encodings[0].MaxBitrate != most {
		t.Fatalf("encodings are %+v", got.Encodings)
	}
	mode := ortc.ParseScalabilityMode(got.Encodings[0].ScalabilityMode)
	if mode.SpatialLayers != len(p.Encodings) {
		t.Fatalf("%d streams became %+v", len(p.Encodings), mode)
	}
}
