package takosapi

import (
	"encoding/json"

	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
)

var transportCommands = []command{
	creates(define("createTransport", "Makes a WebRTC transport for a peer.", createTransport,
		RoomNotFound, PeerNotFound, InvalidMedia, LimitReached)),
	define("connectTransport", "Hands over the client's DTLS parameters. It works once per transport.", connectTransport,
		RoomNotFound, PeerNotFound, TransportNotFound, InvalidMedia, InvalidState),
	define("restartIce", "Makes new ICE credentials, which the client hands to its transport's restartIce.", restartICE,
		RoomNotFound, PeerNotFound, TransportNotFound),
	define("setMaxIncomingBitrate", "Limits what the client is asked to send over a transport.", setMaxIncomingBitrate,
		RoomNotFound, PeerNotFound, TransportNotFound),
	define("setMaxOutgoingBitrate", "Limits what the client is sent over a transport.", setMaxOutgoingBitrate,
		RoomNotFound, PeerNotFound, TransportNotFound, InvalidMedia),
	define("setMinOutgoingBitrate", "Has so much sent over a transport, however narrow its line seems.", setMinOutgoingBitrate,
		RoomNotFound, PeerNotFound, TransportNotFound, InvalidMedia),
	define("closeTransport", "Closes a transport, its producers and its consumers.", closeTransport,
		RoomNotFound, PeerNotFound, TransportNotFound),
	reads(define("getTransportInfo", "Describes a transport; null if there is none.", getTransportInfo)),
	reads(define("getTransportStats", "Figures of a transport.", getTransportStats,
		RoomNotFound, PeerNotFound, TransportNotFound)),
}

type transportRef struct {
	peerRef
	TransportID string `json:"transportId" check:"id" doc:"the transport's id"`
}

type transportOptions struct {
	MaxIncomingBitrate int   `json:"maxIncomingBitrate" check:"min=0,max=4000000000" doc:"bit/s; 0 is no limit"`
	InitialOutgoing    int   `json:"initialAvailableOutgoingBitrate" check:"min=0,max=4000000000" doc:"bit/s that the client's line is taken to carry at first; 0 is 300000"`
	MinOutgoing        int   `json:"minOutgoingBitrate" check:"min=0,max=4000000000" doc:"bit/s that are sent however narrow the line seems; 0 is 30000"`
	MaxOutgoing        int   `json:"maxOutgoingBitrate" check:"min=0,max=4000000000" doc:"bit/s that are sent at most; 0 is no limit"`
	EnableUDP          *bool `json:"enableUdp" doc:"whether UDP candidates are offered and taken; default true"`
	EnableTCP          *bool `json:"enableTcp" doc:"the same for TCP, where the server listens to it; default true"`
	PreferTCP          bool  `json:"preferTcp" doc:"whether TCP comes before UDP"`
	sctpOptions
	AppData json.RawMessage `json:"appData" doc:"anything; it comes back in TransportInfo"`
}

func (o *transportOptions) protocols() room.Protocols {
	disabled := func(enabled *bool) bool { return enabled != nil && !*enabled }
	return room.Protocols{DisableUDP: disabled(o.EnableUDP), DisableTCP: disabled(o.EnableTCP), PreferTCP: o.PreferTCP}
}

func (o *transportOptions) outgoing() room.OutgoingBitrates {
	return room.NewOutgoingBitrates(uint64(o.InitialOutgoing), uint64(o.MinOutgoing), uint64(o.MaxOutgoing))
}

type createTransportRequest struct {
	peerRef
	Direction string           `json:"direction" check:"required,enum=send|recv" doc:"\"send\" for producers, \"recv\" for consumers"`
	Options   transportOptions `json:"options" check:"nested" doc:"the transport's properties"`
}

func createTransport(c *caller, q *createTransportRequest) (TransportInfo, error) {
	p, err := c.peer(q.peerRef)
	if err != nil {
		return TransportInfo{}, err
	}
	direction := room.Send
	if q.Direction == "recv" {
		direction = room.Receive
	}
	t, err := p.CreateTransport(direction, room.TransportOptions{
		MaxIncomingBitrate: uint64(q.Options.MaxIncomingBitrate), OutgoingBitrates: q.Options.outgoing(), Protocols: q.Options.protocols(),
		SCTP: q.Options.sctpOptions.room(), AppData: appData(q.Options.AppData),
	})
	if err != nil {
		return TransportInfo{}, err
	}
	return transportInfo(t), nil
}

