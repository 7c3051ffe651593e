// Package address decides which addresses of this machine are announced to
// browsers as ICE candidates, and says why the others are not, and why a socket
// cannot be bound to one.
//
// [Choose] is a pure function of a list of interfaces; [Interfaces] reads that
// list from the system. Neither opens a socket. Any goroutine may call them.
package address

import (
	"net/netip"
	"slices"
	"strings"
)

// Interface is what matters of a network interface.
type Interface struct {
	Name      string
	Up        bool // administratively up and with a link
	Loopback  bool
	Addresses []Address
}

// Address is an address of an interface. The flags exist for IPv6 only.
type Address struct {
	IP         netip.Addr
	Temporary  bool // a privacy address that will be replaced (RFC 8981)
	Deprecated bool // not to be used for new connections (RFC 4862 §5.5.4)
	Tentative  bool // not yet known to be unique, or known not to be (RFC 4862 §5.4)
}

// Policy says what may be announced.
type Policy struct {
	// Listen are the addresses that media sockets are bound to. An unspecified
	// address stands for every address of its family.
	Listen []netip.Addr
	// Announced, when not empty, is announced instead of what is found: IP
	// addresses and host names, the most preferred first.
	Announced []string
	// LoopbackOnly is set when nobody but this machine can reach the HTTP
	// listener. Then loopback addresses are announced too.
	LoopbackOnly bool
}

// Choice is an address with the decision on it.
type Choice struct {
	Host      string // an IP address, or a host name of Policy.Announced
	Interface string // where it was found; "" if it comes from Policy.Announced
	Announce  bool
	Reason    string // half a sentence for people
}

// Choose decides on every address: first what is announced, the most preferred
// first, then what is not.
//
// Interface addresses come before loopback, because Firefox reaches only the
// former, and IPv4 before IPv6 of the same scope, because a broken IPv6 path
// is the more common.
func Choose(interfaces []Interface, p Policy) []Choice {
	var choices []Choice
	for _, host := range p.Announced {
		choices = append(choices, Choice{Host: host, Announce: true, Reason: "announced by the settings"})
	}
	for _, i := range interfaces {
		for _, a := range i.Addresses {
			c := Choice{Host: a.IP.String(), Interface: i.Name}
			c.Reason = refusal(i, a, p)
			if c.Reason == "" {
				c.Announce, c.Reason = true, scope(a.IP)
			}
			choices = append(choices, c)
		}
	}
	slices.SortStableFunc(choices, func(a, b Choice) int { return rank(a) - rank(b) })
	return choices
}

// Announced returns the hosts of what is announced.
func Announced(choices []Choice) []string {
	var hosts []string
	for _, c := range choices {
		if c.Announce {
			hosts = append(hosts, c.Host)
		}
	}
	return hosts
}

// refusal returns why an address of this machine is not announced, or "".
func refusal(i Interface, a Address, p Policy) string {
	if reason := Unusable(a.IP, p.LoopbackOnly); reason != "" {
		return reason
	}
	switch {
	case !i.Up:
		return "its interface is down"
	case i.Loopback && !a.IP.IsLoopback():
		return "it is on the loopback interface" // where routers and load balancers park service addresses
	case virtual(i.Name):
		return "its interface connects containers or virtual machines of this computer only"
	case a.Tentative:
		return "it is not yet known to be unique in its network"
	case a.Deprecated:
		return "it is deprecated"
	case a.Temporary && hasStable(i, a.IP):
		return "it is temporary, and its network has a stable one"
	case !listens(p.Listen, a.IP):
		return "media does not listen on it"
	case len(p.Announced) > 0:
		return "the settings announce others"
	}
	return ""
}

// Unusable returns why no browser can be sent to ip, or "". It applies to
// addresses that are found and to those that an operator announces.
func Unusable(ip netip.Addr, loopbackOnly bool) string {
	ip = ip.Unmap()
	switch {
	case ip.IsUnspecified():
		return "it stands for all addresses and is none itself"
	case ip.IsMulticast():
		return "it is a multicast address"
	case ip.IsLinkLocalUnicast():
		return "it is link-local: it means something on one cable only"
	case ip.IsLoopback() && !loopbackOnly:
		return "it is a loopback address, which no other machine can reach"
	case siteLocal.Contains(ip):
		return "it is of the abolished site-local range" // RFC 3879
	case ip == broadcast:
		return "it is the broadcast address"
	}
	return ""
}

