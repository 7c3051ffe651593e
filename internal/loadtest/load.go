package loadtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Load is senders, and receivers that hear them: one sender and many receivers
// are a fan-out, as many receivers as senders a meeting.
type Load struct {
	Senders, Receivers int
	Sender             SenderOptions
	// Hears tells whether receiver r gets what sender s sends, both counted
	// from 0. nil means that all hear all.
	Hears func(r, s int) bool
	// Joining is how many receivers join at a time. 0 means 8.
	Joining int
	// Warmup is from the last join to the first measurement, Duration how long
	// it is measured.
	Warmup, Duration time.Duration
	// At, if not nil, is called at each Moment, to read the server's figures.
	// Media flow on meanwhile, but an error ends the load.
	At func(Moment) error
	// Progress, if not nil, is called every second.
	Progress func(Progress)
}

// Moment is a step of a load.
type Moment int

// The moments, in order.
const (
	Alone    Moment = iota // the senders send; no receiver yet
	Joined                 // all receivers are in
	Begun                  // the measurement begins
	Measured               // and ends
)

// Progress is how far a load has come.
type Progress struct {
	Joined   int // receivers
	Elapsed  time.Duration
	Received uint64 // packets, by all receivers since they joined
	Lost     int64
}

// Signalling is how a load's clients reach the server. It is called by several
// goroutines.
type Signalling interface {
	// Sender and Receiver return the signalling of the i-th, counted from 0.
	Sender(ctx context.Context, i int) (SendSignalling, error)
	Receiver(ctx context.Context, i int) (ReceiveSignalling, error)
}

// Run runs the load l. All its clients are closed when it returns.
func (p *Pool) Run(ctx context.Context, l Load, signalling Signalling) (*Report, error) {
	r := &run{Load: l, pool: p, signalling: signalling, began: time.Now()}
	stop := r.watch()
	err := r.all(ctx)
	stop()
	return r.report, errors.Join(err, r.close())
}

// run is a load that runs.
type run struct {
	Load
	pool       *Pool
	signalling Signalling
	began      time.Time
	report     *Report

	mu        sync.Mutex
	senders   []*Sender   // in order
	receivers []*Receiver // in order once all have joined
	hears     [][]*Sender // by receiver
}

func (r *run) all(ctx context.Context) error {
	for i := range r.Senders {
		if err := r.startSender(ctx, i); err != nil {
			return fmt.Errorf("sender %d: %w", i, err)
		}
	}
	if err := tell(r.At, Alone); err != nil {
		return err
	}
	began := time.Now()
	if err := r.join(ctx); err != nil {
		return err
	}
	joining := time.Since(began)
	if err := tell(r.At, Joined); err != nil {
		return err
	}
	if err := sleep(ctx, r.Warmup); err != nil {
		return err
	}
	report, err := r.measure(ctx)
	if err != nil {
		return err
	}
	report.Joining = joining
	r.report = report
	return nil
}

func (r *run) startSender(ctx context.Context, i int) error {
	signalling, err := r.signalling.Sender(ctx, i)
	if err != nil {
		return err
	}
	s, err := r.pool.Sender(ctx, signalling, r.Sender)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.senders = append(r.senders, s)
	return nil
}

// join starts the receivers, several at a time.
func (r *run) join(ctx context.Context) error {
	joined := make([]*Receiver, r.Receivers)
	r.hears = make([][]*Sender, r.Receivers)
	err := inParallel(ctx, r.Receivers, r.joining(), func(ctx context.Context, i int) (err error) {
		if joined[i], err = r.joinOne(ctx, i); err != nil {
			return fmt.Errorf("receiver %d: %w", i, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.receivers = joined
	return nil
}

func (r *run) joining() int {
	if r.Joining <= 0 {
		return 8
	}
	return r.Joining
}

func (r *run) joinOne(ctx context.Context, i int) (*Receiver, error) {
	signalling, err := r.signalling.Receiver(ctx, i)
	if err != nil {
		return nil, err
	}
	var ids []string
	for n, s := range r.senders {
		if r.Hears != nil && !r.Hears(i, n) {
			continue
		}
		r.hears[i] = append(r.hears[i], s)
		for _, produced := range s.Producers() {
			ids = append(ids, produced.ID)
		}
	}
	receiver, err := r.pool.Receiver(ctx, signalling, ids...)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.receivers = append(r.receivers, receiver)
	return receiver, nil
}

// measure compares the counters before and after.
func (r *run) measure(ctx context.Context) (*Report, error) {
	before, sentBefore, began := receiverStats(r.receivers, true), packetsSent(r.senders), time.Now()
	if err := lasting(ctx, r.Duration, r.At); err != nil {
		return nil, err
	}
	sent, after, lasted := packetsSent(r.senders), receiverStats(r.receivers, false), time.Since(began)
	report := &Report{Senders: r.Senders, Receivers: r.Receivers, Duration: lasted}
	for s, n := range sent {
		n -= sentBefore[s]
		report.Sent += n
	}
	for i := range after {
		for _, s := range r.hears[i] {
			report.Expected += sent[s] - sentBefore[s]
		}
		report.add(before[i], after[i])
	}
	for s := range sent {
		report.Keyframes += s.Stats().Keyframes
	}
	return report, nil
}

func packetsSent(senders []*Sender) map[*Sender]uint64 {
	sent := make(map[*Sender]uint64, len(senders))
	for _, s := range senders {
		sent[s] = s.Stats().Packets
	}
	return sent
}

// receiverStats returns the figures of each; forget makes latency begin anew.
func receiverStats(receivers []*Receiver, forget bool) []ReceiverStats {
	list := make([]ReceiverStats, len(receivers))
	for i, r := range receivers {
		list[i] = r.Stats()
		if forget {
			r.forgetLatency()
		}
	}
	return list
}

// forgetLatency empties the histogram.
func (r *Receiver) forgetLatency() {
	r.transport.mu.Lock()
	defer r.transport.mu.Unlock()
	r.latency = Histogram{}
}

// watch reports progress until stop is called.
func (r *run) watch() (stop func()) {
	if r.Progress == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				r.Progress(r.progress())
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

func (r *run) progress() Progress {
	r.mu.Lock()
	receivers := r.receivers[:len(r.receivers):len(r.receivers)]
	r.mu.Unlock()
	p := Progress{Joined: len(receivers), Elapsed: time.Since(r.began)}
	for _, receiver := range receivers {
		for _, stream := range receiver.Stats().Streams {
			p.Received += stream.Packets
			p.Lost += stream.Lost
		}
	}
	return p
}

// close closes what there is, receivers first.
func (r *run) close() error {
	var errs []error
	for _, receiver := range r.receivers {
		errs = append(errs, receiver.Close())
	}
	for _, s := range r.senders {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// tell calls at, if there is one.
func tell(at func(Moment) error, m Moment) error {
	if at == nil {
		return nil
	}
	return at(m)
}

// lasting is the time that is measured, with its begin and end told.
func lasting(ctx context.Context, d time.Duration, at func(Moment) error) error {
	if err := tell(at, Begun); err != nil {
		return err
	}
	if err := sleep(ctx, d); err != nil {
		return err
	}
	return tell(at, Measured)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
