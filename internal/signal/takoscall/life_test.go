package takoscall_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/signal"
	"github.com/takoserver/takos-call/internal/signal/takoscall"
)

// Whoever joins while others begin and stop to send must know exactly what there
// is: init and the news after it leave no gap and do not overlap.
func TestJoiningMissesNothing(t *testing.T) {
	w := newWorld(t, settings{"rate": "100000", "burst": "100000"})
	sender, _ := w.mustJoin(t, w.token(t, "sender"), "")
	joined := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		var open []any
		for i := 0; ; i++ {
			select {
			case <-joined:
				sender.say(message{"type": "ping"}) // all of it has been done once this is answered
				sender.wait("pong")
				return
			default:
			}
			sender.say(message{"type": "produce", "kind": "audio", "rtpParameters": opus(100 + i)})
			open = append(open, sender.wait("produced")["producerId"])
			if len(open) > 3 {
				sender.say(message{"type": "closeProducer", "producerId": open[0]})
				open = open[1:]
			}
		}
	})
	type view struct {
		p     *person
		known map[string]bool
	}
	var views []view
	for i := range 20 {
		p, init := w.mustJoin(t, w.token(t, fmt.Sprintf("joiner%d", i)), "")
		v := view{p, map[string]bool{}}
		for _, producer := range init["producers"].([]any) {
			v.known[producer.(map[string]any)["id"].(string)] = true
		}
		views = append(views, v)
	}
	close(joined)
	sending.Wait()
	there := map[string]bool{}
	r, err := w.rooms.Room("tako")
	if err != nil {
		t.Fatal(err)
	}
	for _, peer := range r.Snapshot().Peers {
		for _, producer := range peer.Producers {
			there[producer.ID()] = true
		}
	}
	for i, v := range views {
		v.p.say(message{"type": "ping"})
		for m := v.p.read(); m.text("type") != "pong"; m = v.p.read() {
			id := m.text("producerId")
			switch m.text("type") {
			case "produce":
				if v.known[id] {
					t.Errorf("%d is told twice of %s", i, id)
				}
				v.known[id] = true
			case "producerClosed":
				if !v.known[id] {
					t.Errorf("%d is told of the end of %s, of which it never heard", i, id)
				}
				delete(v.known, id)
			}
		}
		if !maps.Equal(v.known, there) {
			t.Errorf("%d knows of %d producers, and there are %d", i, len(v.known), len(there))
		}
	}
}

// The deployed client takes the first "produced" after its produce for the
// answer to it, whatever it says.
func TestDeployedClientTakesEveryProducedForItsOwn(t *testing.T) {
	w := newWorld(t, settings{"rate": "100000", "burst": "100000"})
	const people, each = 5, 20
	var all sync.WaitGroup
	for i := range people {
		name := fmt.Sprintf("p%d", i)
		p, _ := w.mustJoin(t, w.token(t, name), "&dialect=deployed")
		all.Go(func() {
			for n := range each {
				p.say(message{"type": "produce", "kind": "audio", "rtpParameters": opus(1000 + n)})
				m := p.wait("produced")
				if m.text("peerId") != name+"@example.com" {
					t.Errorf("%s was answered %v", name, m)
				}
				p.say(message{"type": "closeProducer", "producerId": m["producerId"]})
			}
		})
	}
	all.Wait()
}

func TestManyComeAndGoAtOnce(t *testing.T) {
	w := newWorld(t, settings{"grace": "20ms", "rate": "100000", "burst": "100000", "requests": "1000000"})
	var all sync.WaitGroup
	for i := range 12 {
		grant := auth.Grant{
			RoomID: fmt.Sprintf("room %d", i%3), UserID: fmt.Sprintf("user%d@example.com", i%6), // two of each
			CallType: auth.VideoCall, Kind: []auth.CallKind{auth.GroupCall, auth.GroupCall, auth.FriendCall}[i%3],
		}
		random := rand.New(rand.NewPCG(uint64(i), 7))
		all.Go(func() {
			for range 15 {
				token, _, err := w.tokens.Create(grant, 0)
				if err != nil {
					t.Error(err)
					return
				}
				p, err := w.join(t, token, []string{"", "&resume=1"}[random.IntN(2)])
				if err != nil {
					continue // full, for a friend call
				}
				liveAMoment(p, random)
			}
		})
	}
	all.Wait()
	deadline := time.Now().Add(10 * time.Second)
	for w.door.Stats().Participants > 0 || w.rooms.Stats().Rooms > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("left behind: %+v, %+v", w.door.Stats(), w.rooms.Stats())
		}
		time.Sleep(5 * time.Millisecond) // for the grace periods to pass
	}
	if s := w.rooms.Stats(); s.Peers+s.Transports+s.Producers+s.Consumers != 0 {
		t.Errorf("left behind: %+v", s)
	}
}

