package sfu

import (
	"fmt"
	"time"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/tcp"
)

// TransportStats are the statistics of a transport, under mediasoup's names.
// Bitrates are in bit/s, sizes in bytes, the timestamp in ms of Unix time.
type TransportStats struct {
	Type        string `json:"type"` // "webrtc-transport", "plain-rtp-transport", "pipe-transport" or "direct-transport"
	TransportID string `json:"transportId"`
	Timestamp   int64  `json:"timestamp"`

	// Of a WebRTCTransport only.
	ICERole          string          `json:"iceRole,omitempty"`
	ICEState         ice.State       `json:"iceState,omitempty"`
	ICESelectedTuple *TransportTuple `json:"iceSelectedTuple,omitempty"`
	DTLSState        dtls.State      `json:"dtlsState,omitempty"`

	SCTPState SCTPState `json:"sctpState,omitempty"` // with SCTP only

	// Of a PlainTransport, and the tuple of a PipeTransport too.
	RTCPMux   *bool           `json:"rtcpMux,omitempty"`
	Comedia   *bool           `json:"comedia,omitempty"`
	Tuple     *TransportTuple `json:"tuple,omitempty"`
	RTCPTuple *TransportTuple `json:"rtcpTuple,omitempty"`

	BytesReceived    uint64 `json:"bytesReceived"`
	RecvBitrate      uint64 `json:"recvBitrate"`
	BytesSent        uint64 `json:"bytesSent"`
	SendBitrate      uint64 `json:"sendBitrate"`
	RTPBytesReceived uint64 `json:"rtpBytesReceived"`
	RTPRecvBitrate   uint64 `json:"rtpRecvBitrate"`
	RTPBytesSent     uint64 `json:"rtpBytesSent"`
	RTPSendBitrate   uint64 `json:"rtpSendBitrate"`
	RTXBytesReceived uint64 `json:"rtxBytesReceived"`
	RTXRecvBitrate   uint64 `json:"rtxRecvBitrate"`
	RTXBytesSent     uint64 `json:"rtxBytesSent"`
	RTXSendBitrate   uint64 `json:"rtxSendBitrate"`
	// Probation is the padding with which bandwidth is looked for. It is in
	// BytesSent, and in none of the others.
	ProbationBytesSent   uint64 `json:"probationBytesSent"`
	ProbationSendBitrate uint64 `json:"probationSendBitrate"`

	// RTPPacketLoss is the share of packets that were lost lately, 0 to 1, before
	// any repair; absent before the first report.
	RTPPacketLossReceived *float64 `json:"rtpPacketLossReceived,omitempty"`
	RTPPacketLossSent     *float64 `json:"rtpPacketLossSent,omitempty"`

	// AvailableOutgoingBitrate is the estimate of what the line to the receiver
	// carries, absent where nothing is sent that could be adapted to it.
	AvailableOutgoingBitrate uint64 `json:"availableOutgoingBitrate,omitempty"`
	// AvailableIncomingBitrate is the estimate that a sender is told by REMB which
	// makes none itself.
	AvailableIncomingBitrate uint64 `json:"availableIncomingBitrate,omitempty"`
	MaxIncomingBitrate       uint64 `json:"maxIncomingBitrate,omitempty"`
	MaxOutgoingBitrate       uint64 `json:"maxOutgoingBitrate,omitempty"`
	MinOutgoingBitrate       uint64 `json:"minOutgoingBitrate,omitempty"`
}

// TransportTuple is a path in mediasoup's words.
type TransportTuple struct {
	LocalAddress string `json:"localAddress"`
	// LocalIP repeats LocalAddress for clients that know only the older name.
	LocalIP   string `json:"localIp"`
	LocalPort uint16 `json:"localPort"`
	// RemoteIP is empty while the remote end is not known.
	RemoteIP   string `json:"remoteIp,omitempty"`
	RemotePort uint16 `json:"remotePort,omitempty"`
	Protocol   string `json:"protocol"`
}

