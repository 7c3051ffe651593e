package server

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/config"
	"github.com/takoserver/takos-call/internal/signal"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
	"github.com/takoserver/takos-call/internal/signal/takoscall"
)

// A door is a way for clients to get in.
type door interface {
	http.Handler
	// Drain tells every client that the server ends at the deadline.
	Drain(deadline time.Time)
	// Close ends every session and waits for it.
	Close()
}

// openDoors makes the doors.
func (s *Server) openDoors(context.Context) error {
	s.keys = auth.NewKeys(keysOf(s.config)...)
	s.openAPI()
	s.openCall()
	return nil
}

// openAPI makes the door of backends.
func (s *Server) openAPI() {
	c := s.config
	s.api = takosapi.New(takosapi.Options{
		Rooms:                 s.rooms,
		Workers:               s.workers,
		Tokens:                s.tokens,
		Invitations:           s.invitations,
		Keys:                  s.keys,
		Open:                  s.open(),
		Allowed:               auth.Addresses(c.AllowedAddresses),
		TrustedProxies:        auth.Addresses(c.TrustedProxies),
		Origins:               signal.Origins(c.AllowedOrigins),
		Limits:                connectionLimits(c, c.APIMessageRate),
		HTTPRequestsPerSecond: c.APIRequestRate,
		PageURL:               s.pageURL(),
		Version:               s.build.Version,
		Logger:                s.log,
	})
	s.onClose(s.api.Close)
}

// openCall makes the door of browsers.
func (s *Server) openCall() {
	c := s.config
	servers := []takoscall.ICEServer{}
	for _, i := range c.ICEServers {
		servers = append(servers, takoscall.ICEServer{URLs: i.URLs, Username: i.Username, Credential: i.Credential})
	}
	s.call = takoscall.New(takoscall.Options{
		Rooms:             s.rooms,
		Tokens:            s.tokens,
		Invitations:       s.invitations,
		Keys:              s.keys,
		Open:              s.open(),
		Allowed:           auth.Addresses(c.AllowedAddresses),
		TrustedProxies:    auth.Addresses(c.TrustedProxies),
		Origins:           signal.Origins(c.AllowedOrigins),
		Dialect:           takoscall.Dialect(c.Dialect),
		ICEServers:        servers,
		GracePeriod:       c.GracePeriod,
		Limits:            callLimits(c),
		RequestsPerMinute: c.RequestsPerMinute,
		Domain:            s.guestDomain(),
		PageURL:           s.pageURL(),
		Logger:            s.log,
	})
	s.onClose(s.call.Close)
}

// open reports whether there is no key to check because only this machine can
// ask.
func (s *Server) open() bool { return len(s.config.APIKeys) == 0 && s.config.LoopbackOnly() }

// pageURL is what stands before the path of an invitation's link: at least the
// base path.
func (s *Server) pageURL() string {
	if s.config.PublicURL != "" {
		return string(s.config.PublicURL)
	}
	return string(s.config.BasePath)
}

// guestDomain is the domain of visitors with an invitation; empty means the host
// that they addressed.
func (s *Server) guestDomain() string {
	if s.config.Domain != "" {
		return s.config.Domain
	}
	u, err := url.Parse(string(s.config.PublicURL))
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// doors returns all doors.
func (s *Server) doors() []door { return []door{s.api, s.call} }

// What a participant may send in the long run, and at once: the largest message
// of a call, with the capabilities of a browser, has about 20 KB.
const (
	callBytesPerSecond = 512 << 10
	callMessageBytes   = 256 << 10
)

func callLimits(c *config.Config) signal.Limits {
	l := connectionLimits(c, c.MessageRate)
	l.BytesPerSecond = callBytesPerSecond
	l.MessageBytes = min(l.MessageBytes, callMessageBytes)
	return l
}

// connectionLimits are the limits of a WebSocket that may carry so many
// messages a second.
func connectionLimits(c *config.Config, messageRate int) signal.Limits {
	return signal.Limits{
		MessageBytes:      int64(c.MaxMessageSize),
		QueueMessages:     c.SendQueue,
		QueueBytes:        int(c.SendQueueSize),
		MessagesPerSecond: float64(messageRate),
		MessageBurst:      5 * messageRate,
		PingInterval:      c.PingInterval,
		PingTimeout:       c.PingInterval,
	}
}
