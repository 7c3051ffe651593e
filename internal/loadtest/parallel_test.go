package loadtest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestWorkIsDoneOnceEachAndNoMoreThanSoManyAtATime(t *testing.T) {
	const count, atOnce = 50, 4
	var running, most atomic.Int32
	var mu sync.Mutex
	done := map[int]int{}
	err := inParallel(t.Context(), count, atOnce, func(_ context.Context, i int) error {
		now := running.Add(1)
		defer running.Add(-1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
		}
		mu.Lock()
		defer mu.Unlock()
		done[i]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range count {
		if done[i] != 1 {
			t.Errorf("%d was done %d times", i, done[i])
		}
	}
	if most.Load() > atOnce {
		t.Errorf("%d at a time, want at most %d", most.Load(), atOnce)
	}
}

func TestTheFirstErrorIsReturnedAndEndsTheRest(t *testing.T) {
	failure := errors.New("no room")
	var begun atomic.Int32
	err := inParallel(t.Context(), 1000, 2, func(ctx context.Context, i int) error {
		begun.Add(1)
		if i == 3 {
			return failure
		}
		if i > 3 {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	if !errors.Is(err, failure) {
		t.Errorf("got %v, want %v", err, failure)
	}
	if n := begun.Load(); n > 10 {
		t.Errorf("%d were begun after the error", n)
	}
}

func TestNothingIsBegunWhenTheContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := inParallel(ctx, 3, 2, func(context.Context, int) error {
		t.Error("it was begun")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
