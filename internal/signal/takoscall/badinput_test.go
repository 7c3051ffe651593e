package takoscall_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/takoserver/takos-call/internal/signal"
	"github.com/takoserver/takos-call/internal/signal/mistake"
	"github.com/takoserver/takos-call/internal/signal/takoscall"
)

var maker = mistake.Maker{Good: map[string]any{
	"rtpParameters": opus(1), "rtpCapabilities": caps, "dtlsParameters": message{"fingerprints": []any{}},
}}

// beside makes a call of two and returns a function that fails if they have
// noticed anything.
func (w *world) beside(t *testing.T) (check func()) {
	t.Helper()
	a, _ := w.mustJoin(t, w.token(t, "beside-a"), "")
	b, _ := w.mustJoin(t, w.token(t, "beside-b"), "")
	a.wait("join")
	a.say(message{"type": "produce", "kind": "audio", "rtpParameters": opus(1)})
	a.wait("produced")
	b.say(message{"type": "consume", "producerId": b.wait("produce")["producerId"], "rtpCapabilities": caps})
	b.wait("consumed")
	return func() {
		t.Helper()
		a.wantSilence()
		b.wantSilence()
		b.say(message{"type": "produce", "kind": "audio", "rtpParameters": opus(2)})
		b.wait("produced")
		if m := a.read(); m.text("type") != "produce" {
			t.Errorf("the call beside does not work any more: %v", m)
		}
	}
}

// elsewhere is a token for another room than that of beside.
func (w *world) elsewhere(t *testing.T, name string) string {
	t.Helper()
	g, err := w.tokens.Check(w.token(t, name))
	if err != nil {
		t.Fatal(err)
	}
	g.RoomID = "elsewhere"
	token, _, err := w.tokens.Create(g, 0)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestEachFieldOfEachMessageIsChecked(t *testing.T) {
	w := newWorld(t, settings{"rate": "100000", "burst": "100000"})
	unharmed := w.beside(t)
	p, _ := w.mustJoin(t, w.elsewhere(t, "clumsy"), "")
	n := 0
	for name, object := range takoscall.Messages() {
		for _, m := range maker.All(object) {
			m.Data["type"] = name
			p.say(m.Data)
			answer := p.read()
			if answer.text("type") != "error" || answer.text("context") != name || !strings.Contains(answer.text("message"), m.Field) {
				t.Errorf("%s, %s %s: %v", name, m.Field, m.Why, answer)
			}
			n++
		}
	}
	if n < 150 {
		t.Errorf("only %d mistakes were made", n)
	}
	p.wantSilence()
	unharmed()
}

func TestMediaThatCannotBeIsRefusedAndLeavesNothing(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	p, _ := w.mustJoin(t, w.elsewhere(t, "clumsy"), "")
	other, _ := w.mustJoin(t, w.elsewhere(t, "other"), "")
	p.wait("join")
	produce := func(parameters json.RawMessage) message {
		kind := "audio"
		if bytes.Contains(parameters, []byte("video/")) {
			kind = "video"
		}
		p.say(message{"type": "produce", "kind": kind, "rtpParameters": parameters})
		return p.read()
	}
	if m := produce(mistake.SentAlready); m.text("type") != "produced" {
		t.Fatal(m)
	}
	other.wait("produce")
	check := func(m mistake.Media, context string, answer message) {
		t.Helper()
		if answer.text("type") != "error" || answer.text("context") != context || !strings.Contains(answer.text("message"), m.Names) {
			t.Errorf("%s: %v", m.Why, answer)
		}
	}
	for _, m := range mistake.RTPParameters {
		check(m, "produce", produce(m.Object))
	}
	for _, kind := range []string{"send", "recv"} {
		for _, m := range mistake.DTLSParameters {
			for _, parameters := range []any{m.Object, string(m.Object)} { // both forms that clients send
				p.say(message{"type": "connect", "transportType": kind, "dtlsParameters": parameters})
				check(m, "connect", p.read())
			}
		}
		p.say(message{"type": "connect", "transportType": kind, "dtlsParameters": mistake.Fingerprint})
		if m := p.read(); m.text("type") != "connected" {
			t.Errorf("%s after the mistakes: %v", kind, m)
		}
	}
	other.wantSilence()
	unharmed()
}

func TestGarbageIsAnswered(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	p, _ := w.mustJoin(t, w.elsewhere(t, "garbage"), "")
	for _, text := range []string{
		"", "\x00\x01", "{", `{"type":"ping"}}`, "null", "7", `"ping"`, "[]", "{}", `{"type":null}`, `{"type":{}}`, `{"type":""}`,
		`{"type":"PING"}`, `{"TYPE":"ping"}`, `{"Type":"ping"}`, `{"type":"init"}`, `{"type":"\ud800"}`, strings.Repeat("[", 100000), `{"type":"` + strings.Repeat("x", 100000) + `"}`,
	} {
		if err := p.ws.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if m := p.read(); m.text("type") != "error" || len(m.text("message")) > 300 {
			t.Errorf("%.40q: %v", text, m)
		}
	}
	p.wantSilence()
	unharmed()
}

func TestStrangersDisturbNobody(t *testing.T) {
	w := newWorld(t, settings{"requests": "20"})
	unharmed := w.beside(t)
	refused := map[string]int{}
	for i := range 50 {
		_, err := w.join(t, fmt.Sprintf("guess-%d", i), "")
		for _, status := range []string{"401", "429"} {
			if err != nil && strings.Contains(err.Error(), "got "+status) {
				refused[status]++
			}
		}
	}
	if refused["401"] < 20 || refused["401"]+refused["429"] != 50 {
		t.Errorf("guesses were answered %v", refused)
	}
	big, _ := w.mustJoin(t, w.elsewhere(t, "big"), "")
	_ = big.ws.Write(context.Background(), websocket.MessageText, make([]byte, 5<<20))
	if code := big.farewell(); code != signal.CodeTooBig {
		t.Errorf("5 MiB: closed with %d", code)
	}
	unharmed()
}

func TestOnlyTheKeyAndTheAddressesOfTheListMakeInvitations(t *testing.T) {
	const proxied = "X-Forwarded-For"
	w := newWorld(t, settings{"allowed": "10.0.0.0/8 2001:db8::7", "proxies": "127.0.0.1", "requests": "100000"})
	unharmed := w.beside(t)
	for _, c := range []struct {
		what   string
		header []string
		status int
		says   string
	}{
		{"of the network", []string{proxied, "10.1.2.3"}, http.StatusOK, "invitation"},
		{"of the address", []string{proxied, "2001:db8::7"}, http.StatusOK, "invitation"},
		{"another address", []string{proxied, "198.51.100.1"}, http.StatusForbidden, "198.51.100.1"},
		{"the proxy's own", nil, http.StatusForbidden, "127.0.0.1"},
		{"an address that claims another", []string{proxied, "10.1.2.3, 198.51.100.1"}, http.StatusForbidden, "198.51.100.1"},
		{"a wrong key", []string{proxied, "10.1.2.3", "Api-Key", key[1:]}, http.StatusUnauthorized, "key"},
		{"no key", []string{proxied, "10.1.2.3", "Api-Key", ""}, http.StatusUnauthorized, "key"},
		{"a key that may only read", []string{proxied, "10.1.2.3", "Api-Key", "read-key"}, http.StatusForbidden, "may not invite"},
		{"a page of others", []string{proxied, "10.1.2.3", "Origin", "https://evil.example.net"}, http.StatusForbidden, "origin"},
	} {
		status, text := w.post(t, takoscall.PathInvitation, "{}", c.header...)
		if status != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d %s", c.what, status, text)
		}
	}
	unharmed()
}

