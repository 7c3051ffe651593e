// Package sfu is the media graph, with mediasoup's object model: an [SFU] owns
// the sockets and the clock; a [Router] is a set of transports that can hear
// each other; a [Transport] carries the packets of one remote end (for a peer
// connection it is a [WebRTCTransport], for RTP without ICE and DTLS a
// [PlainTransport], for another router a [PipeTransport], for the server's own code a
// [DirectTransport]); a [Producer] is media that comes in, a
// [Consumer] the copy of it that goes out to one receiver. It knows no rooms,
// users, JSON messages or SDP.
//
// # Goroutines
//
// One goroutine per socket, those of plain and pipe transports included, reads
// ([udp.Reader]) and does all work on what it read, the sending to every
// consumer included. One clock goroutine per SFU
// does what is due by time. One goroutine per SFU does what the packet path
// must leave to others because it needs the graph, and one per Router calls the
// callbacks, which may be slow and hold up nothing else. Each TCP connection has
// one that reads and does the same as a socket's, and one that writes what the
// kernel did not take at once. DTLS keeps goroutines
// of its own while a transport shakes hands, SCTP while it carries data. SFU.Close waits for all of them.
//
// # Locks
//
// In the order in which they may be taken; never the other way round:
//
//	pipePair.mu              the transports between two routers, while they are made
//	Router.mu                the graph: who is there, paused, closed
//	observer.mu              who is observed, and what was heard of them
//	Transport.recvMu         what a packet that comes in reads and writes
//	Transport.sendMu         what a packet that goes out reads and writes
//	recvStream.storeMu       the packets kept for retransmission
//
// dataState.mu stands beside them: who holds it asks the SCTP association and
// takes none of ours. SCTP's goroutines never take Router.mu, whose holder may
// wait for them.
//
// SFU.mu, pipePairs.mu, observerList.mu, pathTable.mu, ufragTable.mu, eventQueue.mu,
// directQueue.mu and recvStream.keyframeMu are leaves: who holds one takes no
// other.
//
// The packet path never takes Router.mu, never holds the locks of one kind of
// two transports, and never the recvMu of one while it sends media on another.
// Callbacks are called with no lock held.
package sfu
