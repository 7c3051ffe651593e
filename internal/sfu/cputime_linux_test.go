package sfu

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is what the goroutine's thread has used; on a machine that others
// use, too, the clock on the wall says little. The goroutine stays on it.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	runtime.LockOSThread()
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Nano())
}