// StreamStats is what producers' and consumers' streams have in common.
type StreamStats struct {
	Type                 string         `json:"type"` // "inbound-rtp" or "outbound-rtp"
	Timestamp            int64          `json:"timestamp"`
	SSRC                 uint32         `json:"ssrc"`
	RTXSSRC              uint32         `json:"rtxSsrc,omitempty"`
	RID                  string         `json:"rid,omitempty"`
	Kind                 ortc.MediaKind `json:"kind"`
	MimeType             string         `json:"mimeType"`
	PacketsLost          int64          `json:"packetsLost"`
	FractionLost         uint8          `json:"fractionLost"` // of 256
	PacketsDiscarded     uint64         `json:"packetsDiscarded"`
	PacketsRetransmitted uint64         `json:"packetsRetransmitted"`
	PacketsRepaired      uint64         `json:"packetsRepaired"`
	NACKCount            uint64         `json:"nackCount"`
	NACKPacketCount      uint64         `json:"nackPacketCount"`
	PLICount             uint64         `json:"pliCount"`
	FIRCount             uint64         `json:"firCount"`
	PacketCount          uint64         `json:"packetCount"`
	ByteCount            uint64         `json:"byteCount"`
	Bitrate              uint64         `json:"bitrate"`
	// RoundTripTime is in ms; absent until it was measured.
	RoundTripTime float64 `json:"roundTripTime,omitempty"`
	// Score is 0 to 10, by loss that was not repaired.
	Score uint8 `json:"score"`
}

// ProducerStats is one stream that comes in.
type ProducerStats struct {
	StreamStats
	// Jitter is in units of the stream's clock.
	Jitter uint32 `json:"jitter"`
	// BitrateByLayer has the bitrate of each layer by itself, as "spatial.temporal",
	// of a stream with more than one.
	BitrateByLayer map[string]uint64 `json:"bitrateByLayer"`
	// RTXPacketsDiscarded are retransmissions that came twice, or were not asked for.
	RTXPacketsDiscarded uint64 `json:"rtxPacketsDiscarded,omitempty"`
}

// ConsumerStats is the stream that goes out, or the one that it is made from.
type ConsumerStats struct {
	StreamStats
	// Jitter is in units of the stream's clock, as measured by whoever receives.
	Jitter uint32 `json:"jitter"`
	// BitrateByLayer and RTXPacketsDiscarded are of the latter only.
	BitrateByLayer      map[string]uint64 `json:"bitrateByLayer,omitzero"`
	RTXPacketsDiscarded uint64            `json:"rtxPacketsDiscarded,omitempty"`
}

// Stats are the transport's statistics.
func (t *Transport) Stats() TransportStats {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	s := t.statsLocked()
	switch k := t.kind.(type) {
	case *WebRTCTransport:
		s.Type = "webrtc-transport"
		s.ICERole, s.ICEState, s.DTLSState = "controlled", k.link.iceState, k.link.dtlsState
		s.ICESelectedTuple = k.selectedTupleLocked()
	case *PlainTransport:
		s.Type = "plain-rtp-transport"
		s.RTCPMux, s.Comedia = new(k.control == nil), new(k.comedia)
		s.Tuple = new(k.tupleLocked(k.media))
		if k.control != nil {
			s.RTCPTuple = new(k.tupleLocked(k.control))
		}
	case *PipeTransport:
		s.Type = "pipe-transport"
		s.Tuple = new(k.tupleLocked(k.media))
	case *DirectTransport:
		s.Type = "direct-transport"
	}
	return s
}

// selectedTupleLocked is the path in use; nil if there is none. recvMu is held.
func (t *WebRTCTransport) selectedTupleLocked() *TransportTuple {
	tuple, ok := t.link.agent.Selected()
	if !ok {
		return nil
	}
	return new(t.server.describe(tuple))
}

// statsLocked is what transports of all kinds have. recvMu and sendMu are held.
func (t *Transport) statsLocked() TransportStats {
	now := t.sfu.now()
	s := TransportStats{
		TransportID: t.id, Timestamp: now.Wall().UnixMilli(),
		BytesReceived: t.recv.bytes, RecvBitrate: uint64(t.recv.rate.Rate(now)),
		RTPBytesReceived: t.recv.rtpBytes, RTPRecvBitrate: uint64(t.recv.rtpRate.Rate(now)),
		BytesSent: t.send.bytes, SendBitrate: uint64(t.send.rate.Rate(now)),
		RTPBytesSent: t.send.rtpBytes, RTPSendBitrate: uint64(t.send.rtpRate.Rate(now)),
		RTXBytesReceived: t.recv.rtxBytes, RTXRecvBitrate: uint64(t.recv.rtxRate.Rate(now)),
		RTXBytesSent: t.send.rtxBytes, RTXSendBitrate: uint64(t.send.rtxRate.Rate(now)),
		ProbationBytesSent: t.send.probationBytes, ProbationSendBitrate: uint64(t.send.probation.Rate(now)),
		RTPPacketLossReceived: t.recv.loss.value(), RTPPacketLossSent: t.send.loss.value(),
		AvailableOutgoingBitrate: uint64(t.send.availableLocked()),
		MaxIncomingBitrate:       uint64(t.recv.maxIncoming),
		MaxOutgoingBitrate:       uint64(t.send.limits.Max), MinOutgoingBitrate: uint64(t.send.limits.Min),
	}
	if t.data.sctp != nil {
		s.SCTPState = t.data.sctp.State()
	}
	if e := t.recv.estimator; e != nil {
		if estimate, ok := e.Estimate(now); ok {
			s.AvailableIncomingBitrate = uint64(estimate)
		}
	}
	return s
}

