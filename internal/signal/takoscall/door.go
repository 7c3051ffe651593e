package takoscall

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/signal"
)

// Where the door is found, below the server's base path.
const (
	PathCall       = "/_takos/v2/call"
	PathInvitation = "/_takos/v2/invitation"
	PathToken      = "/_takos/v2/token"
)

// Dialect is which of two names a client knows for the news that somebody else
// has a producer.
type Dialect string

// The dialects.
const (
	// Seed is the published specification: the news is called "produced".
	Seed Dialect = "seed"
	// Deployed is the web client that is in use: the news is called "produce",
	// and any "produced" is taken for the answer to the client's own.
	Deployed Dialect = "deployed"
)

// ICEServer is a STUN or TURN server for clients, with the W3C's names.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// Options are the settings of a Door.
type Options struct {
	Rooms       *room.Registry    // required
	Tokens      *auth.Tokens      // required
	Invitations *auth.Invitations // required
	// Keys are the API keys with which invitations may be made.
	Keys *auth.Keys
	// Open lets everybody make invitations while there is no key; for a listener
	// that only this machine can reach.
	Open bool
	// Allowed are the addresses that may make invitations.
	Allowed auth.Addresses
	// TrustedProxies are those whose X-Forwarded-For is believed.
	TrustedProxies auth.Addresses
	// Origins are the web pages that may make invitations. Any page may exchange
	// one and open a call.
	Origins signal.Origins
	// Dialect is for clients that do not ask for one; default Deployed.
	Dialect Dialect
	// ICEServers go to clients in init.
	ICEServers []ICEServer
	// GracePeriod is how long somebody whose WebSocket was lost stays in the
	// call; default 15 s.
	GracePeriod time.Duration
	// Limits bound a session.
	Limits signal.Limits
	// RequestsPerMinute bounds, for each address, the tokens, the invitations
	// and the wrong tokens that are answered; default 120.
	RequestsPerMinute int
	// Domain is behind the @ of guests' user ids; default the host that the
	// request was sent to.
	Domain string
	// PageURL is where the call page is found, without a slash at the end.
	// Without a scheme it is a path of the server as the request for the
	// invitation addressed it.
	PageURL string
	Logger  *slog.Logger // default slog.Default
}

func (o Options) withDefaults() Options {
	if o.Dialect == "" {
		o.Dialect = Deployed
	}
	if o.GracePeriod <= 0 {
		o.GracePeriod = 15 * time.Second
	}
	if o.RequestsPerMinute <= 0 {
		o.RequestsPerMinute = 120
	}
	if o.ICEServers == nil {
		o.ICEServers = []ICEServer{}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Limits = o.Limits.WithDefaults()
	o.PageURL = strings.TrimSuffix(o.PageURL, "/")
	return o
}

// Door serves the call endpoint.
type Door struct {
	// constant after New
	options    Options
	rooms      *room.Registry
	tokens     *auth.Tokens
	log        *slog.Logger
	rate       *signal.AddressRate
	stopEvents func()

	counters counters
	refusals signal.Seldom
	deadline atomic.Pointer[time.Time] // nil until Drain

	mu         sync.Mutex
	calls      map[string]*call // guarded by mu: by room id
	closed     bool             // guarded by mu
	running    sync.WaitGroup   // sessions and grace periods; Add under mu, see start
	forgetting sync.WaitGroup   // of tokens; Add under mu
}

type counters struct {
	sessions, resumed, replaced, lost, tooSlow atomic.Uint64

	errors errorCounters
}

// New returns a door that is open. Close it before the registry.
func New(o Options) *Door {
	o = o.withDefaults()
	d := &Door{
		options: o, rooms: o.Rooms, tokens: o.Tokens, log: o.Logger,
		rate:  signal.NewAddressRate(float64(o.RequestsPerMinute)/60, o.RequestsPerMinute),
		calls: make(map[string]*call), counters: counters{errors: newErrorCounters()},
	}
	d.stopEvents = o.Rooms.Observe(d.roomEvent)
	o.Tokens.OnRevoke(d.tokenRevoked)
	return d
}

// ServeHTTP answers a request for one of the door's paths. The path may be
// preceded by anything.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := strings.TrimSuffix(r.URL.Path, "/"); {
	case strings.HasSuffix(path, PathCall):
		d.serveCall(w, r)
	case strings.HasSuffix(path, PathInvitation):
		d.serveInvitation(w, r)
	case strings.HasSuffix(path, PathToken):
		d.serveToken(w, r)
	default:
		d.refuse(w, http.StatusNotFound, NotFound, "there is nothing here")
	}
}

