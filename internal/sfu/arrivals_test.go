package sfu

import (
	"testing"

	"pgregory.net/rapid"
)

func TestArrivalsTellNewFromOld(t *testing.T) {
	const first = 1 << 16
	var a arrivals
	for _, step := range []struct {
		extSeq int64
		want   bool
	}{
		{first, true},
		{first, false},
		{first + 3, true},
		{first + 1, true},
		{first + 3, false},
		{first + 1, false},
		{first + 2, true},
		{first - 1, true}, // sent before the first, arrived after it
		{first + arrivalWindow + 1, true},
		{first + 1, false}, // too old by one
		{first + 2, false}, // just within, arrived
		{first + 4, true},  // just within, missing
		{first + 10*arrivalWindow, true},
		{first + 10*arrivalWindow - 5, true},
	} {
		if got := a.add(step.extSeq); got != step.want {
			t.Errorf("add(first%+d) = %v", step.extSeq-first, got)
		}
	}
}

func TestArrivalsAgreeWithASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a arrivals
		seen := map[int64]bool{}
		newest := rapid.Int64Range(arrivalWindow, 1<<40).Draw(t, "first")
		for range rapid.IntRange(1, 400).Draw(t, "packets") {
			extSeq := newest + rapid.OneOf(
				rapid.Int64Range(-20, 20), rapid.Int64Range(-arrivalWindow-5, -arrivalWindow+5),
				rapid.Int64Range(arrivalWindow-5, 2*arrivalWindow),
			).Draw(t, "step")
			extSeq = max(extSeq, arrivalWindow)
			newest = max(newest, extSeq)
			want := !seen[extSeq] && (newest-extSeq < arrivalWindow)
			if len(seen) == 0 {
				want, newest = true, extSeq
			}
			if got := a.add(extSeq); got != want {
				t.Fatalf("add(%d) = %v with %d as the newest", extSeq, got, newest)
			}
			seen[extSeq] = true
		}
	})
}
