package takosapi

import (
	"github.com/takoserver/takos-call/internal/sfu"
)

func connectRouterTransport(c *caller, q *connectRouterTransportRequest) (ConnectedTransport, error) {
	t, err := c.routerTransport(q.routerTransportRef)
	if err != nil {
		return ConnectedTransport{}, err
	}
	switch t := t.Kind().(type) {
	case *sfu.WebRTCTransport:
		return connectWebRTC(t, q)
	case *sfu.PlainTransport:
		return connectPlain(t, q)
	case *sfu.PipeTransport:
		return connectPipe(t, q)
	}
	return ConnectedTransport{}, errorf(InvalidState, "transport %q has no other end to connect to", t.ID())
}

func connectWebRTC(t *sfu.WebRTCTransport, q *connectRouterTransportRequest) (ConnectedTransport, error) {
	if q.DTLSParameters == nil {
		return ConnectedTransport{}, errorf(MissingField, "data.dtlsParameters is missing")
	}
	if err := t.Connect(q.DTLSParameters.room()); err != nil {
		return ConnectedTransport{}, err
	}
	return ConnectedTransport{DTLSLocalRole: string(t.DTLSParameters().Role)}, nil
}

func connectPlain(t *sfu.PlainTransport, q *connectRouterTransportRequest) (ConnectedTransport, error) {
	remote, err := q.remote()
	if err != nil {
		return ConnectedTransport{}, err
	}
	if err := t.Connect(remote); err != nil {
		return ConnectedTransport{}, err
	}
	answer := ConnectedTransport{Tuple: new(t.Tuple())}
	if tuple, ok := t.RTCPTuple(); ok {
		answer.RTCPTuple = &tuple
	}
	if p, ok := t.SRTPParameters(); ok {
		answer.SRTPParameters = &p
	}
	return answer, nil
}

func connectPipe(t *sfu.PipeTransport, q *connectRouterTransportRequest) (ConnectedTransport, error) {
	remote, err := q.remote()
	if err != nil {
		return ConnectedTransport{}, err
	}
	if err := t.Connect(sfu.PipeRemote{IP: remote.IP, Port: remote.Port, SRTP: remote.SRTP}); err != nil {
		return ConnectedTransport{}, err
	}
	answer := ConnectedTransport{Tuple: new(t.Tuple())}
	if p, ok := t.SRTPParameters(); ok {
		answer.SRTPParameters = &p
	}
	return answer, nil
}

// remote is where the other end is said to be.
func (q *connectRouterTransportRequest) remote() (remote sfu.PlainRemote, err error) {
	remote.Port, remote.RTCPPort = uint16(q.Port), uint16(q.RTCPPort)
	if q.IP != "" {
		if remote.IP, err = parseIP(q.IP); err != nil {
			return remote, errorf(InvalidField, "data.ip is not an IP address")
		}
	}
	if p := q.SRTPParameters; p != nil {
		remote.SRTP = &sfu.SRTPParameters{CryptoSuite: sfu.SRTPCryptoSuite(p.CryptoSuite), KeyBase64: p.KeyBase64}
	}
	return remote, nil
}
