package nack_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/nack"
)

const (
	ms  = time.Millisecond
	rtt = 50 * ms
)

// at returns the instant d after a server that has run for a while.
func at(d time.Duration) mono.Instant { return mono.Instant(time.Hour + d) }

// generator returns a Generator that has received the packets given at 0.
func generator(o nack.GeneratorOptions, received ...int64) *nack.Generator {
	g := nack.NewGenerator(o)
	for _, extSeq := range received {
		g.Receive(at(0), extSeq, false)
	}
	return g
}

// ask checks what is due.
func ask(t *testing.T, g *nack.Generator, after time.Duration, want ...uint16) {
	t.Helper()
	if got := g.Due(at(after), rtt, nil); !slices.Equal(got, want) {
		t.Errorf("after %v due: %v, want %v", after, got, want)
	}
}

func TestNothingIsMissingFromAWholeStream(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 70_000, 70_001, 70_002, 70_003)
	if g.Pending() || g.KeyframeNeeded() {
		t.Error("something is missing")
	}
	ask(t, g, 0)
	if g.Stats() != (nack.GeneratorStats{}) {
		t.Errorf("%+v", g.Stats())
	}
}

func TestGapIsAskedForAtOnce(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 100, 104)
	if !g.Pending() {
		t.Error("nothing is pending")
	}
	ask(t, g, 0, 101, 102, 103)
	ask(t, g, 0)
}

func TestGapAcrossWrapIsAskedForInOrder(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 1<<17-3, 1<<17+2)
	ask(t, g, 0, 65534, 65535, 0, 1)
}

func TestAskingAppends(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 100, 102)
	if got := g.Due(at(0), rtt, []uint16{7}); !slices.Equal(got, []uint16{7, 101}) {
		t.Errorf("%v", got)
	}
}

func TestPacketIsAskedForOnceInARoundTrip(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 100, 102)
	ask(t, g, 0, 101)
	ask(t, g, 49*ms)
	ask(t, g, 50*ms, 101)
	ask(t, g, 99*ms)
	ask(t, g, 105*ms, 101)
	ask(t, g, 154*ms)
	ask(t, g, 155*ms, 101)
}

func TestShortRoundTripsAreTakenFor20ms(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 100, 102)
	for _, test := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {19 * ms, 0}, {20 * ms, 1}, {39 * ms, 0}, {40 * ms, 1}} {
		if got := g.Due(at(test.after), time.Millisecond, nil); len(got) != test.want {
			t.Errorf("after %v due: %v", test.after, got)
		}
	}
	if got := g.Due(at(60*ms), 0, nil); len(got) != 1 {
		t.Errorf("without a round trip due: %v", got)
	}
}

func TestReorderWindowWaits(t *testing.T) {
	g := generator(nack.GeneratorOptions{ReorderWindow: 10 * ms}, 100, 102)
	ask(t, g, 9*ms)
	g.Receive(at(9*ms), 105, false)
	ask(t, g, 10*ms, 101)
	ask(t, g, 18*ms)
	g.Receive(at(18*ms), 103, false) // was only reordered
	ask(t, g, 19*ms, 104)
	if got := g.Stats(); got.Late != 1 || got.Missing != 3 || got.Asked != 2 {
		t.Errorf("%+v", got)
	}
}

