package loadtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
)

// Fanout is a load: one sender that many receivers hear.
type Fanout struct {
	Receivers int
	Sender    SenderOptions
	// Joining is how many receivers join at a time. 0 means 8.
	Joining int
	// Warmup is from the last join to the first measurement, Duration how long
	// it is measured.
	Warmup, Duration time.Duration
	// Begin and End, if not nil, are called when the measurement begins and
	// ends, to read the server's figures.
	Begin, End func()
}

// Report is what a load has shown. The counters are of the time measured.
type Report struct {
	Receivers int
	Duration  time.Duration

	Sent      uint64 // packets by the sender
	Received  uint64 // by all receivers together
	Lost      int64
	Recovered uint64
	// Faults are packets that were doubled, foreign, shifted, unannounced or
	// could not be decrypted.
	Faults uint64
	// Silent is how many receivers got nothing of one of their streams.
	Silent int

	Latency  Histogram
	Connect  Histogram // of joining: ICE and DTLS, signalling included
	Keyframe Histogram // from the beginning of joining to the first keyframe
	// Keyframes is how many the sender had to send.
	Keyframes uint64
}

// Fanout runs f. signalling returns that of the receiver i (0 and up), which
// is called by several goroutines. All clients of f are closed when it
// returns.
func (p *Pool) Fanout(ctx context.Context, f Fanout, sender SendSignalling, signalling func(i int) (ReceiveSignalling, error)) (*Report, error) {
	s, err := p.Sender(ctx, sender, f.Sender)
	if err != nil {
		return nil, fmt.Errorf("start the sender: %w", err)
	}
	receivers, err := p.join(ctx, f, s.Producers(), signalling)
	var report *Report
	if err == nil {
		report, err = f.measure(ctx, s, receivers)
	}
	for _, r := range receivers {
		if r != nil {
			err = errors.Join(err, r.Close())
		}
	}
	return report, errors.Join(err, s.Close())
}

// join starts the receivers, several at a time; after an error no more.
func (p *Pool) join(ctx context.Context, f Fanout, producers []Produced, signalling func(i int) (ReceiveSignalling, error)) ([]*Receiver, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var ids []string
	for _, produced := range producers {
		ids = append(ids, produced.ID)
	}
	receivers := make([]*Receiver, f.Receivers)
	next := make(chan int)
	var group sync.WaitGroup
	for range min(f.joining(), f.Receivers) {
		group.Go(func() {
			for i := range next {
				var err error
				if receivers[i], err = p.joinOne(ctx, i, ids, signalling); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < f.Receivers && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	group.Wait()
	return receivers, context.Cause(ctx)
}

func (p *Pool) joinOne(ctx context.Context, i int, producerIDs []string, signalling func(i int) (ReceiveSignalling, error)) (*Receiver, error) {
	s, err := signalling(i)
	if err != nil {
		return nil, fmt.Errorf("receiver %d: %w", i, err)
	}
	r, err := p.Receiver(ctx, s, producerIDs...)
	if err != nil {
		return nil, fmt.Errorf("receiver %d: %w", i, err)
	}
	return r, nil
}

func (f Fanout) joining() int {
	if f.Joining <= 0 {
		return 8
	}
	return f.Joining
}

// measure waits for the warm-up and compares the counters before and after.
func (f Fanout) measure(ctx context.Context, s *Sender, receivers []*Receiver) (*Report, error) {
	if err := sleep(ctx, f.Warmup); err != nil {
		return nil, err
	}
	before := total(receivers, true)
	sentBefore, began := s.Stats().Packets, time.Now()
	if f.Begin != nil {
		f.Begin()
	}
	if err := sleep(ctx, f.Duration); err != nil {
		return nil, err
	}
	if f.End != nil {
		f.End()
	}
	sent, lasted := s.Stats(), time.Since(began)
	report := total(receivers, false)
	report.Receivers, report.Duration = len(receivers), lasted
	report.Sent, report.Keyframes = sent.Packets-sentBefore, sent.Keyframes
	report.Received -= before.Received
	report.Lost -= before.Lost
	report.Recovered -= before.Recovered
	report.Faults -= before.Faults
	return &report, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// total adds up the receivers' figures. forget makes them begin anew with
// latency.
func total(receivers []*Receiver, forget bool) Report {
	var sum Report
	for _, r := range receivers {
		st := r.Stats()
		if forget {
			r.forgetLatency()
		}
		sum.Latency.Merge(&st.Latency)
		sum.Connect.Add(st.Connected)
		sum.Faults += st.Unknown + st.Undecryptable + st.Malformed
		silent := false
		for _, stream := range st.Streams {
			sum.Received += stream.Packets
			sum.Lost += stream.Lost
			sum.Recovered += stream.Recovered
			sum.Faults += stream.Duplicates + stream.Foreign + stream.Shifted
			silent = silent || stream.Packets == 0
			if stream.Kind == ortc.Video && stream.Keyframes > 0 {
				sum.Keyframe.Add(stream.FirstKeyframe)
			}
		}
		if silent {
			sum.Silent++
		}
	}
	return sum
}

// forgetLatency empties the histogram.
func (r *Receiver) forgetLatency() {
	r.transport.mu.Lock()
	defer r.transport.mu.Unlock()
	r.latency = Histogram{}
}

// String is the report in a few lines of text.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d receivers for %s\n", r.Receivers, r.Duration.Round(time.Millisecond))
	fmt.Fprintf(&b, "packets   sent %d, received %d, lost %d (%.4f %%), recovered %d, faults %d, silent receivers %d\n",
		r.Sent, r.Received, r.Lost, r.lossPercent(), r.Recovered, r.Faults, r.Silent)
	describe(&b, "latency", &r.Latency)
	describe(&b, "connect", &r.Connect)
	describe(&b, "keyframe", &r.Keyframe)
	return b.String()
}

func (r *Report) lossPercent() float64 {
	expected := float64(r.Received) + float64(r.Lost)
	if expected == 0 {
		return 0
	}
	return 100 * float64(r.Lost) / expected
}

func describe(b *strings.Builder, name string, h *Histogram) {
	if h.Count() > 0 {
		fmt.Fprintf(b, "%-9s p50 %s, p99 %s, longest %s\n", name,
			h.Quantile(0.5), h.Quantile(0.99), h.Max().Round(time.Microsecond))
	}
}
