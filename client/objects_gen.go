// Code generated from the tables of /takos-api. DO NOT EDIT.

package client

import (
	"context"
	"encoding/json"
)

type workerAddress struct {
	WorkerID string `json:"workerId"`
}

// Worker is a handle of a worker: routers and WebRTC servers that belong
// together. It is an address, which may be copied, kept and used from any
// goroutine; it stays good across lost connections, until the object is
// closed.
type Worker struct {
	// Info describes it as it was when the handle was made from an answer. In a
	// handle made from an id it has the id alone.
	Info WorkerInfo

	client  *Client
	address workerAddress
}

// ID returns the id of the object.
func (w *Worker) ID() string { return w.address.WorkerID }

// Worker returns a handle made from an id. The server is not asked; if there
// is no such object, what is done with the handle fails.
func (c *Client) Worker(id string) *Worker {
	return &Worker{Info: WorkerInfo{ID: id}, client: c, address: workerAddress{id}}
}

type webRTCServerAddress struct {
	WorkerID       string `json:"workerId"`
	WebRTCServerID string `json:"webRtcServerId"`
}

// WebRTCServer is a handle of a WebRTC server: sockets that webrtc transports
// share. It is an address, which may be copied, kept and used from any
// goroutine; it stays good across lost connections, until the object is
// closed.
type WebRTCServer struct {
	// Info describes it as it was when the handle was made from an answer. In a
	// handle made from an id it has the id alone.
	Info WebRTCServerInfo

	client  *Client
	address webRTCServerAddress
}

// ID returns the id of the object.
func (w *WebRTCServer) ID() string { return w.address.WebRTCServerID }

// WebRTCServer returns a handle made from an id. The server is not asked; if
// there is no such object, what is done with the handle fails.
func (w *Worker) WebRTCServer(id string) *WebRTCServer {
	return &WebRTCServer{Info: WebRTCServerInfo{ID: id}, client: w.client, address: webRTCServerAddress{w.address.WorkerID, id}}
}

type routerAddress struct {
	RouterID string `json:"routerId"`
}

// Router is a handle of a router, of a worker or of a room. It is an address,
// which may be copied, kept and used from any goroutine; it stays good across
// lost connections, until the object is closed.
type Router struct {
	// Info describes it as it was when the handle was made from an answer. In a
	// handle made from an id it has the id alone.
	Info RouterInfo

	client  *Client
	address routerAddress
}

// ID returns the id of the object.
func (r *Router) ID() string { return r.address.RouterID }

// Router returns a handle made from an id. The server is not asked; if there
// is no such object, what is done with the handle fails.
func (c *Client) Router(id string) *Router {
	return &Router{Info: RouterInfo{ID: id}, client: c, address: routerAddress{id}}
}

type transportAddress struct {
	RouterID    string `json:"routerId"`
	TransportID string `json:"transportId"`
}

// Transport is a handle of a transport of any type. It is an address, which
// may be copied, kept and used from any goroutine; it stays good across lost
// connections, until the object is closed.
type Transport struct {
	// Info describes it as it was when the handle was made from an answer. In a
	// handle made from an id it has the id alone.
	Info RouterTransportInfo

	client  *Client
	address transportAddress
}

// ID returns the id of the object.
func (t *Transport) ID() string { return t.address.TransportID }

// Transport returns a handle made from an id. The server is not asked; if
// there is no such object, what is done with the handle fails.
func (r *Router) Transport(id string) *Transport {
	return &Transport{Info: RouterTransportInfo{ID: id}, client: r.client, address: transportAddress{r.address.RouterID, id}}
}

type producerAddress struct {
	RouterID   string `json:"routerId"`
	ProducerID string `json:"producerId"`
}

// Producer is a handle of a producer: media that comes in. It is an address,
// which may be copied, kept and used from any goroutine; it stays good across
// lost connections, until the object is closed.
type Producer struct {
	// Info describes it as it was when the handle was made from an answer. In a
	// handle made from an id it has the id alone.
	Info RouterProducerInfo

	client  *Client
	address producerAddress
}

// ID returns the id of the object.
func (p *Producer) ID() string { return p.address.ProducerID }

// Producer returns a handle made from an id. The server is not asked; if there
// is no such object, what is done with the handle fails.
func (r *Router) Producer(id string) *Producer {
	return &Producer{Info: RouterProducerInfo{ID: id}, client: r.client, address: producerAddress{r.address.RouterID, id}}
}

type consumerAddress struct {
	RouterID   string `json:"routerId"`
	ConsumerID string `json:"consumerId"`
}

// Consumer is a handle of a consumer: media that goes out. It is an address,
// which may be copied, kept and used from any goroutine; it stays good across
// lost connections, until the object is closed.
type Consumer struct {
	// Info describes it as it was when the handle was made from an answer. In a
	// handle made from an id it has the id alone.
	Info RouterConsumerInfo

	client  *Client
	address consumerAddress
}

// ID returns the id of the object.
func (c *Consumer) ID() string { return c.address.ConsumerID }

// Consumer returns a handle made from an id. The server is not asked; if there
// is no such object, what is done with the handle fails.
func (r *Router) Consumer(id string) *Consumer {
	return &Consumer{Info: RouterConsumerInfo{ID: id}, client: r.client, address: consumerAddress{r.address.RouterID, id}}
}

type dataProducerAddress struct {
	RouterID       string `json:"routerId"`
	DataProducerID string `json:"dataProducerId"`
}

// DataProducer is a handle of a data producer: messages that come in. It is an
// address, which may be copied, kept and used from any goroutine; it stays
// good across lost connections, until the object is closed.
type DataProducer struct {
	// Info describes it as it was when the handle was made from an answer. In a
	// handle made from an id it has the id alone.
	Info RouterDataProducerInfo

	client  *Client
	address dataProducerAddress
}

// ID returns the id of the object.
func (d *DataProducer) ID() string { return d.address.DataProducerID }

// DataProducer returns a handle made from an id. The server is not asked; if
// there is no such object, what is done with the handle fails.
func (r *Router) DataProducer(id string) *DataProducer {
	return &DataProducer{Info: RouterDataProducerInfo{ID: id}, client: r.client, address: dataProducerAddress{r.address.RouterID, id}}
}

type dataConsumerAddress struct {
	RouterID       string `json:"routerId"`
	DataConsumerID string `json:"dataConsumerId"`
}

// DataConsumer is a handle of a data consumer: messages that go out. It is an
// address, which may be copied, kept and used from any goroutine; it stays
// good across lost connections, until the object is closed.
type DataConsumer struct {
	// Info describes it as it was when the handle was made from an answer. In a
	// handle made from an id it has the id alone.
	Info RouterDataConsumerInfo

	client  *Client
	address dataConsumerAddress
}

// ID returns the id of the object.
func (d *DataConsumer) ID() string { return d.address.DataConsumerID }

// DataConsumer returns a handle made from an id. The server is not asked; if
// there is no such object, what is done with the handle fails.
func (r *Router) DataConsumer(id string) *DataConsumer {
	return &DataConsumer{Info: RouterDataConsumerInfo{ID: id}, client: r.client, address: dataConsumerAddress{r.address.RouterID, id}}
}

type rtpObserverAddress struct {
	RouterID      string `json:"routerId"`
	RTPObserverID string `json:"rtpObserverId"`
}

// RTPObserver is a handle of an observer of who speaks. It is an address,
// which may be copied, kept and used from any goroutine; it stays good across
// lost connections, until the object is closed.
type RTPObserver struct {
	// Info describes it as it was when the handle was made from an answer. In a
	// handle made from an id it has the id alone.
	Info RTPObserverInfo

	client  *Client
	address rtpObserverAddress
}

// ID returns the id of the object.
func (r *RTPObserver) ID() string { return r.address.RTPObserverID }

// RTPObserver returns a handle made from an id. The server is not asked; if
// there is no such object, what is done with the handle fails.
func (r *Router) RTPObserver(id string) *RTPObserver {
	return &RTPObserver{Info: RTPObserverInfo{ID: id}, client: r.client, address: rtpObserverAddress{r.address.RouterID, id}}
}

// CreateWorker makes a worker: routers that belong together, are owned by the
// API key, and end together. There is no process behind it. Over a WebSocket
// the connection gets its events, as if by worker.attach. Codes: LimitReached,
// InvalidParameters, NeedsConnection, ServerClosing. (worker.create)
func (c *Client) CreateWorker(ctx context.Context, o WorkerOptions) (*Worker, error) {
	info, err := answerOf[WorkerInfo](ctx, c, "worker.create", o)
	if err != nil {
		return nil, err
	}
	return &Worker{info, c, workerAddress{info.ID}}, nil
}

// Workers describes the workers that the key may use. (worker.list)
func (c *Client) Workers(ctx context.Context) ([]WorkerInfo, error) {
	answer, err := answerOf[struct {
		Workers []WorkerInfo `json:"workers"`
	}](ctx, c, "worker.list", nil)
	return answer.Workers, err
}

// Attach has this connection get the events of a worker and of all that
// belongs to it, and describes these as they are now: for a client that comes
// back after its connection was lost. Codes: NeedsConnection, WorkerNotFound.
// (worker.attach)
func (w *Worker) Attach(ctx context.Context) (WorkerSnapshot, error) {
	return answerOf[WorkerSnapshot](ctx, w.client, "worker.attach", w.address)
}

// Detach has this connection get no more events of a worker. Codes:
// NeedsConnection, WorkerNotFound. (worker.detach)
func (w *Worker) Detach(ctx context.Context) error {
	return w.client.Call(ctx, "worker.detach", w.address, nil)
}

// Close closes a worker and all that belongs to it. Codes: WorkerNotFound.
// (worker.close)
func (w *Worker) Close(ctx context.Context) error {
	return w.client.Call(ctx, "worker.close", w.address, nil)
}

// Dump lists what belongs to a worker. Codes: WorkerNotFound. (worker.dump)
func (w *Worker) Dump(ctx context.Context) (WorkerDump, error) {
	return answerOf[WorkerDump](ctx, w.client, "worker.dump", w.address)
}

// ResourceUsage tells what the server has used of its machine; workers share
// it. Codes: WorkerNotFound. (worker.getResourceUsage)
func (w *Worker) ResourceUsage(ctx context.Context) (ResourceUsage, error) {
	return answerOf[ResourceUsage](ctx, w.client, "worker.getResourceUsage", w.address)
}

// UpdateSettings changes what of a worker's log its connections get, as
// worker.log events. Codes: WorkerNotFound, InvalidParameters.
// (worker.updateSettings)
func (w *Worker) UpdateSettings(ctx context.Context, o WorkerSettings) error {
	return w.client.Call(ctx, "worker.updateSettings", struct {
		workerAddress
		WorkerSettings
	}{w.address, o}, nil)
}

// CreateRouter makes a router. Codes: WorkerNotFound, InvalidParameters,
// Unsupported, LimitReached, ServerClosing. (worker.createRouter)
func (w *Worker) CreateRouter(ctx context.Context, o RouterOptions) (*Router, error) {
	info, err := answerOf[RouterInfo](ctx, w.client, "worker.createRouter", struct {
		workerAddress
		RouterOptions
	}{w.address, o})
	if err != nil {
		return nil, err
	}
	return &Router{info, w.client, routerAddress{info.ID}}, nil
}

// RoomRouter takes hold of the router of a room: all that the commands of
// routers can do, they can do with it. The roomID: the room's id. Codes:
// RoomNotFound. (room.getRouter)
func (c *Client) RoomRouter(ctx context.Context, roomID string) (*Router, error) {
	info, err := answerOf[RouterInfo](ctx, c, "room.getRouter", struct {
		RoomID string `json:"roomId"`
	}{roomID})
	if err != nil {
		return nil, err
	}
	return &Router{info, c, routerAddress{info.ID}}, nil
}

// Close closes a router and all that is in it. A room's is closed with its
// room. Codes: RouterNotFound, InvalidState. (router.close)
func (r *Router) Close(ctx context.Context) error {
	return r.client.Call(ctx, "router.close", r.address, nil)
}

// Attach has this connection get the events of a router, and describes all
// that is in it: for the router of a room. Those of a worker come with the
// worker's. Codes: NeedsConnection, RouterNotFound. (router.attach)
func (r *Router) Attach(ctx context.Context) (RouterSnapshot, error) {
	return answerOf[RouterSnapshot](ctx, r.client, "router.attach", r.address)
}

// Detach has this connection get no more events of a router. Codes:
// NeedsConnection, RouterNotFound. (router.detach)
func (r *Router) Detach(ctx context.Context) error {
	return r.client.Call(ctx, "router.detach", r.address, nil)
}

// Dump lists what is in a router and what belongs together. Codes:
// RouterNotFound. (router.dump)
func (r *Router) Dump(ctx context.Context) (RouterDump, error) {
	return answerOf[RouterDump](ctx, r.client, "router.dump", r.address)
}

// UpdateMediaCodecs replaces the codecs that may be sent from now on; what is
// sent already goes on. The mediaCodecs: what may be sent, preferred first.
// Codes: RouterNotFound, InvalidParameters, Unsupported.
// (router.updateMediaCodecs)
func (r *Router) UpdateMediaCodecs(ctx context.Context, mediaCodecs []Codec) (RTPCapabilities, error) {
	answer, err := answerOf[struct {
		RTPCapabilities RTPCapabilities `json:"rtpCapabilities"`
	}](ctx, r.client, "router.updateMediaCodecs", struct {
		routerAddress
		MediaCodecs []Codec `json:"mediaCodecs"`
	}{r.address, mediaCodecs})
	return answer.RTPCapabilities, err
}

// CanConsume tells whether a device could decode a producer. The producerID:
// where the media would come from. The rtpCapabilities: of the device. Codes:
// RouterNotFound. (router.canConsume)
func (r *Router) CanConsume(ctx context.Context, producerID string, rtpCapabilities RTPCapabilities) (bool, error) {
	answer, err := answerOf[struct {
		CanConsume bool `json:"canConsume"`
	}](ctx, r.client, "router.canConsume", struct {
		routerAddress
		ProducerID      string          `json:"producerId"`
		RTPCapabilities RTPCapabilities `json:"rtpCapabilities"`
	}{r.address, producerID, rtpCapabilities})
	return answer.CanConsume, err
}

// CreateActiveSpeakerObserver makes an observer that tells who has the floor
// among the producers given to it. Codes: RouterNotFound, InvalidParameters.
// (router.createActiveSpeakerObserver)
func (r *Router) CreateActiveSpeakerObserver(ctx context.Context, o ActiveSpeakerObserverOptions) (*RTPObserver, error) {
	info, err := answerOf[RTPObserverInfo](ctx, r.client, "router.createActiveSpeakerObserver", struct {
		routerAddress
		ActiveSpeakerObserverOptions
	}{r.address, o})
	if err != nil {
		return nil, err
	}
	return &RTPObserver{info, r.client, rtpObserverAddress{r.address.RouterID, info.ID}}, nil
}

// CreateAudioLevelObserver makes an observer that tells who is heard among the
// producers given to it. Codes: RouterNotFound, InvalidParameters.
// (router.createAudioLevelObserver)
func (r *Router) CreateAudioLevelObserver(ctx context.Context, o AudioLevelObserverOptions) (*RTPObserver, error) {
	info, err := answerOf[RTPObserverInfo](ctx, r.client, "router.createAudioLevelObserver", struct {
		routerAddress
		AudioLevelObserverOptions
	}{r.address, o})
	if err != nil {
		return nil, err
	}
	return &RTPObserver{info, r.client, rtpObserverAddress{r.address.RouterID, info.ID}}, nil
}

// CreateWebRTCServer opens sockets that any number of the worker's webrtc
// transports can share. The server's own port is there without. Codes:
// WorkerNotFound, InvalidParameters, LimitReached, PortInUse, NoSuchAddress.
// (worker.createWebRtcServer)
func (w *Worker) CreateWebRTCServer(ctx context.Context, o WebRTCServerOptions) (*WebRTCServer, error) {
	info, err := answerOf[WebRTCServerInfo](ctx, w.client, "worker.createWebRtcServer", struct {
		workerAddress
		WebRTCServerOptions
	}{w.address, o})
	if err != nil {
		return nil, err
	}
	return &WebRTCServer{info, w.client, webRTCServerAddress{w.address.WorkerID, info.ID}}, nil
}

