package ortc

import (
	"fmt"
	"math"
)

// ValidateRTPParameters checks what a sender announces and completes it in place
// with the defaults: as ValidateRTPCapabilities does it for codecs, one encoding
// if there is none, and reduced-size RTCP. Besides the form of each value it
// checks what mediasoup leaves to its worker: that payload types, header
// extension ids, SSRCs and RIDs are not used twice, that RTX belongs to a codec,
// that streams can be told apart and that the codec can have the layers. A
// failed call may have completed a part.
func ValidateRTPParameters(p *RTPParameters) error {
	if err := checkParameters(p); err != nil {
		return within(err, parametersPath)
	}
	for i := range p.Codecs {
		c := &p.Codecs[i]
		c.Channels = channels(c.MimeType, c.Channels)
		c.Parameters = c.Parameters.complete()
		c.RTCPFeedback = present(c.RTCPFeedback)
	}
	p.HeaderExtensions = present(p.HeaderExtensions)
	for i := range p.HeaderExtensions {
		p.HeaderExtensions[i].Parameters = p.HeaderExtensions[i].Parameters.complete()
	}
	if len(p.Encodings) == 0 {
		p.Encodings = []RTPEncodingParameters{{}}
	}
	p.RTCP.ReducedSize = new(true)
	return nil
}

func checkParameters(p *RTPParameters) error {
	if err := firstError(
		checkToken("mid", p.MID),
		checkText("msid", p.MSID, maxNameBytes),
		checkText("rtcp.cname", p.RTCP.CNAME, maxNameBytes),
	); err != nil {
		return err
	}
	if err := checkCodecs(p.Codecs); err != nil {
		return err
	}
	if err := checkExtensions(p.HeaderExtensions); err != nil {
		return err
	}
	if err := checkEncodings(p); err != nil {
		return err
	}
	return checkLayers(p)
}

func checkCodecs(codecs []RTPCodecParameters) error {
	if err := checkCount("codecs", len(codecs), maxPayloadType+1); err != nil {
		return err
	}
	var taken [maxPayloadType + 1]bool
	for i := range codecs {
		c := &codecs[i]
		if c.PayloadType > maxPayloadType {
			return typeErrorf("codecs[%d].payloadType is not an integer from 0 to %d", i, maxPayloadType)
		}
		if taken[c.PayloadType] {
			return typeErrorf("codecs[%d].payloadType %d is duplicated", i, c.PayloadType)
		}
		taken[c.PayloadType] = true
		if err := checkCodec(c.MimeType, c.ClockRate, c.Parameters, c.RTCPFeedback); err != nil {
			return within(err, fmt.Sprintf("codecs[%d]", i))
		}
		if kindOf(c.MimeType) != kindOf(codecs[0].MimeType) {
			return typeErrorf("codecs[%d].mimeType %s mixes audio and video", i, c.MimeType)
		}
	}
	if firstMediaCodec(codecs) == nil {
		return typeErrorf("codecs has no media codec")
	}
	if err := checkREDCodecs(codecs); err != nil {
		return err
	}
	return checkRTXCodecs(codecs)
}

// checkRTXCodecs checks that each RTX codec names a codec of media
// (RFC 4588 §8.6).
func checkRTXCodecs(codecs []RTPCodecParameters) error {
	for i := range codecs {
		if !isRTX(codecs[i].MimeType) {
			continue
		}
		if _, ok := number(codecs[i].Parameters[apt]); !ok {
			return typeErrorf("codecs[%d].parameters.%s is missing", i, apt)
		}
		media := codecOfRTX(codecs, &codecs[i])
		if media == nil || isRTX(media.MimeType) {
			return typeErrorf("codecs[%d].parameters.%s is not the payload type of a media codec", i, apt)
		}
	}
	return nil
}

// codecOfRTX returns the codec whose payload type an RTX codec names, or nil.
func codecOfRTX(codecs []RTPCodecParameters, rtx *RTPCodecParameters) *RTPCodecParameters {
	n, ok := number(rtx.Parameters[apt])
	if !ok {
		return nil
	}
	for i := range codecs {
		if float64(codecs[i].PayloadType) == n {
			return &codecs[i]
		}
	}
	return nil
}

// firstMediaCodec returns the codec of encodings that name none, or nil.
func firstMediaCodec(codecs []RTPCodecParameters) *RTPCodecParameters {
	for i := range codecs {
		if isMedia(codecs[i].MimeType) {
			return &codecs[i]
		}
	}
	return nil
}

