package loadtest

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// Numbers that Chromium uses in its offers.
const (
	opusPayloadType = 111
	vp8PayloadType  = 96
	rtxPayloadType  = 97

	audioLevelID  = 1
	absSendTimeID = 2
	transportCCID = 3
	midID         = 4
)

// outgoing is one stream that is sent, with its retransmissions. Everything is
// guarded by the mu of its transport.
type outgoing struct {
	mid         string
	kind        ortc.MediaKind
	ssrc        uint32
	payloadType uint8
	clockRate   uint32
	seq         uint16
	timestamp   uint32
	sentAt      mono.Instant // when timestamp was

	rtxSSRC uint32 // 0 for none
	rtxSeq  uint16

	known          bool // a report shows that the server knows the SSRC; the MID can go
	number         uint32
	packets        uint32
	octets         uint32
	lastReport     mono.Instant
	reportInterval time.Duration

	store [storeSize]storedPacket
}

// storeSize is 5 s of 100 packets a second.
const storeSize = 512

// storedPacket is kept for retransmission.
type storedPacket struct {
	seq       uint16
	marker    bool
	timestamp uint32
	payload   []byte // empty for "none"
}

func newOutgoing(kind ortc.MediaKind, mid string) *outgoing {
	o := &outgoing{
		mid: mid, kind: kind,
		ssrc: rand.Uint32() | 1, seq: uint16(rand.Uint32()), timestamp: rand.Uint32(),
		payloadType: opusPayloadType, clockRate: 48_000, reportInterval: 5 * time.Second,
	}
	if kind == ortc.Video {
		o.payloadType, o.clockRate, o.reportInterval = vp8PayloadType, 90_000, time.Second
		o.rtxSSRC, o.rtxSeq = o.ssrc^1<<31, uint16(rand.Uint32())
	}
	return o
}

// parameters describes the stream as Chromium's would be described.
func (o *outgoing) parameters(cname string) ortc.RTPParameters {
	p := ortc.RTPParameters{
		MID: o.mid,
		HeaderExtensions: []ortc.RTPHeaderExtensionParameters{
			{URI: ortc.URIMID, ID: midID},
			{URI: ortc.URIAbsSendTime, ID: absSendTimeID},
			{URI: ortc.URITransportWideCC, ID: transportCCID},
		},
		Encodings: []ortc.RTPEncodingParameters{{SSRC: o.ssrc}},
		RTCP:      ortc.RTCPParameters{CNAME: cname},
	}
	if o.kind == ortc.Audio {
		p.Codecs = []ortc.RTPCodecParameters{{
			MimeType: "audio/opus", PayloadType: opusPayloadType, ClockRate: o.clockRate, Channels: 2,
			Parameters:   ortc.CodecParameters{"minptime": 10, "useinbandfec": 1},
			RTCPFeedback: []ortc.RTCPFeedback{{Type: "transport-cc"}},
		}}
		p.HeaderExtensions = append(p.HeaderExtensions, ortc.RTPHeaderExtensionParameters{URI: ortc.URIAudioLevel, ID: audioLevelID})
		return p
	}
	p.Codecs = []ortc.RTPCodecParameters{
		{
			MimeType: "video/VP8", PayloadType: vp8PayloadType, ClockRate: o.clockRate,
			RTCPFeedback: []ortc.RTCPFeedback{
				{Type: "goog-remb"}, {Type: "transport-cc"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"},
			},
		},
		{
			MimeType: "video/rtx", PayloadType: rtxPayloadType, ClockRate: o.clockRate,
			Parameters: ortc.CodecParameters{"apt": vp8PayloadType},
		},
	}
	p.Encodings[0].RTX = &ortc.RTXParameters{SSRC: o.rtxSSRC}
	return p
}

// beginLocked begins the stream's next packet, to which the caller appends the
// payload.
func (s *Sender) beginLocked(o *outgoing, marker bool) []byte {
	o.sentAt = mono.Now()
	return s.headerLocked(o, o.ssrc, o.payloadType, o.seq, marker, o.timestamp, o.sentAt)
}

// finishLocked puts a stamp over the end of the packet, whose payload is the
// last size bytes of b, and sends it. frame and reference are as in a stamp.
func (s *Sender) finishLocked(o *outgoing, b []byte, size int, marker bool, frame, reference uint32) {
	payload := b[len(b)-size:]
	stamp{origin: o.ssrc, number: o.number, sent: o.sentAt, frame: frame, reference: reference}.put(payload)
	if o.rtxSSRC != 0 {
		p := &o.store[o.seq%storeSize]
		p.seq, p.marker, p.timestamp = o.seq, marker, o.timestamp
		p.payload = append(p.payload[:0], payload...)
	}
	o.number++
	o.seq++
	o.packets++
	o.octets += uint32(size)
	s.transport.sendRTPLocked(b)
}

// resendLocked sends a packet again on the RTX stream: its payload behind its
// sequence number (RFC 4588 §4).
func (s *Sender) resendLocked(o *outgoing, seq uint16) {
	p := &o.store[seq%storeSize]
	if o.rtxSSRC == 0 || p.seq != seq || len(p.payload) == 0 {
		s.stats.Unanswerable++
		return
	}
	b := s.headerLocked(o, o.rtxSSRC, rtxPayloadType, o.rtxSeq, p.marker, p.timestamp, mono.Now())
	b = binary.BigEndian.AppendUint16(b, seq)
	b = append(b, p.payload...)
	o.rtxSeq++
	s.stats.Retransmitted++
	s.transport.sendRTPLocked(b)
}

// headerLocked begins a packet in the transport's scratch buffer.
func (s *Sender) headerLocked(o *outgoing, ssrc uint32, pt uint8, seq uint16, marker bool, ts uint32, now mono.Instant) []byte {
	b := s.transport.scratch[:maxPacket]
	w := &s.extensions
	w.Start(b[rtp.HeaderSize:])
	if !o.known {
		w.Add(midID, []byte(o.mid))
	}
	if o.kind == ortc.Audio {
		const voiceAtMinus20dB = 1<<7 | 20
		w.Reserve(audioLevelID, 1)[0] = voiceAtMinus20dB
	}
	sendTime := rtp.AbsSendTime(now)
	copy(w.Reserve(absSendTimeID, 3), []byte{byte(sendTime >> 16), byte(sendTime >> 8), byte(sendTime)})
	binary.BigEndian.PutUint16(w.Reserve(transportCCID, 2), s.transportSeq)
	s.transportSeq++
	rtp.PutFixedHeader(b, marker, false, true, pt, seq, ts, ssrc)
	return b[:rtp.HeaderSize+w.Finish()]
}

// reportLocked sends a sender report when one is due.
func (s *Sender) reportLocked(o *outgoing, now mono.Instant) {
	if o.packets == 0 || now.Sub(o.lastReport) < o.reportInterval {
		return
	}
	o.lastReport = now
	elapsed := uint32(now.Sub(o.sentAt) * time.Duration(o.clockRate) / time.Second)
	compound := rtp.AppendSR(nil, rtp.SenderReport{
		SSRC: o.ssrc, NTP: rtp.ToNTP(now.Wall()), RTPTime: o.timestamp + elapsed,
		PacketCount: o.packets, OctetCount: o.octets,
	}, nil)
	s.transport.sendRTCPLocked(rtp.AppendSDES(compound, o.ssrc, s.cname))
}
