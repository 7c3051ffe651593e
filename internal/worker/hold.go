package worker

import (
	"sync"
	"time"
)

// Hold keeps a worker that is to end when nobody holds it: the connection that
// made it does, and each that comes back to it. release is called once; politely
// says that the holder has left on purpose, so that nobody will come back within
// the grace.
func (w *Worker) Hold() (release func(politely bool)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holders++
	w.holds++
	if w.expiry != nil {
		w.expiry.Stop()
		w.expiry = nil
	}
	var once sync.Once
	return func(politely bool) { once.Do(func() { w.release(politely) }) }
}

func (w *Worker) release(politely bool) {
	w.mu.Lock()
	w.holders--
	abandoned := w.holders == 0 && w.closeWhenReleased && !w.closed
	if abandoned && !politely && w.grace > 0 {
		last := w.holds
		w.expiry = time.AfterFunc(w.grace, func() { w.expire(last) })
		abandoned = false
	}
	w.mu.Unlock()
	if abandoned {
		w.Close()
	}
}

// expire ends the worker unless somebody has held it since the last of so many
// holds.
func (w *Worker) expire(last int) {
	w.mu.Lock()
	abandoned := w.holds == last
	w.mu.Unlock()
	if abandoned {
		w.Close()
	}
}