// liveAMoment takes part in a call and leaves it in one of the possible ways.
// Everything may fail: others of the same name take over at any time.
func liveAMoment(p *person, random *rand.Rand) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, _, err := p.ws.Read(ctx); err != nil {
		return
	}
	for _, m := range []string{
		`{"type":"produce","kind":"audio","rtpParameters":` + string(opus(1)) + `}`,
		`{"type":"pauseProducer","producerId":"x"}`, `{"type":"ping"}`,
	} {
		_ = p.ws.Write(ctx, 1, []byte(m))
	}
	for range random.IntN(4) {
		if _, _, err := p.ws.Read(ctx); err != nil {
			return
		}
	}
	switch random.IntN(4) {
	case 0:
		p.hangUp()
	case 1:
		_ = p.ws.Write(ctx, 1, []byte(`{"type":"bye"}`))
		_ = p.ws.CloseNow()
	case 2:
		p.cut()
	case 3:
		_ = p.ws.Close(1001, "")
	}
}

func TestNewLineTakesOverFromOneThatHangs(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(t, "alice")
	_, before := w.mustJoin(t, token, "") // it does not read, and will not answer
	_, after := w.mustJoin(t, token, "&resume=1")
	if after["resumed"] != true || fmt.Sprint(before["transport"]) != fmt.Sprint(after["transport"]) {
		t.Errorf("init: %v", after)
	}
}

func TestLineThatAnswersNoPingIsLost(t *testing.T) {
	w := newWorld(t, settings{"ping": "300ms", "grace": "50ms"})
	watcher, _ := w.mustJoin(t, w.token(t, "watcher"), "")
	left := make(chan message)
	go func() { // answers pings while it reads
		defer close(left)
		left <- watcher.wait("leave")
	}()
	w.mustJoin(t, w.token(t, "silent"), "") // does not
	if m := <-left; m.text("peerId") != "silent@example.com" {
		t.Errorf("heard %v", m)
	}
}

func TestWhoIsAwayCanBeRemoved(t *testing.T) {
	for name, remove := range map[string]func(w *world, host *person, token string){
		"kicked": func(_ *world, host *person, _ string) {
			host.say(message{"type": "kick", "peerId": "away@example.com"})
		},
		"revoked": func(w *world, _ *person, token string) { _ = w.tokens.Revoke(token, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, settings{"grace": "1h"})
			host, _ := w.mustJoin(t, w.token(t, "host"), "")
			token := w.token(t, "away")
			away, _ := w.mustJoin(t, token, "")
			host.wait("join")
			away.cut()
			w.waitLost(t)
			remove(w, host, token)
			host.wait("leave")
			w.wantTokenWorthless(t, token)
			host.wantSilence()
		})
	}
}

func TestWhoWasKickedDoesNotComeBackWithTheSameToken(t *testing.T) {
	w := newWorld(t, nil)
	host, _ := w.mustJoin(t, w.token(t, "host"), "")
	token := w.token(t, "rude")
	rude, _ := w.mustJoin(t, token, "")
	host.wait("join")
	host.say(message{"type": "kick", "peerId": "rude@example.com"})
	rude.wait("kicked")
	rude.farewell()
	host.wait("leave")
	w.wantTokenWorthless(t, token)
	host.wantSilence()
	w.mustJoin(t, w.token(t, "rude"), "") // a new token is a new chance
}

// wantTokenWorthless tries the token until it is refused before the upgrade,
// which it must be once the server has noticed; it must never let in.
func (w *world) wantTokenWorthless(t *testing.T, token string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		p, err := w.join(t, token, "&resume=1")
		if err != nil {
			return
		}
		if m := p.read(); m.text("type") != "error" {
			t.Fatalf("the token of who was removed lets in: %v", m["type"])
		}
		p.farewell()
		if time.Now().After(deadline) {
			t.Fatal("the token of who was removed stays good")
		}
	}
}

