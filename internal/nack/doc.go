// Package nack repairs loss by retransmission: a Generator decides which
// packets of a received stream to ask its sender for, a Store keeps the last
// packets of a stream to answer those who ask us. It does not build or parse
// RTCP and RTX packets, see package rtp, and has no idea of sockets.
//
// The feedback message is that of RFC 4585 §6.2.1, the retransmission format
// RFC 4588; how often to ask is ours, with the reasons beside the constants.
//
// A value belongs to one stream and one goroutine at a time. Sequence numbers
// are extSeq, unwrapped to 64 bits by rtp.Unwrapper. Time is passed in.
package nack
