package ortc

import (
	"encoding/json"
	"os"
	"testing"
)

// h264Golden are pairs of profile-level-ids that are of one profile, with the
// answer of the first to the second without and with level asymmetry.
type h264Golden struct {
	IDs      []string
	Matching [][4]string
}

func readH264Golden(t *testing.T) h264Golden {
	t.Helper()
	data, err := os.ReadFile("testdata/h264.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden h264Golden
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	return golden
}

func h264Parameters(id string, asymmetry any) CodecParameters {
	p := CodecParameters{"level-asymmetry-allowed": asymmetry}
	if id != "" {
		p[profileLevelID] = id
	}
	return p
}

func TestH264ProfilesMatchAsInTheReference(t *testing.T) {
	golden := readH264Golden(t)
	want := map[[2]string]bool{}
	for _, m := range golden.Matching {
		want[[2]string{m[0], m[1]}] = true
	}
	for _, a := range golden.IDs {
		for _, b := range golden.IDs {
			got := sameH264Profile(h264Parameters(a, nil), h264Parameters(b, nil))
			if got != want[[2]string{a, b}] {
				t.Errorf("same profile %q and %q: %v", a, b, got)
			}
		}
	}
}

func TestH264AnswersAsInTheReference(t *testing.T) {
	for _, m := range readH264Golden(t).Matching {
		local, remote, symmetric, asymmetric := m[0], m[1], m[2], m[3]
		if got := h264Answer(h264Parameters(local, 0.0), h264Parameters(remote, 1.0)); got != symmetric {
			t.Errorf("%q answers to %q with %q, want %q", local, remote, got, symmetric)
		}
		if got := h264Answer(h264Parameters(local, 1), h264Parameters(remote, "1")); got != asymmetric {
			t.Errorf("%q answers to %q with asymmetry with %q, want %q", local, remote, got, asymmetric)
		}
	}
}

func TestH264ProfileLevelIsParsed(t *testing.T) {
	tests := map[string]struct {
		profile h264Profile
		level   h264Level
	}{
		"42e01f": {h264ConstrainedBaseline, 31},
		"4D8028": {h264ConstrainedBaseline, 40},
		"58c00a": {h264ConstrainedBaseline, 10},
		"42001f": {h264Baseline, 31},
		"588014": {h264Baseline, 20},
		"4d0032": {h264Main, 50},
		"4d4033": {h264Main, 51},
		"640034": {h264High, 52},
		"640c1f": {h264ConstrainedHigh, 31},
		"f4000d": {h264PredictiveHigh444, 13},
		"42f00b": {h264ConstrainedBaseline, h264Level1b},
		"42e00b": {h264ConstrainedBaseline, 11},
		"4d100b": {h264Main, h264Level1b},
	}
	for s, want := range tests {
		got, ok := parseH264ProfileLevel(s)
		if !ok || got.profile != want.profile || got.level != want.level {
			t.Errorf("%s is %+v, %v", s, got, ok)
		}
	}
	for _, s := range []string{
		"", "42e01", "42e01f0", "42e01g", " 2e01f", "+2e01f", "-bffe1", "0x4201", "4_e01f",
		"42e000", "42e01e00", "42e00c00", "42e0ff", "42e11f", "64011f", "f4081f", "000000", "77e01f",
	} {
		if got, ok := parseH264ProfileLevel(s); ok {
			t.Errorf("%q is taken for %+v", s, got)
		}
	}
}

func TestH264ProfileLevelIsWritten(t *testing.T) {
	for s, want := range map[string]string{
		"42E01F": "42e01f", "58c01f": "42e01f", "4da01f": "42e01f", "428015": "420015",
		"4d4033": "4d0033", "640c2a": "640c2a", "640020": "640020", "f4000a": "f4000a",
		"42700b": "42f00b", "42100b": "42100b", "4d100b": "4d100b", "588014": "420014",
	} {
		p, ok := parseH264ProfileLevel(s)
		if !ok || p.String() != want {
			t.Errorf("%s is written %s (%v), want %s", s, p, ok, want)
		}
	}
	if s := (h264ProfileLevel{h264High, h264Level1b}).String(); s != "" {
		t.Errorf("High has no level 1b, but it is written %s", s)
	}
}

func TestH264Level1bLiesBetween1And11(t *testing.T) {
	tests := []struct{ local, remote, want string }{
		{"42f00b", "42e00a", "42e00a"},
		{"42e00a", "42f00b", "42e00a"},
		{"42f00b", "42e00b", "42f00b"},
		{"42e00b", "42f00b", "42f00b"},
		{"42e01f", "42f00b", "42f00b"},
		{"42f00b", "42f00b", "42f00b"},
	}
	for _, tt := range tests {
		if got := h264Answer(h264Parameters(tt.local, nil), h264Parameters(tt.remote, nil)); got != tt.want {
			t.Errorf("%s answers to %s with %s, want %s", tt.local, tt.remote, got, tt.want)
		}
	}
}

func TestH264ProfileLevelMustBeText(t *testing.T) {
	// As SDP parsers give it that turn everything that looks like a number into
	// one; mediasoup does not take it either.
	if _, ok := h264ProfileLevelOf(CodecParameters{profileLevelID: 420029.0}); ok {
		t.Error("a number is taken for a profile-level-id")
	}
}

func TestH264LevelAsymmetry(t *testing.T) {
	for v, want := range map[any]bool{
		nil: false, 1: true, 1.0: true, uint8(1): true, "1": true, 0: false, "0": false, 2: false, "yes": false,
	} {
		if got := allowsLevelAsymmetry(CodecParameters{"level-asymmetry-allowed": v}); got != want {
			t.Errorf("%T %v allows asymmetry: %v", v, v, got)
		}
	}
}
