package client_test

import (
	"context"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
	"github.com/takoserver/takos-call/internal/store"
	"github.com/takoserver/takos-call/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything may take before a test gives up.
const patience = 20 * time.Second

const testKey = "the key of the tests"

var silence = slog.New(slog.DiscardHandler)

// server is the real one: the door, the rooms and the media sockets.
type server struct {
	*httptest.Server
	rooms   *room.Registry
	door    *takosapi.Door
	sockets *socketList
}

// socketList remembers what was accepted, to be cut off.
type socketList struct {
	net.Listener
	mu       sync.Mutex
	accepted []net.Conn
}

func (l *socketList) Accept() (net.Conn, error) {
	socket, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		l.accepted = append(l.accepted, socket)
		l.mu.Unlock()
	}
	return socket, err
}

// cut loses every connection without a word.
func (l *socketList) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, socket := range l.accepted {
		socket.Close()
	}
	l.accepted = nil
}

// serverSettings change what a test needs different.
type serverSettings struct {
	tls        bool
	roomPrefix string // scope of the key
	maxPeers   int
}

func newServer(t *testing.T, settings serverSettings) *server {
	t.Helper()
	s, err := openServer(settings, t.Cleanup)
	must(t, err)
	return s
}

// openServer hands what is to be closed to onClose, in the order of opening.
func openServer(settings serverSettings, onClose func(func())) (*server, error) {
	media, err := sfu.New(sfu.Options{
		ListenIPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Announced: []string{"127.0.0.1"}, Readers: 1,
	})
	if err != nil {
		return nil, err
	}
	onClose(media.Close)
	records, err := store.Open("", store.Options{Logger: silence})
	if err != nil {
		return nil, err
	}
	onClose(func() { records.Close() })
	tokens, err := auth.NewTokens(records, auth.TokenOptions{})
	if err != nil {
		return nil, err
	}
	invitations, err := auth.NewInvitations(records, auth.InvitationOptions{})
	if err != nil {
		return nil, err
	}
	rooms := room.NewRegistry(room.Options{SFU: media, Limits: room.Limits{PeersPerRoom: settings.maxPeers}, Logger: silence})
	onClose(rooms.Close)
	door := takosapi.New(takosapi.Options{
		Rooms: rooms, Workers: worker.NewRegistry(media, worker.Limits{}), Tokens: tokens, Invitations: invitations, Logger: silence, Version: "1.2.3",
		Keys: auth.NewKeys(auth.Key{Name: "test", Secret: testKey, Scope: auth.Scope{RoomPrefix: settings.roomPrefix}}),
	})
	onClose(door.Close)
	s := &server{rooms: rooms, door: door, Server: httptest.NewUnstartedServer(door)}
	s.sockets = &socketList{Listener: s.Listener}
	s.Listener = s.sockets
	if settings.tls {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	onClose(s.Close)
	return s, nil
}

// dial connects to the server with what a test wants different from its defaults.
func (s *server) dial(t *testing.T, change ...func(*client.Options)) *client.Client {
	t.Helper()
	o := client.Options{APIKey: testKey, Logger: silence, HTTPClient: s.Client(), MinBackoff: time.Millisecond}
	for _, f := range change {
		f(&o)
	}
	c, err := client.Dial(within(t), s.URL, o)
	must(t, err)
	t.Cleanup(c.Close)
	got(c.ServerInfo(within(t)))(t) // who has had an answer gets events
	return c
}

// within returns a context that ends before the test runner loses patience.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// got returns a value that must have come without an error.
func got[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return value
	}
}

// await takes events until one of type E comes that fits.
func await[E client.Event](t *testing.T, c *client.Client, fits func(E) bool) E {
	t.Helper()
	for e := range c.Events(within(t)) {
		if wanted, ok := e.(E); ok && (fits == nil || fits(wanted)) {
			return wanted
		}
	}
	var none E
	t.Fatalf("no event %T came", none)
	return none
}