func TestPacketIsGivenUpAfterTenRequests(t *testing.T) {
	g := generator(nack.GeneratorOptions{MaxAge: time.Hour}, 100, 102)
	for i := range 10 {
		ask(t, g, time.Duration(i)*rtt, 101)
	}
	ask(t, g, 10*rtt)
	if g.Pending() {
		t.Error("still pending")
	}
	if got, want := g.Stats(), (nack.GeneratorStats{Missing: 1, Asked: 10, GivenUp: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if g.Recovered(101) {
		t.Error("came back")
	}
}

func TestWhatIsGivenUpAtOnceIsNotAskedForAgain(t *testing.T) {
	g := nack.NewGenerator(nack.GeneratorOptions{})
	g.Receive(1, 100, false)
	g.Receive(1, 103, false)
	g.GiveUp()
	if seqs := g.Due(mono.Instant(time.Second), 0, nil); g.Pending() || len(seqs) > 0 || g.Stats().GivenUp != 2 {
		t.Errorf("asked for %v, %+v", seqs, g.Stats())
	}
}

func TestPacketIsGivenUpWhenItIsTooOld(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 100, 102)
	ask(t, g, 1900*ms, 101)
	ask(t, g, 2010*ms)
	if g.Pending() || g.Stats().GivenUp != 1 {
		t.Errorf("pending %v, %+v", g.Pending(), g.Stats())
	}
}

func TestRetransmissionCountsOnce(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 100, 103)
	ask(t, g, 0, 101, 102)
	for extSeq, want := range map[int64]bool{102: true, 100: false, 103: false, 99: false} {
		if got := g.Recovered(extSeq); got != want {
			t.Errorf("%d was missing: %v", extSeq, got)
		}
	}
	if g.Recovered(102) {
		t.Error("the second copy was missing too")
	}
	ask(t, g, rtt, 101)
	if got := g.Stats(); got.Recovered != 1 {
		t.Errorf("%+v", got)
	}
}

func TestOriginalAfterAllIsNotAskedForAgain(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 100, 103)
	ask(t, g, 0, 101, 102)
	g.Receive(at(5*ms), 101, false)
	g.Receive(at(5*ms), 101, false) // and a duplicate
	ask(t, g, rtt, 102)
	if got := g.Stats(); got.Late != 1 {
		t.Errorf("%+v", got)
	}
	if g.Recovered(101) {
		t.Error("its retransmission is news")
	}
}

func TestPacketIsNewsOnce(t *testing.T) {
	g := nack.NewGenerator(nack.GeneratorOptions{})
	for i, test := range []struct {
		extSeq int64
		news   bool
	}{
		{5000, true}, {5000, false}, // the first
		{5001, true}, {5001, false}, // in order
		{5005, true}, {5005, false}, // after a gap
		{5003, true}, {5003, false}, // late
		{4999, true}, // from before the first
		{3000, true}, // a sender that begins anew
	} {
		if got := g.Receive(at(0), test.extSeq, false); got != test.news {
			t.Errorf("packet %d, %d, is news: %v", i, test.extSeq, got)
		}
	}
	if !g.Recovered(5002) {
		t.Error("the retransmission is no news")
	}
	if g.Receive(at(0), 5002, false) {
		t.Error("the original behind its retransmission is news")
	}
	g.Receive(at(0), 9000, false) // gives up what was missing
	if g.Receive(at(0), 8500, false) {
		t.Error("what was given up is news")
	}
}

func TestRetransmissionAheadOfTheStream(t *testing.T) {
	g := nack.NewGenerator(nack.GeneratorOptions{})
	if g.Recovered(100) {
		t.Error("a retransmission before the stream")
	}
	g.Receive(at(0), 100, false)
	if !g.Recovered(103) {
		t.Error("the tail of the burst is no news")
	}
	ask(t, g, 0, 101, 102)
	g.Receive(at(1*ms), 104, false)
	ask(t, g, 1*ms)
	if g.Recovered(104 + 1001) {
		t.Error("took a retransmission from nowhere")
	}
	ask(t, g, 2*ms)
}

func TestOneRequestFitsADatagram(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 0)
	for extSeq := int64(2); extSeq <= 1200; extSeq += 2 {
		g.Receive(at(0), extSeq, false)
	}
	var asked []uint16
	for _, want := range []int{256, 256, 88, 0} {
		got := g.Due(at(0), rtt, nil)
		if len(got) != want {
			t.Errorf("%d at a time, want %d", len(got), want)
		}
		asked = append(asked, got...)
	}
	if !slices.IsSorted(asked) || len(slices.Compact(asked)) != 600 {
		t.Errorf("asked for %v", asked)
	}
}

func TestOverflowNeedsAKeyframe(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 0, 601, 1201)
	if !g.KeyframeNeeded() {
		t.Error("no keyframe needed after 1199 losses")
	}
	if g.KeyframeNeeded() {
		t.Error("needed twice")
	}
	got := g.Due(at(0), rtt, nil)
	if len(got) == 0 || got[0] != 602 {
		t.Errorf("asks for %v", got)
	}
	if s := g.Stats(); s.GivenUp != 600 || s.Missing != 1199 {
		t.Errorf("%+v", s)
	}
}

