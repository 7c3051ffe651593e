package loadtest

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const maxPID = 1 << 22

// ProcessCPU reads the CPU clock of a process: user and kernel time of all its
// threads, also of those that have ended, in nanoseconds.
func ProcessCPU(pid int) (time.Duration, error) {
	if pid <= 0 || pid >= maxPID { // which the number of a clock has no room for
		return 0, fmt.Errorf("clock_gettime: %w", unix.ESRCH)
	}
	// The number of the clock is what clock_getcpuclockid(3) makes of a pid.
	const scheduled = 2
	clock := int32(^pid<<3 | scheduled)
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, fmt.Errorf("clock_gettime: %w", err)
	}
	return time.Duration(t.Nano()), nil
}
