package ortc

import (
	"fmt"
	"maps"
	"slices"
)

// RouterRTPCapabilities returns the capabilities of a router made with the given
// codecs: each as we support it, with the given parameters added, and for each
// video codec an RTX codec. Codecs without a payload type get 100 to 127 in
// their order, then 96 to 99; those of RFC 3551 §6 keep theirs.
//
// It fails with UnsupportedError for a codec we do not have, TypeError for a
// malformed one or a payload type used twice, InvalidState when payload types
// run out.
func RouterRTPCapabilities(mediaCodecs []RTPCodecCapability) (RTPCapabilities, error) {
	router := RTPCapabilities{
		Codecs:           make([]RTPCodecCapability, 0, 2*len(mediaCodecs)),
		HeaderExtensions: supportedExtensions(),
	}
	supported := append(supportedAudio(), supportedVideo()...)
	free := newPayloadTypes()
	for i := range mediaCodecs {
		codec, err := routerCodec(&mediaCodecs[i], supported)
		if err == nil {
			err = router.add(codec, free)
		}
		if err != nil {
			return RTPCapabilities{}, within(err, fmt.Sprintf("mediaCodecs[%d]", i))
		}
	}
	return router, nil
}

// routerCodec returns the supported codec that is asked for, with the payload
// type and the parameters that are asked for.
func routerCodec(asked *RTPCodecCapability, supported []RTPCodecCapability) (RTPCodecCapability, error) {
	if err := asked.check(); err != nil {
		return RTPCodecCapability{}, err
	}
	i := slices.IndexFunc(supported, func(s RTPCodecCapability) bool {
		return sameCodec(asked.format(), s.format())
	})
	if i < 0 {
		return RTPCodecCapability{}, unsupportedf("mimeType %s with this clock rate, channels and parameters is not supported", asked.MimeType)
	}
	codec := supported[i].Clone()
	if asked.PreferredPayloadType != nil {
		codec.PreferredPayloadType = clonePointer(asked.PreferredPayloadType)
	}
	maps.Copy(codec.Parameters, asked.Parameters)
	codec.Parameters.complete()
	return codec, nil
}

// add appends the codec and, for video, its RTX codec.
func (c *RTPCapabilities) add(codec RTPCodecCapability, free *payloadTypes) error {
	if codec.PreferredPayloadType == nil {
		pt, err := free.next()
		if err != nil {
			return err
		}
		codec.PreferredPayloadType = &pt
	}
	pt := *codec.PreferredPayloadType
	free.take(pt)
	for i := range c.Codecs {
		if *c.Codecs[i].PreferredPayloadType == pt {
			return typeErrorf("preferredPayloadType %d is duplicated", pt)
		}
	}
	c.Codecs = append(c.Codecs, codec)
	if codec.Kind != Video {
		return nil
	}
	rtxPT, err := free.next()
	if err != nil {
		return err
	}
	c.Codecs = append(c.Codecs, RTPCodecCapability{
		Kind:                 Video,
		MimeType:             "video/rtx",
		PreferredPayloadType: &rtxPT,
		ClockRate:            codec.ClockRate,
		Parameters:           CodecParameters{apt: float64(pt)},
		RTCPFeedback:         []RTCPFeedback{},
	})
	return nil
}

// payloadTypes hands out the dynamic payload types (RFC 3551 §6) in mediasoup's
// order.
type payloadTypes struct {
	free []uint8
}

func newPayloadTypes() *payloadTypes {
	p := &payloadTypes{}
	for pt := uint8(100); pt <= maxPayloadType; pt++ {
		p.free = append(p.free, pt)
	}
	p.free = append(p.free, 96, 97, 98, 99)
	return p
}

func (p *payloadTypes) next() (uint8, error) {
	if len(p.free) == 0 {
		return 0, &Error{Kind: InvalidState, Message: "preferredPayloadType cannot be chosen: all dynamic ones are taken"}
	}
	pt := p.free[0]
	p.free = p.free[1:]
	return pt, nil
}

func (p *payloadTypes) take(pt uint8) {
	p.free = slices.DeleteFunc(p.free, func(free uint8) bool { return free == pt })
}
