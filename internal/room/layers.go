package room

import "github.com/takoserver/takos-call/internal/sfu"

// Layer is a spatial and a temporal layer of video, counted from zero.
type Layer = sfu.Layer

// ConsumerScore is how well a consumer is served.
type ConsumerScore = sfu.ConsumerScore

// EncodingScore is how well an encoding of a producer arrives.
type EncodingScore = sfu.EncodingScore

// layersChanged is an event of the SFU.
func (c *Consumer) layersChanged(l Layer, sent bool) {
	e := Event{Type: ConsumerLayersChanged, Peer: c.Peer(), Consumer: c}
	if sent {
		e.Layers = &l
	}
	c.tell(e)
}

// scored is an event of the SFU.
func (c *Consumer) scored(score ConsumerScore) {
	c.tell(Event{Type: ConsumerScored, Peer: c.Peer(), Consumer: c, ConsumerScore: score})
}

// tell passes on what is only news while there is the consumer.
func (c *Consumer) tell(e Event) {
	r := c.Peer().room
	r.mu.Lock()
	defer r.mu.Unlock()
	if !c.closed && !r.closed {
		r.emitLocked(e)
	}
}

// scored is an event of the SFU.
func (p *Producer) scored(scores []EncodingScore) {
	p.tell(Event{Type: ProducerScored, Peer: p.Peer(), Producer: p, EncodingScores: scores})
}

// layersWanted is an event of the SFU.
func (p *Producer) layersWanted(spatial uint8, wanted bool) {
	e := Event{Type: ProducerLayersWanted, Peer: p.Peer(), Producer: p}
	if wanted {
		e.WantedSpatial = &spatial
	}
	p.tell(e)
}

// WantedSpatial is the highest spatial layer of a video that anybody wants, as
// observers were told last; nil is none.
func (p *Producer) WantedSpatial() *uint8 {
	if spatial, wanted := p.WantedLayer(); wanted {
		return &spatial
	}
	return nil
}

// tell passes on what is only news while there is the producer.
func (p *Producer) tell(e Event) {
	r := p.room()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !p.closed && !r.closed {
		r.emitLocked(e)
	}
}
