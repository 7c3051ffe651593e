package doctor

import (
	"fmt"
	"time"
)

// sane is a time that every clock is past; before it, certificates and tokens
// are judged wrongly.
var sane = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// otherFiles is what the process opens besides connections.
const otherFiles = 256

// checkSystem looks at what the operating system allows and knows.
func checkSystem(m Machine, s Settings, r *Report) {
	wanted := uint64(s.MaxConnections + otherFiles)
	switch limit := m.OpenFiles(); {
	case limit == 0:
	case limit < wanted:
		r.add(Warn, "open files", fmt.Sprintf("the limit is %d, but %s allows %d connections", limit, s.Name("max-connections"), s.MaxConnections),
			fmt.Sprintf("LimitNOFILE=%d in the systemd unit, ulimit -n %d in a shell, or a lower %s", wanted, wanted, s.Name("max-connections")))
	default:
		r.add(Good, "open files", fmt.Sprintf("the limit of %d is enough for %d connections", limit, s.MaxConnections), "")
	}
	synchronised, known := m.ClockSynchronised()
	switch now := m.Now(); {
	case now.Before(sane):
		r.add(Bad, "clock", "it is set to "+now.Format(time.DateTime), "set it; certificates and tokens depend on it")
	case known && !synchronised:
		r.add(Warn, "clock", now.Format(time.DateTime)+", but nothing keeps it right", "run a time service such as systemd-timesyncd or chrony")
	default:
		r.add(Good, "clock", now.Format(time.DateTime), "")
	}
}