func checkExtensions(extensions []RTPHeaderExtensionParameters) error {
	var taken [maxExtensions + 1]bool
	for i := range extensions {
		e := &extensions[i]
		switch {
		case e.URI == "":
			return typeErrorf("headerExtensions[%d].uri is missing", i)
		case !supportsExtension(e.URI):
			return typeErrorf("headerExtensions[%d].uri is not one of the router's", i)
		case e.ID == 0:
			return typeErrorf("headerExtensions[%d].id is not an integer from 1 to 255", i)
		case taken[e.ID]:
			return typeErrorf("headerExtensions[%d].id %d is duplicated", i, e.ID)
		}
		taken[e.ID] = true
		if err := e.Parameters.check(); err != nil {
			return within(err, fmt.Sprintf("headerExtensions[%d]", i))
		}
	}
	return nil
}

func checkEncodings(p *RTPParameters) error {
	if err := checkCount("encodings", len(p.Encodings), maxEncodings); err != nil {
		return err
	}
	if len(p.Encodings) == 0 && p.MID == "" {
		return typeErrorf("mid is missing, as are encodings with an ssrc or a rid")
	}
	for i := range p.Encodings {
		if err := p.Encodings[i].check(p.Codecs); err != nil {
			return within(err, fmt.Sprintf("encodings[%d]", i))
		}
		e := &p.Encodings[i]
		if e.SSRC == 0 && e.RID == "" && (len(p.Encodings) > 1 || p.MID == "") {
			return typeErrorf("encodings[%d] has neither ssrc nor rid, so its stream cannot be found", i)
		}
	}
	return checkUniqueStreams(p.Encodings)
}

func (e *RTPEncodingParameters) check(codecs []RTPCodecParameters) error {
	if math.IsNaN(e.ScaleResolutionDownBy) || math.IsInf(e.ScaleResolutionDownBy, 0) {
		return typeErrorf("scaleResolutionDownBy is not a finite number")
	}
	if codec := codecOfEncoding(codecs, e); codec == nil || !isMedia(codec.MimeType) {
		return typeErrorf("codecPayloadType is not the payload type of a media codec")
	}
	return firstError(
		checkToken("rid", e.RID),
		checkText("scalabilityMode", e.ScalabilityMode, maxNameBytes),
	)
}

// codecOfEncoding returns the codec that an encoding uses, or nil.
func codecOfEncoding(codecs []RTPCodecParameters, e *RTPEncodingParameters) *RTPCodecParameters {
	if e.CodecPayloadType == nil {
		return firstMediaCodec(codecs)
	}
	for i := range codecs {
		if codecs[i].PayloadType == *e.CodecPayloadType {
			return &codecs[i]
		}
	}
	return nil
}

// checkUniqueStreams checks that no SSRC and no RID stands for two streams.
func checkUniqueStreams(encodings []RTPEncodingParameters) error {
	ssrcs := make(map[uint32]bool, 2*len(encodings))
	rids := make(map[string]bool, len(encodings))
	for i := range encodings {
		e := &encodings[i]
		if e.SSRC != 0 && ssrcs[e.SSRC] {
			return typeErrorf("encodings[%d].ssrc %d is duplicated", i, e.SSRC)
		}
		ssrcs[e.SSRC] = true
		if e.RTX != nil {
			if e.RTX.SSRC != 0 && ssrcs[e.RTX.SSRC] {
				return typeErrorf("encodings[%d].rtx.ssrc %d is duplicated", i, e.RTX.SSRC)
			}
			ssrcs[e.RTX.SSRC] = true
		}
		if e.RID != "" && rids[e.RID] {
			return typeErrorf("encodings[%d].rid %s is duplicated", i, e.RID)
		}
		rids[e.RID] = true
	}
	return nil
}

// checkLayers checks that the codec of the first encoding can have the layers
// that the encodings have together.
func checkLayers(p *RTPParameters) error {
	if len(p.Encodings) > 1 {
		for i := range p.Encodings {
			if ParseScalabilityMode(p.Encodings[i].ScalabilityMode).SpatialLayers > 1 {
				return typeErrorf("encodings[%d].scalabilityMode has spatial layers, and there are several encodings", i)
			}
		}
	}
	kind := TypeOf(*p)
	if kind == Simple {
		return nil
	}
	mimeType := codecOfEncoding(p.Codecs, &p.Encodings[0]).MimeType
	if !canHaveLayers(mimeType, kind) {
		return typeErrorf("encodings ask for %s, which %s cannot be", kind, mimeType)
	}
	return nil
}
