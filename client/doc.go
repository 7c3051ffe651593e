// Package client drives a takos-call server from a Go backend. It speaks
// /takos-api over one WebSocket: commands that make rooms, peers, transports,
// producers and consumers, and events that tell what happens in them.
//
// The media itself never passes through here. A backend hands JSON to and fro
// between the server and the browsers, which use mediasoup-client:
//
//	browser                          backend                     takos-call
//	"let me in"                  →   AddPeer, CreateTransport  →
//	device.load                  ←   RouterRTPCapabilities
//	createSendTransport(info)    ←   TransportInfo             ←
//	transport "connect" event    →   ConnectTransport          →
//	transport "produce" event    →   CreateProducer            →
//	                                 ProducerCreated           ←  (event)
//	transport.consume(info)      ←   CreateConsumer            →
//
// What is only handed through is a json.RawMessage: it arrives in the browser
// as it left the server. examples/backend is such a backend, whole.
//
// # Commands
//
// Every command is a method of Client. All of them may be called from any
// goroutine at the same time; they share the connection and do not wait for one
// another's answers. Commands that one goroutine sends one after another are
// carried out in that order.
//
// A command fails with one of these:
//
//   - *Error: the server refused it, with a Code that never changes its meaning.
//     errors.Is(err, ErrNotFound) holds for every "there is no such thing".
//   - ErrDisconnected: the connection was lost before the answer came. The
//     command may or may not have been carried out.
//   - the error of the context. The same holds, unless there was no connection.
//   - ErrClosed: Close was called.
//
// # Objects
//
// Beside rooms, a server has workers, routers and what is in them: mediasoup's
// server API. [Client.CreateWorker] returns a handle, whose methods make further
// ones, down to a [Producer] and a [Consumer]. Each method's comment names the
// command behind it; options that are left out have the server's defaults.
// [Client.RoomRouter] takes hold of the router of a room. Events of a worker that
// this client made come by themselves, as Event… structs; for others there is
// Attach.
//
// A direct transport has this backend as its other end: it sends RTP packets and
// messages with Send, and gets them as [EventConsumerRTP] and
// [EventDataConsumerMessage]. examples/recorder writes what a room says and shows
// to a file that way.
//
// # Events
//
// Client.Events yields what happens, in order, as a struct per kind of event:
//
//	for e := range c.Events(ctx) {
//		switch e := e.(type) {
//		case client.ProducerCreated:
//			tellTheOthers(e.RoomID, e.PeerID, e.Producer.ID)
//		case client.TransportClosed:
//			endSession(e.PeerID)
//		case client.Connected, client.EventsLost:
//			compareWith(c.Rooms(ctx))
//		}
//	}
//
// Events wait in a bounded queue and hold up nothing else, so that the loop may
// call commands and take its time. When the queue is full, everything that waits
// in it is dropped and one EventsLost takes its place. Between an answer and an
// event there is no order: roomCreated may be seen before or after CreateRoom
// returns.
//
// # Lost connections
//
// Dial fails if the server cannot be reached. From then on a lost connection is
// opened again, after a growing and randomised delay, for as long as it takes,
// and the subscription to rooms is renewed. Commands called meanwhile wait for
// it, so give them a context that ends. Rooms and calls live in the server and
// go on; but events of the time between are missed, therefore the pair
// Connected, EventsLost above. When the server itself was started anew, the
// rooms are gone.
//
// Workers and routers go on, too, and handles stay good; unless a worker was made
// with OnDisconnect "close" and the connection stays away for longer than
// DisconnectGraceMs. The client attaches again to what it was attached to, and
// tells by a [WorkerAttached] or [RouterAttached] after Connected how things are
// now, or by an [EventWorkerClosed] or [EventRouterClosed] that they are gone.
// After an EventsLost, [Worker.Attach] and [Router.Attach] answer how things are.
package client
