package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/config"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
	"github.com/takoserver/takos-call/internal/signal/takoscall"
	"github.com/takoserver/takos-call/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// settings returns the defaults with free ports and what a test changes.
func settings(t *testing.T, environment ...string) *config.Config {
	t.Helper()
	environment = append([]string{"PORT=0", "MEDIASOUP_RTC_MIN_PORT=0", "TAKOS_CALL_DATA_DIR=" + t.TempDir(), "TAKOS_CALL_DRAIN_DEADLINE=0s"}, environment...)
	sources := &config.Sources{Environment: environment, Dir: t.TempDir()}
	c, err := sources.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(sources.Name); err != nil {
		t.Fatal(err)
	}
	return c
}

// A running is a server that serves until the test ends.
type running struct {
	*Server
	url    string
	client *http.Client
	stop   func()     // asks it to end
	ended  chan error // what Run returned
}

// start starts a server that has been changed before it serves.
func start(t *testing.T, c *config.Config, change ...func(*Server)) *running {
	t.Helper()
	s, err := New(t.Context(), c, Build{"v1.2.3", "abc"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Server: s, stop: cancel, ended: make(chan error, 1)}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	r.client = &http.Client{Transport: transport}
	c.Port = s.Port()
	r.url = c.LocalURL()
	go func() { r.ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		transport.CloseIdleConnections()
		if err, open := <-r.ended; open && err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return r
}

// wait waits for the end.
func (r *running) wait(t *testing.T) {
	t.Helper()
	if err := <-r.ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
	close(r.ended)
}

func (r *running) get(t *testing.T, path string, header ...string) (status int, body string) {
	t.Helper()
	return r.do(t, http.MethodGet, path, "", header...)
}

// do sends a request; headers come as name, value.
func (r *running) do(t *testing.T, method, path, body string, header ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			request.Host = header[i+1]
		} else {
			request.Header.Set(header[i], header[i+1])
		}
	}
	response, err := r.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

func TestServesEveryPathOnTheDefaults(t *testing.T) {
	r := start(t, settings(t))
	for path, want := range map[string]int{
		"/health":       http.StatusOK,
		"/ready":        http.StatusOK,
		"/metrics":      http.StatusOK,
		"/nothing/here": http.StatusNotFound,
	} {
		if status, body := r.get(t, path); status != want {
			t.Errorf("GET %s: %d, want %d: %s", path, status, want, body)
		}
	}
	status, body := r.do(t, http.MethodPost, "/takos-api/createRoom", `{"roomId":"r"}`)
	if status != http.StatusOK {
		t.Errorf("createRoom without a key on loopback: %d %s", status, body)
	}
	if status, _ := r.do(t, http.MethodPost, "/takos-api/closeRoom", `{"roomId":"other"}`); status != http.StatusNotFound {
		t.Errorf("closing a room that does not exist: %d", status)
	}
	if _, metrics := r.get(t, "/metrics"); !strings.Contains(metrics, `takos_call_errors_total{code="ROOM_NOT_FOUND",door="takos-api"} 1`) {
		t.Error("the metrics do not show the error")
	}
	if _, metrics := r.get(t, "/metrics"); !strings.Contains(metrics, "\ntakos_call_rooms 1\n") || !strings.Contains(metrics, `version="v1.2.3"`) {
		t.Error("the metrics do not show the room or the build")
	}
}

func TestLoopbackModeAnnouncesWhatFirefoxCanReach(t *testing.T) {
	r := start(t, settings(t))
	var loopback, other int
	for _, host := range r.announced {
		ip, err := netip.ParseAddr(host)
		switch {
		case err != nil || ip.IsUnspecified() || ip.IsLinkLocalUnicast():
			t.Errorf("announces %s", host)
		case ip.IsLoopback():
			loopback++
		default:
			other++
		}
	}
	if loopback == 0 {
		t.Errorf("no loopback address among %v", r.announced)
	}
	if ip, err := netip.ParseAddr(r.announced[0]); other > 0 && err == nil && ip.IsLoopback() {
		t.Errorf("loopback is preferred in %v", r.announced)
	}
}

func TestWithoutAKeyOnlyThisMachineIsAnswered(t *testing.T) {
	r := start(t, settings(t))
	for _, test := range []struct {
		header []string
		want   int
	}{
		{[]string{"Host", "localhost"}, http.StatusOK},
		{[]string{"Host", "localhost:1234"}, http.StatusOK},
		{[]string{"Host", "127.0.0.1:80"}, http.StatusOK},
		{[]string{"Host", "[::1]:80"}, http.StatusOK},
		{[]string{"Host", "rebound.example"}, http.StatusMisdirectedRequest},
		{[]string{"Host", "rebound.example:80"}, http.StatusMisdirectedRequest},
		{[]string{"Host", "192.0.2.2:3000"}, http.StatusMisdirectedRequest},
		{[]string{"Host", "localhost.evil.test"}, http.StatusMisdirectedRequest},
		{[]string{"X-Forwarded-For", "127.0.0.1"}, http.StatusMisdirectedRequest},
		{[]string{"Forwarded", "for=203.0.113.1"}, http.StatusMisdirectedRequest},
		{[]string{"X-Real-IP", "203.0.113.1"}, http.StatusMisdirectedRequest},
		{[]string{"Via", "1.1 proxy"}, http.StatusMisdirectedRequest},
	} {
		if status, body := r.get(t, "/ready", test.header...); status != test.want {
			t.Errorf("with %q: %d, want %d: %s", test.header, status, test.want, body)
		}
	}
}

func TestWithAKeyTheApiAsksForIt(t *testing.T) {
	const key = "0123456789abcdef"
	r := start(t, settings(t, "API_KEY="+key+",another-key-0123456", "TAKOS_CALL_LISTEN_HOST=127.0.0.1"))
	for _, test := range []struct {
		header []string
		want   int
	}{
		{nil, http.StatusUnauthorized},
		{[]string{"api-key", "wrong"}, http.StatusUnauthorized},
		{[]string{"api-key", key}, http.StatusOK},
		{[]string{"Authorization", "Bearer another-key-0123456"}, http.StatusOK},
		{[]string{"api-key", key, "Host", "call.example.org"}, http.StatusOK},
	} {
		if status, body := r.do(t, http.MethodPost, "/takos-api/getAllRooms", "", test.header...); status != test.want {
			t.Errorf("with %q: %d, want %d: %s", test.header, status, test.want, body)
		}
	}
}

func TestKeysOfTheSettingsAllowWhatTheSettingsSay(t *testing.T) {
	r := start(t, settings(t, "API_KEY=0123456789abcdef", "TAKOS_CALL_LISTEN_HOST=127.0.0.1",
		"TAKOS_CALL_SCOPED_KEYS=a-key-that-only-reads;read,a-key-of-one-team;rooms=team/,a-team-that-only-reads;rooms=team/;read"))
	for _, test := range []struct {
		key, path, body string
		want            int
	}{
		{"0123456789abcdef", "/takos-api/createRoom", `{"roomId":"other"}`, http.StatusOK},
		{"a-key-that-only-reads", "/takos-api/createRoom", `{"roomId":"r"}`, http.StatusForbidden},
		{"a-key-that-only-reads", "/takos-api/getRoomInfo", `{"roomId":"other"}`, http.StatusOK},
		{"a-key-that-only-reads", "/_takos/v2/invitation", `{"roomId":"other"}`, http.StatusForbidden},
		{"a-key-of-one-team", "/takos-api/createRoom", `{"roomId":"r"}`, http.StatusForbidden},
		{"a-key-of-one-team", "/takos-api/closeRoom", `{"roomId":"other"}`, http.StatusForbidden},
		{"a-key-of-one-team", "/takos-api/createRoom", `{"roomId":"team/1"}`, http.StatusOK},
		{"a-key-of-one-team", "/_takos/v2/invitation", `{"roomId":"other"}`, http.StatusForbidden},
		{"a-key-of-one-team", "/_takos/v2/invitation", `{"roomId":"team/1"}`, http.StatusOK},
		{"a-team-that-only-reads", "/takos-api/getRoomInfo", `{"roomId":"team/1"}`, http.StatusOK},
		{"a-team-that-only-reads", "/takos-api/getRoomInfo", `{"roomId":"other"}`, http.StatusForbidden},
		{"a-team-that-only-reads", "/takos-api/closeRoom", `{"roomId":"team/1"}`, http.StatusForbidden},
	} {
		if status, body := r.do(t, http.MethodPost, test.path, test.body, "api-key", test.key); status != test.want {
			t.Errorf("%s: %s %s: %d, want %d: %s", test.key, test.path, test.body, status, test.want, body)
		}
	}
	for key, want := range map[string][]string{"a-key-that-only-reads": {"other", "team/1"}, "a-team-that-only-reads": {"team/1"}} {
		_, body := r.do(t, http.MethodPost, "/takos-api/getAllRooms", "", "api-key", key)
		for _, id := range []string{"other", "team/1"} {
			if got := strings.Contains(body, `"id":"`+id+`"`); got != slices.Contains(want, id) {
				t.Errorf("%s sees the room %s: %v", key, id, got)
			}
		}
	}
}

func TestOnlyAddressesOfTheSettingsGetToTheDoorsWithAKey(t *testing.T) {
	const key = "0123456789abcdef"
	r := start(t, settings(t, "API_KEY="+key, "TAKOS_CALL_LISTEN_HOST=127.0.0.1", "TAKOS_CALL_ALLOWED_ADDRESSES=10.0.0.0/8,2001:db8::7"))
	for _, path := range []string{"/takos-api/getAllRooms", "/_takos/v2/invitation"} {
		status, body := r.do(t, http.MethodPost, path, "{}", "api-key", key, "X-Forwarded-For", "10.0.0.1")
		if status != http.StatusForbidden || !strings.Contains(body, "127.0.0.1") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := r.get(t, "/metrics", "api-key", key, "X-Forwarded-For", "10.0.0.1"); status != http.StatusForbidden {
		t.Errorf("a key from an address outside reads the metrics: %d", status)
	}
}

func TestMetricsAreForTheNetworksOfTheSettings(t *testing.T) {
	const key = "0123456789abcdef"
	r := start(t, settings(t, "API_KEY="+key, "TAKOS_CALL_LISTEN_HOST=127.0.0.1", "TAKOS_CALL_METRICS_ADDRESSES=127.0.0.1,10.0.0.0/8", "TAKOS_CALL_TRUSTED_PROXIES=::1"))
	for _, test := range []struct {
		name   string
		header []string
		want   int
	}{
		{"from this machine", nil, http.StatusOK},
		{"through a proxy that nobody trusts", []string{"X-Forwarded-For", "10.0.0.1"}, http.StatusForbidden},
		{"through such a proxy, with a key", []string{"X-Forwarded-For", "203.0.113.1", "api-key", key}, http.StatusOK},
	} {
		if status, _ := r.get(t, "/metrics", test.header...); status != test.want {
			t.Errorf("%s: %d, want %d", test.name, status, test.want)
		}
	}

	behind := start(t, settings(t, "API_KEY="+key, "TAKOS_CALL_LISTEN_HOST=127.0.0.1", "TAKOS_CALL_METRICS_ADDRESSES=10.0.0.0/8", "TAKOS_CALL_TRUSTED_PROXIES=127.0.0.1"))
	for address, want := range map[string]int{"10.1.2.3": http.StatusOK, "203.0.113.1": http.StatusForbidden} {
		if status, _ := behind.get(t, "/metrics", "X-Forwarded-For", address); status != want {
			t.Errorf("for %s behind a trusted proxy: %d, want %d", address, status, want)
		}
	}
}

func TestBasePathPrecedesEverything(t *testing.T) {
	r := start(t, settings(t, "TAKOS_CALL_BASE_PATH=/call"))
	top := strings.TrimSuffix(r.url, "/call")
	if top == r.url {
		t.Fatalf("the base path is not in %s", r.url)
	}
	if status, body := r.do(t, http.MethodPost, "/takos-api/getAllRooms", ""); status != http.StatusOK {
		t.Errorf("the API below the base path: %d %s", status, body)
	}
	if status, _ := r.get(t, "/ready"); status != http.StatusOK {
		t.Errorf("/ready below the base path: %d", status)
	}
	if _, body := r.do(t, http.MethodPost, "/_takos/v2/invitation", "{}"); !strings.Contains(body, `/call/c/`) {
		t.Errorf("the link of an invitation leaves the base path: %s", body)
	}
	r.url = top
	if status, _ := r.get(t, "/ready"); status != http.StatusOK {
		t.Errorf("/ready at the top: %d", status)
	}
	for _, path := range []string{"/", "/takos-api/getAllRooms"} {
		if status, _ := r.get(t, path); status != http.StatusNotFound {
			t.Errorf("%s at the top: %d, want 404", path, status)
		}
	}
}

func TestATrustedProxySaysWhatHostWasAddressed(t *testing.T) {
	const key = "0123456789abcdef"
	header := []string{"api-key", key, "Origin", "https://call.example.org", "X-Forwarded-Host", "call.example.org"}
	for proxy, want := range map[string]int{"127.0.0.1": http.StatusOK, "::1": http.StatusForbidden} {
		r := start(t, settings(t, "API_KEY="+key, "TAKOS_CALL_LISTEN_HOST=127.0.0.1", "TAKOS_CALL_TRUSTED_PROXIES="+proxy))
		if status, body := r.do(t, http.MethodPost, "/takos-api/getAllRooms", "", header...); status != want {
			t.Errorf("the server's own page, with %s trusted: %d, want %d: %s", proxy, status, want, body)
		}
	}
}

func TestWebSocketsWorkOverTLS(t *testing.T) {
	const key = "0123456789abcdef"
	certPath, keyPath, err := selfSigned(t.TempDir(), someAddresses, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, settings(t, "API_KEY="+key, "TAKOS_CALL_LISTEN_HOST=127.0.0.1", "TAKOS_CALL_TLS_CERT="+certPath, "TAKOS_CALL_TLS_KEY="+keyPath))
	// Another request first, so that HTTP/2, which has no such WebSockets, has
	// been agreed on where it can be.
	if status, _ := r.get(t, "/ready"); status != http.StatusOK {
		t.Errorf("/ready: %d", status)
	}
	backend, err := client.Dial(t.Context(), r.url, client.Options{APIKey: key, HTTPClient: r.client})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	if _, err := backend.CreateRoom(t.Context(), "team", client.RoomOptions{}); err != nil {
		t.Error(err)
	}
}

func TestParticipantsSendSmallerMessagesThanBackends(t *testing.T) {
	r := start(t, settings(t))
	dial := func(path string) *websocket.Conn {
		ws, _, err := websocket.Dial(t.Context(), r.url+path, &websocket.DialOptions{HTTPClient: r.client})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ws.CloseNow() })
		return ws
	}
	token, _, err := r.tokens.Create(auth.Grant{RoomID: "r", UserID: "u@example.com", CallType: auth.VideoCall, Kind: auth.GroupCall}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for path, closes := range map[string]bool{takosapi.Path: false, takoscall.PathCall + "?token=" + token: true} {
		ws := dial(path)
		text := []byte(`{"type":"nonsense","id":"big","padding":"` + strings.Repeat("x", 300<<10) + `"}`)
		if err := ws.Write(t.Context(), websocket.MessageText, text); err != nil {
			t.Fatal(err)
		}
		for {
			_, text, err := ws.Read(t.Context())
			if closes && err == nil && strings.Contains(string(text), `"init"`) {
				continue // sent before
			}
			if got := websocket.CloseStatus(err) == websocket.StatusMessageTooBig; got != closes {
				t.Errorf("%s answered 300 KiB with %.100s, %v", path, text, err)
			}
			break
		}
	}
}

func TestClientsAreToldOfTheEnd(t *testing.T) {
	r := start(t, settings(t))
	backend, err := client.Dial(t.Context(), r.url, client.Options{HTTPClient: r.client, MinBackoff: time.Hour, MaxBackoff: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	r.stop()
	r.wait(t)
	for e := range backend.Events(t.Context()) {
		switch e.(type) {
		case client.ServerStopping:
			return
		case client.Disconnected:
			t.Fatal("the connection ended without a word")
		}
	}
}

func TestLANServesTLSAndInvites(t *testing.T) {
	c := settings(t, "TAKOS_CALL_LAN=true")
	r := start(t, c)
	if !strings.HasPrefix(r.url, "https://") {
		t.Fatalf("served at %s", r.url)
	}
	if status, _ := r.get(t, "/ready"); status != http.StatusOK {
		t.Errorf("/ready over TLS: %d", status)
	}
	for _, path := range []string{"/takos-api/createRoom", "/_takos/v2/invitation"} {
		status, body := r.do(t, http.MethodPost, path, `{"roomId":"r"}`)
		if status != http.StatusUnauthorized || !strings.Contains(body, "the server has no API key: set API_KEY and start it again") {
			t.Errorf("without a key a device of the network may POST %s: %d %s", path, status, body)
		}
	}
	for _, link := range r.Links() {
		if !strings.HasPrefix(link, "https://") || strings.Contains(link, "localhost") || strings.Contains(link, "127.0.0.1") {
			t.Errorf("the link %s is of no use to another device", link)
		}
	}
	path, expires, err := r.Invite()
	if err != nil {
		t.Fatal(err)
	}
	invitation, found := strings.CutPrefix(path, "/c/")
	if !found || time.Until(expires) < 23*time.Hour {
		t.Errorf("invited to %s until %v", path, expires)
	}
	if _, err := r.invitations.Check(invitation); err != nil {
		t.Errorf("the invitation does not work: %v", err)
	}
}

func TestIncomingBitrateIsLimitedUnlessALowerOneIsAskedFor(t *testing.T) {
	r := start(t, settings(t, "TAKOS_CALL_MAX_INCOMING_BITRATE=2M"))
	peer, err := create(t, r, "a").AddPeer("p", room.PeerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		direction   room.Direction
		asked, want uint64
	}{
		{room.Send, 0, 2_000_000},
		{room.Send, 5_000_000, 2_000_000},
		{room.Send, 300_000, 300_000},
		{room.Receive, 0, 0},
	} {
		transport, err := peer.CreateTransport(test.direction, room.TransportOptions{MaxIncomingBitrate: test.asked})
		if err != nil {
			t.Fatal(err)
		}
		if got := transport.WebRTC().Stats().MaxIncomingBitrate; got != test.want {
			t.Errorf("%s transport that asks for %d is limited to %d, want %d", test.direction, test.asked, got, test.want)
		}
	}
}

func TestAPanicInARequestIsCountedAndTheServerLives(t *testing.T) {
	r := start(t, settings(t))
	broken := r.recovering(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("injected") }))
	func() {
		defer func() {
			if p := recover(); p != http.ErrAbortHandler {
				t.Errorf("the handler ends with %v, so net/http logs it a second time", p)
			}
		}()
		broken.ServeHTTP(nil, httptest.NewRequest(http.MethodGet, "/x", nil))
	}()
	if got := r.Figures().Panics; got != 1 {
		t.Errorf("%d panics are counted", got)
	}
	if status, _ := r.get(t, "/ready"); status != http.StatusOK {
		t.Errorf("afterwards /ready answers %d", status)
	}
}

func TestDrainEndsWhenEverybodyHasLeft(t *testing.T) {
	r := start(t, settings(t, "TAKOS_CALL_DRAIN_DEADLINE=1h"))
	a, b := create(t, r, "a"), create(t, r, "b")
	create(t, r, "nobody is here")
	for _, occupied := range []*room.Room{a, b} {
		if _, err := occupied.AddPeer("p", room.PeerOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	draining := drainBegins(t, r)
	r.stop()
	<-draining
	if _, err := r.rooms.Create("c", room.RoomOptions{}); !room.IsKind(err, room.Draining) {
		t.Errorf("a new room while draining: %v", err)
	}
	status, body := r.get(t, "/ready")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "about to end") {
		t.Errorf("/ready while draining: %d %s", status, body)
	}
	a.Close("test")
	select {
	case err := <-r.ended:
		t.Fatalf("ended with somebody still there: %v", err)
	default:
	}
	p, err := b.Peer("p")
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	r.wait(t)
}

func TestDrainWaitsForTheTransportsOfWorkers(t *testing.T) {
	r := start(t, settings(t, "TAKOS_CALL_DRAIN_DEADLINE=1h"))
	w, err := r.workers.Create(worker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	router, err := w.NewRouter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := router.NewDirectTransport(sfu.DirectTransportOptions{}); err != nil { // the backend's own, for which nobody waits
		t.Fatal(err)
	}
	browser, err := router.NewWebRTCTransport(sfu.WebRTCTransportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	draining := drainBegins(t, r)
	r.stop()
	<-draining
	if _, err := r.workers.Create(worker.Options{}); !errors.Is(err, worker.ErrDraining) {
		t.Errorf("a new worker while draining: %v", err)
	}
	if _, err := w.NewRouter(nil, nil); !errors.Is(err, worker.ErrDraining) {
		t.Errorf("a new router while draining: %v", err)
	}
	select {
	case err := <-r.ended:
		t.Fatalf("ended with somebody still there: %v", err)
	default:
	}
	browser.Close()
	r.wait(t)
}

func TestDrainEndsAtTheDeadline(t *testing.T) {
	r := start(t, settings(t, "TAKOS_CALL_DRAIN_DEADLINE=10ms"))
	left := create(t, r, "a")
	if _, err := left.AddPeer("p", room.PeerOptions{}); err != nil {
		t.Fatal(err)
	}
	r.stop()
	r.wait(t)
	if _, err := left.AddPeer("q", room.PeerOptions{}); err == nil {
		t.Error("the room outlives the server")
	}
}

func TestAServerWithoutRoomsEndsAtOnce(t *testing.T) {
	r := start(t, settings(t, "TAKOS_CALL_DRAIN_DEADLINE=1h"))
	r.stop()
	r.wait(t)
}

func create(t *testing.T, r *running, id string) *room.Room {
	t.Helper()
	created, err := r.rooms.Create(id, room.RoomOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// drainBegins returns a channel that is closed when the server's clients have
// been told that it ends.
func drainBegins(t *testing.T, r *running) <-chan struct{} {
	t.Helper()
	began := make(chan struct{})
	r.drained = func() { close(began) }
	return began
}

func TestWhatCannotBeOpenedIsExplainedAndNothingStaysOpen(t *testing.T) {
	first := start(t, settings(t))
	for name, test := range map[string]struct {
		environment []string
		want        string
	}{
		"the HTTP port is taken":     {[]string{fmt.Sprintf("PORT=%d", first.Port())}, "another program uses it"},
		"the media port is taken":    {[]string{fmt.Sprintf("MEDIASOUP_RTC_MIN_PORT=%d", first.sfu.Port()), "MEDIASOUP_RTC_MAX_PORT=65535"}, "in use"},
		"the data folder is a file":  {[]string{"TAKOS_CALL_DATA_DIR=/dev/null"}, "TAKOS_CALL_DATA_DIR"},
		"the certificate is missing": {[]string{"TAKOS_CALL_TLS_CERT=/nowhere/c.pem", "TAKOS_CALL_TLS_KEY=/nowhere/k.pem"}, "/nowhere/c.pem"},
		"the data folder is in use":  {[]string{"TAKOS_CALL_DATA_DIR=" + first.config.DataDir}, "another process"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(t.Context(), settings(t, test.environment...), Build{}, slog.New(slog.DiscardHandler))
			if err == nil {
				s.Close()
				t.Fatal("it starts")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q does not contain %q", err, test.want)
			}
		})
	}
}

func TestDebugListenerServesProfiles(t *testing.T) {
	c := settings(t, "TAKOS_CALL_DEBUG_LISTEN=127.0.0.1:0")
	var logged lines
	s, err := New(t.Context(), c, Build{}, slog.New(slog.NewJSONHandler(&logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	address := logged.find(t, "the profiler listens", "address")
	response, err := http.Get("http://" + address + "/debug/pprof/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
}

// lines keeps what is logged as JSON.
type lines struct{ all []map[string]any }

func (l *lines) Write(line []byte) (int, error) {
	var decoded map[string]any
	if err := json.Unmarshal(line, &decoded); err != nil {
		return 0, errors.New("not JSON")
	}
	l.all = append(l.all, decoded)
	return len(line), nil
}

func (l *lines) find(t *testing.T, message, key string) string {
	t.Helper()
	for _, line := range l.all {
		if line["msg"] == message {
			return fmt.Sprint(line[key])
		}
	}
	t.Fatalf("%q was not logged: %v", message, l.all)
	return ""
}
