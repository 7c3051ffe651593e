package loadtest

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

// starts are first sequence numbers around which wrapping shows.
var starts = []uint16{0, 1, 1000, 32767, 32768, 65530, 65535}

func TestReceptionAccounts(t *testing.T) {
	tests := []struct {
		name    string
		offsets []int // of the packets that come, from the first number
		want    reception
		lost    int64
	}{
		{"in order", []int{0, 1, 2, 3}, reception{received: 4}, 0},
		{"a gap", []int{0, 1, 4}, reception{received: 3}, 2},
		{"a gap that closes late", []int{0, 2, 3, 1}, reception{received: 4, reordered: 1}, 0},
		{"a duplicate of the newest", []int{0, 1, 1}, reception{received: 2, duplicates: 1}, 0},
		{"an old duplicate", []int{0, 1, 2, 0}, reception{received: 3, duplicates: 1}, 0},
		{"one before the first", []int{1, 2, 0}, reception{received: 3, reordered: 1}, 0},
		{"all backwards", []int{3, 2, 1, 0}, reception{received: 4, reordered: 3}, 0},
		{"older than the window", []int{0, 2*receptionWindow + 1, 1}, reception{received: 2, duplicates: 1}, 2 * receptionWindow},
		{"a leap of a window", []int{0, receptionWindow, 1}, reception{received: 3, reordered: 1}, receptionWindow - 2},
	}
	for _, test := range tests {
		for _, start := range starts {
			r := reception{clockRate: 90_000}
			for i, offset := range test.offsets {
				r.record(start+uint16(offset), 0, false, mono.Instant(i))
			}
			if r.received != test.want.received || r.duplicates != test.want.duplicates || r.reordered != test.want.reordered || r.lost() != test.lost {
				t.Errorf("%s from %d: received %d, duplicates %d, reordered %d, lost %d; want %d, %d, %d, %d", test.name, start,
					r.received, r.duplicates, r.reordered, r.lost(), test.want.received, test.want.duplicates, test.want.reordered, test.lost)
			}
		}
	}
}

// Whatever the order, each number counts once: random shuffles within half a
// window, over several cycles, against plain sets.
func TestReceptionAgreesWithASet(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const total = 200_000
	var r reception
	r.clockRate = 90_000
	seen := map[int]bool{}
	sent, duplicates := 0, uint64(0)
	r.record(65000, 0, false, 0)
	seen[0] = true
	for n := range total {
		n += 1 + random.IntN(40) - 20
		if n < 0 || random.IntN(50) == 0 {
			continue
		}
		if seen[n] {
			duplicates++
		}
		seen[n] = true
		sent++
		r.record(uint16(65000+n), 0, false, 0)
	}
	highest := 0
	for n := range seen {
		highest = max(highest, n)
	}
	if int(r.received) != len(seen) || r.duplicates != duplicates || r.expected() != int64(highest)+1 {
		t.Errorf("received %d of %d, duplicates %d of %d, expected %d of %d",
			r.received, len(seen), r.duplicates, duplicates, r.expected(), highest+1)
	}
}

func TestRetransmissionsAreRecoveredNotReordered(t *testing.T) {
	var r reception
	r.clockRate = 90_000
	for _, seq := range []uint16{10, 12} {
		r.record(seq, 0, false, 0)
	}
	if a := r.record(11, 0, true, 0); a.duplicate || a.newest {
		t.Errorf("arrival %+v", a)
	}
	if a := r.record(11, 0, true, 0); !a.duplicate {
		t.Errorf("again: arrival %+v", a)
	}
	if r.recovered != 1 || r.reordered != 0 || r.lost() != 0 || r.duplicates != 0 {
		t.Errorf("recovered %d, reordered %d, lost %d, duplicates %d", r.recovered, r.reordered, r.lost(), r.duplicates)
	}
}

