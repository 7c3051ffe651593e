// Package roomtest is a participant with real media, for tests of the room and
// of the doors: ICE, DTLS and SRTP over loopback, as from a browser.
package roomtest

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/takoserver/takos-call/internal/loadtest"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
)

// Level is how loud a Voice is, in dBov.
const Level = -20

// Voice is a participant whose microphone hears somebody all the time. It is
// connected and sends; its producer is paused until Resume.
type Voice struct {
	Peer     *room.Peer
	Producer *room.Producer

	pool      *loadtest.Pool
	transport *room.Transport
}

// Join adds a participant to the room and connects it; all events of that are
// over when it returns. Close it.
func Join(r *room.Room, id string) (*Voice, error) {
	peer, err := r.AddPeer(id, room.PeerOptions{})
	if err != nil {
		return nil, err
	}
	pool, err := loadtest.NewPool(loadtest.Options{})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	v := &Voice{Peer: peer, pool: pool}
	if err := v.connect(ctx); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

func (v *Voice) connect(ctx context.Context) error {
	r := v.Peer.Room()
	connected := make(chan struct{}, 1)
	_, stop := r.Observe(func(e room.Event) {
		if e.Type == room.TransportState && e.Peer == v.Peer && e.Transport.WebRTC().DTLSState() == "connected" {
			select {
			case connected <- struct{}{}:
			default:
			}
		}
	})
	defer stop()
	if _, err := v.pool.Sender(ctx, v, loadtest.SenderOptions{Audio: true}); err != nil {
		return err
	}
	// The client is through before the server has told it, and what was told may
	// have been of ICE. The rest is told before what is told from now on.
	if err := wait(ctx, connected); err != nil {
		return err
	}
	told := make(chan struct{})
	after, err := r.Router().NewActiveSpeakerObserver(sfu.ActiveSpeakerObserverOptions{
		Events: sfu.ActiveSpeakerObserverEvents{Closed: func(sfu.CloseReason) { close(told) }},
	})
	if err != nil {
		return err
	}
	after.Close()
	return wait(ctx, told)
}

func wait(ctx context.Context, what <-chan struct{}) error {
	select {
	case <-what:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close makes the participant leave.
func (v *Voice) Close() error {
	v.Peer.Close()
	return v.pool.Close()
}

// CreateTransport implements loadtest.TransportSignalling.
func (v *Voice) CreateTransport(context.Context, loadtest.Direction) (info loadtest.TransportInfo, err error) {
	if v.transport, err = v.Peer.CreateTransport(room.Send, room.TransportOptions{}); err != nil {
		return info, err
	}
	w := v.transport.WebRTC()
	return recode[loadtest.TransportInfo](map[string]any{
		"id": w.ID(), "iceParameters": w.ICEParameters(), "iceCandidates": w.ICECandidates(), "dtlsParameters": w.DTLSParameters(),
	})
}

// ConnectTransport implements loadtest.TransportSignalling.
func (v *Voice) ConnectTransport(_ context.Context, _ string, p loadtest.DTLSParameters) error {
	remote, err := recode[room.DTLSParameters](p)
	if err != nil {
		return err
	}
	return v.transport.Connect(remote)
}

// Produce implements loadtest.SendSignalling.
func (v *Voice) Produce(_ context.Context, _ string, kind ortc.MediaKind, p ortc.RTPParameters) (string, error) {
	var err error
	v.Producer, err = v.transport.Produce(room.ProduceOptions{Kind: kind, RTPParameters: p, Paused: true, Source: "mic"})
	if err != nil {
		return "", err
	}
	return v.Producer.ID(), nil
}

// recode is from as the other type with the same JSON.
func recode[T any](from any) (to T, err error) {
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, &to)
	}
	return to, err
}
