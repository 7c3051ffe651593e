package takosapi

import (
	"encoding/base64"
	"unicode/utf8"

	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/worker"
)

// objectEvents are the events of workers and routers in the order of the
// reference, as events are those of rooms.
var objectEvents = []objectEventRow{
	{"worker.newrouter", "A worker has a new router.", []string{"workerId", "routerId", "router"}},
	{"worker.newwebrtcserver", "A worker has a new WebRTC server.", []string{"workerId", "webRtcServerId", "webRtcServer"}},
	{"webRtcServer.closed", "A WebRTC server was closed; the transports that were reached at it were closed before.", []string{"workerId", "webRtcServerId"}},
	{"worker.closed", "A worker was closed. All that belonged to it was closed before.", []string{"workerId"}},
	{sfu.EventRouterClosed, "A router was closed. All that was in it was closed before.", []string{"routerId", "reason"}},
	{sfu.EventNewTransport, "A router has a new transport.", []string{"routerId", "transportId", "transport"}},
	{sfu.EventNewRTPObserver, "A router has a new observer.", []string{"routerId", "rtpObserverId", "rtpObserver"}},
	{sfu.EventTransportClosed, "A transport was closed; all that was on it was closed before.", []string{"routerId", "transportId", "reason"}},
	{sfu.EventICEState, "ICE of a webrtc transport is in another state.", []string{"routerId", "transportId", "iceState"}},
	{sfu.EventICETuple, "A webrtc transport sends to another address.", []string{"routerId", "transportId", "iceSelectedTuple"}},
	{sfu.EventDTLSState, "DTLS of a webrtc transport is in another state.", []string{"routerId", "transportId", "dtlsState", "dtlsRemoteCert?"}},
	{sfu.EventSCTPState, "SCTP of a transport is in another state.", []string{"routerId", "transportId", "sctpState", "sctpNegotiatedCapabilities?"}},
	{sfu.EventTuple, "A plain transport with comedia has learnt where its other end is.", []string{"routerId", "transportId", "tuple"}},
	{sfu.EventRTCPTuple, "The same for RTCP, without rtcpMux.", []string{"routerId", "transportId", "rtcpTuple"}},
	{sfu.EventRTCP, "RTCP for the other end of a direct transport, in base64.", []string{"routerId", "transportId", "packet"}},
	{sfu.EventNewProducer, "A transport has a new producer.", []string{"routerId", "transportId", "producerId", "producer"}},
	{sfu.EventNewConsumer, "A transport has a new consumer.", []string{"routerId", "transportId", "consumerId", "consumer"}},
	{sfu.EventNewDataProducer, "A transport has a new data producer.", []string{"routerId", "transportId", "dataProducerId", "dataProducer"}},
	{sfu.EventNewDataConsumer, "A transport has a new data consumer.", []string{"routerId", "transportId", "dataConsumerId", "dataConsumer"}},
	{sfu.EventTransportTrace, "Something of the types that transport.enableTraceEvent has chosen: {type, timestamp, direction, info}.", []string{"routerId", "transportId", "trace"}},
	{sfu.EventProducerClosed, "A producer was closed; its consumers were closed before.", []string{"routerId", "producerId", "reason"}},
	{sfu.EventProducerPaused, "A producer is not forwarded for now.", []string{"routerId", "producerId"}},
	{sfu.EventProducerResumed, "A producer is forwarded again.", []string{"routerId", "producerId"}},
	{sfu.EventProducerScore, "How well the encodings of a producer arrive has changed: an array of [EncodingScore](#encodingscore).", []string{"routerId", "producerId", "score"}},
	{sfu.EventVideoOrientation, "The sender's camera is held in another way: {camera, flip, rotation}.", []string{"routerId", "producerId", "videoOrientation"}},
	{sfu.EventProducerTrace, "Something of the types that producer.enableTraceEvent has chosen.", []string{"routerId", "producerId", "trace"}},
	{sfu.EventConsumerClosed, "A consumer was closed: by command, with its transport or its producer.", []string{"routerId", "consumerId", "reason"}},
	{sfu.EventConsumerPaused, "A consumer is paused.", []string{"routerId", "consumerId"}},
	{sfu.EventConsumerResumed, "A consumer is not paused any more.", []string{"routerId", "consumerId"}},
	{sfu.EventConsumerProducerPaused, "The producer of a consumer is paused.", []string{"routerId", "consumerId"}},
	{sfu.EventConsumerProducerResumed, "The producer of a consumer is not paused any more.", []string{"routerId", "consumerId"}},
	{sfu.EventConsumerScore, "How well a consumer is served has changed: a [ConsumerScore](#consumerscore).", []string{"routerId", "consumerId", "score"}},
	{sfu.EventLayersChange, "Other layers are sent from now on; null is nothing.", []string{"routerId", "consumerId", "layers"}},
	{sfu.EventRTP, "A packet of a consumer on a direct transport, in base64.", []string{"routerId", "consumerId", "packet"}},
	{sfu.EventConsumerTrace, "Something of the types that consumer.enableTraceEvent has chosen.", []string{"routerId", "consumerId", "trace"}},
	{sfu.EventDataProducerClosed, "A data producer was closed; its data consumers were closed before.", []string{"routerId", "dataProducerId", "reason"}},
	{sfu.EventDataProducerPaused, "The messages of a data producer are dropped for now.", []string{"routerId", "dataProducerId"}},
	{sfu.EventDataProducerResumed, "They are forwarded again.", []string{"routerId", "dataProducerId"}},
	{sfu.EventDataConsumerClosed, "A data consumer was closed: by command, with its transport or its data producer.", []string{"routerId", "dataConsumerId", "reason"}},
	{sfu.EventDataConsumerPaused, "A data consumer is paused.", []string{"routerId", "dataConsumerId"}},
	{sfu.EventDataConsumerResumed, "A data consumer is not paused any more.", []string{"routerId", "dataConsumerId"}},
	{sfu.EventDataConsumerProducerPaused, "The data producer of a data consumer is paused.", []string{"routerId", "dataConsumerId"}},
	{sfu.EventDataConsumerProducerResumed, "The data producer of a data consumer is not paused any more.", []string{"routerId", "dataConsumerId"}},
	{sfu.EventMessage, "A message for a data consumer on a direct transport: a text as message, or bytes as binary, in base64.", []string{"routerId", "dataConsumerId", "message?", "binary?", "ppid"}},
	{sfu.EventSendBufferFull, "A message was not sent, as the other end has not taken what was sent before.", []string{"routerId", "dataConsumerId"}},
	{sfu.EventBufferedAmountLow, "No more waits for the other end than the threshold.", []string{"routerId", "dataConsumerId", "bufferedAmount"}},
	{sfu.EventRTPObserverClosed, "An observer was closed.", []string{"routerId", "rtpObserverId", "reason"}},
	{sfu.EventRTPObserverPaused, "An observer looks no more.", []string{"routerId", "rtpObserverId"}},
	{sfu.EventRTPObserverResumed, "An observer looks again.", []string{"routerId", "rtpObserverId"}},
	{sfu.EventAddProducer, "An observer looks at one more producer.", []string{"routerId", "rtpObserverId", "producerId"}},
	{sfu.EventRemoveProducer, "An observer does not look at a producer any more.", []string{"routerId", "rtpObserverId", "producerId"}},
	{sfu.EventVolumes, "Who is heard, the loudest first, as `[{producerId, volume}]` in dBov (−127 to 0).", []string{"routerId", "rtpObserverId", "volumes"}},
	{sfu.EventSilence, "Nobody is heard any more.", []string{"routerId", "rtpObserverId"}},
	{sfu.EventDominantSpeaker, "A producer has the floor.", []string{"routerId", "rtpObserverId", "producerId"}},
}

