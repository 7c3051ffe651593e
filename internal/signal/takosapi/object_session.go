package takosapi

import (
	"sync/atomic"

	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/worker"
)

// attachment is a worker or router whose events a session gets.
type attachment struct {
	leave func(politely bool)
	ended atomic.Bool // it was closed, and the session told of it
}

// attachWorker has the session get the events of w and of all that belongs to
// it, and hold it, unless it may only look.
func (s *session) attachWorker(w *worker.Worker) {
	s.attach(w.ID(), func(a *attachment) {
		stop, release := w.Observe(func(e worker.Event) {
			s.tell(ofWorker(e))
			if e.Type == worker.Closed {
				a.ended.Store(true)
			}
		}), func(bool) {}
		if !s.access.Scope.ReadOnly {
			release = w.Hold()
		}
		a.leave = func(politely bool) {
			stop()
			release(politely)
		}
	})
}

// attachRouter has the session get the events of r.
func (s *session) attachRouter(r *sfu.Router) {
	s.attach(r.ID(), func(a *attachment) {
		stop := r.Observe(func(e sfu.Event) {
			s.tell(ofRouter(r.ID(), e))
			if e.Type == sfu.EventRouterClosed {
				a.ended.Store(true)
			}
		})
		a.leave = func(bool) { stop() }
	})
}

// attach enters what is to be left again. Only the goroutine that reads the
// session's commands calls it.
func (s *session) attach(id string, enter func(*attachment)) {
	if s.attached[id] != nil {
		return
	}
	s.leaveEnded()
	a := &attachment{}
	enter(a)
	s.attached[id] = a
}

// leaveEnded leaves what has ended. Nobody else does: a closed router cannot be
// detached, and a session may see many rooms come and go.
func (s *session) leaveEnded() {
	for id, a := range s.attached {
		if a.ended.Load() {
			s.detach(id, true)
		}
	}
}

// detach leaves what was entered under id.
func (s *session) detach(id string, politely bool) {
	if a := s.attached[id]; a != nil {
		delete(s.attached, id)
		a.leave(politely)
	}
}

// leaveAll is for the end of the session.
func (s *session) leaveAll(politely bool) {
	for id := range s.attached {
		s.detach(id, politely)
	}
}

// tell sends an event of a worker or router.
func (s *session) tell(e objectEvent) {
	s.door.counters.events.Add(1)
	s.conn.Send(marshal(eventMessage{Type: "event", Data: e}))
}

// settle has the events that the command before has caused come before its
// answer, so that a client which goes by both sees them in their order.
func (c *caller) settle() {
	for _, r := range c.touched {
		r.Settle()
	}
	c.touched = c.touched[:0]
}
