package address

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestAnAddressThatCannotBeBoundIsExplained(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.1:80")
	for _, test := range []struct {
		errno syscall.Errno
		says  string
	}{
		{syscall.EADDRINUSE, "port 80 is in use by another program"},
		{syscall.EADDRNOTAVAIL, "no interface of this machine has the address 192.0.2.1"},
		{syscall.EACCES, "choose a higher port"},
		{syscall.EAFNOSUPPORT, "no support for that address family"},
		{syscall.EMFILE, "listen on TCP 192.0.2.1:80: bind: too many open files"},
	} {
		err := ExplainBind("TCP", at, os.NewSyscallError("bind", test.errno))
		if !strings.Contains(err.Error(), test.says) || !errors.Is(err, test.errno) {
			t.Errorf("%v: %v", test.errno, err)
		}
	}
}
