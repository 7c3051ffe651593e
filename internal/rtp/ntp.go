package rtp

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// ntpEpoch is the number of seconds from 1900 to 1970.
const ntpEpoch = 2208988800

// NTPTime is wall-clock time in units of 2⁻³² seconds since 1900, as in sender
// reports (RFC 3550 §4). Like the format itself it wraps in 2036.
type NTPTime uint64

// ToNTP converts t. The error is below a nanosecond.
func ToNTP(t time.Time) NTPTime {
	seconds := uint64(t.Unix() + ntpEpoch)
	fraction := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return NTPTime(seconds<<32 | fraction)
}

// Time converts n to a time in UTC, to the nearest nanosecond.
func (n NTPTime) Time() time.Time {
	nanos := (uint64(uint32(n))*uint64(time.Second) + 1<<31) >> 32
	return time.Unix(int64(n>>32)-ntpEpoch, int64(nanos)).UTC()
}

// Mid32 returns the middle 32 bits, units of 2⁻¹⁶ seconds, which is how
// reports refer to an earlier report (LSR and LRR).
func (n NTPTime) Mid32() uint32 { return uint32(n >> 16) }

// compactSecond is a second in the units of LSR, DLSR and Mid32.
const compactSecond = 1 << 16

// CompactDuration converts d to units of 2⁻¹⁶ seconds, as in DLSR and DLRR.
// What is negative becomes 0, what does not fit the largest value.
func CompactDuration(d time.Duration) uint32 {
	const longest = time.Duration(1<<32-1) * time.Second / compactSecond
	switch {
	case d <= 0:
		return 0
	case d > longest:
		return 1<<32 - 1
	default:
		return uint32(uint64(d) << 16 / uint64(time.Second))
	}
}

// RoundTrip computes the round-trip time from a report received at now that
// refers to our report lastReport (Mid32, LSR or LRR) and was delayed by delay
// (DLSR or DLRR) at its sender (RFC 3550 §6.4.1). It is false when the sender
// has not yet seen a report of ours (lastReport is 0). Clock steps and
// rounding can make the sum come out below zero; that gives the smallest unit.
func RoundTrip(now NTPTime, lastReport, delay uint32) (time.Duration, bool) {
	if lastReport == 0 {
		return 0, false
	}
	units := int64(int32(now.Mid32() - lastReport - delay))
	if units <= 0 {
		units = 1
	}
	return time.Duration(units * int64(time.Second) / compactSecond), true
}

// AbsSendTime returns now as the value of the abs-send-time header extension:
// 24 bits of seconds in 6.18 fixed point, which wrap after 64 s. Receivers
// only ever use differences, so any clock will do that does not step.
func AbsSendTime(now mono.Instant) uint32 {
	const wrap = 64 * uint64(time.Second)
	return uint32((uint64(now) % wrap << 18 / uint64(time.Second)) & 0xFFFFFF)
}