func TestKeyframeMakesRoomOnlyWhenItIsNeeded(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 0, 501)
	g.Receive(at(0), 502, true)
	g.Receive(at(0), 903, false)
	if s := g.Stats(); s.GivenUp != 0 {
		t.Errorf("gave up although there was room: %+v", s)
	}
	g.Receive(at(0), 1104, false) // 500 + 400 + 200 is too much
	if g.KeyframeNeeded() {
		t.Error("asks for a keyframe although there was one")
	}
	if got := g.Due(at(0), rtt, nil); len(got) == 0 || got[0] != 503 {
		t.Errorf("asks for %v", got)
	}
	if s := g.Stats(); s.GivenUp != 500 {
		t.Errorf("%+v", s)
	}
}

func TestJumpIsNotAskedFor(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 0, 2, 30_000)
	if g.Pending() || !g.KeyframeNeeded() {
		t.Errorf("pending %v", g.Pending())
	}
	g.Receive(at(0), 30_002, false)
	ask(t, g, 0, 30_001)
	if s := g.Stats(); s.Missing != 1+29_997+1 || s.GivenUp != 1+29_997 {
		t.Errorf("%+v", s)
	}
}

func TestJumpToAKeyframeNeedsNoOther(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 0, 2)
	g.Receive(at(0), 30_000, true)
	if g.Pending() || g.KeyframeNeeded() {
		t.Errorf("pending %v, or another keyframe needed", g.Pending())
	}
}

func TestKeyframeThatArrivesIsNotNeededAnyMore(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 0, 2000)
	g.Receive(at(0), 2001, true)
	if g.KeyframeNeeded() {
		t.Error("asks for a keyframe after it has come")
	}
}

func TestOutageIsNotAskedForButNeedsAKeyframe(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 100, 102)
	g.Receive(at(1001*ms), 400, false)
	if g.Pending() || !g.KeyframeNeeded() {
		t.Errorf("pending %v, or no keyframe needed", g.Pending())
	}
	if s := g.Stats(); s.Missing != 1+297 || s.GivenUp != s.Missing {
		t.Errorf("%+v", s)
	}
	if g.Receive(at(1002*ms), 399, false) {
		t.Error("what was given up is news")
	}
	g.Receive(at(1002*ms), 402, false)
	ask(t, g, 1002*ms, 401)
}

func TestOutageThatEndsWithAKeyframeNeedsNoOther(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 100)
	g.Receive(at(2*time.Second), 400, true)
	if g.Pending() || g.KeyframeNeeded() {
		t.Errorf("pending %v, or another keyframe needed", g.Pending())
	}
}

func TestShortOutagesAndPausesAreRepaired(t *testing.T) {
	for _, test := range []struct {
		what    string
		silence time.Duration
		next    int64
	}{
		{"many missing, but soon", 1000 * ms, 400},
		{"a paused stream goes on", time.Minute, 164},
	} {
		g := generator(nack.GeneratorOptions{}, 100)
		g.Receive(at(test.silence), test.next, false)
		if g.KeyframeNeeded() {
			t.Errorf("%s: needs a keyframe", test.what)
		}
		if got := g.Due(at(test.silence), rtt, nil); len(got) != int(min(test.next-101, 256)) || got[0] != 101 {
			t.Errorf("%s: asks for %v", test.what, got)
		}
	}
}

// model is the list of missing packets written down plainly.
type model struct {
	missing map[int64]bool
	newest  int64
}

func (m *model) receive(extSeq int64) {
	for ; m.newest < extSeq-1; m.newest++ {
		m.missing[m.newest+1] = true
	}
	m.newest = max(m.newest, extSeq)
	delete(m.missing, extSeq)
}

