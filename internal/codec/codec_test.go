package codec_test

import (
	"testing"

	"github.com/takoserver/takos-call/internal/codec"
)

func TestFromMimeTypeKnowsCodecsInAnyCase(t *testing.T) {
	for mime, want := range map[string]codec.Codec{
		"audio/opus":            codec.Opus,
		"audio/OPUS":            codec.Opus,
		"audio/multiopus":       codec.MultiOpus,
		"audio/PCMU":            codec.PCMU,
		"audio/pcma":            codec.PCMA,
		"audio/G722":            codec.G722,
		"audio/CN":              codec.ComfortNoise,
		"audio/telephone-event": codec.TelephoneEvent,
		"video/VP8":             codec.VP8,
		"video/vp9":             codec.VP9,
		"VIDEO/H264":            codec.H264,
		"video/H265":            codec.H265,
		"video/AV1":             codec.AV1,
		"video/rtx":             codec.RTX,
		"audio/rtx":             codec.RTX,
		"audio/red":             codec.RED,
		"video/ulpfec":          codec.ULPFEC,
		"video/flexfec-03":      codec.FlexFEC,
		"video/H264-SVC":        codec.Other,
		"video/other":           codec.Other,
		"video/":                codec.Other,
		"VP8":                   codec.Other,
		"":                      codec.Other,
	} {
		if got := codec.FromMimeType(mime); got != want {
			t.Errorf("%q is %v, want %v", mime, got, want)
		}
	}
}

func TestCodecIsAudioOrVideoOrNeither(t *testing.T) {
	audio := []codec.Codec{codec.Opus, codec.MultiOpus, codec.PCMU, codec.PCMA, codec.G722, codec.ComfortNoise, codec.TelephoneEvent}
	video := []codec.Codec{codec.VP8, codec.VP9, codec.H264, codec.H265, codec.AV1}
	neither := []codec.Codec{codec.Other, codec.RTX, codec.RED, codec.ULPFEC, codec.FlexFEC, 200}
	for _, group := range []struct {
		codecs       []codec.Codec
		audio, video bool
	}{{audio, true, false}, {video, false, true}, {neither, false, false}} {
		for _, c := range group.codecs {
			if c.IsAudio() != group.audio || c.IsVideo() != group.video {
				t.Errorf("%v: audio %v, video %v", c, c.IsAudio(), c.IsVideo())
			}
		}
	}
}

func TestCodecNamesItself(t *testing.T) {
	for c, want := range map[codec.Codec]string{
		codec.Opus: "opus", codec.VP8: "VP8", codec.FlexFEC: "flexfec-03", codec.Other: "other", 99: "other",
	} {
		if got := c.String(); got != want {
			t.Errorf("%d is %q, want %q", c, got, want)
		}
	}
}
