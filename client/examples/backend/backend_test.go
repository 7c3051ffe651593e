package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/loadtest"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
	"github.com/takoserver/takos-call/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var silence = slog.New(slog.DiscardHandler)

// Two browsers meet, hear and see each other, and leave.
func TestTwoBrowsersMeet(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join("standup", "Alice"), w.join("standup", "Bob")
	received := w.receive(bob)
	sender, err := w.pool.Sender(w.ctx, alice, loadtest.SenderOptions{Video: &loadtest.Video{}, Audio: true})
	w.must(err)
	for range sender.Producers() {
		w.must(received.Consume(w.ctx, bob, bob.next()))
	}
	w.eventually("sound and picture", func() bool {
		stats := received.Stats()
		for _, s := range stats.Streams {
			if s.Packets < 20 || s.Foreign > 0 {
				return false
			}
		}
		return len(stats.Streams) == 2
	})

	// Who comes later is told of what is sent already.
	carol := w.join("standup", "Carol")
	if first, second := carol.next(), carol.next(); first == second || first == "" || second == "" {
		t.Errorf("Carol is told of %q and %q, want the two that Alice sends", first, second)
	}

	alice.do("leave", nil, nil)
	if name := w.await(peerClosed(alice)); name != "standup" {
		t.Errorf("left room %q", name)
	}
	bob.do("leave", nil, nil)
	carol.do("leave", nil, nil)
	w.await(func(e client.Event) (string, bool) {
		closed, ok := e.(client.RoomClosed)
		return closed.RoomID, ok
	})
}

func TestABrowserThatVanishesLeaves(t *testing.T) {
	w := newWorld(t)
	alice := w.join("standup", "Alice")
	w.join("standup", "Bob")
	w.must(w.calls.CloseTransport(w.ctx, "standup", alice.Peer, alice.Send.ID)) // as the server does after a while
	w.await(peerClosed(alice))
	if status := alice.status("produce", nil); status != http.StatusForbidden {
		t.Errorf("who has gone gets status %d, want %d", status, http.StatusForbidden)
	}
}

func TestWrongRequests(t *testing.T) {
	w := newWorld(t)
	alice := w.join("standup", "Alice")
	for _, test := range []struct {
		path string
		body any
		want int
	}{
		{"join", "nonsense", http.StatusBadRequest},
		{"join", map[string]any{"name": "nobody"}, http.StatusConflict},
		{"produce", map[string]any{"session": "guessed"}, http.StatusForbidden},
		{"produce", map[string]any{"session": alice.Session, "kind": "smell"}, http.StatusConflict},
		{"consume", map[string]any{"session": alice.Session, "producerId": "nothing", "rtpCapabilities": map[string]any{}}, http.StatusConflict},
		{"connect", map[string]any{"session": alice.Session, "transportId": "nothing"}, http.StatusConflict},
	} {
		if status := alice.status(test.path, test.body); status != test.want {
			t.Errorf("%s %v: status %d, want %d", test.path, test.body, status, test.want)
		}
	}
}

// world is a call server, the backend, and clients for the part of browsers.
type world struct {
	*testing.T
	ctx     context.Context
	calls   *client.Client // of the test
	backend *httptest.Server
	pool    *loadtest.Pool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	w.ctx = ctx
	address := w.serveCalls()
	dial := func() *client.Client {
		calls, err := client.Dial(ctx, address, client.Options{Logger: silence})
		w.must(err)
		t.Cleanup(calls.Close)
		return calls
	}
	w.calls = dial()
	b := newBackend(dial())
	watching, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { b.watch(watching); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	w.backend = httptest.NewServer(b.handler())
	t.Cleanup(w.backend.Close)
	pool, err := loadtest.NewPool(loadtest.Options{})
	w.must(err)
	w.pool = pool
	t.Cleanup(func() { w.must(pool.Close()) })
	return w
}

// serveCalls starts takos-call and returns where it is.
func (w *world) serveCalls() (address string) {
	media, err := sfu.New(sfu.Options{
		ListenIPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Announced: []string{"127.0.0.1"}, Readers: 1,
	})
	w.must(err)
	w.Cleanup(media.Close)
	rooms := room.NewRegistry(room.Options{SFU: media, Logger: silence})
	w.Cleanup(rooms.Close)
	door := takosapi.New(takosapi.Options{Rooms: rooms, Workers: worker.NewRegistry(media, worker.Limits{}), Keys: auth.NewKeys(), Open: true, Logger: silence})
	w.Cleanup(door.Close)
	server := httptest.NewServer(door)
	w.Cleanup(server.Close)
	return server.URL
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) eventually(what string, holds func() bool) {
	w.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-w.ctx.Done():
			w.Fatalf("%s: not in time", what)
		}
	}
}

