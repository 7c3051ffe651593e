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
		w.expiry = time.AfterFunc(w.grace, w.expire)
		abandoned = false
	}
	w.mu.Unlock()
	if abandoned {
		w.Close()
	}
}

// expire ends the worker unless somebody has come back just now.
func (w *Worker) expire() {
	w.mu.Lock()
	held := w.holders > 0
	w.mu.Unlock()
	if !held {
		w.Close()
	}
}
