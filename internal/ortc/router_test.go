package ortc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/takoserver/takos-call/internal/ortc"
)

// codec returns a codec to make a router with.
func codec(mimeType string, clockHz uint32, channels uint8, p ortc.CodecParameters) ortc.RTPCodecCapability {
	return ortc.RTPCodecCapability{MimeType: mimeType, ClockRate: clockHz, Channels: channels, Parameters: p}
}

// demoCodecs are the codecs of the captured routers.
func demoCodecs() []ortc.RTPCodecCapability {
	h264 := func(id string) ortc.CodecParameters {
		return ortc.CodecParameters{"packetization-mode": 1, "profile-level-id": id, "level-asymmetry-allowed": 1}
	}
	return []ortc.RTPCodecCapability{
		codec("audio/opus", 48000, 2, nil),
		codec("video/VP8", 90000, 0, ortc.CodecParameters{"x-google-start-bitrate": 1000}),
		codec("video/VP9", 90000, 0, ortc.CodecParameters{"profile-id": 2, "x-google-start-bitrate": 1000}),
		codec("video/VP9", 90000, 0, ortc.CodecParameters{"profile-id": 0}),
		codec("video/H264", 90000, 0, h264("4d0032")),
		codec("video/H264", 90000, 0, h264("42e01f")),
		codec("video/AV1", 90000, 0, nil),
	}
}

func demoRouter(t testing.TB) ortc.RTPCapabilities {
	t.Helper()
	caps, err := ortc.RouterRTPCapabilities(demoCodecs())
	if err != nil {
		t.Fatal(err)
	}
	return caps
}

// A router of an earlier mediasoup differs in the ids of header extensions and
// lacks one of them, and in nothing else but the direction of one; see deviate.
func TestRouterEqualsTheCapturedOne(t *testing.T) {
	var captured ortc.RTPCapabilities
	readGolden(t, "router_older.json", &captured)
	got := demoRouter(t)
	if d := cmp.Diff(captured.Codecs, got.Codecs); d != "" {
		t.Errorf("codecs: %s", d)
	}
	got.HeaderExtensions = got.HeaderExtensions[:len(got.HeaderExtensions)-2] // packet-id, audio and video
	for i := range captured.HeaderExtensions {
		if e := &captured.HeaderExtensions[i]; e.URI == ortc.URIDependencyDescriptor {
			e.Direction = ortc.DirectionSendRecv
		}
	}
	sorted := cmpopts.SortSlices(func(a, b ortc.RTPHeaderExtension) bool {
		return a.URI+string(a.Kind) < b.URI+string(b.Kind)
	})
	ids := cmpopts.IgnoreFields(ortc.RTPHeaderExtension{}, "PreferredID")
	if d := cmp.Diff(captured.HeaderExtensions, got.HeaderExtensions, sorted, ids); d != "" {
		t.Errorf("header extensions: %s", d)
	}
}

func TestRouterErrorsNameTheCodec(t *testing.T) {
	_, err := ortc.RouterRTPCapabilities(append(demoCodecs(), codec("video/H266", 90000, 0, nil)))
	var e *ortc.Error
	if !errors.As(err, &e) || e.Kind != ortc.UnsupportedError || !strings.HasPrefix(e.Message, "mediaCodecs[7].mimeType video/H266") {
		t.Errorf("error is %v", err)
	}
	_, err = ortc.RouterRTPCapabilities([]ortc.RTPCodecCapability{{MimeType: "video/VP8", ClockRate: 90000, PreferredPayloadType: new(uint8(128))}})
	wantTypeError(t, err, "mediaCodecs[0].preferredPayloadType")
}

func TestRouterLeavesItsCodecsAlone(t *testing.T) {
	codecs := demoCodecs()
	caps, err := ortc.RouterRTPCapabilities(codecs)
	if err != nil {
		t.Fatal(err)
	}
	caps.Codecs[1].Parameters["x-google-start-bitrate"] = "changed"
	*caps.Codecs[1].PreferredPayloadType = 5
	if d := cmp.Diff(demoCodecs(), codecs); d != "" {
		t.Error(d)
	}
	again := demoRouter(t)
	if *again.Codecs[1].PreferredPayloadType != 101 || again.Codecs[1].Parameters.Int("x-google-start-bitrate", 0) != 1000 {
		t.Error("routers share memory")
	}
}

func TestErrorKindsAreNamedAsMediasoups(t *testing.T) {
	for kind, want := range map[ortc.ErrorKind]string{
		ortc.TypeError: "TypeError", ortc.UnsupportedError: "UnsupportedError",
		ortc.InvalidState: "InvalidStateError", 77: "ErrorKind(77)",
	} {
		if kind.String() != want {
			t.Errorf("%d is %s, want %s", kind, kind, want)
		}
	}
}
