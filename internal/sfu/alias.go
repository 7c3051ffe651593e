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
	Certificate     = dtls.Certificate
	ICEProtocol     = ice.Protocol
	ICEState        = ice.State
	ICEParameters   = ice.Parameters
	ICECandidate    = ice.Candidate
)

// The protocols that a [ListenInfo] may have.
const (
	UDP = ice.UDP
	TCP = ice.TCP
)

// ParseCertificate reads a certificate and its key in PEM. The error says what is
// wrong with them.
func ParseCertificate(certificatePEM, keyPEM []byte) (*Certificate, error) {
	return dtls.ParseCertificate(certificatePEM, keyPEM)
}
