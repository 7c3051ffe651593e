package address

import (
	"fmt"
	"net"
	"net/netip"
)

// Interfaces reads the interfaces of this machine and their addresses.
func Interfaces() ([]Interface, error) {
	system, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	flags := addressFlags()
	var list []Interface
	for _, i := range system {
		addrs, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("list addresses of interface %s: %w", i.Name, err)
		}
		found := Interface{
			Name:     i.Name,
			Up:       i.Flags&net.FlagUp != 0 && i.Flags&net.FlagRunning != 0,
			Loopback: i.Flags&net.FlagLoopback != 0,
		}
		for _, a := range addrs {
			network, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			ip, ok := netip.AddrFromSlice(network.IP)
			if !ok {
				continue
			}
			ip = ip.Unmap()
			known := flags[ip]
			known.IP = ip
			found.Addresses = append(found.Addresses, known)
		}
		list = append(list, found)
	}
	return list, nil
}
