package admin

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

// Figures are the state of a server at one moment. Counters run since its start.
type Figures struct {
	Rooms, Peers int
	Connections  int            // HTTP and WebSocket connections that are open
	Transports   map[string]int // by DTLS state
	Producers    map[string]int // by kind
	Consumers    map[string]int // by kind

	PacketsReceived, BytesReceived uint64 // datagrams, and their payload
	PacketsSent, BytesSent         uint64
	Drops                          map[string]uint64 // by reason

	Joins            uint64            // peers that came into a room
	Refused          uint64            // rooms and peers refused by a limit
	Errors           map[string]uint64 // errors answered to clients, by code
	Handshakes       uint64            // DTLS handshakes that succeeded
	HandshakesFailed uint64
	Panics           uint64 // recovered

	Draining bool // no new rooms
}

// A family is a metric with what it reads from the figures.
type family struct {
	name, help string
	kind       prometheus.ValueType
	label      string // the one label, or ""
	values     func(Figures) map[string]float64
}

// families are all metrics but build_info. The names are what operators build
// their dashboards and alerts on.
var families = []family{
	gauge("rooms", "Open rooms.", func(f Figures) float64 { return float64(f.Rooms) }),
	gauge("peers", "Peers in rooms.", func(f Figures) float64 { return float64(f.Peers) }),
	gauge("connections", "Open HTTP and WebSocket connections.", func(f Figures) float64 { return float64(f.Connections) }),
	gauge("draining", "1 while the server takes no new rooms because it is about to end.", func(f Figures) float64 {
		if f.Draining {
			return 1
		}
		return 0
	}),
	{"transports", "Open transports by DTLS state.", prometheus.GaugeValue, "state", func(f Figures) map[string]float64 { return floats(f.Transports) }},
	{"producers", "Open producers by kind.", prometheus.GaugeValue, "kind", func(f Figures) map[string]float64 { return floats(f.Producers) }},
	{"consumers", "Open consumers by kind.", prometheus.GaugeValue, "kind", func(f Figures) map[string]float64 { return floats(f.Consumers) }},
	{"packets_total", "UDP packets by direction.", prometheus.CounterValue, "direction", func(f Figures) map[string]float64 {
		return map[string]float64{"received": float64(f.PacketsReceived), "sent": float64(f.PacketsSent)}
	}},
	{"bytes_total", "Bytes in UDP packets by direction, without IP and UDP headers.", prometheus.CounterValue, "direction", func(f Figures) map[string]float64 {
		return map[string]float64{"received": float64(f.BytesReceived), "sent": float64(f.BytesSent)}
	}},
	{"drops_total", "Packets that went no further, by reason.", prometheus.CounterValue, "reason", func(f Figures) map[string]float64 { return floats(f.Drops) }},
	{"errors_total", "Errors answered to clients, by code.", prometheus.CounterValue, "code", func(f Figures) map[string]float64 { return floats(f.Errors) }},
	{"dtls_handshakes_total", "DTLS handshakes by result.", prometheus.CounterValue, "result", func(f Figures) map[string]float64 {
		return map[string]float64{"ok": float64(f.Handshakes), "failed": float64(f.HandshakesFailed)}
	}},
	counter("joins_total", "Peers that came into a room.", func(f Figures) float64 { return float64(f.Joins) }),
	counter("refused_total", "Rooms and peers refused by a limit.", func(f Figures) float64 { return float64(f.Refused) }),
	counter("panics_total", "Panics recovered; each has ended at most one transport or request.", func(f Figures) float64 { return float64(f.Panics) }),
}

func gauge(name, help string, value func(Figures) float64) family {
	return family{name, help, prometheus.GaugeValue, "", single(value)}
}

func counter(name, help string, value func(Figures) float64) family {
	return family{name, help, prometheus.CounterValue, "", single(value)}
}

func single(value func(Figures) float64) func(Figures) map[string]float64 {
	return func(f Figures) map[string]float64 { return map[string]float64{"": value(f)} }
}

func floats[N int | uint64](values map[string]N) map[string]float64 {
	converted := make(map[string]float64, len(values))
	for label, n := range values {
		converted[label] = float64(n)
	}
	return converted
}

// A collector turns one snapshot into all metrics of a scrape, so that they
// agree with each other.
type collector struct {
	source    Source
	described []*prometheus.Desc // as families
	build     prometheus.Metric
}

func newCollector(source Source, version, commit string) *collector {
	c := &collector{source: source}
	for _, f := range families {
		var labels []string
		if f.label != "" {
			labels = []string{f.label}
		}
		c.described = append(c.described, prometheus.NewDesc("takos_call_"+f.name, f.help, labels, nil))
	}
	build := prometheus.NewDesc("takos_call_build_info", "Which build this is; the value is 1.", []string{"version", "commit", "go"}, nil)
	c.build = prometheus.MustNewConstMetric(build, prometheus.GaugeValue, 1, version, commit, runtime.Version())
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.described {
		to <- d
	}
	to <- c.build.Desc()
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	figures := c.source.Figures()
	for i, f := range families {
		for label, value := range f.values(figures) {
			var labels []string
			if f.label != "" {
				labels = []string{label}
			}
			to <- prometheus.MustNewConstMetric(c.described[i], f.kind, value, labels...)
		}
	}
	to <- c.build
}
