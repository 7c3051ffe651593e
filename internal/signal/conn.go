package signal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

// Limits bound what one client can do. A field that is zero has the default.
type Limits struct {
	// MessageBytes is the size of the largest message taken; default 1 MiB.
	MessageBytes int64
	// QueueMessages and QueueBytes bound what waits to be written; defaults
	// 4096 and 8 MiB. One message may always wait, however large.
	QueueMessages int
	QueueBytes    int
	// MessageTimeout is how long a message may take from its first byte to its
	// last; default 10 s.
	MessageTimeout time.Duration
	// MessagesPerSecond and MessageBurst are the rate at which the client may
	// send messages, pings and pongs; defaults 200 and 1000.
	MessagesPerSecond float64
	MessageBurst      int
	// BytesPerSecond is the rate of what the messages hold. What eight seconds
	// give may come at once, and at least four messages of the largest size.
	// 0 is no limit.
	BytesPerSecond float64
	// PingInterval is the time between pings; default 15 s. PingTimeout is how
	// long the answer may take; default 10 s.
	PingInterval, PingTimeout time.Duration
	// WriteTimeout is how long the network may take no byte of a message, and
	// how long a slow client has to read its reason; default 10 s.
	WriteTimeout time.Duration
}

// WithDefaults returns the limits with the defaults filled in.
func (l Limits) WithDefaults() Limits {
	setDefault(&l.MessageBytes, 1<<20)
	setDefault(&l.QueueMessages, 4096)
	setDefault(&l.QueueBytes, 8<<20)
	setDefault(&l.MessageTimeout, 10*time.Second)
	setDefault(&l.MessagesPerSecond, 200)
	setDefault(&l.MessageBurst, 1000)
	setDefault(&l.PingInterval, 15*time.Second)
	setDefault(&l.PingTimeout, 10*time.Second)
	setDefault(&l.WriteTimeout, 10*time.Second)
	return l
}

