package tcp

import (
	"net/netip"
	"time"
)

// enter counts c in, as one that has not proven itself, and reports whether it
// may stay. Where strangers are too many altogether, the oldest makes way:
// whoever connects to block others would have to do it faster than they prove
// themselves.
func (s *Server) enter(c *Conn) bool {
	network := networkOf(c.remote.Addr())
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed,
		len(s.conns) >= s.options.MaxConns,
		s.addresses[network] >= s.options.MaxPerAddress,
		s.strangers[network] >= s.options.MaxUnprovenPerAddress:
		return false
	}
	if s.unproven.Len() >= s.options.MaxUnproven {
		oldest := s.unproven.Front().Value.(*Conn)
		s.acquaintLocked(oldest) // it is no candidate for the next any more
		s.evicted.Add(1)
		oldest.reset()
	}
	s.conns[c] = s.unproven.PushBack(c)
	s.addresses[network]++
	s.strangers[network]++
	// Under the lock, so that it cannot come after the end of it in prove.
	_ = c.conn.SetReadDeadline(time.Now().Add(s.options.ProofTimeout))
	return true
}

// prove ends c's time of probation.
func (s *Server) prove(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.acquaintLocked(c) {
		return
	}
	c.proven.Store(true)
	_ = c.conn.SetReadDeadline(time.Time{})
}

// acquaintLocked takes c out of those who have not proven themselves; false if
// it is none of them. mu is held.
func (s *Server) acquaintLocked(c *Conn) bool {
	element := s.conns[c]
	if element == nil {
		return false
	}
	s.unproven.Remove(element)
	s.conns[c] = nil
	decrement(s.strangers, networkOf(c.remote.Addr()))
	return true
}

// leave counts c out.
func (s *Server) leave(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acquaintLocked(c) {
		s.unprovenEnds.Add(1)
	}
	delete(s.conns, c)
	decrement(s.addresses, networkOf(c.remote.Addr()))
}

func decrement(m map[netip.Prefix]int, key netip.Prefix) {
	if m[key]--; m[key] <= 0 {
		delete(m, key)
	}
}

// networkOf is what one household or attacker has: an IPv4 address, or 2^64
// IPv6 addresses.
func networkOf(ip netip.Addr) netip.Prefix {
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	network, err := ip.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{} // of no address at all
	}
	return network
}
