//go:build !linux

package loadtest

import (
	"errors"
	"time"
)

func ProcessCPU(int) (time.Duration, error) { return 0, errors.ErrUnsupported }
