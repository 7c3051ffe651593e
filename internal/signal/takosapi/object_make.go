package takosapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"time"

	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
)

var routerMakeCommands = []command{
	creates(define("router.createPlainTransport", "Makes a transport for RTP without ICE and DTLS, as of ffmpeg and GStreamer.", createPlainTransport,
		RouterNotFound, PeerNotFound, InvalidMedia, LimitReached, PortInUse, NoSuchAddress)),
	creates(define("router.createDirectTransport", "Makes a transport whose other end is the backend itself, over this API.", createDirectTransport,
		RouterNotFound, PeerNotFound, LimitReached)),
}

// milliseconds is a time that was given or not.
func milliseconds(ms *int) time.Duration {
	if ms == nil {
		return 0
	}
	return time.Duration(*ms) * time.Millisecond
}

type createPlainTransportRequest struct {
	routerRef
	ownerOption
	ListenInfo      listenInfo  `json:"listenInfo" check:"required,nested" doc:"where to listen, by UDP"`
	RTCPListenInfo  *listenInfo `json:"rtcpListenInfo" check:"nested" doc:"where to listen for RTCP, without rtcpMux; default as listenInfo, on another port"`
	RTCPMux         *bool       `json:"rtcpMux" doc:"whether RTCP shares the port of RTP; default true"`
	Comedia         bool        `json:"comedia" doc:"whether the other end is who sends first, rather than told to transport.connect"`
	EnableSRTP      bool        `json:"enableSrtp" doc:"whether packets are encrypted, with keys from transport.connect and in srtpParameters"`
	SRTPCryptoSuite string      `json:"srtpCryptoSuite" check:"enum=AEAD_AES_256_GCM|AEAD_AES_128_GCM|AES_CM_128_HMAC_SHA1_80|AES_CM_128_HMAC_SHA1_32" doc:"default AES_CM_128_HMAC_SHA1_80"`
	objectSCTPOptions
	AppData json.RawMessage `json:"appData" doc:"anything; it comes back in RouterTransportInfo"`
}

type portRange struct {
	Min int `json:"min" check:"required,min=1,max=65535" doc:"the first"`
	Max int `json:"max" check:"required,min=1,max=65535" doc:"the last"`
}

type socketFlags struct {
	IPv6Only     bool `json:"ipv6Only" doc:"whether an IPv6 socket takes no IPv4"`
	UDPReusePort bool `json:"udpReusePort" doc:"whether several sockets may have the port"`
}

type listenInfo struct {
	Protocol         string       `json:"protocol" check:"enum=udp|tcp" doc:"default \"udp\""`
	IP               string       `json:"ip" check:"required,max=64" doc:"an address of the server, 0.0.0.0 or ::"`
	AnnouncedAddress string       `json:"announcedAddress" check:"max=255" doc:"an address or host name under which that is reached"`
	AnnouncedIP      string       `json:"announcedIp" check:"max=255" doc:"the old name of announcedAddress"`
	ExposeInternalIP bool         `json:"exposeInternalIp" doc:"whether ip is told beside announcedAddress"`
	Port             int          `json:"port" check:"min=0,max=65535" doc:"0 is a free one of portRange, or of the worker's range"`
	PortRange        *portRange   `json:"portRange" check:"nested" doc:"from which a port is taken"`
	Flags            *socketFlags `json:"flags" check:"nested" doc:"of the socket"`
	SendBufferSize   int          `json:"sendBufferSize" check:"min=0,max=1000000000" doc:"bytes, of the socket; 0 is the server's choice"`
	RecvBufferSize   int          `json:"recvBufferSize" check:"min=0,max=1000000000" doc:"likewise"`
}

// parseIP reads an address. One with a zone is of no use to anybody else, and the
// zone could be any text.
func parseIP(text string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(text)
	if err == nil && ip.Zone() != "" {
		err = errors.New("a zone is not possible")
	}
	return ip, err
}

// socket is what the SFU is told; field is where in the data it stands.
func (l listenInfo) socket(field string) (sfu.ListenInfo, error) {
	ip, err := parseIP(l.IP)
	if err != nil {
		return sfu.ListenInfo{}, errorf(InvalidField, "data.%s.ip is not an IP address", field)
	}
	info := sfu.ListenInfo{
		Protocol: sfu.UDP, IP: ip, AnnouncedAddress: cmp.Or(l.AnnouncedAddress, l.AnnouncedIP), ExposeInternalIP: l.ExposeInternalIP,
		Port: uint16(l.Port), SendBuffer: l.SendBufferSize, RecvBuffer: l.RecvBufferSize,
	}
	if l.Protocol == "tcp" {
		info.Protocol = sfu.TCP
	}
	if r := l.PortRange; r != nil {
		info.PortRange = sfu.PortRange{Min: uint16(r.Min), Max: uint16(r.Max)}
	}
	if f := l.Flags; f != nil {
		info.IPv6Only, info.ReusePort = f.IPv6Only, f.UDPReusePort
	}
	return info, nil
}

