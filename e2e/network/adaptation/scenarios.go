package main

import (
	"time"

	"github.com/takoserver/takos-call/e2e/relay/link"
)

// scenario is what one receiver's line does, step by step.
type scenario struct {
	name  string
	steps []step
}

// step is a state of the line to the receiver; the other way has its delay
// only.
type step struct {
	what string
	line link.Conditions
	long time.Duration
}

const (
	delay = 30 * time.Millisecond
	queue = 300 * time.Millisecond
)

// rate is a line of so many bit/s.
func rate(bitsPerSecond int64) link.Conditions {
	return link.Conditions{Delay: delay, Rate: bitsPerSecond, Queue: queue}
}

// with changes conditions.
func with(c link.Conditions, change func(*link.Conditions)) link.Conditions {
	change(&c)
	return c
}

func lossy(share float64) link.Conditions {
	return with(rate(3_000_000), func(c *link.Conditions) { c.Loss = share })
}

const settling = 20 * time.Second

var (
	fast   = rate(3_000_000)
	narrow = rate(250_000)
	police = with(rate(700_000), func(c *link.Conditions) { c.Police, c.Queue = true, 250*time.Millisecond })
	dark   = with(fast, func(c *link.Conditions) { c.Down = true })
)

var scenarios = []scenario{
	{"3 Mbit/s", []step{{"the beginning", fast, settling}, {"then", fast, settling}}},
	{"700 kbit/s", []step{{"the beginning", rate(700_000), settling}, {"then", rate(700_000), settling}}},
	{"150 kbit/s", []step{{"the beginning", rate(150_000), settling}, {"then", rate(150_000), settling}}},
	{"a bottleneck", []step{
		{"3 Mbit/s", fast, settling}, {"250 kbit/s comes", narrow, settling}, {"it goes", fast, settling},
	}},
	{"a policer", []step{{"3 Mbit/s", fast, settling}, {"what exceeds 700 kbit/s is lost", police, settling}}},
	{"loss", []step{
		{"none", fast, settling}, {"2 %", lossy(0.02), settling}, {"5 %", lossy(0.05), settling},
		{"10 %", lossy(0.1), settling}, {"30 %", lossy(0.3), settling},
	}},
	{"beside them", []step{{"3 Mbit/s, no loss", fast, 5 * settling}}},
	{"blackout", []step{{"before", fast, settling}, {"5 s", dark, 5 * time.Second}, {"after", fast, settling}}},
}