// Dump tells all about a WebRTC server. Codes: WorkerNotFound,
// WebRTCServerNotFound. (webRtcServer.dump)
func (w *WebRTCServer) Dump(ctx context.Context) (WebRTCServerDump, error) {
	return answerOf[WebRTCServerDump](ctx, w.client, "webRtcServer.dump", w.address)
}

// Close closes a WebRTC server and the transports that are reached at it.
// Codes: WorkerNotFound, WebRTCServerNotFound. (webRtcServer.close)
func (w *WebRTCServer) Close(ctx context.Context) error {
	return w.client.Call(ctx, "webRtcServer.close", w.address, nil)
}

// CreateWebRTCTransport makes a transport for a browser or another WebRTC
// client. Without webRtcServerId, listenInfos and listenIps it is reached at
// the server's own port. Codes: RouterNotFound, PeerNotFound,
// WebRTCServerNotFound, InvalidParameters, LimitReached, PortInUse,
// NoSuchAddress. (router.createWebRtcTransport)
func (r *Router) CreateWebRTCTransport(ctx context.Context, o WebRTCTransportOptions) (*Transport, error) {
	info, err := answerOf[RouterTransportInfo](ctx, r.client, "router.createWebRtcTransport", struct {
		routerAddress
		WebRTCTransportOptions
	}{r.address, o})
	if err != nil {
		return nil, err
	}
	return &Transport{info, r.client, transportAddress{r.address.RouterID, info.ID}}, nil
}

// CreatePlainTransport makes a transport for RTP without ICE and DTLS, as of
// ffmpeg and GStreamer. Codes: RouterNotFound, PeerNotFound,
// InvalidParameters, LimitReached, PortInUse, NoSuchAddress.
// (router.createPlainTransport)
func (r *Router) CreatePlainTransport(ctx context.Context, o PlainTransportOptions) (*Transport, error) {
	info, err := answerOf[RouterTransportInfo](ctx, r.client, "router.createPlainTransport", struct {
		routerAddress
		PlainTransportOptions
	}{r.address, o})
	if err != nil {
		return nil, err
	}
	return &Transport{info, r.client, transportAddress{r.address.RouterID, info.ID}}, nil
}

// CreateDirectTransport makes a transport whose other end is the backend
// itself, over this API. Codes: RouterNotFound, PeerNotFound, LimitReached.
// (router.createDirectTransport)
func (r *Router) CreateDirectTransport(ctx context.Context, o DirectTransportOptions) (*Transport, error) {
	info, err := answerOf[RouterTransportInfo](ctx, r.client, "router.createDirectTransport", struct {
		routerAddress
		DirectTransportOptions
	}{r.address, o})
	if err != nil {
		return nil, err
	}
	return &Transport{info, r.client, transportAddress{r.address.RouterID, info.ID}}, nil
}

// CreatePipeTransport makes a transport that has another router at its other
// end, of this server, of another one or of mediasoup. Codes: RouterNotFound,
// InvalidParameters, LimitReached, PortInUse, NoSuchAddress.
// (router.createPipeTransport)
func (r *Router) CreatePipeTransport(ctx context.Context, o PipeTransportOptions) (*Transport, error) {
	info, err := answerOf[RouterTransportInfo](ctx, r.client, "router.createPipeTransport", struct {
		routerAddress
		PipeTransportOptions
	}{r.address, o})
	if err != nil {
		return nil, err
	}
	return &Transport{info, r.client, transportAddress{r.address.RouterID, info.ID}}, nil
}

// PipeToRouter makes a producer or data producer one of another router of this
// server too. Two routers have one pair of pipe transports for all that goes
// between them; the options of transports count when that is made. Codes:
// RouterNotFound, ProducerNotFound, DataProducerNotFound, InvalidParameters,
// Unsupported, InvalidState, LimitReached, PortInUse, NoSuchAddress.
// (router.pipeToRouter)
func (r *Router) PipeToRouter(ctx context.Context, o PipeToRouterOptions) (RouterPiped, error) {
	return answerOf[RouterPiped](ctx, r.client, "router.pipeToRouter", struct {
		routerAddress
		PipeToRouterOptions
	}{r.address, o})
}

// Close closes a transport and all that is on it. Codes: RouterNotFound,
// TransportNotFound. (transport.close)
func (t *Transport) Close(ctx context.Context) error {
	return t.client.Call(ctx, "transport.close", t.address, nil)
}

// Dump tells all about a transport. Codes: RouterNotFound, TransportNotFound.
// (transport.dump)
func (t *Transport) Dump(ctx context.Context) (TransportDump, error) {
	return answerOf[TransportDump](ctx, t.client, "transport.dump", t.address)
}

// Stats returns figures of a transport. Codes: RouterNotFound,
// TransportNotFound. (transport.getStats)
func (t *Transport) Stats(ctx context.Context) ([]TransportStats, error) {
	answer, err := answerOf[struct {
		Stats []TransportStats `json:"stats"`
	}](ctx, t.client, "transport.getStats", t.address)
	return answer.Stats, err
}

// Connect tells a transport who is at its other end: dtlsParameters for a
// webrtc transport, ip and port for a plain or pipe one. It works once. Codes:
// RouterNotFound, TransportNotFound, InvalidParameters, InvalidState.
// (transport.connect)
func (t *Transport) Connect(ctx context.Context, o ConnectOptions) (ConnectedTransport, error) {
	return answerOf[ConnectedTransport](ctx, t.client, "transport.connect", struct {
		transportAddress
		ConnectOptions
	}{t.address, o})
}

// RestartICE makes new ICE credentials, of a webrtc transport. Codes:
// RouterNotFound, TransportNotFound, InvalidState. (transport.restartIce)
func (t *Transport) RestartICE(ctx context.Context) (ICEParameters, error) {
	answer, err := answerOf[struct {
		ICEParameters ICEParameters `json:"iceParameters"`
	}](ctx, t.client, "transport.restartIce", t.address)
	return answer.ICEParameters, err
}

// SetMaxIncomingBitrate limits what the other end is asked to send. The
// bitrate: bit/s; 0 is no limit. Codes: RouterNotFound, TransportNotFound.
// (transport.setMaxIncomingBitrate)
func (t *Transport) SetMaxIncomingBitrate(ctx context.Context, bitrate int) error {
	return t.client.Call(ctx, "transport.setMaxIncomingBitrate", struct {
		transportAddress
		Bitrate int `json:"bitrate"`
	}{t.address, bitrate}, nil)
}

// SetMaxOutgoingBitrate limits what is sent. The bitrate: bit/s; 0 is no
// limit. Codes: RouterNotFound, TransportNotFound, InvalidParameters.
// (transport.setMaxOutgoingBitrate)
func (t *Transport) SetMaxOutgoingBitrate(ctx context.Context, bitrate int) error {
	return t.client.Call(ctx, "transport.setMaxOutgoingBitrate", struct {
		transportAddress
		Bitrate int `json:"bitrate"`
	}{t.address, bitrate}, nil)
}

// SetMinOutgoingBitrate has so much sent, however narrow the line seems. The
// bitrate: bit/s; 0 is no limit. Codes: RouterNotFound, TransportNotFound,
// InvalidParameters. (transport.setMinOutgoingBitrate)
func (t *Transport) SetMinOutgoingBitrate(ctx context.Context, bitrate int) error {
	return t.client.Call(ctx, "transport.setMinOutgoingBitrate", struct {
		transportAddress
		Bitrate int `json:"bitrate"`
	}{t.address, bitrate}, nil)
}

// EnableTraceEvent has transport.trace events told, of the types given and no
// others. The types: of probation and bwe; default none; others are left out.
// Codes: RouterNotFound, TransportNotFound. (transport.enableTraceEvent)
func (t *Transport) EnableTraceEvent(ctx context.Context, types []string) error {
	return t.client.Call(ctx, "transport.enableTraceEvent", struct {
		transportAddress
		Types []string `json:"types"`
	}{t.address, types}, nil)
}

// SendRTCP hands RTCP to a direct transport, as if it had come from its other
// end. The rtcpPacket: a compound packet, in base64. Codes: RouterNotFound,
// TransportNotFound, InvalidState. (transport.sendRtcp)
func (t *Transport) SendRTCP(ctx context.Context, rtcpPacket []byte) error {
	return t.client.Call(ctx, "transport.sendRtcp", struct {
		transportAddress
		RTCPPacket []byte `json:"rtcpPacket"`
	}{t.address, rtcpPacket}, nil)
}

// Produce takes in media. Codes: RouterNotFound, TransportNotFound,
// InvalidParameters, Unsupported, InvalidState, LimitReached, WrongDirection.
// (transport.produce)
func (t *Transport) Produce(ctx context.Context, o ProduceOptions) (*Producer, error) {
	info, err := answerOf[RouterProducerInfo](ctx, t.client, "transport.produce", struct {
		transportAddress
		ProduceOptions
	}{t.address, o})
	if err != nil {
		return nil, err
	}
	return &Producer{info, t.client, producerAddress{t.address.RouterID, info.ID}}, nil
}

// Consume sends a producer of the router. Codes: RouterNotFound,
// TransportNotFound, ProducerNotFound, ConsumerError, InvalidParameters,
// Unsupported, InvalidState, LimitReached, WrongDirection. (transport.consume)
func (t *Transport) Consume(ctx context.Context, o ConsumeOptions) (*Consumer, error) {
	info, err := answerOf[RouterConsumerInfo](ctx, t.client, "transport.consume", struct {
		transportAddress
		ConsumeOptions
	}{t.address, o})
	if err != nil {
		return nil, err
	}
	return &Consumer{info, t.client, consumerAddress{t.address.RouterID, info.ID}}, nil
}

// ProduceData takes in messages. Codes: RouterNotFound, TransportNotFound,
// InvalidParameters, InvalidState, LimitReached, WrongDirection.
// (transport.produceData)
func (t *Transport) ProduceData(ctx context.Context, o ProduceDataOptions) (*DataProducer, error) {
	info, err := answerOf[RouterDataProducerInfo](ctx, t.client, "transport.produceData", struct {
		transportAddress
		ProduceDataOptions
	}{t.address, o})
	if err != nil {
		return nil, err
	}
	return &DataProducer{info, t.client, dataProducerAddress{t.address.RouterID, info.ID}}, nil
}

// ConsumeData sends the messages of a data producer of the router. Codes:
// RouterNotFound, TransportNotFound, DataProducerNotFound, InvalidParameters,
// InvalidState, LimitReached, WrongDirection. (transport.consumeData)
func (t *Transport) ConsumeData(ctx context.Context, o ConsumeDataOptions) (*DataConsumer, error) {
	info, err := answerOf[RouterDataConsumerInfo](ctx, t.client, "transport.consumeData", struct {
		transportAddress
		ConsumeDataOptions
	}{t.address, o})
	if err != nil {
		return nil, err
	}
	return &DataConsumer{info, t.client, dataConsumerAddress{t.address.RouterID, info.ID}}, nil
}

// Close closes a producer and its consumers. Codes: RouterNotFound,
// ProducerNotFound. (producer.close)
func (p *Producer) Close(ctx context.Context) error {
	return p.client.Call(ctx, "producer.close", p.address, nil)
}

// Dump tells all about a producer. Codes: RouterNotFound, ProducerNotFound.
// (producer.dump)
func (p *Producer) Dump(ctx context.Context) (ProducerDump, error) {
	return answerOf[ProducerDump](ctx, p.client, "producer.dump", p.address)
}

// Stats returns figures of each encoding that arrives. Codes: RouterNotFound,
// ProducerNotFound. (producer.getStats)
func (p *Producer) Stats(ctx context.Context) ([]ProducerStats, error) {
	answer, err := answerOf[struct {
		Stats []ProducerStats `json:"stats"`
	}](ctx, p.client, "producer.getStats", p.address)
	return answer.Stats, err
}

// Pause forwards nothing of a producer. Codes: RouterNotFound,
// ProducerNotFound. (producer.pause)
func (p *Producer) Pause(ctx context.Context) error {
	return p.client.Call(ctx, "producer.pause", p.address, nil)
}

// Resume forwards it again; video begins with a keyframe. Codes:
// RouterNotFound, ProducerNotFound. (producer.resume)
func (p *Producer) Resume(ctx context.Context) error {
	return p.client.Call(ctx, "producer.resume", p.address, nil)
}

// EnableTraceEvent has producer.trace events told, of the types given and no
// others. The types: of rtp, keyframe, nack, pli, fir and sr; default none;
// others are left out. Codes: RouterNotFound, ProducerNotFound.
// (producer.enableTraceEvent)
func (p *Producer) EnableTraceEvent(ctx context.Context, types []string) error {
	return p.client.Call(ctx, "producer.enableTraceEvent", struct {
		producerAddress
		Types []string `json:"types"`
	}{p.address, types}, nil)
}

// Send hands a packet to a producer of a direct transport, as if it had come
// from its other end. The rtpPacket: an RTP packet, in base64. Codes:
// RouterNotFound, ProducerNotFound, InvalidState. (producer.send)
func (p *Producer) Send(ctx context.Context, rtpPacket []byte) error {
	return p.client.Call(ctx, "producer.send", struct {
		producerAddress
		RTPPacket []byte `json:"rtpPacket"`
	}{p.address, rtpPacket}, nil)
}

// Close closes a consumer. Codes: RouterNotFound, ConsumerNotFound.
// (consumer.close)
func (c *Consumer) Close(ctx context.Context) error {
	return c.client.Call(ctx, "consumer.close", c.address, nil)
}

// Dump tells all about a consumer. Codes: RouterNotFound, ConsumerNotFound.
// (consumer.dump)
func (c *Consumer) Dump(ctx context.Context) (ConsumerDump, error) {
	return answerOf[ConsumerDump](ctx, c.client, "consumer.dump", c.address)
}

// Stats returns figures of what is sent, and of the producer's encoding that
// it is made from. Codes: RouterNotFound, ConsumerNotFound.
// (consumer.getStats)
func (c *Consumer) Stats(ctx context.Context) ([]ConsumerStats, error) {
	answer, err := answerOf[struct {
		Stats []ConsumerStats `json:"stats"`
	}](ctx, c.client, "consumer.getStats", c.address)
	return answer.Stats, err
}

// Pause sends nothing to a consumer. Codes: RouterNotFound, ConsumerNotFound.
// (consumer.pause)
func (c *Consumer) Pause(ctx context.Context) error {
	return c.client.Call(ctx, "consumer.pause", c.address, nil)
}

// Resume sends to it again; video begins with a keyframe. Codes:
// RouterNotFound, ConsumerNotFound. (consumer.resume)
func (c *Consumer) Resume(ctx context.Context) error {
	return c.client.Call(ctx, "consumer.resume", c.address, nil)
}

// SetPreferredLayers limits which layers of simulcast or SVC are sent. A
// consumer without layers takes no notice. Codes: RouterNotFound,
// ConsumerNotFound. (consumer.setPreferredLayers)
func (c *Consumer) SetPreferredLayers(ctx context.Context, o Layers) (*Layers, error) {
	answer, err := answerOf[struct {
		PreferredLayers *Layers `json:"preferredLayers"`
	}](ctx, c.client, "consumer.setPreferredLayers", struct {
		consumerAddress
		Layers
	}{c.address, o})
	return answer.PreferredLayers, err
}

// SetPriority says how important a consumer is among those of its transport,
// where the line cannot carry all in full. The priority: 1, as to begin with,
// to 255, the most important. Codes: RouterNotFound, ConsumerNotFound.
// (consumer.setPriority)
func (c *Consumer) SetPriority(ctx context.Context, priority int) error {
	return c.client.Call(ctx, "consumer.setPriority", struct {
		consumerAddress
		Priority int `json:"priority"`
	}{c.address, priority}, nil)
}

// UnsetPriority makes a consumer as unimportant as it was to begin with.
// Codes: RouterNotFound, ConsumerNotFound. (consumer.unsetPriority)
func (c *Consumer) UnsetPriority(ctx context.Context) error {
	return c.client.Call(ctx, "consumer.unsetPriority", c.address, nil)
}

// RequestKeyFrame asks the producer of a video consumer for a keyframe. Codes:
// RouterNotFound, ConsumerNotFound. (consumer.requestKeyFrame)
func (c *Consumer) RequestKeyFrame(ctx context.Context) error {
	return c.client.Call(ctx, "consumer.requestKeyFrame", c.address, nil)
}

