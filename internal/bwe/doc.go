// Package bwe estimates bandwidth. It neither paces nor sends anything.
//
// The receiving side: a Recorder that reports arrival times to a sender which
// does its own estimate (transport-wide congestion control), a
// ReceiveEstimator for senders that want to be told a number (REMB).
//
// The sending side: a SendEstimator of what a receiver can be sent, a Prober
// that finds out by padding whether it could be more, and Allocate, which
// divides it among the consumers. And a RateMeter for either.
//
// It implements draft-holmer-rmcat-transport-wide-cc-extensions-01 and, for
// the estimates, draft-ietf-rmcat-gcc-02 with the filter that took the place
// of its Kalman filter in practice, see ReceiveEstimator, and a model of loss
// of its own, see SendEstimator.
//
// A value belongs to one transport and one goroutine at a time. Time is passed
// in; nothing that is called per packet allocates.
package bwe
