package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/config"
	"github.com/takoserver/takos-call/internal/loadtest"
	"github.com/takoserver/takos-call/internal/ortc"
)

// loadtestCommand sends one video to many receivers through a running server
// and says what that costs it.
type loadtestCommand struct {
	remote `embed:""`

	Receivers    int            `name:"receivers" default:"50" help:"How many receive."`
	Bitrate      config.Bitrate `name:"bitrate" default:"1500k" help:"Of the video, in bits a second."`
	Audio        bool           `name:"audio" help:"Send Opus as well."`
	Warmup       time.Duration  `name:"warmup" default:"3s" help:"From the last join to the measurement."`
	Duration     time.Duration  `name:"duration" default:"15s" help:"Of the measurement."`
	LocalIP      netip.Addr     `name:"local-ip" placeholder:"IP" help:"Address to send from; the server is reached at its candidates of the same family."`
	DecryptEvery int            `name:"decrypt-every" default:"20" help:"Receivers decrypt every n-th packet only, so that they leave the machine to the server."`
	Join         bool           `name:"join" default:"true" negatable:"" help:"Receivers take packets in runs (UDP_GRO). On loopback the work of cutting runs up is otherwise the server's, which no network card would give it."`
	JSON         bool           `name:"json" help:"Write the figures as JSON."`
}

// Run measures and prints.
func (l *loadtestCommand) Run(ctx context.Context, sources *config.Sources, c console) error {
	settings, err := sources.Load()
	if err != nil {
		return settingsError{err}
	}
	url := l.URL
	if url == "" {
		url = settings.LocalURL()
	}
	l.timeout = time.Minute + time.Duration(l.Receivers)*time.Second + l.Warmup + l.Duration
	return l.do(ctx, sources, func(ctx context.Context, api *client.Client) error {
		figures, report, err := l.measure(ctx, api, url+"/metrics")
		if err != nil {
			return err
		}
		if l.JSON {
			return writeJSON(c.out, figures)
		}
		_, err = fmt.Fprintf(c.out, "%s\n%s", report, figures)
		return err
	})
}

// loadFigures are what a load has shown and what it cost.
type loadFigures struct {
	Receivers int     `json:"receivers"`
	Seconds   float64 `json:"seconds"`

	PacketsSent   uint64  `json:"packetsSent"`   // by the server, while it was measured
	MicrosPerSent float64 `json:"cpuMicros"`     // of the server's CPU, for each packet it sent
	Cores         float64 `json:"cores"`         // that the server used
	Lost          int64   `json:"lost"`          // packets that never came
	LossPercent   float64 `json:"lossPercent"`   // of what should have come
	P50Millis     float64 `json:"p50Millis"`     // latency that the server and the machine add
	P99Millis     float64 `json:"p99Millis"`     //
	KiBPerPeer    float64 `json:"kibPerPeer"`    // resident memory that each receiver has added
	Faults        uint64  `json:"faults"`        // packets that were not what was sent
	Silent        int     `json:"silent"`        // receivers that got nothing
	JoinP99Millis float64 `json:"joinP99Millis"` // ICE, DTLS and signalling
}

// String is the figures of the server in a line or two.
func (f loadFigures) String() string {
	return fmt.Sprintf("server: %.2f CPU-µs per packet sent, %.2f cores, %d packets in %.0f s; loss %.3f %%; latency p50 %.2f ms, p99 %.2f ms; %.0f KiB per receiver\n",
		f.MicrosPerSent, f.Cores, f.PacketsSent, f.Seconds, f.LossPercent, f.P50Millis, f.P99Millis, f.KiBPerPeer)
}

// measure runs the load in a room of its own.
func (l *loadtestCommand) measure(ctx context.Context, api *client.Client, metrics string) (loadFigures, *loadtest.Report, error) {
	fail := func(err error) (loadFigures, *loadtest.Report, error) { return loadFigures{}, nil, err }
	room := "loadtest-" + rand.Text()
	if _, err := api.CreateRoom(ctx, room, client.RoomOptions{}); err != nil {
		return fail(fmt.Errorf("make a room: %w", err))
	}
	defer func() { _ = api.CloseRoom(context.WithoutCancel(ctx), room) }()
	pool, err := loadtest.NewPool(loadtest.Options{LocalIP: l.LocalIP, JoinDatagrams: l.Join, DecryptEvery: l.DecryptEvery})
	if err != nil {
		return fail(err)
	}
	defer pool.Close()
	sender, err := newSignalling(ctx, api, room, "sender")
	if err != nil {
		return fail(err)
	}

	before, err := readProcess(ctx, metrics)
	if err != nil {
		return fail(err)
	}
	var begin, end process
	var beginErr, endErr error
	report, err := pool.Fanout(ctx, loadtest.Fanout{
		Receivers: l.Receivers,
		Sender:    loadtest.SenderOptions{Video: &loadtest.Video{Bitrate: int(l.Bitrate)}, Audio: l.Audio},
		Warmup:    l.Warmup, Duration: l.Duration,
		Begin: func() { begin, beginErr = readProcess(ctx, metrics) },
		End:   func() { end, endErr = readProcess(ctx, metrics) },
	}, sender, func(i int) (loadtest.ReceiveSignalling, error) {
		return newSignalling(ctx, api, room, "receiver-"+strconv.Itoa(i))
	})
	for _, err := range []error{err, beginErr, endErr} {
		if err != nil {
			return fail(err)
		}
	}
	return figuresOf(report, before, begin, end), report, nil
}

