package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	api "github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/ortc"
)

// Control loads the door rather than the media: it has a worker and a router of its
// own on the server, and one connection.
type Control struct {
	client                     *api.Client
	workerID, routerID, silent string // silent is a direct transport
	producerID                 string // on it
	capabilities               json.RawMessage
}

// OpenControl makes what the commands are about. Close it.
func OpenControl(ctx context.Context, c *api.Client) (*Control, error) {
	o := &Control{client: c}
	var made struct {
		ID           string          `json:"id"`
		Capabilities json.RawMessage `json:"rtpCapabilities"`
	}
	for _, step := range []struct {
		id      *string
		command string
		data    func() map[string]any
	}{
		{&o.workerID, "worker.create", func() map[string]any { return map[string]any{"onDisconnect": "close"} }},
		{&o.routerID, "worker.createRouter", func() map[string]any {
			return map[string]any{"workerId": o.workerID, "mediaCodecs": []any{map[string]any{
				"kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2,
			}}}
		}},
		{&o.silent, "router.createDirectTransport", func() map[string]any { return map[string]any{"routerId": o.routerID} }},
		{&o.producerID, "transport.produce", func() map[string]any {
			return map[string]any{"routerId": o.routerID, "transportId": o.silent, "kind": "audio", "rtpParameters": map[string]any{
				"codecs":    []any{map[string]any{"mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2}},
				"encodings": []any{map[string]any{"ssrc": 1}},
			}}
		}},
	} {
		if err := c.Call(ctx, step.command, step.data(), &made); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", step.command, err), o.Close(ctx))
		}
		*step.id = made.ID
		if step.command == "worker.createRouter" {
			o.capabilities = made.Capabilities
		}
	}
	return o, nil
}

// Close ends the worker and all that is in it.
func (o *Control) Close(ctx context.Context) error {
	if o.workerID == "" {
		return nil
	}
	return o.client.Call(ctx, "worker.close", map[string]any{"workerId": o.workerID}, nil)
}

// ControlReport is what a load of commands has shown.
type ControlReport struct {
	Count    uint64
	Duration time.Duration
	Latency  Histogram // from sending a command to its answer, or of a whole join
}

// PerSecond is how many there were in a second.
func (r *ControlReport) PerSecond() float64 { return perSecond(float64(r.Count), r.Duration) }

// Flood sends simple commands until ctx ends, with so many under way at a time.
func (o *Control) Flood(ctx context.Context, atOnce int) (*ControlReport, error) {
	return repeat(ctx, atOnce, func(work context.Context, i uint64) error {
		return o.client.Call(work, "transport.setMaxIncomingBitrate",
			map[string]any{"routerId": o.routerID, "transportId": o.silent, "bitrate": 100000 + i%100000}, nil)
	})
}

// Join has clients come and go until ctx ends, so many at a time: each has a
// transport, connects it with ICE and DTLS, produces, and has a consumer.
func (o *Control) Join(ctx context.Context, p *Pool, atOnce int) (*ControlReport, error) {
	return repeat(ctx, atOnce, func(work context.Context, _ uint64) error {
		who := &controlPeer{control: o}
		sender, err := p.Sender(work, who, SenderOptions{Audio: true})
		if err != nil {
			return err
		}
		return errors.Join(sender.Close(), o.client.Call(work, "transport.close", who.ref(), nil))
	})
}

// repeat does what it is given until ctx ends. What has begun is finished.
func repeat(ctx context.Context, atOnce int, do func(work context.Context, i uint64) error) (*ControlReport, error) {
	var (
		count   atomic.Uint64
		workers sync.WaitGroup
		mu      sync.Mutex
		report  ControlReport
		failed  error
	)
	work := context.WithoutCancel(ctx)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	began := time.Now()
	for range atOnce {
		workers.Go(func() {
			var latency Histogram
			var err error
			for ctx.Err() == nil && err == nil {
				at := time.Now()
				if err = do(work, count.Add(1)); err == nil {
					latency.Add(time.Since(at))
				} else {
					stop()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			report.Latency.Merge(&latency)
			failed = errors.Join(failed, err)
		})
	}
	workers.Wait()
	report.Duration, report.Count = time.Since(began), report.Latency.Count()
	return &report, failed
}

// controlPeer implements SendSignalling with the commands of objects.
type controlPeer struct {
	control     *Control
	transportID string
}

func (p *controlPeer) ref() map[string]any {
	return map[string]any{"routerId": p.control.routerID, "transportId": p.transportID}
}

// CreateTransport implements TransportSignalling.
func (p *controlPeer) CreateTransport(ctx context.Context, _ Direction) (info TransportInfo, err error) {
	err = p.control.client.Call(ctx, "router.createWebRtcTransport", map[string]any{"routerId": p.control.routerID}, &info)
	p.transportID = info.ID
	return info, err
}

// ConnectTransport implements TransportSignalling.
func (p *controlPeer) ConnectTransport(ctx context.Context, _ string, d DTLSParameters) error {
	data := p.ref()
	data["dtlsParameters"] = d
	return p.control.client.Call(ctx, "transport.connect", data, nil)
}

// Produce implements SendSignalling, and has the client receive, too.
func (p *controlPeer) Produce(ctx context.Context, _ string, kind ortc.MediaKind, o ortc.RTPParameters) (string, error) {
	var made struct {
		ID string `json:"id"`
	}
	data := p.ref()
	data["kind"], data["rtpParameters"] = kind, o
	if err := p.control.client.Call(ctx, "transport.produce", data, &made); err != nil {
		return "", err
	}
	data = p.ref()
	data["producerId"], data["rtpCapabilities"] = p.control.producerID, p.control.capabilities
	return made.ID, p.control.client.Call(ctx, "transport.consume", data, nil)
}
