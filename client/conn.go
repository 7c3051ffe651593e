package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/coder/websocket"
)

var (
	// errNotSent means that a connection ended before it took a message.
	errNotSent  = errors.New("not sent")
	errNoPong   = errors.New("the server does not answer pings")
	errNoReader = errors.New("the server does not read")
)

const (
	writeTimeout = 10 * time.Second
	// goodbyeTimeout is how long the server may take to answer a close frame.
	goodbyeTimeout = time.Second
)

// conn is one WebSocket, from when it stands until it is lost.
type conn struct {
	// constant after newConn
	ws       *websocket.Conn
	log      *slog.Logger
	events   *queue
	attached *attachments  // of the client
	news     []Event       // to be told when it is used
	out      chan []byte   // messages to the writing goroutine
	lost     chan struct{} // closed when it is over
	err      error         // why it is over; set before lost is closed

	mu      sync.Mutex
	pending map[string]*pending // guarded by mu: by id
}

// pending is a request that waits for its answer.
type pending struct {
	reply    chan message          // takes one
	accepted func(json.RawMessage) // with the answer
}

func newConn(ws *websocket.Conn, c *Client, news []Event) *conn {
	return &conn{
		ws: ws, log: c.log, events: c.events, attached: c.attached, news: news,
		out: make(chan []byte), lost: make(chan struct{}), pending: make(map[string]*pending),
	}
}

// exchange sends a request and waits for its answer. The context concerns this
// request only.
func (k *conn) exchange(ctx context.Context, id string, text []byte, accepted func(json.RawMessage)) (json.RawMessage, error) {
	p := &pending{make(chan message, 1), accepted}
	k.expect(id, p)
	defer k.forget(id)
	select {
	case k.out <- text:
	case <-k.lost:
		return nil, errNotSent
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case m := <-p.reply:
		return m.result()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-k.lost:
	}
	select {
	case m := <-p.reply: // it came just before the end
		return m.result()
	default:
		return nil, fmt.Errorf("%w: %w", ErrDisconnected, k.err)
	}
}

func (k *conn) expect(id string, p *pending) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pending[id] = p
}

func (k *conn) forget(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.pending, id)
}

func (m message) result() (json.RawMessage, error) {
	switch {
	case m.Success:
		return m.Data, nil
	case m.Error == nil:
		return nil, &Error{InternalError, "the server refused without a reason"}
	}
	return nil, m.Error
}

// run reads until the connection is lost or goodbye ends, and returns why. Then
// nothing of the connection runs any more. gone is called before those who wait
// for answers are told.
func (k *conn) run(goodbye context.Context, pingInterval, pingTimeout time.Duration, gone func()) error {
	ctx, fail := context.WithCancelCause(context.Background())
	var helpers sync.WaitGroup
	helpers.Go(func() { k.write(ctx, fail) })
	helpers.Go(func() { k.ping(ctx, fail, pingInterval, pingTimeout) })
	helpers.Go(func() { k.sayGoodbye(ctx, fail, goodbye) })
	fail(k.read(ctx)) // the first failure counts
	k.err = context.Cause(ctx)
	gone()
	close(k.lost)
	helpers.Wait()
	_ = k.ws.CloseNow()
	return k.err
}

// read is the read loop.
func (k *conn) read(ctx context.Context) error {
	for {
		kind, text, err := k.ws.Read(ctx)
		if err != nil {
			return err
		}
		if kind == websocket.MessageText {
			k.receive(text)
		}
	}
}

// receive takes in one message. What cannot be understood is no reason to end:
// the server may be newer.
func (k *conn) receive(text []byte) {
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		k.log.Warn("a message from the server was not understood", "error", err)
		return
	}
	switch m.Type {
	case "response":
		k.answer(m)
	case "event":
		e, err := parseEvent(m.Data)
		if err != nil {
			k.log.Warn("an event from the server was not understood", "error", err)
			return
		}
		k.attached.noteEvent(e)
		k.events.push(e)
	}
}

// answer hands a response to whoever waits for it, unless they have given up.
func (k *conn) answer(m message) {
	k.mu.Lock()
	p := k.pending[m.ID]
	delete(k.pending, m.ID)
	k.mu.Unlock()
	if p == nil {
		return
	}
	if m.Success {
		p.accepted(m.Data)
	}
	p.reply <- m
}

// write writes what is sent. A request whose context has ended goes out all the
// same: half a message would end the connection.
func (k *conn) write(ctx context.Context, fail context.CancelCauseFunc) {
	for {
		select {
		case text := <-k.out:
			patience := time.AfterFunc(writeTimeout, func() { fail(errNoReader) })
			err := k.ws.Write(ctx, websocket.MessageText, text)
			patience.Stop()
			if err != nil {
				fail(err)
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// ping finds out that the server has gone without a word.
func (k *conn) ping(ctx context.Context, fail context.CancelCauseFunc, interval, timeout time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		patience := time.AfterFunc(timeout, func() { fail(errNoPong) })
		err := k.ws.Ping(ctx)
		patience.Stop()
		if err != nil {
			return // read has it too
		}
	}
}

// sayGoodbye ends the connection politely when goodbye has ended.
func (k *conn) sayGoodbye(ctx context.Context, fail context.CancelCauseFunc, goodbye context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-goodbye.Done():
	}
	patience := time.AfterFunc(goodbyeTimeout, func() { fail(ErrClosed) })
	defer patience.Stop()
	_ = k.ws.Close(websocket.StatusNormalClosure, "")
}
