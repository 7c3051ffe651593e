package layer_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/layer"
)

// receiver is what one receiver is sent of a model stream.
type receiver struct {
	filter   layer.Filter
	gaps     layer.Gaps
	pictures layer.Pictures
	started  bool
	firstSeq int64
	needsKey bool

	verdicts map[*modelFrame]bool
	sent     []sentPacket
	seqs     map[int64]bool
}

type sentPacket struct {
	*modelPacket
	seq    int64
	marker bool
	delta  layer.PictureDelta
}

// arrive shows the receiver's filter a packet.
func (r *receiver) arrive(p *modelPacket) error {
	if !r.started {
		if !p.first || !p.frame.key || p.frame.layer.Spatial != 0 {
			return nil
		}
		r.started, r.firstSeq = true, p.extSeq
		r.filter.Restart()
		r.gaps.Restart(p.extSeq, 1000)
	}
	if p.extSeq < r.firstSeq {
		return nil
	}
	v := r.filter.Select(&p.Packet)
	r.needsKey = v.NeedsKeyframe
	if before, known := r.verdicts[p.frame]; known && before != v.Forward {
		return fmt.Errorf("frame %+v is sent in part", *p.frame)
	}
	r.verdicts[p.frame] = v.Forward
	if !v.Forward {
		r.gaps.Drop(p.extSeq)
		r.pictures.Drop(&p.Packet)
		return nil
	}
	seq, ok := r.gaps.Place(p.extSeq)
	if !ok || r.seqs[seq] {
		return fmt.Errorf("no place for packet %d: %d, %t", p.extSeq, seq, ok)
	}
	r.seqs[seq] = true
	r.sent = append(r.sent, sentPacket{p, seq, v.Marker, r.pictures.Place(&p.Packet)})
	return nil
}

// checkReferences checks that no frame was sent that refers to one left out.
func (r *receiver) checkReferences(s *sender) error {
	for f, sent := range r.verdicts {
		if !sent {
			continue
		}
		for _, ref := range f.refs {
			if sent, arrived := r.verdicts[s.frames[ref]]; arrived && !sent {
				return fmt.Errorf("frame %+v was sent and refers to %+v, which was not", *f, *s.frames[ref])
			}
		}
	}
	return nil
}

// checkMarkers checks that the marker bit is on the last packet of each
// picture, of those sent, and that sequence numbers have no holes.
func (r *receiver) checkMarkers() error {
	for i, p := range r.sent {
		last := i+1 == len(r.sent) || r.sent[i+1].frame.picture != p.frame.picture
		if p.marker != last && i+1 < len(r.sent) {
			return fmt.Errorf("marker of a packet of frame %+v is %t", *p.frame, p.marker)
		}
		if p.seq != 1000+int64(i) {
			return fmt.Errorf("sequence number %d at position %d", p.seq, i)
		}
	}
	return nil
}

// checkPictureIDs checks that those of VP8 count up, without holes if nothing
// was lost.
func (r *receiver) checkPictureIDs(clean bool) error {
	ids := map[int]uint16{}
	for _, p := range r.sent {
		id := (p.PictureID + p.delta.ID) & 0x7FFF
		if before, known := ids[p.frame.picture]; known && before != id {
			return fmt.Errorf("picture %d has the ids %d and %d", p.frame.picture, before, id)
		}
		ids[p.frame.picture] = id
	}
	highest, last := -1, uint16(0)
	for _, p := range r.sent {
		if p.frame.picture <= highest {
			continue
		}
		id := ids[p.frame.picture]
		if step := (id - last) & 0x7FFF; highest >= 0 && (step == 0 || step > 100 || clean && step != 1) {
			return fmt.Errorf("picture %d has the id %d after %d", p.frame.picture, id, last)
		}
		highest, last = p.frame.picture, id
	}
	return nil
}

// network holds packets back and loses them.
type network struct {
	random     *rand.Rand
	loss, late float64
	held       []*modelPacket
	due        []int
}

// pass returns what arrives, in its order.
func (n *network) pass(packets []*modelPacket) (out []*modelPacket) {
	for _, p := range packets {
		for i := 0; i < len(n.held); {
			if n.due[i]--; n.due[i] > 0 {
				i++
				continue
			}
			out = append(out, n.held[i])
			n.held = append(n.held[:i], n.held[i+1:]...)
			n.due = append(n.due[:i], n.due[i+1:]...)
		}
		switch x := n.random.Float64(); {
		case x < n.loss:
		case x < n.loss+n.late:
			n.held, n.due = append(n.held, p), append(n.due, 1+n.random.IntN(40))
		default:
			out = append(out, p)
		}
	}
	return out
}

// runModel sends a stream through a filter while its target changes.
func runModel(t testing.TB, m streamMode, seed uint64, clean bool) error {
	random := rand.New(rand.NewPCG(seed, 1))
	s := newSender(m, random)
	net := network{random: random}
	if !clean {
		net.loss, net.late = 0.03, 0.05
	}
	r := &receiver{verdicts: map[*modelFrame]bool{}, seqs: map[int64]bool{}}
	target := codec.Layer{}
	keyDue := 0
	const pictures, settled = 150, 40
	for i := range pictures {
		if i == 0 || i < pictures-settled && random.IntN(8) == 0 || i == pictures-settled {
			target = codec.Layer{Spatial: uint8(random.IntN(4)), Temporal: uint8(random.IntN(4))}
			if random.IntN(5) == 0 {
				target = layer.All
			}
			r.filter.SetTarget(target)
		}
		if r.needsKey && keyDue == 0 {
			keyDue = i + 1 + random.IntN(4)
		}
		if i > 0 && i < pictures-settled && s.mayLimit() && random.IntN(6) == 0 && s.limit(1+random.IntN(m.spatial)) {
			keyDue = i
		}
		key := i == 0 || keyDue != 0 && i >= keyDue || random.IntN(60) == 0
		if key {
			keyDue = 0
		}
		for _, p := range net.pass(s.next(t, key)) {
			if err := r.arrive(p); err != nil {
				return err
			}
		}
	}
	if err := r.checkReferences(s); err != nil {
		return err
	}
	if m.description == byVP8 {
		if err := r.checkPictureIDs(clean); err != nil {
			return err
		}
	}
	if !clean {
		return nil
	}
	if r.needsKey {
		return errors.New("a keyframe is asked for that would bring nothing")
	}
	want := codec.Layer{Spatial: min(target.Spatial, uint8(s.active-1)), Temporal: min(target.Temporal, uint8(m.temporal-1))}
	if got, ok := r.filter.Current(); !ok || got != want {
		return fmt.Errorf("sends %+v (%t), wanted %+v", got, ok, want)
	}
	return r.checkMarkers()
}

// TestFilterAgainstModel takes 2,800 traces, or 100,000 with TEST_LONG=1.
func TestFilterAgainstModel(t *testing.T) {
	seeds := uint64(70)
	if os.Getenv("TEST_LONG") != "" {
		seeds = 2500
	}
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			for seed := range seeds {
				for _, clean := range []bool{true, false} {
					if err := runModel(t, m, seed, clean); err != nil {
						t.Fatalf("seed %d, clean %t: %v", seed, clean, err)
					}
				}
			}
		})
	}
}

func TestFilterAgainstModelAnySeed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := rapid.SampledFrom(modes).Draw(rt, "mode")
		if err := runModel(t, m, rapid.Uint64().Draw(rt, "seed"), rapid.Bool().Draw(rt, "clean")); err != nil {
			rt.Fatal(err)
		}
	})
}
