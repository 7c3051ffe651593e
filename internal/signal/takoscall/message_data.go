package takoscall

import (
	"encoding/json"

	"github.com/takoserver/takos-call/internal/room"
)

// Data channels are our extension of the protocol, in the words of its media.

// withData is what transports of a call are made with. Data channels cost nothing
// until a client opens one.
var withData = room.TransportOptions{SCTP: room.SCTPOptions{Enable: true}}

type (
	dataProducerMessage struct {
		Type           string `json:"type"`
		DataProducerID string `json:"dataProducerId"`
		PeerID         string `json:"peerId"`
		Label          string `json:"label"`
		Protocol       string `json:"protocol,omitempty"`
		AppData        any    `json:"appData,omitempty"`
		RequestID      string `json:"requestId,omitempty"`
	}
	dataProducerClosedMessage struct {
		Type           string `json:"type"`
		DataProducerID string `json:"dataProducerId"`
		PeerID         string `json:"peerId"`
	}
	dataConsumedMessage struct {
		Type                 string                    `json:"type"`
		DataConsumerID       string                    `json:"dataConsumerId"`
		DataProducerID       string                    `json:"dataProducerId"`
		PeerID               string                    `json:"peerId"`
		SCTPStreamParameters room.SCTPStreamParameters `json:"sctpStreamParameters"`
		Label                string                    `json:"label"`
		Protocol             string                    `json:"protocol,omitempty"`
		RequestID            string                    `json:"requestId,omitempty"`
	}
	dataConsumerClosedMessage struct {
		Type           string `json:"type"`
		DataConsumerID string `json:"dataConsumerId"`
		DataProducerID string `json:"dataProducerId"`
	}
	dataProducerNotFound struct {
		Type           string `json:"type"`
		DataProducerID string `json:"dataProducerId"`
		RequestID      string `json:"requestId,omitempty"`
		Message        string `json:"message"`
	}
)

// dataProducerInfo is a data producer in init.
type dataProducerInfo struct {
	ID       string `json:"id"`
	PeerID   string `json:"peerId,omitempty"`
	Label    string `json:"label"`
	Protocol string `json:"protocol,omitempty"`
	AppData  any    `json:"appData,omitempty"`
}

func dataProducerInfoOf(p *room.DataProducer) dataProducerInfo {
	return dataProducerInfo{ID: p.ID(), PeerID: p.Peer().ID(), Label: p.Label(), Protocol: p.Protocol(), AppData: p.AppData()}
}

type dataConsumerInfo struct {
	DataConsumerID string `json:"dataConsumerId"`
	DataProducerID string `json:"dataProducerId"`
}

func dataProduced(p *room.DataProducer, requestID string) dataProducerMessage {
	return dataProducerMessage{
		Type: "dataProduced", DataProducerID: p.ID(), PeerID: p.Peer().ID(), Label: p.Label(), Protocol: p.Protocol(),
		AppData: p.AppData(), RequestID: requestID,
	}
}

type sctpStreamParameters struct {
	StreamID          int     `json:"streamId" check:"required,min=0,max=65534"`
	Ordered           *bool   `json:"ordered"`
	MaxPacketLifeTime *uint16 `json:"maxPacketLifeTime" check:"min=0,max=65535"`
	MaxRetransmits    *uint16 `json:"maxRetransmits" check:"min=0,max=65535"`
}

type produceDataRequest struct {
	SCTPStreamParameters sctpStreamParameters `json:"sctpStreamParameters" check:"required,nested" doc:"from mediasoup-client's producedata event"`
	Label                string               `json:"label" check:"max=256" doc:"of the data channel, for the others"`
	Protocol             string               `json:"protocol" check:"max=256" doc:"of the data channel, for the others"`
	AppData              json.RawMessage      `json:"appData" check:"max=4096" doc:"anything, for the others"`
	RequestID            string               `json:"requestId" check:"max=64" doc:"comes back in dataProduced"`
}

