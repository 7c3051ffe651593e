package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/client"
)

// later runs a command in a goroutine and returns a function that waits for its
// error.
func later(command func() error) (wait func() error) {
	result := make(chan error, 1)
	go func() { result <- command() }()
	return func() error { return <-result }
}

func TestAnswersMayComeInAnyOrder(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		var callers sync.WaitGroup
		for i := range 50 {
			callers.Go(func() {
				var answer int
				if err := c.Call(within(t), "echo", i, &answer); err != nil || answer != i {
					t.Errorf("answer to %d: %d, %v", i, answer, err)
				}
			})
		}
		// All of them come before any is answered: nobody waits for anybody.
		var requests []fakeRequest
		for range 50 {
			requests = append(requests, k.request())
		}
		slices.SortFunc(requests, func(a, b fakeRequest) int { return strings.Compare(string(b.Data), string(a.Data)) })
		for _, q := range requests {
			k.grant(q, string(q.Data))
		}
		callers.Wait()
	})
}

func TestCommandsOfOneGoroutineKeepTheirOrder(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		for i := range 20 {
			done := later(func() error { return c.Call(within(t), "count", i, nil) })
			q := k.request()
			if string(q.Data) != fmt.Sprint(i) {
				t.Fatalf("request %d has data %s", i, q.Data)
			}
			k.grant(q, "null")
			must(t, done())
		}
	})
}

func TestWhatIsNotUnderstoodIsNoReasonToEnd(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		done := later(func() error { return c.Call(within(t), "ask", nil, nil) })
		q := k.request()
		k.send(
			``, `nonsense`, `[]`, `7`, `null`, `{}`, `{"type":"weather"}`, `{"type":7}`,
			`{"type":"response","id":7,"success":true}`,
			`{"type":"response","id":"unknown","success":false,"error":{"code":"INVALID_JSON","message":"?"}}`,
			`{"type":"response","id":"never asked","success":true}`,
			`{"type":"event"}`, `{"type":"event","data":7}`, `{"type":"event","data":{"event":"roomCreated","roomId":7}}`,
			`{"type":"event","data":{"event":"roomPainted","roomId":"r","colour":"red"}}`,
		)
		must(t, k.ws.Write(within(t), websocket.MessageBinary, []byte{1, 2, 3}))
		k.grant(q, "null")
		must(t, done())
		e := await[client.UnknownEvent](t, c, func(e client.UnknownEvent) bool { return e.Name != "" })
		if e.Name != "roomPainted" || string(e.Data) != `{"event":"roomPainted","roomId":"r","colour":"red"}` {
			t.Errorf("unknown event %q: %s", e.Name, e.Data)
		}
	})
}

func TestAnswersOfAnotherShapeAreErrors(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		for _, answer := range []string{`"success":true,"data":7`, `"success":true`, `"success":false`} {
			done := later(func() error { _, err := c.CreateRoom(within(t), "r", client.RoomOptions{}); return err })
			k.send(`{"type":"response","id":"` + k.request().ID + `",` + answer + `}`)
			if err := done(); err == nil || !strings.Contains(err.Error(), "createRoom") {
				t.Errorf("answer %s: error %v, want one that names the command", answer, err)
			}
		}
	})
}

func TestALostConnectionFailsWhatWaitsForAnAnswer(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		done := later(func() error { return c.CloseRoom(within(t), "r") })
		k.request()
		k.lose()
		if err := done(); !errors.Is(err, client.ErrDisconnected) || !strings.Contains(err.Error(), "closeRoom") {
			t.Errorf("error %v, want ErrDisconnected with the command", err)
		}
		// The next goes through the next connection.
		done = later(func() error { return c.CloseRoom(within(t), "r") })
		k = f.accept()
		k.grant(k.request(), "null")
		must(t, done())
	})
}

func TestAnAnswerThatCameBeforeTheEndCounts(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial(func(o *client.Options) { o.MaxBackoff = time.Millisecond })
		for range 100 {
			done := later(func() error { return c.CloseRoom(within(t), "r") })
			k.grant(k.request(), "null")
			k.lose()
			must(t, done())
			k = f.accept()
		}
	})
}

func TestCloseCodesAreTold(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		must(t, k.ws.Close(4006, "the server is shutting down"))
		e := await[client.Disconnected](t, c, nil)
		if websocket.CloseStatus(e.Err) != 4006 {
			t.Errorf("disconnected by %v, want close code 4006", e.Err)
		}
		f.accept()
	})
}

func TestCommandsWaitForTheConnection(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		f.refusal.Store(http.StatusServiceUnavailable)
		k.lose()
		synctest.Wait()
		if c.Connected() {
			t.Error("connected, though the connection is lost and there is no other")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		if err := c.CloseRoom(ctx, "r"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
			t.Errorf("after %v: %v, want the end of the context after 3 s", time.Since(began), err)
		}
		done := later(func() error { return c.CloseRoom(context.Background(), "r") })
		f.refusal.Store(0)
		k = f.accept()
		k.grant(k.request(), "null")
		must(t, done())
	})
}

