package speaker

import (
	"testing"
	"time"

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
	if n := testing.AllocsPerRun(1000, func() { Dominant(all, 1) }); n != 0 {
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
