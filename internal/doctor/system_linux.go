package doctor

import "golang.org/x/sys/unix"

// clockSynchronised asks the kernel (adjtimex(2)).
func clockSynchronised() (synchronised, known bool) {
	var state unix.Timex
	if _, err := unix.Adjtimex(&state); err != nil {
		return false, false
	}
	return state.Status&unix.STA_UNSYNC == 0, true
}

// openFiles returns the hard limit: Go raises the soft one to it at the start.
func openFiles() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return limit.Max
}
