package takosapi

import (
	"net/netip"
	"testing"

	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal"
	"github.com/takoserver/takos-call/internal/worker"
)

func TestSessionForgetsWhatHasEnded(t *testing.T) {
	media, err := sfu.New(sfu.Options{
		ListenIPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Announced: []string{"127.0.0.1"}, Readers: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer media.Close()
	workers := worker.NewRegistry(media, worker.Limits{})
	defer workers.Close()
	s := &session{door: &Door{}, conn: signal.New(signal.Limits{}), attached: map[string]*attachment{}}
	defer s.leaveAll(true)
	attach := func() (r *sfu.Router, w *worker.Worker) {
		t.Helper()
		if r, err = media.NewRouter(sfu.RouterOptions{}); err != nil {
			t.Fatal(err)
		}
		if w, err = workers.Create(worker.Options{}); err != nil {
			t.Fatal(err)
		}
		s.attachRouter(r)
		s.attachWorker(w)
		return r, w
	}
	for range 3 {
		r, w := attach()
		r.Close()
		r.Settle()
		w.Close()
	}
	r, w := attach()
	if len(s.attached) != 2 || s.attached[r.ID()] == nil || s.attached[w.ID()] == nil {
		t.Errorf("the session holds on to %d objects, of which 2 are open", len(s.attached))
	}
	if told := s.door.counters.events.Load(); told != 6 {
		t.Errorf("it was told of %d ends, want 6", told)
	}
}
