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

// RFC 8445 §5.1.2.2 recommends 126 for host candidates. From the first candidate
// of another protocol on it is less, as RFC 6544 §4.2 asks for; 90 is what browsers
// give their own TCP candidates. The component is always 1, because RTP and RTCP
// share it.
const (
	preferredType    = 126
	lessPreferred    = 90
	component        = 1
	maxAddresses     = 1 << 13 // of a type preference: priorities have to be unique
	passiveDirection = 4       // RFC 6544 §4.2, of a host candidate
)

// Candidates turns announced addresses into candidates, whose priorities keep the
// order (RFC 8445 §5.1.2.1). Foundations differ between addresses, so that a peer
// which freezes pairs by foundation checks a LAN and a WAN address at once (RFC 8445
// §5.1.1.3); the first of each protocol has the name that mediasoup gives it.
func Candidates(addresses []Announced) []Candidate {
	addresses = addresses[:min(len(addresses), maxAddresses)]
	candidates := make([]Candidate, 0, len(addresses))
	preference, position := uint32(preferredType), 0
	var ofProtocol [2]int
	for _, a := range addresses {
		if preference == preferredType && a.Protocol != addresses[0].Protocol {
			preference, position = lessPreferred, 0
		}
		// RFC 6544 §4.2 gives the upper three bits to the direction of TCP. What is to
		// come after a candidate of TCP has to have a value of that kind too.
		local := uint32(0xffff - position)
		if a.Protocol == TCP || preference == lessPreferred {
			local = passiveDirection<<13 | uint32(maxAddresses-1-position)
		}
		c := Candidate{
			Priority: preference<<24 | local<<8 | (256 - component),
			IP:       a.Host,
			Address:  a.Host,
			Protocol: a.Protocol,
			Port:     a.Port,
			Type:     "host",
		}
		if a.Protocol == TCP {
			c.TCPType = "passive"
		}
		n := &ofProtocol[a.Protocol&1]
		*n++
		position++
		c.Foundation = foundation(a.Protocol, *n)
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
