package loadtest

import (
	"math/bits"
	"time"
)

// Histogram counts durations with a relative error of at most 1/16 over the
// whole range from a microsecond to an hour. The zero value is empty, and it
// is a value: assigning copies it.
type Histogram struct {
	counts [buckets]uint32
	total  uint64
	max    time.Duration
}

const (
	subBits = 4 // 16 buckets for each power of two
	octaves = 32
	buckets = octaves << subBits
)

// Add counts d. Negative durations count as none.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucketOf(d)]++
	h.total++
	h.max = max(h.max, d)
}

// Merge adds the counts of other.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
	h.max = max(h.max, other.max)
}

// Count returns how many durations were added.
func (h *Histogram) Count() uint64 { return h.total }

// Max returns the longest, exactly.
func (h *Histogram) Max() time.Duration { return h.max }

// Quantile returns the duration that a share q (0 to 1) of all do not exceed,
// rounded up by at most 1/16; 0 when there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	wanted := max(uint64(q*float64(h.total)+0.5), 1)
	var seen uint64
	for i, n := range h.counts {
		if seen += uint64(n); seen >= wanted {
			return min(upperBound(i), h.max)
		}
	}
	return h.max
}

// bucketOf finds a bucket by the power of two of the microseconds and the four
// bits that follow its first. Below 16 µs every microsecond has its own.
func bucketOf(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	octave := max(bits.Len64(us)-1-subBits, 0)
	return min(octave<<subBits+int(us>>octave), buckets-1)
}

// upperBound is the end of bucket i.
func upperBound(i int) time.Duration {
	octave := max(i>>subBits-1, 0)
	return time.Duration(uint64(i-octave<<subBits+1)<<octave) * time.Microsecond
}
