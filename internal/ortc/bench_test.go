package ortc_test

import (
	"encoding/json"
	"testing"

	"github.com/takoserver/takos-call/internal/ortc"
)

// A room of nine makes 72 consumers of each kind, so what one costs is what a
// join costs. These are control path: they allocate.

func BenchmarkConsumerRTPParameters(b *testing.B) {
	chromium := readBrowser(b, "chromium")
	caps := chromium.RTPCapabilities
	if err := ortc.ValidateRTPCapabilities(&caps); err != nil {
		b.Fatal(err)
	}
	for _, p := range chromium.Producers {
		c := consumable(b, p.Kind, p.RTPParameters, olderRouter(b))
		b.Run(p.Label, func(b *testing.B) {
			b.ReportAllocs()
			opts := ortc.ConsumerOptions{MID: "1", SSRC: ssrcsFrom(1)}
			for b.Loop() {
				if _, err := ortc.ConsumerRTPParameters(c, caps, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCanConsume(b *testing.B) {
	chromium := readBrowser(b, "chromium")
	p := chromium.Producers[6] // AV1, the last in the receiver's list
	c := consumable(b, p.Kind, p.RTPParameters, olderRouter(b))
	b.ReportAllocs()
	for b.Loop() {
		if can, err := ortc.CanConsume(c, chromium.RTPCapabilities); !can || err != nil {
			b.Fatal(can, err)
		}
	}
}

func BenchmarkProduce(b *testing.B) {
	router := olderRouter(b)
	params := readBrowser(b, "chromium").Producers[2].RTPParameters
	b.ReportAllocs()
	for b.Loop() {
		consumable(b, ortc.Video, params, router)
	}
}

func BenchmarkDecodeCapabilities(b *testing.B) {
	data, err := json.Marshal(readBrowser(b, "chromium").RTPCapabilities)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var caps ortc.RTPCapabilities
		if err := json.Unmarshal(data, &caps); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeConsumer(b *testing.B) {
	chromium := readBrowser(b, "chromium")
	s := negotiate(b, chromium, chromium, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(s.Consumer); err != nil {
			b.Fatal(err)
		}
	}
}
