package client

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// Options are the settings of a Client. The zero value connects to a server that
// asks for no key.
type Options struct {
	// APIKey is one of the server's keys. It is sent as a header.
	APIKey string
	// Rooms are the rooms whose events are wanted; nil for all, an empty slice
	// for none. See Client.Subscribe.
	Rooms []string
	// AudioLevels makes the events AudioLevels come, of the rooms whose events
	// are wanted. There are many.
	AudioLevels bool
	// Quality makes the events ConsumerLayersChanged, ConsumerScored,
	// ProducerScored and ProducerLayersWanted come; likewise.
	Quality bool
	// EventQueue is how many events may wait for Client.Events; default 4096, at
	// least 2.
	EventQueue int
	// MaxMessageBytes is the largest message that is taken; default 64 MiB. A
	// larger one ends the connection.
	MaxMessageBytes int64
	// MaxCommandBytes is the largest command that is sent; default 1 MiB, which
	// is the server's default limit. The server would end the connection, which
	// is everybody's; so a larger command fails by itself, with the code
	// MessageTooBig.
	MaxCommandBytes int
	// ConnectTimeout bounds one attempt to connect again; default 10 s. The
	// first attempt is bounded by the context of Dial.
	ConnectTimeout time.Duration
	// MinBackoff and MaxBackoff bound the delay before an attempt to connect
	// again; defaults 250 ms and 30 s. It doubles with each attempt, and of each
	// delay up to a half is left to chance, so that the clients of a server that
	// was restarted do not come all at once.
	MinBackoff, MaxBackoff time.Duration
	// PingInterval is the time between pings, by which a server is noticed that
	// went without a word; default 15 s. PingTimeout is how long the answer may
	// take; default 10 s.
	PingInterval, PingTimeout time.Duration
	// HTTPClient opens the connection, for TLS settings and proxies; default
	// http.DefaultClient. Its redirects are not followed, because the key would
	// go with them.
	HTTPClient *http.Client
	// Logger gets what nobody else is told; default slog.Default.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	setDefault(&o.EventQueue, 4096)
	o.EventQueue = max(o.EventQueue, 2)
	setDefault(&o.MaxMessageBytes, 64<<20)
	setDefault(&o.MaxCommandBytes, 1<<20)
	setDefault(&o.ConnectTimeout, 10*time.Second)
	setDefault(&o.MinBackoff, 250*time.Millisecond)
	setDefault(&o.MaxBackoff, 30*time.Second)
	setDefault(&o.PingInterval, 15*time.Second)
	setDefault(&o.PingTimeout, 10*time.Second)
	if o.HTTPClient == nil {
		o.HTTPClient = http.DefaultClient
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func setDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// Client is a connection to a server that is opened again when it is lost. Its
// methods may be called from any goroutine.
type Client struct {
	// constant after Dial
	options  Options
	endpoint endpoint
	http     *http.Client
	log      *slog.Logger
	events   *queue
	attached *attachments
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	running  sync.WaitGroup

	lastID atomic.Uint64 // of a request

	mu      sync.Mutex
	conn    *conn         // guarded by mu: nil while there is none
	changed chan struct{} // guarded by mu: closed when conn is set
	rooms   []string      // guarded by mu: as Options.Rooms
}

// Dial connects to a server and returns a client, which is to be closed. The URL
// begins with ws://, wss://, http:// or https:// and may leave out the path
// /takos-api, but not a base path in front of it. The context bounds the dialling
// only.
//
// An error that is or wraps *Error says that the server did not let us in.
func Dial(ctx context.Context, url string, o Options) (*Client, error) {
	o = o.withDefaults()
	to, err := parseEndpoint(url, o.APIKey)
	if err != nil {
		return nil, fmt.Errorf("takos-call: %w", err)
	}
	c := &Client{
		options: o, endpoint: to, http: withoutRedirects(o.HTTPClient), log: o.Logger,
		events: newQueue(o.EventQueue), changed: make(chan struct{}), rooms: o.Rooms,
		attached: &attachments{commands: make(map[string]string)},
	}
	first, err := c.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("takos-call: connect: %w", err)
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.use(first)
	c.running.Go(func() { c.run(first) })
	return c, nil
}

// Close ends the connection and waits until nothing of the client runs any more.
// Commands that wait fail with ErrClosed, and Client.Events ends.
func (c *Client) Close() {
	c.cancel()
	c.running.Wait()
}

// Connected reports whether there is a connection right now.
func (c *Client) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn != nil
}

// run keeps the client connected until it is closed.
func (c *Client) run(k *conn) {
	attempt := 0
	for k != nil {
		began := time.Now()
		err := k.run(c.ctx, c.options.PingInterval, c.options.PingTimeout, func() { c.use(nil) })
		if c.ctx.Err() != nil {
			return
		}
		c.log.Info("the connection to takos-call was lost", "error", err)
		c.events.push(Disconnected{err})
		if time.Since(began) > c.options.MaxBackoff {
			attempt = 0 // a connection that is always lost at once is no success
		}
		k, attempt = c.reconnect(attempt, err)
	}
}

// reconnect tries until there is a connection; nil when the client was closed.
func (c *Client) reconnect(attempt int, err error) (*conn, int) {
	for {
		attempt++
		delay := c.backoff(attempt)
		c.events.push(Reconnecting{Attempt: attempt, Delay: delay, Err: err})
		select {
		case <-time.After(delay):
		case <-c.ctx.Done():
			return nil, attempt
		}
		ctx, cancel := context.WithTimeout(c.ctx, c.options.ConnectTimeout)
		var k *conn
		k, err = c.open(ctx)
		cancel()
		switch {
		case err == nil:
			c.use(k)
			return k, attempt
		case c.ctx.Err() != nil:
			return nil, attempt
		}
		c.log.Info("no connection to takos-call", "attempt", attempt, "error", err)
	}
}

// backoff returns the delay before an attempt, counted from 1.
func (c *Client) backoff(attempt int) time.Duration {
	delay := c.options.MaxBackoff
	if doublings := attempt - 1; doublings < 30 {
		delay = min(delay, c.options.MinBackoff<<doublings)
	}
	return delay - rand.N(delay/2+1)
}

// use makes a connection the one that commands go through, or nil none.
func (c *Client) use(k *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = k
	if k == nil {
		c.changed = make(chan struct{})
		return
	}
	c.events.push(Connected{})
	for _, e := range k.news {
		c.events.push(e)
	}
	close(c.changed)
}

// connection waits for a connection.
func (c *Client) connection(ctx context.Context) (*conn, error) {
	for {
		c.mu.Lock()
		k, changed := c.conn, c.changed
		c.mu.Unlock()
		switch {
		case c.ctx.Err() != nil:
			return nil, ErrClosed
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case k != nil:
			return k, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-c.ctx.Done():
		}
	}
}

// open connects once and renews what events come.
func (c *Client) open(ctx context.Context) (*conn, error) {
	ws, answer, err := websocket.Dial(ctx, c.endpoint.url, &websocket.DialOptions{
		HTTPClient: c.http, HTTPHeader: c.endpoint.header,
	})
	if err != nil {
		return nil, explain(err, answer)
	}
	ws.SetReadLimit(c.options.MaxMessageBytes)
	news, err := c.renew(ctx, ws)
	if err != nil {
		_ = ws.CloseNow()
		return nil, err
	}
	return newConn(ws, c, news), nil
}

// renew has the events come over a new connection that came over the lost one,
// before anybody else uses it. It returns those that are to be told after
// Connected.
func (c *Client) renew(ctx context.Context, ws *websocket.Conn) (news []Event, err error) {
	if s, needed := c.subscription(); needed {
		// Events that come before the answer are of rooms that were not chosen, or
		// older than the connection is for those who use it.
		if _, err := ask(ctx, ws, "subscribe", s, func(json.RawMessage) {}); err != nil {
			return nil, fmt.Errorf("subscribe: %w", err)
		}
	}
	return c.attachAgain(ctx, ws)
}

// explain prefers what the server said to what the library says about it.
func explain(err error, answer *http.Response) error {
	if answer == nil || answer.Body == nil {
		return err // there was none
	}
	var said struct {
		Error *Error `json:"error"`
	}
	switch {
	case json.NewDecoder(answer.Body).Decode(&said) == nil && said.Error != nil && said.Error.Code != "":
		return said.Error
	case answer.Header.Get("Location") != "":
		return fmt.Errorf("the server wants to be called as %s", answer.Header.Get("Location"))
	case answer.StatusCode != http.StatusSwitchingProtocols:
		return fmt.Errorf("the server answered %s; is it takos-call?", answer.Status)
	}
	return err
}

// withoutRedirects keeps the key from being sent elsewhere. Browsers do not
// follow redirects of a WebSocket either.
func withoutRedirects(base *http.Client) *http.Client {
	own := *base
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}
