package address

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ExplainBind says what the operator can do about a socket that could not be
// bound. The network is "UDP" or "TCP"; the result wraps err.
func ExplainBind(network string, at netip.AddrPort, err error) error {
	fail := func(advice string, args ...any) error {
		return fmt.Errorf("listen on %s %s: %s: %w", network, at, fmt.Sprintf(advice, args...), err)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fail("port %d is in use by another program; stop it or choose another port", at.Port())
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fail("no interface of this machine has the address %s; use one that it has, or 0.0.0.0 or ::", at.Addr())
	case errors.Is(err, syscall.EACCES):
		return fail("not permitted; ports below 1024 need a privilege (CAP_NET_BIND_SERVICE), so choose a higher port")
	case errors.Is(err, syscall.EAFNOSUPPORT):
		return fail("this system has no support for that address family; leave the address out")
	}
	return fmt.Errorf("listen on %s %s: %w", network, at, err)
}
