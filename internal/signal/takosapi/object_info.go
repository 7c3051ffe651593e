package takosapi

import (
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/worker"
)

// WorkerInfo describes a worker.
type WorkerInfo struct {
	ID      string `json:"id" doc:"the worker's id"`
	PID     int    `json:"pid" doc:"the server's process; all workers are in it"`
	AppData any    `json:"appData,omitempty" doc:"what was given to worker.create"`
}

// RouterInfo describes a router.
type RouterInfo struct {
	ID              string               `json:"id" doc:"the router's id"`
	WorkerID        string               `json:"workerId,omitempty" doc:"the worker it belongs to"`
	RoomID          string               `json:"roomId,omitempty" doc:"or the room"`
	RTPCapabilities ortc.RTPCapabilities `json:"rtpCapabilities" doc:"for clients' devices and for consumers"`
	AppData         any                  `json:"appData,omitempty" doc:"what was given to worker.createRouter"`
}

// RouterTransportInfo describes a transport of any type. The fields that its
// type does not have are missing.
type RouterTransportInfo struct {
	ID   string            `json:"id" doc:"the transport's id"`
	Type sfu.TransportType `json:"type" doc:"webrtc, plain, pipe or direct"`

	ICERole          string              `json:"iceRole,omitempty" doc:"\"controlled\""`
	ICEParameters    *sfu.ICEParameters  `json:"iceParameters,omitempty" doc:"{usernameFragment, password, iceLite}"`
	ICECandidates    []sfu.ICECandidate  `json:"iceCandidates,omitempty" doc:"[{foundation, priority, ip, address, protocol, port, type, tcpType}]"`
	ICEState         sfu.ICEState        `json:"iceState,omitempty" doc:"new, connected, completed, disconnected or closed"`
	ICESelectedTuple *sfu.TransportTuple `json:"iceSelectedTuple,omitempty" doc:"{localIp, localAddress, localPort, remoteIp, remotePort, protocol}"`
	DTLSParameters   *sfu.DTLSParameters `json:"dtlsParameters,omitempty" doc:"{role, fingerprints}"`
	DTLSState        sfu.DTLSState       `json:"dtlsState,omitempty" doc:"new, connecting, connected, failed or closed"`
	DTLSRemoteCert   string              `json:"dtlsRemoteCert,omitempty" doc:"PEM, once DTLS is connected"`
	Tuple            *sfu.TransportTuple `json:"tuple,omitempty" doc:"of a plain or pipe transport, as iceSelectedTuple"`
	RTCPTuple        *sfu.TransportTuple `json:"rtcpTuple,omitempty" doc:"of a plain transport without rtcpMux"`
	RTCPMux          *bool               `json:"rtcpMux,omitempty" doc:"of a plain transport"`
	Comedia          *bool               `json:"comedia,omitempty" doc:"of a plain transport"`
	RTX              *bool               `json:"rtx,omitempty" doc:"of a pipe transport"`
	SRTPParameters   *sfu.SRTPParameters `json:"srtpParameters,omitempty" doc:"{cryptoSuite, keyBase64} for the other end, with enableSrtp"`
	SCTPParameters   *sfu.SCTPParameters `json:"sctpParameters,omitempty" doc:"{port, maxSendMessageSize, maxReceiveMessageSize, …}, with enableSctp"`
	SCTPState        sfu.SCTPState       `json:"sctpState,omitempty" doc:"new, connecting, connected, failed or closed"`
	SCTPNegotiated   *sfu.SCTPNegotiated `json:"sctpNegotiatedCapabilities,omitempty" doc:"{negotiatedMaxOutboundStreams, negotiatedMaxInboundStreams}, once SCTP is connected"`
	AppData          any                 `json:"appData,omitempty" doc:"what it was made with"`
}

// RouterProducerInfo describes a producer of whatever transport.
type RouterProducerInfo struct {
	ID                      string             `json:"id" doc:"the producer's id"`
	TransportID             string             `json:"transportId" doc:"where the media comes in"`
	Kind                    ortc.MediaKind     `json:"kind" doc:"\"audio\" or \"video\""`
	Type                    ortc.ProducerType  `json:"type" doc:"simple, simulcast or svc"`
	RTPParameters           ortc.RTPParameters `json:"rtpParameters" doc:"as they were given"`
	ConsumableRTPParameters ortc.RTPParameters `json:"consumableRtpParameters" doc:"as consumers of the router see them"`
	Paused                  bool               `json:"paused" doc:"whether it is forwarded to nobody"`
	Score                   []EncodingScore    `json:"score" doc:"how well the encodings arrive, of those that have ever come"`
	AppData                 any                `json:"appData,omitempty" doc:"what it was made with"`
}

