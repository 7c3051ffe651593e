package takoscall_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/signal"
	"github.com/takoserver/takos-call/internal/signal/takoscall"
)

func TestOtherPathsAreNotOurs(t *testing.T) {
	w := newWorld(t, nil)
	if status, _ := w.post(t, "/_takos/v2/elsewhere", ""); status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
}

func TestPathMayBePreceded(t *testing.T) {
	w := newWorld(t, nil)
	if status, text := w.post(t, "/_takos/v2/invitation/", "{}"); status != http.StatusOK {
		t.Errorf("with a slash at the end: %d %s", status, text)
	}
}

func TestDialectIsTheSettingsUnlessAsked(t *testing.T) {
	w := newWorld(t, nil)
	for query, want := range map[string]takoscall.Dialect{
		"": takoscall.Deployed, "&dialect=seed": takoscall.Seed, "&dialect=deployed": takoscall.Deployed, "&dialect=klingon": takoscall.Deployed,
	} {
		if _, init := w.mustJoin(t, w.token(t, "alice"), query); init["dialect"] != string(want) {
			t.Errorf("%q: %v", query, init["dialect"])
		}
	}
}

func TestStatsCount(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(t, "alice")
	first, _ := w.mustJoin(t, token, "")
	second, _ := w.mustJoin(t, token, "&resume=1")
	if code := first.farewell(); code != 4001 {
		t.Errorf("closed with %d", code)
	}
	bob, _ := w.mustJoin(t, w.token(t, "bob"), "")
	second.say(message{"type": "dance"})
	second.wait("error")
	if _, err := w.join(t, "wrong", ""); err == nil {
		t.Error("joined with a wrong token")
	}
	bob.cut()
	w.waitLost(t)
	want := takoscall.Stats{Calls: 1, Participants: 2, Sessions: 3, Resumed: 1, Replaced: 1, Lost: 1, Errors: map[takoscall.Code]uint64{
		takoscall.Unauthorized: 1, takoscall.UnknownMessage: 1,
	}}
	if diff := cmp.Diff(want, w.door.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestClientThatCallsItselfSlowIsNotCounted(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.mustJoin(t, w.token(t, "alice"), "")
	if err := p.ws.Close(signal.CodeTooSlow, "so slow"); err != nil {
		t.Fatal(err)
	}
	w.waitLost(t)
	if s := w.door.Stats(); s.Lost != 1 || s.TooSlow != 0 {
		t.Errorf("stats: %+v", s)
	}
}

// Two people in one room who speak different dialects hear of each other in
// their own.
func TestDialectsMeet(t *testing.T) {
	w := newWorld(t, nil)
	old, _ := w.mustJoin(t, w.token(t, "old"), "&dialect=deployed")
	fresh, _ := w.mustJoin(t, w.token(t, "fresh"), "&dialect=seed")
	old.say(message{"type": "produce", "kind": "audio", "rtpParameters": opus(1)})
	if m := fresh.read(); m.text("type") != "produced" || m.text("peerId") != "old@example.com" {
		t.Errorf("fresh heard %v", m)
	}
	fresh.say(message{"type": "produce", "kind": "audio", "rtpParameters": opus(1)})
	// After join the answer and the news are of two sessions: either may come first.
	heard := map[string]message{}
	for range 3 {
		m := old.read()
		heard[m.text("type")] = m
	}
	if heard["produced"].text("peerId") != "old@example.com" || heard["produce"].text("peerId") != "fresh@example.com" {
		t.Errorf("old heard %v", heard)
	}
}
