package takosapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/takoserver/takos-call/internal/signal"
	"github.com/takoserver/takos-call/internal/signal/mistake"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
)

// Everything in this file is sent over the wire, beside a call that must not
// notice.

// call is a room with somebody who sends and somebody who receives.
type call struct {
	send, recv, mic, hears string
}

var (
	audio = json.RawMessage(`{"mid":"0","codecs":[{"mimeType":"audio/opus","payloadType":111,"clockRate":48000,"channels":2}],"encodings":[{"ssrc":1111}]}`)
	caps  = json.RawMessage(`{"codecs":[{"kind":"audio","mimeType":"audio/opus","preferredPayloadType":100,"clockRate":48000,"channels":2}],"headerExtensions":[]}`)
)

func (b *backend) call(room string) *call {
	b.t.Helper()
	c := &call{}
	id := func(name string, data map[string]any) string {
		b.t.Helper()
		return b.must(name, data)["id"].(string)
	}
	b.must("createRoom", map[string]any{"roomId": room})
	for _, peer := range []string{"alice", "bob"} {
		b.must("addPeer", map[string]any{"roomId": room, "peerId": peer})
	}
	c.send = id("createTransport", map[string]any{"roomId": room, "peerId": "alice", "direction": "send"})
	c.recv = id("createTransport", map[string]any{"roomId": room, "peerId": "bob", "direction": "recv"})
	c.mic = id("createProducer", map[string]any{
		"roomId": room, "peerId": "alice", "transportId": c.send, "kind": "audio", "rtpParameters": audio,
	})
	c.hears = id("createConsumer", map[string]any{
		"roomId": room, "peerId": "bob", "transportId": c.recv, "producerId": c.mic, "rtpCapabilities": caps,
	})
	return c
}

// beside makes a call and returns a function that fails if anything has
// happened to it, or if its backend is not answered any more.
func (w *world) beside(t *testing.T) (check func()) {
	t.Helper()
	b := w.connect(t)
	b.call("beside")
	b.must("subscribe", map[string]any{"roomIds": []string{"beside"}})
	before := b.must("getRoomInfo", map[string]any{"roomId": "beside"})
	return func() {
		t.Helper()
		id := "after"
		text, _ := json.Marshal(map[string]any{"type": "getRoomInfo", "id": id, "data": map[string]any{"roomId": "beside"}})
		b.write(text)
		a := b.read()
		if a.ID != id {
			t.Fatalf("the call beside was told something: %+v", a)
		}
		var after map[string]any
		_ = json.Unmarshal(a.Data, &after)
		if !reflect.DeepEqual(before, after) {
			t.Errorf("the call beside has changed:\n%v\n%v", before, after)
		}
	}
}

var maker = mistake.Maker{Good: map[string]any{"rtpParameters": audio, "rtpCapabilities": caps}}

func codeOf(m mistake.Mistake) string {
	if m.Missing {
		return "MISSING_FIELD"
	}
	return "INVALID_FIELD"
}

