package ortc_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/ortc"
)

// The files in testdata are what mediasoup 3.27.1 computes, and what browsers
// with mediasoup-client send it. See testdata/README.md.

// readGolden decodes a file of testdata into out.
func readGolden(t testing.TB, name string, out any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// asJSON encodes v and decodes it again into maps and lists.
func asJSON(t testing.TB, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// forget removes from mediasoup's answers what ours leave out: an encoding's
// "active", of which no type of mediasoup's knows, and "dtx" when it is false.
func forget(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "active")
		if v["dtx"] == false {
			delete(v, "dtx")
		}
		for _, inner := range v {
			forget(inner)
		}
	case []any:
		for _, inner := range v {
			forget(inner)
		}
	}
	return v
}

// diff compares an answer with mediasoup's as JSON, so that it tells a missing
// field from an empty one.
func diff(t testing.TB, want, got any) string {
	t.Helper()
	return cmp.Diff(forget(want), asJSON(t, got))
}

// errorName returns mediasoup's name for the kind of an error.
func errorName(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *ortc.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is not an *ortc.Error but a %T", err, err)
	}
	if e.Kind == ortc.InvalidState {
		return "Error" // mediasoup has no class for it
	}
	return e.Kind.String()
}

// ssrcsFrom returns a function that counts up from first.
func ssrcsFrom(first uint32) func() uint32 {
	next := first
	return func() uint32 {
		next++
		return next - 1
	}
}

// deviate makes of mediasoup's capabilities ours: the one place where they
// differ on purpose.
func deviate(v any) any {
	capabilities, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for _, e := range capabilities["headerExtensions"].([]any) {
		if e := e.(map[string]any); e["uri"] == ortc.URIDependencyDescriptor {
			e["direction"] = ortc.DirectionSendRecv
		}
	}
	return v
}

// ours tells the codecs that mediasoup does not have.
func ours(c ortc.RTPCodecCapability) bool {
	return c.MimeType == "video/H265" || c.MimeType == "audio/red"
}

func TestSupportedCapabilitiesAreMediasoups(t *testing.T) {
	var want any
	readGolden(t, "supported.json", &want)
	got := ortc.SupportedRTPCapabilities()
	all := len(got.Codecs)
	got.Codecs = slices.DeleteFunc(got.Codecs, ours)
	if len(got.Codecs) != all-2 {
		t.Errorf("%d codecs beyond mediasoup's, want H265 and RED", all-len(got.Codecs))
	}
	if d := diff(t, deviate(want), got); d != "" {
		t.Error(d)
	}
}

type routerCase struct {
	Name         string
	MediaCodecs  json.RawMessage
	Capabilities any
	Error        string
}

