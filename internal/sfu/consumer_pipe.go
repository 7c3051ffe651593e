package sfu

import (
	"slices"

	"github.com/takoserver/takos-call/internal/ortc"
)

// pipedStreams are the streams of a consumer of type "pipe". It does not choose among
// the encodings of a producer but sends each of them on, as a stream of its own, so that
// another router has the same choice. Each of these streams is a Consumer to the packet
// path; the first of them is the one that the application knows.
type pipedStreams struct {
	// Constant after newConsumer.
	streams []*Consumer // by encoding
	router  bool        // it is a router that gets them
}

// whole is the consumer that c is, or is a stream of.
func (c *Consumer) whole() *Consumer {
	if c.pipe == nil {
		return c
	}
	return c.pipe.streams[0]
}

// streams are what the packet path knows c as.
func (c *Consumer) streams() []*Consumer {
	if c.pipe == nil {
		return []*Consumer{c}
	}
	return c.pipe.streams
}

// pipeStreams makes c a consumer of type "pipe".
func (c *Consumer) pipeStreams() {
	c.pipe = &pipedStreams{streams: []*Consumer{c}, router: c.transport.isPipe()}
	for i := 1; i < len(c.params.Encodings); i++ {
		s := &Consumer{
			transport: c.transport, producer: c.producer, consumed: c.consumed, params: c.params,
			pipe: c.pipe, encoding: i, payloadTypes: c.payloadTypes, redBlocks: c.redBlocks,
			extensions: c.extensions, clockHz: c.clockHz, video: c.video, ignoreDTX: c.ignoreDTX,
			appData: c.appData, events: c.events,
		}
		c.pipe.streams = append(c.pipe.streams, s)
	}
}

// chosen is the stream among those that arrive which c is to be sent.
func (c *Consumer) chosen(live *liveStreams) *recvStream {
	if c.pipe != nil {
		return (*live)[c.encoding]
	}
	return live.choose(c.wantedLocked().Spatial)
}

// wantUpTo makes the sender be told that of what the pipe passes on the spatial layers up
// to highest are wanted, and not more.
func (c *Consumer) wantUpTo(highest int8) {
	for _, s := range c.pipe.streams {
		s.want(highest)
	}
	c.producer.noteWanted(c.transport.sfu.now())
}

// want is wantUpTo for one stream: it is wanted as a whole or, with layers in it, up to one.
func (c *Consumer) want(highest int8) {
	own := int8(c.encoding)
	switch {
	case c.producer.typ == ortc.SVC:
		own = min(highest, int8(c.highest.Spatial))
	case own > highest:
		own = nothingWanted
	}
	c.preferredSpatial.Store(uint32(uint8(own)))
}

// pipeStats are the figures of each stream.
func (c *Consumer) pipeStats() (list []ConsumerStats) {
	for _, s := range c.pipe.streams {
		list = append(list, s.ownStats())
	}
	return list
}

// pipeScoreLocked is the score of a pipe: that of its worst stream, and of the worst
// encoding that it passes on. Before anything has come nothing is lost. Another router is
// told of the encodings that have come, everybody else of all. The recvMu of c's
// transport is held.
func (c *Consumer) pipeScoreLocked(producerScores []uint8) ConsumerScore {
	score := ConsumerScore{Score: maxScore, ProducerScore: maxScore}
	came := []uint8{}
	c.transport.sendMu.Lock()
	defer c.transport.sendMu.Unlock()
	for _, s := range c.pipe.streams {
		score.Score = min(score.Score, s.received.score)
		if s.rewrite.stream != nil {
			came = append(came, producerScores[s.encoding])
		}
	}
	if len(came) > 0 {
		score.ProducerScore = slices.Min(came)
	}
	score.ProducerScores = came
	if !c.pipe.router {
		score.ProducerScores = producerScores
	}
	return score
}
