package takosapi_test

import (
	"encoding/json"
	"testing"

	"github.com/coder/websocket"

	"github.com/takoserver/takos-call/internal/signal/takosapi"
)

// Whatever comes over the WebSocket is answered once, with a known code, and
// never by a fault of ours.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		`{"type":"createRoom","id":"1","data":{"roomId":"r","options":{"maxPeers":3,"codecs":[{"kind":"audio","mimeType":"audio/opus","clockRate":48000,"channels":2}]}}}`,
		`{"type":"addPeer","id":"2","data":{"roomId":"fuzz","peerId":"p","options":{"displayName":"P","appData":[1]}}}`,
		`{"type":"createTransport","id":"3","data":{"roomId":"fuzz","peerId":"alice","direction":"send","options":{"maxIncomingBitrate":1}}}`,
		`{"type":"createToken","id":"4","data":{"roomId":"fuzz","userId":"a@b","callType":"audio","kind":"friend","expiresInSeconds":5}}`,
		`{"type":"subscribe","id":"5","data":{"roomIds":["fuzz"]}}`,
		`{"type":"getAllRooms","id":6}`, `{"type":"closeRoom","data":{"roomId":"r"}}`,
		`[]`, `nonsense`, `{"type":7}`, `{"type":"getServerInfo","id":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	w := newWorld(f, settings{"rooms": "5", "rate": "1000000000", "burst": "1000000000"})
	b := w.connect(f)
	b.must("createRoom", map[string]any{"roomId": "fuzz"})
	b.must("addPeer", map[string]any{"roomId": "fuzz", "peerId": "alice"})
	known := map[string]bool{}
	for _, code := range takosapi.Codes() {
		known[code] = true
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := b.ws.Write(t.Context(), websocket.MessageText, text); err != nil {
			t.Fatal(err)
		}
		for {
			_, got, err := b.ws.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var a answer
			var loose struct{ ID any } // of any type: the client's own
			if json.Unmarshal(got, &loose) != nil {
				t.Fatalf("answered with %q", got)
			}
			_ = json.Unmarshal(got, &a)
			if a.Type == "event" {
				continue
			}
			if a.Type != "response" || !a.Success && !known[a.Error.Code] {
				t.Fatalf("answered with %s", got)
			}
			break
		}
		if s := w.door.Stats(); s.Panics > 0 || s.Errors["INTERNAL_ERROR"] > 0 {
			t.Fatalf("a fault of ours: %+v", s)
		}
	})
}
