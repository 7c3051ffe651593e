package bwe_test

import (
	"bytes"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtcp"
	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
)

const tick = 250 * time.Microsecond

// feedback is what a report says, read by pion.
type feedback struct {
	base, count uint16
	number      uint8
	// arrivals has the arrival times in ticks of those that arrived.
	arrivals map[uint16]int64
}

// read reads the only report of b.
func read(t rapid.TB, b []byte) feedback {
	t.Helper()
	packets, err := rtcp.Unmarshal(b)
	if err != nil || len(packets) != 1 {
		t.Fatalf("pion reads % x as %v: %v", b, packets, err)
	}
	cc, ok := packets[0].(*rtcp.TransportLayerCC)
	if !ok || cc.SenderSSRC != 0x11 || cc.MediaSSRC != 0x22 {
		t.Fatalf("pion reads %+v", packets[0])
	}
	f := feedback{base: cc.BaseSequenceNumber, count: cc.PacketStatusCount, number: cc.FbPktCount, arrivals: map[uint16]int64{}}
	now := int64(cc.ReferenceTime) * int64(64*ms/tick)
	seq, deltas := f.base, cc.RecvDeltas
	for _, symbol := range symbols(t, cc)[:f.count] {
		if symbol != rtcp.TypeTCCPacketNotReceived {
			now += deltas[0].Delta / int64(tick/time.Microsecond)
			deltas = deltas[1:]
			f.arrivals[seq] = now
		}
		seq++
	}
	if len(deltas) > 0 {
		t.Fatalf("%d deltas too many", len(deltas))
	}
	return f
}

