package sfu

import (
	"encoding/binary"
	"time"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/layer"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/udp"
)

// packet is a media packet on its way from a stream to the consumers. Its
// slices point into the batch that was read.
type packet struct {
	next   int // index of the next packet of the same group, or -1
	stream *recvStream
	extSeq int64
	ts     uint32
	pt     uint8     // the router's
	marker bool      // as received
	frame  frameInfo // zero for audio
	ext    elements  // those that are passed on

	// slot is where the packet is made for one consumer after the other: the
	// payload from headroom on, in front of it each consumer's own header.
	slot       []byte
	payloadLen int
	id         [4]byte // what identify has written
	prefix     int     // bytes of payloadLen that are not the sender's
}

// group is the packets of one stream in one batch: for each consumer they are
// encrypted and sent in one go.
type group struct {
	producer    *Producer
	stream      *recvStream
	first, last int // indices of packets
}

// touchInterval is how often ICE is told that media comes from a path.
const touchInterval = time.Second

// receiveRTP takes in one SRTP packet of t.
func (w *worker) receiveRTP(t *WebRTCTransport, d *udp.Datagram) {
	t.recvMu.Lock()
	w.receiving = &t.Transport
	if w.receiveRTPLocked(&t.Transport, d.Data) && w.now >= t.link.touchDue {
		t.link.touchDue = w.now.Add(touchInterval)
		t.link.agent.Touch(w.now, w.tupleOf(d.Path))
	}
	w.receiving = nil
	t.recvMu.Unlock()
}

// receiveRTPLocked reports whether the packet was of t's peer.
func (w *worker) receiveRTPLocked(t *Transport, b []byte) bool {
	t.recv.count(w.now, len(b))
	switch {
	case t.recv.inbound == nil && !t.recv.unprotected:
		w.drop(dropNoKeys)
		return false
	case len(b) < rtp.HeaderSize:
		w.drop(dropMalformed)
		return false
	}
	ssrc := binary.BigEndian.Uint32(b[8:])
	s := t.recv.demux.streams[ssrc]
	if t.recv.unprotected {
		return w.receivePlain(t, s, b)
	}
	known := s != nil || t.recv.knowsSSRC(ssrc)
	if !known && t.recv.ssrcs >= maxSSRCs {
		w.drop(dropTooManyStreams)
		return false
	}
	plain, err := t.recv.inbound.DecryptRTP(b, b, &w.srtpHeader)
	if err != nil {
		w.drop(dropDecrypt)
		return false
	}
	if !known {
		t.recv.ssrcs++
	}
	w.receivePlain(t, s, plain)
	return true
}

// receivePlain takes in a packet of s, nil if its SSRC is new, that has been
// decrypted or never was encrypted. It reports whether it is RTP.
func (w *worker) receivePlain(t *Transport, s *recvStream, plain []byte) bool {
	h := &w.header
	if h.Parse(plain) != nil {
		w.drop(dropMalformed)
		return false
	}
	w.ext.read(h, plain, &t.recv.demux.extensions)
	w.noteCongestion(t, h.SSRC, len(plain))
	if s == nil {
		if s = w.newStream(t, h); s == nil {
			w.drop(dropUnknownStream)
			return true
		}
	}
	end, err := h.PayloadEnd(plain)
	if err != nil {
		w.drop(dropMalformed)
		return false
	}
	t.recv.countRTP(w.now, len(plain), s.rtx)
	if s.rtx {
		w.receiveRTX(t, s, plain[:end])
	} else {
		w.receiveMedia(s, plain[:end], len(plain), false)
	}
	return true
}

// maxSSRCs bounds the SSRCs that one transport may send in its life: SRTP keeps
// some 300 bytes for each. A client that makes a new simulcast producer each
// time its camera is turned on needs six.
const maxSSRCs = 4096

// knowsSSRC reports whether SRTP has let a packet of ssrc pass; one that does
// not authenticate leaves no trace there.
func (r *receiveState) knowsSSRC(ssrc uint32) bool {
	_, known := r.inbound.ROC(ssrc)
	return known
}

// noteCongestion feeds what the sender estimates its uplink with.
func (w *worker) noteCongestion(t *Transport, ssrc uint32, sizeBytes int) {
	if seq := w.ext.get(extTransportCC); len(seq) >= 2 {
		t.recv.twcc.Receive(w.now, binary.BigEndian.Uint16(seq))
		t.recv.twccSSRC = ssrc
		if t.recv.twccDue == 0 {
			t.recv.twccDue = w.now.Add(twccInterval)
			t.wake(t.recv.twccDue)
		}
	}
	if at := w.ext.get(extAbsSendTime); t.recv.estimator != nil && len(at) == 3 {
		t.recv.estimator.Receive(w.now, uint32(at[0])<<16|uint32(at[1])<<8|uint32(at[2]), sizeBytes)
	}
}

// newStream finds out whose the first packet of an SSRC is, and lets consumers
// know of the stream.
func (w *worker) newStream(t *Transport, h *rtp.Header) *recvStream {
	s := t.recv.demux.learn(w.now, h, &w.ext)
	if s == nil || s.rtx {
		return s
	}
	s.lastPacket = w.now
	s.producer.publishLive(w.now)
	return s
}