func TestAContextConcernsItsCommandOnly(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		ctx, cancel := context.WithCancel(t.Context())
		impatient := later(func() error { return c.CloseRoom(ctx, "a") })
		patient := later(func() error { return c.CloseRoom(t.Context(), "b") })
		first, second := k.request(), k.request()
		cancel()
		if err := impatient(); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that of the context", err)
		}
		k.grant(first, "null") // one of them comes too late
		k.grant(second, "null")
		must(t, patient())
		if err := c.CloseRoom(ctx, "c"); !errors.Is(err, context.Canceled) {
			t.Errorf("a context that had ended: %v", err)
		}
		if len(k.requests) != 0 {
			t.Error("a command was sent though its context had ended")
		}
	})
}

func TestMessagesOverTheLimitEndTheConnection(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial(func(o *client.Options) { o.MaxMessageBytes = 1000 })
		done := later(func() error { _, err := c.Rooms(within(t)); return err })
		k.grant(k.request(), `"`+strings.Repeat("x", 2000)+`"`)
		if err := done(); !errors.Is(err, client.ErrDisconnected) || !errors.Is(err, websocket.ErrMessageTooBig) {
			t.Errorf("error %v, want ErrDisconnected because of a message too big", err)
		}
		done = later(func() error { _, err := c.Rooms(within(t)); return err })
		k = f.accept()
		k.grant(k.request(), `{"rooms":[]}`)
		must(t, done())
	})
}

// The delays double up to the limit, and part of each is left to chance.
func TestReconnectingTakesItsTime(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		f.refusal.Store(http.StatusServiceUnavailable)
		k.lose()
		longest := 250 * time.Millisecond
		seen := map[time.Duration]bool{}
		attempt, last := 0, time.Now()
		for e := range c.Events(t.Context()) {
			r, ok := e.(client.Reconnecting)
			if !ok {
				continue
			}
			if attempt++; r.Attempt != attempt || r.Err == nil || r.Delay < longest/2 || r.Delay > longest {
				t.Errorf("%+v, want attempt %d after %v to %v", r, attempt, longest/2, longest)
			}
			if attempt == 12 {
				break
			}
			seen[longest-r.Delay] = true
			synctest.Wait()
			time.Sleep(r.Delay)
			synctest.Wait()
			if since := time.Since(last); since != r.Delay {
				t.Errorf("attempt %d after %v, want %v", attempt, since, r.Delay)
			}
			last = time.Now()
			longest = min(2*longest, 30*time.Second)
		}
		if len(seen) < 5 {
			t.Error("the delays are not random")
		}
	})
}

// A server that accepts and drops is not asked more and more often.
func TestConnectionsLostAtOnceAreNoSuccess(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		f.dropEarly.Store(true)
		k.lose()
		for e := range c.Events(within(t)) {
			if r, ok := e.(client.Reconnecting); ok && r.Attempt == 5 {
				break
			}
		}
		f.dropEarly.Store(false)
		k = f.accept()
		time.Sleep(time.Minute)
		k.lose()
		for e := range c.Events(within(t)) {
			if r, ok := e.(client.Reconnecting); ok && r.Attempt == 1 {
				break
			}
		}
		f.accept()
	})
}

func TestAServerThatWentWithoutAWordIsNoticed(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		f.deaf.Store(true)
		c, k := f.dial(func(o *client.Options) { o.PingInterval, o.PingTimeout = 10*time.Second, 3*time.Second })
		f.deaf.Store(false)
		began := time.Now()
		e := await[client.Disconnected](t, c, nil)
		if since := time.Since(began); since != 13*time.Second || !strings.Contains(e.Err.Error(), "ping") {
			t.Errorf("noticed after %v: %v; want after 13 s, because of a ping", since, e.Err)
		}
		k.lose()
		f.accept()
	})
}

func TestAServerThatDoesNotReadIsNoticed(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		f.deaf.Store(true)
		c, k := f.dial(func(o *client.Options) { o.PingInterval = time.Hour })
		f.deaf.Store(false)
		began := time.Now()
		err := c.CloseRoom(within(t), "r") // a pipe takes nothing that is not read
		if since := time.Since(began); since != 10*time.Second || !errors.Is(err, client.ErrDisconnected) || !strings.Contains(err.Error(), "read") {
			t.Errorf("noticed after %v: %v; want after 10 s, because it does not read", since, err)
		}
		k.lose()
		f.accept()
	})
}

func TestAnIdleConnectionIsKept(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, _ := f.dial()
		time.Sleep(time.Hour)
		if !c.Connected() || len(f.accepted) != 0 {
			t.Error("the connection was lost by itself")
		}
	})
}

