package takoscall_test

import (
	"testing"

	"github.com/coder/websocket"
)

// Whatever comes over the WebSocket, the session goes on and says nothing that
// is not JSON, unless it was asked to end.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		`{"type":"connect","transportType":"send","dtlsParameters":{"role":"client","fingerprints":[{"algorithm":"sha-256","value":"AB"}]}}`,
		`{"type":"connect","dtlsParameters":"{\"fingerprints\":[]}"}`,
		`{"type":"produce","kind":"audio","rtpParameters":` + string(opus(1)) + `,"appData":{},"requestId":"1"}`,
		`{"type":"consume","producerId":"x","rtpCapabilities":` + string(caps) + `}`,
		`{"type":"pauseProducer","producerId":"x"}`, `{"type":"getStats","transportType":"recv","requestId":"2"}`,
		`{"type":"restartIce","transportType":"send"}`, `{"type":"kick","peerId":"x"}`, `{"type":"mute","peerId":"x","kind":"video"}`,
		`{"type":"ping"}`, `{"type":"bye"}`, `[]`, `nonsense`,
	} {
		f.Add([]byte(seed))
	}
	w := newWorld(f, settings{"rate": "1000000000", "burst": "1000000000"})
	join := func(t testing.TB) *person {
		p, err := w.join(t, w.token(t, "fuzz"), "")
		if err != nil {
			t.Fatal(err)
		}
		p.read()
		return p
	}
	p := join(f)
	defer func() { _ = p.ws.CloseNow() }()
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := p.ws.Write(t.Context(), websocket.MessageText, text); err != nil {
			t.Fatal(err)
		}
		p.t = t
		p.say(message{"type": "ping", "requestId": "after"})
		for {
			m, err := p.tryRead()
			if websocket.CloseStatus(err) == websocket.StatusNormalClosure {
				p = join(t) // it said bye
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if m.text("type") == "pong" && m.text("requestId") == "after" {
				return
			}
		}
	})
}
