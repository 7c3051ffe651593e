package sfu

import (
	"cmp"
	"slices"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ice"
)

// TransportDump is a transport as it is: what all have, and what those of its
// kind have.
type TransportDump struct {
	ID                      string               `json:"id"`
	Type                    TransportType        `json:"type"`
	ProducerIDs             []string             `json:"producerIds"`
	ConsumerIDs             []string             `json:"consumerIds"`
	ConsumersBySSRC         []NumberPair         `json:"mapSsrcConsumerId"`
	ConsumersByRTXSSRC      []NumberPair         `json:"mapRtxSsrcConsumerId"`
	RecvRTPHeaderExtensions RecvHeaderExtensions `json:"recvRtpHeaderExtensions"`
	RTPListener             RTPListenerDump      `json:"rtpListener"`
	MaxSendMessageSize      int                  `json:"maxSendMessageSize"`
	MaxReceiveMessageSize   int                  `json:"maxReceiveMessageSize"`
	DataProducerIDs         []string             `json:"dataProducerIds"`
	DataConsumerIDs         []string             `json:"dataConsumerIds"`
	TraceEventTypes         []TraceType          `json:"traceEventTypes"`

	// With SCTP only.
	SCTPParameters *SCTPParameters   `json:"sctpParameters,omitempty"`
	SCTPState      SCTPState         `json:"sctpState,omitempty"`
	SCTPNegotiated *SCTPNegotiated   `json:"sctpNegotiatedCapabilities,omitempty"`
	SCTPListener   *SCTPListenerDump `json:"sctpListener,omitempty"`

	// Of a WebRTCTransport only.
	ICERole          string           `json:"iceRole,omitempty"`
	ICEParameters    *ice.Parameters  `json:"iceParameters,omitempty"`
	ICECandidates    []ice.Candidate  `json:"iceCandidates,omitempty"`
	ICEState         ice.State        `json:"iceState,omitempty"`
	ICESelectedTuple *TransportTuple  `json:"iceSelectedTuple,omitempty"`
	DTLSParameters   *dtls.Parameters `json:"dtlsParameters,omitempty"`
	DTLSState        dtls.State       `json:"dtlsState,omitempty"`
	DTLSRemoteCert   string           `json:"dtlsRemoteCert,omitempty"` // PEM, once the handshake is done

	// Of a PlainTransport, and the tuple and the key of a PipeTransport too.
	RTCPMux        *bool           `json:"rtcpMux,omitempty"`
	Comedia        *bool           `json:"comedia,omitempty"`
	RTX            *bool           `json:"rtx,omitempty"`
	Tuple          *TransportTuple `json:"tuple,omitempty"`
	RTCPTuple      *TransportTuple `json:"rtcpTuple,omitempty"`
	SRTPParameters *SRTPParameters `json:"srtpParameters,omitempty"`
}

// RecvHeaderExtensions are the ids of the header extensions by which a transport
// tells its packets apart and measures its line; nil: in no producer's parameters.
type RecvHeaderExtensions struct {
	MID             *uint8 `json:"mid,omitempty"`
	RID             *uint8 `json:"rid,omitempty"`
	RepairedRID     *uint8 `json:"rrid,omitempty"`
	AbsSendTime     *uint8 `json:"absSendTime,omitempty"`
	TransportWideCC *uint8 `json:"transportWideCc01,omitempty"`
}

// RTPListenerDump says which producer packets go to: by SSRC, announced or
// found, by MID and by RID.
type RTPListenerDump struct {
	SSRCs []NumberPair `json:"ssrcTable"`
	MIDs  []IDPair     `json:"midTable"`
	RIDs  []IDPair     `json:"ridTable"`
}

// SCTPListenerDump says which data producer messages go to.
type SCTPListenerDump struct {
	Streams []NumberPair `json:"streamIdTable"`
}

