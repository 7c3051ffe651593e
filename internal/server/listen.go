package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// portAttempts bounds the search for a port that is free on every host.
const portAttempts = 16

// listenAll opens a listener for each host on one port; "" is every address.
// With port 0 the first host chooses. The address ::1 may be missing where there
// is another host.
func listenAll(ctx context.Context, hosts []string, port int) ([]net.Listener, error) {
	for attempt := 1; ; attempt++ {
		listeners, err := listenOnce(ctx, hosts, port)
		if err != nil && port == 0 && errors.Is(err, syscall.EADDRINUSE) && attempt < portAttempts {
			continue
		}
		return listeners, err
	}
}

func listenOnce(ctx context.Context, hosts []string, port int) ([]net.Listener, error) {
	var config net.ListenConfig
	var open []net.Listener
	for _, host := range hosts {
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err == nil {
			port = l.Addr().(*net.TCPAddr).Port
			open = append(open, l)
			continue
		}
		if host == "::1" && len(open) > 0 && !errors.Is(err, syscall.EADDRINUSE) {
			continue // this machine has no IPv6
		}
		for _, l := range open {
			_ = l.Close()
		}
		return nil, explainListen(host, port, err)
	}
	return open, nil
}

// explainListen says what the operator can do.
func explainListen(host string, port int, err error) error {
	where := fmt.Sprintf("TCP port %d", port)
	if host != "" {
		where += " of " + host
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen on %s: another program uses it; stop that one or choose another port (PORT, --port): %w", where, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("listen on %s: this machine does not have that address: %w", where, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("listen on %s: not permitted; ports below 1024 need a privilege (CAP_NET_BIND_SERVICE): %w", where, err)
	}
	return fmt.Errorf("listen on %s: %w", where, err)
}
