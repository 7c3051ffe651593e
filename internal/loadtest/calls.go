package loadtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Calls is a load of calls that are made and ended, one after the other: what
// a server spends on people who come and go, and what they leave behind.
type Calls struct {
	Count int
	// AtOnce is how many calls there are at a time. 0 means 4.
	AtOnce int
	// People is how many are in a call, each of whom hears all others. 0 means
	// 2.
	People int
	Sender SenderOptions
	// Lasting is how long a call goes on once everybody hears everybody.
	Lasting time.Duration
	// Progress, if not nil, is called after each call with how many there were,
	// by one goroutine at a time.
	Progress func(ended int)
}

// Room is where a call takes place.
type Room interface {
	Signalling
	Close(context.Context) error
}

// CallsReport is what Calls have shown.
type CallsReport struct {
	Calls    int
	Duration time.Duration
	Received uint64 // packets
	Faults   uint64 // as in Report, and packets that came twice
	// Ready is from the making of a room until everybody hears everybody.
	Ready   Histogram
	Connect Histogram // of each transport: ICE and DTLS, signalling included
}

// callPatience is how long a call may take until everybody hears everybody.
const callPatience = 15 * time.Second

// RunCalls makes and ends calls in rooms that open makes; the number of the
// call counts from 0. Every other one ends by its clients leaving, the rest by
// the closing of the room while they still send. After an error no more calls
// are made.
func (p *Pool) RunCalls(ctx context.Context, c Calls, open func(ctx context.Context, call int) (Room, error)) (*CallsReport, error) {
	r := &callsRun{Calls: c.withDefaults(), pool: p, open: open}
	began := time.Now()
	err := inParallel(ctx, r.Count, r.AtOnce, func(ctx context.Context, i int) error {
		if err := r.call(ctx, i); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
		return nil
	})
	r.report.Duration = time.Since(began)
	return &r.report, err
}

func (c Calls) withDefaults() Calls {
	if c.AtOnce <= 0 {
		c.AtOnce = 4
	}
	if c.People <= 0 {
		c.People = 2
	}
	return c
}

// callsRun is Calls that run.
type callsRun struct {
	Calls
	pool *Pool
	open func(context.Context, int) (Room, error)

	mu     sync.Mutex
	report CallsReport
}

// call makes a call and ends it.
func (r *callsRun) call(ctx context.Context, i int) error {
	began := time.Now()
	room, err := r.open(ctx, i)
	if err != nil {
		return fmt.Errorf("open a room: %w", err)
	}
	// What there is must end even if the load was told to.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), callPatience)
	defer cancel()
	var clients party
	ready, err := clients.meet(ctx, r, room)
	if err == nil {
		err = sleep(ctx, r.Lasting)
	}
	if i%2 == 0 {
		err = errors.Join(err, clients.leave(), room.Close(ending))
	} else {
		err = errors.Join(err, room.Close(ending), clients.leave())
	}
	if err != nil {
		return err
	}
	r.note(clients.receivers, ready.Sub(began))
	return nil
}

func (r *callsRun) note(receivers []*Receiver, ready time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, receiver := range receivers {
		st := receiver.Stats()
		r.report.Connect.Add(st.Connected)
		r.report.Faults += st.Unknown + st.Undecryptable + st.Malformed
		for _, stream := range st.Streams {
			r.report.Received += stream.Packets
			r.report.Faults += stream.Foreign + stream.Shifted + stream.Duplicates
		}
	}
	r.report.Ready.Add(ready)
	r.report.Calls++
	if r.Progress != nil {
		r.Progress(r.report.Calls)
	}
}

// party is the clients of a call.
type party struct {
	senders   []*Sender
	receivers []*Receiver
}

// meet brings everybody in and waits until everybody hears everybody.
func (p *party) meet(ctx context.Context, r *callsRun, room Room) (ready time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	for i := range r.People {
		signalling, err := room.Sender(ctx, i)
		if err != nil {
			return ready, fmt.Errorf("sender %d: %w", i, err)
		}
		s, err := r.pool.Sender(ctx, signalling, r.Sender)
		if err != nil {
			return ready, fmt.Errorf("sender %d: %w", i, err)
		}
		p.senders = append(p.senders, s)
	}
	for i := range r.People {
		signalling, err := room.Receiver(ctx, i)
		if err != nil {
			return ready, fmt.Errorf("receiver %d: %w", i, err)
		}
		receiver, err := r.pool.Receiver(ctx, signalling, p.others(i)...)
		if err != nil {
			return ready, fmt.Errorf("receiver %d: %w", i, err)
		}
		p.receivers = append(p.receivers, receiver)
	}
	for i, receiver := range p.receivers {
		if err := receiver.awaitMedia(ctx); err != nil {
			return ready, fmt.Errorf("receiver %d: %w", i, err)
		}
	}
	return time.Now(), nil
}

// others returns what everybody but i sends.
func (p *party) others(i int) (producerIDs []string) {
	for n, s := range p.senders {
		if n == i {
			continue
		}
		for _, produced := range s.Producers() {
			producerIDs = append(producerIDs, produced.ID)
		}
	}
	return producerIDs
}

func (p *party) leave() error {
	var errs []error
	for _, r := range p.receivers {
		errs = append(errs, r.Close())
	}
	for _, s := range p.senders {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// awaitMedia waits until every stream has come: of video a keyframe.
func (r *Receiver) awaitMedia(ctx context.Context) error {
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		missing := r.missingStream()
		if missing == "" {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("no media of consumer %s: %w", missing, ctx.Err())
		}
	}
}

// missingStream returns the id of a consumer that has not begun, or "".
func (r *Receiver) missingStream() (consumerID string) {
	r.transport.mu.Lock()
	defer r.transport.mu.Unlock()
	for _, in := range r.streams {
		if in.stats.Decrypted == 0 || in.vp8 && in.stats.Keyframes == 0 {
			return in.consumerID
		}
	}
	return ""
}
