package loadtest

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// incoming is one stream that is received, with its retransmissions.
// Everything is guarded by the mu of its transport.
type incoming struct {
	// Constant.
	consumerID string
	kind       ortc.MediaKind
	ssrc       uint32
	rtxSSRC    uint32 // 0 for none
	ccID       uint8  // of the transport-wide number; 0 for none
	nacks      bool   // the codec has NACK
	plis       bool   // and PLI
	vp8        bool

	reception reception
	missing   missing
	screen    screen
	watched   bool // the screen gets every packet
	stats     StreamStats

	origin    uint32 // SSRC at the sender, of the first stamp
	offset    int64  // from the sender's number to ours
	stamped   bool
	sampled   int
	lastPLI   mono.Instant
	firstSeen mono.Instant
	lastSeen  mono.Instant
}

// StreamStats is how one consumer's stream has arrived.
type StreamStats struct {
	ConsumerID string
	Kind       ortc.MediaKind

	Packets uint64 // each sequence number once
	Bytes   uint64 // of RTP payload as received
	// Lost is numbers that never came; what a retransmission brought is not
	// lost but Recovered.
	Lost      int64
	Recovered uint64
	// Reordered came after a higher number. Duplicates came twice.
	Reordered, Duplicates uint64

	Frames    uint64 // ends of frames
	Keyframes uint64
	// FirstPacket and FirstKeyframe are the time from Pool.Receiver to their
	// arrival; 0 for never.
	FirstPacket, FirstKeyframe time.Duration

	Decrypted uint64
	// Foreign packets are another sender's, or not ours at all. Shifted ones
	// follow a change in the order of what the sender has sent, such as a
	// packet that the server has swallowed, renumbering the rest. Of a sender
	// with layers, where that is the server's business, they say nothing.
	Foreign, Shifted uint64

	PLIs, NACKs uint64 // messages sent

	// Shown is frames that could be decoded when they had come, at last at
	// LastShown, of the sender's encoding with the SSRC Showing. They are known
	// only where every packet is decrypted.
	Shown     uint64
	LastShown mono.Instant
	Showing   uint32
}

func newIncoming(c ConsumerInfo) *incoming {
	in := &incoming{consumerID: c.ID, kind: c.Kind}
	in.stats = StreamStats{ConsumerID: c.ID, Kind: c.Kind}
	p := c.RTPParameters
	if len(p.Encodings) > 0 {
		in.ssrc = p.Encodings[0].SSRC
		if rtx := p.Encodings[0].RTX; rtx != nil {
			in.rtxSSRC = rtx.SSRC
		}
	}
	if len(p.Codecs) > 0 {
		codec := p.Codecs[0]
		in.reception.clockRate = codec.ClockRate
		in.vp8 = strings.EqualFold(codec.MimeType, "video/VP8")
		for _, f := range codec.RTCPFeedback {
			in.nacks = in.nacks || f.Type == "nack" && f.Parameter == ""
			in.plis = in.plis || f.Type == "nack" && f.Parameter == "pli"
		}
	}
	for _, e := range p.HeaderExtensions {
		if e.URI == ortc.URITransportWideCC {
			in.ccID = e.ID
		}
	}
	return in
}

// receiveLocked takes in a packet of the stream or of its RTX stream.
func (r *Receiver) receiveLocked(b []byte, h *rtp.Header, now mono.Instant) {
	in := r.stream(h.SSRC)
	if in == nil {
		if r.asking > 0 {
			r.transport.counters.early++ // overtook the answer
		} else {
			r.unknown++
		}
		return
	}
	if in.ccID != 0 {
		if ext := h.Extension(b, in.ccID); len(ext) == 2 {
			r.feedback.record(binary.BigEndian.Uint16(ext), now)
			r.feedbackSSRC = in.ssrc
		}
	}
	if h.SSRC != in.ssrc {
		r.receiveRTXLocked(in, b, now)
		return
	}
	a := in.reception.record(h.Seq, h.Timestamp, false, now)
	if a.duplicate {
		return
	}
	r.arrivedLocked(in, a, len(b)-h.PayloadOffset, now)
	if h.Marker {
		in.stats.Frames++
	}
	if !r.wantsLocked(in) {
		return
	}
	if plain, ok := r.transport.decryptLocked(b); ok {
		if end, err := h.PayloadEnd(plain); err == nil {
			r.inspectLocked(in, a, plain[h.PayloadOffset:end], h.Marker, now)
		}
	}
}

