package ortc

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// Limits of what is accepted. They are far above what any client sends, and
// there to bound the work and the memory that a hostile message can cause.
const (
	maxPayloadType = 127 // RFC 3550 §5.1

	maxCapabilityCodecs = 256 // browsers list about 40
	maxExtensions       = 255 // ids are 1 to 255, RFC 8285 §4.3
	maxEncodings        = 32
	maxParameters       = 64 // per codec or header extension
	maxFeedback         = 64 // per codec

	maxNameBytes  = 255  // what a header extension or an SDES item holds
	maxValueBytes = 4096 // H264's sprop-parameter-sets are the longest
)

// ValidateRTPCapabilities checks the capabilities of an endpoint and completes
// them in place with the defaults: empty lists, the kind of each codec by its
// MIME type, one channel for audio and none for video, direction sendrecv, and
// numbers in parameters as float64. A failed call may have completed a part.
func ValidateRTPCapabilities(c *RTPCapabilities) error {
	if err := checkCapabilities(c); err != nil {
		return within(err, capabilitiesPath)
	}
	c.Codecs = present(c.Codecs)
	for i := range c.Codecs {
		c.Codecs[i].complete()
	}
	c.HeaderExtensions = present(c.HeaderExtensions)
	for i := range c.HeaderExtensions {
		if c.HeaderExtensions[i].Direction == "" {
			c.HeaderExtensions[i].Direction = DirectionSendRecv
		}
	}
	return nil
}

func (c *RTPCodecCapability) complete() {
	c.Kind = kindOf(c.MimeType)
	c.Channels = channels(c.MimeType, c.Channels)
	c.Parameters = c.Parameters.complete()
	c.RTCPFeedback = present(c.RTCPFeedback)
}

// complete returns p itself with every number a float64, or an empty set for nil.
func (p CodecParameters) complete() CodecParameters {
	if p == nil {
		return CodecParameters{}
	}
	for name, v := range p {
		if _, done := v.(float64); done {
			continue
		}
		if n, ok := number(v); ok {
			p[name] = n
		}
	}
	return p
}

// checkCapabilities is the part of ValidateRTPCapabilities that changes nothing.
func checkCapabilities(c *RTPCapabilities) error {
	if err := checkCount("codecs", len(c.Codecs), maxCapabilityCodecs); err != nil {
		return err
	}
	for i := range c.Codecs {
		if err := c.Codecs[i].check(); err != nil {
			return within(err, fmt.Sprintf("codecs[%d]", i))
		}
	}
	// Twice as many as there are ids: for audio and for video.
	if err := checkCount("headerExtensions", len(c.HeaderExtensions), 2*maxExtensions); err != nil {
		return err
	}
	for i := range c.HeaderExtensions {
		if err := c.HeaderExtensions[i].check(); err != nil {
			return within(err, fmt.Sprintf("headerExtensions[%d]", i))
		}
	}
	return nil
}

func (c *RTPCodecCapability) check() error {
	if c.PreferredPayloadType != nil && *c.PreferredPayloadType > maxPayloadType {
		return typeErrorf("preferredPayloadType is not an integer from 0 to %d", maxPayloadType)
	}
	return checkCodec(c.MimeType, c.ClockRate, c.Parameters, c.RTCPFeedback)
}

// checkCodec checks what capabilities and parameters of codecs have in common.
func checkCodec(mimeType string, clockHz uint32, p CodecParameters, fb []RTCPFeedback) error {
	if mimeType == "" {
		return typeErrorf("mimeType is missing")
	}
	if _, _, ok := splitMime(mimeType); !ok || len(mimeType) > maxNameBytes {
		return typeErrorf("mimeType is not audio/… or video/…")
	}
	if clockHz == 0 {
		return typeErrorf("clockRate is missing")
	}
	if err := p.check(); err != nil {
		return err
	}
	return checkFeedback(fb)
}

func (p CodecParameters) check() error {
	if err := checkCount("parameters", len(p), maxParameters); err != nil {
		return err
	}
	for name, v := range p {
		if err := checkText("a name in parameters", name, maxNameBytes); err != nil {
			return err
		}
		if err := checkValue(name, v); err != nil {
			return within(err, "parameters")
		}
		// RTX finds its codec by this number (RFC 4588 §8.1).
		if _, ok := number(v); name == apt && !ok {
			return typeErrorf("parameters.%s is not a number", apt)
		}
	}
	return nil
}

const apt = "apt"

// checkValue accepts the values that format parameters can have.
func checkValue(name string, v any) error {
	if s, ok := v.(string); ok {
		return checkText(name, s, maxValueBytes)
	}
	n, ok := number(v)
	if !ok || math.IsNaN(n) || math.IsInf(n, 0) {
		return typeErrorf("%s is not a string or a finite number", name)
	}
	return nil
}

func checkFeedback(feedback []RTCPFeedback) error {
	if err := checkCount("rtcpFeedback", len(feedback), maxFeedback); err != nil {
		return err
	}
	for i, fb := range feedback {
		if fb.Type == "" {
			return typeErrorf("rtcpFeedback[%d].type is missing", i)
		}
		if err := firstError(
			checkText("type", fb.Type, maxNameBytes),
			checkText("parameter", fb.Parameter, maxNameBytes),
		); err != nil {
			return within(err, fmt.Sprintf("rtcpFeedback[%d]", i))
		}
	}
	return nil
}

func (e *RTPHeaderExtension) check() error {
	if e.Kind != Audio && e.Kind != Video {
		return typeErrorf("kind is not audio or video")
	}
	if e.URI == "" {
		return typeErrorf("uri is missing")
	}
	if e.PreferredID == 0 {
		return typeErrorf("preferredId is not an integer from 1 to 255")
	}
	return firstError(
		checkText("uri", e.URI, maxNameBytes),
		checkText("direction", e.Direction, maxNameBytes),
	)
}

// checkText refuses what cannot stand in a line of SDP: an endpoint's strings
// travel on to others, some of whom speak nothing else.
func checkText(name, s string, limit int) error {
	if len(s) > limit {
		return typeErrorf("%s is longer than %d bytes", name, limit)
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return typeErrorf("%s has a control character", name)
		}
	}
	if !utf8.ValidString(s) {
		return typeErrorf("%s is not UTF-8", name)
	}
	return nil
}

// checkToken refuses what is no token of SDP (RFC 8866 §9), in short: spaces and
// all that is not ASCII.
func checkToken(name, s string) error {
	if len(s) > maxNameBytes {
		return typeErrorf("%s is longer than %d bytes", name, maxNameBytes)
	}
	if !isToken(s) {
		return typeErrorf("%s has a character other than printable ASCII", name)
	}
	return nil
}

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func checkCount(name string, n, limit int) error {
	if n > limit {
		return typeErrorf("%s has %d entries, more than %d", name, n, limit)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
