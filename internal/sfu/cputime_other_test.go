//go:build !linux

package sfu

import (
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// cpuTime is the time that has passed, where that of a thread cannot be had.
func cpuTime(testing.TB) time.Duration { return time.Duration(mono.Now()) }
