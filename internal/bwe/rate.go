package bwe

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// Bitrate is bits per second.
type Bitrate uint64

// Units of Bitrate.
const (
	BitPerSecond     Bitrate = 1
	KilobitPerSecond         = 1000 * BitPerSecond
	MegabitPerSecond         = 1000 * KilobitPerSecond
)

const (
	rateWindow  = time.Second
	rateBuckets = 50
	rateBucket  = rateWindow / rateBuckets
	// minRateSpan is the shortest time that a rate is computed over. A first
	// packet alone says nothing about a rate.
	minRateSpan = 200 * time.Millisecond
)

// RateMeter measures the bitrate over the last second, in buckets of 20 ms.
// The zero value is ready; it measures from the first Add.
type RateMeter struct {
	bytes   [rateBuckets]uint32
	sum     uint64
	newest  int64 // number of the current bucket since the clock's zero
	first   mono.Instant
	started bool
}

// Add counts sizeBytes at now. Time that goes back counts as not moving.
func (m *RateMeter) Add(now mono.Instant, sizeBytes int) {
	if !m.started {
		m.started = true
		m.first = now
		m.newest = int64(now) / int64(rateBucket)
	}
	m.advance(now)
	m.bytes[m.newest%rateBuckets] += uint32(sizeBytes)
	m.sum += uint64(sizeBytes)
}

// Rate returns the bitrate of the second before now. In the first second it is
// that of the time since the first Add, in the first fifth of it less, as if
// the fifth were over.
func (m *RateMeter) Rate(now mono.Instant) Bitrate {
	if !m.started {
		return 0
	}
	m.advance(now)
	// The oldest bucket is complete, the current one is not.
	oldest := mono.Instant((m.newest - rateBuckets + 1) * int64(rateBucket))
	span := max(now.Sub(max(oldest, m.first)), minRateSpan)
	return Bitrate(m.sum * 8 * uint64(time.Second) / uint64(span))
}

// advance makes the bucket of now the newest and forgets those that have left
// the window.
func (m *RateMeter) advance(now mono.Instant) {
	bucket := int64(now) / int64(rateBucket)
	if bucket <= m.newest {
		return
	}
	if bucket-m.newest >= rateBuckets {
		clear(m.bytes[:])
		m.sum = 0
		m.newest = bucket
		return
	}
	for m.newest < bucket {
		m.newest++
		b := &m.bytes[m.newest%rateBuckets]
		m.sum -= uint64(*b)
		*b = 0
	}
}

const (
	// recentBytes is what recent is taken of if it came within recentSpan
	// buckets, at least minRecentSpan.
	recentBytes   = 10_000
	recentSpan    = int(500 * time.Millisecond / rateBucket)
	minRecentSpan = int(120 * time.Millisecond / rateBucket)
)

// recent is the bitrate over so short a time before now as is still a
// measurement.
func (m *RateMeter) recent(now mono.Instant) Bitrate {
	if !m.started {
		return 0
	}
	m.advance(now)
	var sum uint64
	n := 0
	for n < recentSpan && (sum < recentBytes || n < minRecentSpan) && m.newest-int64(n) >= 0 {
		sum += uint64(m.bytes[(m.newest-int64(n))%rateBuckets])
		n++
	}
	// The current bucket is not complete, nor is it empty.
	span := rateBucket*time.Duration(n-1) + now.Sub(mono.Instant(m.newest*int64(rateBucket)))
	if begun := now.Sub(m.first); begun < span {
		span = max(begun, minRateSpan/2)
	}
	return Bitrate(sum * 8 * uint64(time.Second) / uint64(max(span, rateBucket)))
}
