package takoscall_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/takoserver/takos-call/internal/signal/takoscall"
)

var (
	audio = json.RawMessage(`{"codecs":[{"mimeType":"audio/opus","payloadType":111,"clockRate":48000,"channels":2}],"encodings":[{"ssrc":%d}]}`)
	caps  = json.RawMessage(`{"codecs":[{"kind":"audio","mimeType":"audio/opus","preferredPayloadType":100,"clockRate":48000,"channels":2}],"headerExtensions":[]}`)
)

// opus returns the parameters of a microphone.
func opus(ssrc int) json.RawMessage { return fmt.Appendf(nil, string(audio), ssrc) }

type message map[string]any

func (m message) text(field string) string {
	s, _ := m[field].(string)
	return s
}

// person is a client of a test that does not follow a transcript.
type person struct {
	t    testing.TB
	ws   *websocket.Conn
	wire net.Conn
}

// join opens a session; query is appended to the URL.
func (w *world) join(t testing.TB, token, query string) (*person, error) {
	p := &person{t: t}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		p.wire = c
		return c, err
	}}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, w.url+takoscall.PathCall+"?token="+token+query, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport},
	})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1)
	p.ws = ws
	return p, nil
}

// must joins and returns the data of init too.
func (w *world) mustJoin(t testing.TB, token, query string) (*person, message) {
	t.Helper()
	p, err := w.join(t, token, query)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.ws.CloseNow() })
	init := p.read()
	if init.text("type") != "init" {
		t.Fatalf("the first message is %v", init)
	}
	data, _ := init["data"].(map[string]any)
	return p, data
}

func (p *person) say(m any) {
	p.t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.ws.Write(context.Background(), websocket.MessageText, text); err != nil {
		p.t.Fatal(err)
	}
}

func (p *person) read() message {
	p.t.Helper()
	m, err := p.tryRead()
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

func (p *person) tryRead() (m message, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, text, err := p.ws.Read(ctx)
	if err != nil {
		return nil, err
	}
	return m, json.Unmarshal(text, &m)
}

// wait reads up to a message of that type.
func (p *person) wait(kind string) message {
	p.t.Helper()
	for {
		if m := p.read(); m.text("type") == kind {
			return m
		}
	}
}

// wantSilence fails if anything is on its way to the person.
func (p *person) wantSilence() {
	p.t.Helper()
	p.say(message{"type": "ping", "requestId": "silence"})
	if m := p.read(); m.text("type") != "pong" || m.text("requestId") != "silence" {
		p.t.Errorf("heard %v", m)
	}
}

// farewell reads up to the end and returns its code.
func (p *person) farewell() int {
	p.t.Helper()
	for {
		_, err := p.tryRead()
		if err == nil {
			continue
		}
		var frame websocket.CloseError
		if !errors.As(err, &frame) {
			p.t.Errorf("ended without a word: %v", err)
		}
		return int(frame.Code)
	}
}

// cut is what a lost line does.
func (p *person) cut() {
	_ = p.wire.Close()
	_ = p.ws.CloseNow()
}

func (p *person) hangUp() { _ = p.ws.Close(websocket.StatusNormalClosure, "") }
