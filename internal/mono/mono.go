// Package mono is monotonic time as a plain number, so that engines can be
// given the time, keep it in pointer-free state and be tested in virtual time.
package mono

import "time"

// Instant is nanoseconds since the process started. Zero is "never".
type Instant int64

var start = time.Now()

// Now reads the monotonic clock. Only the media graph calls it; engines are
// handed an Instant.
func Now() Instant { return Instant(time.Since(start)) + 1 }

// Add returns the instant d later.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d) }

// Sub returns the time from earlier to i.
func (i Instant) Sub(earlier Instant) time.Duration { return time.Duration(i - earlier) }

// Wall returns the wall-clock time of i, for NTP stamps and reports to people.
func (i Instant) Wall() time.Time { return start.Add(time.Duration(i - 1)) }

// Milliseconds is i in whole milliseconds, for state that keeps 32 bits.
func (i Instant) Milliseconds() int64 { return int64(i) / int64(time.Millisecond) }
