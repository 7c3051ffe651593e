package loadtest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestFanoutReportsAWholeLoad(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	begun, ended := 0, 0
	report, err := p.Fanout(withPatience(t), Fanout{
		Receivers: 10, Sender: SenderOptions{Video: &Video{}, Audio: true},
		Warmup: 100 * time.Millisecond, Duration: 500 * time.Millisecond,
		Begin: func() { begun++ }, End: func() { ended++ },
	}, s, func(int) (ReceiveSignalling, error) { return s, nil })
	if err != nil {
		t.Fatal(err)
	}
	// 30 frames of 6 packets and 50 packets of audio are 230 packets a second.
	if report.Receivers != 10 || report.Sent < 80 || report.Sent > 160 {
		t.Errorf("%+v", report)
	}
	slack := report.Sent * 10 / 5 // what is on its way when the counters are read
	if report.Received+slack < report.Sent*10 || report.Received > report.Sent*10+slack {
		t.Errorf("10 receivers got %d of %d packets", report.Received, report.Sent)
	}
	if report.Lost != 0 || report.Faults != 0 || report.Silent != 0 || report.Recovered != 0 {
		t.Errorf("faults of a server without: %+v", report)
	}
	if report.Latency.Count() == 0 || report.Connect.Count() != 10 || report.Duration < 500*time.Millisecond {
		t.Errorf("%d latencies, %d joins, in %s", report.Latency.Count(), report.Connect.Count(), report.Duration)
	}
	if begun != 1 || ended != 1 {
		t.Errorf("begun %d times, ended %d times", begun, ended)
	}
	for _, want := range []string{"10 receivers", "lost 0 (0.0000 %)", "latency   p50", "connect   p50"} {
		if !strings.Contains(report.String(), want) {
			t.Errorf("%q is not in the report:\n%s", want, report)
		}
	}
}

func TestFanoutSeesLoss(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	s.forwardBy(func(n int, packet []byte) [][]byte {
		if n%10 == 0 {
			return nil
		}
		return [][]byte{packet}
	})
	report, err := p.Fanout(withPatience(t), Fanout{
		Receivers: 2, Sender: SenderOptions{Video: &Video{}}, Duration: 500 * time.Millisecond,
	}, s, func(int) (ReceiveSignalling, error) { return s, nil })
	if err != nil {
		t.Fatal(err)
	}
	if percent := report.lossPercent(); percent < 5 || percent > 15 {
		t.Errorf("%.1f %% lost, want 10:\n%s", percent, report)
	}
}

func TestFanoutEndsWithAnError(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	refused := errors.New("refused on purpose")
	_, err := p.Fanout(withPatience(t), Fanout{Receivers: 20, Joining: 2, Sender: SenderOptions{Audio: true}}, s,
		func(i int) (ReceiveSignalling, error) {
			if i == 3 {
				return nil, refused
			}
			return s, nil
		})
	if !errors.Is(err, refused) || !strings.Contains(err.Error(), "receiver 3") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = p.Fanout(ctx, Fanout{
		Receivers: 1, Sender: SenderOptions{Audio: true}, Duration: time.Hour, Begin: cancel,
	}, s, func(int) (ReceiveSignalling, error) { return s, nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}
