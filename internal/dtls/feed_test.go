package dtls

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// read calls ReadFrom in a goroutine and returns what comes of it.
func read(f *feed) <-chan error {
	result := make(chan error, 1)
	go func() {
		_, _, err := f.ReadFrom(make([]byte, 10))
		result <- err
	}()
	return result
}

func TestFeedHonoursReadDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(func([]byte) error { return nil }, queueSize)
		f.open()
		blocked := read(f)
		synctest.Wait()
		_ = f.SetReadDeadline(time.Unix(0, 1))
		if err := <-blocked; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a blocked reader returned %v", err)
		}
		if err := <-read(f); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
		_ = f.SetReadDeadline(time.Time{})
		f.push([]byte("x"))
		if err := <-read(f); err != nil {
			t.Errorf("without a deadline: %v", err)
		}
		// A deadline in the future, which is moved while somebody waits.
		began := time.Now()
		_ = f.SetDeadline(began.Add(time.Second))
		blocked = read(f)
		synctest.Wait()
		_ = f.SetReadDeadline(began.Add(3 * time.Second))
		if err := <-blocked; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestFeedIsReadOnceItIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(nil, queueSize)
		f.push([]byte("x"))
		blocked := read(f)
		synctest.Wait()
		select {
		case err := <-blocked:
			t.Errorf("read through a closed gate: %v", err)
		default:
		}
		f.open()
		if err := <-blocked; err != nil {
			t.Error(err)
		}
		closed := newFeed(nil, queueSize)
		blocked = read(closed)
		synctest.Wait()
		_ = closed.SetReadDeadline(time.Unix(0, 1))
		if err := <-blocked; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("at a closed gate: %v", err)
		}
	})
}

func TestFeedEnds(t *testing.T) {
	for name, end := range map[string]func(*feed){
		"halt":  (*feed).halt,
		"Close": func(f *feed) { _ = f.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				f := newFeed(func([]byte) error { sent++; return errors.New("unreachable") }, queueSize)
				f.open()
				if n, err := f.WriteTo(make([]byte, 5), peer); n != 5 || err != nil || sent != 1 {
					t.Errorf("WriteTo = %d, %v", n, err)
				}
				_ = f.SetReadDeadline(time.Now().Add(time.Hour))
				blocked := read(f)
				synctest.Wait()
				end(f)
				end(f)
				if err := <-blocked; !errors.Is(err, net.ErrClosed) {
					t.Errorf("reader returned %v", err)
				}
				f.push([]byte("late"))
				if err := <-read(f); !errors.Is(err, net.ErrClosed) {
					t.Errorf("read %v", err)
				}
				if got := f.drain(); len(got) != 1 || string(got[0]) != "late" {
					t.Errorf("drained %q", got)
				}
				if _, _ = f.WriteTo(make([]byte, 5), peer); sent != 1 {
					t.Error("sent after the end")
				}
				if f.closedByPeer() != (name == "Close") {
					t.Error("closedByPeer")
				}
				f.listen(context.Background(), time.Hour) // returns
			})
		})
	}
}

func TestFeedListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(nil, queueSize)
		began := time.Now()
		f.listen(context.Background(), -1)
		if time.Since(began) != 0 {
			t.Error("listened for a negative time")
		}
		f.listen(context.Background(), time.Second)
		if time.Since(began) != time.Second {
			t.Errorf("listened for %v", time.Since(began))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		f.listen(ctx, time.Hour)
		if time.Since(began) != time.Minute+time.Second {
			t.Errorf("listened for %v", time.Since(began))
		}
	})
}
