package room

import (
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
)

// Protocols say over what a transport can be reached.
type Protocols = sfu.Protocols

// OutgoingBitrates limit what a client is sent.
type OutgoingBitrates = sfu.OutgoingBitrates

// NewOutgoingBitrates makes them of bit/s, 0 where the default is wanted.
func NewOutgoingBitrates(initial, least, most uint64) OutgoingBitrates {
	return OutgoingBitrates{Initial: sfu.Bitrate(initial), Min: sfu.Bitrate(least), Max: sfu.Bitrate(most)}
}

// TransportOptions are the properties of a transport.
type TransportOptions struct {
	// MaxIncomingBitrate is in bit/s, 0 for no limit.
	MaxIncomingBitrate uint64
	OutgoingBitrates   OutgoingBitrates
	Protocols          Protocols
	SCTP               SCTPOptions
	AppData            any
}

// Transport is one peer connection of a client.
type Transport struct {
	// constant after CreateTransport
	peer      *Peer
	direction Direction
	appData   any
	number    uint64
	media     *sfu.Transport
	webrtc    *sfu.WebRTCTransport // nil for one of another type

	// guarded by peer.room.mu
	connected bool
	closed    bool
	iceState  string
	dtlsState string
	producers map[string]*Producer
	consumers map[string]*Consumer
	dataObjects
}

// CreateTransport makes a transport for the peer. Errors: PeerNotFound,
// RoomNotFound, LimitReached, and those of the SFU, among them *ortc.Error where
// no protocol is left.
func (p *Peer) CreateTransport(d Direction, o TransportOptions) (*Transport, error) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	if err := p.openLocked(); err != nil {
		return nil, err
	}
	if limit := p.room.registry.options.Limits.TransportsPerPeer; len(p.transports) >= limit {
		return nil, errorf(LimitReached, "peer %q has %d transports, which is the limit", p.id, limit)
	}
	t := p.newTransportLocked(d, o.AppData)
	webrtc, err := p.room.router.NewWebRTCTransport(t.sfuOptions(o))
	if err != nil {
		return nil, err
	}
	t.enterLocked(&webrtc.Transport)
	return t, nil
}

// TransportEvents are what a room has to be told of a transport that it has not
// made.
type TransportEvents struct {
	Closed    func(sfu.CloseReason)
	ICEState  func(sfu.ICEState)
	DTLSState func(sfu.DTLSState)
}

// Adopt makes a transport of whatever type on the room's router one of the peer's,
// which carries media both ways. create makes it with the events that it is given;
// it must not call into the room. Errors: PeerNotFound, RoomNotFound, LimitReached,
// and those of create.
func (p *Peer) Adopt(appData any, create func(TransportEvents) (*sfu.Transport, error)) (*Transport, error) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	if err := p.openLocked(); err != nil {
		return nil, err
	}
	if limit := p.room.registry.options.Limits.TransportsPerPeer; len(p.transports) >= limit {
		return nil, errorf(LimitReached, "peer %q has %d transports, which is the limit", p.id, limit)
	}
	t := p.newTransportLocked(Both, appData)
	media, err := create(t.events())
	if err != nil {
		return nil, err
	}
	t.enterLocked(media)
	return t, nil
}

func (p *Peer) newTransportLocked(d Direction, appData any) *Transport {
	return &Transport{
		peer: p, direction: d, appData: appData, number: p.room.nextLocked(),
		producers: make(map[string]*Producer), consumers: make(map[string]*Consumer), dataObjects: newDataObjects(),
	}
}

// enterLocked makes a new transport known.
func (t *Transport) enterLocked(media *sfu.Transport) {
	t.media = media
	if webrtc, ok := media.Kind().(*sfu.WebRTCTransport); ok {
		t.webrtc = webrtc
		t.iceState, t.dtlsState = string(webrtc.ICEState()), string(webrtc.DTLSState())
	}
	t.peer.transports[t.ID()] = t
	t.peer.room.emitLocked(Event{Type: TransportCreated, Peer: t.peer, Transport: t})
}

