package speaker

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/mono"
)

// at is an instant of a test.
func at(d time.Duration) mono.Instant { return mono.Instant(d) }

// heard is what a source is remembered as, one number per slot up to end.
func heard(s *Source, end int64, n int) []uint8 {
	list := make([]uint8, n)
	for i := range list {
		list[i] = s.loudness(end - int64(n) + int64(i))
	}
	return list
}

func TestSourceRemembersTheLoudnessOfEachSlot(t *testing.T) {
	type packet struct {
		at    time.Duration
		level byte
	}
	const ms = time.Millisecond
	tests := map[string]struct {
		packets []packet
		end     int64
		want    []uint8
	}{
		"never heard":               {nil, 3, []uint8{0, 0, 0}},
		"from the very beginning":   {[]packet{{0, 27}}, 2, []uint8{0, 100, 100}},
		"a packet per slot":         {[]packet{{1000 * ms, 127}, {1020 * ms, 27}, {1040 * ms, 0}}, 53, []uint8{0, 100, 127}},
		"the voice bit":             {[]packet{{1000 * ms, 0x80 | 27}}, 51, []uint8{0, 100}},
		"two in a slot":             {[]packet{{1000 * ms, 47}, {1001 * ms, 27}, {1002 * ms, 90}}, 51, []uint8{0, 100}},
		"one whose time is behind":  {[]packet{{1020 * ms, 47}, {1019 * ms, 27}}, 52, []uint8{0, 100}},
		"packets of 60 ms":          {[]packet{{1000 * ms, 27}, {1060 * ms, 37}}, 56, []uint8{100, 100, 100, 90, 90, 90}},
		"a pause":                   {[]packet{{1000 * ms, 27}, {1200 * ms, 37}}, 61, []uint8{100, 100, 100, 100, 100, 100, 100, 0, 0, 0, 90}},
		"after the last packet":     {[]packet{{1000 * ms, 27}}, 59, []uint8{100, 100, 100, 100, 100, 100, 100, 0, 0}},
		"hours later":               {[]packet{{1000 * ms, 27}, {3 * time.Hour, 37}}, 3*3600*50 + 1, []uint8{0, 0, 90}},
		"longer ago than is stored": {[]packet{{1000 * ms, 27}, {1020 * ms, 27}, {1040*ms + slots*slotLength, 127}}, 52, []uint8{0, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var s Source
			for _, p := range test.packets {
				s.Note(at(p.at), p.level)
			}
			got := heard(&s, test.end, len(test.want))
			if string(got) != string(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// model is a Source that remembers everything.
type model map[int64]uint8 // loudness of the slots in which packets came

func (m model) note(now mono.Instant, level uint8, newest int64) {
	slot := max(slotOf(now), newest)
	m[slot] = max(m[slot], Silence-level)
}

func (m model) loudness(slot int64) uint8 {
	for back := range int64(held + 1) {
		if l, ok := m[slot-back]; ok {
			return l
		}
	}
	return 0
}

func TestSourceIsWhatHasBeenHeard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Source
		m := model{}
		now := at(rapid.SampledFrom([]time.Duration{0, time.Second, 1000 * time.Hour}).Draw(t, "start"))
		for range rapid.IntRange(0, 300).Draw(t, "packets") {
			now += mono.Instant(rapid.SampledFrom([]time.Duration{
				0, time.Millisecond, 20 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond, 3 * time.Second,
			}).Draw(t, "later"))
			level := rapid.Uint8().Draw(t, "level")
			early := now.Add(-time.Duration(rapid.IntRange(0, 1).Draw(t, "behind")) * time.Millisecond)
			newest := s.newest
			s.Note(max(early, 0), level)
			m.note(max(early, 0), level&0x7f, newest)
			end := slotOf(now) + 10
			for slot := max(end-slots-9, 0); slot < end; slot++ {
				if slot > s.newest-slots && s.loudness(slot) != m.loudness(slot) {
					t.Fatalf("slot %d of %d: %d, want %d", slot, s.newest, s.loudness(slot), m.loudness(slot))
				}
			}
		}
	})
}

func TestNoteAndUpdateDoNotAllocate(t *testing.T) {
	var s Source
	var a Activity
	var r Reading
	now := at(time.Hour)
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(17 * time.Millisecond)
		s.Note(now, 30)
		a.Update(now, &s)
		r.Average(&s, 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	all := []*Activity{&a, {}, {}}
	if n := testing.AllocsPerRun(1000, func() { Dominant(all, 1); Dominant(all, -1) }); n != 0 {
		t.Errorf("%v allocations by Dominant", n)
	}
}

func BenchmarkNote(b *testing.B) {
	b.ReportAllocs()
	var s Source
	now := at(time.Hour)
	for b.Loop() {
		now = now.Add(20 * time.Millisecond)
		s.Note(now, 30)
	}
}

func BenchmarkUpdate(b *testing.B) {
	b.ReportAllocs()
	var s Source
	var a Activity
	now := at(time.Hour)
	for b.Loop() {
		now = now.Add(300 * time.Millisecond)
		s.Note(now, 30)
		a.Update(now, &s)
	}
}

func BenchmarkDominantOf100(b *testing.B) {
	b.ReportAllocs()
	all := make([]*Activity, 100)
	for i := range all {
		all[i] = &Activity{immediate: 9, medium: 5, long: uint8(i % 10)}
	}
	for b.Loop() {
		Dominant(all, 3)
	}
}