func TestRouterCapabilitiesAreMediasoups(t *testing.T) {
	var cases []routerCase
	readGolden(t, "routers.json", &cases)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			var mediaCodecs []ortc.RTPCodecCapability
			err := json.Unmarshal(c.MediaCodecs, &mediaCodecs)
			var got ortc.RTPCapabilities
			if err == nil {
				got, err = ortc.RouterRTPCapabilities(mediaCodecs)
			}
			if name := errorName(t, err); name != c.Error {
				t.Fatalf("error is %q (%v), mediasoup's is %q", name, err, c.Error)
			}
			if err != nil {
				return
			}
			if d := diff(t, deviate(c.Capabilities), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// routers returns the capabilities of the routers in the golden file by name.
func routers(t testing.TB) map[string]ortc.RTPCapabilities {
	t.Helper()
	var cases []struct {
		Name         string
		Capabilities ortc.RTPCapabilities
	}
	readGolden(t, "routers.json", &cases)
	byName := map[string]ortc.RTPCapabilities{}
	for _, c := range cases {
		byName[c.Name] = c.Capabilities
	}
	return byName
}

// receivers returns the valid capabilities of the receivers by name.
func receivers(t testing.TB) map[string]ortc.RTPCapabilities {
	t.Helper()
	var byName map[string]ortc.RTPCapabilities
	readGolden(t, "receivers.json", &byName)
	for name, caps := range byName {
		if err := ortc.ValidateRTPCapabilities(&caps); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		byName[name] = caps
	}
	return byName
}

type producerCase struct {
	Name, Router  string
	Kind          ortc.MediaKind
	RTPParameters json.RawMessage
	Error         string

	Accepted, Mapping, Consumable any

	Consumers []struct {
		Receiver        string
		CanConsume      bool
		EnableRTX, Pipe bool
		Error           string
		RTPParameters   any
	}
	Pipes []struct {
		EnableRTX     bool
		RTPParameters any
	}
}

// produce takes a producer's parameters as far as the router's numbers.
func (c *producerCase) produce(caps ortc.RTPCapabilities) (accepted, consumable ortc.RTPParameters, m ortc.RTPMapping, err error) {
	var params ortc.RTPParameters
	if err = json.Unmarshal(c.RTPParameters, &params); err != nil {
		return
	}
	if params.RTCP.CNAME == "" {
		params.RTCP.CNAME = "cname" // as a transport does
	}
	if err = ortc.ValidateRTPParameters(&params); err != nil {
		return
	}
	if m, err = ortc.ProducerRTPMapping(params, caps); err != nil {
		return
	}
	accepted = ortc.AcceptedRTPParameters(params, caps, m)
	consumable = ortc.ConsumableRTPParameters(c.Kind, params, caps, m)
	return
}

func TestProducersAndConsumersAreMediasoups(t *testing.T) {
	var cases []producerCase
	readGolden(t, "producers.json", &cases)
	routers, receivers := routers(t), receivers(t)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			accepted, consumable, mapping, err := c.produce(routers[c.Router])
			if name := errorName(t, err); name != c.Error {
				t.Fatalf("error is %q (%v), mediasoup's is %q", name, err, c.Error)
			}
			if err != nil {
				return
			}
			if d := diff(t, c.Accepted, accepted); d != "" {
				t.Errorf("the producer's parameters: %s", d)
			}
			if d := diff(t, c.Mapping, withoutModes(mapping)); d != "" {
				t.Errorf("mapping: %s", d)
			}
			if d := diff(t, c.Consumable, consumable); d != "" {
				t.Fatalf("consumable: %s", d)
			}
			c.compareConsumers(t, consumable, receivers)
		})
	}
}

// withoutModes leaves out what mediasoup's mapping no longer has.
func withoutModes(m ortc.RTPMapping) ortc.RTPMapping {
	for i := range m.Encodings {
		m.Encodings[i].ScalabilityMode = ""
	}
	return m
}

func (c *producerCase) compareConsumers(t *testing.T, consumable ortc.RTPParameters, receivers map[string]ortc.RTPCapabilities) {
	for _, want := range c.Consumers {
		caps, known := receivers[want.Receiver]
		if !known {
			t.Fatalf("no receiver %q", want.Receiver)
		}
		can, err := ortc.CanConsume(consumable, caps)
		if err != nil || can != want.CanConsume {
			t.Errorf("%s: can consume: %v, %v; mediasoup says %v", want.Receiver, can, err, want.CanConsume)
		}
		got, err := ortc.ConsumerRTPParameters(consumable, caps, ortc.ConsumerOptions{
			EnableRTX: &want.EnableRTX, Pipe: want.Pipe, SSRC: ssrcsFrom(1000),
		})
		if name := errorName(t, err); name != want.Error {
			t.Errorf("%s: error is %q (%v), mediasoup's is %q", want.Receiver, name, err, want.Error)
			continue
		}
		if want.Error != "" {
			continue
		}
		if d := diff(t, want.RTPParameters, got); d != "" {
			t.Errorf("consumer for %s, rtx %v, pipe %v: %s", want.Receiver, want.EnableRTX, want.Pipe, d)
		}
	}
	for _, want := range c.Pipes {
		got := ortc.PipeConsumerRTPParameters(consumable, want.EnableRTX, ssrcsFrom(1000))
		if d := diff(t, want.RTPParameters, got); d != "" {
			t.Errorf("pipe, rtx %v: %s", want.EnableRTX, d)
		}
	}
}