// Stats has an entry for each stream that has arrived.
func (p *Producer) Stats() []ProducerStats {
	p = p.source()
	now := p.transport.sfu.now()
	p.transport.recvMu.Lock()
	defer p.transport.recvMu.Unlock()
	list := []ProducerStats{}
	for i := range p.encodings {
		if e := &p.encodings[i]; e.stream != nil {
			list = append(list, e.stats(p, i, now))
		}
	}
	return list
}

// stats needs the recvMu of p's transport.
func (e *encoding) stats(p *Producer, i int, now mono.Instant) ProducerStats {
	s := e.stream
	st := ProducerStats{Jitter: s.jitter >> 4, BitrateByLayer: p.bitrateByLayer(i), RTXPacketsDiscarded: s.rtxDropped, StreamStats: StreamStats{
		Type: "inbound-rtp", Timestamp: now.Wall().UnixMilli(), SSRC: s.ssrc, RID: e.rid,
		Kind: p.kind, MimeType: p.consumable.Codecs[0].MimeType,
		PacketsLost: s.lost, FractionLost: s.fraction, Score: s.score,
		PacketsDiscarded: s.discarded, PacketsRepaired: s.repaired,
		NACKCount: s.nacks, NACKPacketCount: s.nackedSeqs,
		PLICount: s.plis.Load(), FIRCount: s.firs.Load(),
		PacketCount: s.packets, ByteCount: s.bytes, Bitrate: uint64(s.rate.Rate(now)),
		RoundTripTime: milliseconds(max(s.rtt, p.transport.recv.rtt)),
	}}
	if e.rtx != nil {
		st.RTXSSRC, st.PacketsRetransmitted = e.rtx.ssrc, e.rtx.packets
	}
	return st
}

// bitrateByLayer is of encoding i, with the layers that it announces or is seen to
// have. The recvMu of p's transport is held.
func (p *Producer) bitrateByLayer(i int) map[string]uint64 {
	mode := ortc.ParseScalabilityMode(p.params.Encodings[i].ScalabilityMode)
	spatials, temporals := min(mode.SpatialLayers, maxSpatial), min(mode.TemporalLayers, maxTemporal)
	for spatial, layers := range p.encodings[i].stream.layerBytes {
		for temporal, received := range layers {
			if received > 0 {
				spatials, temporals = max(spatials, spatial+1), max(temporals, temporal+1)
			}
		}
	}
	bitrates := map[string]uint64{}
	if spatials*temporals == 1 {
		return bitrates
	}
	for spatial := range spatials {
		row := spatial
		if len(p.encodings) > 1 {
			row = min(i, maxSpatial-1)
		}
		for temporal := range temporals {
			bitrates[fmt.Sprintf("%d.%d", spatial, temporal)] = p.rates.bitrates[row][temporal].Load()
		}
	}
	return bitrates
}

// Stats has an entry for what goes out and, if anything has come in, one for
// the producer's stream that it is made from.
func (c *Consumer) Stats() []ConsumerStats {
	if c.pipe != nil {
		return c.pipeStats()
	}
	list := []ConsumerStats{c.ownStats()}
	c.transport.sendMu.Lock()
	sent := c.rewrite.stream
	c.transport.sendMu.Unlock()
	for _, st := range c.producer.Stats() {
		if sent != nil && st.SSRC == sent.ssrc {
			list = append(list, ConsumerStats(st))
		}
	}
	return list
}