func TestEachFieldOfEachBodyIsChecked(t *testing.T) {
	w := newWorld(t, settings{"requests": "100000"})
	unharmed := w.beside(t)
	n := 0
	check := func(path, body, code, names string) {
		t.Helper()
		n++
		status, text := w.post(t, path, body)
		if status != http.StatusBadRequest || !strings.Contains(text, `"`+code+`"`) || !strings.Contains(text, names) {
			t.Errorf("%s %.50q: %d %s, want %s", path, body, status, text, code)
		}
	}
	for path, object := range takoscall.Bodies() {
		for _, m := range maker.All(object) {
			body, err := json.Marshal(m.Data)
			if err != nil {
				t.Fatal(err)
			}
			code := "INVALID_FIELD"
			if m.Missing {
				code = "MISSING_FIELD"
			}
			check(path, string(body), code, m.Field)
		}
		for _, garbage := range []string{"{", "\x00", `{"roomId":"r"}}`, strings.Repeat("[", 10000)} {
			check(path, garbage, "INVALID_JSON", "JSON")
		}
		for _, odd := range []string{"7", `"text"`, "[]"} {
			check(path, odd, "INVALID_FIELD", "body")
		}
		if status, text := w.post(t, path, strings.Repeat(" ", 64<<10)); status != http.StatusRequestEntityTooLarge || !strings.Contains(text, "MESSAGE_TOO_BIG") {
			t.Errorf("%s with 64 KiB: %d %s", path, status, text)
		}
	}
	if n < 40 {
		t.Errorf("only %d mistakes were made", n)
	}
	unharmed()
}

