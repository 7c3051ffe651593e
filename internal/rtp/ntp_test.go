package rtp_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

func TestNTPKnownTimes(t *testing.T) {
	for _, test := range []struct {
		time time.Time
		want rtp.NTPTime
	}{
		{time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), 0},
		{time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), 2208988800 << 32},
		{time.Date(1970, 1, 1, 0, 0, 0, 500_000_000, time.UTC), 2208988800<<32 | 1<<31},
		{time.Date(2024, 2, 29, 12, 0, 0, 250_000_000, time.FixedZone("", 3600)), 3918193200<<32 | 1<<30},
	} {
		if got := rtp.ToNTP(test.time); got != test.want {
			t.Errorf("%v is %#x, want %#x", test.time, got, test.want)
		}
		if got := test.want.Time(); !got.Equal(test.time) {
			t.Errorf("%#x is %v, want %v", test.want, got, test.time)
		}
	}
}

func TestNTPThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Unix(rapid.Int64Range(0, 2085978495).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
		if got := rtp.ToNTP(want).Time(); !got.Equal(want) {
			t.Fatalf("%v became %v", want.UTC(), got)
		}
	})
}

func TestMid32IsTheMiddle(t *testing.T) {
	if got := rtp.NTPTime(0x1122334455667788).Mid32(); got != 0x33445566 {
		t.Errorf("%#x", got)
	}
}

func TestCompactDuration(t *testing.T) {
	for _, test := range []struct {
		duration time.Duration
		want     uint32
	}{
		{-time.Second, 0}, {0, 0}, {time.Second, 1 << 16}, {500 * time.Millisecond, 1 << 15},
		{18 * time.Hour, 18 * 3600 << 16}, {19 * time.Hour, 1<<32 - 1}, {1 << 62, 1<<32 - 1},
	} {
		if got := rtp.CompactDuration(test.duration); got != test.want {
			t.Errorf("%v is %d, want %d", test.duration, got, test.want)
		}
	}
}

func TestRoundTripIsWhatIsNotDelay(t *testing.T) {
	sent := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name         string
		after, delay time.Duration
		want         time.Duration
	}{
		{"plain", 150 * time.Millisecond, 100 * time.Millisecond, 50 * time.Millisecond},
		{"no delay", 20 * time.Millisecond, 0, 20 * time.Millisecond},
		{"across the wrap of 18 h", 20 * time.Hour, 2 * time.Hour, 0},
		{"delay rounded up", 100 * time.Millisecond, 101 * time.Millisecond, 0},
	} {
		now := rtp.ToNTP(sent.Add(test.after))
		got, ok := rtp.RoundTrip(now, rtp.ToNTP(sent).Mid32(), rtp.CompactDuration(test.delay))
		if test.want == 0 {
			if !ok || got <= 0 {
				t.Errorf("%s: %v, %v; want something above zero", test.name, got, ok)
			}
			continue
		}
		if difference := got - test.want; !ok || difference.Abs() > 50*time.Microsecond {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if _, ok := rtp.RoundTrip(rtp.ToNTP(sent), 0, 0); ok {
		t.Error("a round trip although no report had arrived there")
	}
}

func TestAbsSendTimeWrapsAfter64Seconds(t *testing.T) {
	at := func(d time.Duration) uint32 { return rtp.AbsSendTime(mono.Instant(d)) }
	for _, test := range []struct {
		time time.Duration
		want uint32
	}{
		{0, 0}, {time.Second, 1 << 18}, {500 * time.Millisecond, 1 << 17},
		{64*time.Second - 1, 0xFFFFFF}, {64 * time.Second, 0}, {65 * time.Second, 1 << 18},
	} {
		if got := at(test.time); got != test.want {
			t.Errorf("%v is %#x, want %#x", test.time, got, test.want)
		}
	}
	// A server runs for months.
	if year := 365 * 24 * time.Hour; at(year+time.Second)-at(year) != 1<<18 {
		t.Error("a second is not a second after a year")
	}
}
