package worker

import (
	"fmt"
	"slices"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
)

// LogLevel says which of its messages a worker's owner gets.
type LogLevel string

// The levels, each with those after it.
const (
	LogDebug LogLevel = "debug"
	LogWarn  LogLevel = "warn"
	LogError LogLevel = "error"
	LogNone  LogLevel = "none"
)

// LogLevels and LogTags are what there is.
var (
	LogLevels = []LogLevel{LogDebug, LogWarn, LogError, LogNone}
	LogTags   = []string{
		"info", "ice", "dtls", "rtp", "srtp", "rtcp", "rtx", "bwe", "score", "simulcast", "svc", "sctp", "message",
	}
)

// Logging is the part of the settings that can be changed.
type Logging struct {
	Level LogLevel // empty is LogError
	Tags  []string // of LogTags; they choose among debug messages
}

func (l Logging) validate() error {
	if !slices.Contains(LogLevels, l.Level) {
		return typeErrorf("logLevel: there is no level %q", l.Level)
	}
	for _, tag := range l.Tags {
		if !slices.Contains(LogTags, tag) {
			return typeErrorf("logTags: there is no tag %q", tag)
		}
	}
	return nil
}

// Settings are what a worker is made from.
type Settings struct {
	Logging
	// Ports are for the sockets of transports and WebRTC servers that are given
	// none; zero is the server's own range.
	Ports sfu.PortRange
	// CertificatePEM and PrivateKeyPEM are what is shown in DTLS handshakes; both
	// empty: the server's own.
	CertificatePEM, PrivateKeyPEM string
}

func (s Settings) withDefaults() Settings {
	if s.Level == "" {
		s.Level = LogError
	}
	return s
}

func (s Settings) validate() error {
	if s.Ports.Min > s.Ports.Max {
		return typeErrorf("rtcMinPort: %d is above rtcMaxPort, %d", s.Ports.Min, s.Ports.Max)
	}
	if (s.CertificatePEM == "") != (s.PrivateKeyPEM == "") {
		return typeErrorf("dtlsCertificate and dtlsPrivateKey: one does not help without the other")
	}
	return s.Logging.validate()
}

// certificate is the one that was given, nil if none was.
func (s Settings) certificate() (*sfu.Certificate, error) {
	if s.CertificatePEM == "" {
		return nil, nil
	}
	c, err := sfu.ParseCertificate([]byte(s.CertificatePEM), []byte(s.PrivateKeyPEM))
	if err != nil {
		return nil, typeErrorf("dtlsCertificate: %v", err)
	}
	return c, nil
}

func typeErrorf(format string, args ...any) error {
	return &ortc.Error{Kind: ortc.TypeError, Message: fmt.Sprintf(format, args...)}
}