func createPlainTransport(c *caller, q *createPlainTransportRequest) (RouterTransportInfo, error) {
	r, err := c.router(q.routerRef)
	if err != nil {
		return RouterTransportInfo{}, err
	}
	o := sfu.PlainTransportOptions{
		DisableRTCPMux: q.RTCPMux != nil && !*q.RTCPMux, Comedia: q.Comedia,
		EnableSRTP: q.EnableSRTP, SRTPCryptoSuite: sfu.SRTPCryptoSuite(q.SRTPCryptoSuite),
		SCTP: q.options(), AppData: appData(q.AppData),
	}
	if o.Listen, err = q.ListenInfo.socket("listenInfo"); err != nil {
		return RouterTransportInfo{}, err
	}
	if q.RTCPListenInfo != nil {
		l, err := q.RTCPListenInfo.socket("rtcpListenInfo")
		if err != nil {
			return RouterTransportInfo{}, err
		}
		o.RTCPListen = &l
	}
	return q.make(r, o.AppData, func(e room.TransportEvents) (*sfu.Transport, error) {
		o.Events.Closed = e.Closed
		t, err := r.NewPlainTransport(o)
		if err != nil {
			return nil, err
		}
		return &t.Transport, nil
	})
}

type createDirectTransportRequest struct {
	routerRef
	ownerOption
	MaxSend    int             `json:"maxSendMessageSize" check:"min=0,max=16777216" doc:"bytes of a message of a data consumer; 0 is 262144"`
	MaxReceive int             `json:"maxReceiveMessageSize" check:"min=0,max=16777216" doc:"bytes of a message to a data producer; 0 is 262144"`
	AppData    json.RawMessage `json:"appData" doc:"anything; it comes back in RouterTransportInfo"`
}

func createDirectTransport(c *caller, q *createDirectTransportRequest) (RouterTransportInfo, error) {
	r, err := c.router(q.routerRef)
	if err != nil {
		return RouterTransportInfo{}, err
	}
	o := sfu.DirectTransportOptions{MaxSendBytes: q.MaxSend, MaxReceiveBytes: q.MaxReceive, AppData: appData(q.AppData)}
	return q.make(r, o.AppData, func(e room.TransportEvents) (*sfu.Transport, error) {
		o.Events.Closed = e.Closed
		t, err := r.NewDirectTransport(o)
		if err != nil {
			return nil, err
		}
		return &t.Transport, nil
	})
}

// objectSCTPOptions are the options of data channels that transports of several
// types have.
type objectSCTPOptions struct {
	EnableSCTP bool `json:"enableSctp" doc:"whether it carries data channels"`
	objectSCTPSizes
}

func (q objectSCTPOptions) options() sfu.SCTPOptions {
	o := q.objectSCTPSizes.options()
	o.Enable = q.EnableSCTP
	return o
}

type objectSCTPSizes struct {
	MaxSend        *int `json:"maxSendMessageSize" check:"min=1,max=16777216" doc:"bytes of a message to the other end; default 262144"`
	MaxReceive     *int `json:"maxReceiveMessageSize" check:"min=1,max=16777216" doc:"bytes of a message from the other end; default 262144"`
	SendBuffer     *int `json:"sctpSendBufferSize" check:"min=1,max=67108864" doc:"bytes that may wait for the other end; default 2000000"`
	StreamQueue    *int `json:"sctpPerStreamSendQueueLimit" check:"min=1,max=67108864" doc:"the same for one stream; default 2000000"`
	ReceiverWindow *int `json:"sctpMaxReceiverWindowBufferSize" check:"min=1,max=67108864" doc:"bytes that the other end may send before they are taken; default 5242880"`
	LowThreshold   *int `json:"sctpDefaultStreamBufferedAmountLowThreshold" check:"min=0,max=67108864" doc:"bytes, of data consumers until they are given another; default 1024"`
}

func (q objectSCTPSizes) options() sfu.SCTPOptions {
	value := func(n *int) int {
		if n == nil {
			return 0
		}
		return *n
	}
	return sfu.SCTPOptions{
		Streams:      math.MaxUint16, // as many as mediasoup has
		MaxSendBytes: value(q.MaxSend), MaxReceiveBytes: value(q.MaxReceive),
		SendBufferBytes: value(q.SendBuffer), StreamBufferBytes: value(q.StreamQueue),
		ReceiveWindowBytes: value(q.ReceiverWindow), LowThreshold: q.LowThreshold,
	}
}

func routerTransportInfo(t *sfu.Transport) RouterTransportInfo {
	info := RouterTransportInfo{
		ID: t.ID(), Type: t.Type(), AppData: t.AppData(),
		SCTPParameters: t.SCTPParameters(), SCTPState: t.SCTPState(), SCTPNegotiated: sctpNegotiatedOf(t),
	}
	switch t := t.Kind().(type) {
	case *sfu.WebRTCTransport:
		info.ICERole, info.ICEState, info.DTLSState = "controlled", t.ICEState(), t.DTLSState()
		info.ICEParameters, info.ICECandidates, info.DTLSParameters = new(t.ICEParameters()), t.ICECandidates(), new(t.DTLSParameters())
		info.DTLSRemoteCert = t.DTLSRemoteCertificate()
		if tuple, ok := t.ICESelectedTuple(); ok {
			info.ICESelectedTuple = &tuple
		}
	case *sfu.PlainTransport:
		info.Tuple, info.RTCPMux, info.Comedia = new(t.Tuple()), new(t.RTCPMux()), new(t.Comedia())
		if tuple, ok := t.RTCPTuple(); ok {
			info.RTCPTuple = &tuple
		}
		if p, ok := t.SRTPParameters(); ok {
			info.SRTPParameters = &p
		}
	case *sfu.PipeTransport:
		info.Tuple, info.RTX = new(t.Tuple()), new(t.RTX())
		if p, ok := t.SRTPParameters(); ok {
			info.SRTPParameters = &p
		}
	}
	return info
}