func figuresOf(report *loadtest.Report, before, begin, end process) loadFigures {
	millis := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	seconds, cpu := end.at.Sub(begin.at).Seconds(), end.cpuSeconds-begin.cpuSeconds
	f := loadFigures{
		Receivers:   report.Receivers,
		Seconds:     seconds,
		PacketsSent: uint64(end.packetsSent - begin.packetsSent),
		Cores:       cpu / seconds,
		Lost:        report.Lost,
		P50Millis:   millis(report.Latency.Quantile(0.5)),
		P99Millis:   millis(report.Latency.Quantile(0.99)),
		KiBPerPeer:  (end.residentBytes - before.residentBytes) / 1024 / float64(max(1, report.Receivers)),
		Faults:      report.Faults,
		Silent:      report.Silent,

		JoinP99Millis: millis(report.Connect.Quantile(0.99)),
	}
	if f.PacketsSent > 0 {
		f.MicrosPerSent = cpu * 1e6 / float64(f.PacketsSent)
	}
	if expected := int64(report.Received) + report.Lost; expected > 0 {
		f.LossPercent = 100 * float64(report.Lost) / float64(expected)
	}
	return f
}

// process is what the server says about itself in its metrics.
type process struct {
	at                                     time.Time
	cpuSeconds, residentBytes, packetsSent float64
}

// readProcess reads the few metrics that are needed.
func readProcess(ctx context.Context, url string) (process, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return process{}, err
	}
	answer, err := ownMachine().Do(request)
	if err != nil {
		return process{}, fmt.Errorf("read the server's metrics: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return process{}, fmt.Errorf("read the server's metrics: %s", answer.Status)
	}
	return parseProcess(answer.Body)
}

func parseProcess(metrics io.Reader) (process, error) {
	p := process{at: time.Now()}
	wanted := map[string]*float64{
		"process_cpu_seconds_total":                  &p.cpuSeconds,
		"process_resident_memory_bytes":              &p.residentBytes,
		`takos_call_packets_total{direction="sent"}`: &p.packetsSent,
	}
	lines := bufio.NewScanner(metrics)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if target := wanted[name]; target != nil {
			number, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return process{}, fmt.Errorf("read the server's metrics: %s: %w", name, err)
			}
			*target = number
			delete(wanted, name)
		}
	}
	if err := lines.Err(); err != nil {
		return process{}, fmt.Errorf("read the server's metrics: %w", err)
	}
	if len(wanted) > 0 {
		return process{}, fmt.Errorf("the server's metrics lack figures of the process; they exist on Linux only")
	}
	return p, nil
}

// signalling is how a client of the load reaches the server: a peer of the room,
// handled over /takos-api.
type signalling struct {
	api          *client.Client
	room, peer   string
	capabilities json.RawMessage
}

func newSignalling(ctx context.Context, api *client.Client, room, peer string) (*signalling, error) {
	if _, err := api.AddPeer(ctx, room, peer, client.PeerOptions{}); err != nil {
		return nil, fmt.Errorf("add peer %s: %w", peer, err)
	}
	capabilities, err := api.RouterRTPCapabilities(ctx, room)
	if err != nil {
		return nil, err
	}
	return &signalling{api, room, peer, capabilities}, nil
}

// CreateTransport makes a transport of the server.
func (s *signalling) CreateTransport(ctx context.Context, d loadtest.Direction) (loadtest.TransportInfo, error) {
	info, err := s.api.CreateTransport(ctx, s.room, s.peer, client.Direction(d), client.TransportOptions{})
	if err != nil {
		return loadtest.TransportInfo{}, err
	}
	return converted[loadtest.TransportInfo](info)
}

// ConnectTransport hands over the client's DTLS parameters.
func (s *signalling) ConnectTransport(ctx context.Context, transportID string, p loadtest.DTLSParameters) error {
	parameters, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.api.ConnectTransport(ctx, s.room, s.peer, transportID, parameters)
}

// Produce announces a stream.
func (s *signalling) Produce(ctx context.Context, transportID string, kind ortc.MediaKind, p ortc.RTPParameters) (string, error) {
	parameters, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	info, err := s.api.CreateProducer(ctx, s.room, s.peer, transportID, client.ProducerOptions{Kind: client.MediaKind(kind), RTPParameters: parameters})
	return info.ID, err
}

// Consume asks for a stream.
func (s *signalling) Consume(ctx context.Context, transportID, producerID string) (loadtest.ConsumerInfo, error) {
	info, err := s.api.CreateConsumer(ctx, s.room, s.peer, transportID, client.ConsumerOptions{ProducerID: producerID, RTPCapabilities: s.capabilities})
	if err != nil {
		return loadtest.ConsumerInfo{}, err
	}
	return converted[loadtest.ConsumerInfo](info)
}

// converted turns a value into another of the same shape in JSON.
func converted[To any](from any) (to To, err error) {
	text, err := json.Marshal(from)
	if err != nil {
		return to, err
	}
	return to, json.Unmarshal(text, &to)
}