// RouterConsumerInfo describes a consumer on whatever transport.
type RouterConsumerInfo struct {
	ID              string             `json:"id" doc:"the consumer's id"`
	TransportID     string             `json:"transportId" doc:"where the media goes out"`
	ProducerID      string             `json:"producerId" doc:"where it comes from"`
	Kind            ortc.MediaKind     `json:"kind" doc:"\"audio\" or \"video\""`
	Type            ortc.ProducerType  `json:"type" doc:"simple, simulcast, svc or pipe"`
	RTPParameters   ortc.RTPParameters `json:"rtpParameters" doc:"as mediasoup's"`
	Paused          bool               `json:"paused" doc:"whether the consumer is paused"`
	ProducerPaused  bool               `json:"producerPaused" doc:"whether its producer is"`
	Priority        int                `json:"priority" doc:"among the consumers of its transport, 1 to 255, the most important"`
	Score           ConsumerScore      `json:"score" doc:"how well it is served"`
	PreferredLayers *Layers            `json:"preferredLayers,omitempty" doc:"the highest that are sent, of simulcast or SVC"`
	CurrentLayers   *Layers            `json:"currentLayers,omitempty" doc:"those that are sent now, of simulcast or SVC"`
	AppData         any                `json:"appData,omitempty" doc:"what it was made with"`
}

// RouterDataProducerInfo describes a data producer of whatever transport.
type RouterDataProducerInfo struct {
	ID                   string                    `json:"id" doc:"the data producer's id"`
	TransportID          string                    `json:"transportId" doc:"where messages come in"`
	Type                 sfu.DataType              `json:"type" doc:"sctp or direct"`
	SCTPStreamParameters *sfu.SCTPStreamParameters `json:"sctpStreamParameters,omitempty" doc:"{streamId, ordered, maxPacketLifeTime, maxRetransmits}, of type sctp"`
	Label                string                    `json:"label" doc:"of the data channel"`
	Protocol             string                    `json:"protocol" doc:"of the data channel"`
	Paused               bool                      `json:"paused" doc:"whether messages are dropped"`
	AppData              any                       `json:"appData,omitempty" doc:"what it was made with"`
}

// RouterDataConsumerInfo describes a data consumer on whatever transport.
type RouterDataConsumerInfo struct {
	ID                   string                    `json:"id" doc:"the data consumer's id"`
	TransportID          string                    `json:"transportId" doc:"where messages go out"`
	DataProducerID       string                    `json:"dataProducerId" doc:"where they come from"`
	Type                 sfu.DataType              `json:"type" doc:"sctp or direct"`
	SCTPStreamParameters *sfu.SCTPStreamParameters `json:"sctpStreamParameters,omitempty" doc:"{streamId, ordered, maxPacketLifeTime, maxRetransmits}, of type sctp"`
	Label                string                    `json:"label" doc:"of the data channel"`
	Protocol             string                    `json:"protocol" doc:"of the data channel"`
	Paused               bool                      `json:"paused" doc:"whether the data consumer is paused"`
	DataProducerPaused   bool                      `json:"dataProducerPaused" doc:"whether its data producer is"`
	Subchannels          []uint16                  `json:"subchannels" doc:"in order"`
	BufferedAmount       int                       `json:"bufferedAmount" doc:"bytes that wait to be sent"`
	AppData              any                       `json:"appData,omitempty" doc:"what it was made with"`
}

// RTPObserverInfo describes an observer of speakers.
type RTPObserverInfo struct {
	ID      string              `json:"id" doc:"the observer's id"`
	Type    sfu.RTPObserverType `json:"type" doc:"activespeaker or audiolevel"`
	Paused  bool                `json:"paused" doc:"whether it is"`
	AppData any                 `json:"appData,omitempty" doc:"what it was made with"`
}

