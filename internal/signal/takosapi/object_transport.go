package takosapi

import (
	"encoding/base64"
	"encoding/json"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
)

var routerTransportCommands = []command{
	define("transport.close", "Closes a transport and all that is on it.", closeRouterTransport, transportErrors...),
	reads(define("transport.dump", "Tells all about a transport.", dumpTransport, transportErrors...)),
	reads(define("transport.getStats", "Figures of a transport.", routerTransportStats, transportErrors...)),
	define("transport.connect", "Tells a transport who is at its other end: dtlsParameters for a webrtc transport, ip and port for a plain or pipe one. It works once.",
		connectRouterTransport, append(transportErrors, InvalidMedia, InvalidState)...),
	define("transport.restartIce", "Makes new ICE credentials, of a webrtc transport.", restartRouterTransport, append(transportErrors, InvalidState)...),
	define("transport.setMaxIncomingBitrate", "Limits what the other end is asked to send.", setTransportMaxIncoming, transportErrors...),
	define("transport.setMaxOutgoingBitrate", "Limits what is sent.", setTransportMaxOutgoing, append(transportErrors, InvalidMedia)...),
	define("transport.setMinOutgoingBitrate", "Has so much sent, however narrow the line seems.", setTransportMinOutgoing, append(transportErrors, InvalidMedia)...),
	define("transport.enableTraceEvent", "Has transport.trace events told, of the types given and no others.", traceTransport, transportErrors...),
	define("transport.sendRtcp", "Hands RTCP to a direct transport, as if it had come from its other end.", sendTransportRTCP, append(transportErrors, InvalidState)...),
	creates(define("transport.produce", "Takes in media.", produce, append(transportErrors, InvalidMedia, Unsupported, InvalidState, LimitReached, WrongDirection)...)),
	creates(define("transport.consume", "Sends a producer of the router.", consume, append(transportErrors, ProducerNotFound, ConsumerError, InvalidMedia, Unsupported, InvalidState, LimitReached, WrongDirection)...)),
	creates(define("transport.produceData", "Takes in messages.", produceData, append(transportErrors, InvalidMedia, InvalidState, LimitReached, WrongDirection)...)),
	creates(define("transport.consumeData", "Sends the messages of a data producer of the router.", consumeData,
		append(transportErrors, DataProducerNotFound, InvalidMedia, InvalidState, LimitReached, WrongDirection)...)),
}

var transportErrors = []Code{RouterNotFound, TransportNotFound}

func closeRouterTransport(c *caller, q *routerTransportRef) (none, error) {
	t, err := c.routerTransport(*q)
	if err == nil {
		t.Close()
	}
	return none{}, err
}

type srtpParameters struct {
	CryptoSuite string `json:"cryptoSuite" check:"required,enum=AEAD_AES_256_GCM|AEAD_AES_128_GCM|AES_CM_128_HMAC_SHA1_80|AES_CM_128_HMAC_SHA1_32" doc:"of RFC 4568 and RFC 7714"`
	KeyBase64   string `json:"keyBase64" check:"required,min=1,max=256" doc:"key and salt"`
}

type connectRouterTransportRequest struct {
	routerTransportRef
	DTLSParameters *dtlsParameters `json:"dtlsParameters" check:"nested" doc:"of the other end of a webrtc transport"`
	IP             string          `json:"ip" check:"max=64" doc:"where the other end of a plain or pipe transport is; not with comedia"`
	Port           int             `json:"port" check:"min=0,max=65535" doc:"its port"`
	RTCPPort       int             `json:"rtcpPort" check:"min=0,max=65535" doc:"its port for RTCP, without rtcpMux"`
	SRTPParameters *srtpParameters `json:"srtpParameters" check:"nested" doc:"its key, with enableSrtp"`
}

// ConnectedTransport is the answer of transport.connect: what that has changed.
type ConnectedTransport struct {
	DTLSLocalRole  string              `json:"dtlsLocalRole,omitempty" doc:"client or server, of a webrtc transport"`
	Tuple          *sfu.TransportTuple `json:"tuple,omitempty" doc:"of a plain or pipe transport"`
	RTCPTuple      *sfu.TransportTuple `json:"rtcpTuple,omitempty" doc:"of a plain transport without rtcpMux"`
	SRTPParameters *sfu.SRTPParameters `json:"srtpParameters,omitempty" doc:"of a transport with enableSrtp"`
}

func restartRouterTransport(c *caller, q *routerTransportRef) (RestartedICE, error) {
	t, err := c.routerTransport(*q)
	if err != nil {
		return RestartedICE{}, err
	}
	webrtc, ok := t.Kind().(*sfu.WebRTCTransport)
	if !ok {
		return RestartedICE{}, errorf(InvalidState, "transport %q has no ICE", t.ID())
	}
	parameters, err := webrtc.RestartICE()
	return RestartedICE{parameters}, err
}

type routerTransportBitrateRequest struct {
	routerTransportRef
	Bitrate int `json:"bitrate" check:"required,min=0,max=4000000000" doc:"bit/s; 0 is no limit"`
}

func setTransportMaxIncoming(c *caller, q *routerTransportBitrateRequest) (none, error) {
	return setTransportBitrate(c, q, (*sfu.Transport).SetMaxIncomingBitrate)
}

func setTransportMaxOutgoing(c *caller, q *routerTransportBitrateRequest) (none, error) {
	return setTransportBitrate(c, q, (*sfu.Transport).SetMaxOutgoingBitrate)
}

func setTransportMinOutgoing(c *caller, q *routerTransportBitrateRequest) (none, error) {
	return setTransportBitrate(c, q, (*sfu.Transport).SetMinOutgoingBitrate)
}