// EnableTraceEvent has consumer.trace events told, of the types given and no
// others. The types: of rtp, keyframe, nack, pli and fir; default none; others
// are left out. Codes: RouterNotFound, ConsumerNotFound.
// (consumer.enableTraceEvent)
func (c *Consumer) EnableTraceEvent(ctx context.Context, types []string) error {
	return c.client.Call(ctx, "consumer.enableTraceEvent", struct {
		consumerAddress
		Types []string `json:"types"`
	}{c.address, types}, nil)
}

// Close closes a data producer and its data consumers. Codes: RouterNotFound,
// DataProducerNotFound. (dataProducer.close)
func (d *DataProducer) Close(ctx context.Context) error {
	return d.client.Call(ctx, "dataProducer.close", d.address, nil)
}

// Dump tells all about a data producer. Codes: RouterNotFound,
// DataProducerNotFound. (dataProducer.dump)
func (d *DataProducer) Dump(ctx context.Context) (DataProducerDump, error) {
	return answerOf[DataProducerDump](ctx, d.client, "dataProducer.dump", d.address)
}

// Stats returns figures of a data producer. Codes: RouterNotFound,
// DataProducerNotFound. (dataProducer.getStats)
func (d *DataProducer) Stats(ctx context.Context) ([]DataProducerStats, error) {
	answer, err := answerOf[struct {
		Stats []DataProducerStats `json:"stats"`
	}](ctx, d.client, "dataProducer.getStats", d.address)
	return answer.Stats, err
}

// Pause drops the messages of a data producer. Codes: RouterNotFound,
// DataProducerNotFound. (dataProducer.pause)
func (d *DataProducer) Pause(ctx context.Context) error {
	return d.client.Call(ctx, "dataProducer.pause", d.address, nil)
}

// Resume forwards them again. Codes: RouterNotFound, DataProducerNotFound.
// (dataProducer.resume)
func (d *DataProducer) Resume(ctx context.Context) error {
	return d.client.Call(ctx, "dataProducer.resume", d.address, nil)
}

// Send hands a message to a data producer of a direct transport, as if it had
// come from its other end. Codes: RouterNotFound, DataProducerNotFound,
// InvalidState, InvalidParameters. (dataProducer.send)
func (d *DataProducer) Send(ctx context.Context, o DataProducerMessage) error {
	return d.client.Call(ctx, "dataProducer.send", struct {
		dataProducerAddress
		DataProducerMessage
	}{d.address, o}, nil)
}

// Close closes a data consumer. Codes: RouterNotFound, DataConsumerNotFound.
// (dataConsumer.close)
func (d *DataConsumer) Close(ctx context.Context) error {
	return d.client.Call(ctx, "dataConsumer.close", d.address, nil)
}

// Dump tells all about a data consumer. Codes: RouterNotFound,
// DataConsumerNotFound. (dataConsumer.dump)
func (d *DataConsumer) Dump(ctx context.Context) (DataConsumerDump, error) {
	return answerOf[DataConsumerDump](ctx, d.client, "dataConsumer.dump", d.address)
}

// Stats returns figures of a data consumer. Codes: RouterNotFound,
// DataConsumerNotFound. (dataConsumer.getStats)
func (d *DataConsumer) Stats(ctx context.Context) ([]DataConsumerStats, error) {
	answer, err := answerOf[struct {
		Stats []DataConsumerStats `json:"stats"`
	}](ctx, d.client, "dataConsumer.getStats", d.address)
	return answer.Stats, err
}

// Pause sends nothing; messages of the meantime are lost to the other end.
// Codes: RouterNotFound, DataConsumerNotFound. (dataConsumer.pause)
func (d *DataConsumer) Pause(ctx context.Context) error {
	return d.client.Call(ctx, "dataConsumer.pause", d.address, nil)
}

// Resume sends messages again. Codes: RouterNotFound, DataConsumerNotFound.
// (dataConsumer.resume)
func (d *DataConsumer) Resume(ctx context.Context) error {
	return d.client.Call(ctx, "dataConsumer.resume", d.address, nil)
}

// BufferedAmount tells how much waits to be sent. Codes: RouterNotFound,
// DataConsumerNotFound. (dataConsumer.getBufferedAmount)
func (d *DataConsumer) BufferedAmount(ctx context.Context) (int, error) {
	answer, err := answerOf[struct {
		BufferedAmount int `json:"bufferedAmount"`
	}](ctx, d.client, "dataConsumer.getBufferedAmount", d.address)
	return answer.BufferedAmount, err
}

// SetBufferedAmountLowThreshold says when dataConsumer.bufferedamountlow is
// told: when no more than so much waits. The threshold: bytes. Codes:
// RouterNotFound, DataConsumerNotFound.
// (dataConsumer.setBufferedAmountLowThreshold)
func (d *DataConsumer) SetBufferedAmountLowThreshold(ctx context.Context, threshold int) error {
	return d.client.Call(ctx, "dataConsumer.setBufferedAmountLowThreshold", struct {
		dataConsumerAddress
		Threshold int `json:"threshold"`
	}{d.address, threshold}, nil)
}

// Send sends a message of the backend's own. Codes: RouterNotFound,
// DataConsumerNotFound, InvalidState, InvalidParameters, LimitReached.
// (dataConsumer.send)
func (d *DataConsumer) Send(ctx context.Context, o DataConsumerMessage) (int, error) {
	answer, err := answerOf[struct {
		BufferedAmount int `json:"bufferedAmount"`
	}](ctx, d.client, "dataConsumer.send", struct {
		dataConsumerAddress
		DataConsumerMessage
	}{d.address, o})
	return answer.BufferedAmount, err
}

// SetSubchannels replaces the subchannels that a data consumer has. The
// subchannels: those it has from now on. Codes: RouterNotFound,
// DataConsumerNotFound. (dataConsumer.setSubchannels)
func (d *DataConsumer) SetSubchannels(ctx context.Context, subchannels []uint16) ([]uint16, error) {
	answer, err := answerOf[struct {
		Subchannels []uint16 `json:"subchannels"`
	}](ctx, d.client, "dataConsumer.setSubchannels", struct {
		dataConsumerAddress
		Subchannels []uint16 `json:"subchannels"`
	}{d.address, subchannels})
	return answer.Subchannels, err
}

// AddSubchannel gives it one more. The subchannel: which. Codes:
// RouterNotFound, DataConsumerNotFound. (dataConsumer.addSubchannel)
func (d *DataConsumer) AddSubchannel(ctx context.Context, subchannel uint16) ([]uint16, error) {
	answer, err := answerOf[struct {
		Subchannels []uint16 `json:"subchannels"`
	}](ctx, d.client, "dataConsumer.addSubchannel", struct {
		dataConsumerAddress
		Subchannel uint16 `json:"subchannel"`
	}{d.address, subchannel})
	return answer.Subchannels, err
}

// RemoveSubchannel takes one from it. The subchannel: which. Codes:
// RouterNotFound, DataConsumerNotFound. (dataConsumer.removeSubchannel)
func (d *DataConsumer) RemoveSubchannel(ctx context.Context, subchannel uint16) ([]uint16, error) {
	answer, err := answerOf[struct {
		Subchannels []uint16 `json:"subchannels"`
	}](ctx, d.client, "dataConsumer.removeSubchannel", struct {
		dataConsumerAddress
		Subchannel uint16 `json:"subchannel"`
	}{d.address, subchannel})
	return answer.Subchannels, err
}

// Close closes an observer. Codes: RouterNotFound, RTPObserverNotFound.
// (rtpObserver.close)
func (r *RTPObserver) Close(ctx context.Context) error {
	return r.client.Call(ctx, "rtpObserver.close", r.address, nil)
}

// Pause has an observer look no more. Codes: RouterNotFound,
// RTPObserverNotFound. (rtpObserver.pause)
func (r *RTPObserver) Pause(ctx context.Context) error {
	return r.client.Call(ctx, "rtpObserver.pause", r.address, nil)
}

// Resume has it look again. Codes: RouterNotFound, RTPObserverNotFound.
// (rtpObserver.resume)
func (r *RTPObserver) Resume(ctx context.Context) error {
	return r.client.Call(ctx, "rtpObserver.resume", r.address, nil)
}

// AddProducer has an observer look at an audio producer of the router. The
// producerID: of audio, in the same router. Codes: RouterNotFound,
// RTPObserverNotFound, ProducerNotFound, InvalidParameters.
// (rtpObserver.addProducer)
func (r *RTPObserver) AddProducer(ctx context.Context, producerID string) error {
	return r.client.Call(ctx, "rtpObserver.addProducer", struct {
		rtpObserverAddress
		ProducerID string `json:"producerId"`
	}{r.address, producerID}, nil)
}

// RemoveProducer has it not look at the producer any more. The producerID: of
// audio, in the same router. Codes: RouterNotFound, RTPObserverNotFound,
// ProducerNotFound. (rtpObserver.removeProducer)
func (r *RTPObserver) RemoveProducer(ctx context.Context, producerID string) error {
	return r.client.Call(ctx, "rtpObserver.removeProducer", struct {
		rtpObserverAddress
		ProducerID string `json:"producerId"`
	}{r.address, producerID}, nil)
}

// ActiveSpeakerObserverOptions are the parameters of
// router.createActiveSpeakerObserver.
type ActiveSpeakerObserverOptions struct {
	// Interval: ms between two looks; default 300.
	Interval *int `json:"interval,omitzero"`
	// AppData: anything; it comes back in RTPObserverInfo.
	AppData any `json:"appData,omitzero"`
}

// AudioLevelObserverOptions are the parameters of
// router.createAudioLevelObserver.
type AudioLevelObserverOptions struct {
	// MaxEntries: the most that are told at once; default 1.
	MaxEntries *int `json:"maxEntries,omitzero"`
	// Threshold: dBov from which somebody is heard; default -80.
	Threshold *int `json:"threshold,omitzero"`
	// Interval: ms between two looks; default 1000.
	Interval *int `json:"interval,omitzero"`
	// AppData: anything; it comes back in RTPObserverInfo.
	AppData any `json:"appData,omitzero"`
}

// BWETrace is what a transport's line is taken to carry, and what for.
// Bitrates are in bit/s.
type BWETrace struct {
	// Type is the feedback that the estimate is made from: "transport-cc" or
	// "remb".
	Type             string `json:"bweType"`
	Desired          uint64 `json:"desiredBitrate"`
	EffectiveDesired uint64 `json:"effectiveDesiredBitrate"`
	Min              uint64 `json:"minBitrate"`
	Max              uint64 `json:"maxBitrate"`
	Start            uint64 `json:"startBitrate"`
	MaxPadding       uint64 `json:"maxPaddingBitrate"`
	Available        uint64 `json:"availableBitrate"`
}

// ChannelMessageHandlers lists what commands of a worker can address.
type ChannelMessageHandlers struct {
	// Requests: ids of the WebRTC servers, routers, and of what is in them.
	Requests []string `json:"channelRequestHandlers"`
	// Notifications: ids of what takes messages without an answer: transports,
	// producers and data producers.
	Notifications []string `json:"channelNotificationHandlers"`
}

// CodecMapping is the router's payload type for one of the producer's.
type CodecMapping struct {
	PayloadType       uint8 `json:"payloadType"`
	MappedPayloadType uint8 `json:"mappedPayloadType"`
}

// ConnectOptions are the parameters of transport.connect.
type ConnectOptions struct {
	// DTLSParameters: of the other end of a webrtc transport.
	DTLSParameters *DTLSParameters `json:"dtlsParameters,omitzero"`
	// IP: where the other end of a plain or pipe transport is; not with comedia.
	IP string `json:"ip,omitzero"`
	// Port: its port.
	Port int `json:"port,omitzero"`
	// RTCPPort: its port for RTCP, without rtcpMux.
	RTCPPort int `json:"rtcpPort,omitzero"`
	// SRTPParameters: its key, with enableSrtp.
	SRTPParameters *SRTPParameters `json:"srtpParameters,omitzero"`
}

// ConnectedTransport is the answer of transport.connect: what that has
// changed.
type ConnectedTransport struct {
	// DTLSLocalRole: client or server, of a webrtc transport.
	DTLSLocalRole string `json:"dtlsLocalRole,omitempty"`
	// Tuple: of a plain or pipe transport.
	Tuple *TransportTuple `json:"tuple,omitempty"`
	// RTCPTuple: of a plain transport without rtcpMux.
	RTCPTuple *TransportTuple `json:"rtcpTuple,omitempty"`
	// SRTPParameters: of a transport with enableSrtp.
	SRTPParameters *SRTPParameters `json:"srtpParameters,omitempty"`
}

// ConsumeDataOptions are the parameters of transport.consumeData.
type ConsumeDataOptions struct {
	// DataProducerID: where the messages come from.
	DataProducerID string `json:"dataProducerId,omitzero"`
	// Ordered: the data producer's unless one of these three is given.
	Ordered *bool `json:"ordered,omitzero"`
	// MaxPacketLifeTime: ms after which a message is given up.
	MaxPacketLifeTime *uint16 `json:"maxPacketLifeTime,omitzero"`
	// MaxRetransmits: how often a message is sent again.
	MaxRetransmits *uint16 `json:"maxRetransmits,omitzero"`
	// Paused: whether to begin paused.
	Paused bool `json:"paused,omitzero"`
	// Subchannels: those it has; default none.
	Subchannels []uint16 `json:"subchannels,omitzero"`
	// AppData: anything; it comes back in RouterDataConsumerInfo.
	AppData any `json:"appData,omitzero"`
}

// ConsumeOptions are the parameters of transport.consume.
type ConsumeOptions struct {
	// ProducerID: where the media comes from.
	ProducerID string `json:"producerId,omitzero"`
	// RTPCapabilities: of the receiving device; on a pipe transport they are not
	// looked at, on others they must be given.
	RTPCapabilities RTPCapabilities `json:"rtpCapabilities,omitzero"`
	// Paused: whether to begin paused.
	Paused bool `json:"paused,omitzero"`
	// MID: for the consumer, unique on the transport; default counted up.
	MID string `json:"mid,omitzero"`
	// PreferredLayers: the highest layers wanted, of simulcast or SVC; default
	// all.
	PreferredLayers *Layers `json:"preferredLayers,omitzero"`
	// EnableRTX: whether what is lost is sent again; default true for video, false
	// for audio.
	EnableRTX *bool `json:"enableRtx,omitzero"`
	// IgnoreDTX: whether Opus packets that say nothing are left out.
	IgnoreDTX bool `json:"ignoreDtx,omitzero"`
	// Pipe: whether all encodings are sent, for another router.
	Pipe bool `json:"pipe,omitzero"`
	// AppData: anything; it comes back in RouterConsumerInfo.
	AppData any `json:"appData,omitzero"`
}

// ConsumerDump is a consumer as it is: what all have, and what those of its
// type have.
type ConsumerDump struct {
	ID                         string                  `json:"id"`
	ProducerID                 string                  `json:"producerId"`
	Kind                       MediaKind               `json:"kind"`
	Type                       string                  `json:"type"`
	RTPParameters              RTPParametersDump       `json:"rtpParameters"`
	ConsumableRTPEncodings     []RTPEncodingParameters `json:"consumableRtpEncodings"`
	SupportedCodecPayloadTypes []int                   `json:"supportedCodecPayloadTypes"`
	TraceEventTypes            []string                `json:"traceEventTypes"`
	Paused                     bool                    `json:"paused"`
	ProducerPaused             bool                    `json:"producerPaused"`
	Priority                   int                     `json:"priority"`
	RTPStream                  *RTPStreamDump          `json:"rtpStream,omitempty"`
	// RTPStreams: of a pipe, by encoding.
	RTPStreams             []RTPStreamDump `json:"rtpStreams,omitempty"`
	PreferredSpatialLayer  *int            `json:"preferredSpatialLayer,omitempty"`
	TargetSpatialLayer     *int            `json:"targetSpatialLayer,omitempty"`
	CurrentSpatialLayer    *int            `json:"currentSpatialLayer,omitempty"`
	PreferredTemporalLayer *int            `json:"preferredTemporalLayer,omitempty"`
	TargetTemporalLayer    *int            `json:"targetTemporalLayer,omitempty"`
	CurrentTemporalLayer   *int            `json:"currentTemporalLayer,omitempty"`
}

