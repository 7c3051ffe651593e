package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/takoserver/takos-call/e2e/relay/line"
	"github.com/takoserver/takos-call/e2e/relay/link"
	"github.com/takoserver/takos-call/internal/loadtest"
	"github.com/takoserver/takos-call/internal/mono"
)

// viewer is a receiver behind a line.
type viewer struct {
	receiver *loadtest.Receiver
	line     *line.Line
	sent     []loadtest.Video // the least first
	ssrcs    []uint32         // of these
	trace    bool
}

// view lets the i-th receiver come.
func (c *call) view(ctx context.Context, i int) (*viewer, error) {
	signalling, err := c.room.Receiver(ctx, i)
	if err != nil {
		return nil, err
	}
	through := &relayed{ReceiveSignalling: signalling, seed: uint64(i)}
	produced := c.sender.Producers()[0]
	r, err := c.pool.Receiver(ctx, through, produced.ID)
	if err != nil {
		if through.line != nil {
			err = errors.Join(err, through.line.Close())
		}
		return nil, err
	}
	return &viewer{receiver: r, line: through.line, sent: c.sent, ssrcs: produced.SSRCs}, nil
}

func (v *viewer) close() error { return errors.Join(v.receiver.Close(), v.line.Close()) }

// relayed puts a line between a receiver and its transport.
type relayed struct {
	loadtest.ReceiveSignalling
	seed uint64
	line *line.Line
}

// CreateTransport implements loadtest.TransportSignalling.
func (r *relayed) CreateTransport(ctx context.Context, d loadtest.Direction) (loadtest.TransportInfo, error) {
	info, err := r.ReceiveSignalling.CreateTransport(ctx, d)
	if err != nil {
		return info, err
	}
	at := slices.IndexFunc(info.ICECandidates, func(c loadtest.ICECandidate) bool { return c.Protocol == "udp" })
	if at < 0 {
		return info, errors.New("the server has no UDP candidate")
	}
	candidate := info.ICECandidates[at]
	server := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), candidate.Port)
	if r.line, err = line.Listen(line.Options{Server: server, Seed: r.seed}); err != nil {
		return info, err
	}
	candidate.Address, candidate.IP, candidate.Port = "127.0.0.1", "127.0.0.1", r.line.Address().Port()
	info.ICECandidates = []loadtest.ICECandidate{candidate}
	return info, nil
}

// sampling is how often a receiver is looked at.
const sampling = 50 * time.Millisecond

// during sets a step's conditions and watches what comes of them.
func (v *viewer) during(ctx context.Context, s step) (*figures, error) {
	if err := v.line.Set(line.Up, link.Conditions{Delay: delay}); err != nil {
		return nil, err
	}
	if err := v.line.Set(line.Down, s.line); err != nil {
		return nil, err
	}
	f := &figures{viewer: v, long: s.long, began: mono.Now(), before: v.line.Stats().Down}
	ticker := time.NewTicker(sampling)
	defer ticker.Stop()
	for mono.Now().Sub(f.began) < s.long {
		f.look()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	f.after = v.line.Stats().Down
	return f, nil
}

// figures are what a step brought.
type figures struct {
	viewer        *viewer
	long          time.Duration
	began         mono.Instant
	before, after link.Stats

	first, last loadtest.StreamStats
	looked      bool
	moved       mono.Instant // when the picture was last seen to move
	still       time.Duration
	changed     time.Duration // when another encoding was shown last
	changes     int
	dropping    time.Duration // when the line was last seen to drop something
	dropped     uint64
	byEncoding  [8]time.Duration

	traced     time.Duration
	tracedFrom loadtest.StreamStats
	tracedDown link.Stats
}

// say tells of the last second.
func (f *figures) say(since time.Duration, st loadtest.StreamStats, down link.Stats) {
	fmt.Fprintf(os.Stderr, "%5.1f s: %s, %d frames, %d kbit/s sent, %d dropped, %d asked for again, %d PLIs\n",
		since.Seconds(), f.name(slices.Index(f.viewer.ssrcs, st.Showing)), st.Shown-f.tracedFrom.Shown,
		int64(float64(down.Bytes-f.tracedDown.Bytes)*8/1000/(since-f.traced).Seconds()),
		down.Dropped+down.Policed-f.tracedDown.Dropped-f.tracedDown.Policed, st.NACKs-f.tracedFrom.NACKs, st.PLIs-f.tracedFrom.PLIs)
	f.traced, f.tracedFrom, f.tracedDown = since, st, down
}

// look takes a sample.
func (f *figures) look() {
	now := mono.Now()
	since := now.Sub(f.began)
	st := f.viewer.receiver.Stats().Streams[0]
	down := f.viewer.line.Stats().Down
	if f.viewer.trace && since/time.Second != f.traced/time.Second {
		f.say(since, st, down)
	}
	if gone := down.Dropped + down.Policed; gone != f.dropped {
		if f.looked {
			f.dropping = since
		}
		f.dropped = gone
	}
	if !f.looked {
		f.looked, f.first, f.last, f.moved = true, st, st, now
		return
	}
	if st.Shown != f.last.Shown {
		f.moved = now
	}
	f.still = max(f.still, now.Sub(f.moved))
	if st.Showing != f.last.Showing {
		f.changed = since
		f.changes++
	}
	if i := slices.Index(f.viewer.ssrcs, st.Showing); i >= 0 {
		f.byEncoding[i] += sampling
	}
	f.last = st
}

var columns = []string{
	"line: step", "encoding at the end", "most of the time", "last change after, s", "changes",
	"frames/s", "kbit/s", "longest still, ms", "lost in the queue", "the last after, s", "lost by chance", "keyframes asked for",
}

func (f *figures) row(what string) []string {
	seconds := f.long.Seconds()
	most := 0
	for i, d := range f.byEncoding {
		if d > f.byEncoding[most] {
			most = i
		}
	}
	return []string{
		what,
		f.name(slices.Index(f.viewer.ssrcs, f.last.Showing)),
		f.name(most),
		fmt.Sprintf("%.1f", f.changed.Seconds()),
		fmt.Sprint(f.changes),
		fmt.Sprintf("%.1f", float64(f.last.Shown-f.first.Shown)/seconds),
		fmt.Sprintf("%.0f", float64(f.last.Bytes-f.first.Bytes)*8/1000/seconds),
		fmt.Sprint(f.still.Milliseconds()),
		fmt.Sprint(f.after.Dropped + f.after.Policed - f.before.Dropped - f.before.Policed),
		fmt.Sprintf("%.1f", f.dropping.Seconds()),
		fmt.Sprint(f.after.Lost - f.before.Lost),
		fmt.Sprint(f.last.PLIs - f.first.PLIs),
	}
}

// name is an encoding's, by its bitrate.
func (f *figures) name(i int) string {
	if i < 0 {
		return "none"
	}
	return fmt.Sprintf("%d kbit/s", f.viewer.sent[i].Bitrate/1000)
}