func (t *Transport) events() TransportEvents {
	return TransportEvents{
		Closed:    t.closedBySFU,
		ICEState:  func(s sfu.ICEState) { t.stateChanged(&t.iceState, string(s)) },
		DTLSState: func(s sfu.DTLSState) { t.stateChanged(&t.dtlsState, string(s)) },
	}
}

// Transport returns the transport of whichever peer that has the id, or
// TransportNotFound.
func (r *Room) Transport(id string) (*Transport, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.peers {
		if t := p.transports[id]; t != nil {
			return t, nil
		}
	}
	return nil, notFound(TransportNotFound, "transport", id)
}

func (t *Transport) sfuOptions(o TransportOptions) sfu.WebRTCTransportOptions {
	so := sfu.WebRTCTransportOptions{DisconnectTimeout: t.peer.room.registry.options.DisconnectTimeout}
	so.MaxIncomingBitrate, so.OutgoingBitrates = sfu.Bitrate(o.MaxIncomingBitrate), o.OutgoingBitrates
	so.Protocols, so.SCTP = o.Protocols, o.SCTP
	e := t.events()
	so.Events.Closed, so.Events.ICEStateChange, so.Events.DTLSStateChange = e.Closed, e.ICEState, e.DTLSState
	so.AppData = o.AppData
	return so
}

// ID is unique in the process.
func (t *Transport) ID() string { return t.media.ID() }

// Peer is the owner.
func (t *Transport) Peer() *Peer { return t.peer }

// Direction is which way the transport carries media.
func (t *Transport) Direction() Direction { return t.direction }

// WebRTC is the SFU's object: ICE and DTLS parameters, states, statistics; nil for a
// transport of another type. What is produced and consumed with it alone the room
// does not see.
func (t *Transport) WebRTC() *sfu.WebRTCTransport { return t.webrtc }

// Media is the SFU's object, of whatever type.
func (t *Transport) Media() *sfu.Transport { return t.media }

// AppData is what was attached when the transport was made.
func (t *Transport) AppData() any { return t.appData }

// Connected reports whether Connect has been called with success.
func (t *Transport) Connected() bool {
	t.peer.room.mu.Lock()
	defer t.peer.room.mu.Unlock()
	return t.connected || t.dtlsState != "" && t.dtlsState != "new"
}

// Open reports whether the transport has not been closed, by whatever.
func (t *Transport) Open() bool {
	t.peer.room.mu.Lock()
	defer t.peer.room.mu.Unlock()
	return t.openLocked() == nil
}

// DTLSParameters are a remote's, in the words of mediasoup; an empty role is
// auto.
type DTLSParameters = sfu.DTLSParameters

// Fingerprint is the hash of a certificate.
type Fingerprint = sfu.DTLSFingerprint

// DTLSRole is auto, client or server.
type DTLSRole = sfu.DTLSRole

// Connect hands over the remote's DTLS parameters to a WebRTC transport; it works
// once. Errors: TransportNotFound, *ortc.Error.
func (t *Transport) Connect(remote DTLSParameters) error {
	t.peer.room.mu.Lock()
	defer t.peer.room.mu.Unlock()
	if err := t.openLocked(); err != nil {
		return err
	}
	if t.webrtc == nil {
		return &ortc.Error{Kind: ortc.InvalidState, Message: "connecting: transport " + t.ID() + " is none of WebRTC"}
	}
	if err := t.webrtc.Connect(remote); err != nil {
		return err
	}
	t.connected = true
	return nil
}

// AllowFingerprints makes the transport accept further certificates, until its
// handshake is done.
func (t *Transport) AllowFingerprints(more []Fingerprint) error {
	return t.webrtc.AllowFingerprints(more)
}

// SetMaxOutgoingBitrate limits, in bit/s, what the client is sent; 0 is no limit.
func (t *Transport) SetMaxOutgoingBitrate(bitsPerSecond uint64) error {
	return t.media.SetMaxOutgoingBitrate(sfu.Bitrate(bitsPerSecond))
}

