package takoscall_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/room/roomtest"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
	"github.com/takoserver/takos-call/internal/signal/takoscall"
	"github.com/takoserver/takos-call/internal/store"
	"github.com/takoserver/takos-call/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "key-of-this-test"

// world is a whole server behind two doors, on loopback.
type world struct {
	url         string
	media       *sfu.SFU
	tokens      *auth.Tokens
	invitations *auth.Invitations
	store       *store.Store
	rooms       *room.Registry
	carol       *roomtest.Voice  // nil until she comes
	dave        *roomtest.Camera // likewise
	closers     []io.Closer      // of what transcripts have connected
	api         *takosapi.Door
	door        *takoscall.Door
	ended       chan struct{} // has an element when a room was closed
}

// settings are what a test, or the head of a transcript, wants to be different.
type settings map[string]string

func (s settings) number(t testing.TB, name string) int {
	if s[name] == "" {
		return 0
	}
	n, err := strconv.Atoi(s[name])
	if err != nil {
		t.Fatalf("setting %s: %v", name, err)
	}
	return n
}

func (s settings) float(t testing.TB, name string) float64 {
	if s[name] == "" {
		return 0
	}
	n, err := strconv.ParseFloat(s[name], 64)
	if err != nil {
		t.Fatalf("setting %s: %v", name, err)
	}
	return n
}

func (s settings) duration(t testing.TB, name string) time.Duration {
	if s[name] == "" {
		return 0
	}
	d, err := time.ParseDuration(s[name])
	if err != nil {
		t.Fatalf("setting %s: %v", name, err)
	}
	return d
}

func (s settings) addresses(t testing.TB, name string) auth.Addresses {
	list, err := auth.ParseAddresses(strings.Fields(s[name]))
	if err != nil {
		t.Fatalf("setting %s: %v", name, err)
	}
	return list
}

func newWorld(t testing.TB, s settings) *world {
	t.Helper()
	return newWorldLogging(t, s, slog.New(slog.DiscardHandler))
}

