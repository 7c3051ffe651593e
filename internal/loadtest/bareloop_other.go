//go:build !linux

package loadtest

import (
	"context"
	"errors"
	"net"
)

// ServeBareLoop is for Linux.
func ServeBareLoop(context.Context, *net.UDPConn) error { return errors.ErrUnsupported }

// ListenBareLoop is for Linux.
func ListenBareLoop() (*net.UDPConn, error) { return nil, errors.ErrUnsupported }
