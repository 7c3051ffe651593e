package ice

import "github.com/takoserver/takos-call/internal/mono"

// MaxTuples is how many tuples an agent remembers. A browser with two network
// interfaces, both IP versions, both protocols and two announced addresses makes
// sixteen.
const MaxTuples = 16

// path is a validated tuple with what is known about it.
type path struct {
	tuple   Tuple
	checked mono.Instant // last authenticated check; never 0
	active  mono.Instant // last check, keepalive or media
	// priority is the PRIORITY of the last check. Our own candidates' order is already
	// in the peer's choice, so it alone ranks paths that the peer nominates at once.
	priority  uint32
	nominated bool
	// plain is whether the last check was without USE-CANDIDATE. A nomination that
	// follows one is a decision of the peer (regular nomination, RFC 8445 §8.1.1); one
	// that comes at once says little, since aggressive peers nominate all that they try.
	plain bool
}

// table holds the paths of an agent. It is an array, because so few are searched
// faster than a map and the agent stays one allocation.
type table struct {
	paths [MaxTuples]path
	used  [MaxTuples]bool
}

func (s *table) find(t Tuple) *path {
	for i := range s.paths {
		if s.used[i] && s.paths[i].tuple == t {
			return &s.paths[i]
		}
	}
	return nil
}

// add takes in a tuple that is not in the table. When there is no room, the path
// that was checked least recently makes way, but never keep.
func (s *table) add(t Tuple, keep *path) (added *path, evicted *Tuple) {
	slot := -1
	for i := range s.paths {
		if !s.used[i] {
			slot = i
			break
		}
		if &s.paths[i] != keep && (slot < 0 || s.paths[i].checked < s.paths[slot].checked) {
			slot = i
		}
	}
	if s.used[slot] {
		old := s.paths[slot].tuple
		evicted = &old
	}
	s.used[slot] = true
	s.paths[slot] = path{tuple: t}
	return &s.paths[slot], evicted
}

// expire drops the paths that were last checked before the given time.
func (s *table) expire(before mono.Instant) (removed []Tuple) {
	for i := range s.paths {
		if s.used[i] && s.paths[i].checked <= before {
			removed = append(removed, s.paths[i].tuple)
			s.paths[i], s.used[i] = path{}, false
		}
	}
	return removed
}

// remove drops the path of t, if there is one.
func (s *table) remove(t Tuple) (removed []Tuple) {
	for i := range s.paths {
		if s.used[i] && s.paths[i].tuple == t {
			s.paths[i], s.used[i] = path{}, false
			return []Tuple{t}
		}
	}
	return nil
}

// oldest returns the path that was checked least recently, nil when there is none.
func (s *table) oldest() *path {
	return s.best(func(a, b *path) bool { return a.checked < b.checked })
}

// freshest returns the path that was checked most recently, nil when there is none.
func (s *table) freshest() *path {
	return s.best(func(a, b *path) bool { return a.checked > b.checked })
}

func (s *table) best(better func(a, b *path) bool) (found *path) {
	for i := range s.paths {
		if s.used[i] && (found == nil || better(&s.paths[i], found)) {
			found = &s.paths[i]
		}
	}
	return found
}

// demote makes all paths weaker than any that is nominated from now on.
func (s *table) demote() {
	for i := range s.paths {
		s.paths[i].priority, s.paths[i].nominated = 0, false
	}
}

func (s *table) list() []Tuple {
	var tuples []Tuple
	for i := range s.paths {
		if s.used[i] {
			tuples = append(tuples, s.paths[i].tuple)
		}
	}
	return tuples
}