func TestTheSubscriptionIsRenewed(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		subscribe := func(command func() error, want string) {
			t.Helper()
			done := later(command)
			q := k.request()
			if q.Type != "subscribe" || string(q.Data) != want {
				t.Errorf("asked %s %s, want subscribe %s", q.Type, q.Data, want)
			}
			k.grant(q, "null")
			must(t, done())
		}
		reconnect := func(want string) {
			t.Helper()
			k.lose()
			k = f.accept()
			if want == "" {
				return
			}
			q := k.request()
			if q.Type != "subscribe" || string(q.Data) != want {
				t.Errorf("after the loss: %s %s, want subscribe %s", q.Type, q.Data, want)
			}
			synctest.Wait()
			if c.Connected() {
				t.Error("connected before the subscription was renewed")
			}
			k.send(`{"type":"event","data":{"event":"roomClosed","roomId":"not chosen"}}`)
			k.grant(q, "null")
		}
		subscribe(func() error { return c.Subscribe(within(t), "a", "b") }, `{"roomIds":["a","b"]}`)
		reconnect(`{"roomIds":["a","b"]}`)
		subscribe(func() error { return c.Subscribe(within(t)) }, `{"roomIds":[]}`)
		reconnect(`{"roomIds":[]}`)

		refused := later(func() error { return c.Subscribe(within(t), "secret") })
		k.send(`{"type":"response","id":"` + k.request().ID + `","success":false,"error":{"code":"FORBIDDEN","message":"no"}}`)
		wantCode(t, refused(), client.Forbidden)
		reconnect(`{"roomIds":[]}`)

		subscribe(func() error { return c.SubscribeAll(within(t)) }, `{"roomIds":"*"}`)
		reconnect("")
		done := later(func() error { return c.CloseRoom(within(t), "r") })
		q := k.request()
		if q.Type != "closeRoom" {
			t.Errorf("with all rooms chosen %s comes first, want no subscription", q.Type)
		}
		k.send(`{"type":"event","data":{"event":"roomClosed","roomId":"r"}}`)
		k.grant(q, "null")
		must(t, done())
		if e := await[client.RoomClosed](t, c, nil); e.RoomID != "r" {
			t.Errorf("told of room %q, want of r only", e.RoomID)
		}
	})
}

func TestDialFailsIfTheSubscriptionIsRefused(t *testing.T) {
	s := newServer(t, serverSettings{roomPrefix: "mine-"})
	_, err := client.Dial(within(t), s.URL, client.Options{APIKey: testKey, HTTPClient: s.Client(), Rooms: []string{"yours"}, Logger: silence})
	wantCode(t, err, client.Forbidden)
}

func TestAnswersDoNotWaitForEvents(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial(func(o *client.Options) { o.EventQueue = 4 })
		done := later(func() error { return c.CloseRoom(within(t), "r") })
		q := k.request()
		for i := range 10 {
			k.send(fmt.Sprintf(`{"type":"event","data":{"event":"roomClosed","roomId":"%d"}}`, i))
		}
		k.grant(q, "null")
		must(t, done())

		k.send(`{"type":"event","data":{"event":"roomClosed","roomId":"last"}}`)
		var told []client.Event
		for e := range c.Events(within(t)) {
			told = append(told, e)
			if e == (client.RoomClosed{RoomID: "last"}) {
				break
			}
		}
		// Connected and 0 to 2 fill the queue; 3 drops them, 6 and 9 what came after.
		want := []client.Event{client.EventsLost{Count: 10}, client.RoomClosed{RoomID: "9"}, client.RoomClosed{RoomID: "last"}}
		if !cmp.Equal(told, want) {
			t.Errorf("told:\n%s", cmp.Diff(want, told))
		}
	})
}

func TestSeveralLoopsShareTheEvents(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		const events = 200
		var mu sync.Mutex
		var told []string
		ctx, stop := context.WithCancel(t.Context())
		var loops sync.WaitGroup
		for range 3 {
			loops.Go(func() {
				for e := range c.Events(ctx) {
					if e, ok := e.(client.RoomClosed); ok {
						mu.Lock()
						told = append(told, e.RoomID)
						mu.Unlock()
					}
				}
			})
		}
		var want []string
		for i := range events {
			id := fmt.Sprintf("%03d", i)
			want = append(want, id)
			k.send(`{"type":"event","data":{"event":"roomClosed","roomId":"` + id + `"}}`)
		}
		synctest.Wait()
		stop()
		loops.Wait()
		slices.Sort(told)
		if !cmp.Equal(told, want) {
			t.Errorf("told:\n%s", cmp.Diff(want, told))
		}
	})
}

