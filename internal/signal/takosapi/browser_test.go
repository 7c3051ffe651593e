package takosapi_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/pion/webrtc/v4"

	"github.com/takoserver/takos-call/internal/sfu"
)

// browser is pion/webrtc at the other end of a webrtc transport: ICE, DTLS and
// SCTP, each with its own part of the API, as there is no SDP. The transport is
// told of it by transport.connect.
type browser struct {
	gatherer *webrtc.ICEGatherer
	ice      *webrtc.ICETransport
	dtls     *webrtc.DTLSTransport
	sctp     *webrtc.SCTPTransport
}

// certificate is that of all browsers.
var certificate = sync.OnceValues(func() (*webrtc.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return webrtc.GenerateCertificate(key)
})

// fingerprint is what transport.connect says of a browser: SHA-256.
func fingerprint() (string, error) {
	c, err := certificate()
	if err != nil {
		return "", err
	}
	list, err := c.GetFingerprints()
	if err != nil {
		return "", err
	}
	return list[0].Value, nil
}

// browse connects a browser to t, up to SCTP if t has it.
func browse(t *sfu.WebRTCTransport) (*browser, error) {
	c, err := certificate()
	if err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	api := webrtc.NewAPI(webrtc.WithSettingEngine(settings))
	b := &browser{}
	if b.gatherer, err = api.NewICEGatherer(webrtc.ICEGatherOptions{}); err != nil {
		return nil, err
	}
	b.ice = api.NewICETransport(b.gatherer)
	if b.dtls, err = api.NewDTLSTransport(b.ice, []webrtc.Certificate{*c}); err != nil {
		return nil, err
	}
	b.sctp = api.NewSCTPTransport(b.dtls)
	if err := b.start(t); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *browser) start(t *sfu.WebRTCTransport) error {
	gathered := make(chan struct{})
	b.gatherer.OnLocalCandidate(func(c *webrtc.ICECandidate) {
		if c == nil {
			close(gathered)
		}
	})
	if err := b.gatherer.Gather(); err != nil {
		return err
	}
	<-gathered
	candidate := t.ICECandidates()[0]
	err := b.ice.AddRemoteCandidate(&webrtc.ICECandidate{
		Foundation: candidate.Foundation, Priority: candidate.Priority, Address: candidate.Address, Port: candidate.Port,
		Protocol: webrtc.ICEProtocolUDP, Typ: webrtc.ICECandidateTypeHost, Component: 1,
	})
	if err != nil {
		return err
	}
	ours, role := t.ICEParameters(), webrtc.ICERoleControlling
	remote := webrtc.ICEParameters{UsernameFragment: ours.UsernameFragment, Password: ours.Password, ICELite: true}
	if err := b.ice.Start(b.gatherer, remote, &role); err != nil {
		return err
	}
	server := webrtc.DTLSParameters{Role: webrtc.DTLSRoleServer}
	for _, f := range t.DTLSParameters().Fingerprints {
		server.Fingerprints = append(server.Fingerprints, webrtc.DTLSFingerprint{Algorithm: f.Algorithm, Value: f.Value})
	}
	if err := b.dtls.Start(server); err != nil {
		return err
	}
	if p := t.SCTPParameters(); p != nil {
		return b.sctp.Start(webrtc.SCTPCapabilities{MaxMessageSize: uint32(p.MaxMessageSize)})
	}
	return nil
}

// Vanish takes the browser's sockets away without a word.
func (b *browser) Vanish() error { return b.gatherer.Close() }

// Close ends it in the order in which it was made.
func (b *browser) Close() error {
	return errors.Join(b.sctp.Stop(), b.dtls.Stop(), b.ice.Stop())
}

// transport finds a transport of whatever router.
func (w *world) transport(id string) (*sfu.Transport, error) {
	for _, one := range w.workers.Workers() {
		for _, r := range one.Routers() {
			if t := r.Transport(id); t != nil {
				return t, nil
			}
		}
	}
	for _, r := range w.rooms.Rooms() {
		if t := r.Router().Transport(id); t != nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("there is no transport %q", id)
}

// connectBrowser has a browser connect over the transport with that id.
func (w *world) connectBrowser(id string) error {
	t, err := w.transport(id)
	if err != nil {
		return err
	}
	webrtc, ok := t.Kind().(*sfu.WebRTCTransport)
	if !ok {
		return fmt.Errorf("transport %q is none for browsers", id)
	}
	w.browser, err = browse(webrtc)
	return err
}

// sendPlain sends a packet to a plain transport, RTP or RTCP where that is
// expected.
func (w *world) sendPlain(id string, packet []byte, rtcp bool) error {
	t, err := w.transport(id)
	if err != nil {
		return err
	}
	plain, ok := t.Kind().(*sfu.PlainTransport)
	if !ok {
		return fmt.Errorf("transport %q is no plain one", id)
	}
	to := plain.Tuple()
	if rtcp {
		to, _ = plain.RTCPTuple()
	}
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "udp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(to.LocalPort))))
	if err != nil {
		return err
	}
	_, err = conn.Write(packet)
	return errors.Join(err, conn.Close())
}