func newWorldLogging(t testing.TB, s settings, log *slog.Logger) *world {
	t.Helper()
	w := &world{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.media, err = sfu.New(sfu.Options{
		ListenIPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Announced: []string{"127.0.0.1"},
		Readers: 1, ConsentTimeout: s.duration(t, "consent"),
	})
	must(err)
	t.Cleanup(w.media.Close)
	w.store, err = store.Open(s["store"], store.Options{})
	must(err)
	t.Cleanup(func() { _ = w.store.Close() })
	w.tokens, err = auth.NewTokens(w.store, auth.TokenOptions{})
	must(err)
	w.invitations, err = auth.NewInvitations(w.store, auth.InvitationOptions{})
	must(err)
	w.rooms = room.NewRegistry(room.Options{
		SFU: w.media, Logger: log, DisconnectTimeout: s.duration(t, "disconnect"),
		AudioLevelInterval: s.duration(t, "levels"), SpeakerInterval: s.duration(t, "floor"),
		Limits: room.Limits{
			Rooms: s.number(t, "rooms"), PeersPerRoom: s.number(t, "maxPeers"), TransportsPerPeer: s.number(t, "transports"),
		},
	})
	t.Cleanup(w.rooms.Close)
	t.Cleanup(func() {
		for _, c := range w.closers {
			_ = c.Close()
		}
	})
	keys := auth.NewKeys(
		auth.Key{Name: "full", Secret: key},
		auth.Key{Name: "team", Secret: "team-key", Scope: auth.Scope{RoomPrefix: "team/"}},
		auth.Key{Name: "read", Secret: "read-key", Scope: auth.Scope{ReadOnly: true}},
	)
	if s["open"] != "" {
		keys = nil
	}
	w.api = takosapi.New(takosapi.Options{
		Rooms: w.rooms, Workers: worker.NewRegistry(w.media, worker.Limits{}), Tokens: w.tokens, Invitations: w.invitations, Logger: log, Keys: keys,
		Open: s["open"] != "",
	})
	t.Cleanup(w.api.Close)
	w.door = takoscall.New(takoscall.Options{
		Rooms: w.rooms, Tokens: w.tokens, Invitations: w.invitations, Logger: log, Keys: keys, Open: s["open"] != "",
		Allowed: s.addresses(t, "allowed"), TrustedProxies: s.addresses(t, "proxies"),
		GracePeriod: s.duration(t, "grace"), RequestsPerMinute: s.number(t, "requests"),
		ICEServers: []takoscall.ICEServer{{URLs: []string{"turn:turn.example.com"}, Username: "u", Credential: "c"}},
		Limits: signal.Limits{
			MessagesPerSecond: s.float(t, "rate"), MessageBurst: s.number(t, "burst"),
			QueueMessages: s.number(t, "queue"),
			// Tests hang for other reasons than clients do.
			PingInterval: cmp.Or(s.duration(t, "ping"), time.Hour), PingTimeout: s.duration(t, "ping"), WriteTimeout: time.Minute,
		},
	})
	t.Cleanup(w.door.Close)
	w.ended = make(chan struct{}, 1)
	w.rooms.Observe(func(e room.Event) { // after the door's own
		if e.Type == room.RoomClosed {
			select {
			case w.ended <- struct{}{}:
			default:
			}
		}
	})
	mux := http.NewServeMux()
	mux.Handle(takosapi.Path+"/", w.api)
	mux.Handle("/_takos/", w.door)
	server := httptest.NewUnstartedServer(mux)
	if s["buffers"] == "small" {
		server.Config.ConnState = func(c net.Conn, state http.ConnState) {
			if state == http.StateNew {
				_ = c.(*net.TCPConn).SetWriteBuffer(4096)
			}
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// token makes a token for a video group call in the room tako.
func (w *world) token(t testing.TB, name string) string {
	t.Helper()
	token, _, err := w.tokens.Create(auth.Grant{
		RoomID: "tako", UserID: name + "@example.com", DisplayName: strings.ToUpper(name[:1]) + name[1:],
		CallType: auth.VideoCall, Kind: auth.GroupCall,
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// act is what the lines with a star in a transcript do.
func (w *world) act(action string) error {
	words := strings.Fields(action)
	switch {
	case strings.HasPrefix(action, "a browser sends an ICE check"):
		return w.checkICE(words[len(words)-1])
	case action == "the tokens of ended calls are forgotten":
		select {
		case <-w.ended:
			w.door.Forgotten()
		case <-time.After(10 * time.Second):
			return errors.New("no call has ended")
		}
	case action == "carol is in the room tako, muted":
		r, err := w.rooms.Create("tako", room.RoomOptions{})
		if err != nil {
			return err
		}
		w.carol, err = roomtest.Join(r, "carol")
		return w.kept(w.carol, err)
	case action == "dave is in the room tako with his camera off":
		r, err := w.rooms.Create("tako", room.RoomOptions{})
		if err != nil {
			return err
		}
		w.dave, err = roomtest.Film(r, "dave")
		return w.kept(w.dave, err)
	case action == "dave turns his camera on":
		w.dave.Producer.Resume()
		w.dave.Start()
	case action == "dave turns his camera off":
		w.dave.Producer.Pause()
	case strings.Contains(action, "'s browser connects the transport"):
		t, err := w.transport(words[len(words)-1])
		if err != nil {
			return err
		}
		v, err := roomtest.View(t)
		return w.kept(v, err)
	case strings.HasPrefix(action, "alice's browser sends over the transport"):
		t, err := w.transport(words[len(words)-1])
		if err != nil {
			return err
		}
		c, err := roomtest.FilmOver(t)
		if err == nil {
			c.Start()
		}
		return w.kept(c, err)
	case action == "carol speaks":
		w.carol.Producer.Resume()
	case action == "carol leaves":
		w.carol.Peer.Close()
	case action == "the server drains":
		w.rooms.Drain()
		w.door.Drain(time.Now().Add(time.Minute))
	case action == "the server ends":
		go w.door.Close() // waits for the clients to have heard
	default:
		return fmt.Errorf("nobody knows how to do %q", action)
	}
	return nil
}

// checkICE is the connectivity check of a browser that nominates at once
// (RFC 8445 §7.2.2).
func (w *world) checkICE(transportID string) error {
	t, err := w.transport(transportID)
	if err != nil {
		return err
	}
	return sendCheck(t.WebRTC())
}

func (w *world) transport(id string) (*room.Transport, error) {
	for _, r := range w.rooms.Rooms() {
		for _, p := range r.Snapshot().Peers {
			if t, err := p.Peer.Transport(id); err == nil {
				return t, nil
			}
		}
	}
	return nil, fmt.Errorf("there is no transport %q", id)
}

// kept has what was connected closed in the end.
func (w *world) kept(c io.Closer, err error) error {
	if err == nil {
		w.closers = append(w.closers, c)
	}
	return err
}

func sendCheck(t *sfu.WebRTCTransport) error {
	parameters, candidate := t.ICEParameters(), t.ICECandidates()[0]
	check, err := stun.Build(stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(parameters.UsernameFragment+":browser"),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0x6e, 0x7f, 0x1e, 0xff}},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.NewShortTermIntegrity(parameters.Password), stun.Fingerprint,
	)
	if err != nil {
		return err
	}
	conn, err := net.Dial("udp", net.JoinHostPort(candidate.Address, strconv.Itoa(int(candidate.Port))))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write(check.Raw); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Read(make([]byte, 1500)); err != nil {
		return fmt.Errorf("no answer to the check: %w", err)
	}
	return nil
}
