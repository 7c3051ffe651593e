package takoscall

import (
	"encoding/json"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/signal"
)

type connectRequest struct {
	TransportType  string          `json:"transportType" check:"enum=send|recv" doc:"which transport; the server guesses without it"`
	DTLSParameters json.RawMessage `json:"dtlsParameters" check:"required" doc:"{role, fingerprints}, or the same as a JSON string"`
	RequestID      string          `json:"requestId" check:"max=64" doc:"comes back in connected"`
}

type connectedMessage struct {
	Type          string         `json:"type"`
	TransportType room.Direction `json:"transportType"`
	RequestID     string         `json:"requestId,omitempty"`
}

type dtlsParameters struct {
	Role         string        `json:"role" check:"enum=auto|client|server"`
	Fingerprints []fingerprint `json:"fingerprints" check:"required,min=1,max=32"`
}

type fingerprint struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

func connect(s *session, m *connectRequest) error {
	remote, err := readDTLSParameters(m.DTLSParameters)
	if err != nil {
		return err
	}
	t := s.transportFor(m.TransportType)
	if err := t.Connect(remote); err != nil {
		return err
	}
	if m.TransportType == "" {
		if err := s.guessed(t, remote.Fingerprints); err != nil {
			return err
		}
	}
	s.reply(connectedMessage{"connected", t.Direction(), m.RequestID})
	return nil
}

// guessed notes for which transport a connect was taken that did not say. A
// client that sends and receives at once sends two of them, in any order, and
// each of its connections may have a certificate of its own: once there are two,
// either transport accepts either. Both came over this one session, so nobody
// else is let in.
func (s *session) guessed(t *room.Transport, own []room.Fingerprint) error {
	for other, theirs := range s.guesses {
		if err := other.AllowFingerprints(own); err != nil {
			return err
		}
		if err := t.AllowFingerprints(theirs); err != nil {
			return err
		}
	}
	if s.guesses == nil {
		s.guesses = make(map[*room.Transport][]room.Fingerprint, 2)
	}
	s.guesses[t] = own
	return nil
}

// readDTLSParameters takes an object, as deployed clients send it, or a string
// with the object inside, as the specification has it.
func readDTLSParameters(text json.RawMessage) (remote room.DTLSParameters, err error) {
	if signal.KindOf(text) == signal.String {
		var inner string
		if err := json.Unmarshal(text, &inner); err != nil || !json.Valid([]byte(inner)) {
			return remote, &protocolError{InvalidField, "dtlsParameters is a string without JSON in it"}
		}
		text = json.RawMessage(inner)
	}
	var p dtlsParameters
	if err := dtlsObject.DecodeField("dtlsParameters", text, &p); err != nil {
		return remote, err
	}
	remote.Role = room.DTLSRole(p.Role)
	for _, f := range p.Fingerprints {
		remote.Fingerprints = append(remote.Fingerprints, room.Fingerprint(f))
	}
	return remote, nil
}

// transportFor chooses the transport that a client means who does not say:
// sending comes first, unless that is done or the client is known to wait for
// media.
func (s *session) transportFor(kind string) *room.Transport {
	if kind != "" {
		return s.transport(kind)
	}
	waits := !s.recv.Connected() && len(s.peer.Snapshot().Consumers) > 0
	if s.send.Connected() || waits {
		return s.recv
	}
	return s.send
}

type produceRequest struct {
	Kind          string             `json:"kind" check:"required,enum=audio|video" doc:"\"audio\" or \"video\""`
	RTPParameters ortc.RTPParameters `json:"rtpParameters" check:"required" doc:"from mediasoup-client's produce event"`
	Source        string             `json:"source" check:"max=64" doc:"\"mic\", \"camera\", \"screen\" or any text, for the others"`
	AppData       json.RawMessage    `json:"appData" check:"max=4096" doc:"anything, for the others"`
	Paused        bool               `json:"paused" doc:"whether to begin paused"`
	RequestID     string             `json:"requestId" check:"max=64" doc:"comes back in produced"`
}

func produce(s *session, m *produceRequest) error {
	if m.Kind == string(ortc.Video) && s.grant.CallType == auth.AudioCall {
		return &protocolError{Forbidden, "this is an audio call: it carries no video"}
	}
	o := room.ProduceOptions{
		Kind: ortc.MediaKind(m.Kind), RTPParameters: m.RTPParameters, Paused: m.Paused, Source: m.Source,
	}
	if len(m.AppData) > 0 {
		o.AppData = m.AppData
	}
	p, err := s.send.Produce(o)
	if err != nil {
		return err
	}
	s.reply(producerMessage{
		Type: "produced", ProducerID: p.ID(), PeerID: s.peer.ID(), Kind: p.Kind(), Paused: m.Paused,
		Source: m.Source, RequestID: m.RequestID,
	})
	return nil
}