func produceData(s *session, m *produceDataRequest) error {
	stream := m.SCTPStreamParameters
	o := room.ProduceDataOptions{
		SCTPStreamParameters: room.SCTPStreamParameters{
			StreamID: uint16(stream.StreamID), Ordered: stream.Ordered,
			MaxPacketLifeTime: stream.MaxPacketLifeTime, MaxRetransmits: stream.MaxRetransmits,
		},
		Label: m.Label, Protocol: m.Protocol,
	}
	if len(m.AppData) > 0 {
		o.AppData = m.AppData
	}
	p, err := s.send.ProduceData(o)
	if err != nil {
		return err
	}
	s.reply(dataProduced(p, m.RequestID))
	return nil
}

type consumeDataRequest struct {
	DataProducerID string `json:"dataProducerId" check:"id" doc:"from init or dataProduced"`
	RequestID      string `json:"requestId" check:"max=64" doc:"comes back in dataConsumed"`
}

func consumeData(s *session, m *consumeDataRequest) error {
	producer, err := s.peer.Room().DataProducer(m.DataProducerID)
	if err == nil && producer.Peer() == s.peer {
		return &protocolError{SelfProducer, "the data producer is the client's own"}
	}
	c := s.peer.DataConsumerOf(m.DataProducerID)
	if err == nil && c == nil { // a client that lost patience asks again
		c, err = s.recv.ConsumeData(room.ConsumeDataOptions{DataProducerID: m.DataProducerID})
	}
	if room.IsKind(err, room.DataProducerNotFound) {
		s.reply(dataProducerNotFound{"dataProducerNotFound", m.DataProducerID, m.RequestID, clientMessage(err)})
		return nil
	}
	if err != nil {
		return err
	}
	s.reply(dataConsumedMessage{
		Type: "dataConsumed", DataConsumerID: c.ID(), DataProducerID: m.DataProducerID, PeerID: producer.Peer().ID(),
		SCTPStreamParameters: c.SCTPStreamParameters(), Label: c.Label(), Protocol: c.Protocol(), RequestID: m.RequestID,
	})
	return nil
}

type dataProducerRequest struct {
	DataProducerID string `json:"dataProducerId" check:"id" doc:"one of the client's own"`
}

func closeDataProducer(s *session, m *dataProducerRequest) error {
	p, err := s.peer.DataProducer(m.DataProducerID)
	if err == nil {
		p.Close(s.peer.ID())
	}
	return err
}

type dataConsumerRequest struct {
	DataConsumerID string `json:"dataConsumerId" check:"id" doc:"from dataConsumed"`
}

func closeDataConsumer(s *session, m *dataConsumerRequest) error {
	c, err := s.peer.DataConsumer(m.DataConsumerID)
	if err == nil {
		c.Close(s.peer.ID())
	}
	return err
}

// dataEvent tells about somebody's data channel, and of the client's own what it has
// not done itself.
func (s *session) dataEvent(e room.Event, mine bool) {
	own := mine && e.By == s.peer.ID()
	switch e.Type {
	case room.DataProducerCreated:
		if !mine { // otherwise answered by produceData
			s.tell(encode(dataProduced(e.DataProducer, "")))
		}
	case room.DataProducerClosed:
		if !own {
			s.tell(encode(dataProducerClosedMessage{"dataProducerClosed", e.DataProducer.ID(), e.Peer.ID()}))
		}
	case room.DataConsumerClosed:
		if mine && !own {
			s.tell(encode(dataConsumerClosedMessage{"dataConsumerClosed", e.DataConsumer.ID(), e.DataConsumer.DataProducerID()}))
		}
	}
}

// addData lists the data channels of the room.
func (d *initData) addData(p room.PeerSnapshot, mine, resumed bool) {
	for _, producer := range p.DataProducers {
		info := dataProducerInfoOf(producer)
		switch {
		case !mine:
			d.DataProducers = append(d.DataProducers, info)
		case resumed:
			info.PeerID = ""
			d.MyDataProducers = append(d.MyDataProducers, info)
		}
	}
	for _, c := range p.DataConsumers {
		if mine && resumed {
			d.MyDataConsumers = append(d.MyDataConsumers, dataConsumerInfo{c.ID(), c.DataProducerID()})
		}
	}
}
