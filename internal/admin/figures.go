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

	TCP TCP // connections for media

	Joins   uint64 // peers that came into a room
	Refused uint64 // rooms and peers refused by a limit
	// Doors are the figures of each door, by its name.
	Doors map[string]Door

	Handshakes       uint64 // DTLS handshakes that succeeded
	HandshakesFailed uint64
	Panics           uint64 // recovered

	Draining bool // no new rooms
}

// TCP is the figures of the connections for media.
type TCP struct {
	Open, Unproven                 int    // now, and of these without a valid check
	Accepted                       uint64 // ever
	Refused                        uint64 // because of a limit
	Malformed                      uint64 // closed, since they brought something else
	PacketsReceived, BytesReceived uint64
	PacketsSent, BytesSent         uint64
}

// Door is the figures of one door.
type Door struct {
	Sessions uint64            // WebSockets ever opened
	Slow     uint64            // of these, closed because their client did not read
	Errors   map[string]uint64 // told to clients, by code
}

// A family is a metric with what it reads from the figures: a value for each
// combination of its labels.
type family struct {
	name, help string
	kind       prometheus.ValueType
	labels     []string
	values     func(Figures, emit)
}

// emit takes a value and those of the labels.
type emit func(value float64, labels ...string)

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
	by(prometheus.GaugeValue, "transports", "Open transports by DTLS state.", "state", func(f Figures) map[string]int { return f.Transports }),
	by(prometheus.GaugeValue, "producers", "Open producers by kind.", "kind", func(f Figures) map[string]int { return f.Producers }),
	by(prometheus.GaugeValue, "consumers", "Open consumers by kind.", "kind", func(f Figures) map[string]int { return f.Consumers }),
	by(prometheus.CounterValue, "packets_total", "UDP packets by direction.", "direction", func(f Figures) map[string]uint64 {
		return map[string]uint64{"received": f.PacketsReceived, "sent": f.PacketsSent}
	}),
	by(prometheus.CounterValue, "bytes_total", "Bytes in UDP packets by direction, without IP and UDP headers.", "direction", func(f Figures) map[string]uint64 {
		return map[string]uint64{"received": f.BytesReceived, "sent": f.BytesSent}
	}),
	by(prometheus.GaugeValue, "tcp_connections", "Open TCP connections for media: connected ones, and unproven ones without a valid check yet.", "state", func(f Figures) map[string]int {
		return map[string]int{"connected": f.TCP.Open - f.TCP.Unproven, "unproven": f.TCP.Unproven}
	}),
	by(prometheus.CounterValue, "tcp_connections_total", "TCP connections for media: accepted, refused by a limit, and malformed ones that brought something else.", "result", func(f Figures) map[string]uint64 {
		return map[string]uint64{"accepted": f.TCP.Accepted, "refused": f.TCP.Refused, "malformed": f.TCP.Malformed}
	}),
	by(prometheus.CounterValue, "tcp_packets_total", "Packets over TCP by direction.", "direction", func(f Figures) map[string]uint64 {
		return map[string]uint64{"received": f.TCP.PacketsReceived, "sent": f.TCP.PacketsSent}
	}),
	by(prometheus.CounterValue, "tcp_bytes_total", "Bytes in packets over TCP by direction.", "direction", func(f Figures) map[string]uint64 {
		return map[string]uint64{"received": f.TCP.BytesReceived, "sent": f.TCP.BytesSent}
	}),
	by(prometheus.CounterValue, "drops_total", "Packets that went no further, by reason.", "reason", func(f Figures) map[string]uint64 { return f.Drops }),
	by(prometheus.CounterValue, "dtls_handshakes_total", "DTLS handshakes by result.", "result", func(f Figures) map[string]uint64 {
		return map[string]uint64{"ok": f.Handshakes, "failed": f.HandshakesFailed}
	}),
	byDoor("sessions_total", "WebSockets opened, by door.", func(d Door) uint64 { return d.Sessions }),
	byDoor("slow_sessions_total", "WebSockets closed because their client did not read, by door.", func(d Door) uint64 { return d.Slow }),
	{"errors_total", "Errors told to clients, by door and code.", prometheus.CounterValue, []string{"door", "code"}, func(f Figures, emit emit) {
		for name, door := range f.Doors {
			for code, n := range door.Errors {
				emit(float64(n), name, code)
			}
		}
	}},
	counter("joins_total", "Peers that came into a room.", func(f Figures) float64 { return float64(f.Joins) }),
	counter("refused_total", "Rooms and peers refused by a limit.", func(f Figures) float64 { return float64(f.Refused) }),
	counter("panics_total", "Panics recovered; each has ended at most one transport or request.", func(f Figures) float64 { return float64(f.Panics) }),
}

func gauge(name, help string, value func(Figures) float64) family {
	return family{name, help, prometheus.GaugeValue, nil, func(f Figures, emit emit) { emit(value(f)) }}
}

func counter(name, help string, value func(Figures) float64) family {
	return family{name, help, prometheus.CounterValue, nil, func(f Figures, emit emit) { emit(value(f)) }}
}

// by is a family with one label.
func by[N int | uint64](kind prometheus.ValueType, name, help, label string, values func(Figures) map[string]N) family {
	return family{name, help, kind, []string{label}, func(f Figures, emit emit) {
		for value, n := range values(f) {
			emit(float64(n), value)
		}
	}}
}

// byDoor is a counter of each door.
func byDoor(name, help string, value func(Door) uint64) family {
	return by(prometheus.CounterValue, name, help, "door", func(f Figures) map[string]uint64 {
		values := make(map[string]uint64, len(f.Doors))
		for name, door := range f.Doors {
			values[name] = value(door)
		}
		return values
	})
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
		c.described = append(c.described, prometheus.NewDesc("takos_call_"+f.name, f.help, f.labels, nil))
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
		f.values(figures, func(value float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(c.described[i], f.kind, value, labels...)
		})
	}
	to <- c.build
}
