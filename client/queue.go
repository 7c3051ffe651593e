package client

import (
	"context"
	"iter"
	"sync"
)

// queue holds the events that nobody has taken yet.
type queue struct {
	// constant after newQueue
	most int
	wake chan struct{} // has an element when there may be something to take

	mu      sync.Mutex
	waiting []Event // guarded by mu
}

func newQueue(most int) *queue { return &queue{most: most, wake: make(chan struct{}, 1)} }

// push adds an event. It never waits.
func (q *queue) push(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= q.most {
		q.dropLocked()
	}
	q.waiting = append(q.waiting, e)
	q.signal()
}

// dropLocked replaces what waits. Whoever is that late has to look at the present
// anyway, and is soonest there without the past.
func (q *queue) dropLocked() {
	count := 0
	for _, e := range q.waiting {
		if earlier, ok := e.(EventsLost); ok {
			count += earlier.Count
		} else {
			count++
		}
	}
	clear(q.waiting)
	q.waiting = append(q.waiting[:0], EventsLost{Count: count})
}

// next waits for an event. It reports false when ctx or the client has ended.
func (q *queue) next(ctx context.Context, ended <-chan struct{}) (Event, bool) {
	for {
		if ctx.Err() != nil || isClosed(ended) {
			return nil, false
		}
		if e, ok := q.pop(); ok {
			return e, true
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
		case <-ended:
		}
	}
}

func (q *queue) pop() (Event, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return nil, false
	}
	e := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	if len(q.waiting) > 0 {
		q.signal() // for another loop
	}
	return e, true
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// Events yields the events that have come since Dial, in order, and waits for
// more until ctx ends or the client is closed. Each event is yielded once: of
// several loops, each gets a share.
//
// Up to Options.EventQueue events wait for the loop. When there are more, all of
// them are dropped and one EventsLost takes their place.
func (c *Client) Events(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for {
			e, ok := c.events.next(ctx, c.ctx.Done())
			if !ok || !yield(e) {
				return
			}
		}
	}
}