// await takes events until one fits.
func (w *world) await(fits func(client.Event) (string, bool)) string {
	w.Helper()
	for e := range w.calls.Events(w.ctx) {
		if text, ok := fits(e); ok {
			return text
		}
	}
	w.Fatal("the event did not come")
	return ""
}

func peerClosed(b *browser) func(client.Event) (string, bool) {
	return func(e client.Event) (string, bool) {
		closed, ok := e.(client.PeerClosed)
		return closed.RoomID, ok && closed.PeerID == b.Peer
	}
}

// browser is what the page does.
type browser struct {
	*world
	Session, Peer   string
	RTPCapabilities json.RawMessage
	Send, Recv      loadtest.TransportInfo
	news            *bufio.Scanner
}

func (w *world) join(room, name string) *browser {
	w.Helper()
	b := &browser{world: w}
	b.do("join", map[string]string{"room": room, "name": name}, b)
	request, err := http.NewRequestWithContext(w.ctx, http.MethodGet, w.backend.URL+"/news?session="+b.Session, nil)
	w.must(err)
	answer, err := w.backend.Client().Do(request)
	w.must(err)
	w.Cleanup(func() { answer.Body.Close() })
	b.news = bufio.NewScanner(answer.Body)
	return b
}

// next waits for the next producer that the browser is told of.
func (b *browser) next() string {
	b.Helper()
	for b.news.Scan() {
		if producer, ok := strings.CutPrefix(b.news.Text(), "data: "); ok {
			return producer
		}
	}
	b.Fatalf("the news have ended: %v", b.news.Err())
	return ""
}

// do posts a request in the name of the browser.
func (b *browser) do(path string, fields any, answer any) {
	b.Helper()
	b.must(b.ask(path, fields, answer))
}

func (b *browser) ask(path string, fields any, answer any) error {
	status, text := b.post(path, fields)
	if status != http.StatusOK {
		return fmt.Errorf("%s: status %d: %s", path, status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

func (b *browser) status(path string, body any) int {
	status, _ := b.post(path, body)
	return status
}

func (b *browser) post(path string, fields any) (status int, text []byte) {
	b.Helper()
	if fields == nil {
		fields = map[string]any{"session": b.Session}
	}
	body, err := json.Marshal(fields)
	b.must(err)
	answer, err := b.backend.Client().Post(b.backend.URL+"/"+path, "application/json", bytes.NewReader(body))
	b.must(err)
	defer answer.Body.Close()
	text, err = io.ReadAll(answer.Body)
	b.must(err)
	return answer.StatusCode, text
}

// The signalling of the clients for load, over the backend.

func (b *browser) CreateTransport(_ context.Context, d loadtest.Direction) (loadtest.TransportInfo, error) {
	if d == loadtest.Send {
		return b.Send, nil
	}
	return b.Recv, nil
}

func (b *browser) ConnectTransport(_ context.Context, id string, p loadtest.DTLSParameters) error {
	return b.ask("connect", map[string]any{"session": b.Session, "transportId": id, "dtlsParameters": p}, nil)
}

func (b *browser) Produce(_ context.Context, _ string, kind ortc.MediaKind, p ortc.RTPParameters) (string, error) {
	var made struct{ ID string }
	err := b.ask("produce", map[string]any{"session": b.Session, "kind": kind, "rtpParameters": p}, &made)
	return made.ID, err
}

func (b *browser) Consume(_ context.Context, _, producerID string) (info loadtest.ConsumerInfo, err error) {
	err = b.ask("consume", map[string]any{
		"session": b.Session, "producerId": producerID, "rtpCapabilities": b.RTPCapabilities,
	}, &info)
	return info, err
}

func (w *world) receive(b *browser) *loadtest.Receiver {
	w.Helper()
	receiver, err := w.pool.Receiver(w.ctx, b)
	w.must(err)
	return receiver
}
