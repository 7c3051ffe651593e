package takosapi

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal"
)

var webRTCCommands = []command{
	creates(define("worker.createWebRtcServer", "Opens sockets that any number of the worker's webrtc transports can share. The server's own port is there without.",
		createWebRTCServer, WorkerNotFound, InvalidMedia, LimitReached, PortInUse, NoSuchAddress)),
	reads(define("webRtcServer.dump", "Tells all about a WebRTC server.", dumpWebRTCServer, webRTCServerErrors...)),
	define("webRtcServer.close", "Closes a WebRTC server and the transports that are reached at it.", closeWebRTCServer, webRTCServerErrors...),
	creates(define("router.createWebRtcTransport", "Makes a transport for a browser or another WebRTC client. Without webRtcServerId, listenInfos and listenIps it is reached at the server's own port.",
		createWebRTCTransport, RouterNotFound, PeerNotFound, WebRTCServerNotFound, InvalidMedia, LimitReached, PortInUse, NoSuchAddress)),
}

var webRTCServerErrors = []Code{WorkerNotFound, WebRTCServerNotFound}

type webRTCServerRef struct {
	workerRef
	WebRTCServerID string `json:"webRtcServerId" check:"id" doc:"the WebRTC server's id"`
}

func (c *caller) webRTCServer(ref webRTCServerRef) (*sfu.WebRTCServer, error) {
	w, err := c.worker(ref.workerRef)
	if err != nil {
		return nil, err
	}
	if v := w.WebRTCServer(ref.WebRTCServerID); v != nil {
		return v, nil
	}
	return nil, errorf(WebRTCServerNotFound, "the worker has no WebRTC server %q", signal.Clip(ref.WebRTCServerID))
}

type createWebRTCServerRequest struct {
	workerRef
	ListenInfos []listenInfo    `json:"listenInfos" check:"required,nested,max=32" doc:"the sockets, the most preferred first"`
	AppData     json.RawMessage `json:"appData" doc:"anything; it comes back in WebRTCServerInfo"`
}

// WebRTCServerInfo describes a WebRTC server.
type WebRTCServerInfo struct {
	ID      string `json:"id" doc:"the WebRTC server's id"`
	AppData any    `json:"appData,omitempty" doc:"what was given to worker.createWebRtcServer"`
}

func webRTCServerInfo(v *sfu.WebRTCServer) WebRTCServerInfo {
	return WebRTCServerInfo{ID: v.ID(), AppData: v.AppData()}
}

func createWebRTCServer(c *caller, q *createWebRTCServerRequest) (WebRTCServerInfo, error) {
	w, err := c.worker(q.workerRef)
	if err != nil {
		return WebRTCServerInfo{}, err
	}
	list, err := socketsOf(q.ListenInfos)
	if err != nil {
		return WebRTCServerInfo{}, err
	}
	v, err := w.NewWebRTCServer(list, appData(q.AppData))
	if err != nil {
		return WebRTCServerInfo{}, err
	}
	return webRTCServerInfo(v), nil
}

func dumpWebRTCServer(c *caller, q *webRTCServerRef) (sfu.WebRTCServerDump, error) {
	v, err := c.webRTCServer(*q)
	if err != nil {
		return sfu.WebRTCServerDump{}, err
	}
	return v.Dump()
}

func closeWebRTCServer(c *caller, q *webRTCServerRef) (none, error) {
	w, err := c.worker(q.workerRef)
	if err != nil {
		return none{}, err
	}
	v, err := c.webRTCServer(*q)
	if err == nil {
		w.CloseWebRTCServer(v)
	}
	return none{}, err
}

func socketsOf(infos []listenInfo) ([]sfu.ListenInfo, error) {
	var list []sfu.ListenInfo
	for i, info := range infos {
		socket, err := info.socket(fmt.Sprintf("listenInfos[%d]", i))
		if err != nil {
			return nil, err
		}
		list = append(list, socket)
	}
	return list, nil
}

type createWebRTCTransportRequest struct {
	routerRef
	ownerOption
	WebRTCServerID  string       `json:"webRtcServerId" check:"max=256" doc:"where it is reached: at a WebRTC server of the same worker"`
	ListenInfos     []listenInfo `json:"listenInfos" check:"nested,max=32" doc:"or at sockets of its own"`
	ListenIPs       []listenIP   `json:"listenIps" check:"max=32" doc:"the old form of listenInfos: addresses, or {ip, announcedIp}"`
	Port            int          `json:"port" check:"min=0,max=65535" doc:"with listenIps"`
	EnableUDP       *bool        `json:"enableUdp" doc:"whether UDP candidates are offered and taken; default true"`
	EnableTCP       *bool        `json:"enableTcp" doc:"the same for TCP; default true at a WebRTC server, false with listenIps"`
	PreferUDP       bool         `json:"preferUdp" doc:"whether UDP comes first"`
	PreferTCP       bool         `json:"preferTcp" doc:"whether TCP comes first"`
	ConsentTimeout  *int         `json:"iceConsentTimeout" check:"min=0,max=3600" doc:"seconds without a check of the other end after which ICE is disconnected; 0 is never; default the server's setting"`
	InitialOutgoing *int         `json:"initialAvailableOutgoingBitrate" check:"min=0,max=4000000000" doc:"bit/s that the other end's line is taken to carry at first; default 600000"`
	objectSCTPOptions
	AppData json.RawMessage `json:"appData" doc:"anything; it comes back in RouterTransportInfo"`
}

