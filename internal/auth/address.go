package auth

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Addresses is a list of networks. The empty list is no restriction for those
// who may connect, and nobody for those who are trusted; see Allows and Contains.
type Addresses []netip.Prefix

// ParseAddresses reads addresses and networks in CIDR notation, IPv4 and IPv6.
func ParseAddresses(texts []string) (Addresses, error) {
	var list Addresses
	for _, text := range texts {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if addr, err := netip.ParseAddr(text); err == nil {
			addr = addr.Unmap().WithZone("")
			list = append(list, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an IP address nor a network like 192.0.2.0/24", text)
		}
		list = append(list, unmapPrefix(prefix).Masked())
	}
	return list, nil
}

// unmapPrefix turns ::ffff:192.0.2.0/120 into 192.0.2.0/24: addresses are compared
// unmapped.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// Contains reports whether addr is in one of the networks.
func (a Addresses) Contains(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, prefix := range a {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// Allows reports whether addr may connect: everybody may if the list is empty.
func (a Addresses) Allows(addr netip.Addr) bool { return len(a) == 0 || a.Contains(addr) }

// ClientAddress returns the address a request comes from. X-Forwarded-For counts
// only when the connection comes from a trusted proxy, and then from the right,
// skipping further trusted proxies: everything left of that is hearsay. The
// zero address means that there is none to be told.
func ClientAddress(r *http.Request, trusted Addresses) netip.Addr {
	addrPort, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := addrPort.Addr().Unmap().WithZone("")
	if !trusted.Contains(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, ok := parseHop(hops[i])
		if !ok {
			return addr // whoever wrote this, no proxy of ours vouches for it
		}
		addr = hop
		if !trusted.Contains(hop) {
			return addr
		}
	}
	return addr
}

// RequestOrigin returns scheme://host of the server as the request addressed it.
// A trusted proxy says by X-Forwarded-Proto whether the client came by TLS.
func RequestOrigin(r *http.Request, trusted Addresses) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err == nil && trusted.Contains(peer.Addr()) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// parseHop reads an address as proxies write it, with or without a port.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if addrPort, err := netip.ParseAddrPort(text); err == nil {
		return addrPort.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return addr.Unmap().WithZone(""), err == nil
}
