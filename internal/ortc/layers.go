package ortc

import "strings"

// ScalabilityMode is the number of layers inside one stream (W3C webrtc-svc).
type ScalabilityMode struct {
	// SpatialLayers and TemporalLayers are at least 1.
	SpatialLayers, TemporalLayers int
	// KSVC is whether the spatial layers depend on each other in keyframes only.
	KSVC bool
}

// ParseScalabilityMode reads a mode such as "L3T3_KEY" or "S2T1". What follows
// the known part ("h", "_SHIFT") is ignored, as mediasoup ignores it, and a
// string that is no mode is one layer of each.
func ParseScalabilityMode(s string) ScalabilityMode {
	none := ScalabilityMode{SpatialLayers: 1, TemporalLayers: 1}
	if s == "" || s[0] != 'L' && s[0] != 'S' {
		return none
	}
	spatial, rest := layerCount(s[1:])
	if spatial == 0 || rest == "" || rest[0] != 'T' {
		return none
	}
	temporal, rest := layerCount(rest[1:])
	if temporal == 0 {
		return none
	}
	ksvc := strings.HasPrefix(rest, "_KEY")
	return ScalabilityMode{SpatialLayers: spatial, TemporalLayers: temporal, KSVC: ksvc}
}

// layerCount takes one or two digits, the first not 0, off the front of s.
func layerCount(s string) (count int, rest string) {
	for len(s) > 0 && s[0] >= '0' && s[0] <= '9' && count < 10 && (count > 0 || s[0] != '0') {
		count = count*10 + int(s[0]-'0')
		s = s[1:]
	}
	return count, s
}

// TypeOf returns how the streams of valid parameters relate to one another:
// several encodings are simulcast, one with layers inside is svc.
func TypeOf(p RTPParameters) ProducerType {
	switch len(p.Encodings) {
	case 0:
		return Simple
	case 1:
		mode := ParseScalabilityMode(p.Encodings[0].ScalabilityMode)
		if mode.SpatialLayers > 1 || mode.TemporalLayers > 1 {
			return SVC
		}
		return Simple
	}
	return Simulcast
}

// canHaveLayers reports whether a codec is one whose layers can be told apart
// when its streams are of that type. mediasoup takes VP9 and AV1 for svc only;
// browsers send simulcast of them too.
func canHaveLayers(mimeType string, t ProducerType) bool {
	switch {
	case t == Simple:
		return true
	case strings.EqualFold(mimeType, "video/VP8"), strings.EqualFold(mimeType, "video/VP9"),
		isH264(mimeType), isH265(mimeType), strings.EqualFold(mimeType, "video/AV1"):
		return true
	}
	return false
}
