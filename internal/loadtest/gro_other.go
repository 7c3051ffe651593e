//go:build !linux

package loadtest

import (
	"errors"
	"net"
)

func joinDatagrams(*net.UDPConn) error { return errors.ErrUnsupported }

func segmentSize(_ []byte, length int) int { return length }