// RouterSnapshot describes a router and all that is in it.
type RouterSnapshot struct {
	Router        RouterInfo               `json:"router" doc:"the router"`
	Transports    []RouterTransportInfo    `json:"transports" doc:"of all types"`
	Producers     []RouterProducerInfo     `json:"producers" doc:"of all transports"`
	Consumers     []RouterConsumerInfo     `json:"consumers" doc:"of all transports"`
	DataProducers []RouterDataProducerInfo `json:"dataProducers" doc:"of all transports"`
	DataConsumers []RouterDataConsumerInfo `json:"dataConsumers" doc:"of all transports"`
	RTPObservers  []RTPObserverInfo        `json:"rtpObservers" doc:"of both types"`
}

// WorkerSnapshot describes a worker and all that belongs to it.
type WorkerSnapshot struct {
	Worker        WorkerInfo         `json:"worker" doc:"the worker"`
	WebRTCServers []WebRTCServerInfo `json:"webRtcServers" doc:"the oldest first"`
	Routers       []RouterSnapshot   `json:"routers" doc:"the oldest first"`
}

func workerInfo(w *worker.Worker) WorkerInfo {
	return WorkerInfo{ID: w.ID(), PID: w.PID(), AppData: w.AppData()}
}

func workerSnapshot(w *worker.Worker) WorkerSnapshot {
	s := WorkerSnapshot{Worker: workerInfo(w), WebRTCServers: infos(w.WebRTCServers(), webRTCServerInfo), Routers: []RouterSnapshot{}}
	for _, r := range w.Routers() {
		s.Routers = append(s.Routers, routerSnapshot(foundRouter{Router: r.Router, ofWorker: r}))
	}
	return s
}

func routerInfo(r foundRouter) RouterInfo {
	info := RouterInfo{ID: r.ID(), RTPCapabilities: r.RTPCapabilities()}
	if r.ofWorker != nil {
		info.WorkerID, info.AppData = r.ofWorker.Worker().ID(), r.ofWorker.AppData()
	}
	if r.ofRoom != nil {
		info.RoomID = r.ofRoom.ID()
	}
	return info
}

func routerSnapshot(r foundRouter) RouterSnapshot {
	return RouterSnapshot{
		Router:        routerInfo(r),
		Transports:    infos(r.Transports(), routerTransportInfo),
		Producers:     infos(r.Producers(), routerProducerInfo),
		Consumers:     infos(r.Consumers(), routerConsumerInfo),
		DataProducers: infos(r.DataProducers(), routerDataProducerInfo),
		DataConsumers: infos(r.DataConsumers(), routerDataConsumerInfo),
		RTPObservers:  infos(r.RTPObservers(), rtpObserverInfo),
	}
}

// infos describes each of the objects.
func infos[O, I any](objects []O, describe func(O) I) []I {
	list := make([]I, len(objects))
	for i, o := range objects {
		list[i] = describe(o)
	}
	return list
}

func routerProducerInfo(p *sfu.Producer) RouterProducerInfo {
	return RouterProducerInfo{
		ID: p.ID(), TransportID: p.Transport().ID(), Kind: p.Kind(), Type: p.Type(), RTPParameters: p.RTPParameters(),
		ConsumableRTPParameters: p.ConsumableRTPParameters(), Paused: p.Paused(), Score: encodingScoresOf(p.Score()), AppData: p.AppData(),
	}
}

func routerConsumerInfo(c *sfu.Consumer) RouterConsumerInfo {
	info := RouterConsumerInfo{
		ID: c.ID(), TransportID: c.Transport().ID(), ProducerID: c.ProducerID(), Kind: c.Kind(), Type: c.Type(), RTPParameters: c.RTPParameters(),
		Paused: c.Paused(), ProducerPaused: c.ProducerPaused(), Priority: c.Priority(), Score: consumerScoreOf(c.Score()), AppData: c.AppData(),
	}
	if l, layered := c.PreferredLayers(); layered {
		info.PreferredLayers = layersOf(l)
	}
	if l, sent := c.CurrentLayers(); sent {
		info.CurrentLayers = layersOf(l)
	}
	return info
}

// sctpNegotiatedOf is what t's association has agreed on; nil before it has.
func sctpNegotiatedOf(t *sfu.Transport) *sfu.SCTPNegotiated {
	if n := t.SCTPNegotiated(); n != nil && *n != (sfu.SCTPNegotiated{}) {
		return n
	}
	return nil
}
