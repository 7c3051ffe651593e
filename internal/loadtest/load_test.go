package loadtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// oneWay is a Signalling whose clients all reach the server in the same way.
type oneWay struct {
	signalling interface {
		SendSignalling
		ReceiveSignalling
	}
	refuse func(receiver int) error // nil refuses none
}

func (o oneWay) Sender(context.Context, int) (SendSignalling, error) { return o.signalling, nil }

func (o oneWay) Receiver(_ context.Context, i int) (ReceiveSignalling, error) {
	if o.refuse != nil {
		if err := o.refuse(i); err != nil {
			return nil, err
		}
	}
	return o.signalling, nil
}

func TestLoadReportsAFanOut(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	var moments []Moment
	report, err := p.Run(withPatience(t), Load{
		Senders: 1, Receivers: 10, Sender: SenderOptions{Video: &Video{}, Audio: true},
		Warmup: 100 * time.Millisecond, Duration: 500 * time.Millisecond,
		At: func(m Moment) error { moments = append(moments, m); return nil },
	}, oneWay{signalling: s})
	if err != nil {
		t.Fatal(err)
	}
	// 30 frames of 6 packets and 50 packets of audio are 230 packets a second.
	if report.Senders != 1 || report.Receivers != 10 || report.Sent < 80 || report.Sent > 160 || report.Expected != 10*report.Sent {
		t.Errorf("%+v", report)
	}
	slack := report.Sent * 10 / 5 // what is on its way when the counters are read
	if report.Received+slack < report.Expected || report.Received > report.Expected+slack {
		t.Errorf("10 receivers got %d of %d packets", report.Received, report.Sent)
	}
	if !report.Whole(0) || report.Recovered != 0 {
		t.Errorf("faults of a server without: %s", report)
	}
	if report.Latency.Count() == 0 || report.Connect.Count() != 10 || report.Duration < 500*time.Millisecond || report.Joining <= 0 {
		t.Errorf("%d latencies, %d joins, in %s", report.Latency.Count(), report.Connect.Count(), report.Duration)
	}
	if !slices.Equal(moments, []Moment{Alone, Joined, Begun, Measured}) {
		t.Errorf("moments %v", moments)
	}
	for _, want := range []string{"10 receivers", "0 lost (0.0000 %)", "latency   p50", "connected after p50"} {
		if !strings.Contains(report.String(), want) {
			t.Errorf("%q is not in the report:\n%s", want, report)
		}
	}
}

func TestLoadOfAMeeting(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	const people = 4
	report, err := p.Run(withPatience(t), Load{
		Senders: people, Receivers: people, Sender: SenderOptions{Video: &Video{}, Audio: true},
		Hears:    func(r, s int) bool { return r != s },
		Duration: 300 * time.Millisecond,
	}, oneWay{signalling: s})
	if err != nil {
		t.Fatal(err)
	}
	if report.Expected != report.Sent*(people-1) || !report.Whole(0) {
		t.Errorf("%s", report)
	}
}

func TestLoadSeesLoss(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	s.forwardBy(func(n int, packet []byte) [][]byte {
		if n%10 == 0 {
			return nil
		}
		return [][]byte{packet}
	})
	report, err := p.Run(withPatience(t), Load{
		Senders: 1, Receivers: 2, Sender: SenderOptions{Video: &Video{}}, Duration: 500 * time.Millisecond,
	}, oneWay{signalling: s})
	if err != nil {
		t.Fatal(err)
	}
	if percent := report.lossPercent(); percent < 5 || percent > 15 || report.Whole(0.01) || !report.Whole(0.2) {
		t.Errorf("%.1f %% lost, want 10:\n%s", percent, report)
	}
}

func TestLoadSeesSilence(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	var silent atomic.Bool
	s.forwardBy(func(_ int, packet []byte) [][]byte {
		if silent.Load() {
			return nil
		}
		return [][]byte{packet}
	})
	report, err := p.Run(withPatience(t), Load{
		Senders: 1, Receivers: 3, Sender: SenderOptions{Video: &Video{}}, Warmup: 100 * time.Millisecond, Duration: 300 * time.Millisecond,
		At: func(m Moment) error { silent.Store(m >= Joined); return nil },
	}, oneWay{signalling: s})
	if err != nil {
		t.Fatal(err)
	}
	if report.Silent != 3 || report.Received != 0 || report.Expected == 0 || report.Whole(1) {
		t.Errorf("nothing was forwarded:\n%s", report)
	}
}

func TestLoadTellsItsProgress(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	ctx, cancel := context.WithCancel(withPatience(t))
	var seen Progress
	_, err := p.Run(ctx, Load{
		Senders: 1, Receivers: 2, Sender: SenderOptions{Audio: true}, Duration: time.Hour,
		Progress: func(p Progress) {
			if seen = p; p.Received > 0 {
				cancel()
			}
		},
	}, oneWay{signalling: s})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	if seen.Joined != 2 || seen.Elapsed < time.Second || seen.Lost != 0 {
		t.Errorf("seen %+v", seen)
	}
}

func TestLoadEndsWithAnError(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	refused := errors.New("refused on purpose")
	load := Load{Senders: 1, Receivers: 20, Joining: 2, Sender: SenderOptions{Audio: true}, Duration: time.Hour}
	_, err := p.Run(withPatience(t), load, oneWay{signalling: s, refuse: func(receiver int) error {
		if receiver == 3 {
			return refused
		}
		return nil
	}})
	if !errors.Is(err, refused) || !strings.Contains(err.Error(), "receiver 3") {
		t.Errorf("got %v", err)
	}
	for m := Alone; m <= Measured; m++ {
		load.Receivers, load.Duration = 1, 10*time.Millisecond
		load.At = func(now Moment) error {
			if now == m {
				return refused
			}
			return nil
		}
		if _, err := p.Run(withPatience(t), load, oneWay{signalling: s}); !errors.Is(err, refused) {
			t.Errorf("at moment %d: got %v", m, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.clients) > 0 {
		t.Errorf("%d clients are left", len(p.clients))
	}
}
