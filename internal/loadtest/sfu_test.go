package loadtest

import (
	"context"
	"encoding/json"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
)

// direct is signalling by calls: a router of our own SFU, in this process.
// Objects go through JSON, as they do over any other way.
type direct struct {
	router *sfu.Router

	mu         sync.Mutex
	transports map[string]*sfu.WebRTCTransport
}

func newDirect(t testing.TB) *direct {
	t.Helper()
	s, err := sfu.New(sfu.Options{ListenIPs: []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, Announced: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	router, err := s.NewRouter(sfu.RouterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &direct{router: router, transports: map[string]*sfu.WebRTCTransport{}}
}

// convert turns a value into another of the same shape.
func convert[To any](from any) (to To, err error) {
	text, err := json.Marshal(from)
	if err != nil {
		return to, err
	}
	return to, json.Unmarshal(text, &to)
}

func (d *direct) transport(id string) *sfu.WebRTCTransport {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.transports[id]
}

func (d *direct) CreateTransport(context.Context, Direction) (TransportInfo, error) {
	t, err := d.router.NewWebRTCTransport(sfu.WebRTCTransportOptions{})
	if err != nil {
		return TransportInfo{}, err
	}
	d.mu.Lock()
	d.transports[t.ID()] = t
	d.mu.Unlock()
	return convert[TransportInfo](map[string]any{
		"id": t.ID(), "iceParameters": t.ICEParameters(), "iceCandidates": t.ICECandidates(), "dtlsParameters": t.DTLSParameters(),
	})
}

func (d *direct) ConnectTransport(_ context.Context, id string, p DTLSParameters) error {
	parameters, err := convert[dtls.Parameters](p)
	if err != nil {
		return err
	}
	return d.transport(id).Connect(parameters)
}

func (d *direct) Produce(_ context.Context, id string, kind ortc.MediaKind, p ortc.RTPParameters) (string, error) {
	parameters, err := convert[ortc.RTPParameters](p)
	if err != nil {
		return "", err
	}
	producer, err := d.transport(id).Produce(sfu.ProducerOptions{Kind: kind, RTPParameters: parameters})
	if err != nil {
		return "", err
	}
	return producer.ID(), nil
}

func (d *direct) Consume(_ context.Context, id, producerID string) (ConsumerInfo, error) {
	c, err := d.transport(id).Consume(sfu.ConsumerOptions{ProducerID: producerID, RTPCapabilities: d.router.RTPCapabilities()})
	if err != nil {
		return ConsumerInfo{}, err
	}
	return convert[ConsumerInfo](map[string]any{
		"id": c.ID(), "producerId": c.ProducerID(), "kind": c.Kind(), "rtpParameters": c.RTPParameters(),
	})
}

func TestOurSFUForwardsToMany(t *testing.T) {
	for name, o := range map[string]Options{"as a browser": {}, "in bulk, as DTLS server": {JoinDatagrams: true, DTLSRole: RoleServer}} {
		t.Run(name, func(t *testing.T) {
			d, p := newDirect(t), newPool(t, o)
			report, err := p.Run(withPatience(t), Load{
				Senders: 1, Receivers: 20, Sender: SenderOptions{Video: &Video{}, Audio: true},
				Warmup: 500 * time.Millisecond, Duration: time.Second,
			}, oneWay{signalling: d})
			if err != nil {
				t.Fatal(err)
			}
			if !report.Whole(0) || report.Keyframe.Count() != 20 {
				t.Errorf("%s", report)
			}
			// None was lost; on a busy machine the last may still be under way.
			if report.Received < report.Sent*15 || report.Sent < 150 {
				t.Errorf("%s", report)
			}
		})
	}
}
