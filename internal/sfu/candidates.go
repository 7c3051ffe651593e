package sfu

import (
	"slices"

	"github.com/takoserver/takos-call/internal/ice"
)

// Protocols say over what a transport can be reached. The zero value is
// everything that its server listens to, in the server's order.
type Protocols struct {
	DisableUDP, DisableTCP bool
	// PreferUDP and PreferTCP give that protocol's candidates the higher
	// priorities; both together do nothing, as on the transport's own sockets,
	// whose order is the preference.
	PreferUDP, PreferTCP bool
}

func (p Protocols) allow(protocol ice.Protocol) bool {
	if protocol == ice.TCP {
		return !p.DisableTCP
	}
	return !p.DisableUDP
}

// order puts the endpoints of the preferred protocol first.
func (p Protocols) order(list []*endpoint) []*endpoint {
	if p.PreferUDP == p.PreferTCP {
		return list
	}
	preferred := ice.UDP
	if p.PreferTCP {
		preferred = ice.TCP
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *endpoint) int { return rankOf(a, preferred) - rankOf(b, preferred) })
	return list
}

func rankOf(e *endpoint, preferred ice.Protocol) int {
	if e.protocol() == preferred {
		return 0
	}
	return 1
}

// candidates are those of a transport of v with these protocols, the most
// preferred first. Errors: *ortc.Error if there are none.
func (v *WebRTCServer) candidates(p Protocols) ([]ice.Candidate, error) {
	endpoints := v.endpoints
	if !v.private {
		endpoints = p.order(endpoints)
	}
	var list []ice.Announced
	for _, e := range endpoints {
		if !p.allow(e.protocol()) {
			continue
		}
		for _, host := range e.hosts {
			a := ice.Announced{Protocol: e.protocol(), Host: host, Port: e.port}
			if !slices.Contains(list, a) { // two endpoints that share a port
				list = append(list, a)
			}
		}
	}
	if len(list) == 0 {
		return nil, typeErrorf("no protocol is left by which the transport could be reached")
	}
	return ice.Candidates(list), nil
}
