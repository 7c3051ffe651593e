package takosapi

import (
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
)

// What belongs to a peer is made by way of its room, so that the commands of rooms
// and all who are in the room see it. Everything else the room learns from the
// SFU.

// ownerOption is of the commands that make transports.
type ownerOption struct {
	PeerID string `json:"peerId" check:"max=256" doc:"in a room's router: the peer whose transport it is from then on, for the commands of rooms and all who are in the room, such as a camera without WebRTC; default nobody's"`
}

// make makes a transport, with the events that create is given.
func (q ownerOption) make(r foundRouter, appData any, create func(room.TransportEvents) (*sfu.Transport, error)) (RouterTransportInfo, error) {
	t, err := q.owned(r, appData, create)
	if err != nil {
		return RouterTransportInfo{}, err
	}
	return routerTransportInfo(t), nil
}

func (q ownerOption) owned(r foundRouter, appData any, create func(room.TransportEvents) (*sfu.Transport, error)) (*sfu.Transport, error) {
	if q.PeerID == "" {
		return create(room.TransportEvents{})
	}
	if r.ofRoom == nil {
		return nil, errorf(PeerNotFound, "router %q is of no room, and has no peers", r.ID())
	}
	p, err := r.ofRoom.Peer(q.PeerID)
	if err != nil {
		return nil, err
	}
	t, err := p.Adopt(appData, create)
	if err != nil {
		return nil, err
	}
	return t.Media(), nil
}

// ownedTransport finds a transport, and what it is to the room: nil for one that
// is nobody's.
func (c *caller) ownedTransport(ref routerTransportRef) (*sfu.Transport, *room.Transport, error) {
	t, err := c.routerTransport(ref)
	if err != nil {
		return nil, nil, err
	}
	if r := c.door.rooms.RoomOfRouter(ref.RouterID); r != nil {
		if owned, err := r.Transport(t.ID()); err == nil {
			return t, owned, nil
		}
	}
	return t, nil, nil
}

// produceOn makes a producer of a transport that may be a peer's.
func produceOn(t *sfu.Transport, owned *room.Transport, o sfu.ProducerOptions) (*sfu.Producer, error) {
	if owned == nil {
		return t.Produce(o)
	}
	p, err := owned.Produce(room.ProduceOptions{
		ID: o.ID, Kind: o.Kind, RTPParameters: o.RTPParameters, Paused: o.Paused,
		KeyFrameRequestDelay: o.KeyFrameRequestDelay, NumberPackets: o.NumberPackets, AppData: o.AppData,
	})
	if err != nil {
		return nil, err
	}
	return p.Producer, nil
}

// consumeOn makes a consumer on a transport that may be a peer's. What the room
// does not know, nobody in it is told of.
func consumeOn(t *sfu.Transport, owned *room.Transport, o sfu.ConsumerOptions) (*sfu.Consumer, error) {
	if owned == nil {
		return t.Consume(o)
	}
	if _, err := owned.Peer().Room().Producer(o.ProducerID); err != nil {
		return t.Consume(o)
	}
	c, err := owned.Consume(room.ConsumeOptions{
		ProducerID: o.ProducerID, RTPCapabilities: o.RTPCapabilities, Paused: o.Paused, PreferredLayers: o.PreferredLayers,
		MID: o.MID, EnableRTX: o.EnableRTX, IgnoreDTX: o.IgnoreDTX, Pipe: o.Pipe, AppData: o.AppData,
	})
	if err != nil {
		return nil, err
	}
	return c.Consumer, nil
}

// produceDataOn makes a data producer of a transport that may be a peer's.
func produceDataOn(t *sfu.Transport, owned *room.Transport, o sfu.DataProducerOptions) (*sfu.DataProducer, error) {
	if owned == nil {
		return t.ProduceData(o)
	}
	p, err := owned.ProduceData(room.ProduceDataOptions{
		ID: o.ID, SCTPStreamParameters: o.SCTPStreamParameters, Label: o.Label, Protocol: o.Protocol, Paused: o.Paused, AppData: o.AppData,
	})
	if err != nil {
		return nil, err
	}
	return p.DataProducer, nil
}

// consumeDataOn makes a data consumer on a transport that may be a peer's.
func consumeDataOn(t *sfu.Transport, owned *room.Transport, o sfu.DataConsumerOptions) (*sfu.DataConsumer, error) {
	if owned == nil {
		return t.ConsumeData(o)
	}
	if _, err := owned.Peer().Room().DataProducer(o.DataProducerID); err != nil {
		return t.ConsumeData(o)
	}
	c, err := owned.ConsumeData(room.ConsumeDataOptions{
		DataProducerID: o.DataProducerID, Ordered: o.Ordered, MaxPacketLifeTime: o.MaxPacketLifeTime, MaxRetransmits: o.MaxRetransmits,
		Paused: o.Paused, Subchannels: o.Subchannels, AppData: o.AppData,
	})
	if err != nil {
		return nil, err
	}
	return c.DataConsumer, nil
}
