package sfu

import (
	"net/netip"
	"slices"
)

// PlainTransportEvents are called from the router's event goroutine; nil ones
// are not. Nothing follows Closed.
type PlainTransportEvents struct {
	// Tuple and RTCPTuple tell, with Comedia, who was learnt.
	Tuple, RTCPTuple func(TransportTuple)
	SCTPStateChange  func(SCTPState)
	Closed           func(CloseReason)
}

// PlainTransportOptions are what a transport is made from.
type PlainTransportOptions struct {
	// Listen is where to listen. Without an IP that is the first that the SFU listens
	// on, without a port a free one of the router's range. AnnouncedAddress stands in
	// the tuples in the place of IP.
	Listen ListenInfo
	// DisableRTCPMux gives RTCP a port of its own.
	DisableRTCPMux bool
	// RTCPListen is where that is; nil is as Listen, on another port.
	RTCPListen *ListenInfo
	// Comedia learns where the remote end is from the first packet that comes,
	// once and for all: the first that authenticates with EnableSRTP, otherwise
	// the first that is RTP, RTCP or an INIT of SCTP.
	Comedia bool
	// AllowedRemotes are who may be learnt; empty is anybody. Without SRTP the
	// first who finds the port has it, so name them where they are known.
	AllowedRemotes []netip.Prefix
	// EnableSRTP takes in and sends SRTP only, with keys from Connect and
	// SRTPParameters.
	EnableSRTP bool
	// SRTPCryptoSuite is of our key until Connect brings another; empty is
	// AES_CM_128_HMAC_SHA1_80, mediasoup's default.
	SRTPCryptoSuite SRTPCryptoSuite
	// SCTP is for data producers and consumers. Its packets travel beside those of
	// RTP, and SRTP does not protect them.
	SCTP    SCTPOptions
	AppData any
	Events  PlainTransportEvents
}

// PlainRemote is where the other end of a PlainTransport is.
type PlainRemote struct {
	// IP, Port and RTCPPort are where to send. With Comedia they are not looked
	// at; RTCPPort is given with DisableRTCPMux only.
	IP             netip.Addr
	Port, RTCPPort uint16
	// SRTP is the remote's key, with EnableSRTP.
	SRTP *SRTPParameters
}

// PlainTransport is RTP without ICE and DTLS, for the likes of GStreamer and
// ffmpeg, on sockets of its own; and SCTP in datagrams.
type PlainTransport struct{ portTransport }

// NewPlainTransport opens the ports of a transport. Errors: ErrClosed,
// ErrLimit, ErrPortInUse, ErrNoAddress, *ortc.Error.
func (r *Router) NewPlainTransport(o PlainTransportOptions) (*PlainTransport, error) {
	t := &PlainTransport{portTransport{
		tuples: tupleEvents{o.Events.Tuple, o.Events.RTCPTuple}, comedia: o.Comedia, allowed: slices.Clone(o.AllowedRemotes),
	}}
	options := portOptions{
		what: "plain", kind: t, listen: o.Listen, suite: o.SRTPCryptoSuite, sctp: o.SCTP,
		changed: o.Events.SCTPStateChange, closed: o.Events.Closed, appData: o.AppData,
	}
	switch {
	case !o.EnableSRTP && o.SRTPCryptoSuite != "":
		return nil, typeErrorf("srtpCryptoSuite: given without enableSrtp")
	case o.EnableSRTP && o.SRTPCryptoSuite == "":
		options.suite = AESCM128HMACSHA180
	}
	if o.DisableRTCPMux {
		options.control = o.controlPort()
	}
	if err := t.open(r, options); err != nil {
		return nil, err
	}
	return t, nil
}

// controlPort is where to listen for RTCP.
func (o *PlainTransportOptions) controlPort() *ListenInfo {
	if o.RTCPListen != nil {
		return o.RTCPListen
	}
	l := o.Listen
	l.Port = 0
	return &l
}

// RTCPMux reports whether RTCP shares the port of RTP.
func (t *PlainTransport) RTCPMux() bool { return t.control == nil }

// Comedia reports whether the other end is who sends first.
func (t *PlainTransport) Comedia() bool { return t.comedia }

// RTCPTuple is Tuple for the port of RTCP; false where it shares that of RTP.
func (t *PlainTransport) RTCPTuple() (tuple TransportTuple, ok bool) {
	if t.control == nil {
		return TransportTuple{}, false
	}
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	return t.tupleLocked(t.control), true
}

// Connect says where the remote end is and what its key is. It works once, and
// is not needed with Comedia and without SRTP. Errors: ErrClosed, *ortc.Error.
func (t *PlainTransport) Connect(remote PlainRemote) error { return t.connect(remote) }

func (*PlainTransport) transportType() TransportType { return TransportPlain }
