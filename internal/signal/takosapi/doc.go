// Package takosapi is the door /takos-api, through which a backend drives the
// server: commands and their answers over a WebSocket or one by one over HTTP,
// and events over the WebSocket. docs/protocols/takos-api.md is its reference,
// whose transcripts are this package's tests.
//
// Every command is a row of one table (commands): its name, the structs of its
// data and its answer, the errors it can have, and its handler. Checking of
// input, dispatch over both carriers and the reference come from that table.
//
// The commands of one connection are carried out one after another in the order
// in which they were sent, so that a client may pipeline them; connections do
// not wait for one another except for a moment within one room.
//
// A Door is an http.Handler for the path /takos-api and what is below it, and may
// be used from any goroutine.
package takosapi
