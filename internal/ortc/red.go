package ortc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// isRED reports whether a codec is audio in which each packet repeats earlier
// ones (RFC 2198). What it repeats is Opus, and the only such we have.
func isRED(mimeType string) bool { return strings.EqualFold(mimeType, "audio/red") }

// codecInRED returns the codec of which a RED codec's blocks are: the Opus beside
// it with the same clock and channels; nil if there is none. What the format
// parameters say of it is not looked at: clients lose them, as they have no name.
func codecInRED(codecs []RTPCodecParameters, red *RTPCodecParameters) *RTPCodecParameters {
	opus := red.format()
	opus.mimeType = "audio/opus"
	i := slices.IndexFunc(codecs, func(c RTPCodecParameters) bool { return sameCodec(c.format(), opus) })
	if i < 0 {
		return nil
	}
	return &codecs[i]
}

// checkREDCodecs checks that what each RED codec repeats is there.
func checkREDCodecs(codecs []RTPCodecParameters) error {
	for i := range codecs {
		if isRED(codecs[i].MimeType) && codecInRED(codecs, &codecs[i]) == nil {
			return typeErrorf("codecs[%d] is RED, and there is no Opus with its clock rate and channels for it to repeat", i)
		}
	}
	return nil
}

// redParameters are the format parameters of RED with blocks of one payload
// type. In SDP they are a value without a name, as in "a=fmtp:101 100/100"
// (RFC 2198 §5): its name here is empty. mediasoup-client writes "=100/100",
// which libwebrtc takes for the same.
func redParameters(inside uint8) CodecParameters {
	return CodecParameters{"": fmt.Sprintf("%d/%d", inside, inside)}
}

// nameBlocksOfRED puts the payload types of codecs into the parameters of the
// RED codecs among them.
func nameBlocksOfRED(codecs []RTPCodecParameters) {
	for i := range codecs {
		if c := &codecs[i]; isRED(c.MimeType) {
			if opus := codecInRED(codecs, c); opus != nil {
				c.Parameters = maps.Clone(c.Parameters)
				maps.Copy(c.Parameters, redParameters(opus.PayloadType))
			}
		}
	}
}

// RED returns the payload type of RED (RFC 2198) among p's codecs, and that of
// the blocks in it; ok is false if there is none.
func (p RTPParameters) RED() (payloadType, blocks uint8, ok bool) {
	for i := range p.Codecs {
		if c := &p.Codecs[i]; isRED(c.MimeType) {
			if opus := codecInRED(p.Codecs, c); opus != nil {
				return c.PayloadType, opus.PayloadType, true
			}
		}
	}
	return 0, 0, false
}
