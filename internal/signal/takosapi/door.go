package takosapi

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
	"github.com/takoserver/takos-call/internal/worker"
)

// Path is where the door is found, below the server's base path.
const Path = "/takos-api"

// Options are the settings of a Door.
type Options struct {
	Rooms       *room.Registry    // required
	Workers     *worker.Registry  // required
	Tokens      *auth.Tokens      // required
	Invitations *auth.Invitations // required
	// Keys are the valid API keys. If there is none, nobody gets in, unless Open.
	Keys *auth.Keys
	// Open lets everybody in whose request has no key to be checked; for a
	// listener that only this machine can reach.
	Open bool
	// Allowed are the addresses that may connect; empty for all.
	Allowed auth.Addresses
	// TrustedProxies are those whose X-Forwarded-For is believed.
	TrustedProxies auth.Addresses
	// Origins are the web pages that may connect.
	Origins signal.Origins
	// Limits bound a connection; MessageBytes also bounds an HTTP body. The
	// default rate is 20,000 messages a second.
	Limits signal.Limits
	// HTTPRequestsPerSecond bounds the HTTP requests of one address; default
	// 1,000, in bursts of as many.
	HTTPRequestsPerSecond int
	// PageURL is where the call page is found, without a slash at the end; it
	// goes into invitations. Without a scheme it is a path of the server as the
	// request for the invitation addressed it.
	PageURL string
	Version string       // told by getServerInfo
	Logger  *slog.Logger // default slog.Default
}

// Door serves /takos-api.
type Door struct {
	// constant after New
	rooms       *room.Registry
	workers     *worker.Registry
	tokens      *auth.Tokens
	invitations *auth.Invitations
	options     Options
	limits      signal.Limits
	pageURL     string
	version     string
	started     time.Time
	log         *slog.Logger
	rate        *signal.AddressRate
	answers     *answers
	stopEvents  func()

	counters counters
	refusals signal.Seldom

	mu       sync.RWMutex
	sessions map[*session]struct{} // guarded by mu
	closed   bool                  // guarded by mu
	running  sync.WaitGroup        // sessions; Add under mu
}

type counters struct {
	connections, commands, events, tooSlow, panics atomic.Uint64

	errors map[Code]*atomic.Uint64 // the map is constant after New
}

// failed counts an error that a client is told, and returns it.
func (c *counters) failed(failure *Error) *Error {
	c.errors[failure.Code].Add(1)
	return failure
}

// New returns a door that is open. Close it before the registry.
func New(o Options) *Door {
	if o.Limits.MessagesPerSecond <= 0 {
		o.Limits.MessagesPerSecond, o.Limits.MessageBurst = 20000, 40000
	}
	if o.HTTPRequestsPerSecond <= 0 {
		o.HTTPRequestsPerSecond = 1000
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	d := &Door{
		rooms: o.Rooms, workers: o.Workers, tokens: o.Tokens, invitations: o.Invitations, options: o,
		limits: o.Limits.WithDefaults(), pageURL: strings.TrimSuffix(o.PageURL, "/"), version: o.Version,
		started: time.Now(), log: o.Logger, answers: newAnswers(),
		rate:     signal.NewAddressRate(float64(o.HTTPRequestsPerSecond), o.HTTPRequestsPerSecond),
		sessions: make(map[*session]struct{}),
	}
	d.counters.errors = make(map[Code]*atomic.Uint64)
	for _, row := range codes {
		d.counters.errors[row.code] = new(atomic.Uint64)
	}
	d.stopEvents = o.Rooms.Observe(d.forward)
	return d
}

// ServeHTTP answers a request for Path or something below it. The path may be
// preceded by anything.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, name, found := strings.Cut(r.URL.Path, Path)
	if !found {
		d.refuse(w, r, errorf(UnknownCommand, "there is nothing here"))
		return
	}
	if !d.cors(w, r) {
		return
	}
	access, failure := d.authorise(r)
	if failure != nil {
		d.refuse(w, r, failure)
		return
	}
	switch name = strings.Trim(name, "/"); {
	case name == "":
		d.serveSession(w, r, access)
	case name == descriptionName && r.Method == http.MethodGet:
		serveDescription(w)
	default:
		d.serveCommand(w, r, access, name)
	}
}

// authorise decides who asks and whether they may.
func (d *Door) authorise(r *http.Request) (auth.Access, *Error) {
	address := auth.ClientAddress(r, d.options.TrustedProxies)
	if !d.options.Allowed.Allows(address) {
		return auth.Access{}, errorf(Forbidden, "address %s is not on the list of those allowed", address)
	}
	if !d.options.Origins.Allow(r) {
		return auth.Access{}, errorf(Forbidden, "pages of %s may not use this API", signal.Clip(r.Header.Get("Origin")))
	}
	switch {
	case d.options.Keys.Empty() && d.options.Open:
		return auth.Access{KeyName: "none"}, nil
	case d.options.Keys.Empty():
		return auth.Access{}, errorf(Unauthorized, auth.NoKeys)
	}
	access, ok := d.options.Keys.Check(auth.RequestKey(r))
	if !ok {
		return auth.Access{}, errorf(Unauthorized, "the API key is missing or wrong")
	}
	return access, nil
}

// refuse answers a request that got no further than the door.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, failure *Error) {
	d.refusals.Say(func(leftOut uint64) {
		d.log.Info("request refused", "code", failure.Code, "address", auth.ClientAddress(r, d.options.TrustedProxies), "not logged before", leftOut)
	})
	d.writeFailure(w, failure)
}

// Drain tells every connection that the server ends at the deadline. Commands
// are still answered; the registry refuses new rooms by itself.
func (d *Door) Drain(deadline time.Time) {
	d.broadcast(marshal(eventMessage{Type: "event", Data: serverClosing{
		Event: "serverClosing", DeadlineMs: max(0, time.Until(deadline).Milliseconds()),
	}}))
}

type serverClosing struct {
	Event      string `json:"event"`
	DeadlineMs int64  `json:"deadlineMs"` // from now
}

// Close closes every connection and returns when nothing of the door runs any
// more.
func (d *Door) Close() {
	d.stopEvents()
	d.mu.Lock()
	d.closed = true
	for s := range d.sessions {
		s.conn.Close(signal.CodeShuttingDown, "the server is shutting down")
	}
	d.mu.Unlock()
	d.running.Wait()
}

// Stats are figures for metrics. All but Connected only grow.
type Stats struct {
	Connected   int    // WebSockets open now
	Connections uint64 // WebSockets ever opened
	Commands    uint64 // commands received, by whatever way
	Events      uint64 // events queued, counted per connection
	TooSlow     uint64 // connections closed because they did not read
	Panics      uint64 // faults of ours while a command was carried out

	Errors map[Code]uint64 // told to clients, by code; codes that never were are left out
}

// Stats counts.
func (d *Door) Stats() Stats {
	d.mu.RLock()
	connected := len(d.sessions)
	d.mu.RUnlock()
	c := &d.counters
	s := Stats{
		Connected: connected, Connections: c.connections.Load(), Commands: c.commands.Load(),
		Events: c.events.Load(), TooSlow: c.tooSlow.Load(), Panics: c.panics.Load(), Errors: make(map[Code]uint64),
	}
	for code, n := range c.errors {
		if n := n.Load(); n > 0 {
			s.Errors[code] = n
		}
	}
	return s
}
