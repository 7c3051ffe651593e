package transcript

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Server is what a transcript is run against.
type Server struct {
	// URL is where it listens: http://host:port.
	URL string
	// Values are placeholders that stand for something from the beginning, such
	// as "key" for <key>.
	Values map[string]string
	// Do carries out an action, a line with a star.
	Do func(action string) error
	// Patience is how long a line may take to come; default 5 s.
	Patience time.Duration
}

// Exchange is a message that went over the wire.
type Exchange struct {
	Path   string // of the WebSocket or request
	Socket string // the WebSocket's name; empty for a request
	Sent   bool   // by the client
	Text   string
}

// Run carries out the transcript and returns what went over the wire.
func (t *Transcript) Run(ctx context.Context, s Server) (log []Exchange, err error) {
	r := &run{server: s, sockets: make(map[string]*socket), values: values{make(map[string]string), *t.page}}
	if r.server.Patience <= 0 {
		r.server.Patience = 5 * time.Second
	}
	for name, value := range s.Values {
		r.values.bound[name] = value
	}
	defer func() {
		for _, so := range r.sockets {
			so.cut()
		}
	}()
	for i := range t.steps {
		if err := r.step(ctx, t.steps, i); err != nil {
			return r.log, fmt.Errorf("line %d: %w", t.steps[i].line, err)
		}
	}
	return r.log, r.nothingLeft(ctx)
}

type run struct {
	server  Server
	values  values
	sockets map[string]*socket
	log     []Exchange
}

func (r *run) step(ctx context.Context, steps []step, i int) error {
	s := steps[i]
	if next := i + 1; s.verb == open {
		wantRefusal := next < len(steps) && steps[next].verb == refused
		return r.open(ctx, s, wantRefusal)
	}
	switch s.verb {
	case request:
		return r.request(ctx, steps, i)
	case body, answer:
		return nil // done by request
	case action:
		return r.action(s)
	}
	so := r.sockets[s.who]
	if so == nil {
		return fmt.Errorf("%s is not open", s.who)
	}
	switch s.verb {
	case refused:
		return r.refused(so, s)
	case send:
		return r.send(ctx, so, s)
	case receive:
		return r.receive(so, s)
	case besides:
		so.besides = append(so.besides, s.text)
	case closed:
		return r.closed(so, s)
	case shut:
		so.open = false
		return so.ws.Close(websocket.StatusCode(s.code), s.text)
	case drop:
		so.cut()
	}
	return nil
}

func (r *run) action(s step) error {
	if r.server.Do == nil {
		return errors.New("the server has no actions")
	}
	text, err := r.values.fill(s.text)
	if err != nil {
		return err
	}
	return r.server.Do(text)
}

func (r *run) open(ctx context.Context, s step, wantRefusal bool) error {
	if old := r.sockets[s.who]; old != nil && old.open {
		return fmt.Errorf("%s is open already", s.who)
	}
	path, header, err := r.target(s.text)
	if err != nil {
		return err
	}
	so, err := dial(ctx, r.server.URL+path, header, path)
	so.name, r.sockets[s.who] = s.who, so
	if err != nil && !wantRefusal {
		return fmt.Errorf("open %s: %w (%s)", s.who, err, so.refusal)
	}
	return nil
}

func (r *run) refused(so *socket, s step) error {
	if so.ws != nil {
		return errors.New("the WebSocket was opened")
	}
	if so.status != s.code {
		return fmt.Errorf("refused with status %d: %s", so.status, so.refusal)
	}
	r.log = append(r.log, Exchange{Path: so.path, Socket: so.name, Text: string(so.refusal)})
	return r.values.match(s.text, so.refusal)
}

func (r *run) send(ctx context.Context, so *socket, s step) error {
	text, err := r.values.fill(s.text)
	if err != nil {
		return err
	}
	r.log = append(r.log, Exchange{so.path, so.name, true, text})
	return so.ws.Write(ctx, websocket.MessageText, []byte(text))
}

func (r *run) receive(so *socket, s step) error {
	late := time.After(r.server.Patience)
	for {
		select {
		case text, ok := <-so.messages:
			if !ok {
				return fmt.Errorf("%s was closed: %w", s.who, so.end)
			}
			r.log = append(r.log, Exchange{so.path, so.name, false, string(text)})
			err := r.values.match(s.text, text)
			if err == nil {
				return nil
			}
			if !r.mayBe(so, text) {
				return fmt.Errorf("%w\nreceived: %s", err, text)
			}
		case <-late:
			return fmt.Errorf("%s received nothing in %v", s.who, r.server.Patience)
		}
	}
}

// mayBe reports whether a message needs no line.
func (r *run) mayBe(so *socket, text []byte) bool {
	return slices.ContainsFunc(so.besides, func(pattern string) bool { return r.values.match(pattern, text) == nil })
}

