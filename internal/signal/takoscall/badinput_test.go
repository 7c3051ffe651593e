package takoscall_test

import (
	"context"
	"fmt"
	"net"
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

func TestGarbageIsAnswered(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	p, _ := w.mustJoin(t, w.elsewhere(t, "garbage"), "")
	for _, text := range []string{
		"", "\x00\x01", "{", `{"type":"ping"}}`, "null", "7", `"ping"`, "[]", "{}", `{"type":null}`, `{"type":{}}`, `{"type":""}`,
		`{"type":"PING"}`, `{"type":"init"}`, `{"type":"\ud800"}`, strings.Repeat("[", 100000), `{"type":"` + strings.Repeat("x", 100000) + `"}`,
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
	} {
		p.say(m)
		if answer := p.read(); answer.text("type") != "error" || answer.text("context") != m.text("type") {
			t.Errorf("%v: %v", m, answer)
		}
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
	busy.wantSilence() // it is a line that broke: nobody has left
	slow, init := w.mustJoin(t, w.elsewhere(t, "slow"), "&resume=1")
	if init["resumed"] != true {
		t.Error("the slow reader cannot come back")
	}
	slow.wantSilence()
	unharmed()
}