func symbols(t rapid.TB, cc *rtcp.TransportLayerCC) (all []uint16) {
	for _, c := range cc.PacketChunks {
		switch c := c.(type) {
		case *rtcp.RunLengthChunk:
			for range c.RunLength {
				all = append(all, c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			all = append(all, c.SymbolList...)
		default:
			t.Fatalf("a %T", c)
		}
	}
	if len(all) < int(cc.PacketStatusCount) {
		t.Fatalf("%d symbols for %d packets", len(all), cc.PacketStatusCount)
	}
	return all
}

// ticks is the arrival time as a report can tell it: modulo 2²⁴ times 64 ms.
func ticks(now mono.Instant) int64 {
	const wrap = 1 << 24 * int64(64*ms/tick)
	return int64(now) / int64(tick) % wrap
}

// report takes the next report.
func report(t rapid.TB, r *bwe.Recorder) feedback {
	t.Helper()
	b := r.AppendFeedback(nil, 0x11, 0x22, 1200)
	if len(b) == 0 || len(b) > 1200 || len(b)%4 != 0 {
		t.Fatalf("a report of %d bytes", len(b))
	}
	return read(t, b)
}

// expect checks a report against the arrivals, and that none is left.
func expect(t *testing.T, r *bwe.Recorder, base, count uint16, arrivals map[uint16]mono.Instant) {
	t.Helper()
	got := report(t, r)
	want := map[uint16]int64{}
	for seq, now := range arrivals {
		want[seq] = ticks(now)
	}
	if got.base != base || got.count != count {
		t.Errorf("from %d on %d packets, want %d, %d", got.base, got.count, base, count)
	}
	if diff := cmp.Diff(want, got.arrivals); diff != "" {
		t.Error(diff)
	}
	if r.Pending() {
		t.Error("there is more to report")
	}
}

func TestNothingToReport(t *testing.T) {
	var r bwe.Recorder
	if r.Pending() {
		t.Error("pending before the first packet")
	}
	if b := r.AppendFeedback(nil, 1, 2, 1200); len(b) != 0 {
		t.Errorf("% x", b)
	}
	r.Receive(at(0), 5)
	report(t, &r)
	if b := r.AppendFeedback([]byte{7}, 1, 2, 1200); !bytes.Equal(b, []byte{7}) || r.Pending() {
		t.Errorf("% x after all was reported", b)
	}
}

func TestReportOfTheFirstPacket(t *testing.T) {
	var r bwe.Recorder
	r.Receive(at(10*ms), 5)
	if !r.Pending() {
		t.Error("not pending")
	}
	expect(t, &r, 5, 1, map[uint16]mono.Instant{5: at(10 * ms)})
}

func TestReportsFollowOnEachOther(t *testing.T) {
	var r bwe.Recorder
	r.Receive(at(0), 65_533)
	r.Receive(at(1*ms), 65_534)
	expect(t, &r, 65_533, 2, map[uint16]mono.Instant{65_533: at(0), 65_534: at(1 * ms)})
	r.Receive(at(2*ms), 0) // 65535 is lost
	r.Receive(at(3*ms), 1)
	expect(t, &r, 65_535, 3, map[uint16]mono.Instant{0: at(2 * ms), 1: at(3 * ms)})
}

func TestReportsAreNumbered(t *testing.T) {
	var r bwe.Recorder
	for i := range 600 {
		r.Receive(at(time.Duration(i)*ms), uint16(i))
		if got := report(t, &r).number; got != uint8(i) {
			t.Fatalf("report %d has the number %d", i, got)
		}
	}
}

func TestReportTellsDeltasOfEverySize(t *testing.T) {
	var r bwe.Recorder
	want := map[uint16]mono.Instant{}
	now := time.Duration(0)
	for i, step := range []time.Duration{
		0, tick, 255 * tick, 256 * tick, 32767 * tick, -tick, -32768 * tick, 100 * tick, tick - 1, 1,
	} {
		now += step
		r.Receive(at(now), uint16(i))
		want[uint16(i)] = at(now)
	}
	expect(t, &r, 0, 10, want)
}

func TestReportDoesNotAddUpRoundingErrors(t *testing.T) {
	var r bwe.Recorder
	want := map[uint16]mono.Instant{}
	for i := range uint16(1000) {
		now := at(time.Duration(i) * (tick + tick*9/10))
		r.Receive(now, i)
		want[i] = now
	}
	expect(t, &r, 0, 1000, want)
}

func TestReportSplitsWhereADeltaIsTooLarge(t *testing.T) {
	var r bwe.Recorder
	later := 32768*tick + time.Second
	r.Receive(at(0), 1)
	r.Receive(at(later), 3)
	first := report(t, &r)
	if first.base != 1 || first.arrivals[1] != ticks(at(0)) || len(first.arrivals) != 1 {
		t.Errorf("first: %+v", first)
	}
	if !r.Pending() {
		t.Fatal("the rest is forgotten")
	}
	second := report(t, &r)
	if second.arrivals[3] != ticks(at(later)) || second.number != 1 || r.Pending() {
		t.Errorf("second: %+v", second)
	}
	if uint16(first.base+first.count) != second.base || second.base+second.count != 4 {
		t.Errorf("%d+%d, then %d+%d", first.base, first.count, second.base, second.count)
	}
}

func TestReferenceTimeWraps(t *testing.T) {
	var r bwe.Recorder
	const wrap = 64 * ms << 24 // twelve days
	r.Receive(mono.Instant(wrap-ms), 1)
	r.Receive(mono.Instant(wrap+ms), 2)
	got := report(t, &r)
	// The second is told by its delta, so it does not wrap.
	if got.arrivals[1] != int64(wrap-ms)/int64(tick) || got.arrivals[2] != int64(wrap+ms)/int64(tick) {
		t.Errorf("%+v", got)
	}
	r.Receive(mono.Instant(wrap+2*ms), 3)
	if got := report(t, &r); got.arrivals[3] != int64(2*ms/tick) {
		t.Errorf("%+v", got)
	}
}

func TestReorderedPacketIsReportedAfterAll(t *testing.T) {
	var r bwe.Recorder
	r.Receive(at(0), 10)
	r.Receive(at(1*ms), 12)
	expect(t, &r, 10, 3, map[uint16]mono.Instant{10: at(0), 12: at(1 * ms)})
	r.Receive(at(2*ms), 11)
	// With what follows, which must not look lost.
	expect(t, &r, 11, 2, map[uint16]mono.Instant{11: at(2 * ms), 12: at(1 * ms)})
}

func TestPacketFromBeforeTheFirst(t *testing.T) {
	var r bwe.Recorder
	r.Receive(at(0), 0)
	r.Receive(at(ms), 65_534)
	expect(t, &r, 65_534, 3, map[uint16]mono.Instant{65_534: at(ms), 0: at(0)})
}

func TestDuplicatesDoNotCount(t *testing.T) {
	var r bwe.Recorder
	r.Receive(at(0), 10)
	r.Receive(at(5*ms), 10)
	expect(t, &r, 10, 1, map[uint16]mono.Instant{10: at(0)})
	r.Receive(at(9*ms), 10)
	if r.Pending() {
		t.Error("a duplicate is to be reported")
	}
}

func TestArrivalAtTheClocksZero(t *testing.T) {
	var r bwe.Recorder
	r.Receive(0, 10)
	if got := report(t, &r); len(got.arrivals) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestBurstOfLossIsReported(t *testing.T) {
	var r bwe.Recorder
	r.Receive(at(0), 0)
	r.Receive(at(ms), 5000)
	expect(t, &r, 0, 5001, map[uint16]mono.Instant{0: at(0), 5000: at(ms)})
}

func TestJumpForgetsWhatWasBefore(t *testing.T) {
	var r bwe.Recorder
	r.Receive(at(0), 0)
	r.Receive(at(ms), 20_000)
	expect(t, &r, 20_000, 1, map[uint16]mono.Instant{20_000: at(ms)})
	r.Receive(at(2*ms), 5000) // far too late
	if r.Pending() {
		t.Error("reports what it has forgotten")
	}
}

func TestLongSilenceOfTheReporterKeepsTheNewest(t *testing.T) {
	var r bwe.Recorder
	for i := range 20_000 {
		r.Receive(at(time.Duration(i)*100*time.Microsecond), uint16(i))
	}
	seen := map[uint16]int64{}
	for r.Pending() {
		maps.Copy(seen, report(t, &r).arrivals)
	}
	if len(seen) != 8192 || seen[19_999] != ticks(at(1999_900*time.Microsecond)) {
		t.Errorf("%d packets, the last %d", len(seen), seen[19_999])
	}
}

func TestReportKeepsToItsSize(t *testing.T) {
	for _, limit := range []int{0, 24, 25, 30, 31, 100, 1200} {
		var r bwe.Recorder
		for i := range 2000 {
			if i%3 != 1 && i/100%2 == 0 {
				r.Receive(at(time.Duration(i+i%4*100)*ms), uint16(i)) // large deltas too
			}
		}
		r.Receive(at(2*time.Second), 2000)
		next, reports := uint16(0), 0
		for ; r.Pending(); reports++ {
			b := r.AppendFeedback(nil, 0x11, 0x22, limit)
			if len(b) > max(limit, 24) {
				t.Fatalf("limit %d: a report of %d bytes", limit, len(b))
			}
			f := read(t, b)
			if f.base != next || f.count == 0 {
				t.Fatalf("limit %d: report from %d on %d packets, want from %d", limit, f.base, f.count, next)
			}
			next = f.base + f.count
		}
		if next != 2001 {
			t.Errorf("limit %d: reported up to %d", limit, next)
		}
		if limit == 1200 && reports > 3 {
			t.Errorf("%d reports, pages are not filled", reports)
		}
	}
}

func TestEveryArrivalIsReportedOnTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r bwe.Recorder
		newest := int64(rapid.Uint16().Draw(t, "start"))
		limit := rapid.IntRange(24, 300).Draw(t, "limit")
		arrived, told := map[uint16]int64{}, map[uint16]int64{}
		now := at(0)
		for range rapid.IntRange(1, 200).Draw(t, "packets") {
			now = now.Add(time.Duration(rapid.OneOf(
				rapid.Int64Range(0, int64(5*ms)), rapid.Int64Range(0, int64(200*ms))).Draw(t, "gap")))
			seq := newest + rapid.Int64Range(-10, 20).Draw(t, "step")
			newest = max(newest, seq)
			r.Receive(now, uint16(seq))
			if _, duplicate := arrived[uint16(seq)]; !duplicate {
				arrived[uint16(seq)] = ticks(now)
			}
			if rapid.IntRange(0, 9).Draw(t, "report") == 0 {
				drain(t, &r, limit, told)
			}
		}
		drain(t, &r, limit, told)
		if diff := cmp.Diff(arrived, told); diff != "" {
			t.Fatalf("reports differ from arrivals (-arrived +told):\n%s", diff)
		}
	})
}

