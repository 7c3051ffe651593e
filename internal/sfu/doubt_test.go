package sfu

import (
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
)

// doubting is a line to which layers are given, by spatial layer.
type doubting struct {
	doubts
	now     mono.Instant
	current int
}

func (d *doubting) give(spatial int) {
	choice := spatial*maxTemporal + 1
	d.note(d.now, d.current, choice, choices-1)
	d.current = choice
}

// cost is what the layers above the current one seem to take, in percent.
func (d *doubting) cost() (percent [maxSpatial]bwe.Bitrate) {
	var bitrates [choices]bwe.Bitrate
	for i := range bitrates {
		bitrates[i] = 100
	}
	d.apply(d.now, d.current, &bitrates)
	for i := range percent {
		percent[i] = bitrates[i*maxTemporal]
		for _, b := range bitrates[i*maxTemporal : (i+1)*maxTemporal] {
			if b != percent[i] {
				return [maxSpatial]bwe.Bitrate{}
			}
		}
	}
	return percent
}

func TestLayerThatWasGivenInVainNeedsAWiderLine(t *testing.T) {
	d := doubting{now: mono.Instant(time.Hour)}
	want := func(what string, cost ...bwe.Bitrate) {
		t.Helper()
		if got := d.cost(); got != [maxSpatial]bwe.Bitrate(cost) {
			t.Errorf("%s the layers seem to take %v, want %v", what, got, cost)
		}
	}
	d.give(1)
	want("at first", 100, 100, 100, 100)
	d.now = d.now.Add(time.Minute)
	d.give(2)
	d.now = d.now.Add(2 * time.Second)
	d.give(1)
	want("after a failure", 100, 100, 150, 150)
	d.now = d.now.Add(doubtTime - 1)
	want("nearly a minute later", 100, 100, 150, 150)
	d.now++
	want("a minute later", 100, 100, 100, 100)
	d.give(2)
	want("while it is given", 100, 100, 100, 100)
	d.now = d.now.Add(time.Second)
	d.give(1)
	d.give(0)
	want("after another", 100, 100, 200, 200)
	d.now = d.now.Add(2*doubtTime - 1)
	want("two minutes later", 100, 100, 200, 200)
	for range 9 {
		d.give(1)
		d.now++
		d.give(0)
	}
	want("after many of the lower one", 100, 300, 300, 300)
	d.give(2)
	want("given all the same", 100, 100, 100, 300)
	d.now = d.now.Add(provenTime)
	d.give(0)
	want("kept for long", 100, 100, 100, 100)
}

func TestLayerThatWasKeptForAWhileIsNotDoubted(t *testing.T) {
	for _, kept := range []time.Duration{doubtfulTime, provenTime} {
		d := doubting{now: mono.Instant(time.Hour)}
		d.give(2)
		d.now = d.now.Add(kept)
		d.give(0)
		if got := d.cost(); got != [maxSpatial]bwe.Bitrate{100, 100, 100, 100} {
			t.Errorf("given for %v, the layers seem to take %v", kept, got)
		}
	}
}

func TestLayerThatIsNotWantedAnyMoreIsNotDoubted(t *testing.T) {
	d := doubting{now: mono.Instant(time.Hour)}
	d.give(2)
	d.note(d.now.Add(time.Second), d.current, 0, 3) // a smaller tile
	d.current = 0
	if got := d.cost(); got != [maxSpatial]bwe.Bitrate{100, 100, 100, 100} {
		t.Errorf("the layers seem to take %v", got)
	}
}

func TestFirstFallIsNotDoubted(t *testing.T) {
	d := doubting{now: mono.Instant(time.Second), current: choices - 1}
	d.give(0)
	if got := d.cost(); got != [maxSpatial]bwe.Bitrate{100, 100, 100, 100} {
		t.Errorf("the layers seem to take %v", got)
	}
}
