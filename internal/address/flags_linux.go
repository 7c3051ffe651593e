package address

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"os"
	"strconv"
)

// Flags of an IPv6 address, from include/uapi/linux/if_addr.h.
const (
	flagTemporary  = 0x01
	flagDADFailed  = 0x08
	flagDeprecated = 0x20
	flagTentative  = 0x40
)

// addressFlags returns what the kernel knows about the IPv6 addresses. A system
// without IPv6 has no such file.
func addressFlags() map[netip.Addr]Address {
	text, err := os.ReadFile("/proc/net/if_inet6")
	if err != nil {
		return nil
	}
	return parseFlags(text)
}

// parseFlags reads lines of
//
//	address(32 hex digits) index prefixLength scope flags name
//
// the numbers in hexadecimal.
func parseFlags(text []byte) map[netip.Addr]Address {
	known := map[netip.Addr]Address{}
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) < 6 {
			continue
		}
		var raw [16]byte
		if n, err := hex.Decode(raw[:], fields[0][:min(32, len(fields[0]))]); err != nil || n != len(raw) {
			continue
		}
		flags, err := strconv.ParseUint(string(fields[4]), 16, 32)
		if err != nil {
			continue
		}
		ip := netip.AddrFrom16(raw)
		known[ip] = Address{
			IP:         ip,
			Temporary:  flags&flagTemporary != 0,
			Deprecated: flags&flagDeprecated != 0,
			Tentative:  flags&(flagTentative|flagDADFailed) != 0,
		}
	}
	return known
}
