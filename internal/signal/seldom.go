package signal

import (
	"sync"
	"time"
)

// Seldom keeps those who make the server say something, such as strangers who
// are refused, from filling its log. The zero value is ready.
type Seldom struct {
	// Every is the least time between two lines; default 1 s. It is constant
	// after the first Say.
	Every time.Duration

	mu      sync.Mutex
	next    time.Time // guarded by mu: when something may be said again
	leftOut uint64    // guarded by mu: since something was said
}

// Say calls say with the number of calls since the last time in which it did
// not, unless that was just now.
func (s *Seldom) Say(say func(leftOut uint64)) {
	every := s.Every
	if every <= 0 {
		every = time.Second
	}
	s.mu.Lock()
	now, leftOut := time.Now(), s.leftOut
	quiet := now.Before(s.next)
	if quiet {
		s.leftOut++
	} else {
		s.next, s.leftOut = now.Add(every), 0
	}
	s.mu.Unlock()
	if !quiet {
		say(leftOut)
	}
}
