package room

import (
	"errors"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
)

// Consumer is media that a peer gets. Pausing, resuming and asking for a
// keyframe are the SFU's own methods.
type Consumer struct {
	*sfu.Consumer // constant after Consume

	// constant after Consume
	transport *Transport
	producer  *Producer
	appData   any
	number    uint64

	closed bool // guarded by the room's mu
}

// Peer is the owner, who receives.
func (c *Consumer) Peer() *Peer { return c.transport.peer }

// Transport is what carries it.
func (c *Consumer) Transport() *Transport { return c.transport }

// Producer is where it comes from.
func (c *Consumer) Producer() *Producer { return c.producer }

// AppData is what was attached when the consumer was made.
func (c *Consumer) AppData() any { return c.appData }

// Close closes the consumer. by is the id of the peer who wants it, empty for a
// backend.
func (c *Consumer) Close(by string) {
	r := c.transport.peer.room
	r.mu.Lock()
	defer r.mu.Unlock()
	c.closeLocked(by, ReasonRequested)
}

func (c *Consumer) closedBySFU(reason sfu.CloseReason) {
	r := c.transport.peer.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		c.closeLocked("", string(reason))
	}
}

func (c *Consumer) closeLocked(by, reason string) {
	if c.closed {
		return
	}
	c.closed = true
	c.Consumer.Close()
	delete(c.transport.consumers, c.ID())
	delete(c.Peer().consumers, c.ID())
	delete(c.producer.consumers, c.ID())
	c.Peer().room.emitLocked(Event{
		Type: ConsumerClosed, Peer: c.Peer(), Transport: c.transport, Consumer: c, By: by, Reason: reason,
	})
}

// explain tells a receiver that does not know the codec from one whose
// capabilities make no sense.
func (c *Consumer) explain(err error, capabilities ortc.RTPCapabilities) error {
	var wrong *ortc.Error
	if errors.As(err, &wrong) && wrong.Kind == ortc.UnsupportedError {
		return errorf(CannotConsume, "cannot consume producer %q: %s", c.producer.ID(), wrong.Message)
	}
	return err
}