// ConsumerStats is the stream that goes out, or the one that it is made from.
type ConsumerStats struct {
	// Type: "inbound-rtp" or "outbound-rtp".
	Type        string    `json:"type"`
	Timestamp   int64     `json:"timestamp"`
	SSRC        uint32    `json:"ssrc"`
	RTXSSRC     uint32    `json:"rtxSsrc,omitempty"`
	RID         string    `json:"rid,omitempty"`
	Kind        MediaKind `json:"kind"`
	MimeType    string    `json:"mimeType"`
	PacketsLost int64     `json:"packetsLost"`
	// FractionLost: of 256.
	FractionLost         uint8  `json:"fractionLost"`
	PacketsDiscarded     uint64 `json:"packetsDiscarded"`
	PacketsRetransmitted uint64 `json:"packetsRetransmitted"`
	PacketsRepaired      uint64 `json:"packetsRepaired"`
	NACKCount            uint64 `json:"nackCount"`
	NACKPacketCount      uint64 `json:"nackPacketCount"`
	PLICount             uint64 `json:"pliCount"`
	FIRCount             uint64 `json:"firCount"`
	PacketCount          uint64 `json:"packetCount"`
	ByteCount            uint64 `json:"byteCount"`
	Bitrate              uint64 `json:"bitrate"`
	// RoundTripTime is in ms; absent until it was measured.
	RoundTripTime float64 `json:"roundTripTime,omitempty"`
	// Score is 0 to 10, by loss that was not repaired.
	Score uint8 `json:"score"`
	// Jitter is in units of the stream's clock, as measured by whoever receives.
	Jitter uint32 `json:"jitter"`
	// BitrateByLayer and RTXPacketsDiscarded are of the latter only.
	BitrateByLayer      map[string]uint64 `json:"bitrateByLayer,omitzero"`
	RTXPacketsDiscarded uint64            `json:"rtxPacketsDiscarded,omitempty"`
}

// DTLSFingerprint is the hash of a certificate (RFC 8122 §5).
type DTLSFingerprint struct {
	// Algorithm is one of sha-1, sha-224, sha-256, sha-384 and sha-512.
	Algorithm string `json:"algorithm"`
	// Value is the hash in hex, a colon between bytes; ours is upper case, either
	// is read.
	Value string `json:"value"`
}

// DTLSParameters is what one side signals about its DTLS: mediasoup's
// DtlsParameters.
type DTLSParameters struct {
	Role         string            `json:"role"`
	Fingerprints []DTLSFingerprint `json:"fingerprints"`
}

// DataConsumerDump is a data consumer as it is.
type DataConsumerDump struct {
	ID                 string   `json:"id"`
	Paused             bool     `json:"paused"`
	DataProducerPaused bool     `json:"dataProducerPaused"`
	Subchannels        []uint16 `json:"subchannels"`
	DataProducerID     string   `json:"dataProducerId"`
	Type               string   `json:"type"`
	// SCTPStreamParameters: nil for a direct one.
	SCTPStreamParameters       *SCTPStreamParameters `json:"sctpStreamParameters,omitempty"`
	Label                      string                `json:"label"`
	Protocol                   string                `json:"protocol"`
	BufferedAmount             int                   `json:"bufferedAmount"`
	BufferedAmountLowThreshold int                   `json:"bufferedAmountLowThreshold"`
}

// DataConsumerMessage are the parameters of dataConsumer.send.
type DataConsumerMessage struct {
	// Message: a text; this or binary.
	Message *string `json:"message,omitzero"`
	// Binary: bytes, in base64.
	Binary []byte `json:"binary,omitzero"`
	// PPID: SCTP's payload protocol identifier, for what is another kind than it
	// was given as: 51 or 56, a text; 53 or 57, bytes.
	PPID *int `json:"ppid,omitzero"`
}

// DataProducerDump is a data producer as it is.
type DataProducerDump struct {
	ID     string `json:"id"`
	Paused bool   `json:"paused"`
	Type   string `json:"type"`
	// SCTPStreamParameters: nil for a direct one.
	SCTPStreamParameters *SCTPStreamParameters `json:"sctpStreamParameters,omitempty"`
	Label                string                `json:"label"`
	Protocol             string                `json:"protocol"`
}

// DataProducerMessage are the parameters of dataProducer.send.
type DataProducerMessage struct {
	// Message: a text; this or binary.
	Message *string `json:"message,omitzero"`
	// Binary: bytes, in base64.
	Binary []byte `json:"binary,omitzero"`
	// PPID: SCTP's payload protocol identifier, for what is another kind than it
	// was given as: 51 or 56, a text; 53 or 57, bytes.
	PPID *int `json:"ppid,omitzero"`
	// Subchannels: unless empty, only data consumers get it that have one of them.
	Subchannels []uint16 `json:"subchannels,omitzero"`
	// RequiredSubchannel: only data consumers get it that have this one.
	RequiredSubchannel *uint16 `json:"requiredSubchannel,omitzero"`
	// IgnoredSubchannel: only data consumers get it that do not have this one.
	IgnoredSubchannel *uint16 `json:"ignoredSubchannel,omitzero"`
}

// DirectTransportOptions are the parameters of router.createDirectTransport.
type DirectTransportOptions struct {
	// PeerID: in a room's router: the peer whose transport it is from then on, for
	// the commands of rooms and all who are in the room, such as a camera without
	// WebRTC; default nobody's.
	PeerID string `json:"peerId,omitzero"`
	// MaxSendMessageSize: bytes of a message of a data consumer; 0 is 262144.
	MaxSendMessageSize int `json:"maxSendMessageSize,omitzero"`
	// MaxReceiveMessageSize: bytes of a message to a data producer; 0 is 262144.
	MaxReceiveMessageSize int `json:"maxReceiveMessageSize,omitzero"`
	// AppData: anything; it comes back in RouterTransportInfo.
	AppData any `json:"appData,omitzero"`
}

// EncodingMapping is the SSRC by which one of a producer's encodings is known
// inside its router. It is unique within the producer only, and never sent.
type EncodingMapping struct {
	SSRC            uint32 `json:"ssrc,omitempty"`
	RID             string `json:"rid,omitempty"`
	ScalabilityMode string `json:"scalabilityMode,omitempty"`
	MappedSSRC      uint32 `json:"mappedSsrc"`
}

// ICECandidate is a local candidate as clients of mediasoup expect it.
type ICECandidate struct {
	Foundation string `json:"foundation"`
	Priority   uint32 `json:"priority"`
	// IP repeats Address for clients that know only the older name.
	IP string `json:"ip"`
	// Address is an IP address, or a host name that the peer resolves.
	Address  string `json:"address"`
	Protocol string `json:"protocol"`
	Port     uint16 `json:"port"`
	// Type is always "host" for a lite agent (RFC 8445 §2.5).
	Type string `json:"type"`
	// TCPType is "passive" for TCP and absent for UDP (RFC 6544 §4.5).
	TCPType string `json:"tcpType,omitempty"`
}

// ICEParameters are what the remote peer needs to authenticate its checks.
type ICEParameters struct {
	UsernameFragment string `json:"usernameFragment"`
	Password         string `json:"password"`
	ICELite          bool   `json:"iceLite"`
}

// IDList says which objects belong to one.
type IDList struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

// IDPair says which object belongs to which.
type IDPair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// IPPort is where a socket listens.
type IPPort struct {
	IP   string `json:"ip"`
	Port uint16 `json:"port"`
}

// ListenInfo is what commands take.
type ListenInfo struct {
	// Protocol: default "udp" (udp, tcp).
	Protocol string `json:"protocol,omitzero"`
	// IP: an address of the server, 0.0.0.0 or ::.
	IP string `json:"ip,omitzero"`
	// AnnouncedAddress: an address or host name under which that is reached.
	AnnouncedAddress string `json:"announcedAddress,omitzero"`
	// AnnouncedIP: the old name of announcedAddress.
	AnnouncedIP string `json:"announcedIp,omitzero"`
	// ExposeInternalIP: whether ip is told beside announcedAddress.
	ExposeInternalIP bool `json:"exposeInternalIp,omitzero"`
	// Port: 0 is a free one of portRange, or of the worker's range.
	Port int `json:"port,omitzero"`
	// PortRange: from which a port is taken.
	PortRange *PortRange `json:"portRange,omitzero"`
	// Flags: of the socket.
	Flags *SocketFlags `json:"flags,omitzero"`
	// SendBufferSize: bytes, of the socket; 0 is the server's choice.
	SendBufferSize int `json:"sendBufferSize,omitzero"`
	// RecvBufferSize: likewise.
	RecvBufferSize int `json:"recvBufferSize,omitzero"`
}

// NumberPair says which object an SSRC or a stream belongs to.
type NumberPair struct {
	Key   uint32 `json:"key"`
	Value string `json:"value"`
}

// PacketTrace is a packet of media, plain.
type PacketTrace struct {
	Packet TracedPacket `json:"rtpPacket"`
	IsRTX  bool         `json:"isRtx"`
}

// PipeToRouterOptions are the parameters of router.pipeToRouter.
type PipeToRouterOptions struct {
	// ToRouterID: the other router, of this server.
	ToRouterID string `json:"toRouterId,omitzero"`
	// ProducerID: what is piped; either this ….
	ProducerID string `json:"producerId,omitzero"`
	// DataProducerID: … or this.
	DataProducerID string `json:"dataProducerId,omitzero"`
	// KeepID: whether it has the same id there, which two routers of one worker
	// must not have; default true.
	KeepID *bool `json:"keepId,omitzero"`
	// ListenInfo: where both transports listen; default 127.0.0.1.
	ListenInfo *ListenInfo `json:"listenInfo,omitzero"`
	// EnableRTX: whether what is lost between the routers is sent again.
	EnableRTX bool `json:"enableRtx,omitzero"`
	// EnableSRTP: whether packets are encrypted between them.
	EnableSRTP bool `json:"enableSrtp,omitzero"`
	// EnableSCTP: whether the transports carry data channels; default true.
	EnableSCTP *bool `json:"enableSctp,omitzero"`
	// MaxSendMessageSize: bytes of a message to the other end; default 262144.
	MaxSendMessageSize *int `json:"maxSendMessageSize,omitzero"`
	// MaxReceiveMessageSize: bytes of a message from the other end; default
	// 262144.
	MaxReceiveMessageSize *int `json:"maxReceiveMessageSize,omitzero"`
	// SCTPSendBufferSize: bytes that may wait for the other end; default 2000000.
	SCTPSendBufferSize *int `json:"sctpSendBufferSize,omitzero"`
	// SCTPPerStreamSendQueueLimit: the same for one stream; default 2000000.
	SCTPPerStreamSendQueueLimit *int `json:"sctpPerStreamSendQueueLimit,omitzero"`
	// SCTPMaxReceiverWindowBufferSize: bytes that the other end may send before
	// they are taken; default 5242880.
	SCTPMaxReceiverWindowBufferSize *int `json:"sctpMaxReceiverWindowBufferSize,omitzero"`
	// SCTPDefaultStreamBufferedAmountLowThreshold: bytes, of data consumers until
	// they are given another; default 1024.
	SCTPDefaultStreamBufferedAmountLowThreshold *int `json:"sctpDefaultStreamBufferedAmountLowThreshold,omitzero"`
}

// PipeTransportOptions are the parameters of router.createPipeTransport.
type PipeTransportOptions struct {
	// ListenInfo: where to listen, by UDP.
	ListenInfo ListenInfo `json:"listenInfo,omitzero"`
	// EnableRTX: whether what is lost between the routers is sent again.
	EnableRTX bool `json:"enableRtx,omitzero"`
	// EnableSRTP: whether packets are encrypted, with keys from transport.connect
	// and in srtpParameters.
	EnableSRTP bool `json:"enableSrtp,omitzero"`
	// EnableSCTP: whether it carries data channels.
	EnableSCTP bool `json:"enableSctp,omitzero"`
	// MaxSendMessageSize: bytes of a message to the other end; default 262144.
	MaxSendMessageSize *int `json:"maxSendMessageSize,omitzero"`
	// MaxReceiveMessageSize: bytes of a message from the other end; default
	// 262144.
	MaxReceiveMessageSize *int `json:"maxReceiveMessageSize,omitzero"`
	// SCTPSendBufferSize: bytes that may wait for the other end; default 2000000.
	SCTPSendBufferSize *int `json:"sctpSendBufferSize,omitzero"`
	// SCTPPerStreamSendQueueLimit: the same for one stream; default 2000000.
	SCTPPerStreamSendQueueLimit *int `json:"sctpPerStreamSendQueueLimit,omitzero"`
	// SCTPMaxReceiverWindowBufferSize: bytes that the other end may send before
	// they are taken; default 5242880.
	SCTPMaxReceiverWindowBufferSize *int `json:"sctpMaxReceiverWindowBufferSize,omitzero"`
	// SCTPDefaultStreamBufferedAmountLowThreshold: bytes, of data consumers until
	// they are given another; default 1024.
	SCTPDefaultStreamBufferedAmountLowThreshold *int `json:"sctpDefaultStreamBufferedAmountLowThreshold,omitzero"`
	// AppData: anything; it comes back in RouterTransportInfo.
	AppData any `json:"appData,omitzero"`
}

// PlainTransportOptions are the parameters of router.createPlainTransport.
type PlainTransportOptions struct {
	// PeerID: in a room's router: the peer whose transport it is from then on, for
	// the commands of rooms and all who are in the room, such as a camera without
	// WebRTC; default nobody's.
	PeerID string `json:"peerId,omitzero"`
	// ListenInfo: where to listen, by UDP.
	ListenInfo ListenInfo `json:"listenInfo,omitzero"`
	// RTCPListenInfo: where to listen for RTCP, without rtcpMux; default as
	// listenInfo, on another port.
	RTCPListenInfo *ListenInfo `json:"rtcpListenInfo,omitzero"`
	// RTCPMux: whether RTCP shares the port of RTP; default true.
	RTCPMux *bool `json:"rtcpMux,omitzero"`
	// Comedia: whether the other end is who sends first, rather than told to
	// transport.connect.
	Comedia bool `json:"comedia,omitzero"`
	// EnableSRTP: whether packets are encrypted, with keys from transport.connect
	// and in srtpParameters.
	EnableSRTP bool `json:"enableSrtp,omitzero"`
	// SRTPCryptoSuite: default AES_CM_128_HMAC_SHA1_80 (AEAD_AES_256_GCM,
	// AEAD_AES_128_GCM, AES_CM_128_HMAC_SHA1_80, AES_CM_128_HMAC_SHA1_32).
	SRTPCryptoSuite string `json:"srtpCryptoSuite,omitzero"`
	// EnableSCTP: whether it carries data channels.
	EnableSCTP bool `json:"enableSctp,omitzero"`
	// MaxSendMessageSize: bytes of a message to the other end; default 262144.
	MaxSendMessageSize *int `json:"maxSendMessageSize,omitzero"`
	// MaxReceiveMessageSize: bytes of a message from the other end; default
	// 262144.
	MaxReceiveMessageSize *int `json:"maxReceiveMessageSize,omitzero"`
	// SCTPSendBufferSize: bytes that may wait for the other end; default 2000000.
	SCTPSendBufferSize *int `json:"sctpSendBufferSize,omitzero"`
	// SCTPPerStreamSendQueueLimit: the same for one stream; default 2000000.
	SCTPPerStreamSendQueueLimit *int `json:"sctpPerStreamSendQueueLimit,omitzero"`
	// SCTPMaxReceiverWindowBufferSize: bytes that the other end may send before
	// they are taken; default 5242880.
	SCTPMaxReceiverWindowBufferSize *int `json:"sctpMaxReceiverWindowBufferSize,omitzero"`
	// SCTPDefaultStreamBufferedAmountLowThreshold: bytes, of data consumers until
	// they are given another; default 1024.
	SCTPDefaultStreamBufferedAmountLowThreshold *int `json:"sctpDefaultStreamBufferedAmountLowThreshold,omitzero"`
	// AppData: anything; it comes back in RouterTransportInfo.
	AppData any `json:"appData,omitzero"`
}

// PortRange is what commands take.
type PortRange struct {
	// Min: the first.
	Min int `json:"min"`
	// Max: the last.
	Max int `json:"max"`
}