// drain takes all reports there are and notes what they tell.
func drain(t *rapid.T, r *bwe.Recorder, limit int, told map[uint16]int64) {
	for r.Pending() {
		maps.Copy(told, read(t, r.AppendFeedback(nil, 0x11, 0x22, limit)).arrivals)
	}
}

func TestRecorderDoesNotAllocate(t *testing.T) {
	var r bwe.Recorder
	buffer := make([]byte, 0, 1500)
	now, seq := at(0), uint16(65_000)
	step := func() {
		for range 100 {
			now = now.Add(ms)
			if seq++; seq%7 != 0 {
				r.Receive(now, seq)
			}
		}
		if len(r.AppendFeedback(buffer, 1, 2, 1200)) == 0 {
			t.Fatal("no report")
		}
	}
	step()
	if allocs := testing.AllocsPerRun(100, step); allocs != 0 {
		t.Errorf("%v allocations per report", allocs)
	}
}

func BenchmarkRecorderReceive(b *testing.B) {
	var r bwe.Recorder
	buffer := make([]byte, 0, 1500)
	now, seq := at(0), uint16(0)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(ms)
		seq++
		r.Receive(now, seq)
		if seq%100 == 0 {
			r.AppendFeedback(buffer, 1, 2, 1200)
		}
	}
}

func BenchmarkAppendFeedback(b *testing.B) {
	buffer := make([]byte, 0, 1500)
	var r bwe.Recorder
	for i := range 100 {
		r.Receive(at(time.Duration(i)*ms), uint16(i))
	}
	b.ReportAllocs()
	for b.Loop() {
		again := r // the report is taken from a copy, over and over
		again.AppendFeedback(buffer, 1, 2, 1200)
	}
}
