package signal

import (
	"context"
	"sync"
)

// outbox is the bounded queue of what is to be written. One goroutine pops.
type outbox struct {
	// constant after init
	maxMessages, maxBytes int
	wake                  chan struct{} // has an element when pop may have something to do
	drained               chan struct{} // has an element when the queue got shorter
	shutting              chan struct{} // closed by shut

	mu    sync.Mutex
	queue [][]byte // guarded by mu
	bytes int      // guarded by mu: length of what is in queue
	last  *End     // guarded by mu: how to end once the queue is empty
}

func (b *outbox) init(maxMessages, maxBytes int) {
	b.maxMessages, b.maxBytes = maxMessages, maxBytes
	b.wake, b.drained = make(chan struct{}, 1), make(chan struct{}, 1)
	b.shutting = make(chan struct{})
}

// push reports whether there was room. After shut messages are dropped.
func (b *outbox) push(text []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last != nil {
		return true
	}
	if len(b.queue) > 0 && (len(b.queue) >= b.maxMessages || b.bytes+len(text) > b.maxBytes) {
		return false
	}
	b.queue = append(b.queue, text)
	b.bytes += len(text)
	signalOn(b.wake)
	return true
}

// busy reports whether the queue is more than half full.
func (b *outbox) busy() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last == nil && (len(b.queue) > b.maxMessages/2 || b.bytes > b.maxBytes/2)
}

// shut ends the session after what is queued. The first call counts.
func (b *outbox) shut(end End) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shutLocked(end)
}

// overflow ends the session without what is queued, which the client would not
// read in time anyway.
func (b *outbox) overflow(end End) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue, b.bytes = nil, 0
	b.shutLocked(end)
}

func (b *outbox) shutLocked(end End) {
	if b.last == nil {
		b.last = &end
		close(b.shutting)
		signalOn(b.wake)
		signalOn(b.drained)
	}
}

func (b *outbox) isShut() bool {
	_, shut := b.end()
	return shut
}

// end returns how the session is to end, if that is known.
func (b *outbox) end() (End, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last == nil {
		return End{}, false
	}
	return *b.last, true
}

// pop waits for the next message; a nil one means that it is time to end. It
// reports false when ctx has ended.
func (b *outbox) pop(ctx context.Context) (text []byte, end End, more bool) {
	for {
		b.mu.Lock()
		if len(b.queue) > 0 {
			text = b.queue[0]
			b.queue[0] = nil
			b.queue = b.queue[1:]
			b.bytes -= len(text)
			b.mu.Unlock()
			signalOn(b.drained)
			return text, End{}, true
		}
		if b.last != nil {
			defer b.mu.Unlock()
			return nil, *b.last, true
		}
		b.mu.Unlock()
		select {
		case <-b.wake:
		case <-ctx.Done():
			return nil, End{}, false
		}
	}
}

func signalOn(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
