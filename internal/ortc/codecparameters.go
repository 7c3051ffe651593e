package ortc

import "math"

// CodecParameters are the format parameters of a codec or a header extension by
// name. Values are strings and numbers as encoding/json decodes them (float64);
// other Go numbers are accepted and become float64 when validated. The number 1
// and the string "1" are different values, as they are in mediasoup.
type CodecParameters map[string]any

// Int returns the named number, or def if there is none or it is not an integer.
func (p CodecParameters) Int(name string, def int) int {
	n, ok := number(p[name])
	if !ok || n != math.Trunc(n) || math.Abs(n) > maxSafeInteger {
		return def
	}
	return int(n)
}

// String returns the named string, or "" if there is none.
func (p CodecParameters) String(name string) string {
	s, _ := p[name].(string)
	return s
}

// number returns the value of any Go number as JSON would have it.
func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	case float32:
		return float64(n), true
	case int8:
		return float64(n), true
	case int16:
		return float64(n), true
	case int32:
		return float64(n), true
	case int64:
		return float64(n), true
	case uint:
		return float64(n), true
	case uint8:
		return float64(n), true
	case uint16:
		return float64(n), true
	case uint32:
		return float64(n), true
	case uint64:
		return float64(n), true
	}
	return 0, false
}
