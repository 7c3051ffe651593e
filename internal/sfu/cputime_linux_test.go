package sfu

import (
	"runtime"
	"syscall"
	"testing"
	"time"
)

// cpuTime is what the goroutine's thread has used; on a machine that others
// use, too, the clock on the wall says little. The goroutine stays on it.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	runtime.LockOSThread()
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(thread, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
