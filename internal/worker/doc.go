// Package worker has what applications written for mediasoup call workers:
// routers and WebRTC servers that belong together, have one owner, and end
// together.
//
// There is no process behind a worker, as there is in mediasoup: all of them
// share the sockets, cores and memory of the one server. What an application
// does with many workers, one per core, it may do with one here; the media use
// all cores either way.
//
// It knows no JSON and no connections; who owns a worker is told to it. Methods
// may be called from any goroutine.
package worker
