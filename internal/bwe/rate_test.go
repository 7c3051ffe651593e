package bwe_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
)

const ms = time.Millisecond

// at returns the instant d after a server that has run for a while.
func at(d time.Duration) mono.Instant { return mono.Instant(time.Hour + d) }

// near reports whether got is within a share of want.
func near(got, want bwe.Bitrate, share float64) bool {
	return float64(got) >= float64(want)*(1-share) && float64(got) <= float64(want)*(1+share)
}

func TestRateOfAnEvenStream(t *testing.T) {
	var m bwe.RateMeter
	for now := time.Duration(0); now < 5*time.Second; now += 10 * ms {
		m.Add(at(now), 1250)
		if got := m.Rate(at(now)); now >= 300*ms && !near(got, bwe.MegabitPerSecond, 0.05) {
			t.Errorf("after %v %d", now, got)
		}
	}
}

func TestRateForgetsAfterASecond(t *testing.T) {
	var m bwe.RateMeter
	for now := time.Duration(0); now < 2*time.Second; now += 10 * ms {
		m.Add(at(now), 1250)
	}
	for _, test := range []struct {
		after time.Duration
		want  bwe.Bitrate
	}{{2 * time.Second, 1_000_000}, {2500 * ms, 500_000}, {2900 * ms, 100_000}, {3 * time.Second, 0}, {time.Hour, 0}} {
		// The window begins with a bucket, 20 ms that hold 20 kbit.
		if got := m.Rate(at(test.after)); max(got, test.want)-min(got, test.want) > 25_000 {
			t.Errorf("after %v %d, want %d", test.after, got, test.want)
		}
	}
}

func TestRateFollowsAChangeWithinASecond(t *testing.T) {
	var m bwe.RateMeter
	for now := time.Duration(0); now < 4*time.Second; now += 10 * ms {
		size := 1250
		if now >= 2*time.Second {
			size = 250
		}
		m.Add(at(now), size)
	}
	if got := m.Rate(at(4 * time.Second)); !near(got, 200_000, 0.05) {
		t.Errorf("%d", got)
	}
}

func TestRateOfTheFirstPacketsIsNotExaggerated(t *testing.T) {
	var m bwe.RateMeter
	if got := m.Rate(at(0)); got != 0 {
		t.Errorf("%d of nothing", got)
	}
	m.Add(at(0), 1000)
	if got := m.Rate(at(0)); got != 8000*5 {
		t.Errorf("%d, want that of a fifth of a second", got)
	}
}

func TestRateSurvivesAClockThatStandsStill(t *testing.T) {
	var m bwe.RateMeter
	m.Add(at(1000*ms), 1000)
	m.Add(at(0), 1000)
	if got := m.Rate(at(1200 * ms)); got != 80_000 {
		t.Errorf("%d", got)
	}
}

func TestRateIsThatOfTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m bwe.RateMeter
		type packet struct {
			at   time.Duration
			size int
		}
		var packets []packet
		now := time.Duration(0)
		for range rapid.IntRange(1, 100).Draw(t, "packets") {
			now += time.Duration(rapid.Int64Range(0, int64(60*ms)).Draw(t, "gap"))
			p := packet{now, rapid.IntRange(1, 1500).Draw(t, "size")}
			packets = append(packets, p)
			m.Add(at(p.at), p.size)
		}
		// At most what a second holds, at least what a bucket less holds.
		var most, least int
		for _, p := range packets {
			if age := now - p.at; age <= time.Second {
				most += p.size
				if age < 980*ms {
					least += p.size
				}
			}
		}
		span := min(max(now-packets[0].at, 200*ms), time.Second).Seconds()
		got := float64(m.Rate(at(now)))
		if got < float64(least*8)/span-1 || got > float64(most*8)/(span*0.98)+1 {
			t.Fatalf("%v, want between %v and %v", got, float64(least*8)/span, float64(most*8)/span)
		}
	})
}

func TestRateMeterDoesNotAllocate(t *testing.T) {
	var m bwe.RateMeter
	now := at(0)
	if allocs := testing.AllocsPerRun(1000, func() {
		now = now.Add(7 * ms)
		m.Add(now, 1200)
		m.Rate(now)
	}); allocs != 0 {
		t.Errorf("%v allocations per packet", allocs)
	}
}

func BenchmarkRateMeter(b *testing.B) {
	var m bwe.RateMeter
	now := at(0)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(ms)
		m.Add(now, 1200)
	}
}