func TestListIsWhatHasNotArrived(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const first = 65_500
		g := nack.NewGenerator(nack.GeneratorOptions{})
		m := model{missing: map[int64]bool{}, newest: first}
		g.Receive(at(0), first, false)
		for range rapid.IntRange(1, 100).Draw(t, "packets") {
			extSeq := max(m.newest+rapid.Int64Range(-20, 8).Draw(t, "step"), first)
			if rapid.Bool().Draw(t, "retransmission") {
				want := m.missing[extSeq] || extSeq > m.newest
				if got := g.Recovered(extSeq); got != want {
					t.Fatalf("%d was missing: %v, want %v", extSeq, got, want)
				}
			} else if got := g.Receive(at(0), extSeq, false); got != (m.missing[extSeq] || extSeq > m.newest) {
				t.Fatalf("%d is news: %v", extSeq, got)
			}
			m.receive(extSeq)
		}
		var want []uint16
		for extSeq := int64(first); extSeq <= m.newest; extSeq++ {
			if m.missing[extSeq] {
				want = append(want, uint16(extSeq))
			}
		}
		var got []uint16
		for part := g.Due(at(0), rtt, nil); len(part) > 0; part = g.Due(at(0), rtt, nil) {
			got = append(got, part...)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("asks for %v, want %v", got, want)
		}
		s := g.Stats()
		if s.Missing != s.Recovered+s.Late+s.GivenUp+uint64(len(want)) || g.Pending() != (len(want) > 0) {
			t.Fatalf("%+v, and %d pending", s, len(want))
		}
	})
}

// TestLossyNetworkIsRepaired plays a stream over a network that loses every
// fifth packet, retransmissions as well, and delays by 20 ms each way.
func TestLossyNetworkIsRepaired(t *testing.T) {
	type arrival struct {
		at     mono.Instant
		extSeq int64
		resent bool
	}
	const packets = 20_000
	g := nack.NewGenerator(nack.GeneratorOptions{})
	random := rapid.IntRange(0, 4) // deterministic below: by example
	lost := func(i int) bool { return random.Example(i) == 0 }
	var wire []arrival
	arrived := map[int64]int{}
	draw := 0
	for now := time.Duration(0); now < packets*ms+2*time.Second; now += ms {
		if extSeq := int64(now / ms); extSeq < packets {
			if draw++; !lost(draw) || extSeq == 0 || extSeq == packets-1 {
				wire = append(wire, arrival{at(now + 20*ms), extSeq, false})
			}
		}
		var next []arrival
		for _, a := range wire {
			switch {
			case a.at > at(now):
				next = append(next, a)
			case a.resent:
				if g.Recovered(a.extSeq) {
					arrived[a.extSeq]++
				}
			default:
				g.Receive(at(now), a.extSeq, false)
				arrived[a.extSeq]++
			}
		}
		wire = next
		for _, seq := range g.Due(at(now), 40*ms, nil) {
			if draw++; !lost(draw) {
				wire = append(wire, arrival{at(now + 40*ms), int64(seq), true})
			}
		}
	}
	for extSeq := range int64(packets) {
		if arrived[extSeq] != 1 {
			t.Fatalf("packet %d arrived %d times", extSeq, arrived[extSeq])
		}
	}
	s := g.Stats()
	if s.Missing < packets/6 || s.Asked < s.Missing || s.Asked > 2*s.Missing {
		t.Errorf("%+v", s)
	}
}

func TestGeneratorDoesNotAllocate(t *testing.T) {
	g := generator(nack.GeneratorOptions{}, 0, 500) // the list has grown
	dst := make([]uint16, 0, 512)
	now, extSeq := at(0), int64(500)
	if allocs := testing.AllocsPerRun(1000, func() {
		now = now.Add(ms)
		extSeq += 2
		g.Receive(now, extSeq, false)
		dst = g.Due(now, rtt, dst[:0])
		g.Recovered(extSeq - 1)
	}); allocs != 0 {
		t.Errorf("%v allocations per packet", allocs)
	}
}

func BenchmarkReceiveInOrder(b *testing.B) {
	g := nack.NewGenerator(nack.GeneratorOptions{})
	extSeq := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		extSeq++
		g.Receive(1, extSeq, false)
		if g.Pending() {
			b.Fatal("pending")
		}
	}
}

func BenchmarkReceiveWithLoss(b *testing.B) {
	g := nack.NewGenerator(nack.GeneratorOptions{})
	dst := make([]uint16, 0, 512)
	now, extSeq := at(0), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(ms)
		extSeq++
		if extSeq%10 != 0 {
			g.Receive(now, extSeq, false)
		}
		dst = g.Due(now, rtt, dst[:0])
	}
}
