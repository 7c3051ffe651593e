package admin_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/takoserver/takos-call/internal/admin"
)

// server is a server with these figures.
type server struct {
	figures admin.Figures
	reasons []string
}

func (s *server) Figures() admin.Figures { return s.figures }
func (s *server) NotReady() []string     { return s.reasons }

func get(t *testing.T, o admin.Options, path string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	admin.Handler(o).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder
}

func optionsFor(s *server) admin.Options {
	return admin.Options{Source: s, Readiness: s, Version: "v1.2.3", Commit: "abc"}
}

func TestHealthIsAboutTheProcess(t *testing.T) {
	answer := get(t, optionsFor(&server{reasons: []string{"the server is about to end"}}), "/health")
	if answer.Code != http.StatusOK || strings.TrimSpace(answer.Body.String()) != `{"status":"ok"}` {
		t.Errorf("a living process answers %d %s", answer.Code, answer.Body)
	}
}

func TestReadyIsAboutNewCalls(t *testing.T) {
	for _, test := range []struct {
		reasons []string
		status  int
		body    string
	}{
		{nil, http.StatusOK, `{"ready":true,"reasons":[]}`},
		{[]string{"a", "b"}, http.StatusServiceUnavailable, `{"ready":false,"reasons":["a","b"]}`},
	} {
		answer := get(t, optionsFor(&server{reasons: test.reasons}), "/ready")
		if answer.Code != test.status || strings.TrimSpace(answer.Body.String()) != test.body {
			t.Errorf("with reasons %q: %d %s, want %d %s", test.reasons, answer.Code, answer.Body, test.status, test.body)
		}
		if !json.Valid(answer.Body.Bytes()) || answer.Header().Get("Content-Type") != "application/json" {
			t.Errorf("not JSON: %s", answer.Header())
		}
	}
}

func TestMetricsShowTheFigures(t *testing.T) {
	s := &server{figures: admin.Figures{
		Rooms: 2, Peers: 5, Connections: 7, Draining: true,
		Transports:      map[string]int{"connected": 8, "new": 1},
		Producers:       map[string]int{"audio": 3, "video": 4},
		Consumers:       map[string]int{"audio": 6},
		PacketsReceived: 100, BytesReceived: 120000, PacketsSent: 200, BytesSent: 230000,
		TCP: admin.TCP{
			Open: 30, Unproven: 4, Accepted: 50, Refused: 6, Malformed: 7,
			PacketsReceived: 80, BytesReceived: 81, PacketsSent: 90, BytesSent: 91,
		},
		Drops: map[string]uint64{"replay": 9}, Doors: map[string]admin.Door{"api": {Sessions: 21, Slow: 3, Errors: map[string]uint64{"ROOM_NOT_FOUND": 2}}},
		Joins: 11, Refused: 12, Handshakes: 13, HandshakesFailed: 14, Panics: 15,
	}}
	answer := get(t, optionsFor(s), "/metrics")
	if answer.Code != http.StatusOK {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	for _, line := range []string{
		`takos_call_rooms 2`,
		`takos_call_peers 5`,
		`takos_call_connections 7`,
		`takos_call_draining 1`,
		`takos_call_transports{state="connected"} 8`,
		`takos_call_transports{state="new"} 1`,
		`takos_call_producers{kind="video"} 4`,
		`takos_call_consumers{kind="audio"} 6`,
		`takos_call_packets_total{direction="received"} 100`,
		`takos_call_packets_total{direction="sent"} 200`,
		`takos_call_bytes_total{direction="received"} 120000`,
		`takos_call_bytes_total{direction="sent"} 230000`,
		`takos_call_tcp_connections{state="connected"} 26`,
		`takos_call_tcp_connections{state="unproven"} 4`,
		`takos_call_tcp_connections_total{result="accepted"} 50`,
		`takos_call_tcp_connections_total{result="refused"} 6`,
		`takos_call_tcp_connections_total{result="malformed"} 7`,
		`takos_call_tcp_packets_total{direction="received"} 80`,
		`takos_call_tcp_packets_total{direction="sent"} 90`,
		`takos_call_tcp_bytes_total{direction="received"} 81`,
		`takos_call_tcp_bytes_total{direction="sent"} 91`,
		`takos_call_drops_total{reason="replay"} 9`,
		`takos_call_errors_total{code="ROOM_NOT_FOUND",door="api"} 2`,
		`takos_call_sessions_total{door="api"} 21`,
		`takos_call_slow_sessions_total{door="api"} 3`,
		`takos_call_joins_total 11`,
		`takos_call_refused_total 12`,
		`takos_call_dtls_handshakes_total{result="ok"} 13`,
		`takos_call_dtls_handshakes_total{result="failed"} 14`,
		`takos_call_panics_total 15`,
		`takos_call_build_info{commit="abc",go="go`,
		`go_goroutines `,
	} {
		if !strings.Contains(answer.Body.String(), "\n"+line) {
			t.Errorf("%s is missing", line)
		}
	}
	s.figures.Rooms, s.figures.Draining = 3, false
	second := get(t, optionsFor(s), "/metrics").Body.String()
	if !strings.Contains(second, "\ntakos_call_rooms 3\n") || !strings.Contains(second, "\ntakos_call_draining 0\n") {
		t.Error("a second scrape does not show what has changed")
	}
}

func TestMetricsAreOnlyForThoseAllowed(t *testing.T) {
	o := optionsFor(&server{})
	o.AllowMetrics = func(r *http.Request) bool { return r.Header.Get("api-key") == "k" }
	if answer := get(t, o, "/metrics"); answer.Code != http.StatusForbidden || !strings.Contains(answer.Body.String(), "FORBIDDEN") {
		t.Errorf("a stranger gets %d %s", answer.Code, answer.Body)
	}
	if answer := get(t, o, "/ready"); answer.Code != http.StatusOK {
		t.Errorf("a stranger's question whether it is ready gets %d", answer.Code)
	}
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header.Set("api-key", "k")
	recorder := httptest.NewRecorder()
	admin.Handler(o).ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK {
		t.Errorf("whoever is allowed gets %d", recorder.Code)
	}
}

func TestNothingElseIsServed(t *testing.T) {
	for _, path := range []string{"/", "/metrics/x", "/debug/pprof/"} {
		if answer := get(t, optionsFor(&server{}), path); answer.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", path, answer.Code)
		}
	}
	recorder := httptest.NewRecorder()
	admin.Handler(optionsFor(&server{})).ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/ready", nil))
	if recorder.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /ready: status %d", recorder.Code)
	}
}
