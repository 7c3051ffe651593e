package client_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/takoserver/takos-call/client"
)

// fake is a server that does what a test says, on a network in memory, so that
// time can be virtual. All of it has to end with the test.
type fake struct {
	t         *testing.T
	http      *http.Server
	sockets   chan net.Conn
	transport *http.Transport
	accepted  chan *fakeConn
	refusal   atomic.Int32                // HTTP status for who connects, or 0
	headers   atomic.Pointer[http.Header] // of the last who connected
	dropEarly atomic.Bool                 // lose connections at once
	deaf      atomic.Bool                 // read nothing of what comes
	done      chan struct{}               // closed when the test ends
}

// withFake runs a test in virtual time.
func withFake(t *testing.T, test func(t *testing.T, f *fake)) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{t: t, sockets: make(chan net.Conn), accepted: make(chan *fakeConn, 100), done: make(chan struct{})}
		f.http = &http.Server{Handler: f}
		f.transport = &http.Transport{DialContext: f.connect}
		go f.http.Serve(f)
		t.Cleanup(func() {
			close(f.done)
			f.transport.CloseIdleConnections()
			f.http.Close()
			close(f.accepted)
			for k := range f.accepted {
				k.ws.CloseNow()
			}
		})
		test(t, f)
	})
}

// dial connects with what a test wants different from the defaults.
func (f *fake) dial(change ...func(*client.Options)) (*client.Client, *fakeConn) {
	f.t.Helper()
	o := client.Options{HTTPClient: &http.Client{Transport: f.transport}, Logger: silence}
	for _, g := range change {
		g(&o)
	}
	c, err := client.Dial(within(f.t), "ws://fake", o)
	must(f.t, err)
	f.t.Cleanup(c.Close)
	return c, f.accept()
}

// accept waits for the next who connects.
func (f *fake) accept() *fakeConn {
	f.t.Helper()
	select {
	case k := <-f.accepted:
		return k
	case <-time.After(time.Hour): // more than any delay
		f.t.Fatal("nobody connected")
		return nil
	}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.headers.Store(&r.Header)
	if status := int(f.refusal.Load()); status != 0 {
		http.Error(w, "no", status)
		return
	}
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		f.t.Errorf("accept: %v", err)
		return
	}
	ws.SetReadLimit(-1)
	if f.dropEarly.Load() {
		ws.CloseNow()
		return
	}
	k := &fakeConn{t: f.t, ws: ws, requests: make(chan fakeRequest, 1000), over: make(chan struct{})}
	deaf := f.deaf.Load() // before the test, which may change it, knows of k
	f.accepted <- k
	if deaf {
		<-f.done
		return
	}
	k.read()
}

// The network: a Listener whose connections come from connect.

func (f *fake) connect(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case f.sockets <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *fake) Accept() (net.Conn, error) {
	socket, open := <-f.sockets
	if !open {
		return nil, net.ErrClosed
	}
	return socket, nil
}

func (f *fake) Close() error {
	close(f.sockets)
	return nil
}

func (f *fake) Addr() net.Addr { return &net.TCPAddr{} }

// fakeConn is the server's end of a connection.
type fakeConn struct {
	t        *testing.T
	ws       *websocket.Conn
	requests chan fakeRequest
	over     chan struct{} // closed when the client has gone
	end      error         // how; set before over is closed
}

type fakeRequest struct {
	Type string
	ID   string
	Data json.RawMessage
}

func (k *fakeConn) read() {
	defer close(k.over)
	for {
		_, text, err := k.ws.Read(context.Background())
		if err != nil {
			k.end = err
			return
		}
		var q fakeRequest
		if err := json.Unmarshal(text, &q); err != nil {
			k.t.Errorf("the client sent %q: %v", text, err)
		}
		k.requests <- q
	}
}

// request waits for the next request.
func (k *fakeConn) request() fakeRequest {
	k.t.Helper()
	select {
	case q := <-k.requests:
		return q
	case <-within(k.t).Done():
		k.t.Fatal("no request came")
		return fakeRequest{}
	}
}

// send sends texts, a message each.
func (k *fakeConn) send(texts ...string) {
	k.t.Helper()
	for _, text := range texts {
		must(k.t, k.ws.Write(within(k.t), websocket.MessageText, []byte(text)))
	}
}

// grant answers a request with success.
func (k *fakeConn) grant(q fakeRequest, data string) {
	k.t.Helper()
	k.send(`{"type":"response","id":"` + q.ID + `","success":true,"data":` + data + `}`)
}

// refuse answers a request with an error.
func (k *fakeConn) refuse(q fakeRequest, code string) {
	k.t.Helper()
	k.send(`{"type":"response","id":"` + q.ID + `","success":false,"error":{"code":"` + code + `","message":"no"}}`)
}

// lose ends the connection without a word.
func (k *fakeConn) lose() { k.ws.CloseNow() }