// ProduceDataOptions are the parameters of transport.produceData.
type ProduceDataOptions struct {
	// ID: for the data producer, unique in the router; default a new one.
	ID string `json:"id,omitzero"`
	// SCTPStreamParameters: of the other end's stream; not on a direct transport.
	SCTPStreamParameters *SCTPStreamParameters `json:"sctpStreamParameters,omitzero"`
	// Label: of the data channel.
	Label string `json:"label,omitzero"`
	// Protocol: of the data channel.
	Protocol string `json:"protocol,omitzero"`
	// Paused: whether to begin paused.
	Paused bool `json:"paused,omitzero"`
	// AppData: anything; it comes back in RouterDataProducerInfo.
	AppData any `json:"appData,omitzero"`
}

// ProduceOptions are the parameters of transport.produce.
type ProduceOptions struct {
	// ID: for the producer, unique in the router; default a new one.
	ID string `json:"id,omitzero"`
	// Kind: what it is (audio, video).
	Kind MediaKind `json:"kind,omitzero"`
	// RTPParameters: as mediasoup's.
	RTPParameters RTPParameters `json:"rtpParameters,omitzero"`
	// Paused: whether to begin paused.
	Paused bool `json:"paused,omitzero"`
	// KeyFrameRequestDelay: ms, the least between two requests for a keyframe;
	// default as soon as makes sense.
	KeyFrameRequestDelay int `json:"keyFrameRequestDelay,omitzero"`
	// EnableMediasoupPacketIDHeaderExtension: whether consumers get packets with
	// the header extension mediasoup:packet-id.
	EnableMediasoupPacketIDHeaderExtension bool `json:"enableMediasoupPacketIdHeaderExtension,omitzero"`
	// AppData: anything; it comes back in RouterProducerInfo.
	AppData any `json:"appData,omitzero"`
}

// ProducerDump is a producer as it is.
type ProducerDump struct {
	ID            string            `json:"id"`
	Kind          MediaKind         `json:"kind"`
	Type          string            `json:"type"`
	RTPParameters RTPParametersDump `json:"rtpParameters"`
	RTPMapping    RTPMapping        `json:"rtpMapping"`
	// RTPStreams are those that have arrived.
	RTPStreams      []RTPStreamDump `json:"rtpStreams,omitempty"`
	TraceEventTypes []string        `json:"traceEventTypes"`
	Paused          bool            `json:"paused"`
}

// ProducerStats is one stream that comes in.
type ProducerStats struct {
	// Type: "inbound-rtp" or "outbound-rtp".
	Type        string    `json:"type"`
	Timestamp   int64     `json:"timestamp"`
	SSRC        uint32    `json:"ssrc"`
	RTXSSRC     uint32    `json:"rtxSsrc,omitempty"`
	RID         string    `json:"rid,omitempty"`
	Kind        MediaKind `json:"kind"`
	MimeType    string    `json:"mimeType"`
	PacketsLost int64     `json:"packetsLost"`
	// FractionLost: of 256.
	FractionLost         uint8  `json:"fractionLost"`
	PacketsDiscarded     uint64 `json:"packetsDiscarded"`
	PacketsRetransmitted uint64 `json:"packetsRetransmitted"`
	PacketsRepaired      uint64 `json:"packetsRepaired"`
	NACKCount            uint64 `json:"nackCount"`
	NACKPacketCount      uint64 `json:"nackPacketCount"`
	PLICount             uint64 `json:"pliCount"`
	FIRCount             uint64 `json:"firCount"`
	PacketCount          uint64 `json:"packetCount"`
	ByteCount            uint64 `json:"byteCount"`
	Bitrate              uint64 `json:"bitrate"`
	// RoundTripTime is in ms; absent until it was measured.
	RoundTripTime float64 `json:"roundTripTime,omitempty"`
	// Score is 0 to 10, by loss that was not repaired.
	Score uint8 `json:"score"`
	// Jitter is in units of the stream's clock.
	Jitter uint32 `json:"jitter"`
	// BitrateByLayer has the bitrate of each layer by itself, as
	// "spatial.temporal", of a stream with more than one.
	BitrateByLayer map[string]uint64 `json:"bitrateByLayer"`
	// RTXPacketsDiscarded are retransmissions that came twice, or were not asked
	// for.
	RTXPacketsDiscarded uint64 `json:"rtxPacketsDiscarded,omitempty"`
}

// ProducerVolume is what commands take.
type ProducerVolume struct {
	ProducerID string `json:"producerId"`
	Volume     int    `json:"volume"`
}

// RTCPFeedbackDump is a kind of feedback; an empty Parameter is left out.
type RTCPFeedbackDump struct {
	Type      string `json:"type"`
	Parameter string `json:"parameter,omitempty"`
}

// RTCPParameters is how RTCP is used with the streams.
type RTCPParameters struct {
	// CNAME is the name of the sender's clock (RFC 3550 §6.5.1), shared by the
	// streams that can be played in sync.
	CNAME string `json:"cname,omitempty"`
	// ReducedSize is RFC 5506; validation sets it to true, whatever it was.
	ReducedSize *bool `json:"reducedSize,omitempty"`
	// Mux is whether RTCP shares the port of RTP (RFC 5761), nil if not said.
	Mux *bool `json:"mux,omitempty"`
}

// RTPCapabilities are the codecs and header extensions that a router or an
// endpoint can receive.
type RTPCapabilities struct {
	Codecs           []Codec              `json:"codecs,omitzero"`
	HeaderExtensions []RTPHeaderExtension `json:"headerExtensions,omitzero"`
}

// RTPCodecDump is a codec of them.
type RTPCodecDump struct {
	MimeType     string             `json:"mimeType"`
	PayloadType  uint8              `json:"payloadType"`
	ClockRate    uint32             `json:"clockRate"`
	Channels     uint8              `json:"channels,omitempty"`
	Parameters   map[string]any     `json:"parameters"`
	RTCPFeedback []RTCPFeedbackDump `json:"rtcpFeedback"`
}

// RTPCodecParameters is a codec in use, with the payload type it has in
// packets.
type RTPCodecParameters struct {
	MimeType    string `json:"mimeType,omitzero"`
	PayloadType uint8  `json:"payloadType"`
	// ClockRate is the RTP clock in Hz.
	ClockRate uint32 `json:"clockRate"`
	// Channels is 1 or more for audio and 0 for video.
	Channels     uint8          `json:"channels,omitempty"`
	Parameters   map[string]any `json:"parameters,omitzero"`
	RTCPFeedback []RTCPFeedback `json:"rtcpFeedback,omitzero"`
}

// RTPEncodingParameters is one stream and, if it has one, its RTX stream.
type RTPEncodingParameters struct {
	// SSRC is 0 if the stream is found by MID or RID.
	SSRC uint32 `json:"ssrc,omitempty"`
	// RID is the value of the RID header extension (RFC 8852), or empty.
	RID string `json:"rid,omitempty"`
	// CodecPayloadType is the codec of this stream; nil is the first one.
	CodecPayloadType *uint8         `json:"codecPayloadType,omitempty"`
	RTX              *RTXParameters `json:"rtx,omitempty"`
	// DTX says that pauses in the stream are meant (discontinuous transmission).
	DTX bool `json:"dtx,omitempty"`
	// ScalabilityMode is the layers inside the stream, like "L1T3" (W3C
	// webrtc-svc); see ParseScalabilityMode.
	ScalabilityMode       string  `json:"scalabilityMode,omitempty"`
	ScaleResolutionDownBy float64 `json:"scaleResolutionDownBy,omitempty"`
	// MaxBitrate is in bit/s, 0 if not announced.
	MaxBitrate uint64 `json:"maxBitrate,omitempty"`
}

// RTPHeaderExtension is one RTP header extension (RFC 8285) that is supported
// for a kind of media.
type RTPHeaderExtension struct {
	Kind MediaKind `json:"kind,omitzero"`
	URI  string    `json:"uri,omitzero"`
	// PreferredID is 1 to 255.
	PreferredID uint8 `json:"preferredId"`
	// PreferredEncrypt asks for RFC 6904, which is not supported; it is always
	// false in our capabilities.
	PreferredEncrypt bool `json:"preferredEncrypt"`
	// Direction is the router's: sendrecv, sendonly, recvonly or inactive. It is
	// ignored in the capabilities of endpoints.
	Direction string `json:"direction,omitzero"`
}

// RTPHeaderExtensionParameters is a header extension in use, with the id it
// has in packets (1 to 255).
type RTPHeaderExtensionParameters struct {
	URI        string         `json:"uri,omitzero"`
	ID         uint8          `json:"id"`
	Encrypt    bool           `json:"encrypt"`
	Parameters map[string]any `json:"parameters,omitzero"`
}

// RTPListenerDump says which producer packets go to: by SSRC, announced or
// found, by MID and by RID.
type RTPListenerDump struct {
	SSRCs []NumberPair `json:"ssrcTable"`
	MIDs  []IDPair     `json:"midTable"`
	RIDs  []IDPair     `json:"ridTable"`
}

// RTPMapping translates a producer's numbers into its router's.
type RTPMapping struct {
	Codecs    []CodecMapping    `json:"codecs,omitzero"`
	Encodings []EncodingMapping `json:"encodings,omitzero"`
}

// RTPObserverInfo describes an observer of speakers.
type RTPObserverInfo struct {
	// ID: the observer's id.
	ID string `json:"id"`
	// Type: activespeaker or audiolevel.
	Type string `json:"type"`
	// Paused: whether it is.
	Paused bool `json:"paused"`
	// AppData: what it was made with.
	AppData json.RawMessage `json:"appData,omitempty"`
}

// RTPParameters describe the streams that a sender sends or a receiver gets.
type RTPParameters struct {
	// MID is the value of the MID header extension, empty if there is none.
	MID              string                         `json:"mid,omitempty"`
	Codecs           []RTPCodecParameters           `json:"codecs,omitzero"`
	HeaderExtensions []RTPHeaderExtensionParameters `json:"headerExtensions,omitzero"`
	// Encodings has one entry per stream, RTX streams not counted: several for
	// simulcast, lowest first; always one for a consumer.
	Encodings []RTPEncodingParameters `json:"encodings,omitzero"`
	RTCP      RTCPParameters          `json:"rtcp,omitzero"`
	// MSID names the MediaStream and its track (RFC 8830), empty if unknown.
	MSID string `json:"msid,omitempty"`
}

// RTPParametersDump are parameters with everything said that goes without
// saying: the codec of each encoding, and the names of codecs as we spell
// them.
type RTPParametersDump struct {
	MID              string                         `json:"mid,omitempty"`
	Codecs           []RTPCodecDump                 `json:"codecs"`
	HeaderExtensions []RTPHeaderExtensionParameters `json:"headerExtensions"`
	Encodings        []RTPEncodingParameters        `json:"encodings"`
	RTCP             RTCPParameters                 `json:"rtcp"`
	MSID             string                         `json:"msid,omitempty"`
}

// RTPStreamDump is a stream that comes in or goes out.
type RTPStreamDump struct {
	Params RTPStreamParameters `json:"params"`
	Score  uint8               `json:"score"`
	RTX    *RTXStreamDump      `json:"rtxStream,omitempty"`
}

// RTPStreamParameters are what a stream is.
type RTPStreamParameters struct {
	Encoding       int    `json:"encodingIdx"`
	SSRC           uint32 `json:"ssrc"`
	PayloadType    uint8  `json:"payloadType"`
	MimeType       string `json:"mimeType"`
	ClockRate      uint32 `json:"clockRate"`
	RID            string `json:"rid,omitempty"`
	CNAME          string `json:"cname"`
	RTXSSRC        uint32 `json:"rtxSsrc,omitempty"`
	RTXPayloadType *uint8 `json:"rtxPayloadType,omitempty"`
	UseNACK        bool   `json:"useNack"`
	UsePLI         bool   `json:"usePli"`
	UseFIR         bool   `json:"useFir"`
	UseInBandFEC   bool   `json:"useInBandFec"`
	UseDTX         bool   `json:"useDtx"`
	SpatialLayers  int    `json:"spatialLayers"`
	TemporalLayers int    `json:"temporalLayers"`
}

// RTXParameters is the stream that carries retransmissions (RFC 4588).
type RTXParameters struct {
	SSRC uint32 `json:"ssrc"`
}

// RTXStreamDump is the stream of a stream's retransmissions.
type RTXStreamDump struct {
	Params RTXStreamParameters `json:"params"`
}

// RTXStreamParameters are what it is.
type RTXStreamParameters struct {
	SSRC        uint32 `json:"ssrc"`
	PayloadType uint8  `json:"payloadType"`
	MimeType    string `json:"mimeType"`
	ClockRate   uint32 `json:"clockRate"`
	RepairedRID string `json:"rrid,omitempty"`
	CNAME       string `json:"cname"`
}

// RecvHeaderExtensions are the ids of the header extensions by which a
// transport tells its packets apart and measures its line; nil: in no
// producer's parameters.
type RecvHeaderExtensions struct {
	MID             *uint8 `json:"mid,omitempty"`
	RID             *uint8 `json:"rid,omitempty"`
	RepairedRID     *uint8 `json:"rrid,omitempty"`
	AbsSendTime     *uint8 `json:"absSendTime,omitempty"`
	TransportWideCC *uint8 `json:"transportWideCc01,omitempty"`
}

// ResourceUsage is what the server has used of the system, in getrusage(2)'s
// terms; times are in milliseconds, the resident memory in kilobytes. What a
// system does not count is 0.
type ResourceUsage struct {
	// UserTime: ms.
	UserTime int64 `json:"ru_utime"`
	// SystemTime: ms.
	SystemTime int64 `json:"ru_stime"`
	// MaxResident: KiB, the most so far.
	MaxResident int64 `json:"ru_maxrss"`
	// SharedText: not counted by Linux.
	SharedText int64 `json:"ru_ixrss"`
	// UnsharedData: not counted by Linux.
	UnsharedData int64 `json:"ru_idrss"`
	// UnsharedStack: not counted by Linux.
	UnsharedStack int64 `json:"ru_isrss"`
	// MinorFaults: page faults without input.
	MinorFaults int64 `json:"ru_minflt"`
	// MajorFaults: page faults with input.
	MajorFaults int64 `json:"ru_majflt"`
	// Swaps: not counted by Linux.
	Swaps int64 `json:"ru_nswap"`
	// BlocksIn: reads of the file system.
	BlocksIn int64 `json:"ru_inblock"`
	// BlocksOut: writes of the file system.
	BlocksOut int64 `json:"ru_oublock"`
	// MessagesSent: not counted by Linux.
	MessagesSent int64 `json:"ru_msgsnd"`
	// MessagesReceived: not counted by Linux.
	MessagesReceived int64 `json:"ru_msgrcv"`
	// Signals: not counted by Linux.
	Signals int64 `json:"ru_nsignals"`
	// VoluntarySwitches: context switches to wait.
	VoluntarySwitches int64 `json:"ru_nvcsw"`
	// InvoluntarySwitches: context switches because the time was up.
	InvoluntarySwitches int64 `json:"ru_nivcsw"`
}

// RouterConsumerInfo describes a consumer on whatever transport.
type RouterConsumerInfo struct {
	// ID: the consumer's id.
	ID string `json:"id"`
	// TransportID: where the media goes out.
	TransportID string `json:"transportId"`
	// ProducerID: where it comes from.
	ProducerID string `json:"producerId"`
	// Kind: "audio" or "video".
	Kind MediaKind `json:"kind"`
	// Type: simple, simulcast, svc or pipe.
	Type string `json:"type"`
	// RTPParameters: as mediasoup's.
	RTPParameters RTPParameters `json:"rtpParameters"`
	// Paused: whether the consumer is paused.
	Paused bool `json:"paused"`
	// ProducerPaused: whether its producer is.
	ProducerPaused bool `json:"producerPaused"`
	// Priority: among the consumers of its transport, 1 to 255, the most
	// important.
	Priority int `json:"priority"`
	// Score: how well it is served.
	Score ConsumerScore `json:"score"`
	// PreferredLayers: the highest that are sent, of simulcast or SVC.
	PreferredLayers *Layers `json:"preferredLayers,omitempty"`
	// CurrentLayers: those that are sent now, of simulcast or SVC.
	CurrentLayers *Layers `json:"currentLayers,omitempty"`
	// AppData: what it was made with.
	AppData json.RawMessage `json:"appData,omitempty"`
}

