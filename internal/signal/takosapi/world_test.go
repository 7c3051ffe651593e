package takosapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/stun/v3"
	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/room/roomtest"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
	"github.com/takoserver/takos-call/internal/store"
	"github.com/takoserver/takos-call/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "key-of-this-test"

// What a camera without WebRTC sends.
var (
	opusPacket   = []byte{0x80, 111, 0, 1, 0, 0, 0x03, 0xc0, 0, 0, 0x04, 0x57, 'h', 'i'} // SSRC 1111
	senderReport = append([]byte{0x80, 200, 0, 6, 0, 0, 0x04, 0x57}, make([]byte, 20)...)
)

// world is a whole server behind one door, on loopback.
type world struct {
	url     string
	media   *sfu.SFU
	store   *store.Store
	rooms   *room.Registry
	workers *worker.Registry
	carol   *roomtest.Voice // nil until she comes
	dave    *roomtest.Show  // likewise
	browser *browser        // likewise
	door    *takosapi.Door
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
	w := &world{}
	log := slog.New(slog.DiscardHandler)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.media, err = sfu.New(sfu.Options{
		ListenIPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Announced: []string{"127.0.0.1"},
		Readers: 1, ConsentTimeout: s.duration(t, "consent"), EnableTCP: s.number(t, "tcp") > 0,
	})
	must(err)
	t.Cleanup(w.media.Close)
	w.store, err = store.Open("", store.Options{})
	must(err)
	t.Cleanup(func() { _ = w.store.Close() })
	tokens, err := auth.NewTokens(w.store, auth.TokenOptions{})
	must(err)
	invitations, err := auth.NewInvitations(w.store, auth.InvitationOptions{})
	must(err)
	w.rooms = room.NewRegistry(room.Options{
		SFU: w.media, Logger: log, DisconnectTimeout: s.duration(t, "disconnect"),
		AudioLevelInterval: s.duration(t, "levels"), SpeakerInterval: s.duration(t, "floor"),
		Limits: room.Limits{
			Rooms: s.number(t, "rooms"), TransportsPerPeer: s.number(t, "transports"),
			ProducersPerPeer: s.number(t, "producers"), ConsumersPerPeer: s.number(t, "consumers"),
		},
	})
	t.Cleanup(w.rooms.Close)
	w.workers = worker.NewRegistry(w.media, worker.Limits{
		Workers: s.number(t, "workers"), WorkersPerOwner: s.number(t, "workersPerKey"), RoutersPerWorker: s.number(t, "routers"),
	})
	t.Cleanup(w.workers.Close)
	t.Cleanup(func() {
		if w.carol != nil {
			_ = w.carol.Close()
		}
		if w.dave != nil {
			_ = w.dave.Close()
		}
		if w.browser != nil {
			_ = w.browser.Close()
		}
	})
	keys := auth.NewKeys(
		auth.Key{Name: "old", Secret: key}, auth.Key{Name: "new", Secret: "another-key"},
		auth.Key{Name: "team", Secret: "team-key", Scope: auth.Scope{RoomPrefix: "team/"}},
		auth.Key{Name: "read", Secret: "read-key", Scope: auth.Scope{ReadOnly: true}},
	)
	if strings.HasSuffix(s["open"], "keyless") {
		keys = nil
	}
	w.door = takosapi.New(takosapi.Options{
		Rooms: w.rooms, Workers: w.workers, Tokens: tokens, Invitations: invitations, Logger: log, Version: "test", Keys: keys,
		Open:    s["open"] == "yes" || s["open"] == "keyless",
		Allowed: s.addresses(t, "allowed"), TrustedProxies: s.addresses(t, "proxies"),
		Origins: signal.Origins{"app.example.com"}, HTTPRequestsPerSecond: s.number(t, "httpRate"),
		Limits: signal.Limits{
			MessagesPerSecond: s.float(t, "rate"), MessageBurst: s.number(t, "burst"),
			QueueMessages: s.number(t, "queue"),
			// Tests hang for other reasons than clients do.
			PingInterval: time.Hour, WriteTimeout: time.Minute,
		},
	})
	t.Cleanup(w.door.Close)
	server := httptest.NewUnstartedServer(w.door)
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

// act is what the lines with a star in a transcript do.
func (w *world) act(action string) error {
	words := strings.Fields(action)
	switch {
	case strings.HasPrefix(action, "a browser sends an ICE check"):
		return w.checkICE(words[len(words)-1])
	case strings.HasPrefix(action, "a browser connects over"):
		return w.connectBrowser(words[len(words)-1])
	case action == "the browser's line is cut":
		return w.browser.Vanish()
	case strings.HasPrefix(action, "a camera sends RTP to"):
		return w.sendPlain(words[len(words)-1], opusPacket, false)
	case strings.HasPrefix(action, "the camera sends RTCP to"):
		return w.sendPlain(words[len(words)-1], senderReport, true)
	case action == "no more than two requests are allowed":
		w.door.AllowRequests(2)
	case action == "carol is in the room tako, muted":
		r, err := w.rooms.Create("tako", room.RoomOptions{})
		if err != nil {
			return err
		}
		w.carol, err = roomtest.Join(r, "carol")
		return err
	case action == "dave is in the room tako with his camera off, and erin, who receives him":
		r, err := w.rooms.Create("tako", room.RoomOptions{})
		if err != nil {
			return err
		}
		w.dave, err = roomtest.Open(r, "dave", "erin")
		return err
	case action == "dave turns his camera on":
		w.dave.TurnOn()
	case action == "dave turns his camera off":
		w.dave.Producer.Pause()
	case action == "carol speaks":
		w.carol.Producer.Resume()
	case action == "carol is muted":
		w.carol.Producer.Pause()
	case action == "carol leaves":
		w.carol.Peer.Close()
	case action == "the server drains":
		w.rooms.Drain()
		w.workers.Drain()
		w.door.Drain(time.Now().Add(time.Minute))
	case action == "the server ends":
		go w.door.Close() // waits for the clients to have heard
	case action == "the store fails":
		return w.store.Close()
	default:
		return fmt.Errorf("nobody knows how to do %q", action)
	}
	return nil
}

// checkICE is the connectivity check of a browser that nominates at once
// (RFC 8445 §7.2.2).
func (w *world) checkICE(transportID string) error {
	for _, r := range w.rooms.Rooms() {
		for _, p := range r.Snapshot().Peers {
			t, err := p.Peer.Transport(transportID)
			if err != nil {
				continue
			}
			return sendCheck(t.WebRTC())
		}
	}
	return fmt.Errorf("there is no transport %q", transportID)
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

// backend is a WebSocket of a test that does not follow a transcript.
type backend struct {
	t    testing.TB
	ws   *websocket.Conn
	next int
}

func (w *world) connect(t testing.TB) *backend { return w.connectAs(t, key) }

// connectAs is connect with another key.
func (w *world) connectAs(t testing.TB, key string) *backend {
	return w.connectOver(t, &http.Transport{}, key)
}

// connectSlow is connect with a socket that takes in little while nobody reads.
func (w *world) connectSlow(t testing.TB) *backend {
	return w.connectOver(t, &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(4096)
		}
		return c, err
	}}, key)
}