func TestObjectsOfOthersAreNotThere(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	owner, _ := w.mustJoin(t, w.elsewhere(t, "owner"), "")
	p, _ := w.mustJoin(t, w.elsewhere(t, "thief"), "")
	owner.say(message{"type": "produce", "kind": "audio", "rtpParameters": opus(1)})
	mic := owner.wait("produced")["producerId"]
	p.say(message{"type": "produce", "kind": "audio", "rtpParameters": opus(2)})
	mine := p.wait("produced")["producerId"]
	owner.say(message{"type": "consume", "producerId": mine, "rtpCapabilities": caps})
	hears := owner.wait("consumed")["consumerId"]
	for _, m := range []message{
		{"type": "pauseProducer", "producerId": mic}, {"type": "resumeProducer", "producerId": mic},
		{"type": "closeProducer", "producerId": mic}, {"type": "getStats", "producerId": mic},
		{"type": "pauseConsumer", "consumerId": hears}, {"type": "resumeConsumer", "consumerId": hears},
		{"type": "closeConsumer", "consumerId": hears}, {"type": "requestKeyFrame", "consumerId": hears},
		{"type": "getStats", "consumerId": hears},
		{"type": "kick", "peerId": "owner@example.com"}, {"type": "mute", "peerId": "owner@example.com"},
		{"type": "pauseProducer", "producerId": "nothing"}, {"type": "resumeProducer", "producerId": "nothing"},
		{"type": "closeProducer", "producerId": "nothing"}, {"type": "getStats", "producerId": "nothing"},
		{"type": "pauseConsumer", "consumerId": "nothing"}, {"type": "resumeConsumer", "consumerId": "nothing"},
		{"type": "closeConsumer", "consumerId": "nothing"}, {"type": "requestKeyFrame", "consumerId": "nothing"},
		{"type": "getStats", "consumerId": "nothing"},
	} {
		p.say(m)
		if answer := p.read(); answer.text("type") != "error" || answer.text("context") != m.text("type") {
			t.Errorf("%v: %v", m, answer)
		}
	}
	p.say(message{"type": "consume", "producerId": "nothing", "rtpCapabilities": caps})
	if answer := p.read(); answer.text("type") != "producerNotFound" || answer.text("producerId") != "nothing" {
		t.Errorf("consumed nothing: %v", answer)
	}
	// A producer of another room.
	for _, r := range w.rooms.Rooms() {
		if r.ID() != "tako" {
			continue
		}
		for _, peer := range r.Snapshot().Peers {
			for _, producer := range peer.Producers {
				p.say(message{"type": "consume", "producerId": producer.ID(), "rtpCapabilities": caps})
				if answer := p.read(); answer.text("type") != "producerNotFound" {
					t.Errorf("consumed from another room: %v", answer)
				}
			}
		}
	}
	owner.wantSilence()
	unharmed()
}

func TestRoomsBeyondTheLimitAreRefusedAndCostNothing(t *testing.T) {
	w := newWorld(t, settings{"rooms": "1"})
	unharmed := w.beside(t)
	const n = 500
	for range n {
		p, err := w.join(t, w.elsewhere(t, "late"), "")
		if err != nil {
			t.Fatal(err)
		}
		if m := p.read(); m.text("type") != "error" || m.text("context") != "join" {
			t.Fatalf("instead of a refusal: %v", m)
		}
		if code := p.farewell(); code != signal.CodeRoomClosed {
			t.Errorf("closed with %d", code)
		}
		p.cut()
	}
	if s := w.door.Stats(); s.Calls != 1 || s.Participants != 2 {
		t.Errorf("stats: %+v", s)
	}
	if s := w.rooms.Stats(); s.Rooms != 1 || s.Refused != n {
		t.Errorf("stats: %+v", s)
	}
	unharmed()
}

func TestFloodOfPingsIsClosedWithAReason(t *testing.T) {
	w := newWorld(t, settings{"rate": "0.001", "burst": "100"})
	unharmed := w.beside(t)
	p, _ := w.mustJoin(t, w.elsewhere(t, "flood"), "")
	go func() {
		for p.ws.Ping(t.Context()) == nil {
		}
	}()
	if code := p.farewell(); code != signal.CodeFlood {
		t.Errorf("closed with %d", code)
	}
	unharmed()
}

func TestSlowReaderIsClosedAndHoldsUpNobody(t *testing.T) {
	w := newWorld(t, settings{"queue": "50", "rate": "100000", "burst": "100000", "buffers": "small"})
	unharmed := w.beside(t)
	busy, _ := w.mustJoin(t, w.elsewhere(t, "busy"), "")
	slow, _ := w.mustJoin(t, w.elsewhere(t, "slow"), "")
	if err := slow.wire.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	busy.wait("join")
	for i := range 800 {
		busy.say(message{
			"type": "produce", "kind": "audio", "rtpParameters": opus(100 + i), "appData": strings.Repeat("x", 4000),
		})
		id := busy.wait("produced")["producerId"]
		busy.say(message{"type": "closeProducer", "producerId": id})
	}
	if code := slow.farewell(); code != signal.CodeTooSlow {
		t.Errorf("closed with %d", code)
	}
	w.waitLost(t)
	if n := w.door.Stats().TooSlow; n != 1 {
		t.Errorf("%d slow sessions are counted", n)
	}
	busy.wantSilence() // it is a line that broke: nobody has left
	slow, init := w.mustJoin(t, w.elsewhere(t, "slow"), "&resume=1")
	if init["resumed"] != true {
		t.Error("the slow reader cannot come back")
	}
	slow.wantSilence()
	unharmed()
}
