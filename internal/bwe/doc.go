// Package bwe estimates bandwidth. Here is the receiving side: a Recorder
// that reports arrival times to a sender which does its own estimate
// (transport-wide congestion control), a ReceiveEstimator for senders that
// want to be told a number (REMB), and a RateMeter. It neither paces nor sends
// anything.
//
// It implements draft-holmer-rmcat-transport-wide-cc-extensions-01 and, for
// the estimate, draft-ietf-rmcat-gcc-02 with the filter that took the place
// of its Kalman filter in practice; see ReceiveEstimator.
//
// A value belongs to one transport and one goroutine at a time. Time is passed
// in; nothing that is called per packet allocates.
package bwe