// receiveRTX turns a retransmission back into what was lost (RFC 4588 §4):
//
//	| RTP header of the RTX stream | OSN, 2 bytes | original payload |
//
// The header moves over the OSN.
func (w *worker) receiveRTX(t *Transport, s *recvStream, plain []byte) {
	s.packets++
	s.bytes += uint64(len(plain))
	h := &w.header
	info := &s.producer.codecs[h.PayloadType]
	media := s.producer.encodings[s.encoding].stream
	switch {
	case info.use != payloadRTX:
		w.drop(dropUnknownStream)
		return
	case media == nil || len(plain) < h.PayloadOffset+2:
		return // padding that probes the bandwidth, or nothing to repair yet
	}
	seq := binary.BigEndian.Uint16(plain[h.PayloadOffset:])
	csrcs := h.CSRCCount
	copy(plain[2:], plain[:h.PayloadOffset])
	plain = plain[2:]
	rtp.PutFixedHeader(plain, h.Marker, false, h.HasExtension, info.mapped, seq, h.Timestamp, media.ssrc)
	plain[0] |= csrcs // their list has moved along
	if h.Parse(plain) != nil {
		w.drop(dropMalformed)
		return
	}
	w.ext.read(h, plain, &t.recv.demux.extensions)
	w.receiveMedia(media, plain, len(plain), true)
}

// receiveMedia notes a packet of s, which was sizeBytes long with its padding,
// and puts it into the group of its stream. With repaired it came as RTX.
//
// A packet of padding alone is forwarded too, empty: its sequence number would
// be a hole to receivers, which wait for what is lost.
func (w *worker) receiveMedia(s *recvStream, plain []byte, sizeBytes int, repaired bool) {
	h := &w.header
	p := s.producer
	info := &p.codecs[h.PayloadType]
	if info.use != payloadMedia {
		w.drop(dropUnknownStream)
		return
	}
	payload := plain[h.PayloadOffset:]
	newest, ok := p.newestBlock(info.codec, payload)
	if !ok {
		w.drop(dropMalformed)
		return
	}
	f := &w.packets[w.count].frame // of the packet to be
	if p.kind == ortc.Video {
		f.read(s, h, info.codec, payload, w.ext.get(extDependencyDescriptor))
	} else {
		f.Packet = layer.Packet{}
	}
	extSeq, ok := int64(0), false
	returns := w.now.Sub(s.lastPacket) >= encodingSilence
	if repaired {
		extSeq, ok = s.repair(w.now, h, sizeBytes, f.Keyframe)
	} else {
		extSeq, ok = s.receive(w.now, h, sizeBytes, f.Keyframe)
	}
	if !ok {
		w.drop(dropDuplicate)
		return
	}
	if returns {
		p.publishLive(w.now) // at once: it begins with a keyframe
	}
	s.layerBytes[min(f.Spatial, maxSpatial-1)][min(f.Temporal, maxTemporal-1)] += uint64(sizeBytes)
	if p.muted.Load() {
		return
	}
	if p.traces.has(traceRTP | traceKeyframe) {
		w.traceReceived(s, f, sizeBytes, len(payload), repaired)
	}
	if turned := w.ext.get(extVideoOrientation); len(turned) > 0 && extSeq == s.highestSeq {
		p.noteOrientation(turned[0])
	}
	if level := w.ext.get(extAudioLevel); len(level) > 0 && p.speech != nil {
		p.speech.Note(w.now, level[0])
	}
	if len(payload) > maxPayload {
		w.drop(dropTooBig)
		return
	}
	if p.keepPackets.Load() {
		s.keep(w.now, extSeq, plain)
	}
	w.fill(s, extSeq, info, payload)
	if info.codec == codec.RED {
		w.takeNewest(w.count, newest)
	}
	w.addToGroup(&w.packets[w.count])
}

// fill makes the packet in the next slot of what was received, but for its frame,
// which is there.
func (w *worker) fill(s *recvStream, extSeq int64, info *payloadCodec, payload []byte) {
	pk := &w.packets[w.count]
	pk.stream, pk.extSeq, pk.ts, pk.pt = s, extSeq, w.header.Timestamp, info.mapped
	pk.marker = w.header.Marker
	pk.ext.takeForwarded(&w.ext)
	pk.identify()
	pk.payloadLen = copy(pk.slot[headroom:], payload)
}

// addToGroup puts the packet in the next slot at the end of the group of its
// stream.
func (w *worker) addToGroup(pk *packet) {
	i := w.count
	w.count++
	pk.next = -1
	for j := range w.groups[:w.grouped] {
		if g := &w.groups[j]; g.stream == pk.stream {
			w.packets[g.last].next = i
			g.last = i
			return
		}
	}
	w.groups[w.grouped] = group{producer: pk.stream.producer, stream: pk.stream, first: i, last: i}
	w.grouped++
}

func (r *receiveState) count(now mono.Instant, sizeBytes int) {
	r.bytes += uint64(sizeBytes)
	r.rate.Add(now, sizeBytes)
}

// countRTP counts a packet that belongs to a stream.
func (r *receiveState) countRTP(now mono.Instant, sizeBytes int, rtx bool) {
	if rtx {
		r.rtxBytes += uint64(sizeBytes)
		r.rtxRate.Add(now, sizeBytes)
		return
	}
	r.rtpBytes += uint64(sizeBytes)
	r.rtpRate.Add(now, sizeBytes)
}
