// Package loadtest is WebRTC clients that are cheap enough to run by the
// hundred beside the server they load: for benchmarks, soaks and tests.
//
// A [Pool] holds the clients. A [Sender] sends synthetic VP8 and Opus as
// Chromium does and answers what comes back (NACK with RTX, PLI and FIR with a
// keyframe). A [Receiver] decrypts, counts what is lost, late, doubled or not
// what was sent, measures how long it was on its way, and sends the feedback
// that a browser sends. [Pool.Run] runs a [Load], some of the former against
// some of the latter, and reports; [Pool.RunCalls] makes and ends calls. How
// transports, producers and consumers come about is the business of the
// caller's [Signalling]; [APIRoom] is that over /takos-api.
//
// It is no browser: nothing is encoded, decoded, or estimated; one UDP path is
// used, to a server that is ICE-lite; there are no data channels. It is
// deliberately independent of the server's packages, so that a mistake is not
// made on both sides: Pion's STUN, DTLS and SRTP, and packets of its own.
//
// Latency is measured with this process's clock, so a Sender and the Receivers
// that hear it belong in one process.
//
// Obeyed: RFC 3550 and RFC 4585 (RTP, RTCP), RFC 4588 (RTX), RFC 5104 (FIR),
// RFC 5764 (DTLS-SRTP), RFC 7675 (consent), RFC 7741 (VP8), RFC 7587 (Opus),
// RFC 8445 (ICE, controlling) and
// draft-holmer-rmcat-transport-wide-cc-extensions-01.
//
// Every exported method may be called from any goroutine.
package loadtest
