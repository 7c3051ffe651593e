package sfu

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/tcp"
	"github.com/takoserver/takos-call/internal/udp"
)

// ListenInfo is one socket to listen on, and how clients are told of it.
type ListenInfo struct {
	Protocol ice.Protocol
	// IP is an address of this machine, or an unspecified one for all.
	IP netip.Addr
	// AnnouncedAddress is the IP address or host name that clients are told in
	// IP's place. Without one an unspecified IP is announced as the SFU's own
	// port is.
	AnnouncedAddress string
	// ExposeInternalIP announces IP too, after AnnouncedAddress.
	ExposeInternalIP bool
	// Port is the port; 0 is one of PortRange. With a PortRange it does not count.
	Port uint16
	// PortRange is where to look for a free port. The zero value is the range of
	// whoever makes the socket.
	PortRange PortRange
	// IPv6Only keeps the unspecified IPv6 address from taking IPv4 too.
	IPv6Only bool
	// ReusePort lets several sockets that all say so have one address and port;
	// UDP only.
	ReusePort bool
	// SendBuffer and RecvBuffer are the kernel's buffers in bytes; 0 is 1 MiB for
	// UDP, and what the system thinks fit for TCP. The system may grant less.
	SendBuffer, RecvBuffer int
}

const (
	// maxListenInfos bounds a list: each entry is a socket, and at least one
	// candidate that every client tries.
	maxListenInfos = 32
	// maxSocketBuffer keeps one socket from taking the kernel's memory.
	maxSocketBuffer = 64 << 20
	// maxHostName is the longest name of a host (RFC 1035 §2.3.4).
	maxHostName = 253
)

// checkListenInfos says what is wrong with a list. Errors: *ortc.Error.
func checkListenInfos(list []ListenInfo) error {
	if len(list) == 0 {
		return typeErrorf("listenInfos: empty; name at least one address to listen on")
	}
	if len(list) > maxListenInfos {
		return typeErrorf("listenInfos: %d are too many; %d is the most", len(list), maxListenInfos)
	}
	for i := range list {
		if wrong := list[i].check(); wrong != "" {
			return typeErrorf("listenInfos[%d].%s", i, wrong)
		}
		if ip := list[i].IP; ip.IsMulticast() {
			return typeErrorf("listenInfos[%d].ip: %s is a multicast address, which no ICE candidate can have", i, ip)
		}
	}
	return nil
}

// check returns what is wrong with one entry, "" for nothing.
func (l *ListenInfo) check() string {
	switch {
	case !l.IP.IsValid():
		return "ip: missing; 0.0.0.0 or :: means every address"
	case l.AnnouncedAddress != "" && !isHost(l.AnnouncedAddress):
		return "announcedAddress: neither an IP address nor the name of a host"
	case !l.PortRange.valid():
		return fmt.Sprintf("portRange: from %d to %d is no range", l.PortRange.Min, l.PortRange.Max)
	case l.SendBuffer < 0 || l.SendBuffer > maxSocketBuffer:
		return fmt.Sprintf("sendBufferSize: %d is not between 0 and %d", l.SendBuffer, maxSocketBuffer)
	case l.RecvBuffer < 0 || l.RecvBuffer > maxSocketBuffer:
		return fmt.Sprintf("recvBufferSize: %d is not between 0 and %d", l.RecvBuffer, maxSocketBuffer)
	}
	return ""
}

// isHost reports whether s may stand in a candidate, where a space or the end of
// a line would begin something else.
func isHost(s string) bool {
	if ip, err := netip.ParseAddr(s); err == nil {
		return ip.Zone() == "" // a name of ours, which means nothing elsewhere
	}
	letter := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
	}
	return len(s) <= maxHostName && !strings.ContainsFunc(s, func(c rune) bool { return !letter(c) })
}

// hosts are what clients are told of the socket, the most preferred first.
func (l *ListenInfo) hosts(s *SFU) (list []string) {
	if l.AnnouncedAddress != "" {
		list = append(list, l.AnnouncedAddress)
		if !l.ExposeInternalIP {
			return list
		}
	}
	if !l.IP.IsUnspecified() {
		return append(list, l.IP.Unmap().WithZone("").String())
	}
	for _, host := range s.options.Announced {
		ip, err := netip.ParseAddr(host)
		if (err != nil || l.reaches(ip)) && !slices.Contains(list, host) {
			list = append(list, host)
		}
	}
	return list
}

// reaches reports whether the socket on an unspecified address gets what is sent
// to ip.
func (l *ListenInfo) reaches(ip netip.Addr) bool {
	return l.dual() || l.IP.Unmap().Is4() == ip.Unmap().Is4()
}

// dual reports whether the socket takes both address families.
func (l *ListenInfo) dual() bool { return l.IP == netip.IPv6Unspecified() && !l.IPv6Only }

// PortRange is the ports from Min to Max. The zero value is whatever the system
// has free.
type PortRange struct{ Min, Max uint16 }

func (p PortRange) valid() bool { return p.Min <= p.Max && (p.Min > 0 || p.Max == 0) }

// or is p, or other where p is the zero value.
func (p PortRange) or(other PortRange) PortRange {
	if p == (PortRange{}) {
		return other
	}
	return p
}