// arrivedLocked does what needs no decryption.
func (r *Receiver) arrivedLocked(in *incoming, a arrival, size int, now mono.Instant) {
	if in.firstSeen == 0 {
		in.firstSeen = now
		in.stats.FirstPacket = now.Sub(r.started)
	}
	in.lastSeen = now
	in.stats.Bytes += uint64(size)
	if in.nacks {
		in.missing.note(a, now)
	}
}

// wantsLocked tells whether a packet is to be decrypted: all until the first
// keyframe, then one in so many.
func (r *Receiver) wantsLocked(in *incoming) bool {
	every := r.pool.options.DecryptEvery
	if every <= 1 || in.kind == ortc.Audio || in.stats.Keyframes == 0 {
		return true
	}
	in.sampled++
	return in.sampled%every == 0
}

// receiveRTXLocked takes in a retransmission: a payload behind the sequence
// number that it first had (RFC 4588 §4). What is shorter probes bandwidth.
func (r *Receiver) receiveRTXLocked(in *incoming, b []byte, now mono.Instant) {
	plain, ok := r.transport.decryptLocked(b)
	if !ok {
		return
	}
	var h rtp.Header
	if h.Parse(plain) != nil {
		return
	}
	end, err := h.PayloadEnd(plain)
	if err != nil || end-h.PayloadOffset < 2 {
		return
	}
	payload := plain[h.PayloadOffset:end]
	a := in.reception.record(binary.BigEndian.Uint16(payload), h.Timestamp, true, now)
	if a.duplicate {
		return
	}
	r.arrivedLocked(in, a, len(payload)-2, now)
	if h.Marker {
		in.stats.Frames++
	}
	r.inspectLocked(in, a, payload[2:], h.Marker, now)
}

// inspectLocked looks into a decrypted payload.
func (r *Receiver) inspectLocked(in *incoming, a arrival, payload []byte, marker bool, now mono.Instant) {
	in.stats.Decrypted++
	var f vp8Frame
	if in.vp8 {
		f, _ = parseVP8(payload)
		if f.keyframe {
			in.stats.Keyframes++
			if in.stats.FirstKeyframe == 0 {
				in.stats.FirstKeyframe = now.Sub(r.started)
			}
		}
	}
	s, ok := readStamp(payload)
	if ok && in.vp8 && r.pool.options.DecryptEvery == 1 {
		in.watched = true
		in.screen.receive(a.extSeq, f.start, marker, s, now)
	}
	if !ok || in.stamped && s.origin != in.origin {
		in.stats.Foreign++
		return
	}
	offset := a.extSeq - int64(s.number)
	if in.stamped && offset != in.offset {
		in.stats.Shifted++
	}
	in.origin, in.offset, in.stamped = s.origin, offset, true
	r.latency.Add(now.Sub(s.sent))
}

const (
	// keyframeInterval is how long a receiver that has media but no keyframe
	// waits before it asks (again).
	keyframeInterval = 200 * time.Millisecond
	// stillPatience is how long it waits for retransmissions while nothing can
	// be shown. Chromium waits up to three seconds.
	stillPatience = time.Second
)

// starving tells whether only a keyframe helps: there are media, but none that
// can be shown.
func (in *incoming) starving(now mono.Instant) bool {
	if !in.plis || !in.vp8 || in.firstSeen == 0 {
		return false
	}
	if in.stats.Keyframes == 0 {
		return true
	}
	return in.watched && now.Sub(max(in.screen.lastAt, in.firstSeen)) >= stillPatience && now.Sub(in.lastSeen) < stillPatience
}

// askLocked appends the NACK and PLI that are due.
func (in *incoming) askLocked(compound []byte, sender uint32, now mono.Instant) []byte {
	if seqs := in.missing.due(now); len(seqs) > 0 {
		compound = rtp.AppendNACK(compound, sender, in.ssrc, seqs)
		in.stats.NACKs++
	}
	if in.starving(now) && now.Sub(max(in.lastPLI, in.firstSeen)) >= keyframeInterval {
		in.lastPLI = now
		in.stats.PLIs++
		compound = rtp.AppendPLI(compound, sender, in.ssrc)
	}
	return compound
}

// snapshot returns the figures.
func (in *incoming) snapshot() StreamStats {
	st := in.stats
	st.Packets = in.reception.received
	st.Lost = in.reception.lost()
	st.Recovered = in.reception.recovered
	st.Reordered = in.reception.reordered
	st.Duplicates = in.reception.duplicates
	st.Shown, st.LastShown, st.Showing = in.screen.count, in.screen.lastAt, in.screen.origin
	return st
}
