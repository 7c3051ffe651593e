package layer_test

import (
	"testing"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/layer"
)

// Whatever the packets say, nothing makes the filter panic, and a packet shown
// twice gets the same answer twice.
func FuzzFilter(f *testing.F) {
	f.Add([]byte{0x80, 0, 1, 0x80, 0, 2, 0x90, 1, 3}, uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, spatial, temporal uint8) {
		var some layer.Filter
		var n layer.Pictures
		some.SetTarget(codec.Layer{Spatial: spatial, Temporal: temporal})
		var structure codec.DependencyStructure
		for len(data) >= 3 {
			size := min(int(data[0]%32)+3, len(data))
			p := layer.Packet{Codec: codec.VP8 + codec.Codec(data[1]%5), Timestamp: uint32(data[2])}
			codec.Read(p.Codec, data[1:size], &p.Frame)
			if data[0]&0x80 != 0 {
				p.Descriptor = new(codec.DependencyDescriptor)
				if p.Descriptor.Parse(data[1:size], &structure) == nil && data[0]&0x40 == 0 { // or its structure is not believed
					p.Structure = &structure
				}
			}
			v := some.Select(&p)
			if again := some.Select(&p); again.Forward != v.Forward {
				t.Fatalf("%+v is sent: %t, then %t", p, v.Forward, again.Forward)
			}
			if v.Forward {
				n.Place(&p)
			} else {
				n.Drop(&p)
			}
			data = data[size:]
		}
	})
}
