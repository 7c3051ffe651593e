package takosapi

import (
	"encoding/json"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/worker"
)

var workerCommands = []command{
	creates(define("worker.create", "Makes a worker: routers that belong together, are owned by the API key, and end together. There is no process behind it. "+
		"Over a WebSocket the connection gets its events, as if by worker.attach.", createWorker, LimitReached, InvalidMedia, NeedsConnection, ServerClosing)),
	reads(define("worker.list", "Describes the workers that the key may use.", listWorkers)),
	reads(define("worker.attach", "Has this connection get the events of a worker and of all that belongs to it, and describes these as they are now: for a client that comes back after its connection was lost.",
		attachWorker, NeedsConnection, WorkerNotFound)),
	reads(define("worker.detach", "Has this connection get no more events of a worker.", detachWorker, NeedsConnection, WorkerNotFound)),
	define("worker.close", "Closes a worker and all that belongs to it.", closeWorker, WorkerNotFound),
	reads(define("worker.dump", "Lists what belongs to a worker.", dumpWorker, WorkerNotFound)),
	reads(define("worker.getResourceUsage", "Tells what the server has used of its machine; workers share it.", workerUsage, WorkerNotFound)),
	define("worker.updateSettings", "Changes what of a worker's log its connections get, as worker.log events.", updateWorkerSettings, WorkerNotFound, InvalidMedia),
	creates(define("worker.createRouter", "Makes a router.", createRouter, WorkerNotFound, InvalidMedia, Unsupported, LimitReached, ServerClosing)),
}

type loggingRequest struct {
	LogLevel string   `json:"logLevel" check:"enum=debug|warn|error|none" doc:"of the messages that are told; default error"`
	LogTags  []string `json:"logTags" check:"max=100" doc:"what debug messages are about: info, ice, dtls, rtp, srtp, rtcp, rtx, bwe, score, simulcast, svc, sctp, message"`
}

func (q loggingRequest) logging() worker.Logging {
	return worker.Logging{Level: worker.LogLevel(q.LogLevel), Tags: q.LogTags}
}

type createWorkerRequest struct {
	loggingRequest
	RTCMinPort   int             `json:"rtcMinPort" check:"min=0,max=65535" doc:"the first port for sockets that are given none; with rtcMaxPort"`
	RTCMaxPort   int             `json:"rtcMaxPort" check:"min=0,max=65535" doc:"the last one; default the server's own range"`
	Certificate  string          `json:"dtlsCertificate" check:"text,max=65536" doc:"PEM, for DTLS handshakes; default the server's own"`
	PrivateKey   string          `json:"dtlsPrivateKey" check:"text,max=65536" doc:"PEM, its key"`
	OnDisconnect string          `json:"onDisconnect" check:"enum=keep|close" doc:"what becomes of it when no connection that made it or attached to it is left; default \"keep\""`
	GraceMs      *int            `json:"disconnectGraceMs" check:"min=0,max=3600000" doc:"how long \"close\" waits for one to come back, unless the last was closed with code 1000; default 10000"`
	AppData      json.RawMessage `json:"appData" doc:"anything; it comes back in WorkerInfo"`
}

const defaultGrace = 10 * time.Second

func createWorker(c *caller, q *createWorkerRequest) (WorkerInfo, error) {
	o := worker.Options{
		Owner: c.access.KeyName, CloseWhenReleased: q.OnDisconnect == "close", Grace: defaultGrace, AppData: appData(q.AppData),
		Settings: worker.Settings{
			Logging:        q.logging(),
			Ports:          sfu.PortRange{Min: uint16(q.RTCMinPort), Max: uint16(q.RTCMaxPort)},
			CertificatePEM: q.Certificate, PrivateKeyPEM: q.PrivateKey,
		},
	}
	if q.GraceMs != nil {
		o.Grace = time.Duration(*q.GraceMs) * time.Millisecond
	}
	if o.CloseWhenReleased && c.session == nil {
		return WorkerInfo{}, errorf(NeedsConnection, `onDisconnect "close" needs a WebSocket, whose end it could be`)
	}
	w, err := c.door.workers.Create(o)
	if err != nil {
		return WorkerInfo{}, err
	}
	if c.session != nil {
		c.session.attachWorker(w)
	}
	return workerInfo(w), nil
}

// Workers is the answer of worker.list.
type Workers struct {
	Workers []WorkerInfo `json:"workers" doc:"the oldest first"`
}

func listWorkers(c *caller, _ *none) (Workers, error) {
	list := Workers{[]WorkerInfo{}}
	for _, w := range c.door.workers.Workers() {
		if c.mayUseWorker(w) {
			list.Workers = append(list.Workers, workerInfo(w))
		}
	}
	return list, nil
}