var (
	siteLocal   = netip.MustParsePrefix("fec0::/10")
	broadcast   = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	uniqueLocal = netip.MustParsePrefix("fc00::/7")
)

// virtualPrefixes begin the names of interfaces that lead to containers or
// virtual machines on the same computer and nowhere else.
var virtualPrefixes = []string{
	"docker", "veth", "virbr", "vnet", "cni", "flannel", "cali", "lxc", "lxdbr", "incusbr", "podman", "kube", "nerdctl",
}

func virtual(name string) bool {
	return dockerBridge(name) ||
		slices.ContainsFunc(virtualPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// dockerBridge recognises the bridges of Docker's networks: br- and twelve
// hexadecimal digits. Other names that begin with br- (br-lan on a router) may
// be the way to the outside.
func dockerBridge(name string) bool {
	id, ok := strings.CutPrefix(name, "br-")
	return ok && len(id) == 12 && strings.Trim(id, "0123456789abcdef") == ""
}

// hasStable reports whether an interface has a usable address that is not
// temporary in the same /64 as ip.
func hasStable(i Interface, ip netip.Addr) bool {
	network := netip.PrefixFrom(ip.WithZone(""), 64)
	return slices.ContainsFunc(i.Addresses, func(other Address) bool {
		return !other.Temporary && !other.Deprecated && !other.Tentative && network.Contains(other.IP)
	})
}

func listens(on []netip.Addr, ip netip.Addr) bool {
	return slices.ContainsFunc(on, func(l netip.Addr) bool {
		l = l.Unmap()
		return l == ip || l.IsUnspecified() && l.Is4() == ip.Is4()
	})
}

// Listenable returns the addresses of listen without the unspecified address of
// a family that this machine does not have, so that "every address" works where
// IPv6 is switched off. If nothing would be left, it returns them all.
func Listenable(listen []netip.Addr, interfaces []Interface) []netip.Addr {
	var left []netip.Addr
	for _, l := range listen {
		l = l.Unmap()
		if !l.IsUnspecified() || hasFamily(interfaces, l.Is4()) {
			left = append(left, l)
		}
	}
	if len(left) == 0 {
		return listen
	}
	return left
}

// Missing returns the first address of listen that this machine does not have, or
// that cannot be listened on without naming an interface.
func Missing(listen []netip.Addr, interfaces []Interface) (netip.Addr, bool) {
	for _, l := range listen {
		l = l.Unmap()
		has := func(a Address) bool { return a.IP.Unmap().WithZone("") == l }
		if l.IsUnspecified() || l.IsLoopback() {
			continue
		}
		if l.IsLinkLocalUnicast() || !slices.ContainsFunc(interfaces, func(i Interface) bool { return slices.ContainsFunc(i.Addresses, has) }) {
			return l, true
		}
	}
	return netip.Addr{}, false
}

func hasFamily(interfaces []Interface, ipv4 bool) bool {
	return slices.ContainsFunc(interfaces, func(i Interface) bool {
		return slices.ContainsFunc(i.Addresses, func(a Address) bool { return a.IP.Is4() == ipv4 })
	})
}

func scope(ip netip.Addr) string {
	switch {
	case ip.IsLoopback():
		return "this machine only"
	case ip.IsPrivate():
		return "its private network"
	}
	return "a public address"
}

// rank orders choices: announced ones first, and among those that were found
// public, private, loopback, each IPv4 first.
func rank(c Choice) int {
	if !c.Announce {
		return 100
	}
	if c.Interface == "" {
		return 0
	}
	ip, err := netip.ParseAddr(c.Host)
	if err != nil {
		return 0
	}
	r := 1
	if !ip.Is4() {
		r = 2
	}
	switch {
	case ip.IsLoopback():
		r += 20
	case ip.IsPrivate() || uniqueLocal.Contains(ip):
		r += 10
	}
	return r
}
