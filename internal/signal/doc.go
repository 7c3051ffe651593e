// Package signal is one WebSocket session, whatever is spoken over it: a read
// loop that hands over whole messages, a bounded queue of what is to be written,
// pings, a limit on the size and rate of messages, and an orderly end.
//
// It knows no message format, no rooms and no users. A door calls New,
// Accept and Run, from the goroutine of the HTTP request; everything else of a Conn
// may be called from any goroutine and never waits for the client, except Reply.
//
// A client that does not read is closed when its queue is full and holds up
// nobody else. RFC 6455 is obeyed by github.com/coder/websocket.
package signal

// Close codes of ours (RFC 6455 §7.4.2 leaves 4000 to 4999 to applications). They
// are the same for all doors.
const (
	CodeNormal       = 1000 // the client hung up
	CodeTooBig       = 1009 // a message over the limit
	CodeCallEnded    = 4000 // the other side of a friend call hung up
	CodeReplaced     = 4001 // a newer connection of the same user took over
	CodeKicked       = 4002 // removed by a host or a backend
	CodeRoomClosed   = 4003 // the room was closed
	CodeRevoked      = 4004 // the token was revoked
	CodeTooSlow      = 4005 // the client does not read fast enough
	CodeShuttingDown = 4006 // the server is about to end
	CodeFlood        = 4007 // too many messages, pings or pongs
	CodeStalled      = 4008 // a message was begun and did not end in time
	CodeLost         = 1006 // no close frame was seen (never sent)
)