func (w *world) connectOver(t testing.TB, transport *http.Transport, key string) *backend {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), w.url+takosapi.Path+"?api_key="+key, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport},
	})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	b := &backend{t: t, ws: ws}
	t.Cleanup(func() { _ = ws.CloseNow() })
	return b
}

type answer struct {
	Type    string          `json:"type"`
	ID      string          `json:"id"`
	Success bool            `json:"success"`
	Data    json.RawMessage `json:"data"`
	Error   struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// do sends a command and waits for its response; events are passed over.
func (b *backend) do(name string, data any) answer {
	b.t.Helper()
	b.next++
	id := strconv.Itoa(b.next)
	text, err := json.Marshal(map[string]any{"type": name, "id": id, "data": data})
	if err != nil {
		b.t.Fatal(err)
	}
	b.write(text)
	for {
		if a := b.read(); a.Type == "response" && a.ID == id {
			return a
		}
	}
}

// must is do for what has to succeed.
func (b *backend) must(name string, data any) map[string]any {
	b.t.Helper()
	a := b.do(name, data)
	if !a.Success {
		b.t.Fatalf("%s %v: %v", name, data, a.Error)
	}
	var fields map[string]any
	_ = json.Unmarshal(a.Data, &fields)
	return fields
}

func (b *backend) write(text []byte) {
	b.t.Helper()
	if err := b.ws.Write(b.t.Context(), websocket.MessageText, text); err != nil {
		b.t.Fatal(err)
	}
}

func (b *backend) read() (a answer) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := b.ws.Read(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		b.t.Fatalf("%s: %v", text, err)
	}
	return a
}
