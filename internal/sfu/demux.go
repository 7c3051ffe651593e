package sfu

import (
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
	extensions [256]extension // by id; one mapping for all of a BUNDLE group (RFC 8285 §5)
}

func newDemux() demux {
	return demux{streams: map[uint32]*recvStream{}}
}

// add makes the packets of p found. Errors: *ortc.Error if an SSRC, MID or RID
// is taken by another producer of the transport.
func (d *demux) add(p *Producer) error {
	for _, other := range d.producers {
		if other.params.MID != "" && other.params.MID == p.params.MID {
			return typeErrorf("rtpParameters.mid: %q is taken by producer %q of the same transport", p.params.MID, other.id)
		}
		for _, e := range other.encodings {
			for _, mine := range p.encodings {
				if ssrc := e.sharesSSRC(mine); ssrc != 0 {
					return typeErrorf("rtpParameters.encodings: ssrc %d is taken by producer %q of the same transport", ssrc, other.id)
				}
				if mine.rid != "" && mine.rid == e.rid && p.params.MID == "" {
					return typeErrorf("rtpParameters.encodings: rid %q is taken by producer %q of the same transport, and there is no mid to tell them apart", mine.rid, other.id)
				}
			}
		}
	}
	d.producers = append(d.producers, p)
	for e, id := range p.extensions {
		if id != 0 {
			d.extensions[id] = extension(e)
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
	for i, other := range d.producers {
		if other == p {
			d.producers = append(d.producers[:i], d.producers[i+1:]...)
			break
		}
	}
	for ssrc, s := range d.streams {
		if s.producer == p {
			delete(d.streams, ssrc)
		}
	}
}

// learn finds the encoding of the first packet of an SSRC and makes a stream
// for it; nil if the packet belongs to no producer.
func (d *demux) learn(h *rtp.Header, ext *[extCount][]byte) *recvStream {
	for _, p := range d.producers {
		info := p.codecs[h.PayloadType]
		if info.use == payloadUnknown {
			continue
		}
		i := p.encodingOf(h.SSRC, info.use, ext)
		if i < 0 {
			continue
		}
		return d.install(p, i, h.SSRC, info)
	}
	return nil
}

// encodingOf returns the index of the encoding that a packet with the given
// SSRC, use of payload type and extensions belongs to, or -1.
func (p *Producer) encodingOf(ssrc uint32, use payloadUse, ext *[extCount][]byte) int {
	mid, rid := ext[extMID], ext[extRID]
	if use == payloadRTX {
		rid = ext[extRepairedRID]
	}
	if p.params.MID != "" && len(mid) > 0 && string(mid) != p.params.MID {
		return -1
	}
	sameMID := p.params.MID != "" && string(mid) == p.params.MID
	for i := range p.encodings {
		e := &p.encodings[i]
		announced := e.ssrc
		if use == payloadRTX {
			announced = e.rtxSSRC
		}
		switch {
		case announced == ssrc && ssrc != 0:
			return i
		case e.rid != "" && len(rid) > 0:
			if string(rid) == e.rid {
				return i
			}
		// A lone encoding is known by its MID, even if the browser has changed
		// its SSRC; without SSRC and RID its payload type has to do.
		case len(p.encodings) == 1 && (sameMID || (announced == 0 && e.rid == "")):
			return i
		}
	}
	return -1
}

// forget makes the next packet of s's SSRC be learnt anew.
func (d *demux) forget(s *recvStream) {
	delete(d.streams, s.ssrc)
}

// install makes the stream of encoding i of p; an older one with another SSRC
// is replaced.
func (d *demux) install(p *Producer, i int, ssrc uint32, info payloadCodec) *recvStream {
	e := &p.encodings[i]
	if info.use == payloadRTX {
		if e.rtx != nil {
			delete(d.streams, e.rtx.ssrc)
		}
		e.rtx = &recvStream{producer: p, encoding: i, ssrc: ssrc, clockHz: info.clockHz, rtx: true}
		d.streams[ssrc] = e.rtx
		return e.rtx
	}
	if e.stream != nil {
		delete(d.streams, e.stream.ssrc)
	}
	e.stream = newRecvStream(p, i, ssrc, info)
	d.streams[ssrc] = e.stream
	return e.stream
}