// start counts something that Close has to wait for, unless it is too late.
func (d *Door) start() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.running.Add(1)
	return true
}

func (d *Door) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// roomEvent forgets the tokens of a call that has ended.
func (d *Door) roomEvent(e room.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e.Type != room.RoomClosed || d.closed {
		return
	}
	ended := d.tokens.EndCall(e.Room.ID())
	d.forgetting.Go(func() { // the disk is slow, and the room's lock is held
		if err := ended.Forget(); err != nil {
			d.log.Error("cannot forget the tokens of a call", "room", e.Room.ID(), "error", err)
		}
	})
}

// tokenRevoked ends the session that was opened with the token.
func (d *Door) tokenRevoked(id auth.TokenID) {
	for _, c := range d.allCalls() {
		c.revoke(id)
	}
}

func (d *Door) allCalls() []*call {
	d.mu.Lock()
	defer d.mu.Unlock()
	calls := make([]*call, 0, len(d.calls))
	for _, c := range d.calls {
		calls = append(calls, c)
	}
	return calls
}

// Drain tells everybody that the server ends at the deadline, and those who come
// until then too. The registry refuses new rooms by itself.
func (d *Door) Drain(deadline time.Time) {
	d.deadline.Store(&deadline)
	for _, c := range d.allCalls() {
		c.each(d.sayClosing)
	}
}

// sayClosing tells a session that the server is about to end, if it is.
func (d *Door) sayClosing(s *session) {
	if deadline := d.deadline.Load(); deadline != nil {
		s.tell(encode(closingMessage{
			Type: "closing", Reason: "the server is shutting down",
			DeadlineMs: max(0, time.Until(*deadline).Milliseconds()),
		}))
	}
}

type closingMessage struct {
	Type       string `json:"type"`
	Reason     string `json:"reason"`
	DeadlineMs int64  `json:"deadlineMs"` // from now
}

// Close ends every session and returns when nothing of the door runs any more.
// Tokens stay good for those who come back to the next process.
func (d *Door) Close() {
	d.stopEvents()
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	for _, c := range d.allCalls() {
		c.shutDown()
	}
	d.running.Wait()
	d.forgetting.Wait()
}

// Stats are figures for metrics. All but Calls and Participants only grow.
type Stats struct {
	Calls        int    // with at least one participant
	Participants int    // in calls now, with or without a session
	Sessions     uint64 // WebSockets ever opened
	Resumed      uint64 // of these, those that found their transports again
	Replaced     uint64 // sessions that gave way to a newer one
	Lost         uint64 // sessions that ended without a goodbye
	TooSlow      uint64 // sessions closed because they did not read

	Errors map[Code]uint64 // refused requests and messages that could not be carried out; codes that never were are left out
}

// Stats counts.
func (d *Door) Stats() Stats {
	c := &d.counters
	s := Stats{
		Sessions: c.sessions.Load(), Resumed: c.resumed.Load(), Replaced: c.replaced.Load(), Lost: c.lost.Load(),
		TooSlow: c.tooSlow.Load(), Errors: c.errors.read(),
	}
	for _, call := range d.allCalls() {
		s.Calls++
		s.Participants += call.size()
	}
	return s
}
