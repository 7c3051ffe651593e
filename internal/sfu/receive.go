package sfu

import (
	"encoding/binary"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// packet is a media packet on its way from a stream to the consumers. Its
// slices point into the batch that was read.
type packet struct {
	next     int // index of the next packet of the same group, or -1
	stream   *recvStream
	extSeq   int64
	ts       uint32
	pt       uint8 // the router's
	marker   bool
	keyframe bool
	ext      [extCount][]byte

	// slot is where the packet is made for one consumer after the other: the
	// payload from headroom on, in front of it each consumer's own header.
	slot       []byte
	payloadLen int
}

// group is the packets of one stream in one batch: for each consumer they are
// encrypted and sent in one go.
type group struct {
	producer    *Producer
	stream      *recvStream
	first, last int // indices of packets
}

// receiveRTP takes in one SRTP packet of t.
func (w *worker) receiveRTP(t *WebRTCTransport, b []byte) {
	t.recvMu.Lock()
	w.receiving = t
	w.receiveRTPLocked(t, b)
	w.receiving = nil
	t.recvMu.Unlock()
}

func (w *worker) receiveRTPLocked(t *WebRTCTransport, b []byte) {
	if t.recv.inbound == nil {
		w.drop(dropNoKeys)
		return
	}
	t.recv.count(w.now, len(b))
	plain, err := t.recv.inbound.DecryptRTP(b, b, &w.srtpHeader)
	if err != nil {
		w.drop(dropDecrypt)
		return
	}
	h := &w.header
	if h.Parse(plain) != nil {
		w.drop(dropMalformed)
		return
	}
	w.readExtensions(t, plain)
	t.recv.rtpPackets++
	t.recv.rtpBytes += uint64(len(plain))
	t.recv.rtpRate.Add(w.now, len(plain))
	w.noteCongestion(t, h.SSRC, len(plain))

	s := t.recv.demux.streams[h.SSRC]
	if s == nil {
		if s = t.recv.demux.learn(h, &w.ext); s == nil {
			w.drop(dropUnknownStream)
			return
		}
		w.streamFound(s)
	}
	end, err := h.PayloadEnd(plain)
	if err != nil {
		w.drop(dropMalformed)
		return
	}
	recovered := s.rtx
	if recovered {
		if s, plain = w.unwrapRTX(s, plain[:end]); s == nil {
			return
		}
		end = len(plain)
	}
	w.receiveMedia(s, plain, end, recovered)
}

// readExtensions finds the header extensions of w.header in plain.
func (w *worker) readExtensions(t *WebRTCTransport, plain []byte) {
	clear(w.ext[:])
	if !w.header.HasExtension {
		return
	}
	r := w.header.Extensions(plain)
	for {
		id, data, ok := r.Next()
		if !ok {
			return
		}
		w.ext[t.recv.demux.extensions[id]] = data
	}
}

// noteCongestion feeds what the sender estimates its uplink with.
func (w *worker) noteCongestion(t *WebRTCTransport, ssrc uint32, sizeBytes int) {
	if seq := w.ext[extTransportCC]; len(seq) >= 2 {
		t.recv.twcc.Receive(w.now, binary.BigEndian.Uint16(seq))
		t.recv.twccSSRC = ssrc
		if t.recv.twccDue == 0 {
			t.recv.twccDue = w.now.Add(twccInterval)
			t.wake(t.recv.twccDue)
		}
	}
	if at := w.ext[extAbsSendTime]; t.recv.estimator != nil && len(at) == 3 {
		t.recv.estimator.Receive(w.now, uint32(at[0])<<16|uint32(at[1])<<8|uint32(at[2]), sizeBytes)
	}
}

// streamFound makes a new stream the one that consumers are sent, if there is
// none better.
func (w *worker) streamFound(s *recvStream) {
	if s.rtx {
		return
	}
	p := s.producer
	if best := p.best.Load(); best != nil && best.encoding > s.encoding {
		return
	}
	p.best.Store(s)
	if p.kind == ortc.Video && len(*p.fanout.Load()) > 0 {
		s.requestKeyframe(&w.scratch, w.now)
	}
}

// unwrapRTX turns a retransmission back into what was lost (RFC 4588 §4):
//
//	| RTP header of the RTX stream | OSN, 2 bytes | original payload |
//
// The header moves over the OSN. It returns nil for what is no use.
func (w *worker) unwrapRTX(s *recvStream, plain []byte) (*recvStream, []byte) {
	s.packets++
	s.bytes += uint64(len(plain))
	h := &w.header
	media := s.producer.encodings[s.encoding].stream
	if media == nil || len(plain) < h.PayloadOffset+2 {
		return nil, nil // padding that probes the bandwidth
	}
	seq := binary.BigEndian.Uint16(plain[h.PayloadOffset:])
	copy(plain[2:], plain[:h.PayloadOffset])
	plain = plain[2:]
	pt := s.producer.codecs[h.PayloadType].mapped
	rtp.PutFixedHeader(plain, h.Marker, false, h.HasExtension, pt, seq, h.Timestamp, media.ssrc)
	// PutFixedHeader knows no CSRCs; the count is kept as it came.
	plain[0] |= h.CSRCCount
	if h.Parse(plain) != nil {
		w.drop(dropMalformed)
		return nil, nil
	}
	return media, plain
}

// receiveMedia notes a packet of s and puts it into the group of its stream.
func (w *worker) receiveMedia(s *recvStream, plain []byte, end int, recovered bool) {
	h := &w.header
	p := s.producer
	info := &p.codecs[h.PayloadType]
	if info.use != payloadMedia {
		w.drop(dropUnknownStream)
		return
	}
	payload := plain[h.PayloadOffset:end]
	keyframe := p.kind == ortc.Video && codec.IsKeyframe(info.codec, payload)
	extSeq, ok := s.receive(w.now, h, len(plain), keyframe, recovered)
	if !ok {
		w.drop(dropDuplicate)
		return
	}
	if p.muted.Load() || len(payload) == 0 {
		return
	}
	if len(payload) > maxPayload {
		w.drop(dropTooBig)
		return
	}
	if p.keepPackets.Load() {
		s.keep(w.now, extSeq, plain[:end])
	}
	pk := w.addToGroup(s)
	pk.stream, pk.extSeq, pk.ts, pk.pt = s, extSeq, h.Timestamp, info.mapped
	pk.marker, pk.keyframe, pk.ext = h.Marker, keyframe, w.ext
	pk.payloadLen = copy(pk.slot[headroom:], payload)
}

// addToGroup returns a packet at the end of the group of s.
func (w *worker) addToGroup(s *recvStream) *packet {
	i := w.count
	w.count++
	pk := &w.packets[i]
	pk.next = -1
	for j := range w.groups[:w.grouped] {
		if g := &w.groups[j]; g.stream == s {
			w.packets[g.last].next = i
			g.last = i
			return pk
		}
	}
	w.groups[w.grouped] = group{producer: s.producer, stream: s, first: i, last: i}
	w.grouped++
	return pk
}

func (r *receiveState) count(now mono.Instant, sizeBytes int) {
	r.packets++
	r.bytes += uint64(sizeBytes)
	r.rate.Add(now, sizeBytes)
}
