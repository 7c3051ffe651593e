//go:build !linux

package loadtest

import (
	"errors"
	"net"
)

func joinDatagrams(*net.UDPConn) error { return errors.ErrUnsupported }

func stampArrivals(*net.UDPConn) error { return errors.ErrUnsupported }

func readAncillary(_ []byte, length int) ancillary { return ancillary{segment: length} }
