package loadtest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

const someMetrics = `# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.25
process_resident_memory_bytes 3.1457280e+07
process_open_fds 17
go_goroutines 42
go_memstats_heap_alloc_bytes 5e+06
go_memstats_heap_objects 1234
go_cpu_classes_gc_total_cpu_seconds_total 0.5
go_gc_duration_seconds{quantile="1"} NaN
takos_call_packets_total{direction="received"} 7
takos_call_packets_total{direction="sent"} 500000
takos_call_drops_total{reason="no keys"} 3
takos_call_drops_total{reason="decrypt"} 0

nonsense
`

func metricsServer(t *testing.T, text string) *Observer {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("api-key") != "secret" {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(s.Close)
	return &Observer{URL: s.URL, APIKey: "secret", Client: s.Client()}
}

func TestObserverReadsMetrics(t *testing.T) {
	o := metricsServer(t, someMetrics)
	f, err := o.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.CPU != 1250*time.Millisecond || f.GC != 500*time.Millisecond || f.Resident != 30<<20 || f.Descriptors != 17 ||
		f.Goroutines != 42 || f.Heap != 5_000_000 || f.HeapObjects != 1234 || f.PacketsSent != 500_000 {
		t.Errorf("%+v", f)
	}
	if len(f.Drops) != 1 || f.Drops["no keys"] != 3 {
		t.Errorf("drops %v", f.Drops)
	}
	if !strings.Contains(o.Source(), "metrics") || time.Since(f.At) > time.Minute {
		t.Errorf("from %s at %s", o.Source(), f.At)
	}
}

func TestObserverSaysWhatItCannotRead(t *testing.T) {
	o := metricsServer(t, "go_goroutines 1\n")
	if _, err := o.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "process") {
		t.Errorf("without the process's: %v", err)
	}
	o.APIKey = "wrong"
	if _, err := o.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("refused: %v", err)
	}
	o.URL = "http://127.0.0.1:1/metrics"
	if _, err := o.Read(t.Context()); err == nil || !strings.Contains(err.Error(), o.URL) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestClockOfAProcessCountsWhatItDoes(t *testing.T) {
	before, err := ProcessCPU(os.Getpid())
	if runtime.GOOS != "linux" {
		if err == nil {
			t.Error("there is a clock where there is none")
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 20*time.Millisecond; {
		// the work that is measured
	}
	after, err := ProcessCPU(os.Getpid())
	if spent := after - before; err != nil || spent <= 0 || spent > time.Minute {
		t.Errorf("%s were spent, %v", spent, err)
	}
	o := metricsServer(t, someMetrics)
	o.PID = os.Getpid()
	if f, err := o.Read(t.Context()); err != nil || f.CPU < after || !strings.Contains(o.Source(), "clock") {
		t.Errorf("%s, below the %s of before, from %s, %v", f.CPU, after, o.Source(), err)
	}
	for _, pid := range []int{-1, 1<<22 - 1, 1 << 22, 1 << 30} {
		if spent, err := ProcessCPU(pid); err == nil {
			t.Errorf("process %d, which is not there, has spent %s", pid, spent)
		}
	}
	o.PID = 1 << 30
	if _, err := o.Read(t.Context()); err == nil {
		t.Error("figures of a process that is not there")
	}
}
