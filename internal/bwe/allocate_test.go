package bwe_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/bwe"
)

// kbit is a list of bitrates in kbit/s.
func kbit(rates ...int) []bwe.Bitrate {
	list := make([]bwe.Bitrate, len(rates))
	for i, r := range rates {
		list[i] = bwe.Bitrate(r) * bwe.KilobitPerSecond
	}
	return list
}

func TestAllocate(t *testing.T) {
	three := kbit(150, 500, 1500)
	video := func(current int) bwe.Demand { return bwe.Demand{Layers: three, Preferred: 2, Current: current} }
	simulcast := func(current int) bwe.Demand {
		return bwe.Demand{Layers: three, Preferred: 2, Current: current, Encoding: 1}
	}
	layered := func(current int) bwe.Demand {
		return bwe.Demand{Layers: kbit(150, 400, 900, 1500), Preferred: 3, Current: current, Encoding: 2}
	}
	priority := func(d bwe.Demand, p uint8) bwe.Demand { d.Priority = p; return d }
	for _, test := range []struct {
		name               string
		estimate, reserved int // kbit/s
		demands            []bwe.Demand
		chosen             []int
		used, wanted, next int
	}{
		{"nobody", 1000, 50, nil, nil, 50, 50, 0},
		{"enough for all", 3000, 0, []bwe.Demand{video(-1)}, []int{2}, 1500, 1500, 0},
		{"just enough for what is sent", 1500, 0, []bwe.Demand{video(2)}, []int{2}, 1500, 1500, 0},
		{"down at once", 1499, 0, []bwe.Demand{video(2)}, []int{1}, 500, 1500, 1500},
		{"up with a margin only", 1600, 0, []bwe.Demand{video(1)}, []int{1}, 500, 1500, 1620},
		{"up with the margin", 1620, 0, []bwe.Demand{video(1)}, []int{2}, 1500, 1500, 0},
		{"not enough for the lowest", 149, 0, []bwe.Demand{video(0)}, []int{-1}, 0, 1500, 150},
		{"resumed with a margin only", 155, 0, []bwe.Demand{video(-1)}, []int{-1}, 0, 1500, 162},
		{"audio comes first", 1500, 100, []bwe.Demand{video(2)}, []int{1}, 600, 1600, 1600},
		{"more audio than there is", 50, 100, []bwe.Demand{video(2)}, []int{-1}, 100, 1600, 250},
		{"equals take turns", 1100, 0, []bwe.Demand{video(2), video(2)}, []int{1, 1}, 1000, 3000, 2000},
		{"the first of equals is ahead", 700, 0, []bwe.Demand{video(2), video(2)}, []int{1, 0}, 650, 3000, 1000},
		{"everybody has something first", 2000, 0, []bwe.Demand{priority(video(2), 9), video(2), video(2)}, []int{2, 0, 0}, 1800, 4500, 2150},
		{"then the more important", 1000, 0, []bwe.Demand{video(2), priority(video(2), 1)}, []int{1, 1}, 1000, 3000, 2000},
		{"the least important is paused", 320, 0, []bwe.Demand{priority(video(0), 1), priority(video(0), 3), priority(video(0), 2)}, []int{-1, 0, 0}, 300, 4500, 450},
		{"what is essential is not", 100, 0, []bwe.Demand{{Layers: three, Preferred: 2, Current: 2, Essential: true}, priority(video(0), 5)}, []int{0, -1}, 150, 3000, 300},
		{"no more than preferred", 9000, 0, []bwe.Demand{{Layers: three, Preferred: 1}, {Layers: three, Preferred: bwe.Paused}}, []int{1, -1}, 500, 500, 0},
		{"preferred beyond the last", 9000, 0, []bwe.Demand{{Layers: three, Preferred: 99}}, []int{2}, 1500, 1500, 0},
		{"layers that do not arrive", 9000, 0, []bwe.Demand{{Layers: kbit(0, 200, 0, 900, 0), Preferred: 4}, {Layers: kbit(0, 0), Preferred: 1}, {Preferred: 2}}, []int{3, -1, -1}, 900, 900, 0},
		{"a larger encoding needs more to spare", 1850, 0, []bwe.Demand{simulcast(1)}, []int{1}, 500, 1500, 1875},
		{"a larger encoding with that", 1875, 0, []bwe.Demand{simulcast(1)}, []int{2}, 1500, 1500, 0},
		{"a smaller encoding as well", 600, 0, []bwe.Demand{simulcast(2)}, []int{0}, 150, 1500, 625},
		{"a smaller encoding with that", 625, 0, []bwe.Demand{simulcast(2)}, []int{1}, 500, 1500, 1500},
		{"the least encoding needs none", 150, 0, []bwe.Demand{simulcast(2)}, []int{0}, 150, 1500, 625},
		{"fewer layers of an encoding, too", 1100, 0, []bwe.Demand{layered(3)}, []int{1}, 400, 1500, 1125},
		{"more of them are up as ever", 1620, 0, []bwe.Demand{layered(2)}, []int{3}, 1500, 1500, 0},
		{"a higher layer that takes less", 1000, 0, []bwe.Demand{{Layers: kbit(400, 300, 900), Preferred: 2, Current: 2}}, []int{2}, 900, 900, 0},
	} {
		chosen := make([]int, len(test.demands))
		a := bwe.Allocate(bwe.Bitrate(test.estimate)*1000, bwe.Bitrate(test.reserved)*1000, test.demands, chosen)
		if !slices.Equal(chosen, test.chosen) {
			t.Errorf("%s: %v, want %v", test.name, chosen, test.chosen)
		}
		if want := (bwe.Allocation{Used: bwe.Bitrate(test.used) * 1000, Wanted: bwe.Bitrate(test.wanted) * 1000, Next: bwe.Bitrate(test.next) * 1000}); a != want {
			t.Errorf("%s: %+v, want %+v", test.name, a, want)
		}
	}
}

