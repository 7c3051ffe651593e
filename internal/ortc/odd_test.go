package ortc_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/ortc"
)

// oddValues is every field of good parameters and capabilities with every kind
// of odd value in it, and what mediasoup makes of each.
type oddValues struct {
	Values          map[string]any
	RTPParameters   json.RawMessage
	RTPCapabilities json.RawMessage
	Cases           []struct {
		What, Path, Value string
		Error             string
		Output            map[string]any // the top-level field only
	}
}

// strictness is where we refuse what mediasoup's JavaScript lets pass, because
// its worker, its wire format or RTP would refuse it or take it for another value.
var strictness = []struct {
	why          string
	path, values *regexp.Regexp
}{
	{"RTP has no room for the number", regexp.MustCompile(`([tT]ype|clockRate|channels|[iI]d|ssrc|maxBitrate)$`), regexp.MustCompile(`^(zero|one|negative|fraction|large)$`)},
	{"RTX without its codec", regexp.MustCompile(`codecs\[1\]\.parameters(\.apt)?$`), regexp.MustCompile(``)},
	{"no media codec", regexp.MustCompile(`codecs(\[0\])?$`), regexp.MustCompile(`^(list|missing)$`)},
	{"not a number", regexp.MustCompile(`(codecPayloadType|maxBitrate)$`), regexp.MustCompile(`^(text|yes|object|list.*)$`)},
	{"an array is no object", regexp.MustCompile(`(parameters|encodings\[0\]|rtcp)$`), regexp.MustCompile(`^list`)},
}

// tolerance is where we take for missing what mediasoup does not: it fails to
// encode the first for its worker, and compares the second with every codec's
// channels in vain.
var tolerance = map[string]bool{
	"rtpParameters.encodings[0].maxBitrate null": true,
	"rtpCapabilities.codecs[0].channels zero":    true,
}

func TestOddValuesAreTakenAsMediasoupTakesThem(t *testing.T) {
	var odd oddValues
	readGolden(t, "odd_values.json", &odd)
	used := map[string]bool{}
	for _, c := range odd.Cases {
		name := c.What + "." + c.Path + " " + c.Value
		t.Run(name, func(t *testing.T) {
			base := odd.RTPParameters
			if c.What == "rtpCapabilities" {
				base = odd.RTPCapabilities
			}
			v, given := odd.Values[c.Value]
			got, err := validate(c.What, withValue(t, base, c.Path, v, given))
			switch {
			case tolerance[name]:
				if err != nil {
					t.Errorf("not tolerated: %v", err)
				}
				return
			case err != nil && c.Error == "":
				why := reasonToBeStrict(c.Path, c.Value)
				if why == "" {
					t.Errorf("mediasoup accepts it, we do not: %v", err)
				}
				used[why] = true
			case err == nil && c.Error != "":
				t.Errorf("we accept it, mediasoup throws a %s", c.Error)
			}
			if err != nil {
				if name := errorName(t, err); name != "TypeError" {
					t.Errorf("error is a %s", name)
				}
				if !strings.HasPrefix(err.Error(), c.What+".") {
					t.Errorf("error %q does not name the field", err)
				}
				return
			}
			out := asJSON(t, got).(map[string]any)
			for name, want := range c.Output {
				if d := cmp.Diff(forget(withoutEmpty(want, out[name])), out[name]); d != "" {
					t.Error(d)
				}
			}
		})
	}
	for _, s := range strictness {
		if !used[s.why] {
			t.Errorf("never strict because %q", s.why)
		}
	}
}

func reasonToBeStrict(path, value string) string {
	for _, s := range strictness {
		if s.path.MatchString(path) && s.values.MatchString(value) {
			return s.why
		}
	}
	return ""
}

// withoutEmpty removes from mediasoup's answer the fields with an empty value
// that ours leave out, for JavaScript takes them for missing.
func withoutEmpty(want, got any) any {
	switch want := want.(type) {
	case nil, bool, string, float64:
		if got == nil && (want == nil || want == false || want == "" || want == 0.0) {
			return nil
		}
	case map[string]any:
		got, _ := got.(map[string]any)
		for name, inner := range want {
			if want[name] = withoutEmpty(inner, got[name]); want[name] == nil {
				delete(want, name)
			}
		}
	case []any:
		if object, ok := got.(map[string]any); ok && len(want) == 0 {
			return object // an array of no parameters
		}
		got, _ := got.([]any)
		for i := range min(len(want), len(got)) {
			want[i] = withoutEmpty(want[i], got[i])
		}
	}
	return want
}

func validate(what string, input []byte) (any, error) {
	if what == "rtpCapabilities" {
		var caps ortc.RTPCapabilities
		if err := json.Unmarshal(input, &caps); err != nil {
			return nil, err
		}
		return caps, ortc.ValidateRTPCapabilities(&caps)
	}
	var params ortc.RTPParameters
	if err := json.Unmarshal(input, &params); err != nil {
		return nil, err
	}
	return params, ortc.ValidateRTPParameters(&params)
}

// withValue returns the JSON document with another value at path, or with
// nothing there.
func withValue(t *testing.T, doc []byte, path string, v any, given bool) []byte {
	t.Helper()
	var root any
	if err := json.Unmarshal(doc, &root); err != nil {
		t.Fatal(err)
	}
	keys := strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) })
	root = replace(root, keys, v, given)
	out, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func replace(node any, keys []string, v any, given bool) any {
	if len(keys) == 0 {
		return v
	}
	last := len(keys) == 1 && !given
	switch node := node.(type) {
	case map[string]any:
		node = maps.Clone(node)
		if last {
			delete(node, keys[0])
		} else {
			node[keys[0]] = replace(node[keys[0]], keys[1:], v, given)
		}
		return node
	case []any:
		i, err := strconv.Atoi(keys[0])
		if err != nil {
			panic(err)
		}
		if last {
			return slices.Delete(slices.Clone(node), i, i+1)
		}
		node = slices.Clone(node)
		node[i] = replace(node[i], keys[1:], v, given)
		return node
	}
	panic("no such path")
}
