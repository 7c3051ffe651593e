package loadtest

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Summary is a report together with what the server spent meanwhile, in the
// form in which it is printed, kept as JSON and compared.
type Summary struct {
	Profile   string  `json:"profile"` // such as "fanout", or ProfileLimit
	Senders   int     `json:"senders"`
	Receivers int     `json:"receivers"`
	Seconds   float64 `json:"seconds"` // measured

	PacketsSent      uint64  `json:"packetsSent"` // by the clients that send
	PacketsExpected  uint64  `json:"packetsExpected"`
	PacketsReceived  uint64  `json:"packetsReceived"`
	PacketsPerSecond float64 `json:"packetsPerSecond"` // received
	Lost             int64   `json:"lost"`
	LossPercent      float64 `json:"lossPercent"`
	Recovered        uint64  `json:"recovered"`
	Duplicates       uint64  `json:"duplicates"`
	Faults           uint64  `json:"faults"`
	SilentReceivers  int     `json:"silentReceivers"`

	// Latency is from the sending client to the receiving one, as LatencyBy
	// says.
	Latency        Quantiles `json:"latencyMs"`
	LatencyBy      string    `json:"latencyBy"`
	JoinsPerSecond float64   `json:"joinsPerSecond"`
	Connect        Quantiles `json:"connectMs"`
	Keyframe       Quantiles `json:"keyframeMs"`

	Server *Cost `json:"server"` // null when the server does not tell
}

// ProfileLimit is the profile of a bare loop.
const ProfileLimit = "limit"

// Quantiles are of durations, in ms.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Cost is what a server has spent on a load.
type Cost struct {
	CPUMicrosPerPacket float64 `json:"cpuMicrosPerPacket"` // received by the clients
	CPUPercent         float64 `json:"cpuPercent"`         // of one core
	CPUBy              string  `json:"cpuBy"`
	// CPUMillisPerJoin includes what the media cost that flowed meanwhile.
	CPUMillisPerJoin    float64 `json:"cpuMillisPerJoin"`
	ResidentMiB         float64 `json:"residentMiB"` // at the end
	ResidentPerReceiver float64 `json:"residentKiBPerReceiver"`
	// GCPercent is of the server's CPU time; null when it does not tell.
	GCPercent *float64          `json:"gcPercent"`
	Drops     map[string]uint64 `json:"drops,omitempty"` // by reason
}

// Summarise turns a report into a Summary without a Cost.
func Summarise(profile string, r *Report) *Summary {
	return &Summary{
		Profile: profile, Senders: r.Senders, Receivers: r.Receivers, Seconds: r.Duration.Seconds(),
		PacketsSent: r.Sent, PacketsExpected: r.Expected, PacketsReceived: r.Received,
		PacketsPerSecond: r.packetsPerSecond(), Lost: r.Lost, LossPercent: r.lossPercent(),
		Recovered: r.Recovered, Duplicates: r.Duplicates, Faults: r.Faults, SilentReceivers: r.Silent,
		Latency: quantiles(&r.Latency), JoinsPerSecond: r.joinsPerSecond(),
		Connect: quantiles(&r.Connect), Keyframe: quantiles(&r.Keyframe),
	}
}

