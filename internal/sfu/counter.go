package sfu

import (
	"sync/atomic"

	"github.com/takoserver/takos-call/internal/udp"
)

// dropReason says why a packet went no further.
type dropReason uint8

const (
	dropUnknownPath    dropReason = iota // DTLS or media from where no check came from
	dropUnknownUfrag                     // a check for no transport of ours
	dropSTUN                             // a check that is malformed or does not authenticate
	dropMalformed                        // neither STUN, DTLS, RTP nor RTCP, or a bad header
	dropNoKeys                           // media before DTLS was done
	dropDecrypt                          // wrong keys, damaged, or received before
	dropUnknownStream                    // of no producer
	dropTooManyStreams                   // of an SSRC beyond what one transport may have
	dropTooBig                           // larger than what is forwarded
	dropDuplicate                        // arrived before, or retransmitted though nobody asked
	dropEncrypt                          // could not be encrypted
	dropSend                             // refused by the kernel
	dropData                             // a message of no data producer, or of an unknown kind
	dropReasons
)

// String is the label in metrics.
func (r dropReason) String() string {
	return [...]string{
		"unknown_path", "unknown_ufrag", "stun", "malformed", "no_keys", "decrypt",
		"unknown_stream", "too_many_streams", "too_big", "duplicate", "encrypt", "send", "data",
	}[r]
}

type counters struct {
	drops            [dropReasons]atomic.Uint64
	panics           atomic.Uint64
	handshakes       atomic.Uint64
	handshakesFailed atomic.Uint64
}

// dropsByReason is all that was dropped, here and by the sockets.
func (c *counters) dropsByReason(sockets udp.Drops) map[string]uint64 {
	m := map[string]uint64{
		"socket_buffer_full": sockets.BufferFull,
		"socket_too_big":     sockets.TooBig,
		"socket_unreachable": sockets.Unreachable,
		"socket_other":       sockets.Other,
		"socket_truncated":   sockets.Truncated,
		"socket_kernel":      sockets.Kernel,
	}
	for r := range dropReasons {
		m[r.String()] = c.drops[r].Load()
	}
	return m
}
