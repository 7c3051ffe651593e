package udp

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
)

// Addr is an IP address and a port as 24 bytes without a pointer: it can be
// compared, is a cheap map key and costs the garbage collector nothing. An
// IPv4 address and its IPv4-mapped IPv6 form are the same Addr. The zero Addr
// is "none".
type Addr struct {
	hi, lo uint64 // the IPv6 or IPv4-mapped address in network order
	zone   uint32 // interface index of a link-local IPv6 address, else 0
	port   uint32 // port + 1<<16 once set, so that no real address is the zero Addr
}

const (
	portSet = 1 << 16
	// mappedPrefix is what the last 64 bits of an IPv4-mapped address begin
	// with (RFC 4291 §2.5.5.2); the first 64 bits are zero.
	mappedPrefix = 0x0000_ffff_0000_0000
)

// AddrFrom converts a netip.AddrPort; an invalid one gives the zero Addr. A
// zone may be an interface's index or its name.
func AddrFrom(ap netip.AddrPort) Addr {
	ip := ap.Addr()
	if !ip.IsValid() {
		return Addr{}
	}
	a := addrFrom16(ip.As16(), ap.Port())
	if zone := ip.Zone(); zone != "" {
		a.zone = zoneIndex(zone)
	}
	return a
}

func addrFrom16(ip [16]byte, port uint16) Addr {
	return Addr{
		hi:   binary.BigEndian.Uint64(ip[:8]),
		lo:   binary.BigEndian.Uint64(ip[8:]),
		port: portSet | uint32(port),
	}
}

func addrFrom4(ip [4]byte, port uint16) Addr {
	return Addr{
		lo:   mappedPrefix | uint64(binary.BigEndian.Uint32(ip[:])),
		port: portSet | uint32(port),
	}
}

func zoneIndex(zone string) uint32 {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	return 0
}

// AddrPort converts back; the zero Addr gives the zero netip.AddrPort. IPv4
// comes out as IPv4. A zone comes out as the interface's index.
func (a Addr) AddrPort() netip.AddrPort {
	if !a.IsValid() {
		return netip.AddrPort{}
	}
	ip := netip.AddrFrom16(a.as16()).Unmap()
	if a.zone != 0 {
		ip = ip.WithZone(strconv.FormatUint(uint64(a.zone), 10))
	}
	return netip.AddrPortFrom(ip, a.Port())
}

// IsValid reports whether a is an address at all.
func (a Addr) IsValid() bool { return a.port != 0 }

// Is4 reports whether a is an IPv4 address.
func (a Addr) Is4() bool { return a.hi == 0 && a.lo>>32 == mappedPrefix>>32 && a.IsValid() }

// Port returns the port.
func (a Addr) Port() uint16 { return uint16(a.port) }

// String returns the address as in "192.0.2.1:4000" or "[2001:db8::1]:4000".
func (a Addr) String() string {
	if !a.IsValid() {
		return "none"
	}
	return a.AddrPort().String()
}

func (a Addr) as16() (ip [16]byte) {
	binary.BigEndian.PutUint64(ip[:8], a.hi)
	binary.BigEndian.PutUint64(ip[8:], a.lo)
	return ip
}

func (a Addr) as4() (ip [4]byte) {
	binary.BigEndian.PutUint32(ip[:], uint32(a.lo))
	return ip
}

func (a Addr) isUnspecified() bool {
	return a.hi == 0 && (a.lo == 0 || a.lo == mappedPrefix)
}

// Path is the two ends a datagram travels between, seen from here.
type Path struct {
	// Remote is the other end.
	Remote Addr
	// Local is the address of this machine that the remote sends to and must
	// be answered from, with our port. Unspecified where the operating system
	// does not tell (see the package comment).
	Local Addr
}

// hashSeed keeps strangers from choosing addresses that all hash alike.
var hashSeed = rand.Uint64()

// Two odd constants with well-mixed bits (the fractions of √2 and √3).
const (
	mix1 = 0x6a09e667f3bcc909
	mix2 = 0xbb67ae8584caa73b
)

// Hash returns 32 well-spread bits of a, equal for equal addresses within one
// run of the process.
func (a Addr) Hash() uint32 {
	return finish(a.fold(hashSeed))
}

// Hash returns 32 well-spread bits of both addresses, equal for equal paths
// within one run of the process.
func (p Path) Hash() uint32 {
	return finish(p.Local.fold(p.Remote.fold(hashSeed)))
}

// fold mixes a into h with two wide multiplications, each of which spreads its
// inputs over both halves of the product.
func (a Addr) fold(h uint64) uint64 {
	hi, lo := bits.Mul64(a.hi^h, a.lo^mix1)
	h = hi ^ lo
	hi, lo = bits.Mul64(h^mix2, a.lo^mix2^(uint64(a.zone)<<32|uint64(a.port)))
	return hi ^ lo
}

// finish breaks up the regular steps in which the last product of fold follows
// a run of consecutive ports.
func finish(h uint64) uint32 {
	h = (h ^ h>>29) * mix1
	return uint32((h ^ h>>32) * mix2 >> 32)
}
