package takosapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/takoserver/takos-call/internal/signal"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
)

func (w *world) request(t *testing.T, method, path string, header map[string]string) *http.Response {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		q.Header.Set(name, value)
	}
	r, err := client(t).Do(q)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return r
}

func TestPagesOfTheListMayAsk(t *testing.T) {
	w := newWorld(t, nil)
	page := map[string]string{"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
	r := w.request(t, http.MethodOptions, takosapi.Path+"/createRoom", page)
	if r.StatusCode != http.StatusNoContent || r.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" ||
		!strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), "Idempotency-Key") {
		t.Errorf("preflight: %d %v", r.StatusCode, r.Header)
	}
	r = w.request(t, http.MethodPost, takosapi.Path+"/getAllRooms", map[string]string{"Origin": "https://app.example.com", "Api-Key": key})
	if r.StatusCode != http.StatusOK || r.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Errorf("request: %d %v", r.StatusCode, r.Header)
	}
	r = w.request(t, http.MethodOptions, takosapi.Path+"/createRoom", map[string]string{"Origin": "https://evil.example.net"})
	if r.StatusCode != http.StatusForbidden || r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight of a stranger: %d %v", r.StatusCode, r.Header)
	}
}

func TestOpenDoorAsksForNoKeyOnlyIfThereIsNone(t *testing.T) {
	for open, status := range map[string]int{"keyless": http.StatusOK, "yes": http.StatusUnauthorized, "": http.StatusUnauthorized} {
		w := newWorld(t, settings{"open": open})
		if r := w.request(t, http.MethodPost, takosapi.Path+"/getAllRooms", nil); r.StatusCode != status {
			t.Errorf("open %q: status %d", open, r.StatusCode)
		}
	}
	w := newWorld(t, settings{"open": "closed keyless"})
	if status, a := w.post(t, "getAllRooms", nil); status != http.StatusUnauthorized || !strings.Contains(a.Error.Message, "set API_KEY") {
		t.Errorf("where there is no key: status %d, %+v", status, a)
	}
}

func TestOtherPathsAreNotOurs(t *testing.T) {
	w := newWorld(t, nil)
	if r := w.request(t, http.MethodGet, "/somewhere", map[string]string{"Api-Key": key}); r.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", r.StatusCode)
	}
}

func TestSubscriptionsAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	b := w.connect(t)
	ids := make([]string, 10001)
	for i := range ids {
		ids[i] = "r"
	}
	for _, wrong := range []any{ids, "tako", []any{1}, map[string]any{}} {
		if a := b.do("subscribe", map[string]any{"roomIds": wrong}); a.Error.Code != "INVALID_FIELD" || !strings.Contains(a.Error.Message, "roomIds") {
			t.Errorf("%T: %+v", wrong, a)
		}
	}
}

func TestStatsCount(t *testing.T) {
	w := newWorld(t, nil)
	b := w.connect(t)
	b.must("createRoom", map[string]any{"roomId": "tako"})
	b.do("createRoom", map[string]any{"roomId": "tako"})
	b.do("nonsense", nil)
	w.request(t, http.MethodPost, takosapi.Path+"/getAllRooms", nil)
	s := w.door.Stats()
	if s.Connected != 1 || s.Connections != 1 || s.Commands != 3 || s.Events != 1 || s.TooSlow != 0 || s.Panics != 0 {
		t.Errorf("stats: %+v", s)
	}
	if s.Errors["ROOM_EXISTS"] != 1 || s.Errors["UNKNOWN_COMMAND"] != 1 || s.Errors["UNAUTHORIZED"] != 1 || len(s.Errors) != 3 {
		t.Errorf("errors: %v", s.Errors)
	}
}

func TestClientThatCallsItselfSlowIsNotCounted(t *testing.T) {
	w := newWorld(t, nil)
	b := w.connect(t)
	if err := b.ws.Close(signal.CodeTooSlow, "so slow"); err != nil {
		t.Fatal(err)
	}
	w.door.Close() // when the session has ended
	if s := w.door.Stats(); s.Connections != 1 || s.Connected != 0 || s.TooSlow != 0 {
		t.Errorf("stats: %+v", s)
	}
}

func TestClosedDoorLetsNobodyIn(t *testing.T) {
	w := newWorld(t, nil)
	b := w.connect(t)
	go func() {
		for { // answers the close frame
			if _, _, err := b.ws.Read(t.Context()); err != nil {
				return
			}
		}
	}()
	w.door.Close()
	_, answer, err := websocket.Dial(t.Context(), w.url+takosapi.Path+"?api_key="+key, &websocket.DialOptions{HTTPClient: client(t)})
	if err == nil || answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("connected to a closed door: %v", err)
	}
}
