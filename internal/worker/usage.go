package worker

// ResourceUsage is what the server has used of the system, in getrusage(2)'s
// terms; times are in milliseconds, the resident memory in kilobytes. What a
// system does not count is 0.
type ResourceUsage struct {
	UserTime            int64 `json:"ru_utime" doc:"ms"`
	SystemTime          int64 `json:"ru_stime" doc:"ms"`
	MaxResident         int64 `json:"ru_maxrss" doc:"KiB, the most so far"`
	SharedText          int64 `json:"ru_ixrss" doc:"not counted by Linux"`
	UnsharedData        int64 `json:"ru_idrss" doc:"not counted by Linux"`
	UnsharedStack       int64 `json:"ru_isrss" doc:"not counted by Linux"`
	MinorFaults         int64 `json:"ru_minflt" doc:"page faults without input"`
	MajorFaults         int64 `json:"ru_majflt" doc:"page faults with input"`
	Swaps               int64 `json:"ru_nswap" doc:"not counted by Linux"`
	BlocksIn            int64 `json:"ru_inblock" doc:"reads of the file system"`
	BlocksOut           int64 `json:"ru_oublock" doc:"writes of the file system"`
	MessagesSent        int64 `json:"ru_msgsnd" doc:"not counted by Linux"`
	MessagesReceived    int64 `json:"ru_msgrcv" doc:"not counted by Linux"`
	Signals             int64 `json:"ru_nsignals" doc:"not counted by Linux"`
	VoluntarySwitches   int64 `json:"ru_nvcsw" doc:"context switches to wait"`
	InvoluntarySwitches int64 `json:"ru_nivcsw" doc:"context switches because the time was up"`
}
