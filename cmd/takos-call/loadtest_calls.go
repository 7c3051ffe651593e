package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/takoserver/takos-call/internal/config"
	"github.com/takoserver/takos-call/internal/loadtest"
)

// callsCommand makes and ends calls.
type callsCommand struct {
	under `embed:""`
	video `embed:""`

	Count   int           `name:"count" default:"100" help:"How many calls."`
	AtOnce  int           `name:"at-once" default:"4" help:"How many calls at a time."`
	People  int           `name:"people" default:"2" help:"How many people are in a call."`
	Lasting time.Duration `name:"lasting" default:"200ms" help:"How long a call goes on once everybody hears everybody."`
}

// callsSummary is what the command reports.
type callsSummary struct {
	Calls           int     `json:"calls"`
	Seconds         float64 `json:"seconds"`
	CallsPerSecond  float64 `json:"callsPerSecond"`
	PacketsReceived uint64  `json:"packetsReceived"`
	Faults          uint64  `json:"faults"`
	// ReadyMillis is from the making of a room until everybody hears everybody.
	ReadyP50    float64 `json:"readyMsP50"`
	ReadyP99    float64 `json:"readyMsP99"`
	CPUPerCall  float64 `json:"serverCpuMsPerCall"` // 0 when the server does not tell
	Goroutines  int     `json:"serverGoroutines"`   // afterwards, as the rest
	Descriptors int     `json:"serverDescriptors"`
	HeapMiB     float64 `json:"serverHeapMiB"`
}

// Run makes the calls and reports.
func (o *callsCommand) Run(ctx context.Context, sources *config.Sources, c console) (err error) {
	video, err := o.options()
	if err := errors.Join(err, atLeastOne("--count", o.Count), atLeastTwo(o.People)); err != nil {
		return err
	}
	session, err := o.open(ctx, sources)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.close()) }()
	books := &books{observer: session.observer, console: c, figures: map[loadtest.Moment]loadtest.Figures{}}
	if err := books.read(ctx, loadtest.Begun); err != nil {
		return err
	}
	report, err := session.pool.RunCalls(ctx, loadtest.Calls{
		Count: o.Count, AtOnce: o.AtOnce, People: o.People, Lasting: o.Lasting,
		Sender:   loadtest.SenderOptions{Audio: true, Video: video},
		Progress: callsProgress(c, o.Count),
	}, func(ctx context.Context, _ int) (loadtest.Room, error) { return session.room(ctx, loadtest.Together) })
	if err != nil {
		return err
	}
	if err := books.read(ctx, loadtest.Measured); err != nil {
		return err
	}
	if err := o.write(c, summariseCalls(report, books)); err != nil {
		return err
	}
	if report.Faults > 0 {
		return fmt.Errorf("%d packets were not as they should be", report.Faults)
	}
	return nil
}

// callsProgress returns what writes a line at most once a second.
func callsProgress(c console, count int) func(int) {
	next := time.Now().Add(time.Second)
	return func(ended int) {
		if now := time.Now(); now.After(next) || ended == count {
			next = now.Add(time.Second)
			fmt.Fprintf(c.err, "%d of %d calls made and ended\n", ended, count)
		}
	}
}

func summariseCalls(r *loadtest.CallsReport, b *books) callsSummary {
	s := callsSummary{
		Calls: r.Calls, Seconds: r.Duration.Seconds(), CallsPerSecond: float64(r.Calls) / r.Duration.Seconds(),
		PacketsReceived: r.Received, Faults: r.Faults,
		ReadyP50: r.Ready.Quantile(0.5).Seconds() * 1000, ReadyP99: r.Ready.Quantile(0.99).Seconds() * 1000,
	}
	if b.missing == nil {
		after := b.figures[loadtest.Measured]
		s.CPUPerCall = (after.CPU - b.figures[loadtest.Begun].CPU).Seconds() * 1000 / float64(r.Calls)
		s.Goroutines, s.Descriptors, s.HeapMiB = after.Goroutines, after.Descriptors, float64(after.Heap)/(1<<20)
	}
	return s
}

func (o *callsCommand) write(c console, s callsSummary) error {
	if o.JSON {
		return writeJSON(c.out, s)
	}
	_, err := fmt.Fprintf(c.out, `calls     %d in %.1f s, %.1f a second
packets   %d received, %d faults
ready     p50 %.0f ms, p99 %.0f ms after the room was made
server    %.2f CPU-ms per call; now %d goroutines, %d descriptors, %.1f MiB of heap
`, s.Calls, s.Seconds, s.CallsPerSecond, s.PacketsReceived, s.Faults, s.ReadyP50, s.ReadyP99,
		s.CPUPerCall, s.Goroutines, s.Descriptors, s.HeapMiB)
	return err
}

// decodeStrictly decodes JSON that has no fields but those of value.
func decodeStrictly(text []byte, value any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(value)
}
