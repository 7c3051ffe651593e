package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/takoserver/takos-call/internal/config"
	"github.com/takoserver/takos-call/internal/loadtest"
)

// controlCommand loads the door of commands, beside media.
type controlCommand struct {
	under `embed:""`
	video `embed:""`

	Receivers int           `name:"receivers" default:"20" help:"How many receive the video that the commands go beside."`
	AtOnce    int           `name:"at-once" default:"16" help:"How many commands, and then how many joins, are under way at a time."`
	Duration  time.Duration `name:"duration" default:"5s" help:"How long each of the three parts takes: media alone, commands beside them, joins."`
}

// controlSummary is what the command reports. Milliseconds are ms, and of media
// from when they were sent until they arrived.
type controlSummary struct {
	CommandsPerSecond float64 `json:"commandsPerSecond"`
	CommandP50        float64 `json:"commandMsP50"`
	CommandP99        float64 `json:"commandMsP99"`
	CPUPerCommand     float64 `json:"serverCpuUsPerCommand"` // beside what the media take; 0 when the server does not tell
	MediaP99Alone     float64 `json:"mediaMsP99Alone"`
	MediaP99Flooded   float64 `json:"mediaMsP99Flooded"`
	JoinsPerSecond    float64 `json:"joinsPerSecond"`
	JoinP50           float64 `json:"joinMsP50"`
	JoinP99           float64 `json:"joinMsP99"`
	CPUPerJoin        float64 `json:"serverCpuMsPerJoin"`
}

// Run runs the three parts and reports.
func (o *controlCommand) Run(ctx context.Context, sources *config.Sources, c console) (err error) {
	video, err := o.options()
	if err := errors.Join(err, atLeastOne("--receivers", o.Receivers), atLeastOne("--at-once", o.AtOnce),
		lasting{Duration: o.Duration}.check()); err != nil {
		return err
	}
	media, err := o.open(ctx, sources)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, media.close()) }()
	commands, err := o.open(ctx, sources)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, commands.close()) }()
	control, err := loadtest.OpenControl(ctx, commands.api)
	if err != nil {
		return err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), remoteTimeout)
		defer cancel()
		err = errors.Join(err, control.Close(ending))
	}()
	load := loadtest.Load{Senders: 1, Receivers: o.Receivers, Sender: loadtest.SenderOptions{Video: video}, Warmup: time.Second, Duration: o.Duration}
	s, err := o.measure(ctx, c, media, commands, control, load)
	if err != nil {
		return err
	}
	return o.write(c, s)
}

func (o *controlCommand) measure(ctx context.Context, c console, media, commands *session, control *loadtest.Control, load loadtest.Load) (s controlSummary, err error) {
	alone, aloneCPU, err := o.beside(ctx, c, media, load, nil)
	if err != nil {
		return s, err
	}
	var flood *loadtest.ControlReport
	flooded, floodedCPU, err := o.beside(ctx, c, media, load, func(ctx context.Context) (err error) {
		flood, err = control.Flood(ctx, o.AtOnce)
		return err
	})
	if err != nil {
		return s, err
	}
	s.MediaP99Alone, s.MediaP99Flooded = milliseconds(alone.Latency.Quantile(0.99)), milliseconds(flooded.Latency.Quantile(0.99))
	s.CommandsPerSecond = flood.PerSecond()
	s.CommandP50, s.CommandP99 = milliseconds(flood.Latency.Quantile(0.5)), milliseconds(flood.Latency.Quantile(0.99))
	if floodedCPU > aloneCPU {
		s.CPUPerCommand = float64((floodedCPU - aloneCPU).Microseconds()) / (s.CommandsPerSecond * flooded.Duration.Seconds())
	}
	books := &books{observer: media.observer, console: c, figures: map[loadtest.Moment]loadtest.Figures{}}
	if err := books.read(ctx, loadtest.Begun); err != nil {
		return s, err
	}
	joining, cancel := context.WithTimeout(ctx, o.Duration)
	defer cancel()
	joins, err := control.Join(joining, commands.pool, o.AtOnce)
	if err == nil {
		err = books.read(ctx, loadtest.Measured)
	}
	if err != nil {
		return s, err
	}
	s.JoinsPerSecond = joins.PerSecond()
	s.JoinP50, s.JoinP99 = milliseconds(joins.Latency.Quantile(0.5)), milliseconds(joins.Latency.Quantile(0.99))
	if books.missing == nil && joins.Count > 0 {
		s.CPUPerJoin = milliseconds(books.figures[loadtest.Measured].CPU-books.figures[loadtest.Begun].CPU) / float64(joins.Count)
	}
	return s, nil
}

// beside measures the media, with other going on at the same time.
func (o *controlCommand) beside(ctx context.Context, c console, media *session, load loadtest.Load, other func(context.Context) error) (*loadtest.Report, time.Duration, error) {
	room, err := media.room(ctx, loadtest.Apart)
	if err != nil {
		return nil, 0, err
	}
	books := &books{observer: media.observer, console: c, figures: map[loadtest.Moment]loadtest.Figures{}}
	ended := make(chan error, 1)
	going, stop := context.WithCancel(ctx)
	defer stop()
	load.At = func(m loadtest.Moment) error {
		if m == loadtest.Joined {
			go func() {
				if other == nil {
					ended <- nil
					return
				}
				ended <- other(going)
			}()
		}
		return books.read(ctx, m)
	}
	report, err := media.pool.Run(ctx, load, room)
	if err != nil {
		return nil, 0, errors.Join(err, room.Close(ctx))
	}
	stop()
	return report, books.figures[loadtest.Measured].CPU - books.figures[loadtest.Begun].CPU, errors.Join(<-ended, room.Close(ctx))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (o *controlCommand) write(c console, s controlSummary) error {
	if o.JSON {
		return writeJSON(c.out, s)
	}
	_, err := fmt.Fprintf(c.out, `commands  %.0f a second over one connection, p50 %.2f ms, p99 %.2f ms; %.0f µs of the server's CPU each
media     p99 %.2f ms alone, %.2f ms beside the commands
joins     %.0f a second, p50 %.1f ms, p99 %.1f ms; %.2f ms of the server's CPU each
`, s.CommandsPerSecond, s.CommandP50, s.CommandP99, s.CPUPerCommand, s.MediaP99Alone, s.MediaP99Flooded,
		s.JoinsPerSecond, s.JoinP50, s.JoinP99, s.CPUPerJoin)
	return err
}