// listenIP is an address, or one and how it is announced.
type listenIP struct{ ip, announced string }

// UnmarshalJSON takes either form.
func (l *listenIP) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &l.ip) == nil {
		return nil
	}
	var o struct{ IP, AnnouncedIP string }
	if err := json.Unmarshal(data, &o); err != nil {
		return errorf(InvalidField, "data.listenIps has something that is neither an address nor {ip, announcedIp}")
	}
	l.ip, l.announced = o.IP, o.AnnouncedIP
	return nil
}

// initialOutgoing is what applications of mediasoup count on. Rooms begin lower.
const initialOutgoing sfu.Bitrate = 600_000

func createWebRTCTransport(c *caller, q *createWebRTCTransportRequest) (RouterTransportInfo, error) {
	r, err := c.router(q.routerRef)
	if err != nil {
		return RouterTransportInfo{}, err
	}
	o := sfu.WebRTCTransportOptions{Protocols: q.protocols(), SCTP: q.options(), AppData: appData(q.AppData)}
	if err := q.where(r, &o); err != nil {
		return RouterTransportInfo{}, err
	}
	o.OutgoingBitrates.Initial = initialOutgoing
	if q.InitialOutgoing != nil {
		o.OutgoingBitrates.Initial = sfu.Bitrate(*q.InitialOutgoing)
	}
	if q.ConsentTimeout != nil {
		if o.ConsentTimeout = time.Duration(*q.ConsentTimeout) * time.Second; o.ConsentTimeout == 0 {
			o.ConsentTimeout = -1
		}
	}
	return q.make(r, o.AppData, func(e room.TransportEvents) (*sfu.Transport, error) {
		o.Events.Closed, o.Events.ICEStateChange, o.Events.DTLSStateChange = e.Closed, e.ICEState, e.DTLSState
		t, err := r.NewWebRTCTransport(o)
		if err != nil {
			return nil, err
		}
		return &t.Transport, nil
	})
}

// where fills in how the transport is reached.
func (q *createWebRTCTransportRequest) where(r foundRouter, o *sfu.WebRTCTransportOptions) (err error) {
	given := 0
	for _, is := range []bool{q.WebRTCServerID != "", q.ListenInfos != nil, q.ListenIPs != nil} {
		if is {
			given++
		}
	}
	switch {
	case given > 1:
		return errorf(InvalidField, "data.webRtcServerId, data.listenInfos and data.listenIps exclude each other")
	case q.WebRTCServerID != "":
		if r.ofWorker == nil || r.ofWorker.Worker().WebRTCServer(q.WebRTCServerID) == nil {
			return errorf(WebRTCServerNotFound, "the router's worker has no WebRTC server %q", signal.Clip(q.WebRTCServerID))
		}
		o.Server = r.ofWorker.Worker().WebRTCServer(q.WebRTCServerID)
	case q.ListenInfos != nil:
		if o.ListenInfos, err = socketsOf(q.ListenInfos); err == nil && len(o.ListenInfos) == 0 {
			err = errorf(InvalidField, "data.listenInfos is empty")
		}
	case q.ListenIPs != nil:
		o.ListenInfos, err = q.listenInfos()
	}
	return err
}

// listenInfos are what listenIps stands for: each address by each protocol that
// is enabled, the preferred one first.
func (q *createWebRTCTransportRequest) listenInfos() (list []sfu.ListenInfo, err error) {
	udp, tcp := enabled(q.EnableUDP, true), enabled(q.EnableTCP, false)
	for _, l := range q.ListenIPs {
		ip, err := parseIP(l.ip)
		if err != nil {
			return nil, errorf(InvalidField, "data.listenIps: %q is not an IP address", signal.Clip(l.ip))
		}
		info := sfu.ListenInfo{Protocol: sfu.UDP, IP: ip, AnnouncedAddress: l.announced, Port: uint16(q.Port)}
		byTCP := info
		byTCP.Protocol = sfu.TCP
		if tcp && q.PreferTCP && !q.PreferUDP {
			list = append(list, byTCP)
		}
		if udp {
			list = append(list, info)
		}
		if tcp && !(q.PreferTCP && !q.PreferUDP) {
			list = append(list, byTCP)
		}
	}
	if len(list) == 0 {
		return nil, errorf(InvalidField, "data.listenIps is empty, or neither UDP nor TCP is enabled")
	}
	return list, nil
}

func (q *createWebRTCTransportRequest) protocols() sfu.Protocols {
	return sfu.Protocols{
		DisableUDP: !enabled(q.EnableUDP, true),
		DisableTCP: !enabled(q.EnableTCP, q.ListenIPs == nil),
		PreferTCP:  q.PreferTCP && !q.PreferUDP,
	}
}

func enabled(given *bool, otherwise bool) bool {
	if given != nil {
		return *given
	}
	return otherwise
}
