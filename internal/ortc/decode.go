package ortc

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// What browsers, backends and old clients send is decoded with the tolerance of
// mediasoup, which encoding/json does not have: unknown fields, null and other
// empty values where a field is optional, and in a few places values of a wrong
// type mean "not given". Everything else that does not fit is an *Error which
// names the field by its path.

// UnmarshalJSON decodes capabilities as an endpoint sends them. It does not
// validate or complete them; ValidateRTPCapabilities does.
func (c *RTPCapabilities) UnmarshalJSON(data []byte) error {
	return unmarshal(data, c, capabilitiesPath)
}

// UnmarshalJSON decodes one codec, such as a router is made from.
func (c *RTPCodecCapability) UnmarshalJSON(data []byte) error {
	return unmarshal(data, c, "codec")
}

// UnmarshalJSON decodes parameters as an endpoint sends them. It does not
// validate or complete them; ValidateRTPParameters does.
func (p *RTPParameters) UnmarshalJSON(data []byte) error {
	return unmarshal(data, p, parametersPath)
}

// The names of the whole in errors: those of the message fields they come in.
const (
	capabilitiesPath = "rtpCapabilities"
	parametersPath   = "rtpParameters"
)

// decodable is a pointer to T that can take over a decoded JSON object.
type decodable[T any] interface {
	*T
	decode(f *fields)
}

// unmarshal replaces *out by what data says. As elsewhere in JSON decoding,
// null leaves it as it is.
func unmarshal[T any, P decodable[T]](data []byte, out P, path string) error {
	var f fields
	var v any
	err := json.Unmarshal(data, &v)
	if tooLarge := new(json.UnmarshalTypeError); errors.As(err, &tooLarge) {
		f.fail(path, "holds a "+tooLarge.Value+", which is out of range")
		return f.err
	}
	if err != nil || v == nil {
		return err
	}
	var value T
	if err := decodeObject[T, P](v, &value); err != nil {
		f.failWithin(err, path)
		return f.err
	}
	*out = value
	return nil
}

func (c *RTPCapabilities) decode(f *fields) {
	c.Codecs = list[RTPCodecCapability](f, "codecs")
	c.HeaderExtensions = list[RTPHeaderExtension](f, "headerExtensions")
}

func (c *RTPCodecCapability) decode(f *fields) {
	c.Kind = MediaKind(f.looseText("kind")) // MimeType decides
	c.MimeType = f.text("mimeType")
	c.PreferredPayloadType = f.payloadType("preferredPayloadType")
	c.ClockRate = uint32(f.requiredInteger("clockRate", 1, math.MaxUint32))
	c.Channels = f.channels()
	c.Parameters = f.parameters()
	c.RTCPFeedback = f.feedback()
}

func (e *RTPHeaderExtension) decode(f *fields) {
	e.Kind = MediaKind(f.looseText("kind"))
	e.URI = f.text("uri")
	e.PreferredID = uint8(f.requiredInteger("preferredId", 1, maxExtensions))
	e.PreferredEncrypt = f.flag("preferredEncrypt")
	e.Direction = f.text("direction")
}

func (fb *RTCPFeedback) decode(f *fields) {
	fb.Type = f.text("type")
	fb.Parameter = f.looseText("parameter")
}

func (p *RTPParameters) decode(f *fields) {
	p.MID = f.text("mid")
	if _, ok := f.values["codecs"].([]any); !ok {
		f.fail("codecs", "is missing or not an array")
	}
	p.Codecs = list[RTPCodecParameters](f, "codecs")
	p.HeaderExtensions = list[RTPHeaderExtensionParameters](f, "headerExtensions")
	p.Encodings = list[RTPEncodingParameters](f, "encodings")
	if rtcp := optional[RTCPParameters](f, "rtcp"); rtcp != nil {
		p.RTCP = *rtcp
	}
	p.MSID = f.text("msid")
}

func (c *RTPCodecParameters) decode(f *fields) {
	c.MimeType = f.text("mimeType")
	c.PayloadType = uint8(f.requiredInteger("payloadType", 0, maxPayloadType))
	c.ClockRate = uint32(f.requiredInteger("clockRate", 1, math.MaxUint32))
	c.Channels = f.channels()
	c.Parameters = f.parameters()
	c.RTCPFeedback = f.feedback()
}

func (e *RTPHeaderExtensionParameters) decode(f *fields) {
	e.URI = f.text("uri")
	e.ID = uint8(f.requiredInteger("id", 1, maxExtensions))
	e.Encrypt = f.flag("encrypt")
	e.Parameters = f.parameters()
}

func (e *RTPEncodingParameters) decode(f *fields) {
	e.SSRC = uint32(f.integer("ssrc", 0, math.MaxUint32))
	e.RID = f.text("rid")
	e.CodecPayloadType = f.payloadType("codecPayloadType")
	e.RTX = optional[RTXParameters](f, "rtx")
	e.DTX, _ = f.values["dtx"].(bool)
	e.ScalabilityMode = f.text("scalabilityMode")
	e.ScaleResolutionDownBy, _ = f.values["scaleResolutionDownBy"].(float64)
	e.MaxBitrate = f.integer("maxBitrate", 0, maxSafeInteger)
}

