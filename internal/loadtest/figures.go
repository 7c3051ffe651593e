package loadtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Figures are what a server's process is at one moment.
type Figures struct {
	At time.Time
	// CPU is the time that the process has spent on all cores, in the kernel
	// included.
	CPU time.Duration
	// GC is what of it the garbage collector has taken, as of its last cycle; 0
	// when the server does not tell.
	GC          time.Duration
	Resident    uint64 // bytes of memory
	Heap        uint64 // bytes of live and not yet collected objects
	HeapObjects uint64
	Goroutines  int
	Descriptors int // open files and sockets
	PacketsSent uint64
	// Drops are packets that went no further, by reason.
	Drops map[string]uint64
}

// Observer reads the figures of a server from its metrics.
type Observer struct {
	// URL is where the metrics are, APIKey a key if they want one.
	URL, APIKey string
	// PID, if not 0, is the server's process on this machine, whose clock is
	// exact, while the metrics know CPU time to 10 ms only.
	PID int
	// Client is the HTTP client; nil means the default one.
	Client *http.Client
}

// Source says where the CPU time is from.
func (o *Observer) Source() string {
	if o.PID != 0 {
		return fmt.Sprintf("the clock of process %d", o.PID)
	}
	return "process_cpu_seconds_total of the metrics"
}

// Read returns the figures of this moment.
func (o *Observer) Read(ctx context.Context) (Figures, error) {
	values, err := o.scrape(ctx)
	if err != nil {
		return Figures{}, fmt.Errorf("read the server's metrics at %s: %w", o.URL, err)
	}
	if _, ok := values["process_cpu_seconds_total"]; !ok {
		return Figures{}, fmt.Errorf("the metrics at %s lack those of the process, which exist on Linux only", o.URL)
	}
	f := Figures{
		At:          time.Now(),
		CPU:         seconds(values["process_cpu_seconds_total"]),
		GC:          seconds(values["go_cpu_classes_gc_total_cpu_seconds_total"]),
		Resident:    uint64(values["process_resident_memory_bytes"]),
		Heap:        uint64(values["go_memstats_heap_alloc_bytes"]),
		HeapObjects: uint64(values["go_memstats_heap_objects"]),
		Goroutines:  int(values["go_goroutines"]),
		Descriptors: int(values["process_open_fds"]),
		PacketsSent: uint64(values[`takos_call_packets_total{direction="sent"}`]),
		Drops:       map[string]uint64{},
	}
	for name, value := range values {
		if reason, ok := strings.CutPrefix(name, `takos_call_drops_total{reason="`); ok && value > 0 {
			f.Drops[strings.TrimSuffix(reason, `"}`)] = uint64(value)
		}
	}
	if o.PID != 0 {
		if f.CPU, err = ProcessCPU(o.PID); err != nil {
			return Figures{}, fmt.Errorf("read the CPU time of process %d: %w", o.PID, err)
		}
	}
	return f, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (o *Observer) scrape(ctx context.Context) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL, nil)
	if err != nil {
		return nil, err
	}
	if o.APIKey != "" {
		request.Header.Set("api-key", o.APIKey)
	}
	c := o.Client
	if c == nil {
		c = http.DefaultClient
	}
	response, err := c.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s", response.Status)
	}
	return parseMetrics(response.Body)
}

// parseMetrics reads the lines `name value` and `name{labels} value` of
// Prometheus's text format, without timestamps; what is no number is left out.
func parseMetrics(r io.Reader) (map[string]float64, error) {
	values := map[string]float64{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		if value, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			values[line[:at]] = value
		}
	}
	return values, lines.Err()
}