type dtlsFingerprint struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

type dtlsParameters struct {
	Role         string            `json:"role" check:"enum=auto|client|server" doc:"the client's role; default \"auto\""`
	Fingerprints []dtlsFingerprint `json:"fingerprints" check:"required,min=1,max=32" doc:"[{algorithm, value}] of the client's certificate; sha-1 to sha-512, hex in either case"`
}

// room returns the parameters as the rooms take them.
func (p dtlsParameters) room() room.DTLSParameters {
	remote := room.DTLSParameters{Role: room.DTLSRole(p.Role)}
	for _, f := range p.Fingerprints {
		remote.Fingerprints = append(remote.Fingerprints, room.Fingerprint(f))
	}
	return remote
}

type connectTransportRequest struct {
	transportRef
	DTLSParameters dtlsParameters `json:"dtlsParameters" check:"required,nested" doc:"from mediasoup-client's connect event"`
}

func connectTransport(c *caller, q *connectTransportRequest) (none, error) {
	t, err := c.transport(q.transportRef)
	if err != nil {
		return none{}, err
	}
	return none{}, t.Connect(q.DTLSParameters.room())
}

// RestartedICE is the answer of restartIce.
type RestartedICE struct {
	ICEParameters sfu.ICEParameters `json:"iceParameters" doc:"{usernameFragment, password, iceLite}"`
}

func restartICE(c *caller, q *transportRef) (RestartedICE, error) {
	t, err := c.transport(*q)
	if err != nil {
		return RestartedICE{}, err
	}
	if t.WebRTC() == nil {
		return RestartedICE{}, errorf(InvalidState, "transport %q has no ICE", t.ID())
	}
	parameters, err := t.WebRTC().RestartICE()
	return RestartedICE{parameters}, err
}

type setMaxIncomingBitrateRequest struct {
	transportRef
	Bitrate int `json:"bitrate" check:"required,min=0,max=4000000000" doc:"bit/s; 0 is no limit"`
}

func setMaxIncomingBitrate(c *caller, q *setMaxIncomingBitrateRequest) (none, error) {
	t, err := c.transport(q.transportRef)
	if err != nil {
		return none{}, err
	}
	return none{}, t.SetMaxIncomingBitrate(uint64(q.Bitrate))
}

type setOutgoingBitrateRequest struct {
	transportRef
	Bitrate int `json:"bitrate" check:"required,min=0,max=4000000000" doc:"bit/s; 0 is as if it had never been set"`
}

func setMaxOutgoingBitrate(c *caller, q *setOutgoingBitrateRequest) (none, error) {
	t, err := c.transport(q.transportRef)
	if err != nil {
		return none{}, err
	}
	return none{}, t.SetMaxOutgoingBitrate(uint64(q.Bitrate))
}

func setMinOutgoingBitrate(c *caller, q *setOutgoingBitrateRequest) (none, error) {
	t, err := c.transport(q.transportRef)
	if err != nil {
		return none{}, err
	}
	return none{}, t.SetMinOutgoingBitrate(uint64(q.Bitrate))
}

func closeTransport(c *caller, q *transportRef) (none, error) {
	t, err := c.transport(*q)
	if err != nil {
		return none{}, err
	}
	t.Close("")
	return none{}, nil
}

func getTransportInfo(c *caller, q *transportRef) (*TransportInfo, error) {
	t, err := c.transport(*q)
	if err != nil {
		return nil, unlessMissing(err)
	}
	info := transportInfo(t)
	return &info, nil
}

func getTransportStats(c *caller, q *transportRef) (TransportFigures, error) {
	t, err := c.transport(*q)
	if err != nil {
		return TransportFigures{}, err
	}
	return TransportFigures{[]sfu.TransportStats{t.Media().Stats()}}, nil
}
