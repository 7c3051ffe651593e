// Package codec reads in media payloads what a forwarder has to know: where a
// decoder can start, where frames begin and end, and which layer a packet
// belongs to. It does not decode, does not reassemble frames and keeps no
// state, except for the template structure of a dependency descriptor, which
// the caller holds.
//
// It implements the payload formats of VP8 (RFC 7741), VP9 (RFC 9628), H264
// (RFC 6184), H265 (RFC 7798) and AV1 (the AV1 RTP specification of the
// Alliance for Open Media, with its dependency descriptor), and RED (RFC 2198).
//
// Everything is safe to call from any goroutine, allocates nothing and never
// panics, whatever the payload holds.
package codec

import "strings"

// Codec names a codec or a payload format that stands in for one.
type Codec uint8

// The codecs that are told apart. Other is any that a router may pass on
// without reading it.
const (
	Other Codec = iota
	Opus
	MultiOpus
	PCMU
	PCMA
	G722
	ComfortNoise
	TelephoneEvent
	VP8
	VP9
	H264
	H265
	AV1
	RTX    // RFC 4588
	RED    // RFC 2198
	ULPFEC // RFC 5109
	FlexFEC
	codecCount
)

var names = [codecCount]string{
	Other:          "other",
	Opus:           "opus",
	MultiOpus:      "multiopus",
	PCMU:           "PCMU",
	PCMA:           "PCMA",
	G722:           "G722",
	ComfortNoise:   "CN",
	TelephoneEvent: "telephone-event",
	VP8:            "VP8",
	VP9:            "VP9",
	H264:           "H264",
	H265:           "H265",
	AV1:            "AV1",
	RTX:            "rtx",
	RED:            "red",
	ULPFEC:         "ulpfec",
	FlexFEC:        "flexfec-03",
}

// FromMimeType returns the codec of a media type such as "video/VP8", in any
// letter case (RFC 6838 §4.2); Other for one that is not known.
func FromMimeType(mime string) Codec {
	_, subtype, ok := strings.Cut(mime, "/")
	if !ok {
		return Other
	}
	for c := Opus; c < codecCount; c++ {
		if strings.EqualFold(subtype, names[c]) {
			return c
		}
	}
	return Other
}

// String returns the codec's name as in its media type, without "audio/" or
// "video/".
func (c Codec) String() string {
	if c >= codecCount {
		return names[Other]
	}
	return names[c]
}

// IsVideo reports whether c is a video codec, that is one whose receivers need
// a keyframe to start.
func (c Codec) IsVideo() bool { return c >= VP8 && c <= AV1 }

// IsAudio reports whether c is an audio codec.
func (c Codec) IsAudio() bool { return c >= Opus && c <= TelephoneEvent }
