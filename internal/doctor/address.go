package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/takoserver/takos-call/internal/address"
)

// resolveTimeout is how long a name server may take.
const resolveTimeout = 5 * time.Second

// checkAddresses says which candidates browsers will be given, and returns the
// interfaces of the machine.
func checkAddresses(ctx context.Context, m Machine, s Settings, r *Report) []address.Interface {
	interfaces, err := m.Interfaces()
	if err != nil {
		r.add(Bad, "addresses", err.Error(), "")
		return nil
	}
	choices := address.Choose(interfaces, s.AddressPolicy())
	for _, c := range choices {
		switch {
		case c.Announce && c.Interface == "":
			checkAnnounced(ctx, m, s, r, interfaces, c.Host)
		case c.Announce:
			r.add(Good, "address "+c.Interface, c.Host+" is given to browsers: "+c.Reason, "")
		default:
			r.add(Note, "address "+c.Interface, c.Host+" is left out: "+c.Reason, "")
		}
	}
	judgeAddresses(s, r, choices)
	checkPublicURL(ctx, m, s, r)
	return interfaces
}

// judgeAddresses says what the announced addresses are good for.
func judgeAddresses(s Settings, r *Report, choices []address.Choice) {
	announced := address.Announced(choices)
	if len(announced) == 0 {
		r.add(Bad, "addresses", "there is no address that browsers could be given", "connect a network, or name the addresses with "+s.Name("announced-ip"))
		return
	}
	private := func(host string) bool {
		ip, err := netip.ParseAddr(host)
		return err == nil && (ip.IsPrivate() || ip.IsLoopback())
	}
	loopback := func(host string) bool {
		ip, err := netip.ParseAddr(host)
		return err == nil && ip.IsLoopback()
	}
	switch {
	case !slices.ContainsFunc(announced, func(h string) bool { return !loopback(h) }):
		r.add(Warn, "addresses", "browsers are given loopback addresses only, which Firefox does not use", "connect a network to call from Firefox")
	case !s.LoopbackOnly() && !s.LAN && len(s.AnnouncedIPs) == 0 && !slices.ContainsFunc(announced, func(h string) bool { return !private(h) }):
		r.add(Warn, "addresses", "all of them are private: browsers on the internet cannot reach them", "behind a router, set "+s.Name("announced-ip")+" to its public address and the private one, and forward the media port")
	}
}

// checkAnnounced looks at an address or host name of the settings.
func checkAnnounced(ctx context.Context, m Machine, s Settings, r *Report, interfaces []address.Interface, host string) {
	const topic = "announced"
	ip, err := netip.ParseAddr(host)
	if err == nil {
		if owner := ownerOf(interfaces, ip); owner != "" {
			r.add(Good, topic, fmt.Sprintf("%s is given to browsers; it is on %s", host, owner), "")
		} else {
			r.add(Note, topic, host+" is given to browsers; it is not on this machine", fmt.Sprintf("whatever has it must forward UDP port %d to this machine", s.RTCMinPort))
		}
		return
	}
	addresses, err := resolve(ctx, m, host)
	if err != nil {
		r.add(Bad, topic, fmt.Sprintf("%s does not resolve: %v", host, err), "correct "+s.Name("announced-ip")+" or the name's DNS record")
		return
	}
	for _, ip := range addresses {
		if reason := address.Unusable(ip, s.LoopbackOnly()); reason != "" {
			r.add(Bad, topic, fmt.Sprintf("%s resolves to %s, which cannot be used: %s", host, ip, reason), "correct the name's DNS record or the hosts file")
			return
		}
	}
	r.add(Good, topic, fmt.Sprintf("%s is given to browsers; it resolves to %s", host, join(addresses)), "")
}

// checkPublicURL resolves the host of the links that people pass on.
func checkPublicURL(ctx context.Context, m Machine, s Settings, r *Report) {
	const topic = "public URL"
	u, err := url.Parse(string(s.PublicURL))
	if err != nil || s.PublicURL == "" {
		return
	}
	if _, err := netip.ParseAddr(u.Hostname()); err != nil {
		if _, err := resolve(ctx, m, u.Hostname()); err != nil {
			r.add(Bad, topic, fmt.Sprintf("%s does not resolve: %v", u.Hostname(), err), "correct "+s.Name("public-url")+" or the name's DNS record")
			return
		}
	}
	if u.Scheme != "https" && u.Hostname() != "localhost" {
		r.add(Warn, topic, string(s.PublicURL)+" is not HTTPS: browsers will give its page neither camera nor microphone", "")
		return
	}
	r.add(Good, topic, string(s.PublicURL), "")
}

func resolve(ctx context.Context, m Machine, host string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	return m.Resolve(ctx, host)
}

func ownerOf(interfaces []address.Interface, ip netip.Addr) string {
	for _, i := range interfaces {
		for _, a := range i.Addresses {
			if a.IP == ip {
				return i.Name
			}
		}
	}
	return ""
}

func join(addresses []netip.Addr) string {
	var texts []string
	for _, ip := range addresses {
		texts = append(texts, ip.Unmap().String())
	}
	return strings.Join(texts, ", ")
}
