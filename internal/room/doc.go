// Package room is the model that all doors share: rooms, the peers in them, and
// the media objects that each peer owns. It adds to the SFU what the SFU does
// not know: who somebody is, what they may do, how much of it there may be, and
// who is to be told.
//
// It speaks no protocol: no JSON, SDP or socket. The media objects are the SFU's
// own; a Transport, Producer or Consumer here is the SFU's object together with
// its owner.
//
// All methods may be called from any goroutine. What happens in one room happens
// one after another, and events are handed to observers in that order, under the
// room's lock: an observer must neither wait nor call a method of Registry, Room
// or Peer; the methods that only name things (ID, Peer, Direction and the like)
// and those of the SFU's objects are free. Usually it puts a message into a queue.
package room

// Direction is which way a transport carries media, seen from the client.
type Direction string

// The directions.
const (
	Send    Direction = "send" // client to server: producers
	Receive Direction = "recv" // server to client: consumers
	Both    Direction = "sendrecv"
)
