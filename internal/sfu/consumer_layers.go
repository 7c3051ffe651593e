package sfu

import (
	"fmt"

	"github.com/takoserver/takos-call/internal/codec"
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
	preferred Layer        // the highest that the receiver wants
	live      *liveStreams // when target was chosen
	target    *recvStream  // to be sent; nil if none arrives
	sent      *recvStream  // as of the last look at rewrite.stream
	told      Layer        // by the last LayersChange
}

// highestLayer is that which a consumer of parameters p can be sent at most,
// and whether there is more than one.
func highestLayer(p ortc.RTPParameters) (highest Layer, layered bool) {
	mode := ortc.ParseScalabilityMode(p.Encodings[0].ScalabilityMode)
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
	c.layers.preferred = Layer{Spatial: min(l.Spatial, c.highest.Spatial), Temporal: min(l.Temporal, c.highest.Temporal)}
	c.chooseTargetLocked()
	changed := c.layers.target != before
	c.transport.sendMu.Unlock()
	if changed {
		c.RequestKeyFrame()
	}
	return nil
}

// PreferredLayers is what SetPreferredLayers set, the highest layers to begin
// with. It is false for a consumer without layers.
func (c *Consumer) PreferredLayers() (l Layer, layered bool) {
	c.transport.sendMu.Lock()
	defer c.transport.sendMu.Unlock()
	return c.layers.preferred, c.layered
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
	c.layers.target = c.layers.live.choose(c.layers.preferred.Spatial)
	c.noteEncodingsLocked()
}

// noteEncodingsLocked lets the producer know what c needs. sendMu is held.
func (c *Consumer) noteEncodingsLocked() {
	set := uint64(0)
	for _, s := range []*recvStream{c.layers.target, c.rewrite.stream} {
		if s != nil {
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
	c.layers.told = current
	if changed := c.events.LayersChange; changed != nil {
		c.transport.router.emit(func() { changed(current, current != noLayer) })
	}
}

// currentLayerLocked is the layer that is being sent. sendMu is held.
func (c *Consumer) currentLayerLocked() Layer {
	return Layer{Spatial: uint8(c.rewrite.stream.encoding)}
}

// requestKeyframe asks for a keyframe of the stream that c is to be sent. If
// there is none yet, its first packet will bring it about.
func (sc *scratch) requestKeyframe(c *Consumer) {
	c.transport.sendMu.Lock()
	target := c.targetLocked()
	c.transport.sendMu.Unlock()
	if target != nil {
		target.requestKeyframe(sc, sc.now)
	}
}
