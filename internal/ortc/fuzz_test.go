package ortc_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/ortc"
)

// FuzzNegotiation takes what a sender and a receiver send through everything.
// Nothing may panic, errors are of ours, and what is valid stays so: on the
// wire, when validated again, and as a consumer's parameters.
func FuzzNegotiation(f *testing.F) {
	for _, name := range []string{"chromium", "firefox"} {
		b := readBrowser(f, name)
		caps, err := json.Marshal(b.RTPCapabilities)
		if err != nil {
			f.Fatal(err)
		}
		for _, p := range b.Producers {
			params, err := json.Marshal(p.RTPParameters)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(params, caps)
		}
	}
	f.Add([]byte(`{"mid":"0","codecs":[{"mimeType":"audio/PCMU","payloadType":0,"clockRate":8000}]}`), []byte(`{}`))
	f.Add([]byte(`{"codecs":null}`), []byte(`{"codecs":[{"mimeType":"video/rtx","clockRate":90000,"parameters":{"apt":0}}]}`))
	f.Add([]byte(`{"codecs":[{"mimeType":"video/rtx","payloadType":5,"clockRate":90000,"parameters":{"apt":5}}]}`), []byte(`[]`))
	router := demoRouter(f)
	f.Fuzz(func(t *testing.T, params, caps []byte) {
		var p ortc.RTPParameters
		if !understand(t, params, &p, ortc.ValidateRTPParameters) {
			return
		}
		var c ortc.RTPCapabilities
		if !understand(t, caps, &c, ortc.ValidateRTPCapabilities) {
			c = router
		}
		m, err := ortc.ProducerRTPMapping(p, router)
		if err != nil {
			isOurs(t, err)
			return
		}
		for _, kind := range []ortc.MediaKind{ortc.Audio, ortc.Video} {
			consume(t, ortc.ConsumableRTPParameters(kind, p, router, m), c)
		}
		isValid(t, ortc.AcceptedRTPParameters(p, router, m), ortc.ValidateRTPParameters)
	})
}

// understand decodes and validates data, and reports whether both succeed.
func understand[T any](t *testing.T, data []byte, out *T, validate func(*T) error) bool {
	if err := json.Unmarshal(data, out); err != nil {
		if syntax := new(json.SyntaxError); !errors.As(err, &syntax) {
			isOurs(t, err)
		}
		return false
	}
	if err := validate(out); err != nil {
		isOurs(t, err)
		return false
	}
	isValid(t, *out, validate)
	return true
}

func isOurs(t *testing.T, err error) {
	t.Helper()
	var e *ortc.Error
	if !errors.As(err, &e) || e.Message == "" {
		t.Fatalf("%v is a %T", err, err)
	}
}

// isValid checks that a value is valid, complete, and the same after a trip over
// the wire.
func isValid[T any](t *testing.T, v T, validate func(*T) error) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back T
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if err := validate(&back); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if !reflect.DeepEqual(v, back) {
		t.Fatalf("changed on the way: %s", cmp.Diff(v, back))
	}
}

func consume(t *testing.T, consumable ortc.RTPParameters, caps ortc.RTPCapabilities) {
	can, err := ortc.CanConsume(consumable, caps)
	if err != nil {
		t.Fatalf("valid capabilities: %v", err)
	}
	for _, pipe := range []bool{false, true} {
		got, err := ortc.ConsumerRTPParameters(consumable, caps, ortc.ConsumerOptions{MID: "1", Pipe: pipe, SSRC: ssrcsFrom(1)})
		if (err == nil) != can {
			t.Fatalf("can consume: %v, but consuming says %v", can, err)
		}
		if err != nil {
			isOurs(t, err)
			continue
		}
		isValid(t, got, ortc.ValidateRTPParameters)
	}
	isValid(t, ortc.PipeConsumerRTPParameters(consumable, true, ssrcsFrom(1)), ortc.ValidateRTPParameters)
}

// FuzzRouter makes routers of what an application asks for.
func FuzzRouter(f *testing.F) {
	var cases []routerCase
	readGolden(f, "routers.json", &cases)
	for _, c := range cases {
		f.Add([]byte(c.MediaCodecs))
	}
	f.Fuzz(func(t *testing.T, mediaCodecs []byte) {
		var codecs []ortc.RTPCodecCapability
		if json.Unmarshal(mediaCodecs, &codecs) != nil {
			return
		}
		caps, err := ortc.RouterRTPCapabilities(codecs)
		if err != nil {
			isOurs(t, err)
			return
		}
		isValid(t, caps, ortc.ValidateRTPCapabilities)
		checkRouter(t, caps)
	})
}
