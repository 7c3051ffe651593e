package sfu

import (
	"slices"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

// demux finds the stream that a received packet belongs to: by an SSRC seen
// or announced, or else, for the first packet of an SSRC, by its MID and RID
// header extensions or its payload type (RFC 8843 §9.2).
//
// All of it is guarded by the transport's recvMu.
type demux struct {
	streams    map[uint32]*recvStream // by SSRC
	producers  []*Producer
	extensions extensionByID // one mapping for all of a BUNDLE group (RFC 8285 §5)
}

func newDemux() demux {
	return demux{streams: map[uint32]*recvStream{}}
}

// add makes the packets of p found. Errors: *ortc.Error if an SSRC, MID or RID
// is taken by another producer of the transport.
func (d *demux) add(p *Producer) error {
	for _, other := range d.producers {
		if err := p.conflict(other); err != nil {
			return err
		}
	}
	d.producers = append(d.producers, p)
	d.extensions.add(&p.extensions)
	for i := range p.encodings {
		// What was guessed of these before does not count any more.
		d.forget(d.streams[p.encodings[i].ssrc])
		d.forget(d.streams[p.encodings[i].rtxSSRC])
	}
	return nil
}

// conflict says why packets of p could not be told from those of other.
func (p *Producer) conflict(other *Producer) error {
	if p.params.MID != "" && p.params.MID == other.params.MID {
		return typeErrorf("rtpParameters.mid: %q is taken by producer %q of the same transport", p.params.MID, other.id)
	}
	for _, theirs := range other.encodings {
		for _, mine := range p.encodings {
			if ssrc := theirs.sharesSSRC(mine); ssrc != 0 {
				return typeErrorf("rtpParameters.encodings: ssrc %d is taken by producer %q of the same transport", ssrc, other.id)
			}
			if mine.rid != "" && mine.rid == theirs.rid && p.params.MID == "" {
				return typeErrorf("rtpParameters.encodings: rid %q is taken by producer %q of the same transport, and there is no mid to tell them apart", mine.rid, other.id)
			}
		}
	}
	return nil
}

func (e *encoding) sharesSSRC(o encoding) uint32 {
	for _, a := range [2]uint32{e.ssrc, e.rtxSSRC} {
		if a != 0 && (a == o.ssrc || a == o.rtxSSRC) {
			return a
		}
	}
	return 0
}

// remove forgets p and its streams.
func (d *demux) remove(p *Producer) {
	d.producers = slices.DeleteFunc(d.producers, func(other *Producer) bool { return other == p })
	for _, s := range d.streams {
		if s.producer == p {
			d.forget(s)
		}
	}
}

// learn finds the encoding of the first packet of an SSRC and makes a stream
// for it; nil if the packet belongs to no producer. The surest sign comes
// first, over all producers: an SSRC announced, then MID and RID, then a
// payload type that only one lone encoding can have (RFC 8843 §9.2).
func (d *demux) learn(now mono.Instant, h *rtp.Header, ext *elements) *recvStream {
	for _, p := range d.producers {
		use := p.codecs[h.PayloadType].use
		if i := p.encodingBySSRC(h.SSRC, use); i >= 0 {
			return d.install(now, p, i, h)
		}
	}
	for _, p := range d.producers {
		use := p.codecs[h.PayloadType].use
		if i := p.encodingByName(ext, use); i >= 0 {
			return d.install(now, p, i, h)
		}
	}
	var only *Producer
	for _, p := range d.producers {
		if use := p.codecs[h.PayloadType].use; p.knownByPayloadType(use) && len(ext.get(extMID)) == 0 {
			if only != nil {
				return nil
			}
			only = p
		}
	}
	if only == nil {
		return nil
	}
	return d.install(now, only, 0, h)
}

// encodingBySSRC returns the index of the encoding that announced ssrc, or -1.
func (p *Producer) encodingBySSRC(ssrc uint32, use payloadUse) int {
	for i := range p.encodings {
		if announced := p.encodings[i].announced(use); announced == ssrc && announced != 0 {
			return i
		}
	}
	return -1
}

// announced is the SSRC of the encoding's packets of a use, 0 if there is none
// or it was not said.
func (e *encoding) announced(use payloadUse) uint32 {
	switch use {
	case payloadMedia:
		return e.ssrc
	case payloadRTX:
		return e.rtxSSRC
	}
	return 0
}

// encodingByName returns the index of the encoding that a packet's MID and RID
// name, or -1. A lone encoding is known by its MID alone, even if the browser
// has changed its SSRC.
func (p *Producer) encodingByName(ext *elements, use payloadUse) int {
	mid, rid := ext.get(extMID), ext.get(extRID)
	if repaired := ext.get(extRepairedRID); use == payloadRTX && len(repaired) > 0 {
		rid = repaired
	}
	sameMID := len(mid) > 0 && string(mid) == p.params.MID
	if use == payloadUnknown || (!sameMID && len(mid) > 0 && p.params.MID != "") {
		return -1
	}
	for i := range p.encodings {
		if e := &p.encodings[i]; e.rid != "" && string(rid) == e.rid {
			return i
		}
	}
	if sameMID && len(p.encodings) == 1 && (len(rid) == 0 || p.encodings[0].rid == "") {
		return 0
	}
	return -1
}

// knownByPayloadType reports whether there is nothing else by which the
// packets of a use could be known.
func (p *Producer) knownByPayloadType(use payloadUse) bool {
	return use != payloadUnknown && len(p.encodings) == 1 &&
		p.encodings[0].rid == "" && p.encodings[0].announced(use) == 0
}

// forget makes the next packet of s's SSRC be learnt anew. s may be nil.
func (d *demux) forget(s *recvStream) {
	if s != nil && d.streams[s.ssrc] == s {
		delete(d.streams, s.ssrc)
	}
}

// end makes s, which may be nil, no encoding's stream any more.
func (d *demux) end(s *recvStream) {
	if s == nil {
		return
	}
	d.forget(s)
	switch e := &s.producer.encodings[s.encoding]; s {
	case e.stream:
		e.stream = nil
	case e.rtx:
		e.rtx = nil
	}
}

// minStreamAge is how long a stream lasts at least before one with another SSRC
// takes its place. A browser changes it with a track; whoever does it with each
// packet would have us make a stream each time.
const minStreamAge = 200 * time.Millisecond

// install makes the stream of encoding i of p that h begins; an older one with
// another SSRC is replaced. It is nil while that is too young.
func (d *demux) install(now mono.Instant, p *Producer, i int, h *rtp.Header) *recvStream {
	e, info := &p.encodings[i], p.codecs[h.PayloadType]
	old := e.stream
	if info.use == payloadRTX {
		old = e.rtx
	}
	if old != nil && now.Sub(old.since) < minStreamAge {
		return nil
	}
	if info.use == payloadRTX {
		d.forget(e.rtx)
		e.rtx = &recvStream{producer: p, encoding: i, ssrc: h.SSRC, since: now, clockHz: info.clockHz, rtx: true}
		d.streams[h.SSRC] = e.rtx
		return e.rtx
	}
	d.forget(e.stream)
	e.stream = newRecvStream(p, i, h.SSRC, info)
	e.stream.since = now
	d.streams[h.SSRC] = e.stream
	return e.stream
}