// SetMinOutgoingBitrate has so much sent to the client, in bit/s, however narrow
// its line seems; 0 is the default.
func (t *Transport) SetMinOutgoingBitrate(bitsPerSecond uint64) error {
	return t.media.SetMinOutgoingBitrate(sfu.Bitrate(bitsPerSecond))
}

// SetMaxIncomingBitrate limits, in bit/s, what the client is asked to send; 0 is
// no limit.
func (t *Transport) SetMaxIncomingBitrate(bitsPerSecond uint64) error {
	return t.media.SetMaxIncomingBitrate(sfu.Bitrate(bitsPerSecond))
}

// Close closes the transport and what uses it. by is the id of the peer who
// wants it, empty for a backend.
func (t *Transport) Close(by string) {
	t.peer.room.mu.Lock()
	defer t.peer.room.mu.Unlock()
	t.closeLocked(by, ReasonRequested)
}

// closeLocked closes what uses the transport first. The SFU is asked last: one
// call closes all of it there.
func (t *Transport) closeLocked(by, reason string) {
	if t.closed {
		return
	}
	t.closed = true
	for _, p := range inOrder(t.producers, func(o *Producer) uint64 { return o.number }) {
		p.closeLocked(by, string(sfu.CloseTransport))
	}
	for _, c := range inOrder(t.consumers, func(o *Consumer) uint64 { return o.number }) {
		c.closeLocked(by, string(sfu.CloseTransport))
	}
	t.closeDataLocked(by)
	t.media.Close()
	delete(t.peer.transports, t.ID())
	t.peer.room.emitLocked(Event{Type: TransportClosed, Peer: t.peer, Transport: t, By: by, Reason: reason})
}

// closedBySFU is an event of the SFU; it comes after our own Close as well.
func (t *Transport) closedBySFU(reason sfu.CloseReason) {
	t.peer.room.mu.Lock()
	defer t.peer.room.mu.Unlock()
	if t.peer.room.closed {
		return
	}
	if t.webrtc != nil {
		t.iceState, t.dtlsState = "closed", "closed"
	}
	t.closeLocked("", string(reason))
}

func (t *Transport) stateChanged(which *string, state string) {
	t.peer.room.mu.Lock()
	defer t.peer.room.mu.Unlock()
	if t.closed || t.peer.room.closed || *which == state {
		return
	}
	*which = state
	t.peer.room.emitLocked(Event{Type: TransportState, Peer: t.peer, Transport: t})
}

func (t *Transport) openLocked() error {
	if err := t.peer.openLocked(); err != nil {
		return err
	}
	if t.closed {
		return notFound(TransportNotFound, "transport", t.ID())
	}
	return nil
}

func (t *Transport) direct(d Direction, what string) error {
	if t.direction != d && t.direction != Both {
		return errorf(WrongDirection, "transport %q is a %s transport and cannot %s", t.ID(), t.direction, what)
	}
	return nil
}

// ProduceOptions are the properties of a producer.
type ProduceOptions struct {
	Kind          ortc.MediaKind
	RTPParameters ortc.RTPParameters
	Paused        bool
	// Source tells others what it is: "mic", "camera", "screen" or any text.
	Source  string
	AppData any
	// ID, KeyFrameRequestDelay and NumberPackets are as in [sfu.ProducerOptions].
	ID                   string
	KeyFrameRequestDelay time.Duration
	NumberPackets        bool
}