// RouterDataConsumerInfo describes a data consumer on whatever transport.
type RouterDataConsumerInfo struct {
	// ID: the data consumer's id.
	ID string `json:"id"`
	// TransportID: where messages go out.
	TransportID string `json:"transportId"`
	// DataProducerID: where they come from.
	DataProducerID string `json:"dataProducerId"`
	// Type: sctp or direct.
	Type string `json:"type"`
	// SCTPStreamParameters: {streamId, ordered, maxPacketLifeTime,
	// maxRetransmits}, of type sctp.
	SCTPStreamParameters *SCTPStreamParameters `json:"sctpStreamParameters,omitempty"`
	// Label: of the data channel.
	Label string `json:"label"`
	// Protocol: of the data channel.
	Protocol string `json:"protocol"`
	// Paused: whether the data consumer is paused.
	Paused bool `json:"paused"`
	// DataProducerPaused: whether its data producer is.
	DataProducerPaused bool `json:"dataProducerPaused"`
	// Subchannels: in order.
	Subchannels []uint16 `json:"subchannels"`
	// BufferedAmount: bytes that wait to be sent.
	BufferedAmount int `json:"bufferedAmount"`
	// AppData: what it was made with.
	AppData json.RawMessage `json:"appData,omitempty"`
}

// RouterDataProducerInfo describes a data producer of whatever transport.
type RouterDataProducerInfo struct {
	// ID: the data producer's id.
	ID string `json:"id"`
	// TransportID: where messages come in.
	TransportID string `json:"transportId"`
	// Type: sctp or direct.
	Type string `json:"type"`
	// SCTPStreamParameters: {streamId, ordered, maxPacketLifeTime,
	// maxRetransmits}, of type sctp.
	SCTPStreamParameters *SCTPStreamParameters `json:"sctpStreamParameters,omitempty"`
	// Label: of the data channel.
	Label string `json:"label"`
	// Protocol: of the data channel.
	Protocol string `json:"protocol"`
	// Paused: whether messages are dropped.
	Paused bool `json:"paused"`
	// AppData: what it was made with.
	AppData json.RawMessage `json:"appData,omitempty"`
}

// RouterDump is a router with its objects.
type RouterDump struct {
	ID                           string   `json:"id"`
	TransportIDs                 []string `json:"transportIds"`
	RTPObserverIDs               []string `json:"rtpObserverIds"`
	ConsumersOfProducers         []IDList `json:"mapProducerIdConsumerIds"`
	ProducersOfConsumers         []IDPair `json:"mapConsumerIdProducerId"`
	ObserversOfProducers         []IDList `json:"mapProducerIdObserverIds"`
	DataConsumersOfDataProducers []IDList `json:"mapDataProducerIdDataConsumerIds"`
	DataProducersOfDataConsumers []IDPair `json:"mapDataConsumerIdDataProducerId"`
}

// RouterInfo describes a router.
type RouterInfo struct {
	// ID: the router's id.
	ID string `json:"id"`
	// WorkerID: the worker it belongs to.
	WorkerID string `json:"workerId,omitempty"`
	// RoomID: or the room.
	RoomID string `json:"roomId,omitempty"`
	// RTPCapabilities: for clients' devices and for consumers.
	RTPCapabilities RTPCapabilities `json:"rtpCapabilities"`
	// AppData: what was given to worker.createRouter.
	AppData json.RawMessage `json:"appData,omitempty"`
}

// RouterOptions are the parameters of worker.createRouter.
type RouterOptions struct {
	// MediaCodecs: what may be sent, preferred first; default nothing.
	MediaCodecs []Codec `json:"mediaCodecs,omitzero"`
	// AppData: anything; it comes back in RouterInfo.
	AppData any `json:"appData,omitzero"`
}

// RouterPiped is what router.pipeToRouter has made, or found.
type RouterPiped struct {
	// PipeTransports: the router's own, and the other one's.
	PipeTransports []RouterTransportInfo `json:"pipeTransports"`
	// PipeConsumer: of the producer, on the first of them.
	PipeConsumer *RouterConsumerInfo `json:"pipeConsumer,omitempty"`
	// PipeProducer: what it comes out of in the other router.
	PipeProducer *RouterProducerInfo `json:"pipeProducer,omitempty"`
	// PipeDataConsumer: likewise, of a data producer.
	PipeDataConsumer *RouterDataConsumerInfo `json:"pipeDataConsumer,omitempty"`
	// PipeDataProducer: likewise, of a data producer.
	PipeDataProducer *RouterDataProducerInfo `json:"pipeDataProducer,omitempty"`
}

// RouterProducerInfo describes a producer of whatever transport.
type RouterProducerInfo struct {
	// ID: the producer's id.
	ID string `json:"id"`
	// TransportID: where the media comes in.
	TransportID string `json:"transportId"`
	// Kind: "audio" or "video".
	Kind MediaKind `json:"kind"`
	// Type: simple, simulcast or svc.
	Type string `json:"type"`
	// RTPParameters: as they were given.
	RTPParameters RTPParameters `json:"rtpParameters"`
	// ConsumableRTPParameters: as consumers of the router see them.
	ConsumableRTPParameters RTPParameters `json:"consumableRtpParameters"`
	// Paused: whether it is forwarded to nobody.
	Paused bool `json:"paused"`
	// Score: how well the encodings arrive, of those that have ever come.
	Score []EncodingScore `json:"score"`
	// AppData: what it was made with.
	AppData json.RawMessage `json:"appData,omitempty"`
}

// RouterSnapshot describes a router and all that is in it.
type RouterSnapshot struct {
	// Router: the router.
	Router RouterInfo `json:"router"`
	// Transports: of all types.
	Transports []RouterTransportInfo `json:"transports"`
	// Producers: of all transports.
	Producers []RouterProducerInfo `json:"producers"`
	// Consumers: of all transports.
	Consumers []RouterConsumerInfo `json:"consumers"`
	// DataProducers: of all transports.
	DataProducers []RouterDataProducerInfo `json:"dataProducers"`
	// DataConsumers: of all transports.
	DataConsumers []RouterDataConsumerInfo `json:"dataConsumers"`
	// RTPObservers: of both types.
	RTPObservers []RTPObserverInfo `json:"rtpObservers"`
}

// RouterTransportInfo describes a transport of any type. The fields that its
// type does not have are missing.
type RouterTransportInfo struct {
	// ID: the transport's id.
	ID string `json:"id"`
	// Type: webrtc, plain, pipe or direct.
	Type string `json:"type"`
	// ICERole: "controlled".
	ICERole string `json:"iceRole,omitempty"`
	// ICEParameters: {usernameFragment, password, iceLite}.
	ICEParameters *ICEParameters `json:"iceParameters,omitempty"`
	// ICECandidates: [{foundation, priority, ip, address, protocol, port, type,
	// tcpType}].
	ICECandidates []ICECandidate `json:"iceCandidates,omitempty"`
	// ICEState: new, connected, completed, disconnected or closed.
	ICEState string `json:"iceState,omitempty"`
	// ICESelectedTuple: {localIp, localAddress, localPort, remoteIp, remotePort,
	// protocol}.
	ICESelectedTuple *TransportTuple `json:"iceSelectedTuple,omitempty"`
	// DTLSParameters: {role, fingerprints}.
	DTLSParameters *DTLSParameters `json:"dtlsParameters,omitempty"`
	// DTLSState: new, connecting, connected, failed or closed.
	DTLSState string `json:"dtlsState,omitempty"`
	// DTLSRemoteCert: PEM, once DTLS is connected.
	DTLSRemoteCert string `json:"dtlsRemoteCert,omitempty"`
	// Tuple: of a plain or pipe transport, as iceSelectedTuple.
	Tuple *TransportTuple `json:"tuple,omitempty"`
	// RTCPTuple: of a plain transport without rtcpMux.
	RTCPTuple *TransportTuple `json:"rtcpTuple,omitempty"`
	// RTCPMux: of a plain transport.
	RTCPMux *bool `json:"rtcpMux,omitempty"`
	// Comedia: of a plain transport.
	Comedia *bool `json:"comedia,omitempty"`
	// RTX: of a pipe transport.
	RTX *bool `json:"rtx,omitempty"`
	// SRTPParameters: {cryptoSuite, keyBase64} for the other end, with enableSrtp.
	SRTPParameters *SRTPParameters `json:"srtpParameters,omitempty"`
	// SCTPParameters: {port, maxSendMessageSize, maxReceiveMessageSize, …}, with
	// enableSctp.
	SCTPParameters *SCTPParameters `json:"sctpParameters,omitempty"`
	// SCTPState: new, connecting, connected, failed or closed.
	SCTPState string `json:"sctpState,omitempty"`
	// SCTPNegotiated: {negotiatedMaxOutboundStreams, negotiatedMaxInboundStreams},
	// once SCTP is connected.
	SCTPNegotiated *SCTPNegotiated `json:"sctpNegotiatedCapabilities,omitempty"`
	// AppData: what it was made with.
	AppData json.RawMessage `json:"appData,omitempty"`
}

// SCTPListenerDump says which data producer messages go to.
type SCTPListenerDump struct {
	Streams []NumberPair `json:"streamIdTable"`
}

// SCTPNegotiated is on how many streams messages may go out and come in, as
// both ends have said.
type SCTPNegotiated struct {
	Outbound uint16 `json:"negotiatedMaxOutboundStreams"`
	Inbound  uint16 `json:"negotiatedMaxInboundStreams"`
}

// SCTPParameters are what a client needs to know of the association, under all
// names that versions of mediasoup-client read.
type SCTPParameters struct {
	Port                        uint16 `json:"port"`
	OS                          uint16 `json:"OS"`
	MIS                         uint16 `json:"MIS"`
	MaxMessageSize              int    `json:"maxMessageSize"`
	MaxSendMessageSize          int    `json:"maxSendMessageSize"`
	MaxReceiveMessageSize       int    `json:"maxReceiveMessageSize"`
	SendBufferSize              int    `json:"sendBufferSize"`
	PerStreamSendQueueLimit     int    `json:"perStreamSendQueueLimit"`
	MaxReceiverWindowBufferSize int    `json:"maxReceiverWindowBufferSize"`
	// IsDataChannel is whether SCTP goes over DTLS: on a WebRTCTransport only.
	IsDataChannel bool `json:"isDataChannel"`
}

// SCTPStreamParameters say how a data channel is carried. Ordered is true
// unless one of the limits is set, and both limits together make no sense.
type SCTPStreamParameters struct {
	StreamID uint16 `json:"streamId"`
	Ordered  *bool  `json:"ordered,omitempty"`
	// MaxPacketLifeTime is in ms.
	MaxPacketLifeTime *uint16 `json:"maxPacketLifeTime,omitempty"`
	MaxRetransmits    *uint16 `json:"maxRetransmits,omitempty"`
}

// SRTPParameters are the key that one side encrypts with.
type SRTPParameters struct {
	CryptoSuite string `json:"cryptoSuite"`
	// KeyBase64 is the master key and, behind it, the master salt.
	KeyBase64 string `json:"keyBase64"`
}

// SSRCTrace is which stream a keyframe is asked of.
type SSRCTrace struct {
	SSRC uint32 `json:"ssrc"`
}

// SenderReportTrace is a sender report.
type SenderReportTrace struct {
	SSRC        uint32 `json:"ssrc"`
	NTPSeconds  uint32 `json:"ntpSec"`
	NTPFraction uint32 `json:"ntpFrac"`
	RTPTime     uint32 `json:"rtpTs"`
	PacketCount uint32 `json:"packetCount"`
	OctetCount  uint32 `json:"octetCount"`
}

// SocketFlags is what commands take.
type SocketFlags struct {
	// IPv6Only: whether an IPv6 socket takes no IPv4.
	IPv6Only bool `json:"ipv6Only,omitzero"`
	// UDPReusePort: whether several sockets may have the port.
	UDPReusePort bool `json:"udpReusePort,omitzero"`
}

// Trace is something that was seen on the packet path, under mediasoup's
// names.
type Trace struct {
	Type string `json:"type"`
	// Timestamp: ms of Unix time.
	Timestamp int64 `json:"timestamp"`
	// Direction: "in" or "out", as the server sees it.
	Direction string `json:"direction"`
	// Info is a PacketTrace, SSRCTrace, SenderReportTrace or BWETrace, or empty.
	Info json.RawMessage `json:"info"`
}

// TracedPacket is what there is to be known of a packet. Sizes are in bytes.
type TracedPacket struct {
	PayloadType        uint8   `json:"payloadType"`
	SequenceNumber     uint16  `json:"sequenceNumber"`
	Timestamp          uint32  `json:"timestamp"`
	Marker             bool    `json:"marker"`
	SSRC               uint32  `json:"ssrc"`
	IsKeyframe         bool    `json:"isKeyFrame"`
	Size               int     `json:"size"`
	PayloadSize        int     `json:"payloadSize"`
	SpatialLayer       uint8   `json:"spatialLayer"`
	TemporalLayer      uint8   `json:"temporalLayer"`
	MID                *string `json:"mid"`
	RID                *string `json:"rid"`
	RepairedRID        *string `json:"rrid"`
	WideSequenceNumber *uint16 `json:"wideSequenceNumber"`
}

// TransportDump is a transport as it is: what all have, and what those of its
// kind have.
type TransportDump struct {
	ID                      string               `json:"id"`
	Type                    string               `json:"type"`
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
	TraceEventTypes         []string             `json:"traceEventTypes"`
	// SCTPParameters: With SCTP only.
	SCTPParameters *SCTPParameters   `json:"sctpParameters,omitempty"`
	SCTPState      string            `json:"sctpState,omitempty"`
	SCTPNegotiated *SCTPNegotiated   `json:"sctpNegotiatedCapabilities,omitempty"`
	SCTPListener   *SCTPListenerDump `json:"sctpListener,omitempty"`
	// ICERole: Of a WebRTCTransport only.
	ICERole          string          `json:"iceRole,omitempty"`
	ICEParameters    *ICEParameters  `json:"iceParameters,omitempty"`
	ICECandidates    []ICECandidate  `json:"iceCandidates,omitempty"`
	ICEState         string          `json:"iceState,omitempty"`
	ICESelectedTuple *TransportTuple `json:"iceSelectedTuple,omitempty"`
	DTLSParameters   *DTLSParameters `json:"dtlsParameters,omitempty"`
	DTLSState        string          `json:"dtlsState,omitempty"`
	// DTLSRemoteCert: PEM, once the handshake is done.
	DTLSRemoteCert string `json:"dtlsRemoteCert,omitempty"`
	// RTCPMux: Of a PlainTransport, and the tuple and the key of a PipeTransport
	// too.
	RTCPMux        *bool           `json:"rtcpMux,omitempty"`
	Comedia        *bool           `json:"comedia,omitempty"`
	RTX            *bool           `json:"rtx,omitempty"`
	Tuple          *TransportTuple `json:"tuple,omitempty"`
	RTCPTuple      *TransportTuple `json:"rtcpTuple,omitempty"`
	SRTPParameters *SRTPParameters `json:"srtpParameters,omitempty"`
}