type objectEventRow struct {
	name   sfu.EventType
	doc    string
	fields []string
}

// objectEvent is what an event of a worker or router carries.
type objectEvent struct {
	Event          string `json:"event"`
	WorkerID       string `json:"workerId,omitempty"`
	RouterID       string `json:"routerId,omitempty"`
	TransportID    string `json:"transportId,omitempty"`
	ProducerID     string `json:"producerId,omitempty"`
	ConsumerID     string `json:"consumerId,omitempty"`
	DataProducerID string `json:"dataProducerId,omitempty"`
	DataConsumerID string `json:"dataConsumerId,omitempty"`
	RTPObserverID  string `json:"rtpObserverId,omitempty"`
	WebRTCServerID string `json:"webRtcServerId,omitempty"`

	WebRTCServer   *WebRTCServerInfo       `json:"webRtcServer,omitempty"`
	Reason         string                  `json:"reason,omitempty"`
	Router         *RouterInfo             `json:"router,omitempty"`
	Transport      *RouterTransportInfo    `json:"transport,omitempty"`
	Producer       *RouterProducerInfo     `json:"producer,omitempty"`
	Consumer       *RouterConsumerInfo     `json:"consumer,omitempty"`
	DataProducer   *RouterDataProducerInfo `json:"dataProducer,omitempty"`
	DataConsumer   *RouterDataConsumerInfo `json:"dataConsumer,omitempty"`
	RTPObserver    *RTPObserverInfo        `json:"rtpObserver,omitempty"`
	ICEState       sfu.ICEState            `json:"iceState,omitempty"`
	ICETuple       *sfu.TransportTuple     `json:"iceSelectedTuple,omitempty"`
	DTLSState      sfu.DTLSState           `json:"dtlsState,omitempty"`
	DTLSRemoteCert string                  `json:"dtlsRemoteCert,omitempty"`
	SCTPState      sfu.SCTPState           `json:"sctpState,omitempty"`
	SCTPNegotiated *sfu.SCTPNegotiated     `json:"sctpNegotiatedCapabilities,omitempty"`
	Tuple          *sfu.TransportTuple     `json:"tuple,omitempty"`
	RTCPTuple      *sfu.TransportTuple     `json:"rtcpTuple,omitempty"`
	Packet         string                  `json:"packet,omitempty"`
	Score          any                     `json:"score,omitempty"`
	Trace          any                     `json:"trace,omitempty"`
	Orientation    *sfu.VideoOrientation   `json:"videoOrientation,omitempty"`
	Layers         any                     `json:"layers,omitempty"`
	Message        *string                 `json:"message,omitempty"`
	Binary         *string                 `json:"binary,omitempty"`
	PPID           *uint32                 `json:"ppid,omitempty"`
	BufferedAmount *int                    `json:"bufferedAmount,omitempty"`
	Volumes        []producerVolume        `json:"volumes,omitempty"`
}