func (x *RTXParameters) decode(f *fields) {
	x.SSRC = uint32(f.requiredInteger("ssrc", 0, math.MaxUint32))
}

func (r *RTCPParameters) decode(f *fields) {
	r.CNAME = f.text("cname")
	r.ReducedSize = f.boolean("reducedSize")
	r.Mux = f.boolean("mux")
}

// maxSafeInteger is the largest number that JSON's doubles hold exactly.
const maxSafeInteger = 1<<53 - 1

// fields reads the fields of one JSON object. The first error sticks, so that a
// decode method can be a plain list.
type fields struct {
	values map[string]any
	err    error
}

func (f *fields) fail(name, problem string) {
	if f.err == nil {
		f.err = typeErrorf("%s %s", name, problem)
	}
}

func (f *fields) failWithin(err error, path string) {
	switch {
	case f.err != nil:
	case err == errNotObject:
		f.fail(path, err.Error())
	default:
		f.err = within(err, path)
	}
}

// empty is what JavaScript takes for false: the value of a field not given.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	}
	n, ok := number(v)
	return ok && n == 0
}

// text is a string that may be missing.
func (f *fields) text(name string) string {
	v := f.values[name]
	s, ok := v.(string)
	if !ok && !empty(v) {
		f.fail(name, "is not a string")
	}
	return s
}

// looseText is a string; anything else counts as missing.
func (f *fields) looseText(name string) string {
	s, _ := f.values[name].(string)
	return s
}

// flag is a boolean that may be missing.
func (f *fields) flag(name string) bool {
	v := f.values[name]
	b, ok := v.(bool)
	if !ok && !empty(v) {
		f.fail(name, "is not a boolean")
	}
	return b
}

// boolean is a boolean; anything else counts as missing.
func (f *fields) boolean(name string) *bool {
	if b, ok := f.values[name].(bool); ok {
		return &b
	}
	return nil
}

// integer is a whole number from low to high, or 0 if it is missing.
func (f *fields) integer(name string, low, high uint64) uint64 {
	v := f.values[name]
	n, ok := v.(float64)
	switch {
	case !ok && empty(v):
		return 0
	case !ok:
		f.fail(name, "is not a number")
		return 0
	case n < float64(low) || n > float64(high) || n != math.Trunc(n):
		f.fail(name, fmt.Sprintf("is not an integer from %d to %d", low, high))
		return 0
	}
	return uint64(n)
}

// requiredInteger is a whole number from low to high.
func (f *fields) requiredInteger(name string, low, high uint64) uint64 {
	if _, ok := f.values[name].(float64); !ok {
		f.fail(name, "is missing or not a number")
		return 0
	}
	return f.integer(name, low, high)
}

// payloadType is a payload type that may be missing; 0 is a value (PCMU).
func (f *fields) payloadType(name string) *uint8 {
	n := uint8(f.integer(name, 0, maxPayloadType))
	if _, given := f.values[name].(float64); !given || f.err != nil {
		return nil
	}
	return &n
}

// channels is a small number; anything that is no number counts as missing.
func (f *fields) channels() uint8 {
	if _, ok := f.values["channels"].(float64); !ok {
		return 0
	}
	return uint8(f.integer("channels", 0, math.MaxUint8))
}

// parameters is an object of strings and numbers. What is neither object nor
// array counts as empty, and so does an empty array, which is how PHP encodes an
// empty object. The values are checked when the whole is validated.
func (f *fields) parameters() CodecParameters {
	switch v := f.values["parameters"].(type) {
	case map[string]any:
		return v
	case []any:
		if len(v) > 0 {
			f.fail("parameters", "is not an object")
		}
	}
	return CodecParameters{}
}

// feedback is a list; what is no list counts as empty.
func (f *fields) feedback() []RTCPFeedback {
	if _, ok := f.values["rtcpFeedback"].([]any); !ok {
		return []RTCPFeedback{}
	}
	return list[RTCPFeedback](f, "rtcpFeedback")
}

// list is an array of objects that may be missing.
func list[T any, P decodable[T]](f *fields, name string) []T {
	v := f.values[name]
	values, ok := v.([]any)
	if !ok && !empty(v) {
		f.fail(name, "is not an array")
	}
	out := make([]T, len(values))
	for i, v := range values {
		if err := decodeObject[T, P](v, &out[i]); err != nil {
			f.failWithin(err, fmt.Sprintf("%s[%d]", name, i))
			break
		}
	}
	return out
}

// optional is an object that may be missing.
func optional[T any, P decodable[T]](f *fields, name string) *T {
	v := f.values[name]
	if empty(v) {
		return nil
	}
	out := new(T)
	if err := decodeObject[T, P](v, out); err != nil {
		f.failWithin(err, name)
		return nil
	}
	return out
}

// errNotObject stands for an error about the value itself, not a field of it.
var errNotObject = errors.New("is not an object")

func decodeObject[T any, P decodable[T]](v any, out P) error {
	values, ok := v.(map[string]any)
	if !ok {
		return errNotObject
	}
	f := fields{values: values}
	out.decode(&f)
	return f.err
}