// Produce makes a producer. Errors: WrongDirection, LimitReached,
// TransportNotFound, *ortc.Error.
func (t *Transport) Produce(o ProduceOptions) (*Producer, error) {
	t.peer.room.mu.Lock()
	defer t.peer.room.mu.Unlock()
	if err := t.openLocked(); err != nil {
		return nil, err
	}
	if err := t.direct(Send, "carry a producer"); err != nil {
		return nil, err
	}
	if limit := t.peer.room.registry.options.Limits.ProducersPerPeer; len(t.peer.producers) >= limit {
		return nil, errorf(LimitReached, "peer %q has %d producers, which is the limit", t.peer.id, limit)
	}
	p := &Producer{
		transport: t, source: o.Source, appData: o.AppData, number: t.peer.room.nextLocked(),
		paused: o.Paused, consumers: make(map[string]*Consumer),
	}
	var err error
	p.Producer, err = t.media.Produce(sfu.ProducerOptions{
		ID: o.ID, KeyFrameRequestDelay: o.KeyFrameRequestDelay, NumberPackets: o.NumberPackets, AppData: o.AppData,
		Kind: o.Kind, RTPParameters: o.RTPParameters, Paused: o.Paused,
		Events: sfu.ProducerEvents{
			Closed: p.closedBySFU, Paused: p.pauseChanged, Resumed: p.pauseChanged, Score: p.scored,
			WantedLayer: p.layersWanted,
		},
	})
	if err != nil {
		return nil, err
	}
	if err := t.peer.room.listenToLocked(p); err != nil {
		p.closed = true // nobody has heard of it
		p.Producer.Close()
		return nil, err
	}
	t.producers[p.ID()] = p
	t.peer.producers[p.ID()] = p
	t.peer.room.emitLocked(Event{Type: ProducerCreated, Peer: t.peer, Transport: t, Producer: p})
	return p, nil
}

// ConsumeOptions are the properties of a consumer.
type ConsumeOptions struct {
	ProducerID      string
	RTPCapabilities ortc.RTPCapabilities
	Paused          bool
	// PreferredLayers are the highest that are sent; nil is all.
	PreferredLayers *Layer
	AppData         any
	// MID, EnableRTX, IgnoreDTX and Pipe are as in [sfu.ConsumerOptions].
	MID       string
	EnableRTX *bool
	IgnoreDTX bool
	Pipe      bool
}

// Consume makes a consumer of a producer of the room. Errors: WrongDirection,
// LimitReached, TransportNotFound, ProducerNotFound, CannotConsume, *ortc.Error.
func (t *Transport) Consume(o ConsumeOptions) (*Consumer, error) {
	t.peer.room.mu.Lock()
	defer t.peer.room.mu.Unlock()
	if err := t.openLocked(); err != nil {
		return nil, err
	}
	if err := t.direct(Receive, "carry a consumer"); err != nil {
		return nil, err
	}
	if limit := t.peer.room.registry.options.Limits.ConsumersPerPeer; len(t.peer.consumers) >= limit {
		return nil, errorf(LimitReached, "peer %q has %d consumers, which is the limit", t.peer.id, limit)
	}
	producer := t.peer.room.producerLocked(o.ProducerID)
	if producer == nil {
		return nil, notFound(ProducerNotFound, "producer", o.ProducerID)
	}
	c := &Consumer{transport: t, producer: producer, appData: o.AppData, number: t.peer.room.nextLocked()}
	var err error
	c.Consumer, err = t.media.Consume(sfu.ConsumerOptions{
		MID: o.MID, EnableRTX: o.EnableRTX, IgnoreDTX: o.IgnoreDTX, Pipe: o.Pipe, AppData: o.AppData,
		ProducerID: o.ProducerID, RTPCapabilities: o.RTPCapabilities, Paused: o.Paused,
		PreferredLayers: o.PreferredLayers,
		Events:          sfu.ConsumerEvents{Closed: c.closedBySFU, LayersChange: c.layersChanged, Score: c.scored},
	})
	if err != nil {
		return nil, c.explain(err, o.RTPCapabilities)
	}
	t.consumers[c.ID()] = c
	t.peer.consumers[c.ID()] = c
	producer.consumers[c.ID()] = c
	t.peer.room.emitLocked(Event{Type: ConsumerCreated, Peer: t.peer, Transport: t, Consumer: c})
	return c, nil
}