// null is what stands where a field is there and has no value.
type null struct{}

// MarshalJSON implements json.Marshaler.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// ofWorker is what an event of a worker carries.
func ofWorker(e worker.Event) objectEvent {
	d := objectEvent{WorkerID: e.Worker.ID()}
	switch e.Type {
	case worker.Closed:
		d.Event = "worker.closed"
	case worker.WebRTCServerCreated:
		d.Event, d.WebRTCServerID, d.WebRTCServer = "worker.newwebrtcserver", e.WebRTCServer.ID(), new(webRTCServerInfo(e.WebRTCServer))
	case worker.WebRTCServerClosed:
		d.Event, d.WebRTCServerID = "webRtcServer.closed", e.WebRTCServer.ID()
	case worker.RouterCreated:
		d.Event, d.RouterID = "worker.newrouter", e.Router.ID()
		info := routerInfo(foundRouter{Router: e.Router.Router, ofWorker: e.Router})
		d.Router = &info
	case worker.RouterEvent:
		return ofRouter(e.Router.ID(), e.Media)
	}
	return d
}

// ofRouter is what an event of a router carries.
func ofRouter(routerID string, e sfu.Event) objectEvent {
	d := objectEvent{Event: string(e.Type), RouterID: routerID}
	if e.Transport != nil {
		d.TransportID = e.Transport.ID()
	}
	if e.Producer != nil {
		d.ProducerID = e.Producer.ID()
	}
	if e.Consumer != nil {
		d.ConsumerID = e.Consumer.ID()
	}
	if e.DataProducer != nil {
		d.DataProducerID = e.DataProducer.ID()
	}
	if e.DataConsumer != nil {
		d.DataConsumerID = e.DataConsumer.ID()
	}
	if e.RTPObserver != nil {
		d.RTPObserverID = e.RTPObserver.ID()
	}
	if reason, closed := e.Data.(sfu.CloseReason); closed {
		d.Reason = string(reason)
		return d
	}
	d.describe(e)
	return d
}