// Dump shows the transport.
func (t *Transport) Dump() TransportDump {
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	d := TransportDump{
		ID: t.id, Type: t.Type(),
		ProducerIDs: sortedKeys(t.producers), ConsumerIDs: sortedKeys(t.consumers),
		ConsumersBySSRC: []NumberPair{}, ConsumersByRTXSSRC: []NumberPair{},
		RecvRTPHeaderExtensions: t.recv.demux.extensions.dump(), RTPListener: t.recv.demux.dump(),
		MaxSendMessageSize: t.data.options.MaxSendBytes, MaxReceiveMessageSize: t.data.options.MaxReceiveBytes,
		DataProducerIDs: sortedKeys(t.data.producers), DataConsumerIDs: sortedKeys(t.data.consumers),
		TraceEventTypes: t.traces.types(),
	}
	for ssrc, c := range t.recv.sinks {
		if ssrc == c.rtxSSRC {
			d.ConsumersByRTXSSRC = append(d.ConsumersByRTXSSRC, NumberPair{ssrc, c.id})
		} else {
			d.ConsumersBySSRC = append(d.ConsumersBySSRC, NumberPair{ssrc, c.id})
		}
	}
	sortNumbers(d.ConsumersBySSRC)
	sortNumbers(d.ConsumersByRTXSSRC)
	t.dumpSCTP(&d)
	switch k := t.kind.(type) {
	case *WebRTCTransport:
		k.dumpLocked(&d)
	case *PlainTransport:
		k.dumpLocked(&d)
	case *PipeTransport:
		k.dumpLocked(&d)
	}
	return d
}

func (t *Transport) dumpSCTP(d *TransportDump) {
	if t.data.sctp == nil {
		return
	}
	d.SCTPParameters, d.SCTPState, d.SCTPNegotiated = t.data.parameters(), t.data.sctp.State(), t.SCTPNegotiated()
	d.SCTPListener = &SCTPListenerDump{Streams: []NumberPair{}}
	t.data.mu.Lock()
	for stream, p := range t.data.in {
		d.SCTPListener.Streams = append(d.SCTPListener.Streams, NumberPair{uint32(stream), p.id})
	}
	t.data.mu.Unlock()
	sortNumbers(d.SCTPListener.Streams)
}

// dumpLocked adds what only transports of the kind have. recvMu is held.
func (t *WebRTCTransport) dumpLocked(d *TransportDump) {
	d.ICERole, d.ICEParameters, d.ICECandidates = "controlled", new(t.link.agent.Parameters()), t.ICECandidates()
	d.ICEState, d.DTLSState = t.link.iceState, t.link.dtlsState
	d.ICESelectedTuple = t.selectedTupleLocked()
	d.DTLSRemoteCert = t.DTLSRemoteCertificate()
	d.DTLSParameters = new(t.dtlsParametersLocked())
}

// dumpLocked is likewise.
func (t *PlainTransport) dumpLocked(d *TransportDump) {
	d.RTCPMux, d.Comedia = new(t.control == nil), new(t.comedia)
	if t.control != nil {
		d.RTCPTuple = new(t.tupleLocked(t.control))
	}
	t.portTransport.dumpLocked(d)
}

// dumpLocked is likewise.
func (t *PipeTransport) dumpLocked(d *TransportDump) {
	d.RTX = new(t.rtx)
	t.portTransport.dumpLocked(d)
}

// dumpLocked adds what both have.
func (t *portTransport) dumpLocked(d *TransportDump) {
	d.Tuple = new(t.tupleLocked(t.media))
	if t.own != nil {
		d.SRTPParameters = new(*t.own)
	}
}

func sortNumbers(list []NumberPair) {
	slices.SortFunc(list, func(a, b NumberPair) int { return cmp.Compare(a.Key, b.Key) })
}

// dump needs the recvMu of the transport.
func (d *demux) dump() RTPListenerDump {
	l := RTPListenerDump{SSRCs: []NumberPair{}, MIDs: []IDPair{}, RIDs: []IDPair{}}
	ssrcs := map[uint32]string{}
	for _, p := range d.producers {
		if mid := p.params.MID; mid != "" {
			l.MIDs = append(l.MIDs, IDPair{mid, p.id})
		}
		for i := range p.encodings {
			e := &p.encodings[i]
			ssrcs[e.ssrc], ssrcs[e.rtxSSRC] = p.id, p.id
			if e.rid != "" {
				l.RIDs = append(l.RIDs, IDPair{e.rid, p.id})
			}
		}
	}
	for ssrc, s := range d.streams {
		ssrcs[ssrc] = s.producer.id
	}
	delete(ssrcs, 0) // not announced
	for ssrc, id := range ssrcs {
		l.SSRCs = append(l.SSRCs, NumberPair{ssrc, id})
	}
	sortNumbers(l.SSRCs)
	return l
}

func (x *extensionByID) dump() (d RecvHeaderExtensions) {
	for id, e := range x {
		id := new(uint8(id))
		switch e {
		case extMID:
			d.MID = id
		case extRID:
			d.RID = id
		case extRepairedRID:
			d.RepairedRID = id
		case extAbsSendTime:
			d.AbsSendTime = id
		case extTransportCC:
			d.TransportWideCC = id
		}
	}
	return d
}
