package loadtest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// testRoom is a room of the tests' server, which has none.
type testRoom struct {
	oneWay
	open *atomic.Int32
}

func (r testRoom) Close(context.Context) error {
	r.open.Add(-1)
	return nil
}

func TestCallsAreMadeAndEnded(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	var open atomic.Int32
	last := 0
	report, err := p.RunCalls(withPatience(t), Calls{
		Count: 6, AtOnce: 2, People: 3, Sender: SenderOptions{Audio: true}, Lasting: 50 * time.Millisecond,
		Progress: func(ended int) { last = ended },
	}, func(context.Context, int) (Room, error) {
		if open.Add(1) > 2 {
			t.Error("more than two calls at once")
		}
		return testRoom{oneWay{signalling: s}, &open}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if open.Load() != 0 || len(p.clients) != 0 {
		t.Errorf("%d rooms and %d clients are left", open.Load(), len(p.clients))
	}
	if report.Calls != 6 || last != 6 || report.Ready.Count() != 6 || report.Connect.Count() != 18 || report.Faults != 0 {
		t.Errorf("%+v", report)
	}
	// Each of three hears two others for 50 ms and longer.
	if report.Received < 6*3*2*2 {
		t.Errorf("%d packets were received", report.Received)
	}
}

func TestCallsWithoutMediaFail(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	s.forwardBy(func(int, []byte) [][]byte { return nil })
	ctx, cancel := context.WithTimeout(withPatience(t), 500*time.Millisecond)
	defer cancel()
	var open atomic.Int32
	_, err := p.RunCalls(ctx, Calls{Count: 3, AtOnce: 1, Sender: SenderOptions{Video: &Video{}}}, func(context.Context, int) (Room, error) {
		open.Add(1)
		return testRoom{oneWay{signalling: s}, &open}, nil
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if open.Load() != 0 || len(p.clients) != 0 {
		t.Errorf("%d rooms and %d clients are left", open.Load(), len(p.clients))
	}
}

func TestCallsEndWithAnError(t *testing.T) {
	p := newPool(t, Options{})
	full := errors.New("no more rooms")
	made := 0
	_, err := p.RunCalls(withPatience(t), Calls{Count: 1000, AtOnce: 1}, func(context.Context, int) (Room, error) {
		made++
		return nil, full
	})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), "call 0") || made > 2 {
		t.Errorf("after %d: %v", made, err)
	}
}