func (r *run) closed(so *socket, s step) error {
	late := time.After(r.server.Patience)
	for over := false; !over; {
		select {
		case text, more := <-so.messages:
			if more && !r.mayBe(so, text) {
				return fmt.Errorf("%s received what no line has: %s", s.who, text)
			}
			over = !more
		case <-late:
			return fmt.Errorf("%s was not closed in %v", s.who, r.server.Patience)
		}
	}
	so.open = false
	var frame websocket.CloseError
	if !errors.As(so.end, &frame) {
		return fmt.Errorf("%s ended without a close frame: %w", s.who, so.end)
	}
	if int(frame.Code) != s.code || s.text != "" && frame.Reason != s.text {
		return fmt.Errorf("%s was closed with %d %q", s.who, frame.Code, frame.Reason)
	}
	return nil
}

// nothingLeft looks for messages that no line has. A ping and its answer give
// what is still under way the time to arrive.
func (r *run) nothingLeft(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.server.Patience)
	defer cancel()
	for name, so := range r.sockets {
		if !so.open {
			continue
		}
		if err := r.nothingLeftOf(ctx, so); err != nil {
			return fmt.Errorf("%s %w", name, err)
		}
	}
	return nil
}

func (r *run) nothingLeftOf(ctx context.Context, so *socket) error {
	open := so.ws.Ping(ctx) == nil // otherwise its reader is about to say so
	for !open || len(so.messages) > 0 {
		select {
		case text, more := <-so.messages:
			if !more || !r.mayBe(so, text) {
				return so.unexpected(text, more)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// unexpected is the error of a message, or of the end, which has no line.
func (so *socket) unexpected(text []byte, more bool) error {
	if more {
		return fmt.Errorf("received what no line has: %s", text)
	}
	return fmt.Errorf("was closed, which no line has: %w", so.end)
}

// target reads a path and "name: value" headers with semicolons in between.
func (r *run) target(text string) (path string, header http.Header, err error) {
	if text, err = r.values.fill(text); err != nil {
		return "", nil, err
	}
	path, rest, _ := strings.Cut(text, " ")
	header = make(http.Header)
	for part := range strings.SplitSeq(rest, ";") {
		if name, value, found := strings.Cut(part, ":"); found {
			header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
	return path, header, nil
}

// request sends an HTTP request, whose body and answer are the lines after it.
func (r *run) request(ctx context.Context, steps []step, i int) error {
	path, header, err := r.target(steps[i].text)
	if err != nil {
		return err
	}
	text := ""
	next := i + 1
	if next < len(steps) && steps[next].verb == body {
		if text, err = r.values.fill(steps[next].text); err != nil {
			return err
		}
		next++
	}
	if next >= len(steps) || steps[next].verb != answer {
		return errors.New("the request has no answer")
	}
	q, err := http.NewRequestWithContext(ctx, steps[i].who, r.server.URL+path, strings.NewReader(text))
	if err != nil {
		return err
	}
	q.Header = header
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	a, err := client.Do(q)
	if err != nil {
		return err
	}
	defer func() { _ = a.Body.Close() }()
	got, err := io.ReadAll(a.Body)
	if err != nil {
		return err
	}
	r.log = append(r.log, Exchange{path, "", true, text}, Exchange{path, "", false, string(got)})
	if a.StatusCode != steps[next].code {
		return fmt.Errorf("status %d: %s", a.StatusCode, got)
	}
	if steps[next].text == "" {
		if len(got) > 0 {
			return fmt.Errorf("the answer has a body: %s", got)
		}
		return nil
	}
	if err := r.values.match(steps[next].text, got); err != nil {
		return fmt.Errorf("%w\nreceived: %s", err, got)
	}
	return nil
}

// socket is one WebSocket of a client.
type socket struct {
	name     string
	path     string
	ws       *websocket.Conn
	wire     net.Conn
	messages chan []byte // closed at the end; end is then set
	end      error
	open     bool
	besides  []string // patterns of messages that need no line
	status   int      // of a refusal
	refusal  []byte
}

// maxWaiting is how many messages may wait for their line.
const maxWaiting = 10000

func dial(ctx context.Context, url string, header http.Header, path string) (*socket, error) {
	so := &socket{path: path, messages: make(chan []byte, maxWaiting)}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		wire, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		so.wire = wire
		return wire, err
	}}
	ws, answer, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, HTTPHeader: header,
	})
	if err != nil {
		if answer != nil {
			so.status = answer.StatusCode
			so.refusal, _ = io.ReadAll(answer.Body)
			so.refusal = bytes.TrimSpace(so.refusal)
		}
		return so, err
	}
	ws.SetReadLimit(-1)
	so.ws, so.open = ws, true
	go so.read()
	return so, nil
}

func (so *socket) read() {
	defer close(so.messages)
	for {
		_, text, err := so.ws.Read(context.Background())
		if err != nil {
			so.end = err
			return
		}
		so.messages <- text
	}
}

// cut ends the connection as a lost line does, and waits for its reader.
func (so *socket) cut() {
	if so.ws == nil {
		return
	}
	so.open = false
	_ = so.wire.Close()
	_ = so.ws.CloseNow()
	for range so.messages { // until read has ended
	}
}
