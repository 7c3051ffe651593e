package worker_test

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var opus = []ortc.RTPCodecCapability{{Kind: ortc.Audio, MimeType: "audio/opus", ClockRate: 48000, Channels: 2}}

func newRegistry(t *testing.T, most int) *worker.Registry {
	t.Helper()
	media, err := sfu.New(sfu.Options{
		ListenIPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Announced: []string{"127.0.0.1"}, Readers: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(media.Close)
	g := worker.NewRegistry(media, worker.Limits{Workers: most})
	t.Cleanup(g.Close)
	return g
}

func create(t *testing.T, g *worker.Registry, o worker.Options) *worker.Worker {
	t.Helper()
	w, err := g.Create(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWorkersAreFoundUntilTheyAreClosed(t *testing.T) {
	g := newRegistry(t, 0)
	first := create(t, g, worker.Options{Owner: "a", AppData: 7})
	second := create(t, g, worker.Options{})
	if g.Worker(first.ID()) != first || first.Owner() != "a" || first.AppData() != 7 || first.PID() <= 0 {
		t.Error("the first worker is not what it was made as")
	}
	if got := g.Workers(); !slices.Equal(got, []*worker.Worker{first, second}) {
		t.Errorf("workers %v", got)
	}
	first.Close()
	first.Close()
	if g.Worker(first.ID()) != nil || len(g.Workers()) != 1 {
		t.Error("a closed worker is still there")
	}
	if _, err := first.NewRouter(opus, nil); !errors.Is(err, sfu.ErrClosed) {
		t.Errorf("a router of a closed worker: %v", err)
	}
	if err := first.SetLogging(worker.Logging{Level: worker.LogWarn}); !errors.Is(err, sfu.ErrClosed) {
		t.Errorf("settings of a closed worker: %v", err)
	}
}

func TestRoutersBelongToTheirWorker(t *testing.T) {
	g := newRegistry(t, 0)
	w := create(t, g, worker.Options{})
	r, err := w.NewRouter(opus, "kitchen")
	if err != nil {
		t.Fatal(err)
	}
	none, err := w.NewRouter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.RTPCapabilities().Codecs) != 1 || len(none.RTPCapabilities().Codecs) != 0 {
		t.Errorf("codecs %v and %v", r.RTPCapabilities().Codecs, none.RTPCapabilities().Codecs)
	}
	if g.Router(r.ID()) != r || r.Worker() != w || r.AppData() != "kitchen" || !slices.Equal(w.Routers(), []*worker.Router{r, none}) {
		t.Error("the router is not where it belongs")
	}
	w.CloseRouter(none)
	w.CloseRouter(none)
	if !none.Closed() || g.Router(none.ID()) != nil || len(w.Routers()) != 1 {
		t.Error("a closed router is still there")
	}
	w.Close()
	if !r.Closed() || g.Router(r.ID()) != nil {
		t.Error("a router has outlived its worker")
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	g := newRegistry(t, 1)
	for _, o := range []worker.Options{
		{Settings: worker.Settings{Logging: worker.Logging{Level: "chicken"}}},
		{Settings: worker.Settings{Logging: worker.Logging{Tags: []string{"ice", "egg"}}}},
		{Settings: worker.Settings{Ports: sfu.PortRange{Min: 1000, Max: 999}}},
	} {
		var wrong *ortc.Error
		if _, err := g.Create(o); !errors.As(err, &wrong) || wrong.Kind != ortc.TypeError {
			t.Errorf("%+v: %v", o, err)
		}
	}
	w := create(t, g, worker.Options{})
	if err := w.SetLogging(worker.Logging{Level: "egg"}); err == nil || w.Settings().Level != worker.LogError {
		t.Errorf("%v, level %s", err, w.Settings().Level)
	}
	if err := w.SetLogging(worker.Logging{Tags: []string{"ice"}}); err != nil || w.Settings().Level != worker.LogError || len(w.Settings().Tags) != 1 {
		t.Errorf("%v: %+v", err, w.Settings())
	}
	if _, err := g.Create(worker.Options{}); !errors.Is(err, sfu.ErrLimit) {
		t.Errorf("one worker too many: %v", err)
	}
	g.Close()
	if _, err := g.Create(worker.Options{}); !errors.Is(err, sfu.ErrClosed) {
		t.Errorf("a worker of a closed registry: %v", err)
	}
}

func TestWorkerEndsWhenNobodyHoldsIt(t *testing.T) {
	const grace = 5 * time.Second
	type step struct {
		name string
		do   func(w *worker.Worker)
		open bool // after it
	}
	hold := func(w *worker.Worker) func(bool) { return w.Hold() }
	for _, test := range []struct {
		name  string
		close bool
		steps func() []step
	}{
		{"kept", false, func() []step {
			return []step{{"released", func(w *worker.Worker) { hold(w)(true) }, true}, {"much later", func(*worker.Worker) { time.Sleep(time.Hour) }, true}}
		}},
		{"left politely", true, func() []step {
			return []step{{"released", func(w *worker.Worker) { hold(w)(true) }, false}}
		}},
		{"lost", true, func() []step {
			return []step{
				{"released", func(w *worker.Worker) { hold(w)(false) }, true},
				{"within the grace", func(*worker.Worker) { time.Sleep(grace - time.Nanosecond) }, true},
				{"after it", func(*worker.Worker) { time.Sleep(2 * time.Nanosecond) }, false},
			}
		}},
		{"held again", true, func() []step {
			var release func(bool)
			return []step{
				{"released", func(w *worker.Worker) { hold(w)(false) }, true},
				{"held", func(w *worker.Worker) { release = hold(w) }, true},
				{"later", func(*worker.Worker) { time.Sleep(time.Hour) }, true},
				{"released twice", func(w *worker.Worker) { release(false); release(false) }, true},
				{"after the grace", func(*worker.Worker) { time.Sleep(grace + time.Nanosecond) }, false},
			}
		}},
		{"held by two", true, func() []step {
			var first, second func(bool)
			return []step{
				{"held", func(w *worker.Worker) { first, second = hold(w), hold(w) }, true},
				{"released by one", func(*worker.Worker) { first(true) }, true},
				{"released by both", func(*worker.Worker) { second(true) }, false},
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newRegistry(t, 0)
			synctest.Test(t, func(t *testing.T) {
				w := create(t, g, worker.Options{CloseWhenReleased: test.close, Grace: grace})
				for _, s := range test.steps() {
					s.do(w)
					synctest.Wait()
					if open := g.Worker(w.ID()) != nil; open != s.open {
						t.Fatalf("%s: open is %v", s.name, open)
					}
				}
			})
		})
	}
}

func TestWhatHappensIsObservedInOrder(t *testing.T) {
	g := newRegistry(t, 0)
	w := create(t, g, worker.Options{})
	var mu sync.Mutex
	var seen []string
	stop := w.Observe(func(e worker.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Type == worker.RouterEvent {
			seen = append(seen, string(e.Media.Type))
			return
		}
		seen = append(seen, string(e.Type))
	})
	r, err := w.NewRouter(opus, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.NewDirectTransport(sfu.DirectTransportOptions{}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	want := []string{"routerCreated", "router.newtransport", "transport.closed", "router.closed", "closed"}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(seen, want) {
		t.Errorf("saw %v, want %v", seen, want)
	}
	stop()
}

func TestUsageGrows(t *testing.T) {
	before, err := worker.Usage()
	if err != nil {
		t.Fatal(err)
	}
	if before.MaxResident < 1024 {
		t.Errorf("%d KiB are no Go process", before.MaxResident)
	}
	for range 50_000_000 { // some CPU time, for the counters are coarse
		before.Swaps++
	}
	after, err := worker.Usage()
	if err != nil || after.UserTime+after.SystemTime < before.UserTime+before.SystemTime || after.UserTime+after.SystemTime == 0 {
		t.Errorf("%v: %d ms before, %d ms after", err, before.UserTime+before.SystemTime, after.UserTime+after.SystemTime)
	}
}

func TestWebRTCServersAreListedAsTheyWereMade(t *testing.T) {
	w := create(t, newRegistry(t, 0), worker.Options{})
	var want []*sfu.WebRTCServer
	for range 4 {
		v, err := w.NewWebRTCServer([]sfu.ListenInfo{{IP: netip.MustParseAddr("127.0.0.1")}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, v)
	}
	closed := want[1]
	w.CloseWebRTCServer(closed)
	want = slices.Delete(want, 1, 2)
	if got := w.WebRTCServers(); !slices.Equal(got, want) || w.WebRTCServer(closed.ID()) != nil || w.WebRTCServer(want[2].ID()) != want[2] {
		t.Errorf("WebRTC servers %v, want %v", got, want)
	}
}
