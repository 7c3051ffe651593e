package sfu

import (
	"math"
	"slices"

	"github.com/takoserver/takos-call/internal/mono"
)

// maxScore is that of a stream of which nothing is lost for good.
const maxScore = 10

// EncodingScore is how well an encoding of a producer arrives.
type EncodingScore struct {
	Encoding int    `json:"encodingIdx"`
	SSRC     uint32 `json:"ssrc"`
	RID      string `json:"rid,omitempty"`
	// Score is 0, nothing arrives, to 10.
	Score uint8 `json:"score"`
}

// ConsumerScore is how well a consumer is served.
type ConsumerScore struct {
	// Score is that of what the receiver gets, 0 to 10.
	Score uint8 `json:"score"`
	// ProducerScore is that of the encoding that it is sent, 0 for none, or of
	// the only one that there is.
	ProducerScore uint8 `json:"producerScore"`
	// ProducerScores are those of all encodings.
	ProducerScores []uint8 `json:"producerScores"`
}

// scoreOf is 10 without loss and 0 from half of the packets on: what a person
// notices grows with the square root of loss rather than with loss.
func scoreOf(lost, expected int64) uint8 {
	if lost <= 0 || expected <= 0 {
		return maxScore
	}
	fraction := float64(lost) / float64(expected)
	return uint8(math.Round(maxScore * max(0, 1-math.Sqrt(2*fraction))))
}

// Score has an entry for each encoding that has arrived.
func (p *Producer) Score() []EncodingScore {
	p = p.source()
	p.transport.recvMu.Lock()
	defer p.transport.recvMu.Unlock()
	list := []EncodingScore{}
	for i, score := range p.scores {
		if s := p.encodings[i].stream; s != nil {
			list = append(list, EncodingScore{Encoding: i, SSRC: s.ssrc, RID: p.encodings[i].rid, Score: score})
		}
	}
	return list
}

// updateScores notes how the encodings arrive and tells whoever wants to know
// of a change. The recvMu of p's transport is held.
func (p *Producer) updateScores(now mono.Instant) {
	changed := false
	for i := range p.encodings {
		score := uint8(0)
		if s := p.encodings[i].stream; s != nil && now.Sub(s.lastPacket) < encodingSilence {
			score = s.score
		}
		changed = changed || score != p.scores[i]
		p.scores[i] = score
	}
	if !changed {
		return
	}
	p.tellScores()
	for _, c := range *p.fanout.Load() {
		if c == c.whole() {
			c.tellScore()
		}
	}
}

// notifyScore tells whoever observes the router. Scores are read later, without
// the locks that are held now.
func (p *Producer) notifyScore() {
	r := p.transport.router
	if watchers := r.watchers.all(); len(watchers) > 0 {
		r.events.post(func() { tell(watchers, Event{Type: EventProducerScore, Producer: p, Data: p.Score()}) })
	}
}

// tellScore has Score called.
func (c *Consumer) tellScore() {
	c = c.whole()
	r := c.transport.router
	if tell := c.events.Score; tell != nil {
		r.emit(func() { tell(c.Score()) })
	}
	if watchers := r.watchers.all(); len(watchers) > 0 {
		r.events.post(func() { tell(watchers, Event{Type: EventConsumerScore, Consumer: c, Data: c.Score()}) })
	}
}

// tellScoreOfEncoding is tellScore where ProducerScore may have become that of
// another encoding. One without a score has its first change told.
func (c *Consumer) tellScoreOfEncoding() {
	c.transport.router.events.post(func() {
		if c.Score().ProducerScore > 0 {
			c.tellScore()
		}
	})
}

// Score is how well the receiver is served.
func (c *Consumer) Score() ConsumerScore {
	c.producer.transport.recvMu.Lock()
	score := ConsumerScore{ProducerScores: slices.Clone(c.producer.scores)}
	c.producer.transport.recvMu.Unlock()
	c.transport.recvMu.Lock()
	if c.pipe != nil {
		defer c.transport.recvMu.Unlock()
		return c.pipeScoreLocked(score.ProducerScores)
	}
	score.Score = c.received.score
	c.transport.recvMu.Unlock()
	c.transport.sendMu.Lock()
	if s := c.rewrite.stream; s != nil {
		score.ProducerScore = score.ProducerScores[s.encoding]
	} else if len(score.ProducerScores) == 1 {
		score.ProducerScore = score.ProducerScores[0]
	}
	c.transport.sendMu.Unlock()
	return score
}

// noteLoss scores what the receiver has reported: packets that it has lost,
// less what was sent to it once more since the last report, of all that was
// sent since. The recvMu of c's transport is held.
func (c *Consumer) noteLoss(now mono.Instant, totalLost int32) {
	c.transport.sendMu.Lock()
	sent, resent := c.sent.packets, c.sent.rtxPackets
	r := &c.received
	c.transport.send.loss.note(int64(totalLost-r.lost), int64(sent-r.sentWas))
	if b := c.transport.send.bandwidth; b != nil && c.video {
		b.estimator.SetRoundTrip(r.rtt)
		b.estimator.ReportLoss(now, int(totalLost-r.lost), int(sent-r.sentWas))
	}
	c.transport.sendMu.Unlock()
	unrepaired := int64(totalLost-r.lost) - int64(resent-r.resentWas)
	score := scoreOf(unrepaired, int64(sent-r.sentWas))
	changed := score != r.score
	r.lost, r.score, r.sentWas, r.resentWas = totalLost, score, sent, resent
	if changed {
		c.tellScore()
	}
}
