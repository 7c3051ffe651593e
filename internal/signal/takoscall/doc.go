// Package takoscall is the door /_takos/v2/call, through which browsers with a
// stock mediasoup-client take part in a call, and the two HTTP endpoints that its
// page needs: one makes invitations, the other exchanges one for a token.
// docs/protocols/takos-call.md is its reference, whose transcripts are this
// package's tests.
//
// Three things are told apart. A call is the people of one room who came through
// this door. A participant is one of them, from joining to leaving, and owns a
// peer of the room. A session is one WebSocket of a participant, who may lose it
// and come back with another.
//
// Locks are taken in the order call.mu, then the room's; session.mu and Door.mu
// are last and held for moments. Events of the room come under the room's lock
// and only queue messages or close sessions.
//
// A Door is an http.Handler for the paths below /_takos/v2 that are its own, and
// may be used from any goroutine.
package takoscall