func attachWorker(c *caller, q *workerRef) (WorkerSnapshot, error) {
	w, err := c.worker(*q)
	if err != nil {
		return WorkerSnapshot{}, err
	}
	if c.session == nil {
		return WorkerSnapshot{}, errorf(NeedsConnection, "worker.attach needs a WebSocket, over which events could come")
	}
	c.session.attachWorker(w)
	return workerSnapshot(w), nil
}

func detachWorker(c *caller, q *workerRef) (none, error) {
	w, err := c.worker(*q)
	if err != nil {
		return none{}, err
	}
	if c.session == nil {
		return none{}, errorf(NeedsConnection, "worker.detach needs the WebSocket that is attached")
	}
	c.session.detach(w.ID(), false)
	return none{}, nil
}

func closeWorker(c *caller, q *workerRef) (none, error) {
	w, err := c.worker(*q)
	if err == nil {
		w.Close()
	}
	return none{}, err
}

// WorkerDump is the answer of worker.dump.
type WorkerDump struct {
	PID                    int                    `json:"pid" doc:"of the server"`
	WebRTCServerIDs        []string               `json:"webRtcServerIds" doc:"the oldest first"`
	RouterIDs              []string               `json:"routerIds" doc:"the oldest first"`
	ChannelMessageHandlers ChannelMessageHandlers `json:"channelMessageHandlers" doc:"what can be addressed"`
}

// ChannelMessageHandlers lists what commands of a worker can address.
type ChannelMessageHandlers struct {
	Requests      []string `json:"channelRequestHandlers" doc:"ids of the WebRTC servers, routers, and of what is in them"`
	Notifications []string `json:"channelNotificationHandlers" doc:"ids of what takes messages without an answer: transports, producers and data producers"`
}

func dumpWorker(c *caller, q *workerRef) (WorkerDump, error) {
	w, err := c.worker(*q)
	if err != nil {
		return WorkerDump{}, err
	}
	d := WorkerDump{
		PID: w.PID(), WebRTCServerIDs: []string{}, RouterIDs: []string{},
		ChannelMessageHandlers: ChannelMessageHandlers{[]string{}, []string{}},
	}
	handlers := &d.ChannelMessageHandlers
	for _, v := range w.WebRTCServers() {
		d.WebRTCServerIDs = append(d.WebRTCServerIDs, v.ID())
		handlers.Requests = append(handlers.Requests, v.ID())
	}
	for _, r := range w.Routers() {
		d.RouterIDs = append(d.RouterIDs, r.ID())
		handlers.add(r.Router)
	}
	return d, nil
}

// add lists a router and what is in it.
func (h *ChannelMessageHandlers) add(r *sfu.Router) {
	h.Requests = append(h.Requests, r.ID())
	both := func(id string) { h.Requests, h.Notifications = append(h.Requests, id), append(h.Notifications, id) }
	for _, t := range r.Transports() {
		both(t.ID())
	}
	for _, p := range r.Producers() {
		both(p.ID())
	}
	for _, p := range r.DataProducers() {
		both(p.ID())
	}
	for _, c := range r.Consumers() {
		h.Requests = append(h.Requests, c.ID())
	}
	for _, c := range r.DataConsumers() {
		h.Requests = append(h.Requests, c.ID())
	}
	for _, o := range r.RTPObservers() {
		h.Requests = append(h.Requests, o.ID())
	}
}

func workerUsage(c *caller, q *workerRef) (worker.ResourceUsage, error) {
	if _, err := c.worker(*q); err != nil {
		return worker.ResourceUsage{}, err
	}
	return worker.Usage()
}

type updateWorkerSettingsRequest struct {
	workerRef
	loggingRequest
}

func updateWorkerSettings(c *caller, q *updateWorkerSettingsRequest) (none, error) {
	w, err := c.worker(q.workerRef)
	if err != nil {
		return none{}, err
	}
	return none{}, w.SetLogging(q.logging())
}

type createRouterRequest struct {
	workerRef
	MediaCodecs []ortc.RTPCodecCapability `json:"mediaCodecs" check:"max=100" doc:"what may be sent, preferred first; default nothing"`
	AppData     json.RawMessage           `json:"appData" doc:"anything; it comes back in RouterInfo"`
}

func createRouter(c *caller, q *createRouterRequest) (RouterInfo, error) {
	w, err := c.worker(q.workerRef)
	if err != nil {
		return RouterInfo{}, err
	}
	r, err := w.NewRouter(q.MediaCodecs, appData(q.AppData))
	if err != nil {
		return RouterInfo{}, err
	}
	return routerInfo(foundRouter{Router: r.Router, ofWorker: r}), nil
}
