package ortc_test

import (
	"regexp"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/ortc"
)

func TestScalabilityModeIsParsed(t *testing.T) {
	tests := map[string]ortc.ScalabilityMode{
		"L1T1":           {SpatialLayers: 1, TemporalLayers: 1},
		"L1T3":           {SpatialLayers: 1, TemporalLayers: 3},
		"L3T2":           {SpatialLayers: 3, TemporalLayers: 2},
		"S2T1":           {SpatialLayers: 2, TemporalLayers: 1},
		"L3T3_KEY":       {SpatialLayers: 3, TemporalLayers: 3, KSVC: true},
		"L3T3_KEY_SHIFT": {SpatialLayers: 3, TemporalLayers: 3, KSVC: true},
		"L2T2h":          {SpatialLayers: 2, TemporalLayers: 2},
		"S3T3_KE":        {SpatialLayers: 3, TemporalLayers: 3},
		"L20T3":          {SpatialLayers: 20, TemporalLayers: 3},
		"L4T123":         {SpatialLayers: 4, TemporalLayers: 12},
	}
	for s, want := range tests {
		if got := ortc.ParseScalabilityMode(s); got != want {
			t.Errorf("%s is %+v, want %+v", s, got, want)
		}
	}
	one := ortc.ScalabilityMode{SpatialLayers: 1, TemporalLayers: 1}
	for _, s := range []string{"", "L", "L3", "L3T", "T3", "L0T3", "L3T0", "L03T3", "L200T3", "l3t3", " L3T3", "LT3", "X3T3", "L-3T3", "L3_KEY"} {
		if got := ortc.ParseScalabilityMode(s); got != one {
			t.Errorf("%q is %+v, want one layer", s, got)
		}
	}
}

// mediasoupMode is mediasoup's definition of a scalability mode.
var mediasoupMode = regexp.MustCompile(`^[LS]([1-9]\d?)T([1-9]\d?)(_KEY)?`)

func TestScalabilityModeIsMediasoups(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[LSX]?[0-9]{0,3}T?[0-9]{0,3}(_KEY|_K|h)?`).Draw(t, "mode")
		want := ortc.ScalabilityMode{SpatialLayers: 1, TemporalLayers: 1}
		if m := mediasoupMode.FindStringSubmatch(s); m != nil {
			want.SpatialLayers, _ = strconv.Atoi(m[1])
			want.TemporalLayers, _ = strconv.Atoi(m[2])
			want.KSVC = m[3] != ""
		}
		if got := ortc.ParseScalabilityMode(s); got != want {
			t.Fatalf("%q is %+v, want %+v", s, got, want)
		}
	})
}

func TestTypeOf(t *testing.T) {
	mode := func(modes ...string) (p ortc.RTPParameters) {
		for _, m := range modes {
			p.Encodings = append(p.Encodings, ortc.RTPEncodingParameters{ScalabilityMode: m})
		}
		return p
	}
	tests := []struct {
		params ortc.RTPParameters
		want   ortc.ProducerType
	}{
		{mode(), ortc.Simple},
		{mode(""), ortc.Simple},
		{mode("L1T1"), ortc.Simple},
		{mode("best"), ortc.Simple},
		{mode("L1T2"), ortc.SVC},
		{mode("S3T1"), ortc.SVC},
		{mode("L3T3_KEY"), ortc.SVC},
		{mode("", ""), ortc.Simulcast},
		{mode("L1T3", "L1T3", "L1T3"), ortc.Simulcast},
	}
	for _, tt := range tests {
		if got := ortc.TypeOf(tt.params); got != tt.want {
			t.Errorf("%+v is %s, want %s", tt.params.Encodings, got, tt.want)
		}
	}
}