// waitLost waits until the server has noticed that a line is lost.
func (w *world) waitLost(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for w.door.Stats().Lost == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the server has not noticed")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestFriendWhoIsAwayIsTakenAlong(t *testing.T) {
	w := newWorld(t, settings{"grace": "1h"})
	token := func(name string) string {
		token, _, err := w.tokens.Create(auth.Grant{RoomID: "duet", UserID: name, CallType: auth.AudioCall, Kind: auth.FriendCall}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	a, _ := w.mustJoin(t, token("a@x"), "")
	b, _ := w.mustJoin(t, token("b@x"), "")
	b.cut()
	w.waitLost(t)
	a.say(message{"type": "bye"})
	if code := a.farewell(); code != signal.CodeNormal {
		t.Errorf("closed with %d", code)
	}
	if s := w.rooms.Stats(); s.Rooms != 0 {
		t.Errorf("the call goes on: %+v", s)
	}
}

func TestPeopleComeBackAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	first := newWorld(t, settings{"store": path})
	token := first.token(t, "alice")
	p, _ := first.mustJoin(t, token, "")
	go p.farewell()
	first.door.Close()
	first.api.Close()
	first.rooms.Close()
	if err := first.store.Close(); err != nil {
		t.Fatal(err)
	}
	second := newWorld(t, settings{"store": path})
	if _, init := second.mustJoin(t, token, "&resume=1"); init["resumed"] != false {
		t.Errorf("resumed: %v", init)
	}
}

func TestClosingWhilePeopleCome(t *testing.T) {
	w := newWorld(t, settings{"requests": "1000000"})
	var all sync.WaitGroup
	for i := range 10 {
		token := w.token(t, fmt.Sprintf("p%d", i))
		all.Go(func() {
			for {
				p, err := w.join(t, token, "")
				if err != nil {
					return
				}
				for {
					if _, err := p.tryRead(); err != nil {
						break
					}
				}
			}
		})
	}
	deadline := time.Now().Add(10 * time.Second)
	for w.door.Stats().Sessions < 5 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	w.door.Close()
	all.Wait()
}

func TestNoSecretIsLogged(t *testing.T) {
	var log lockedBuffer
	w := newWorldLogging(t, nil, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	invitation, _, err := w.invitations.Create(auth.Invitation{RoomID: "tako"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	token := w.token(t, "alice")
	p, _ := w.mustJoin(t, token, "")
	p.say(message{"type": "dance"})
	p.wait("error")
	p.hangUp()
	_, _ = w.join(t, "wrong-"+token, "")
	for path, body := range map[string]string{
		takoscall.PathToken:          `{"invitation":"` + invitation + `"}`,
		takoscall.PathInvitation:     `{"roomId":"x"}`,
		"/takos-api/createToken":     `{"roomId":"tako","userId":"bob@example.com"}`,
		"/takos-api/revokeToken":     `{"token":"` + token + `"}`,
		"/takos-api/getAllRooms?x=y": ``,
	} {
		q, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, strings.NewReader(body))
		q.Header.Set("Api-Key", key)
		q.Close = true
		answer, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	w.door.Close()
	text := log.String()
	for _, secret := range []string{token, invitation, key} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret is in the log:\n%s", text)
		}
	}
	if !strings.Contains(text, "alice@example.com") {
		t.Errorf("this test looks at the wrong log:\n%s", text)
	}
}

func TestWhoIsRefusedDoesNotFillTheLog(t *testing.T) {
	var log lockedBuffer
	w := newWorldLogging(t, settings{"transports": "1"}, slog.New(slog.NewTextHandler(&log, nil)))
	began := time.Now()
	for range 50 {
		if status, _ := w.post(t, "/takos-api/createRoom", "{}", "Api-Key", "wrong"); status != http.StatusUnauthorized {
			t.Errorf("status %d", status)
		}
		p, err := w.join(t, w.token(t, "alice"), "") // there is no room for her transports
		if err != nil {
			t.Fatal(err)
		}
		p.farewell()
		p.cut()
	}
	most := 1 + int(time.Since(began)/time.Second)
	for _, line := range []string{"request refused", "cannot join"} {
		if n := strings.Count(log.String(), line); n < 1 || n > most {
			t.Errorf("%q is in the log %d times, want 1 to %d", line, n, most)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestFailingStoreIsOneAnswer(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.mustJoin(t, w.token(t, "alice"), "")
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string]string{
		takoscall.PathToken: `{"invitation":"x"}`, takoscall.PathInvitation: `{}`,
	} {
		if status, text := w.post(t, path, body); status != http.StatusInternalServerError || !strings.Contains(text, "INTERNAL_ERROR") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if _, err := w.join(t, "x", ""); err == nil || !strings.Contains(err.Error(), "500") {
		t.Errorf("join: %v", err)
	}
	p.wantSilence()
}

// post sends a body; headers come as name, value, beside the key.
func (w *world) post(t *testing.T, path, body string, header ...string) (int, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Api-Key", key)
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	q.Close = true
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// What keeps somebody from joining may only be seen after the upgrade.
func TestWhoCannotJoinAfterAllIsTold(t *testing.T) {
	w := newWorld(t, settings{"transports": "1"})
	p, err := w.join(t, w.token(t, "alice"), "")
	if err != nil {
		t.Fatal(err)
	}
	if m := p.read(); m.text("type") != "error" || m.text("context") != "join" || !strings.Contains(m.text("message"), "transports") {
		t.Errorf("heard %v", m)
	}
	if code := p.farewell(); code != signal.CodeRoomClosed {
		t.Errorf("closed with %d", code)
	}
	if s := w.rooms.Stats(); s.Rooms != 0 {
		t.Errorf("left behind: %+v", s)
	}
}