func (c *Consumer) ownStats() ConsumerStats {
	t := c.transport
	now := t.sfu.now()
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	return ConsumerStats{Jitter: c.received.jitter, StreamStats: StreamStats{
		Type: "outbound-rtp", Timestamp: now.Wall().UnixMilli(), SSRC: c.ssrc, RTXSSRC: c.rtxSSRC,
		Kind: c.Kind(), MimeType: c.params.Codecs[0].MimeType,
		PacketsLost: int64(c.received.lost), FractionLost: c.received.fraction, Score: c.received.score,
		PacketsRetransmitted: c.sent.rtxPackets, PacketsRepaired: c.sent.rtxPackets,
		NACKCount: c.received.nacks, NACKPacketCount: c.received.nackedSeqs,
		PLICount: c.received.plis, FIRCount: c.received.firs,
		PacketCount: c.sent.packets, ByteCount: c.sent.bytes, Bitrate: uint64(c.sent.rate.Rate(now)),
		RoundTripTime: milliseconds(c.received.rtt),
	}}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// ServerStats are the figures of a whole SFU; counters run since its start.
type ServerStats struct {
	Routers    int
	Transports map[dtls.State]int
	Producers  map[ortc.MediaKind]int
	Consumers  map[ortc.MediaKind]int

	DatagramsReceived, BytesReceived uint64
	DatagramsSent, BytesSent         uint64
	// Drops are packets that went no further, by reason.
	Drops            map[string]uint64
	Handshakes       uint64 // DTLS handshakes that succeeded
	HandshakesFailed uint64
	Panics           uint64 // recovered
	GSO, GRO         bool   // in use
	ReceiveBuffer    int    // of each socket, bytes granted

	TCP TCPStats
}

// TCPStats are the figures of the TCP connections; counters run since the start.
type TCPStats struct {
	Enabled        bool
	Open, Unproven int // connections now, and of them those without a valid check

	Accepted  uint64
	Refused   uint64 // because of a limit
	Evicted   uint64 // without a valid check, for newer ones
	Malformed uint64 // ended, since they brought no frames

	PacketsReceived, BytesReceived uint64
	PacketsSent, BytesSent         uint64
	// QueueFull is packets not sent because their connection was too slow.
	QueueFull uint64
}

func (s *SFU) tcpStats(st tcp.Stats) TCPStats {
	return TCPStats{
		Enabled: s.options.EnableTCP, Open: st.Open, Unproven: st.Unproven,
		Accepted: st.Accepted, Refused: st.Refused, Evicted: st.Evicted, Malformed: st.Malformed,
		PacketsReceived: st.Received.Packets, BytesReceived: st.Received.Bytes,
		PacketsSent: st.Sent.Packets, BytesSent: st.Sent.Bytes, QueueFull: st.QueueFull,
	}
}

// Stats are the figures of the whole server.
func (s *SFU) Stats() ServerStats {
	net, connections := s.socketStats()
	st := ServerStats{
		Transports: map[dtls.State]int{}, Producers: map[ortc.MediaKind]int{}, Consumers: map[ortc.MediaKind]int{},
		DatagramsReceived: net.Received.Datagrams, BytesReceived: net.Received.Bytes,
		DatagramsSent: net.Sent.Datagrams, BytesSent: net.Sent.Bytes,
		Drops:      s.counters.dropsByReason(net.Dropped),
		Handshakes: s.counters.handshakes.Load(), HandshakesFailed: s.counters.handshakesFailed.Load(),
		Panics: s.counters.panics.Load(), GSO: net.GSO, GRO: net.GRO, ReceiveBuffer: net.ReceiveBuffer,
		TCP: s.tcpStats(connections),
	}
	st.Drops["tcp_queue_full"] = st.TCP.QueueFull
	for _, r := range s.openRouters() {
		st.Routers++
		r.addTo(&st)
	}
	return st
}

func (s *SFU) openRouters() []*Router {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Router, 0, len(s.routers))
	for _, r := range s.routers {
		list = append(list, r)
	}
	return list
}

func (r *Router) addTo(st *ServerStats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.transports {
		if webrtc, ok := t.kind.(*WebRTCTransport); ok {
			st.Transports[webrtc.DTLSState()]++
		}
	}
	for _, p := range r.producers {
		if p.origin == nil {
			st.Producers[p.kind]++
		}
	}
	for _, c := range r.consumers {
		st.Consumers[c.Kind()]++
	}
}