func setTransportBitrate(c *caller, q *routerTransportBitrateRequest, set func(*sfu.Transport, sfu.Bitrate) error) (none, error) {
	t, err := c.routerTransport(q.routerTransportRef)
	if err != nil {
		return none{}, err
	}
	return none{}, set(t, sfu.Bitrate(q.Bitrate))
}

type traceTransportRequest struct {
	routerTransportRef
	Types []string `json:"types" check:"max=10" doc:"of probation and bwe; default none; others are left out"`
}

type sendRTCPRequest struct {
	routerTransportRef
	Packet string `json:"rtcpPacket" check:"required,max=90000" doc:"a compound packet, in base64"`
}

func sendTransportRTCP(c *caller, q *sendRTCPRequest) (none, error) {
	t, err := c.routerTransport(q.routerTransportRef)
	if err != nil {
		return none{}, err
	}
	direct, ok := t.Kind().(*sfu.DirectTransport)
	if !ok {
		return none{}, errorf(InvalidState, "transport %q is not direct", t.ID())
	}
	packet, err := decodeBase64("rtcpPacket", q.Packet)
	if err != nil {
		return none{}, err
	}
	return none{}, direct.SendRTCP(packet)
}

// decodeBase64 reads what JSON has no type for.
func decodeBase64(field, text string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errorf(InvalidField, "data.%s is not base64", field)
	}
	return data, nil
}

type produceRequest struct {
	routerTransportRef
	ID                   string             `json:"id" check:"max=256" doc:"for the producer, unique in the router; default a new one"`
	Kind                 string             `json:"kind" check:"required,enum=audio|video" doc:"what it is"`
	RTPParameters        ortc.RTPParameters `json:"rtpParameters" check:"required" doc:"as mediasoup's"`
	Paused               bool               `json:"paused" doc:"whether to begin paused"`
	KeyFrameRequestDelay int                `json:"keyFrameRequestDelay" check:"min=0,max=60000" doc:"ms, the least between two requests for a keyframe; default as soon as makes sense"`
	PacketID             bool               `json:"enableMediasoupPacketIdHeaderExtension" doc:"whether consumers get packets with the header extension mediasoup:packet-id"`
	AppData              json.RawMessage    `json:"appData" doc:"anything; it comes back in RouterProducerInfo"`
}

func produce(c *caller, q *produceRequest) (RouterProducerInfo, error) {
	t, owned, err := c.ownedTransport(q.routerTransportRef)
	if err != nil {
		return RouterProducerInfo{}, err
	}
	p, err := produceOn(t, owned, sfu.ProducerOptions{
		ID: q.ID, Kind: ortc.MediaKind(q.Kind), RTPParameters: q.RTPParameters, Paused: q.Paused,
		KeyFrameRequestDelay: milliseconds(&q.KeyFrameRequestDelay), NumberPackets: q.PacketID, AppData: appData(q.AppData),
	})
	if err != nil {
		return RouterProducerInfo{}, err
	}
	return routerProducerInfo(p), nil
}

type consumeRequest struct {
	routerTransportRef
	ProducerID      string               `json:"producerId" check:"id" doc:"where the media comes from"`
	RTPCapabilities ortc.RTPCapabilities `json:"rtpCapabilities" doc:"of the receiving device; on a pipe transport they are not looked at, on others they must be given"`
	Paused          bool                 `json:"paused" doc:"whether to begin paused"`
	MID             string               `json:"mid" check:"max=16" doc:"for the consumer, unique on the transport; default counted up"`
	PreferredLayers objectLayers         `json:"preferredLayers" check:"nested" doc:"the highest layers wanted, of simulcast or SVC; default all"`
	EnableRTX       *bool                `json:"enableRtx" doc:"whether what is lost is sent again; default true for video, false for audio"`
	IgnoreDTX       bool                 `json:"ignoreDtx" doc:"whether Opus packets that say nothing are left out"`
	Pipe            bool                 `json:"pipe" doc:"whether all encodings are sent, for another router"`
	AppData         json.RawMessage      `json:"appData" doc:"anything; it comes back in RouterConsumerInfo"`
}

func consume(c *caller, q *consumeRequest) (RouterConsumerInfo, error) {
	t, owned, err := c.ownedTransport(q.routerTransportRef)
	if err != nil {
		return RouterConsumerInfo{}, err
	}
	if t.Type() != sfu.TransportPipe && q.RTPCapabilities.Codecs == nil {
		return RouterConsumerInfo{}, errorf(MissingField, "data.rtpCapabilities is missing, or its codecs are")
	}
	consumer, err := consumeOn(t, owned, sfu.ConsumerOptions{
		ProducerID: q.ProducerID, RTPCapabilities: q.RTPCapabilities, Paused: q.Paused, MID: q.MID,
		PreferredLayers: q.PreferredLayers.layer(), EnableRTX: q.EnableRTX, IgnoreDTX: q.IgnoreDTX, Pipe: q.Pipe, AppData: appData(q.AppData),
	})
	if err != nil {
		return RouterConsumerInfo{}, err
	}
	return routerConsumerInfo(consumer), nil
}

func dumpTransport(c *caller, q *routerTransportRef) (sfu.TransportDump, error) {
	t, err := c.routerTransport(*q)
	if err != nil {
		return sfu.TransportDump{}, err
	}
	return t.Dump(), nil
}

func traceTransport(c *caller, q *traceTransportRequest) (none, error) {
	t, err := c.routerTransport(q.routerTransportRef)
	if err == nil {
		t.EnableTraceEvents(q.Types)
	}
	return none{}, err
}

func routerTransportStats(c *caller, q *routerTransportRef) (TransportFigures, error) {
	t, err := c.routerTransport(*q)
	if err != nil {
		return TransportFigures{}, err
	}
	return TransportFigures{[]sfu.TransportStats{t.Stats()}}, nil
}