type consumeRequest struct {
	ProducerID      string               `json:"producerId" check:"id" doc:"from init, join, produce or produced"`
	RTPCapabilities ortc.RTPCapabilities `json:"rtpCapabilities" check:"required" doc:"of the client's device"`
	Paused          bool                 `json:"paused" doc:"whether to begin paused"`
	PreferredLayers layersRequest        `json:"preferredLayers" check:"nested" doc:"{spatialLayer, temporalLayer?}, as in setPreferredLayers; default all"`
	RequestID       string               `json:"requestId" check:"max=64" doc:"comes back in consumed"`
}

type consumedMessage struct {
	Type           string             `json:"type"`
	ConsumerID     string             `json:"consumerId"`
	ProducerID     string             `json:"producerId"`
	PeerID         string             `json:"peerId"`
	Kind           ortc.MediaKind     `json:"kind"`
	RTPParameters  ortc.RTPParameters `json:"rtpParameters"`
	ProducerPaused bool               `json:"producerPaused"`
	Source         string             `json:"source,omitempty"`
	RequestID      string             `json:"requestId,omitempty"`
}

// cannotConsume is the answer to a consume of what is not there or one's own.
type cannotConsume struct {
	Type       string `json:"type"`
	ProducerID string `json:"producerId"`
	RequestID  string `json:"requestId,omitempty"`
	Message    string `json:"message"`
}

func (s *session) cannot(code Code, m cannotConsume) {
	s.door.counters.errors[code].Add(1)
	s.reply(m)
}

func consume(s *session, m *consumeRequest) error {
	producer, err := s.peer.Room().Producer(m.ProducerID)
	if err != nil {
		s.cannot(NotFound, cannotConsume{"producerNotFound", m.ProducerID, m.RequestID, clientMessage(err)})
		return nil
	}
	if producer.Peer() == s.peer {
		s.cannot(SelfProducer, cannotConsume{"selfProducer", m.ProducerID, m.RequestID, "the producer is the client's own"})
		return nil
	}
	c := s.peer.ConsumerOf(m.ProducerID)
	if c == nil { // a client that lost patience asks again
		c, err = s.recv.Consume(room.ConsumeOptions{
			ProducerID: m.ProducerID, RTPCapabilities: m.RTPCapabilities, Paused: m.Paused,
			PreferredLayers: m.PreferredLayers.layer(),
		})
	}
	if room.IsKind(err, room.ProducerNotFound) { // it went in this moment
		s.cannot(NotFound, cannotConsume{"producerNotFound", m.ProducerID, m.RequestID, clientMessage(err)})
		return nil
	}
	if err != nil {
		return err
	}
	s.reply(consumedMessage{
		Type: "consumed", ConsumerID: c.ID(), ProducerID: m.ProducerID, PeerID: producer.Peer().ID(), Kind: c.Kind(),
		RTPParameters: c.RTPParameters(), ProducerPaused: producer.Paused(), Source: producer.Source(), RequestID: m.RequestID,
	})
	return nil
}

type producerRequest struct {
	ProducerID string `json:"producerId" check:"id" doc:"one of the client's own"`
}

func pauseProducer(s *session, m *producerRequest) error {
	p, err := s.peer.Producer(m.ProducerID)
	if err != nil {
		return err
	}
	if !p.Pause() { // otherwise the event is the confirmation
		s.reply(producerMessage{Type: "producerPaused", ProducerID: p.ID(), PeerID: s.peer.ID()})
	}
	return nil
}

func resumeProducer(s *session, m *producerRequest) error {
	p, err := s.peer.Producer(m.ProducerID)
	if err != nil {
		return err
	}
	if !p.Resume() {
		s.reply(producerMessage{Type: "producerResumed", ProducerID: p.ID(), PeerID: s.peer.ID()})
	}
	return nil
}

func closeProducer(s *session, m *producerRequest) error {
	p, err := s.peer.Producer(m.ProducerID)
	if err == nil {
		p.Close(s.peer.ID())
	}
	return err
}

type consumerRequest struct {
	ConsumerID string `json:"consumerId" check:"id" doc:"from consumed"`
}

func pauseConsumer(s *session, m *consumerRequest) error {
	c, err := s.peer.Consumer(m.ConsumerID)
	if err != nil {
		return err
	}
	c.Pause()
	s.reply(consumerMessage{Type: "consumerPaused", ConsumerID: c.ID()})
	return nil
}

func resumeConsumer(s *session, m *consumerRequest) error {
	c, err := s.peer.Consumer(m.ConsumerID)
	if err != nil {
		return err
	}
	c.Resume()
	s.reply(consumerMessage{Type: "consumerResumed", ConsumerID: c.ID()})
	return nil
}

func requestKeyFrame(s *session, m *consumerRequest) error {
	c, err := s.peer.Consumer(m.ConsumerID)
	if err == nil {
		c.RequestKeyFrame()
	}
	return err
}

func closeConsumer(s *session, m *consumerRequest) error {
	c, err := s.peer.Consumer(m.ConsumerID)
	if err == nil {
		c.Close(s.peer.ID())
	}
	return err
}
