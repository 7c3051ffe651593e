package takosapi

import (
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
)

var roomCommands = []command{
	creates(define("createRoom", "Makes a room. It stays until it is closed.", createRoom,
		RoomExists, LimitReached, InvalidMedia, Unsupported, InvalidState, ServerClosing)),
	define("closeRoom", "Closes a room and everything in it.", closeRoom, RoomNotFound),
	reads(define("getRoomInfo", "Describes a room; null if there is none.", getRoomInfo)),
	reads(define("getAllRooms", "Describes all rooms that the key may see.", getAllRooms)),
	reads(define("getRouterRtpCapabilities", "What clients load their device with.", getRouterRTPCapabilities, RoomNotFound)),
}

type roomRef struct {
	RoomID string `json:"roomId" check:"id" doc:"the room's id"`
}

type roomOptions struct {
	MaxPeers int                       `json:"maxPeers" check:"min=0,max=100000" doc:"the most peers the room takes, no more than the server's limit, which is also the default"`
	Codecs   []ortc.RTPCodecCapability `json:"codecs" check:"max=100" doc:"what may be sent in the room, preferred first, as mediasoup's RtpCodecCapability; video/H265 too, and audio/red after the audio/opus that it repeats"`
}

type createRoomRequest struct {
	roomRef
	Options roomOptions `json:"options" check:"nested" doc:"the room's properties"`
}

func createRoom(c *caller, q *createRoomRequest) (RoomInfo, error) {
	if err := c.mayUse(q.RoomID); err != nil {
		return RoomInfo{}, err
	}
	r, err := c.door.rooms.Create(q.RoomID, room.RoomOptions{MaxPeers: q.Options.MaxPeers, Codecs: q.Options.Codecs})
	if err != nil {
		return RoomInfo{}, err
	}
	return roomInfo(r.Snapshot()), nil
}

func closeRoom(c *caller, q *roomRef) (none, error) {
	r, err := c.room(q.RoomID)
	if err != nil {
		return none{}, err
	}
	r.Close(room.ReasonRequested)
	return none{}, nil
}

func getRoomInfo(c *caller, q *roomRef) (*RoomInfo, error) {
	r, err := c.room(q.RoomID)
	if err != nil {
		return nil, unlessMissing(err)
	}
	info := roomInfo(r.Snapshot())
	return &info, nil
}

// AllRooms is the answer of getAllRooms.
type AllRooms struct {
	Rooms []RoomInfo `json:"rooms" doc:"in the order of their ids"`
}

func getAllRooms(c *caller, _ *none) (AllRooms, error) {
	all := AllRooms{Rooms: []RoomInfo{}}
	for _, r := range c.door.rooms.Rooms() {
		if c.access.Scope.AllowsRoom(r.ID()) {
			all.Rooms = append(all.Rooms, roomInfo(r.Snapshot()))
		}
	}
	return all, nil
}

// RouterCapabilities is the answer of getRouterRtpCapabilities.
type RouterCapabilities struct {
	RTPCapabilities ortc.RTPCapabilities `json:"rtpCapabilities" doc:"as mediasoup's RtpCapabilities"`
}

func getRouterRTPCapabilities(c *caller, q *roomRef) (RouterCapabilities, error) {
	r, err := c.room(q.RoomID)
	if err != nil {
		return RouterCapabilities{}, err
	}
	return RouterCapabilities{r.RTPCapabilities()}, nil
}

// mayUse keeps a key to its rooms.
func (c *caller) mayUse(roomID string) error {
	if !c.access.Scope.AllowsRoom(roomID) {
		return errorf(Forbidden, "this key may not use room %q", roomID)
	}
	return nil
}

func (c *caller) room(id string) (*room.Room, error) {
	if err := c.mayUse(id); err != nil {
		return nil, err
	}
	return c.door.rooms.Room(id)
}

func (c *caller) peer(ref peerRef) (*room.Peer, error) {
	r, err := c.room(ref.RoomID)
	if err != nil {
		return nil, err
	}
	return r.Peer(ref.PeerID)
}

func (c *caller) transport(ref transportRef) (*room.Transport, error) {
	p, err := c.peer(ref.peerRef)
	if err != nil {
		return nil, err
	}
	return p.Transport(ref.TransportID)
}

func (c *caller) producer(ref producerRef) (*room.Producer, error) {
	p, err := c.peer(ref.peerRef)
	if err != nil {
		return nil, err
	}
	return p.Producer(ref.ProducerID)
}

func (c *caller) consumer(ref consumerRef) (*room.Consumer, error) {
	p, err := c.peer(ref.peerRef)
	if err != nil {
		return nil, err
	}
	return p.Consumer(ref.ConsumerID)
}

// unlessMissing makes "there is no such thing" an answer and not an error.
func unlessMissing(err error) error {
	for _, kind := range []room.ErrorKind{
		room.RoomNotFound, room.PeerNotFound, room.TransportNotFound, room.ProducerNotFound, room.ConsumerNotFound,
		room.DataProducerNotFound, room.DataConsumerNotFound,
	} {
		if room.IsKind(err, kind) {
			return nil
		}
	}
	return err
}