func quantiles(h *Histogram) Quantiles {
	return Quantiles{milliseconds(h.Quantile(0.5)), milliseconds(h.Quantile(0.99)), milliseconds(h.Max())}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Charge sets the cost from the server's figures at the moments of the load.
// A bare loop has those of the measurement only.
func (s *Summary) Charge(figures map[Moment]Figures, by string) {
	begun, measured := figures[Begun], figures[Measured]
	cpu := measured.CPU - begun.CPU
	if s.PacketsReceived == 0 || s.Seconds == 0 {
		return
	}
	c := &Cost{
		CPUMicrosPerPacket: float64(cpu.Nanoseconds()) / 1000 / float64(s.PacketsReceived),
		CPUPercent:         100 * cpu.Seconds() / s.Seconds, CPUBy: by,
		ResidentMiB: float64(measured.Resident) / (1 << 20),
		Drops:       map[string]uint64{},
	}
	if alone, ok := figures[Alone]; ok {
		receivers := float64(s.Receivers)
		c.CPUMillisPerJoin = milliseconds(figures[Joined].CPU-alone.CPU) / receivers
		c.ResidentPerReceiver = (float64(measured.Resident) - float64(alone.Resident)) / 1024 / receivers
	}
	if measured.GC > 0 {
		percent := 100 * float64(measured.GC-begun.GC) / float64(cpu)
		c.GCPercent = &percent
	}
	for reason, n := range measured.Drops {
		if n -= begun.Drops[reason]; n > 0 {
			c.Drops[reason] = n
		}
	}
	s.Server = c
}

// Write writes s as text for people.
func (s *Summary) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d senders, %d receivers, %.1f s measured\n", s.Profile, s.Senders, s.Receivers, s.Seconds)
	fmt.Fprintf(&b, "packets   %.0f/s; %d of %d received, %d lost (%.4f %%), %d of them recovered by retransmission\n",
		s.PacketsPerSecond, s.PacketsReceived, s.PacketsExpected, s.Lost, s.LossPercent, s.Recovered)
	fmt.Fprintf(&b, "faults    %d doubled, %d wrong, %d receivers with a silent stream\n", s.Duplicates, s.Faults, s.SilentReceivers)
	fmt.Fprintf(&b, "latency   %s", s.Latency)
	if s.LatencyBy != "" {
		fmt.Fprintf(&b, ", to %s", s.LatencyBy)
	}
	fmt.Fprintf(&b, "\njoining   %.1f a second", s.JoinsPerSecond)
	if s.Profile != ProfileLimit {
		fmt.Fprintf(&b, "; connected after %s; keyframe after %s", s.Connect, s.Keyframe)
	}
	b.WriteByte('\n')
	if s.Server != nil {
		s.Server.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Cost) write(b *strings.Builder) {
	fmt.Fprintf(b, "server    %.2f CPU-µs per packet sent (%.1f %% of a core, by %s)", c.CPUMicrosPerPacket, c.CPUPercent, c.CPUBy)
	if c.CPUMillisPerJoin > 0 {
		fmt.Fprintf(b, ", %.2f ms per join", c.CPUMillisPerJoin)
	}
	if c.GCPercent != nil {
		fmt.Fprintf(b, ", garbage collector %.2f %% of it", *c.GCPercent)
	}
	for _, reason := range slices.Sorted(maps.Keys(c.Drops)) {
		fmt.Fprintf(b, ", dropped %s: %d", reason, c.Drops[reason])
	}
	b.WriteByte('\n')
	if c.ResidentMiB > 0 {
		fmt.Fprintf(b, "memory    %.1f MiB resident, %.0f KiB of it per receiver\n", c.ResidentMiB, c.ResidentPerReceiver)
	}
}

// String writes all three.
func (q Quantiles) String() string {
	return fmt.Sprintf("p50 %.2f ms, p99 %.2f ms, longest %.2f ms", q.P50, q.P99, q.Max)
}

// WriteTable writes a Markdown table of summaries: those of one profile and
// size are one row, with the medians of its runs. Beside each stands what the
// bare loop of as many receivers took, if it was run.
func WriteTable(w io.Writer, summaries []*Summary) error {
	rows := map[row][]*Summary{}
	for _, s := range summaries {
		key := row{s.Profile, s.Senders, s.Receivers}
		rows[key] = append(rows[key], s)
	}
	var b strings.Builder
	b.WriteString("| load | runs | packets/s | CPU-µs per packet (least to most) | × limit | lost | latency p50 / p99 ms | joins/s | CPU-ms per join | resident MiB | KiB per receiver |\n")
	b.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, key := range slices.SortedFunc(maps.Keys(rows), row.compare) {
		writeRow(&b, key, rows[key], rows[row{ProfileLimit, 1, key.receivers}])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// row is what the summaries of a row have in common.
type row struct {
	profile            string
	senders, receivers int
}

func (r row) compare(other row) int {
	return cmp.Or(cmp.Compare(r.profile, other.profile), cmp.Compare(r.receivers, other.receivers), cmp.Compare(r.senders, other.senders))
}

func writeRow(b *strings.Builder, key row, runs, limit []*Summary) {
	of := func(runs []*Summary, value func(*Summary) float64) float64 {
		values := make([]float64, 0, len(runs))
		for _, s := range runs {
			values = append(values, value(s))
		}
		return median(values)
	}
	cpu := func(s *Summary) float64 { return s.cost().CPUMicrosPerPacket }
	least, most := spread(runs, cpu)
	ratio := "–"
	if key.profile == "fanout" && len(limit) > 0 {
		ratio = fmt.Sprintf("%.2f", of(runs, cpu)/of(limit, cpu))
	}
	fmt.Fprintf(b, "| %s %d → %d | %d | %.0f | %.2f (%.2f to %.2f) | %s | %.4f %% | %.2f / %.2f |", key.profile, key.senders, key.receivers, len(runs),
		of(runs, func(s *Summary) float64 { return s.PacketsPerSecond }), of(runs, cpu), least, most, ratio,
		of(runs, func(s *Summary) float64 { return s.LossPercent }),
		of(runs, func(s *Summary) float64 { return s.Latency.P50 }), of(runs, func(s *Summary) float64 { return s.Latency.P99 }))
	if key.profile == ProfileLimit {
		b.WriteString(" – | – | – | – |\n")
		return
	}
	fmt.Fprintf(b, " %.0f | %.2f | %.1f | %.0f |\n",
		of(runs, func(s *Summary) float64 { return s.JoinsPerSecond }), of(runs, func(s *Summary) float64 { return s.cost().CPUMillisPerJoin }),
		of(runs, func(s *Summary) float64 { return s.cost().ResidentMiB }), of(runs, func(s *Summary) float64 { return s.cost().ResidentPerReceiver }))
}

func (s *Summary) cost() *Cost {
	if s.Server == nil {
		return &Cost{}
	}
	return s.Server
}

func median(values []float64) float64 {
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

func spread(runs []*Summary, value func(*Summary) float64) (least, most float64) {
	least, most = value(runs[0]), value(runs[0])
	for _, s := range runs[1:] {
		least, most = min(least, value(s)), max(most, value(s))
	}
	return least, most
}
