// Package ortc negotiates what two ends of a media stream can exchange, in the
// vocabulary of the ORTC API as mediasoup uses it: from the codecs a router was
// made with and the RTP parameters a sender announces it computes what may be
// forwarded, and from the capabilities of a receiver what that receiver gets.
// Its answers equal those of mediasoup 3.27, so that mediasoup's clients and
// applications written for mediasoup can be served without a change. What it
// has beyond that:
//
//   - H265, and RED for Opus, for routers that are made with them. RED comes
//     with Opus beside it, and who does not understand RED gets Opus. It has to
//     follow Opus in the router's codecs: stock clients send the first alone,
//   - the dependency descriptor towards receivers (sendrecv, not recvonly),
//     where the producer sends it,
//   - simulcast of VP9, AV1 and H265.
//
// The order of things is:
//
//	RouterRTPCapabilities            the router's codecs and header extensions
//	ValidateRTPParameters            what a sender says, checked and completed
//	ProducerRTPMapping               the sender's numbers onto the router's
//	ConsumableRTPParameters          the stream in the router's numbers
//	TypeOf                           simple, simulcast or svc
//	CanConsume                       does a receiver understand it
//	ConsumerRTPParameters            the stream as that receiver gets it
//	PipeConsumerRTPParameters        the same for another router
//
// The package is not an SDP engine (that is internal/sdp) and knows no packet,
// socket, clock or randomness: fresh SSRCs come from a function of the caller.
// Arguments are never modified, except by the two Validate functions, which
// complete what they are given; results share no memory with arguments. All
// functions may be called from any goroutine.
//
// Standards: RFC 6184 §8 (H264 profile-level-id), RFC 4588 §8 (RTX), RFC 8285
// (header extensions), RFC 8843 §15 (MID), RFC 8852 (RID), RFC 7656 (the words
// source, stream and encoding).
package ortc

// MediaKind tells audio from video.
type MediaKind string

// The kinds of media.
const (
	Audio MediaKind = "audio"
	Video MediaKind = "video"
)

// ProducerType is how a producer's streams relate to one another, and so which
// strategy forwards them.
type ProducerType string

// The producer types.
const (
	// Simple is one stream without layers.
	Simple ProducerType = "simple"
	// Simulcast is several streams of the same picture in different sizes.
	Simulcast ProducerType = "simulcast"
	// SVC is one stream with spatial or temporal layers inside, of any codec:
	// VP8 with L1T3 too.
	SVC ProducerType = "svc"
	// Pipe is no producer but a consumer that sends all encodings on.
	Pipe ProducerType = "pipe"
)
