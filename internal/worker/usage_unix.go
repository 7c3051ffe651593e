//go:build unix

package worker

import (
	"fmt"
	"runtime"
	"syscall"
)

// Usage reads what the server has used.
func Usage() (ResourceUsage, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return ResourceUsage{}, fmt.Errorf("reading the resource usage: %w", err)
	}
	maxResident := int64(r.Maxrss)
	if runtime.GOOS == "darwin" { // which counts bytes
		maxResident /= 1024
	}
	return ResourceUsage{
		UserTime: r.Utime.Nano() / 1e6, SystemTime: r.Stime.Nano() / 1e6, MaxResident: maxResident,
		SharedText: int64(r.Ixrss), UnsharedData: int64(r.Idrss), UnsharedStack: int64(r.Isrss),
		MinorFaults: int64(r.Minflt), MajorFaults: int64(r.Majflt), Swaps: int64(r.Nswap),
		BlocksIn: int64(r.Inblock), BlocksOut: int64(r.Oublock),
		MessagesSent: int64(r.Msgsnd), MessagesReceived: int64(r.Msgrcv), Signals: int64(r.Nsignals),
		VoluntarySwitches: int64(r.Nvcsw), InvoluntarySwitches: int64(r.Nivcsw),
	}, nil
}
