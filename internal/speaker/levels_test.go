package speaker

import (
	"slices"
	"testing"
	"time"
)

func TestAverageIsOfThePacketsSinceTheLast(t *testing.T) {
	var s Source
	var r Reading
	now := at(time.Hour)
	note := func(levels ...byte) {
		for _, l := range levels {
			now = now.Add(20 * time.Millisecond)
			s.Note(now, l)
		}
	}
	want := func(least uint64, wantDBov int, wantOK bool) {
		t.Helper()
		if dBov, ok := r.Average(&s, least); dBov != wantDBov || ok != wantOK {
			t.Errorf("got %d, %v; want %d, %v", dBov, ok, wantDBov, wantOK)
		}
	}
	want(0, 0, false)
	note(10, 20, 30)
	want(3, -20, true)
	want(0, 0, false)
	note(40, 41)
	want(2, -41, true) // −40.5, rounded away from zero
	note(127, 127)
	want(3, 0, false) // too few
	want(1, 0, false) // and they do not count later
	note(0)
	r.Start(&s)
	note(0x80 | 5)
	want(1, -5, true)
}

func TestAnyNumberOfReadersSeeTheSame(t *testing.T) {
	var s Source
	var often, seldom Reading
	now := at(time.Hour)
	for i := range 100 {
		now = now.Add(20 * time.Millisecond)
		s.Note(now, byte(i))
		if i%10 == 9 {
			if got, _ := often.Average(&s, 10); got != -(i - 4) { // 0…9: 4.5
				t.Errorf("after %d: %d", i, got)
			}
		}
	}
	if got, _ := seldom.Average(&s, 100); got != -50 {
		t.Errorf("all: %d", got)
	}
}

func TestLoudest(t *testing.T) {
	in := []Volume{{0, -81}, {1, -30}, {2, -80}, {3, 0}, {4, -30}, {5, -127}}
	tests := []struct {
		threshold, most int
		want            []Volume
	}{
		{-80, 10, []Volume{{3, 0}, {1, -30}, {4, -30}, {2, -80}}},
		{-80, 2, []Volume{{3, 0}, {1, -30}}},
		{-127, 1, []Volume{{3, 0}}},
		{0, 5, []Volume{{3, 0}}},
		{-29, 0, []Volume{}},
	}
	for _, test := range tests {
		if got := Loudest(slices.Clone(in), test.threshold, test.most); !slices.Equal(got, test.want) {
			t.Errorf("%+v: got %v", test, got)
		}
	}
	if got := Loudest(nil, -80, 1); len(got) != 0 {
		t.Errorf("of none: %v", got)
	}
}
