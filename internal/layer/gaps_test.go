package layer_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/layer"
)

func TestGapsCloseWhatIsDropped(t *testing.T) {
	var g layer.Gaps
	g.Restart(100, 7)
	place := func(in, want int64) {
		t.Helper()
		if got, ok := g.Place(in); !ok || got != want {
			t.Errorf("place of %d is %d, %t; want %d", in, got, ok, want)
		}
	}
	place(100, 7)
	if !g.Drop(101) || !g.Drop(102) {
		t.Error("dropping the newest did not close its place")
	}
	place(103, 8)
	place(106, 11) // 104 and 105 are missing
	place(104, 9)
	if g.Drop(105) {
		t.Error("closed a place although a later number has its own")
	}
	place(107, 12)
	if _, ok := g.Place(102); ok {
		t.Error("placed a number that was dropped")
	}
	if _, ok := g.Place(99); ok {
		t.Error("placed a number from before the restart")
	}
	for out, want := range map[int64]int64{7: 100, 8: 103, 9: 104, 10: 105, 11: 106, 12: 107} {
		if in, ok := g.Original(out); !ok || in != want {
			t.Errorf("original of %d is %d, %t; want %d", out, in, ok, want)
		}
	}
	for _, out := range []int64{6, 13} {
		if in, ok := g.Original(out); ok {
			t.Errorf("original of %d is %d; want none", out, in)
		}
	}
}

// A late number is left out without a trace while no later one has a place.
func TestGapsCloseLateDropsBeforeAnythingLaterIsPlaced(t *testing.T) {
	var g layer.Gaps
	g.Restart(10, 10)
	g.Place(10)
	g.Drop(12)
	if !g.Drop(11) {
		t.Error("place of 11 not closed")
	}
	if out, ok := g.Place(13); !ok || out != 11 {
		t.Errorf("place of 13 is %d, %t; want 11", out, ok)
	}
}

// Against a model that remembers everything.
func TestGapsAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Int64Range(0, 200000).Draw(t, "first")
		var g layer.Gaps
		g.Restart(first, 1000)
		closed := map[int64]bool{}
		placed := map[int64]int64{} // by in
		newest, highestPlaced := first-1, first-1
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			in := newest + rapid.Int64Range(-20, 6).Draw(t, "step")
			if rapid.IntRange(0, 200).Draw(t, "jump") == 0 {
				in += 1100
			}
			tooOld := in < first || in <= newest-1024
			newest = max(newest, in)
			if rapid.Bool().Draw(t, "drop") {
				want := !tooOld && (closed[in] || in > highestPlaced)
				if got := g.Drop(in); got != want {
					t.Fatalf("drop of %d closed: %t, want %t", in, got, want)
				}
				if want {
					closed[in] = true
				}
				continue
			}
			out, ok := g.Place(in)
			if ok != (!tooOld && !closed[in]) {
				t.Fatalf("place of %d: %t", in, ok)
			}
			if !ok {
				continue
			}
			want := int64(1000) + in - first
			for n := range closed {
				if n < in {
					want--
				}
			}
			if out != want {
				t.Fatalf("place of %d is %d, want %d", in, out, want)
			}
			if before, again := placed[in]; again && before != out {
				t.Fatalf("place of %d was %d, is %d", in, before, out)
			}
			placed[in] = out
			highestPlaced = max(highestPlaced, in)
			if back, ok := g.Original(out); !ok || back != in {
				t.Fatalf("original of %d is %d, %t; want %d", out, back, ok, in)
			}
		}
	})
}