func TestEachFieldOfEachCommandIsChecked(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	b := w.connect(t)
	b.must("subscribe", map[string]any{"roomIds": []string{}})
	n := 0
	for name, object := range takosapi.Requests() {
		for _, m := range maker.All(object) {
			n++
			a := b.do(name, m.Data)
			if a.Success || a.Error.Code != codeOf(m) || !strings.Contains(a.Error.Message, m.Field) {
				t.Errorf("%s, %s %s: %+v, want %s", name, m.Field, m.Why, a, codeOf(m))
			}
		}
		for _, data := range []any{"text", 7, true, []any{}} {
			if a := b.do(name, data); a.Error.Code != "INVALID_FIELD" || !strings.HasPrefix(a.Error.Message, "data must be an object") {
				t.Errorf("%s with data %v: %+v", name, data, a)
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d mistakes were made", n)
	}
	unharmed()
}

func TestHTTPChecksTheSame(t *testing.T) {
	w := newWorld(t, settings{"httpRate": "100000"})
	unharmed := w.beside(t)
	for name, object := range takosapi.Requests() {
		for _, m := range maker.All(object) {
			status, a := w.post(t, name, m.Data)
			if status != http.StatusBadRequest || a.Success || a.Error.Code != codeOf(m) || !strings.Contains(a.Error.Message, m.Field) {
				t.Errorf("%s, %s %s: %d %+v, want %s", name, m.Field, m.Why, status, a, codeOf(m))
			}
		}
	}
	unharmed()
}

func (w *world) post(t *testing.T, command string, data any) (int, answer) {
	t.Helper()
	return w.postAs(t, key, command, data)
}

// postAs is post with another key.
func (w *world) postAs(t *testing.T, key, command string, data any) (int, answer) {
	t.Helper()
	body, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+takosapi.Path+"/"+command, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Api-Key", key)
	r, err := client(t).Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r.StatusCode, a
}

// client is an HTTP client whose connections end with the test.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestIDsOfOthersAreNotThere(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	b := w.connect(t)
	b.must("subscribe", map[string]any{"roomIds": []string{}})
	mine, other := b.call("mine"), b.call("other")
	owners := map[string]map[string]any{
		"transportId": {"roomId": "mine", "peerId": "alice", "transportId": mine.send},
		"producerId":  {"roomId": "mine", "peerId": "alice", "producerId": mine.mic},
		"consumerId":  {"roomId": "mine", "peerId": "bob", "consumerId": mine.hears},
		"peerId":      {"roomId": "mine", "peerId": "alice"},
		"roomId":      {"roomId": "mine"},
	}
	foreign := map[string][]string{
		"roomId":      {"nowhere"},
		"peerId":      {"nobody"},
		"transportId": {"nothing", other.send, mine.recv},
		"producerId":  {"nothing", other.mic, mine.hears},
		"consumerId":  {"nothing", other.hears, mine.mic},
	}
	codes := map[string]string{
		"roomId": "ROOM_NOT_FOUND", "peerId": "PEER_NOT_FOUND", "transportId": "TRANSPORT_NOT_FOUND",
		"producerId": "PRODUCER_NOT_FOUND", "consumerId": "CONSUMER_NOT_FOUND",
	}
	anyRoom := []string{"createRoom", "createToken", "createInvitation"} // the room need not exist
	n := 0
	for name, object := range takosapi.RoomRequests() {
		if slices.Contains(anyRoom, name) {
			continue
		}
		for _, f := range object.Fields {
			if name == "addPeer" && f.Name == "peerId" {
				continue // the id of somebody new
			}
			for _, id := range foreign[f.Name] {
				data := maker.Object(object)
				maps.Copy(data, owners[innermost(object)])
				if name == "createConsumer" {
					maps.Copy(data, map[string]any{"peerId": "bob", "transportId": mine.recv, "producerId": mine.mic})
				}
				if name == "createConsumer" && id == mine.recv {
					id = mine.send // the peer's own is no foreign one
				}
				data[f.Name] = id
				n++
				a := b.do(name, data)
				if strings.HasPrefix(name, "get") && strings.HasSuffix(name, "Info") {
					if !a.Success || string(a.Data) != "null" {
						t.Errorf("%s with %s %q: %+v, want null", name, f.Name, id, a)
					}
				} else if a.Success || a.Error.Code != codes[f.Name] || !strings.Contains(a.Error.Message, id) {
					t.Errorf("%s with %s %q: %+v", name, f.Name, id, a)
				}
			}
		}
	}
	if n < 60 {
		t.Errorf("only %d commands were sent", n)
	}
	unharmed()
}

// innermost is the field that names what the command is about.
func innermost(o *signal.Object) string {
	for _, name := range []string{"transportId", "producerId", "consumerId", "peerId"} {
		if slices.ContainsFunc(o.Fields, func(f signal.Field) bool { return f.Name == name }) {
			return name
		}
	}
	return "roomId"
}

func TestMediaThatCannotBeIsRefusedAndLeavesNothing(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	b := w.connect(t)
	b.must("subscribe", map[string]any{"roomIds": []string{}})
	b.must("createRoom", map[string]any{"roomId": "clumsy"})
	b.must("addPeer", map[string]any{"roomId": "clumsy", "peerId": "p"})
	of := func(more map[string]any) map[string]any {
		data := map[string]any{"roomId": "clumsy", "peerId": "p"}
		maps.Copy(data, more)
		return data
	}
	transport := b.must("createTransport", of(map[string]any{"direction": "send"}))["id"]
	produce := func(parameters json.RawMessage) answer {
		kind := "audio"
		if bytes.Contains(parameters, []byte("video/")) {
			kind = "video"
		}
		return b.do("createProducer", of(map[string]any{"transportId": transport, "kind": kind, "rtpParameters": parameters}))
	}
	if a := produce(mistake.SentAlready); !a.Success {
		t.Fatalf("%+v", a)
	}
	before := b.must("getPeerInfo", of(nil))
	check := func(m mistake.Media, a answer) {
		t.Helper()
		refused := a.Error.Code == "INVALID_PARAMETERS" || a.Error.Code == "INVALID_FIELD" || a.Error.Code == "MISSING_FIELD"
		if a.Success || !refused || !strings.Contains(a.Error.Message, m.Names) {
			t.Errorf("%s: %+v", m.Why, a)
		}
	}
	for _, m := range mistake.RTPParameters {
		check(m, produce(m.Object))
	}
	for _, m := range mistake.DTLSParameters {
		check(m, b.do("connectTransport", of(map[string]any{"transportId": transport, "dtlsParameters": m.Object})))
	}
	if after := b.must("getPeerInfo", of(nil)); !reflect.DeepEqual(before, after) {
		t.Errorf("something was left:\n%v\n%v", before, after)
	}
	b.must("connectTransport", of(map[string]any{"transportId": transport, "dtlsParameters": mistake.Fingerprint}))
	unharmed()
}

func TestGarbageMessagesAreAnswered(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	b := w.connect(t)
	for text, code := range map[string]string{
		"":                       "INVALID_JSON",
		"\x00\x01\x02":           "INVALID_JSON",
		"{":                      "INVALID_JSON",
		`{"type":"createRoom"}}`: "INVALID_JSON",
		`{"type":"\ud800"}`:      "UNKNOWN_COMMAND",
		"null":                   "INVALID_MESSAGE",
		"7":                      "INVALID_MESSAGE",
		`"createRoom"`:           "INVALID_MESSAGE",
		"[]":                     "INVALID_MESSAGE",
		"{}":                     "INVALID_MESSAGE",
		`{"type":null}`:          "INVALID_MESSAGE",
		`{"type":{}}`:            "INVALID_MESSAGE",
		`{"type":""}`:            "UNKNOWN_COMMAND",
		`{"TYPE":"getAllRooms"}`: "INVALID_MESSAGE",
		`{"type":"getAllRooms","ID":"x","data":7}`:              "INVALID_FIELD",
		`{"type":"createRoom","id":null,"DATA":{"roomId":"r"}}`: "MISSING_FIELD",
		`{"type":"createroom"}`:                                 "UNKNOWN_COMMAND",
		`{"type":"response"}`:                                   "UNKNOWN_COMMAND",
		`{"type":"getAllRooms","id":{"not":"an id"},"data":7}`:  "INVALID_FIELD",
		strings.Repeat("[", 100000):                             "INVALID_JSON",
		`{"type":"` + strings.Repeat("x", 100000) + `"}`:        "UNKNOWN_COMMAND",
	} {
		b.write([]byte(text))
		a := b.read()
		for a.Type != "response" {
			a = b.read()
		}
		if a.Success || a.Error.Code != code || a.ID != "unknown" || len(a.Error.Message) > 300 {
			t.Errorf("%.50q: %+v, want %s", text, a, code)
		}
	}
	unharmed()
}

func TestStrangersDisturbNobody(t *testing.T) {
	w := newWorld(t, settings{"allowed": "127.0.0.1", "proxies": "127.0.0.1"})
	unharmed := w.beside(t)
	for name, stranger := range map[string]struct {
		key    string
		header http.Header
		status int
	}{
		"no key":          {"", nil, http.StatusUnauthorized},
		"wrong key":       {"key-of-another-test", nil, http.StatusUnauthorized},
		"part of the key": {key[1:], nil, http.StatusUnauthorized},
		"other address":   {key, http.Header{"X-Forwarded-For": {"198.51.100.1"}}, http.StatusForbidden},
		"other page":      {key, http.Header{"Origin": {"https://evil.example.net"}}, http.StatusForbidden},
	} {
		for range 20 {
			_, answer, err := websocket.Dial(t.Context(), w.url+takosapi.Path+"?api_key="+stranger.key, &websocket.DialOptions{
				HTTPHeader: stranger.header, HTTPClient: client(t),
			})
			if err == nil || answer.StatusCode != stranger.status {
				t.Errorf("%s: %v, %v", name, answer, err)
			}
		}
	}
	big := w.connect(t)
	big.write(make([]byte, 5<<20))
	_, _, err := big.ws.Read(t.Context())
	if websocket.CloseStatus(err) != signal.CodeTooBig {
		t.Errorf("5 MiB: %v", err)
	}
	unharmed()
}

func TestRoomsBeyondTheLimitAreRefusedAndCostNothing(t *testing.T) {
	w := newWorld(t, settings{"rooms": "3"})
	unharmed := w.beside(t)
	b := w.connect(t)
	b.must("subscribe", map[string]any{"roomIds": []string{}})
	b.must("createRoom", map[string]any{"roomId": "2"})
	b.must("createRoom", map[string]any{"roomId": "3"})
	before := runtime.NumGoroutine()
	const n = 10000
	go func() { // pipelined
		for i := range n {
			text := fmt.Sprintf(`{"type":"createRoom","id":"%d","data":{"roomId":"beyond %d"}}`, i, i)
			if b.ws.Write(t.Context(), websocket.MessageText, []byte(text)) != nil {
				return
			}
		}
	}()
	for i := range n {
		if a := b.read(); a.ID != fmt.Sprint(i) || a.Error.Code != "LIMIT_REACHED" {
			t.Fatalf("answer %d: %+v", i, a)
		}
	}
	if after := runtime.NumGoroutine(); after > before+5 {
		t.Errorf("%d goroutines have become %d", before, after)
	}
	if s := w.rooms.Stats(); s.Rooms != 3 || s.Refused != n {
		t.Errorf("stats: %+v", s)
	}
	unharmed()
}

func TestSlowReaderOfEventsIsClosedWithAReason(t *testing.T) {
	w := newWorld(t, settings{"queue": "50", "buffers": "small"})
	unharmed := w.beside(t)
	slow, quick := w.connectSlow(t), w.connect(t)
	quick.must("createRoom", map[string]any{"roomId": "busy"})
	began := time.Now()
	for range 200 { // 800 KB, more than the sockets' buffers and the queue hold
		quick.must("addPeer", map[string]any{
			"roomId": "busy", "peerId": "p", "options": map[string]any{"appData": strings.Repeat("x", 4000)},
		})
		quick.must("removePeer", map[string]any{"roomId": "busy", "peerId": "p"})
	}
	if d := time.Since(began); d > 30*time.Second {
		t.Errorf("the others were held up: %v", d)
	}
	for { // it begins to read again, and is told why it has to go
		_, _, err := slow.ws.Read(t.Context())
		if err == nil {
			continue
		}
		var frame websocket.CloseError
		if !errors.As(err, &frame) || frame.Code != signal.CodeTooSlow || frame.Reason == "" {
			t.Errorf("ended with %v", err)
		}
		break
	}
	quick.must("getAllRooms", nil)
	unharmed()
}

func TestFloodOfPingsIsClosedWithAReason(t *testing.T) {
	w := newWorld(t, settings{"rate": "0.001", "burst": "100"})
	unharmed := w.beside(t)
	b := w.connect(t)
	go func() {
		for b.ws.Ping(t.Context()) == nil {
		}
	}()
	_, _, err := b.ws.Read(t.Context())
	var frame websocket.CloseError
	if !errors.As(err, &frame) || frame.Code != signal.CodeFlood || frame.Reason != "too many messages" {
		t.Errorf("ended with %v", err)
	}
	unharmed()
}

func TestFaultInACommandIsOneAnswer(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	takosapi.AddCommand(t, "panic", func() error { panic("a secret of ours") })
	takosapi.AddCommand(t, "fail", func() error { return errors.New("a secret of ours") })
	b := w.connect(t)
	for _, name := range []string{"panic", "fail"} {
		a := b.do(name, nil)
		if a.Error.Code != "INTERNAL_ERROR" || strings.Contains(a.Error.Message, "secret") {
			t.Errorf("%s: %+v", name, a)
		}
		if status, _ := w.post(t, name, nil); status != http.StatusInternalServerError {
			t.Errorf("%s over HTTP: status %d", name, status)
		}
	}
	if s := w.door.Stats(); s.Panics != 2 || s.Errors["INTERNAL_ERROR"] != 4 {
		t.Errorf("stats: %+v", s)
	}
	unharmed()
}

func TestTransportsAreReachedByTheProtocolsAskedFor(t *testing.T) {
	w := newWorld(t, settings{"tcp": "1"})
	b := w.connect(t)
	b.must("createRoom", map[string]any{"roomId": "tako"})
	b.must("addPeer", map[string]any{"roomId": "tako", "peerId": "p"})
	with := func(options map[string]any) map[string]any {
		return map[string]any{"roomId": "tako", "peerId": "p", "direction": "send", "options": options}
	}
	for _, test := range []struct {
		options map[string]any
		want    string // the preferred first
	}{
		{nil, "udp tcp"},
		{map[string]any{"preferTcp": true}, "tcp udp"},
		{map[string]any{"enableUdp": false}, "tcp"},
		{map[string]any{"enableTcp": false, "enableUdp": true}, "udp"},
	} {
		var got []string
		for _, c := range b.must("createTransport", with(test.options))["iceCandidates"].([]any) {
			got = append(got, c.(map[string]any)["protocol"].(string))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%v: %v, want %s", test.options, got, test.want)
		}
	}
	a := b.do("createTransport", with(map[string]any{"enableUdp": false, "enableTcp": false}))
	if a.Success || a.Error.Code != "INVALID_PARAMETERS" || !strings.Contains(a.Error.Message, "no protocol") {
		t.Errorf("neither: %+v", a)
	}
}
