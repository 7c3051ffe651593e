package loadtest

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEmptyHistogramHasNoQuantiles(t *testing.T) {
	var h Histogram
	if h.Count() != 0 || h.Max() != 0 || h.Quantile(0.5) != 0 {
		t.Error("an empty histogram knows durations")
	}
}

func TestQuantilesOfAKnownDistribution(t *testing.T) {
	var h Histogram
	for i := 1; i <= 1000; i++ {
		h.Add(time.Duration(i) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0: time.Millisecond, 0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second} {
		if got := h.Quantile(q); got < want || got > want+want/16 {
			t.Errorf("quantile %g is %s, want %s or up to 1/16 more", q, got, want)
		}
	}
	if h.Count() != 1000 || h.Max() != time.Second {
		t.Errorf("counted %d up to %s", h.Count(), h.Max())
	}
}

func TestBucketsHoldTheirDurations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "d"))
		i := bucketOf(d)
		if end := upperBound(i); d >= end {
			t.Fatalf("%s is in bucket %d, which ends at %s", d, i, end)
		}
		if i > 0 && d < upperBound(i-1) {
			t.Fatalf("%s is in bucket %d, but the one before ends at %s", d, i, upperBound(i-1))
		}
	})
}

func TestBoundsOfBucketsRiseByASixteenthAtMost(t *testing.T) {
	for i := 17; i < buckets; i++ {
		before, end := upperBound(i-1), upperBound(i)
		if end <= before || end-before > before/16 {
			t.Fatalf("bucket %d is from %s to %s", i, before, end)
		}
	}
}

func TestExtremesAreCounted(t *testing.T) {
	var h Histogram
	h.Add(-time.Second)
	h.Add(1 << 62)
	if h.Count() != 2 || h.Quantile(0) > time.Microsecond || h.Max() != 1<<62 {
		t.Errorf("%d counted, least %s, longest %s", h.Count(), h.Quantile(0), h.Max())
	}
}

func TestMergeAddsUp(t *testing.T) {
	var a, b Histogram
	a.Add(time.Millisecond)
	b.Add(time.Second)
	b.Add(time.Second)
	a.Merge(&b)
	if a.Count() != 3 || a.Max() != time.Second || a.Quantile(0.3) > 2*time.Millisecond {
		t.Errorf("%d counted up to %s, least %s", a.Count(), a.Max(), a.Quantile(0.3))
	}
}
