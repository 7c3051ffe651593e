package sfu

import (
	"github.com/takoserver/takos-call/internal/layer"
	"github.com/takoserver/takos-call/internal/mono"
)

// form is how one receiver gets a packet.
type form struct {
	send     bool
	empty    bool // it only fills a place: the payload is left out
	upper    bool // of a temporal layer that the least does without
	marker   bool
	red      redForm
	pt       uint8
	seq      uint16
	ts, ssrc uint32
	picture  layer.PictureDelta
	targets  uint32 // decode targets for the dependency descriptor
}

// remember is what has to be known to send the packet once more.
func (f *form) remember(extSeq int64, generation uint8) sentPacket {
	e := sentPacket{
		extSeq: extSeq, ts: f.ts, seq: f.seq, pictureID: f.picture.ID, tl0: f.picture.TL0,
		generation: generation, pt: f.pt,
	}
	if f.marker {
		e.flags |= sentMarker
	}
	if f.empty {
		e.flags |= sentEmpty
	}
	if f.upper {
		e.flags |= sentUpper
	}
	return e
}

// selectLocked decides whether p is sent to c's receiver, and how. target is the
// stream that ought to be sent. sendMu is held.
func (c *Consumer) selectLocked(p *packet, target *recvStream, now mono.Instant) (f form, result placement) {
	payload := &c.payloadTypes[p.pt]
	if !payload.known || c.ignoreDTX && c.isSilence(p, payload) {
		return c.leaveOutLocked(p), skipped
	}
	result, starts := c.rewrite.follow(p, target, c.video, now)
	if result != placed {
		return form{}, result
	}
	f = form{pt: payload.sent, red: payload.red, ssrc: c.ssrc, marker: p.marker}
	if c.video {
		if starts {
			c.startLocked()
		}
		v := c.filter.Select(&p.frame.Packet)
		if v.NeedsKeyframe && c.layers.insisting.again(now) {
			result = waiting
		}
		if !v.Forward {
			c.pictures.Drop(&p.frame.Packet)
			return c.leaveOutLocked(p), result
		}
		f.marker, f.targets, f.upper = v.Marker, v.Targets, p.frame.Temporal > 0
		f.picture = c.pictures.Place(&p.frame.Packet)
		c.frameDeltas[c.rewrite.generation&1] = f.picture.Frame
	}
	f.seq, f.ts, f.send = c.rewrite.place(p, now)
	return f, result
}

// startLocked makes what follows begin anew, or go on with another stream.
// sendMu is held.
func (c *Consumer) startLocked() {
	c.filter.Restart()
	c.pictures.Restart()
	c.aimLocked()
}

// leaveOutLocked is what is sent in the place of p, which is left out: nothing,
// if that can still be done without leaving a hole. sendMu is held.
func (c *Consumer) leaveOutLocked(p *packet) form {
	seq, fill := c.rewrite.skip(p)
	return form{send: fill, empty: true, pt: c.params.Codecs[0].PayloadType, ssrc: c.ssrc, seq: seq, ts: p.ts + c.rewrite.tsOffset}
}
