package sfu

import (
	"fmt"
	"slices"
	"time"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/layer"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
)

// Layer is a spatial and a temporal layer, counted from zero. Of a simulcast
// producer the spatial layers are the encodings, in the order announced.
type Layer = codec.Layer

// noLayer stands for nothing being sent.
var noLayer = Layer{Spatial: 255, Temporal: 255}

// consumerLayers is which of a producer's layers a consumer is sent. Guarded
// by the sendMu of its transport.
type consumerLayers struct {
	preferred Layer        // the highest that the receiver wants; 255 of a kind: all
	allowed   Layer        // the highest that its line carries; likewise
	choice    int8         // the same as bandwidth counts it; bwe.Paused: nothing
	priority  uint8        // in the division of bandwidth
	live      *liveStreams // when target was chosen
	target    *recvStream  // to be sent; nil if none arrives
	sent      *recvStream  // as of the last look at rewrite.stream
	told      Layer        // by the last LayersChange
	insisting insisting    // with a keyframe that would bring the wanted layers
	doubts    doubts       // in what the line carries
	// silentUntil is until when nothing is sent, for the line's queue to drain.
	silentUntil mono.Instant
}

// insisting bounds how often a keyframe is asked for to get at layers that maybe
// do not come at all: the sender may not be able to send them.
type insisting struct {
	until mono.Instant
	wait  time.Duration
}

const (
	minInsisting = time.Second
	maxInsisting = 16 * time.Second
)

// again reports whether to ask now.
func (p *insisting) again(now mono.Instant) bool {
	if now < p.until {
		return false
	}
	if p.wait = min(2*p.wait, maxInsisting); now.Sub(p.until) > maxInsisting {
		p.wait = minInsisting
	}
	p.until = now.Add(p.wait)
	return true
}

// highestLayer is that which a consumer of the encoding can be sent at most,
// and whether there is more than one.
func highestLayer(e ortc.RTPEncodingParameters) (highest Layer, layered bool) {
	mode := ortc.ParseScalabilityMode(e.ScalabilityMode)
	highest = Layer{Spatial: uint8(mode.SpatialLayers - 1), Temporal: uint8(mode.TemporalLayers - 1)}
	return highest, highest != Layer{}
}

// SetPreferredLayers limits what the receiver is sent. More than there is means
// the highest there is; a consumer without layers takes no notice. Errors:
// ErrClosed.
func (c *Consumer) SetPreferredLayers(l Layer) error {
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	if c.closed {
		return fmt.Errorf("setting preferred layers: consumer %q %w", c.id, ErrClosed)
	}
	if !c.layered {
		return nil
	}
	c.transport.sendMu.Lock()
	before := c.targetLocked()
	c.preferLocked(l)
	var awaited []*recvStream
	if b := c.transport.send.bandwidth; b != nil {
		awaited = slices.Clone(b.allocate(c.transport, c.transport.sfu.now()))
	}
	c.chooseTargetLocked()
	changed := c.layers.target != before
	// A still picture might not show for long that its stream has more layers.
	rises := c.layers.told != noLayer && c.wantedLocked().Spatial > c.currentLayerLocked().Spatial
	c.transport.sendMu.Unlock()
	c.producer.noteWanted(c.transport.sfu.now())
	c.transport.sfu.requestKeyframes(awaited)
	if changed || rises {
		c.RequestKeyFrame()
	}
	return nil
}

// PreferredLayers is what SetPreferredLayers set, the highest layers to begin
// with. It is false for a consumer without layers.
func (c *Consumer) PreferredLayers() (l Layer, layered bool) {
	c.transport.sendMu.Lock()
	defer c.transport.sendMu.Unlock()
	return c.boundLocked(c.layers.preferred), c.layered
}

// preferLocked notes what the receiver wants. The highest temporal layer stands
// for more that the sender may not have announced. sendMu is held.
func (c *Consumer) preferLocked(l Layer) {
	c.layers.preferred = c.boundLocked(l)
	if l.Temporal >= c.highest.Temporal {
		c.layers.preferred.Temporal = layer.All.Temporal
	}
	c.preferredSpatial.Store(uint32(c.layers.preferred.Spatial))
}

// boundLocked is l, or the highest there is if that is less.
func (c *Consumer) boundLocked(l Layer) Layer {
	return Layer{Spatial: min(l.Spatial, c.highest.Spatial), Temporal: min(l.Temporal, c.highest.Temporal)}
}

