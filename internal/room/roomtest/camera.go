package roomtest

import (
	"context"
	"errors"
	"time"

	"github.com/takoserver/takos-call/internal/loadtest"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
)

// Camera is a participant who sends video all the time, and has announced an
// encoding larger than the only one that is sent. It is connected; its producer
// is paused until Resume.
type Camera struct {
	Peer     *room.Peer
	Producer *room.Producer

	line
	pool *loadtest.Pool
}

// Film adds a participant with a camera to the room and connects it. Close it.
func Film(r *room.Room, id string) (*Camera, error) {
	peer, err := r.AddPeer(id, room.PeerOptions{})
	if err != nil {
		return nil, err
	}
	c := &Camera{Peer: peer}
	if c.transport, err = peer.CreateTransport(room.Send, room.TransportOptions{}); err != nil {
		return nil, err
	}
	c.pool, err = connected(func(ctx context.Context, pool *loadtest.Pool) error {
		_, err := pool.Sender(ctx, c, loadtest.SenderOptions{Video: &loadtest.Video{Bitrate: 100_000, Width: 320, Height: 180}})
		return err
	})
	return c, err
}

// Produce implements loadtest.SendSignalling.
func (c *Camera) Produce(_ context.Context, _ string, kind ortc.MediaKind, p ortc.RTPParameters) (string, error) {
	p.Encodings = append(p.Encodings, ortc.RTPEncodingParameters{SSRC: p.Encodings[0].SSRC ^ 1<<16})
	var err error
	c.Producer, err = c.transport.Produce(room.ProduceOptions{Kind: kind, RTPParameters: p, Paused: true, Source: "camera"})
	if err != nil {
		return "", err
	}
	return c.Producer.ID(), nil
}

// Close makes the participant leave.
func (c *Camera) Close() error {
	c.Peer.Close()
	return c.pool.Close()
}

// Viewer receives over a transport of a participant. What arrives is only looked
// at.
type Viewer struct {
	line
	pool *loadtest.Pool
}

// View connects the receiving transport of a participant. Close it.
func View(t *room.Transport) (*Viewer, error) {
	v := &Viewer{line: line{t}}
	var err error
	v.pool, err = connected(func(ctx context.Context, pool *loadtest.Pool) error {
		_, err := pool.Receiver(ctx, v)
		return err
	})
	return v, err
}

// Consume implements loadtest.ReceiveSignalling; consumers are made elsewhere.
func (v *Viewer) Consume(context.Context, string, string) (info loadtest.ConsumerInfo, err error) {
	return info, errors.ErrUnsupported
}

// Close ends the reception.
func (v *Viewer) Close() error { return v.pool.Close() }

// connected runs what connects a client, and returns the pool that it is in.
func connected(connect func(context.Context, *loadtest.Pool) error) (*loadtest.Pool, error) {
	pool, err := loadtest.NewPool(loadtest.Options{})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := connect(ctx, pool); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return pool, nil
}

// line is the signalling of a transport that there is already.
type line struct{ transport *room.Transport }

// CreateTransport implements loadtest.TransportSignalling.
func (l line) CreateTransport(context.Context, loadtest.Direction) (loadtest.TransportInfo, error) {
	w := l.transport.WebRTC()
	return recode[loadtest.TransportInfo](map[string]any{
		"id": w.ID(), "iceParameters": w.ICEParameters(), "iceCandidates": w.ICECandidates(), "dtlsParameters": w.DTLSParameters(),
	})
}

// ConnectTransport implements loadtest.TransportSignalling.
func (l line) ConnectTransport(_ context.Context, _ string, p loadtest.DTLSParameters) error {
	remote, err := recode[room.DTLSParameters](p)
	if err != nil {
		return err
	}
	return l.transport.Connect(remote)
}
