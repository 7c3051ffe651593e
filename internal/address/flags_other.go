//go:build !linux

package address

import "net/netip"

// addressFlags knows nothing about addresses on this system, so that a
// temporary one may be announced.
func addressFlags() map[netip.Addr]Address { return nil }