// describe adds what has changed, or what is new.
func (d *objectEvent) describe(e sfu.Event) {
	switch e.Type {
	case sfu.EventNewTransport:
		d.Transport = new(routerTransportInfo(e.Transport))
	case sfu.EventNewRTPObserver:
		d.RTPObserver = new(rtpObserverInfo(e.RTPObserver))
	case sfu.EventNewProducer:
		d.Producer = new(routerProducerInfo(e.Producer))
	case sfu.EventNewConsumer:
		d.Consumer = new(routerConsumerInfo(e.Consumer))
	case sfu.EventNewDataProducer:
		d.DataProducer = new(routerDataProducerInfo(e.DataProducer))
	case sfu.EventNewDataConsumer:
		d.DataConsumer = new(routerDataConsumerInfo(e.DataConsumer))
	case sfu.EventICEState:
		d.ICEState = e.Data.(sfu.ICEState)
	case sfu.EventICETuple:
		d.ICETuple = new(e.Data.(sfu.TransportTuple))
	case sfu.EventDTLSState:
		d.DTLSState = e.Data.(sfu.DTLSState)
		if webrtc, ok := e.Transport.Kind().(*sfu.WebRTCTransport); ok {
			d.DTLSRemoteCert = webrtc.DTLSRemoteCertificate()
		}
	case sfu.EventSCTPState:
		state := e.Data.(sfu.SCTPState)
		if d.SCTPState = state; state == "connected" { // what has been negotiated while the event waited is no news yet
			d.SCTPNegotiated = sctpNegotiatedOf(e.Transport)
		}
	case sfu.EventTuple:
		d.Tuple = new(e.Data.(sfu.TransportTuple))
	case sfu.EventRTCPTuple:
		d.RTCPTuple = new(e.Data.(sfu.TransportTuple))
	case sfu.EventRTCP, sfu.EventRTP:
		d.Packet = base64.StdEncoding.EncodeToString(e.Data.([]byte))
	case sfu.EventProducerScore:
		d.Score = encodingScoresOf(e.Data.([]sfu.EncodingScore))
	case sfu.EventConsumerScore:
		d.Score = consumerScoreOf(e.Data.(sfu.ConsumerScore))
	case sfu.EventLayersChange:
		d.Layers = null{}
		if l := e.Data.(*sfu.Layer); l != nil {
			d.Layers = layersOf(*l)
		}
	case sfu.EventTransportTrace, sfu.EventProducerTrace, sfu.EventConsumerTrace:
		d.Trace = e.Data
	case sfu.EventVideoOrientation:
		d.Orientation = new(e.Data.(sfu.VideoOrientation))
	case sfu.EventMessage:
		d.carry(e.Data.(sfu.Message))
	case sfu.EventBufferedAmountLow:
		d.BufferedAmount = new(e.Data.(int))
	case sfu.EventVolumes:
		d.Volumes = volumes(e.Data.([]sfu.ProducerVolume))
	case sfu.EventDominantSpeaker:
		d.ProducerID = e.Data.(*sfu.Producer).ID()
	}
}

func (d *objectEvent) carry(m sfu.Message) {
	d.PPID = &m.PPID
	if m.Text && utf8.Valid(m.Data) {
		d.Message = new(string(m.Data))
		return
	}
	d.Binary = new(base64.StdEncoding.EncodeToString(m.Data))
}

// producerVolume is how loud a producer was.
type producerVolume struct {
	ProducerID string `json:"producerId"`
	Volume     int    `json:"volume"`
}

func volumes(list []sfu.ProducerVolume) []producerVolume {
	return infos(list, func(v sfu.ProducerVolume) producerVolume { return producerVolume{v.Producer.ID(), v.DBov} })
}