// drawDemands makes up to eight consumers whose layers grow.
func drawDemands(t *rapid.T) []bwe.Demand {
	demands := make([]bwe.Demand, rapid.IntRange(0, 8).Draw(t, "consumers"))
	for i := range demands {
		var layers []bwe.Bitrate
		rate := bwe.Bitrate(0)
		for range rapid.IntRange(0, 6).Draw(t, "layers") {
			rate += bwe.Bitrate(rapid.IntRange(1_000, 900_000).Draw(t, "bitrate"))
			layers = append(layers, rate)
			if rapid.IntRange(0, 5).Draw(t, "silent") == 0 {
				layers[len(layers)-1] = 0
			}
		}
		demands[i] = bwe.Demand{
			Layers: layers, Preferred: rapid.IntRange(-1, 6).Draw(t, "preferred"),
			Current:  rapid.IntRange(-1, len(layers)-1).Draw(t, "current"),
			Priority: uint8(rapid.IntRange(0, 3).Draw(t, "priority")), Essential: rapid.IntRange(0, 9).Draw(t, "essential") == 0,
		}
	}
	return demands
}

func TestAllocationKeepsItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		demands := drawDemands(t)
		estimate := bwe.Bitrate(rapid.IntRange(0, 8_000_000).Draw(t, "estimate"))
		reserved := bwe.Bitrate(rapid.IntRange(0, 200_000).Draw(t, "reserved"))
		chosen := make([]int, len(demands))
		a := bwe.Allocate(estimate, reserved, demands, chosen)

		sum, optional := reserved, false
		for i, d := range demands {
			if chosen[i] == bwe.Paused {
				continue
			}
			if chosen[i] > d.Preferred || d.Layers[chosen[i]] == 0 {
				t.Fatalf("consumer %d is given layer %d", i, chosen[i])
			}
			sum += d.Layers[chosen[i]]
			optional = optional || !d.Essential || lowest(d) < chosen[i]
		}
		if sum != a.Used || a.Used > a.Wanted {
			t.Fatalf("used %d, said to be %d of %d wanted", sum, a.Used, a.Wanted)
		}
		if optional && sum > estimate {
			t.Fatalf("%d of %d", sum, estimate)
		}
		for i, d := range demands {
			if d.Essential && chosen[i] == bwe.Paused && lowest(d) != bwe.Paused {
				t.Fatalf("consumer %d is essential and paused", i)
			}
			for j, other := range demands {
				if chosen[i] == bwe.Paused && lowest(d) != bwe.Paused && !other.Essential && chosen[j] > lowest(other) {
					t.Logf("consumer %d is paused and %d has layer %d", i, j, chosen[j])
					if need := d.Layers[lowest(d)]; sum-other.Layers[chosen[j]]+other.Layers[lowest(other)]+need+need/10 < estimate {
						t.Fatal("though both could have their lowest")
					}
				}
			}
		}
		if a.Next != 0 && a.Next <= estimate {
			t.Fatalf("somebody could have more at %d, there is %d", a.Next, estimate)
		}
		if a.Next != 0 {
			more := make([]int, len(demands))
			if b := bwe.Allocate(max(a.Next, estimate), reserved, demands, more); slices.Equal(more, chosen) {
				t.Fatalf("nobody gets more at %d: %+v", a.Next, b)
			}
		}
	})
}

// lowest is the lowest layer that d can be given.
func lowest(d bwe.Demand) int {
	for i, rate := range d.Layers {
		if rate > 0 && i <= d.Preferred {
			return i
		}
	}
	return bwe.Paused
}

func TestAllocationComesToRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		demands := drawDemands(t)
		estimate := bwe.Bitrate(rapid.IntRange(0, 8_000_000).Draw(t, "estimate"))
		chosen, before := make([]int, len(demands)), make([]int, len(demands))
		for range 4 {
			copy(before, chosen)
			bwe.Allocate(estimate, 0, demands, chosen)
			for i := range demands {
				demands[i].Current = chosen[i]
			}
		}
		if !slices.Equal(before, chosen) {
			t.Fatalf("%v after %v", chosen, before)
		}
	})
}

func TestAllocationGrowsWithTheEstimate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Of one consumer: of several, one may lose what two others gain.
		demands := drawDemands(t)
		demands = demands[:min(len(demands), 1)]
		less := bwe.Bitrate(rapid.IntRange(0, 4_000_000).Draw(t, "estimate"))
		low, high := make([]int, len(demands)), make([]int, len(demands))
		bwe.Allocate(less, 0, demands, low)
		bwe.Allocate(less+bwe.Bitrate(rapid.IntRange(0, 4_000_000).Draw(t, "more")), 0, demands, high)
		if len(demands) > 0 && high[0] < low[0] {
			t.Fatalf("layer %d with more, %d with less", high[0], low[0])
		}
	})
}

func manyDemands() ([]bwe.Demand, []int) {
	demands := make([]bwe.Demand, 20)
	for i := range demands {
		demands[i] = bwe.Demand{Layers: ladder, Preferred: len(ladder) - 1, Current: i % 4, Priority: uint8(i % 3)}
	}
	return demands, make([]int, len(demands))
}

func TestAllocateDoesNotAllocate(t *testing.T) {
	demands, chosen := manyDemands()
	if allocs := testing.AllocsPerRun(100, func() { bwe.Allocate(6_000_000, audioRate, demands, chosen) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkAllocate(b *testing.B) {
	demands, chosen := manyDemands()
	b.ReportAllocs()
	for b.Loop() {
		bwe.Allocate(6_000_000, audioRate, demands, chosen)
	}
}