func TestCloseEndsEverything(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		waiting := later(func() error { return c.CloseRoom(t.Context(), "r") })
		k.request()
		events := later(func() error {
			for range c.Events(t.Context()) {
			}
			return nil
		})
		c.Close()
		c.Close()
		if err := waiting(); !errors.Is(err, client.ErrClosed) || errors.Is(err, client.ErrDisconnected) {
			t.Errorf("error %v, want ErrClosed", err)
		}
		must(t, events())
		if err := c.CloseRoom(t.Context(), "r"); !errors.Is(err, client.ErrClosed) {
			t.Errorf("after the end: %v, want ErrClosed", err)
		}
		<-k.over
		if websocket.CloseStatus(k.end) != websocket.StatusNormalClosure {
			t.Errorf("the server was left with %v, want a polite goodbye", k.end)
		}
	})
}

func TestCloseEndsReconnecting(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		f.refusal.Store(http.StatusServiceUnavailable)
		k.lose()
		synctest.Wait()
		waiting := later(func() error { return c.CloseRoom(t.Context(), "r") })
		time.Sleep(time.Minute)
		began := time.Now()
		c.Close()
		if err := waiting(); !errors.Is(err, client.ErrClosed) || time.Since(began) != 0 {
			t.Errorf("after %v: %v, want ErrClosed at once", time.Since(began), err)
		}
	})
}

func TestCloseDoesNotWaitForADeafServer(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		f.deaf.Store(true)
		c, k := f.dial()
		began := time.Now()
		c.Close()
		if since := time.Since(began); since > 2*time.Second {
			t.Errorf("Close took %v", since)
		}
		k.lose()
	})
}

func TestDialWrongly(t *testing.T) {
	s := newServer(t, serverSettings{})
	moved := httptest.NewServer(http.RedirectHandler("https://elsewhere.example.com/takos-api", http.StatusMovedPermanently))
	t.Cleanup(moved.Close)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, test := range []struct{ url, want string }{
		{s.URL, "UNAUTHORIZED"},
		{moved.URL, "https://elsewhere.example.com/takos-api"},
		{other.URL, "404"},
		{gone.URL, "connect"},
		{"localhost:3000", "ws://"},
		{"ftp://localhost", "ws://"},
		{"http://", "host"},
		{"http://%zz", "URL"},
	} {
		o := client.Options{APIKey: "not the key", HTTPClient: s.Client(), Logger: silence}
		_, err := client.Dial(within(t), test.url, o)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), o.APIKey) {
			t.Errorf("%s: %v, want an error with %q", test.url, err, test.want)
		}
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		// The subscription is never answered.
		wait := later(func() error {
			_, err := client.Dial(ctx, "http://fake", client.Options{
				HTTPClient: &http.Client{Transport: f.transport}, Rooms: []string{"r"}, Logger: silence,
			})
			return err
		})
		k := f.accept()
		if err := wait(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the end of the context", err)
		}
		<-k.over
	})
}

func TestTheKeyIsAHeader(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		f.dial(func(o *client.Options) { o.APIKey = "secret" })
		if key := f.headers.Load().Get("api-key"); key != "secret" {
			t.Errorf("the header api-key is %q", key)
		}
	})
}

func TestTLSAndTheRealServerAfterALoss(t *testing.T) {
	s := newServer(t, serverSettings{tls: true})
	c := s.dial(t)
	ctx := within(t)
	must(t, c.Subscribe(ctx, "b"))
	await[client.Connected](t, c, nil)
	s.sockets.cut()
	await[client.Disconnected](t, c, nil)
	await[client.Connected](t, c, nil)
	got(c.CreateRoom(ctx, "a", client.RoomOptions{}))(t)
	got(c.CreateRoom(ctx, "b", client.RoomOptions{}))(t)
	if e := await[client.RoomCreated](t, c, nil); e.RoomID != "b" {
		t.Errorf("told of room %q, want of b only", e.RoomID)
	}
}

// Commands of many goroutines while the connection is lost again and again:
// each ends, with an answer or with ErrDisconnected.
func TestManyCommandsOverManyLosses(t *testing.T) {
	s := newServer(t, serverSettings{})
	c := s.dial(t, func(o *client.Options) { o.MaxBackoff = time.Millisecond })
	ctx := within(t)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 100 {
				info, err := c.ServerInfo(ctx)
				if err == nil && info.Version == "1.2.3" || errors.Is(err, client.ErrDisconnected) {
					continue
				}
				t.Errorf("answer %+v, %v", info, err)
				return
			}
		})
	}
	finished := make(chan struct{})
	go func() { callers.Wait(); close(finished) }()
	for cuts := 0; ; cuts++ {
		select {
		case <-finished:
			if cuts == 0 {
				t.Error("the connection was never lost")
			}
			return
		default:
		}
		s.sockets.cut()
		await[client.Connected](t, c, nil)
	}
}
