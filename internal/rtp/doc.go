// Package rtp reads, writes and rewrites RTP and RTCP in the buffers they
// arrive in. It keeps no state but the few words of an Unwrapper and knows
// nothing of sockets, sessions or encryption.
//
// Two rules hold throughout: functions that are called per packet do not
// allocate, and no input makes a function panic. Malformed input is an error
// (one of the sentinels below, so that a caller can count by reason) or, for
// views into a packet whose frame was already accepted, ok == false.
//
// It implements RFC 3550 (RTP and RTCP), RFC 3611 (XR), RFC 4585 and RFC 5104
// (feedback), RFC 5761 and RFC 7983 (telling protocols on one port apart),
// RFC 8285 (header extensions) and draft-alvestrand-rmcat-remb-03.
//
// All of it is safe to call from any goroutine as long as the values and
// buffers involved are not shared.
package rtp
