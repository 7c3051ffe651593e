package ice

import "strconv"

// Candidate is a local candidate as clients of mediasoup expect it.
type Candidate struct {
	Foundation string `json:"foundation"`
	Priority   uint32 `json:"priority"`
	// IP repeats Address for clients that know only the older name.
	IP string `json:"ip"`
	// Address is an IP address, or a host name that the peer resolves.
	Address  string   `json:"address"`
	Protocol Protocol `json:"protocol"`
	Port     uint16   `json:"port"`
	// Type is always "host" for a lite agent (RFC 8445 §2.5).
	Type string `json:"type"`
	// TCPType is "passive" for TCP and absent for UDP (RFC 6544 §4.5).
	TCPType string `json:"tcpType,omitempty"`
}

// Announced is an address under which peers reach us.
type Announced struct {
	Protocol Protocol
	Host     string // IP address or host name
	Port     uint16
}

// RFC 8445 §5.1.2.2 recommends 126 for host candidates; the component is always 1,
// because RTP and RTCP share it.
const (
	hostTypePreference = 126
	maxLocalPreference = 65535
	component          = 1
)

// Candidates turns announced addresses, the most preferred first, into candidates
// whose priorities keep that order (RFC 8445 §5.1.2.1). Foundations differ between
// addresses, so that a peer which freezes pairs by foundation checks a LAN and a
// WAN address at once (RFC 8445 §5.1.1.3); the first of each protocol has the
// name that mediasoup gives it.
func Candidates(addresses []Announced) []Candidate {
	candidates := make([]Candidate, 0, len(addresses))
	var ofProtocol [2]int
	for i, a := range addresses {
		if i > maxLocalPreference {
			break // priorities have to be unique
		}
		ofProtocol[a.Protocol&1]++
		c := Candidate{
			Foundation: foundation(a.Protocol, ofProtocol[a.Protocol&1]),
			Priority:   hostTypePreference<<24 | uint32(maxLocalPreference-i)<<8 | (256 - component),
			IP:         a.Host,
			Address:    a.Host,
			Protocol:   a.Protocol,
			Port:       a.Port,
			Type:       "host",
		}
		if a.Protocol == TCP {
			c.TCPType = "passive"
		}
		candidates = append(candidates, c)
	}
	return candidates
}

// foundation names the n-th (from 1) address of a protocol.
func foundation(p Protocol, n int) string {
	name := p.String() + "candidate"
	if n > 1 {
		name += strconv.Itoa(n)
	}
	return name
}