// SetPriority says how important the consumer is among those of its transport
// when not all can be sent in full: 1, as to begin with, to 255, the most
// important. Errors: ErrClosed, *ortc.Error.
func (c *Consumer) SetPriority(priority int) error {
	if priority < 1 || priority > 255 {
		return typeErrorf("priority: %d is not between 1 and 255", priority)
	}
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	if c.closed {
		return fmt.Errorf("setting the priority: consumer %q %w", c.id, ErrClosed)
	}
	c.transport.sendMu.Lock()
	defer c.transport.sendMu.Unlock()
	c.layers.priority = uint8(priority)
	return nil
}

// UnsetPriority makes the consumer as important as it was to begin with.
func (c *Consumer) UnsetPriority() {
	c.transport.sendMu.Lock()
	defer c.transport.sendMu.Unlock()
	c.layers.priority = 1
}

// Priority is what SetPriority was given last.
func (c *Consumer) Priority() int {
	c.transport.sendMu.Lock()
	defer c.transport.sendMu.Unlock()
	return int(c.layers.priority)
}

// CurrentLayers is what the receiver is sent now. It is false while it is sent
// nothing, and for a consumer without layers.
func (c *Consumer) CurrentLayers() (l Layer, sent bool) {
	c.transport.sendMu.Lock()
	defer c.transport.sendMu.Unlock()
	return c.layers.told, c.layers.told != noLayer
}

// targetLocked is the stream that c ought to be sent; nil if there is none.
// sendMu is held.
func (c *Consumer) targetLocked() *recvStream {
	if c.layers.live != c.producer.live.Load() {
		c.chooseTargetLocked()
	}
	return c.layers.target
}

func (c *Consumer) chooseTargetLocked() {
	c.layers.live = c.producer.live.Load()
	c.layers.target = c.chosen(c.layers.live)
	c.aimLocked()
	c.noteEncodingsLocked()
}

// wantedLocked is the highest layer to be sent. sendMu is held.
func (c *Consumer) wantedLocked() Layer {
	l := &c.layers
	return Layer{Spatial: min(l.preferred.Spatial, l.allowed.Spatial), Temporal: min(l.preferred.Temporal, l.allowed.Temporal)}
}

// aimLocked tells the filter what to let pass of the stream that is sent. On the
// way down to a smaller stream, whose keyframe is awaited, that is the least
// there is: the line is too narrow now. sendMu is held.
func (c *Consumer) aimLocked() {
	aim := c.wantedLocked()
	switch sent, target := c.rewrite.stream, c.layers.target; {
	case !c.layered:
		aim = layer.All
	case c.producer.typ == ortc.Simulcast:
		aim.Spatial = layer.All.Spatial
		if sent != nil && target != nil && target.encoding < sent.encoding {
			aim.Temporal = 0
		}
	}
	c.filter.SetTarget(aim)
}

// noteEncodingsLocked lets the producer know what c needs. sendMu is held.
func (c *Consumer) noteEncodingsLocked() {
	set := uint64(0)
	for _, s := range []*recvStream{c.layers.target, c.rewrite.stream} {
		if s != nil && !c.starvedLocked() {
			set |= 1 << s.encoding
		}
	}
	c.encodings.Store(set)
}

// tellLayersLocked has LayersChange called if what is sent has changed. sendMu
// is held.
func (c *Consumer) tellLayersLocked(current Layer) {
	if current == c.layers.told || !c.layered {
		return
	}
	before := c.layers.told
	c.layers.told = current
	if changed := c.events.LayersChange; changed != nil {
		c.transport.router.emit(func() { changed(current, current != noLayer) })
	}
	c.notifyLayers(current)
	if c.producer.typ == ortc.Simulcast && current != noLayer && current.Spatial != before.Spatial {
		c.tellScoreOfEncoding()
	}
}

func (c *Consumer) notifyLayers(current Layer) {
	if !c.transport.router.observed() {
		return
	}
	var sent *Layer
	if current != noLayer {
		sent = &Layer{Spatial: current.Spatial, Temporal: current.Temporal}
	}
	c.transport.router.notify(Event{Type: EventLayersChange, Consumer: c, Data: sent})
}

// currentLayerLocked is the layer that is being sent. sendMu is held.
func (c *Consumer) currentLayerLocked() Layer {
	l, _ := c.filter.Current()
	if c.producer.typ == ortc.Simulcast {
		l.Spatial = uint8(c.rewrite.stream.encoding)
	}
	return l
}

// requestKeyframe asks for a keyframe of the stream that c is to be sent. If
// there is none yet, its first packet will bring it about.
func (sc *scratch) requestKeyframe(c *Consumer) {
	c.transport.sendMu.Lock()
	target, starved := c.targetLocked(), c.starvedLocked()
	c.transport.sendMu.Unlock()
	if target != nil && !starved {
		target.requestKeyframe(sc, sc.now)
	}
}