func setDefault[T int | int64 | float64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// End is how a session ended.
type End struct {
	Code   int
	Reason string
	// Remote is whether the client ended it.
	Remote bool
}

// Clean reports whether the client said goodbye, as opposed to a lost line or a
// page that was reloaded.
func (e End) Clean() bool { return e.Remote && e.Code == CodeNormal }

// TooSlow reports whether we ended it because the client did not read. What the
// code means it means only from us.
func (e End) TooSlow() bool { return !e.Remote && e.Code == CodeTooSlow }

// Conn is the server's end of one WebSocket.
type Conn struct {
	// constant after New
	limits Limits
	rate   *rate.Limiter // messages, pings and pongs
	bytes  *rate.Limiter
	out    outbox
	cancel context.CancelFunc
	ctx    context.Context // ends with Kill

	// constant after Accept
	ws     *websocket.Conn
	socket net.Conn // under ws
}

// New returns a Conn that has no client yet. What is sent over it before Accept
// waits in its queue, so that a session can be known to others before its client
// knows that there is one, and misses nothing.
func New(l Limits) *Conn {
	l = l.WithDefaults()
	c := &Conn{limits: l, rate: rate.NewLimiter(rate.Limit(l.MessagesPerSecond), l.MessageBurst)}
	c.bytes = rate.NewLimiter(rate.Limit(l.BytesPerSecond), max(4*int(l.MessageBytes), int(8*l.BytesPerSecond)))
	if l.BytesPerSecond <= 0 {
		c.bytes = rate.NewLimiter(rate.Inf, 0)
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.out.init(l.QueueMessages, l.QueueBytes)
	return c
}

// Accept upgrades the request. Where that fails the answer has been written and
// the Conn is of no more use. The caller has checked the request's origin, see
// Origins.
func (c *Conn) Accept(w http.ResponseWriter, r *http.Request) error {
	upgrade := &upgradeWriter{ResponseWriter: w}
	ws, err := websocket.Accept(upgrade, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true,
		OnPingReceived:     func(context.Context, []byte) bool { return c.admit(0) },
		OnPongReceived:     func(context.Context, []byte) { c.admit(0) },
	})
	if err != nil {
		c.cancel()
		return fmt.Errorf("accept a WebSocket: %w", err)
	}
	ws.SetReadLimit(c.limits.MessageBytes)
	c.ws, c.socket = ws, upgrade.socket
	return nil
}

// upgradeWriter keeps hold of the socket. The library's own ways of closing wait
// for one another, and one of them for the client.
type upgradeWriter struct {
	http.ResponseWriter
	socket net.Conn
}

func (u *upgradeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	socket, buffers, err := http.NewResponseController(u.ResponseWriter).Hijack()
	u.socket = socket
	return socket, buffers, err
}

// Run reads messages and hands them to receive, one at a time, until the session
// has ended. When it returns, nothing of the session runs any more.
func (c *Conn) Run(receive func(text []byte)) End {
	defer c.Kill()
	var helpers sync.WaitGroup
	helpers.Go(c.write)
	helpers.Go(c.ping)
	end := c.read(receive)
	if end.Remote {
		c.out.shut(end)
	} else {
		c.out.overflow(end) // the library has refused the client; nothing can follow
	}
	helpers.Wait()
	if said, ok := c.out.end(); ok && !said.Remote {
		end = said // what we closed with, whatever the client answered
	}
	_ = c.ws.CloseNow()
	return end
}

// read is the read loop.
func (c *Conn) read(receive func([]byte)) End {
	for {
		text, err := c.readMessage()
		if err != nil {
			return endOf(err)
		}
		if c.admit(len(text)) {
			receive(text)
		}
	}
}

// readMessage waits for a message. One that has begun must end in time: what
// there is of it takes memory.
func (c *Conn) readMessage() ([]byte, error) {
	_, message, err := c.ws.Reader(c.ctx) // text or binary: some libraries send JSON as either
	if err != nil {
		return nil, err
	}
	patience := time.AfterFunc(c.limits.MessageTimeout, func() {
		c.out.overflow(End{Code: CodeStalled, Reason: "a message did not end in time"})
	})
	defer patience.Stop()
	return io.ReadAll(message)
}

// admit counts a message, a ping or a pong, and reports whether anything is to be
// done about it. The session of a client that sends too many is closed. From then
// on only its answer to the close frame is waited for, and what comes before it is
// read no faster than the rate, so that a flood costs nothing even now.
func (c *Conn) admit(size int) bool {
	if c.out.isShut() {
		_ = c.rate.Wait(c.ctx)
		return false
	}
	if !c.rate.Allow() || !c.bytes.AllowN(time.Now(), size) {
		c.out.overflow(End{Code: CodeFlood, Reason: "too many messages"})
		return false
	}
	return true
}

func endOf(err error) End {
	var frame websocket.CloseError
	switch {
	case errors.As(err, &frame):
		return End{Code: int(frame.Code), Reason: frame.Reason, Remote: true}
	case errors.Is(err, websocket.ErrMessageTooBig):
		return End{Code: CodeTooBig, Reason: "message too big"}
	}
	return End{Code: CodeLost, Reason: "connection lost", Remote: true}
}

// Send queues a message. If the queue is full the session is closed with
// CodeTooSlow. It never waits.
func (c *Conn) Send(text []byte) {
	if !c.out.push(text) {
		c.out.overflow(End{Code: CodeTooSlow, Reason: "the client reads too slowly"})
	}
}

// Reply queues the answer to a message that was just received. While the queue
// is more than half full it waits, and the client, whose next message is not
// read meanwhile, with it: pipelining is no reason to be closed.
func (c *Conn) Reply(text []byte) {
	if c.out.busy() {
		c.waitForReader()
	}
	c.Send(text)
}

func (c *Conn) waitForReader() {
	timer := time.NewTimer(c.limits.WriteTimeout)
	defer timer.Stop()
	for c.out.busy() {
		select {
		case <-c.out.drained:
			continue
		case <-timer.C:
			return
		case <-c.ctx.Done():
			return
		}
	}
}

// Close ends the session once everything queued has been written. The reason is
// for people and cut at 123 bytes. It does not wait; the first call counts.
func (c *Conn) Close(code int, reason string) {
	reason = strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "") // not half a character
	c.out.shut(End{Code: code, Reason: reason})
}

// maxReason is what fits into a close frame (RFC 6455 §5.5).
const maxReason = 123

// Kill ends the session at once, without a word. It is for after Accept.
func (c *Conn) Kill() {
	c.cancel()
	_ = c.socket.Close()
}

// write writes what is queued, and the close frame at the end.
func (c *Conn) write() {
	for {
		text, end, more := c.out.pop(c.ctx)
		if !more {
			return
		}
		if text == nil {
			c.sayGoodbye(end)
			return
		}
		ctx, cancel := context.WithTimeout(c.ctx, c.limits.WriteTimeout)
		err := c.ws.Write(ctx, websocket.MessageText, text)
		cancel()
		if err == nil {
			continue
		}
		if end, shut := c.out.end(); shut {
			c.sayGoodbye(end)
		} else {
			c.Kill()
		}
		return
	}
}

// sayGoodbye writes the close frame, unless the client has, and waits for the
// answer: a socket that is closed with input unread takes back what was written
// to it.
func (c *Conn) sayGoodbye(end End) {
	if end.Remote {
		return
	}
	patience := time.AfterFunc(c.limits.WriteTimeout, c.Kill)
	defer patience.Stop()
	_ = c.ws.Close(websocket.StatusCode(end.Code), end.Reason)
}

// ping keeps proxies from closing an idle connection, and finds out that a
// client has gone without a word.
func (c *Conn) ping() {
	ticker := time.NewTicker(c.limits.PingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.out.shutting:
			return
		case <-ticker.C:
		}
		ctx, cancel := context.WithTimeout(c.ctx, c.limits.PingTimeout)
		err := c.ws.Ping(ctx)
		cancel()
		if err != nil && !c.out.isShut() {
			c.Kill()
			return
		}
	}
}
