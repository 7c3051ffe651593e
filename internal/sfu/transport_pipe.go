package sfu

import "net/netip"

// PipeTransportEvents are called from the router's event goroutine; nil ones are not.
// Nothing follows Closed.
type PipeTransportEvents struct {
	SCTPStateChange func(SCTPState)
	Closed          func(CloseReason)
}

// PipeTransportOptions are what a transport is made from.
type PipeTransportOptions struct {
	// Listen is where to listen, as for a PlainTransport.
	Listen ListenInfo
	// EnableRTX has what is lost between the routers sent again. Where both are in one
	// data centre nothing is lost.
	EnableRTX bool
	// EnableSRTP encrypts RTP and RTCP, with AEAD_AES_256_GCM.
	EnableSRTP bool
	// SCTP is for data producers and consumers. SRTP does not protect it.
	SCTP    SCTPOptions
	AppData any
	Events  PipeTransportEvents
}

// PipeTransport has another router at its other end, of this server, of another one or
// of mediasoup: a consumer here and the producer that is made from its parameters there
// are one producer for the application. Consumers on it are of type "pipe".
type PipeTransport struct {
	portTransport

	rtx bool // constant

	other *PipeTransport // the other end, if it is of this process; guarded by router.mu
}

// NewPipeTransport opens the port of a transport. Errors: ErrClosed, ErrLimit,
// ErrPortInUse, ErrNoAddress, *ortc.Error.
func (r *Router) NewPipeTransport(o PipeTransportOptions) (*PipeTransport, error) {
	t := &PipeTransport{rtx: o.EnableRTX}
	options := portOptions{
		what: "pipe", kind: t, listen: o.Listen, sctp: o.SCTP,
		changed: o.Events.SCTPStateChange, closed: o.Events.Closed, appData: o.AppData,
	}
	if o.EnableSRTP {
		options.suite = AEADAES256GCM
	}
	if err := t.open(r, options); err != nil {
		return nil, err
	}
	return t, nil
}

// PipeRemote is where the other end of a PipeTransport is.
type PipeRemote struct {
	IP   netip.Addr
	Port uint16
	// SRTP is its key, with EnableSRTP.
	SRTP *SRTPParameters
}

// Connect says where the other end is and what its key is. It works once. Errors:
// ErrClosed, *ortc.Error.
func (t *PipeTransport) Connect(remote PipeRemote) error {
	return t.connect(PlainRemote{IP: remote.IP, Port: remote.Port, SRTP: remote.SRTP})
}

// RTX reports whether what is lost is sent again.
func (t *PipeTransport) RTX() bool { return t.rtx }

func (*PipeTransport) transportType() TransportType { return TransportPipe }

// closeLocked closes the other end too, if that is known.
func (t *PipeTransport) closeLocked() {
	t.portTransport.closeLocked()
	if other := t.other; other != nil {
		t.sfu.chores.post(other.Close)
	}
}
