package sfu

import (
	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ice"
)

// The types of the engines that stand in this package's methods, for those who
// use it and nothing below it.
type (
	Bitrate         = bwe.Bitrate
	DTLSParameters  = dtls.Parameters
	DTLSFingerprint = dtls.Fingerprint
	DTLSRole        = dtls.Role
	DTLSState       = dtls.State
	ICEState        = ice.State
	ICEParameters   = ice.Parameters
	ICECandidate    = ice.Candidate
)

// DTLSLocalRole is the role that a transport takes towards a remote which has
// signalled its own.
func DTLSLocalRole(remote DTLSRole) DTLSRole { return dtls.LocalRole(remote) }
