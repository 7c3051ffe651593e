package ortc

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
	ksvc := len(rest) >= len("_KEY") && rest[:len("_KEY")] == "_KEY"
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