func TestReportBlocksTellTheInterval(t *testing.T) {
	var r reception
	r.clockRate = 90_000
	if _, ok := r.block(7, 0); ok {
		t.Error("a report before the first packet")
	}
	for _, seq := range []uint16{65534, 65535, 1, 2} { // 0 is lost
		r.record(seq, 0, false, 0)
	}
	r.onSenderReport(rtp.SenderReport{NTP: 0x1111_2222_3333_4444}, mono.Instant(time.Second))
	b, _ := r.block(7, mono.Instant(3*time.Second))
	want := rtp.ReportBlock{SSRC: 7, FractionLost: 256 / 5, TotalLost: 1, HighestSeq: 2<<16 | 2, LastSR: 0x2222_3333, DelaySinceLastSR: 2 << 16}
	if b != want {
		t.Errorf("%+v, want %+v", b, want)
	}
	r.record(3, 0, false, 0)
	if b, _ := r.block(7, 0); b.FractionLost != 0 || b.TotalLost != 1 {
		t.Errorf("the next interval: %+v", b)
	}
	r.record(0, 0, true, 0)
	if b, _ := r.block(7, 0); b.FractionLost != 0 || b.TotalLost != 0 {
		t.Errorf("after the recovery: %+v", b)
	}
}

func TestJitterFollowsArrivals(t *testing.T) {
	for _, test := range []struct {
		name      string
		deviation time.Duration
		least     uint32
		most      uint32
	}{{"even", 0, 0, 0}, {"uneven", 10 * time.Millisecond, 800, 1000}} {
		var r reception
		r.clockRate = 90_000
		at := mono.Instant(time.Hour)
		for n := range 200 {
			late := time.Duration(n%2) * test.deviation // so each transit differs by 10 ms from the last
			r.record(uint16(n), uint32(n*900), false, at.Add(late))
			at = at.Add(10 * time.Millisecond)
		}
		if b, _ := r.block(1, 0); b.Jitter < test.least || b.Jitter > test.most {
			t.Errorf("%s: jitter %d, want %d to %d", test.name, b.Jitter, test.least, test.most)
		}
	}
}

// note records a number and enters it.
func note(r *reception, m *missing, seq uint16, retransmitted bool, now mono.Instant) {
	m.note(r.record(seq, 0, retransmitted, now), now)
}

func TestMissingNumbersAreAskedForUntilTheyCome(t *testing.T) {
	for _, start := range starts {
		r, m := reception{clockRate: 90_000}, missing{}
		note(&r, &m, start, false, 0)
		note(&r, &m, start+4, false, 0)
		if got := m.due(mono.Instant(nackDelay) - 1); len(got) != 0 {
			t.Errorf("asked for %v without a delay", got)
		}
		note(&r, &m, start+2, false, 0) // was only late
		want := []uint16{start + 1, start + 3}
		if got := m.due(mono.Instant(nackDelay)); !slices.Equal(got, want) {
			t.Errorf("asked for %v, want %v", got, want)
		}
		if got := m.due(mono.Instant(nackDelay) + 1); len(got) != 0 {
			t.Errorf("asked for %v at once again", got)
		}
		note(&r, &m, start+1, true, 0)
		again := mono.Instant(nackDelay + nackInterval)
		if got := m.due(again); !slices.Equal(got, []uint16{start + 3}) {
			t.Errorf("asked again for %v, want %d", got, start+3)
		}
	}
}

func TestAskingEndsAfterSomeTries(t *testing.T) {
	r, m := reception{clockRate: 90_000}, missing{}
	note(&r, &m, 1, false, 0)
	note(&r, &m, 3, false, 0)
	asked := 0
	for now := mono.Instant(0); now < mono.Instant(time.Minute); now = now.Add(nackInterval) {
		asked += len(m.due(now))
	}
	if asked != nackTries {
		t.Errorf("asked %d times, want %d", asked, nackTries)
	}
}

func TestOnlySoManyNumbersAreMissing(t *testing.T) {
	r, m := reception{clockRate: 90_000}, missing{}
	note(&r, &m, 0, false, 0)
	note(&r, &m, 2*nackLimit, false, 0)
	got := m.due(mono.Instant(time.Second))
	if len(got) != nackLimit || got[len(got)-1] != 2*nackLimit-1 {
		t.Errorf("asked for %d numbers up to %d", len(got), got[len(got)-1])
	}
}
