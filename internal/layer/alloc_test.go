package layer_test

import (
	"math/rand/v2"
	"testing"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/layer"
)

// stream returns a second of a mode's packets.
func stream(t testing.TB, m streamMode) (packets []*modelPacket) {
	s := newSender(m, rand.New(rand.NewPCG(1, 2)))
	for i := range 30 {
		packets = append(packets, s.next(t, i == 0)...)
	}
	return packets
}

// forward does with a packet what a sender to a receiver does.
func forward(f *layer.Filter, g *layer.Gaps, n *layer.Pictures, p *modelPacket, payload []byte) {
	if v := f.Select(&p.Packet); !v.Forward {
		g.Drop(p.extSeq)
		n.Drop(&p.Packet)
		return
	}
	g.Place(p.extSeq)
	layer.RewritePicture(payload, &p.Frame, n.Place(&p.Packet))
}

func TestForwardingDoesNotAllocate(t *testing.T) {
	for _, m := range modes {
		packets := stream(t, m)
		payload := make([]byte, 100)
		var f layer.Filter
		var g layer.Gaps
		var n layer.Pictures
		f.SetTarget(codec.Layer{Spatial: 1, Temporal: 1})
		if allocs := testing.AllocsPerRun(10, func() {
			f.Restart()
			n.Restart()
			g.Restart(packets[0].extSeq, 1)
			for _, p := range packets {
				forward(&f, &g, &n, p, payload)
			}
		}); allocs != 0 {
			t.Errorf("%s: %v allocations", m.name, allocs)
		}
	}
}

func BenchmarkSelect(b *testing.B) {
	for _, m := range []streamMode{modes[2], modes[5], modes[11]} {
		b.Run(m.name, func(b *testing.B) {
			packets := stream(b, m)
			var f layer.Filter
			f.SetTarget(codec.Layer{Spatial: 1, Temporal: 1})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%len(packets) == 0 {
					f.Restart()
				}
				f.Select(&packets[i%len(packets)].Packet)
			}
		})
	}
}