// TransportStats are the statistics of a transport, under mediasoup's names.
// Bitrates are in bit/s, sizes in bytes, the timestamp in ms of Unix time.
type TransportStats struct {
	// Type: "webrtc-transport", "plain-rtp-transport", "pipe-transport" or
	// "direct-transport".
	Type        string `json:"type"`
	TransportID string `json:"transportId"`
	Timestamp   int64  `json:"timestamp"`
	// ICERole: Of a WebRTCTransport only.
	ICERole          string          `json:"iceRole,omitempty"`
	ICEState         string          `json:"iceState,omitempty"`
	ICESelectedTuple *TransportTuple `json:"iceSelectedTuple,omitempty"`
	DTLSState        string          `json:"dtlsState,omitempty"`
	// SCTPState: with SCTP only.
	SCTPState string `json:"sctpState,omitempty"`
	// RTCPMux: Of a PlainTransport, and the tuple of a PipeTransport too.
	RTCPMux          *bool           `json:"rtcpMux,omitempty"`
	Comedia          *bool           `json:"comedia,omitempty"`
	Tuple            *TransportTuple `json:"tuple,omitempty"`
	RTCPTuple        *TransportTuple `json:"rtcpTuple,omitempty"`
	BytesReceived    uint64          `json:"bytesReceived"`
	RecvBitrate      uint64          `json:"recvBitrate"`
	BytesSent        uint64          `json:"bytesSent"`
	SendBitrate      uint64          `json:"sendBitrate"`
	RTPBytesReceived uint64          `json:"rtpBytesReceived"`
	RTPRecvBitrate   uint64          `json:"rtpRecvBitrate"`
	RTPBytesSent     uint64          `json:"rtpBytesSent"`
	RTPSendBitrate   uint64          `json:"rtpSendBitrate"`
	RTXBytesReceived uint64          `json:"rtxBytesReceived"`
	RTXRecvBitrate   uint64          `json:"rtxRecvBitrate"`
	RTXBytesSent     uint64          `json:"rtxBytesSent"`
	RTXSendBitrate   uint64          `json:"rtxSendBitrate"`
	// ProbationBytesSent: Probation is the padding with which bandwidth is looked
	// for. It is in BytesSent, and in none of the others.
	ProbationBytesSent   uint64 `json:"probationBytesSent"`
	ProbationSendBitrate uint64 `json:"probationSendBitrate"`
	// RTPPacketLossReceived: RTPPacketLoss is the share of packets that were lost
	// lately, 0 to 1, before any repair; absent before the first report.
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

// TupleHash tells whose packets on a path are; the hash is equal for equal
// paths within one run of the process.
type TupleHash struct {
	Hash              uint32 `json:"tupleHash"`
	WebRTCTransportID string `json:"webRtcTransportId"`
}

// UsernameFragment tells whose checks with that name are.
type UsernameFragment struct {
	UsernameFragment  string `json:"localIceUsernameFragment"`
	WebRTCTransportID string `json:"webRtcTransportId"`
}

// VideoOrientation says how a picture is to be turned before it is shown (3GPP
// TS 26.114 §7.4.5), under mediasoup's names.
type VideoOrientation struct {
	// Camera: it is of the back side.
	Camera bool `json:"camera"`
	// Flip: left and right.
	Flip     bool `json:"flip"`
	Rotation int  `json:"rotation"`
}

// WebRTCServerDump is the state of a WebRTC server, in mediasoup's shape.
type WebRTCServerDump struct {
	ID string `json:"id"`
	// UDPSockets: one per address ….
	UDPSockets []IPPort `json:"udpSockets"`
	// TCPServers: … in the order of the ListenInfos.
	TCPServers []IPPort `json:"tcpServers"`
	// WebRTCTransportIDs are in the order of the ids, as are the lists that
	// follow.
	WebRTCTransportIDs []string `json:"webRtcTransportIds"`
	// LocalICEUsernameFragments are those that checks may name; two of a transport
	// while its peer has not used those of an ICE restart.
	LocalICEUsernameFragments []UsernameFragment `json:"localIceUsernameFragments"`
	// TupleHashes are the paths that checks have proven.
	TupleHashes []TupleHash `json:"tupleHashes"`
}

// WebRTCServerInfo describes a WebRTC server.
type WebRTCServerInfo struct {
	// ID: the WebRTC server's id.
	ID string `json:"id"`
	// AppData: what was given to worker.createWebRtcServer.
	AppData json.RawMessage `json:"appData,omitempty"`
}

// WebRTCServerOptions are the parameters of worker.createWebRtcServer.
type WebRTCServerOptions struct {
	// ListenInfos: the sockets, the most preferred first.
	ListenInfos []ListenInfo `json:"listenInfos,omitzero"`
	// AppData: anything; it comes back in WebRTCServerInfo.
	AppData any `json:"appData,omitzero"`
}

// WebRTCTransportOptions are the parameters of router.createWebRtcTransport.
type WebRTCTransportOptions struct {
	// PeerID: in a room's router: the peer whose transport it is from then on, for
	// the commands of rooms and all who are in the room, such as a camera without
	// WebRTC; default nobody's.
	PeerID string `json:"peerId,omitzero"`
	// WebRTCServerID: where it is reached: at a WebRTC server of the same worker.
	WebRTCServerID string `json:"webRtcServerId,omitzero"`
	// ListenInfos: or at sockets of its own.
	ListenInfos []ListenInfo `json:"listenInfos,omitzero"`
	// ListenIPs: the old form of listenInfos: addresses, or {ip, announcedIp}.
	ListenIPs []ListenIP `json:"listenIps,omitzero"`
	// Port: with listenIps.
	Port int `json:"port,omitzero"`
	// EnableUDP: whether UDP candidates are offered and taken; default true.
	EnableUDP *bool `json:"enableUdp,omitzero"`
	// EnableTCP: the same for TCP; default true at a WebRTC server, false with
	// listenIps.
	EnableTCP *bool `json:"enableTcp,omitzero"`
	// PreferUDP: whether UDP comes first.
	PreferUDP bool `json:"preferUdp,omitzero"`
	// PreferTCP: whether TCP comes first.
	PreferTCP bool `json:"preferTcp,omitzero"`
	// ICEConsentTimeout: seconds without a check of the other end after which ICE
	// is disconnected; 0 is never; default the server's setting.
	ICEConsentTimeout *int `json:"iceConsentTimeout,omitzero"`
	// InitialAvailableOutgoingBitrate: bit/s that the other end's line is taken to
	// carry at first; default 600000.
	InitialAvailableOutgoingBitrate *int `json:"initialAvailableOutgoingBitrate,omitzero"`
	// EnableSCTP: whether it carries data channels.
	EnableSCTP bool `json:"enableSctp,omitzero"`
	// MaxSendMessageSize: bytes of a message to the other end; default 262144.
	MaxSendMessageSize *int `json:"maxSendMessageSize,omitzero"`
	// MaxReceiveMessageSize: bytes of a message from the other end; default
	// 262144.
	MaxReceiveMessageSize *int `json:"maxReceiveMessageSize,omitzero"`
	// SCTPSendBufferSize: bytes that may wait for the other end; default 2000000.
	SCTPSendBufferSize *int `json:"sctpSendBufferSize,omitzero"`
	// SCTPPerStreamSendQueueLimit: the same for one stream; default 2000000.
	SCTPPerStreamSendQueueLimit *int `json:"sctpPerStreamSendQueueLimit,omitzero"`
	// SCTPMaxReceiverWindowBufferSize: bytes that the other end may send before
	// they are taken; default 5242880.
	SCTPMaxReceiverWindowBufferSize *int `json:"sctpMaxReceiverWindowBufferSize,omitzero"`
	// SCTPDefaultStreamBufferedAmountLowThreshold: bytes, of data consumers until
	// they are given another; default 1024.
	SCTPDefaultStreamBufferedAmountLowThreshold *int `json:"sctpDefaultStreamBufferedAmountLowThreshold,omitzero"`
	// AppData: anything; it comes back in RouterTransportInfo.
	AppData any `json:"appData,omitzero"`
}

// WorkerDump is the answer of worker.dump.
type WorkerDump struct {
	// PID: of the server.
	PID int `json:"pid"`
	// WebRTCServerIDs: the oldest first.
	WebRTCServerIDs []string `json:"webRtcServerIds"`
	// RouterIDs: the oldest first.
	RouterIDs []string `json:"routerIds"`
	// ChannelMessageHandlers: what can be addressed.
	ChannelMessageHandlers ChannelMessageHandlers `json:"channelMessageHandlers"`
}

// WorkerInfo describes a worker.
type WorkerInfo struct {
	// ID: the worker's id.
	ID string `json:"id"`
	// PID: the server's process; all workers are in it.
	PID int `json:"pid"`
	// AppData: what was given to worker.create.
	AppData json.RawMessage `json:"appData,omitempty"`
}

// WorkerOptions are the parameters of worker.create.
type WorkerOptions struct {
	// LogLevel: of the messages that are told; default error (debug, warn, error,
	// none).
	LogLevel string `json:"logLevel,omitzero"`
	// LogTags: what debug messages are about: info, ice, dtls, rtp, srtp, rtcp,
	// rtx, bwe, score, simulcast, svc, sctp, message.
	LogTags []string `json:"logTags,omitzero"`
	// RTCMinPort: the first port for sockets that are given none; with rtcMaxPort.
	RTCMinPort int `json:"rtcMinPort,omitzero"`
	// RTCMaxPort: the last one; default the server's own range.
	RTCMaxPort int `json:"rtcMaxPort,omitzero"`
	// DTLSCertificate: PEM, for DTLS handshakes; default the server's own.
	DTLSCertificate string `json:"dtlsCertificate,omitzero"`
	// DTLSPrivateKey: PEM, its key.
	DTLSPrivateKey string `json:"dtlsPrivateKey,omitzero"`
	// OnDisconnect: what becomes of it when no connection that made it or attached
	// to it is left; default "keep" (keep, close).
	OnDisconnect string `json:"onDisconnect,omitzero"`
	// DisconnectGraceMs: how long "close" waits for one to come back, unless the
	// last was closed with code 1000; default 10000.
	DisconnectGraceMs *int `json:"disconnectGraceMs,omitzero"`
	// AppData: anything; it comes back in WorkerInfo.
	AppData any `json:"appData,omitzero"`
}

// WorkerSettings are the parameters of worker.updateSettings.
type WorkerSettings struct {
	// LogLevel: of the messages that are told; default error (debug, warn, error,
	// none).
	LogLevel string `json:"logLevel,omitzero"`
	// LogTags: what debug messages are about: info, ice, dtls, rtp, srtp, rtcp,
	// rtx, bwe, score, simulcast, svc, sctp, message.
	LogTags []string `json:"logTags,omitzero"`
}

// WorkerSnapshot describes a worker and all that belongs to it.
type WorkerSnapshot struct {
	// Worker: the worker.
	Worker WorkerInfo `json:"worker"`
	// WebRTCServers: the oldest first.
	WebRTCServers []WebRTCServerInfo `json:"webRtcServers"`
	// Routers: the oldest first.
	Routers []RouterSnapshot `json:"routers"`
}

// EventWorkerNewRouter tells: A worker has a new router. (worker.newrouter)
type EventWorkerNewRouter struct {
	WorkerID string     `json:"workerId"`
	RouterID string     `json:"routerId"`
	Router   RouterInfo `json:"router"`
}

// EventWorkerNewWebRTCServer tells: A worker has a new WebRTC server.
// (worker.newwebrtcserver)
type EventWorkerNewWebRTCServer struct {
	WorkerID       string           `json:"workerId"`
	WebRTCServerID string           `json:"webRtcServerId"`
	WebRTCServer   WebRTCServerInfo `json:"webRtcServer"`
}

// EventWebRTCServerClosed tells: A WebRTC server was closed; the transports
// that were reached at it were closed before. (webRtcServer.closed)
type EventWebRTCServerClosed struct {
	WorkerID       string `json:"workerId"`
	WebRTCServerID string `json:"webRtcServerId"`
}

// EventWorkerClosed tells: A worker was closed. All that belonged to it was
// closed before. (worker.closed)
type EventWorkerClosed struct {
	WorkerID string `json:"workerId"`
}

// EventRouterClosed tells: A router was closed. All that was in it was closed
// before. (router.closed)
type EventRouterClosed struct {
	RouterID string `json:"routerId"`
	Reason   string `json:"reason"`
}

// EventRouterNewTransport tells: A router has a new transport.
// (router.newtransport)
type EventRouterNewTransport struct {
	RouterID    string              `json:"routerId"`
	TransportID string              `json:"transportId"`
	Transport   RouterTransportInfo `json:"transport"`
}

// EventRouterNewRTPObserver tells: A router has a new observer.
// (router.newrtpobserver)
type EventRouterNewRTPObserver struct {
	RouterID      string          `json:"routerId"`
	RTPObserverID string          `json:"rtpObserverId"`
	RTPObserver   RTPObserverInfo `json:"rtpObserver"`
}

// EventTransportClosed tells: A transport was closed; all that was on it was
// closed before. (transport.closed)
type EventTransportClosed struct {
	RouterID    string `json:"routerId"`
	TransportID string `json:"transportId"`
	Reason      string `json:"reason"`
}

// EventTransportICEStateChange tells: ICE of a webrtc transport is in another
// state. (transport.icestatechange)
type EventTransportICEStateChange struct {
	RouterID    string `json:"routerId"`
	TransportID string `json:"transportId"`
	ICEState    string `json:"iceState"`
}

// EventTransportICESelectedTupleChange tells: A webrtc transport sends to
// another address. (transport.iceselectedtuplechange)
type EventTransportICESelectedTupleChange struct {
	RouterID         string         `json:"routerId"`
	TransportID      string         `json:"transportId"`
	ICESelectedTuple TransportTuple `json:"iceSelectedTuple"`
}

// EventTransportDTLSStateChange tells: DTLS of a webrtc transport is in
// another state. (transport.dtlsstatechange)
type EventTransportDTLSStateChange struct {
	RouterID       string `json:"routerId"`
	TransportID    string `json:"transportId"`
	DTLSState      string `json:"dtlsState"`
	DTLSRemoteCert string `json:"dtlsRemoteCert,omitempty"`
}

// EventTransportSCTPStateChange tells: SCTP of a transport is in another
// state. (transport.sctpstatechange)
type EventTransportSCTPStateChange struct {
	RouterID                   string          `json:"routerId"`
	TransportID                string          `json:"transportId"`
	SCTPState                  string          `json:"sctpState"`
	SCTPNegotiatedCapabilities *SCTPNegotiated `json:"sctpNegotiatedCapabilities,omitempty"`
}

// EventTransportTuple tells: A plain transport with comedia has learnt where
// its other end is. (transport.tuple)
type EventTransportTuple struct {
	RouterID    string         `json:"routerId"`
	TransportID string         `json:"transportId"`
	Tuple       TransportTuple `json:"tuple"`
}

// EventTransportRTCPTuple tells: The same for RTCP, without rtcpMux.
// (transport.rtcptuple)
type EventTransportRTCPTuple struct {
	RouterID    string         `json:"routerId"`
	TransportID string         `json:"transportId"`
	RTCPTuple   TransportTuple `json:"rtcpTuple"`
}

// EventTransportRTCP tells: RTCP for the other end of a direct transport, in
// base64. (transport.rtcp)
type EventTransportRTCP struct {
	RouterID    string `json:"routerId"`
	TransportID string `json:"transportId"`
	Packet      []byte `json:"packet"`
}

// EventTransportNewProducer tells: A transport has a new producer.
// (transport.newproducer)
type EventTransportNewProducer struct {
	RouterID    string             `json:"routerId"`
	TransportID string             `json:"transportId"`
	ProducerID  string             `json:"producerId"`
	Producer    RouterProducerInfo `json:"producer"`
}

// EventTransportNewConsumer tells: A transport has a new consumer.
// (transport.newconsumer)
type EventTransportNewConsumer struct {
	RouterID    string             `json:"routerId"`
	TransportID string             `json:"transportId"`
	ConsumerID  string             `json:"consumerId"`
	Consumer    RouterConsumerInfo `json:"consumer"`
}

// EventTransportNewDataProducer tells: A transport has a new data producer.
// (transport.newdataproducer)
type EventTransportNewDataProducer struct {
	RouterID       string                 `json:"routerId"`
	TransportID    string                 `json:"transportId"`
	DataProducerID string                 `json:"dataProducerId"`
	DataProducer   RouterDataProducerInfo `json:"dataProducer"`
}

// EventTransportNewDataConsumer tells: A transport has a new data consumer.
// (transport.newdataconsumer)
type EventTransportNewDataConsumer struct {
	RouterID       string                 `json:"routerId"`
	TransportID    string                 `json:"transportId"`
	DataConsumerID string                 `json:"dataConsumerId"`
	DataConsumer   RouterDataConsumerInfo `json:"dataConsumer"`
}

// EventTransportTrace tells: Something of the types that
// transport.enableTraceEvent has chosen: {type, timestamp, direction, info}.
// (transport.trace)
type EventTransportTrace struct {
	RouterID    string `json:"routerId"`
	TransportID string `json:"transportId"`
	Trace       Trace  `json:"trace"`
}

// EventProducerClosed tells: A producer was closed; its consumers were closed
// before. (producer.closed)
type EventProducerClosed struct {
	RouterID   string `json:"routerId"`
	ProducerID string `json:"producerId"`
	Reason     string `json:"reason"`
}

// EventProducerPaused tells: A producer is not forwarded for now.
// (producer.paused)
type EventProducerPaused struct {
	RouterID   string `json:"routerId"`
	ProducerID string `json:"producerId"`
}

// EventProducerResumed tells: A producer is forwarded again.
// (producer.resumed)
type EventProducerResumed struct {
	RouterID   string `json:"routerId"`
	ProducerID string `json:"producerId"`
}

// EventProducerScore tells: How well the encodings of a producer arrive has
// changed: an array of [EncodingScore](#encodingscore). (producer.score)
type EventProducerScore struct {
	RouterID   string          `json:"routerId"`
	ProducerID string          `json:"producerId"`
	Score      []EncodingScore `json:"score"`
}

// EventProducerVideoOrientationChange tells: The sender's camera is held in
// another way: {camera, flip, rotation}. (producer.videoorientationchange)
type EventProducerVideoOrientationChange struct {
	RouterID         string           `json:"routerId"`
	ProducerID       string           `json:"producerId"`
	VideoOrientation VideoOrientation `json:"videoOrientation"`
}

// EventProducerTrace tells: Something of the types that
// producer.enableTraceEvent has chosen. (producer.trace)
type EventProducerTrace struct {
	RouterID   string `json:"routerId"`
	ProducerID string `json:"producerId"`
	Trace      Trace  `json:"trace"`
}

// EventConsumerClosed tells: A consumer was closed: by command, with its
// transport or its producer. (consumer.closed)
type EventConsumerClosed struct {
	RouterID   string `json:"routerId"`
	ConsumerID string `json:"consumerId"`
	Reason     string `json:"reason"`
}

// EventConsumerPaused tells: A consumer is paused. (consumer.paused)
type EventConsumerPaused struct {
	RouterID   string `json:"routerId"`
	ConsumerID string `json:"consumerId"`
}

// EventConsumerResumed tells: A consumer is not paused any more.
// (consumer.resumed)
type EventConsumerResumed struct {
	RouterID   string `json:"routerId"`
	ConsumerID string `json:"consumerId"`
}

// EventConsumerProducerPause tells: The producer of a consumer is paused.
// (consumer.producerpause)
type EventConsumerProducerPause struct {
	RouterID   string `json:"routerId"`
	ConsumerID string `json:"consumerId"`
}

// EventConsumerProducerResume tells: The producer of a consumer is not paused
// any more. (consumer.producerresume)
type EventConsumerProducerResume struct {
	RouterID   string `json:"routerId"`
	ConsumerID string `json:"consumerId"`
}

// EventConsumerScore tells: How well a consumer is served has changed: a
// [ConsumerScore](#consumerscore). (consumer.score)
type EventConsumerScore struct {
	RouterID   string        `json:"routerId"`
	ConsumerID string        `json:"consumerId"`
	Score      ConsumerScore `json:"score"`
}

// EventConsumerLayersChange tells: Other layers are sent from now on; null is
// nothing. (consumer.layerschange)
type EventConsumerLayersChange struct {
	RouterID   string  `json:"routerId"`
	ConsumerID string  `json:"consumerId"`
	Layers     *Layers `json:"layers"`
}

// EventConsumerRTP tells: A packet of a consumer on a direct transport, in
// base64. (consumer.rtp)
type EventConsumerRTP struct {
	RouterID   string `json:"routerId"`
	ConsumerID string `json:"consumerId"`
	Packet     []byte `json:"packet"`
}

// EventConsumerTrace tells: Something of the types that
// consumer.enableTraceEvent has chosen. (consumer.trace)
type EventConsumerTrace struct {
	RouterID   string `json:"routerId"`
	ConsumerID string `json:"consumerId"`
	Trace      Trace  `json:"trace"`
}

// EventDataProducerClosed tells: A data producer was closed; its data
// consumers were closed before. (dataProducer.closed)
type EventDataProducerClosed struct {
	RouterID       string `json:"routerId"`
	DataProducerID string `json:"dataProducerId"`
	Reason         string `json:"reason"`
}

// EventDataProducerPaused tells: The messages of a data producer are dropped
// for now. (dataProducer.paused)
type EventDataProducerPaused struct {
	RouterID       string `json:"routerId"`
	DataProducerID string `json:"dataProducerId"`
}

// EventDataProducerResumed tells: They are forwarded again.
// (dataProducer.resumed)
type EventDataProducerResumed struct {
	RouterID       string `json:"routerId"`
	DataProducerID string `json:"dataProducerId"`
}

// EventDataConsumerClosed tells: A data consumer was closed: by command, with
// its transport or its data producer. (dataConsumer.closed)
type EventDataConsumerClosed struct {
	RouterID       string `json:"routerId"`
	DataConsumerID string `json:"dataConsumerId"`
	Reason         string `json:"reason"`
}

// EventDataConsumerPaused tells: A data consumer is paused.
// (dataConsumer.paused)
type EventDataConsumerPaused struct {
	RouterID       string `json:"routerId"`
	DataConsumerID string `json:"dataConsumerId"`
}

// EventDataConsumerResumed tells: A data consumer is not paused any more.
// (dataConsumer.resumed)
type EventDataConsumerResumed struct {
	RouterID       string `json:"routerId"`
	DataConsumerID string `json:"dataConsumerId"`
}

// EventDataConsumerDataProducerPause tells: The data producer of a data
// consumer is paused. (dataConsumer.dataproducerpause)
type EventDataConsumerDataProducerPause struct {
	RouterID       string `json:"routerId"`
	DataConsumerID string `json:"dataConsumerId"`
}

// EventDataConsumerDataProducerResume tells: The data producer of a data
// consumer is not paused any more. (dataConsumer.dataproducerresume)
type EventDataConsumerDataProducerResume struct {
	RouterID       string `json:"routerId"`
	DataConsumerID string `json:"dataConsumerId"`
}

// EventDataConsumerMessage tells: A message for a data consumer on a direct
// transport: a text as message, or bytes as binary, in base64.
// (dataConsumer.message)
type EventDataConsumerMessage struct {
	RouterID       string  `json:"routerId"`
	DataConsumerID string  `json:"dataConsumerId"`
	Message        *string `json:"message,omitempty"`
	Binary         []byte  `json:"binary,omitempty"`
	PPID           uint32  `json:"ppid"`
}

// EventDataConsumerSCTPSendBufferFull tells: A message was not sent, as the
// other end has not taken what was sent before.
// (dataConsumer.sctpsendbufferfull)
type EventDataConsumerSCTPSendBufferFull struct {
	RouterID       string `json:"routerId"`
	DataConsumerID string `json:"dataConsumerId"`
}

// EventDataConsumerBufferedAmountLow tells: No more waits for the other end
// than the threshold. (dataConsumer.bufferedamountlow)
type EventDataConsumerBufferedAmountLow struct {
	RouterID       string `json:"routerId"`
	DataConsumerID string `json:"dataConsumerId"`
	BufferedAmount int    `json:"bufferedAmount"`
}

// EventRTPObserverClosed tells: An observer was closed. (rtpObserver.closed)
type EventRTPObserverClosed struct {
	RouterID      string `json:"routerId"`
	RTPObserverID string `json:"rtpObserverId"`
	Reason        string `json:"reason"`
}

// EventRTPObserverPaused tells: An observer looks no more.
// (rtpObserver.paused)
type EventRTPObserverPaused struct {
	RouterID      string `json:"routerId"`
	RTPObserverID string `json:"rtpObserverId"`
}

// EventRTPObserverResumed tells: An observer looks again.
// (rtpObserver.resumed)
type EventRTPObserverResumed struct {
	RouterID      string `json:"routerId"`
	RTPObserverID string `json:"rtpObserverId"`
}

// EventRTPObserverAddProducer tells: An observer looks at one more producer.
// (rtpObserver.addproducer)
type EventRTPObserverAddProducer struct {
	RouterID      string `json:"routerId"`
	RTPObserverID string `json:"rtpObserverId"`
	ProducerID    string `json:"producerId"`
}

// EventRTPObserverRemoveProducer tells: An observer does not look at a
// producer any more. (rtpObserver.removeproducer)
type EventRTPObserverRemoveProducer struct {
	RouterID      string `json:"routerId"`
	RTPObserverID string `json:"rtpObserverId"`
	ProducerID    string `json:"producerId"`
}

// EventRTPObserverVolumes tells: Who is heard, the loudest first, as
// `[{producerId, volume}]` in dBov (−127 to 0). (rtpObserver.volumes)
type EventRTPObserverVolumes struct {
	RouterID      string           `json:"routerId"`
	RTPObserverID string           `json:"rtpObserverId"`
	Volumes       []ProducerVolume `json:"volumes"`
}

// EventRTPObserverSilence tells: Nobody is heard any more.
// (rtpObserver.silence)
type EventRTPObserverSilence struct {
	RouterID      string `json:"routerId"`
	RTPObserverID string `json:"rtpObserverId"`
}

// EventRTPObserverDominantSpeaker tells: A producer has the floor.
// (rtpObserver.dominantspeaker)
type EventRTPObserverDominantSpeaker struct {
	RouterID      string `json:"routerId"`
	RTPObserverID string `json:"rtpObserverId"`
	ProducerID    string `json:"producerId"`
}

func (EventWorkerNewRouter) event()                 {}
func (EventWorkerNewWebRTCServer) event()           {}
func (EventWebRTCServerClosed) event()              {}
func (EventWorkerClosed) event()                    {}
func (EventRouterClosed) event()                    {}
func (EventRouterNewTransport) event()              {}
func (EventRouterNewRTPObserver) event()            {}
func (EventTransportClosed) event()                 {}
func (EventTransportICEStateChange) event()         {}
func (EventTransportICESelectedTupleChange) event() {}
func (EventTransportDTLSStateChange) event()        {}
func (EventTransportSCTPStateChange) event()        {}
func (EventTransportTuple) event()                  {}
func (EventTransportRTCPTuple) event()              {}
func (EventTransportRTCP) event()                   {}
func (EventTransportNewProducer) event()            {}
func (EventTransportNewConsumer) event()            {}
func (EventTransportNewDataProducer) event()        {}
func (EventTransportNewDataConsumer) event()        {}
func (EventTransportTrace) event()                  {}
func (EventProducerClosed) event()                  {}
func (EventProducerPaused) event()                  {}
func (EventProducerResumed) event()                 {}
func (EventProducerScore) event()                   {}
func (EventProducerVideoOrientationChange) event()  {}
func (EventProducerTrace) event()                   {}
func (EventConsumerClosed) event()                  {}
func (EventConsumerPaused) event()                  {}
func (EventConsumerResumed) event()                 {}
func (EventConsumerProducerPause) event()           {}
func (EventConsumerProducerResume) event()          {}
func (EventConsumerScore) event()                   {}
func (EventConsumerLayersChange) event()            {}
func (EventConsumerRTP) event()                     {}
func (EventConsumerTrace) event()                   {}
func (EventDataProducerClosed) event()              {}
func (EventDataProducerPaused) event()              {}
func (EventDataProducerResumed) event()             {}
func (EventDataConsumerClosed) event()              {}
func (EventDataConsumerPaused) event()              {}
func (EventDataConsumerResumed) event()             {}
func (EventDataConsumerDataProducerPause) event()   {}
func (EventDataConsumerDataProducerResume) event()  {}
func (EventDataConsumerMessage) event()             {}
func (EventDataConsumerSCTPSendBufferFull) event()  {}
func (EventDataConsumerBufferedAmountLow) event()   {}
func (EventRTPObserverClosed) event()               {}
func (EventRTPObserverPaused) event()               {}
func (EventRTPObserverResumed) event()              {}
func (EventRTPObserverAddProducer) event()          {}
func (EventRTPObserverRemoveProducer) event()       {}
func (EventRTPObserverVolumes) event()              {}
func (EventRTPObserverSilence) event()              {}
func (EventRTPObserverDominantSpeaker) event()      {}

// objectEventDecoders are the names of the objects' events on the wire.
var objectEventDecoders = map[string]func(json.RawMessage) (Event, error){
	"worker.newrouter":                 decodeEvent[EventWorkerNewRouter],
	"worker.newwebrtcserver":           decodeEvent[EventWorkerNewWebRTCServer],
	"webRtcServer.closed":              decodeEvent[EventWebRTCServerClosed],
	"worker.closed":                    decodeEvent[EventWorkerClosed],
	"router.closed":                    decodeEvent[EventRouterClosed],
	"router.newtransport":              decodeEvent[EventRouterNewTransport],
	"router.newrtpobserver":            decodeEvent[EventRouterNewRTPObserver],
	"transport.closed":                 decodeEvent[EventTransportClosed],
	"transport.icestatechange":         decodeEvent[EventTransportICEStateChange],
	"transport.iceselectedtuplechange": decodeEvent[EventTransportICESelectedTupleChange],
	"transport.dtlsstatechange":        decodeEvent[EventTransportDTLSStateChange],
	"transport.sctpstatechange":        decodeEvent[EventTransportSCTPStateChange],
	"transport.tuple":                  decodeEvent[EventTransportTuple],
	"transport.rtcptuple":              decodeEvent[EventTransportRTCPTuple],
	"transport.rtcp":                   decodeEvent[EventTransportRTCP],
	"transport.newproducer":            decodeEvent[EventTransportNewProducer],
	"transport.newconsumer":            decodeEvent[EventTransportNewConsumer],
	"transport.newdataproducer":        decodeEvent[EventTransportNewDataProducer],
	"transport.newdataconsumer":        decodeEvent[EventTransportNewDataConsumer],
	"transport.trace":                  decodeEvent[EventTransportTrace],
	"producer.closed":                  decodeEvent[EventProducerClosed],
	"producer.paused":                  decodeEvent[EventProducerPaused],
	"producer.resumed":                 decodeEvent[EventProducerResumed],
	"producer.score":                   decodeEvent[EventProducerScore],
	"producer.videoorientationchange":  decodeEvent[EventProducerVideoOrientationChange],
	"producer.trace":                   decodeEvent[EventProducerTrace],
	"consumer.closed":                  decodeEvent[EventConsumerClosed],
	"consumer.paused":                  decodeEvent[EventConsumerPaused],
	"consumer.resumed":                 decodeEvent[EventConsumerResumed],
	"consumer.producerpause":           decodeEvent[EventConsumerProducerPause],
	"consumer.producerresume":          decodeEvent[EventConsumerProducerResume],
	"consumer.score":                   decodeEvent[EventConsumerScore],
	"consumer.layerschange":            decodeEvent[EventConsumerLayersChange],
	"consumer.rtp":                     decodeEvent[EventConsumerRTP],
	"consumer.trace":                   decodeEvent[EventConsumerTrace],
	"dataProducer.closed":              decodeEvent[EventDataProducerClosed],
	"dataProducer.paused":              decodeEvent[EventDataProducerPaused],
	"dataProducer.resumed":             decodeEvent[EventDataProducerResumed],
	"dataConsumer.closed":              decodeEvent[EventDataConsumerClosed],
	"dataConsumer.paused":              decodeEvent[EventDataConsumerPaused],
	"dataConsumer.resumed":             decodeEvent[EventDataConsumerResumed],
	"dataConsumer.dataproducerpause":   decodeEvent[EventDataConsumerDataProducerPause],
	"dataConsumer.dataproducerresume":  decodeEvent[EventDataConsumerDataProducerResume],
	"dataConsumer.message":             decodeEvent[EventDataConsumerMessage],
	"dataConsumer.sctpsendbufferfull":  decodeEvent[EventDataConsumerSCTPSendBufferFull],
	"dataConsumer.bufferedamountlow":   decodeEvent[EventDataConsumerBufferedAmountLow],
	"rtpObserver.closed":               decodeEvent[EventRTPObserverClosed],
	"rtpObserver.paused":               decodeEvent[EventRTPObserverPaused],
	"rtpObserver.resumed":              decodeEvent[EventRTPObserverResumed],
	"rtpObserver.addproducer":          decodeEvent[EventRTPObserverAddProducer],
	"rtpObserver.removeproducer":       decodeEvent[EventRTPObserverRemoveProducer],
	"rtpObserver.volumes":              decodeEvent[EventRTPObserverVolumes],
	"rtpObserver.silence":              decodeEvent[EventRTPObserverSilence],
	"rtpObserver.dominantspeaker":      decodeEvent[EventRTPObserverDominantSpeaker],
}
