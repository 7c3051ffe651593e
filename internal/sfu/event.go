package sfu

import (
	"log/slog"
	"runtime/debug"
	"sync"
)

// eventQueue calls functions one at a time, in the order in which they were
// posted, from a goroutine of its own. It does not bound its length: what is
// posted is bounded by the number of objects and their changes of state.
type eventQueue struct {
	log      *slog.Logger
	panicked func()
	ended    chan struct{} // closed when run returns

	mu     sync.Mutex
	wake   sync.Cond // on mu
	queue  []func()
	closed bool
}

func newEventQueue(log *slog.Logger, panicked func()) *eventQueue {
	q := &eventQueue{log: log, panicked: panicked, ended: make(chan struct{})}
	q.wake.L = &q.mu
	return q
}

// post queues f; after close it is dropped.
func (q *eventQueue) post(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.queue = append(q.queue, f)
	q.wake.Signal()
}

// settle returns when everything posted before has been called. It must not be
// called from there.
func (q *eventQueue) settle() {
	done := make(chan struct{})
	q.post(func() { close(done) })
	select {
	case <-done:
	case <-q.ended: // and it was posted too late
	}
}

// close makes run return once everything posted before has been called.
func (q *eventQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake.Signal()
}

func (q *eventQueue) run() {
	defer close(q.ended)
	var spare []func()
	for {
		q.mu.Lock()
		for len(q.queue) == 0 && !q.closed {
			q.wake.Wait()
		}
		batch := q.queue
		q.queue = spare
		q.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, f := range batch {
			q.call(f)
		}
		clear(batch) // what they hold on to may be large
		spare = batch[:0]
	}
}

// call keeps a callback that panics from taking every call with it.
func (q *eventQueue) call(f func()) {
	defer func() {
		if r := recover(); r != nil {
			q.panicked()
			q.log.Error("panic in an event callback", "panic", r, "stack", string(debug.Stack()))
		}
	}()
	f()
}