// choosePort opens something on the port of l or a free one of its range, else of
// ports. Errors: those of open, ErrLimit.
func choosePort[T any](l *ListenInfo, ports PortRange, open func(port uint16) (T, error)) (T, error) {
	port := l.Port
	if l.PortRange != (PortRange{}) {
		port = 0
	}
	ports = l.PortRange.or(ports)
	if port != 0 || ports == (PortRange{}) {
		return open(port)
	}
	// From a random one on: what a stranger still sends to the port of a
	// transport that is gone should not meet the next one.
	count := int(ports.Max) - int(ports.Min) + 1
	first := rand.IntN(count)
	for i := range count {
		opened, err := open(ports.Min + uint16((first+i)%count))
		if !errors.Is(err, syscall.EADDRINUSE) {
			return opened, err
		}
	}
	var none T
	return none, fmt.Errorf("%w: every port from %d to %d is in use; allow more ports or close something", ErrLimit, ports.Min, ports.Max)
}

// smallBatch is how many datagrams one read of a socket takes that few peers use.
const smallBatch = 16

// open opens a socket of v. Errors: ErrPortInUse, ErrNoAddress, ErrLimit, or
// another of the system.
func (l *ListenInfo) open(v *WebRTCServer, ports PortRange) (*endpoint, error) {
	e := &endpoint{
		server: v, ips: []netip.Addr{l.IP.Unmap()}, dual: l.dual(), announced: l.AnnouncedAddress, hosts: l.hosts(v.sfu),
	}
	if len(e.hosts) == 0 {
		return nil, typeErrorf("announcedAddress: missing, and no address of this server fits %s", l.IP)
	}
	_, err := choosePort(l, ports, func(port uint16) (*endpoint, error) { return e, e.open(l, port) })
	if err != nil {
		return nil, codedBindError(err)
	}
	return e, nil
}

// codedBindError makes errors.Is tell what a caller can do something about.
func codedBindError(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: %w", ErrPortInUse, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
		return fmt.Errorf("%w: %w", ErrNoAddress, err)
	}
	return err
}

func (e *endpoint) open(l *ListenInfo, port uint16) (err error) {
	s := e.server.sfu
	if l.Protocol == ice.TCP {
		e.connections, err = tcp.Listen(tcp.Options{
			IPs: e.ips, DualStack: e.dual, Port: port, Accept: e.accept, Logger: s.log,
			MaxConns: s.options.MaxConnections, MaxPerAddress: s.options.MaxConnectionsPerAddress,
			ReceiveBuffer: l.RecvBuffer, SendBuffer: l.SendBuffer,
		})
		if err == nil {
			e.port = e.connections.Port()
		}
		return err
	}
	o := udp.Options{DualStack: e.dual}
	if e.server.private {
		o.DisableGRO, o.Batch = true, smallBatch // it takes a megabyte per socket
	}
	if e.sockets, err = s.listenUDP(l, port, o); err == nil {
		e.port = e.sockets.Port()
	}
	return err
}

// listenBuffer is the kernel's buffer of one port, each way: half a second of
// 16 Mbit/s.
const listenBuffer = 1 << 20

// listenUDP opens the one socket of l on a port. The rest is in o already.
func (s *SFU) listenUDP(l *ListenInfo, port uint16, o udp.Options) (*udp.Server, error) {
	if l.ReusePort && s.own.has(l.IP, port) {
		return nil, fmt.Errorf("UDP port %d is that of the server itself, which shares it with nobody: %w", port, syscall.EADDRINUSE)
	}
	// No Logger: what the kernel refuses, the SFU's own port has told.
	o.IPs, o.Port, o.ReusePort, o.Readers = []netip.Addr{l.IP.Unmap()}, port, l.ReusePort, 1
	o.ReceiveBuffer, o.SendBuffer = cmp.Or(l.RecvBuffer, listenBuffer), cmp.Or(l.SendBuffer, listenBuffer)
	o.DisableGSO = !s.own.segments()
	return udp.Listen(o)
}

// portAttempts bounds the search for a port that is free for UDP and TCP.
const portAttempts = 32

// openOwn opens the SFU's own port for UDP and, if wanted, for TCP. With port 0
// UDP chooses, and a conflict on TCP starts again.
func (s *SFU) openOwn() error {
	for attempt := 1; ; attempt++ {
		err := s.tryOwn()
		if err == nil {
			return nil
		}
		if s.options.Port != 0 || attempt == portAttempts || !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("opening the media port: %w", err)
		}
	}
}

func (s *SFU) tryOwn() (err error) {
	o, v := &s.options, newWebRTCServer(s)
	datagrams := &endpoint{server: v, ips: o.ListenIPs, hosts: o.Announced}
	datagrams.sockets, err = udp.Listen(udp.Options{
		IPs: o.ListenIPs, Port: o.Port, Readers: o.Readers, DisableGSO: o.DisableGSO, Logger: o.Logger,
	})
	if err != nil {
		return err
	}
	datagrams.port = datagrams.sockets.Port()
	v.endpoints = []*endpoint{datagrams}
	if o.EnableTCP {
		streams := &endpoint{server: v, ips: o.ListenIPs, hosts: o.Announced, port: datagrams.port}
		streams.connections, err = tcp.Listen(tcp.Options{
			IPs: o.ListenIPs, Port: datagrams.port, Accept: streams.accept, Logger: o.Logger,
			MaxConns: o.MaxConnections, MaxPerAddress: o.MaxConnectionsPerAddress,
		})
		if err != nil {
			return errors.Join(err, datagrams.sockets.Close())
		}
		v.endpoints = append(v.endpoints, streams)
	}
	s.own = v
	return nil
}
