package roomtest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/takoserver/takos-call/internal/loadtest"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
)

// patience is far more than anything here takes.
const patience = 20 * time.Second

// Camera is a participant who sends video from Start on, and has announced an
// encoding larger than the only one that is sent. It is connected; its producer
// is paused until Resume.
type Camera struct {
	Peer     *room.Peer
	Producer *room.Producer

	line
	pool  *loadtest.Pool
	stop  context.CancelFunc
	begin func()        // lets Produce return
	begun chan struct{} // closed by begin
	made  chan struct{} // closed when there is the producer
	ended chan error    // what connecting came to
}

// Film adds a participant with a camera to the room and connects it. Close it.
func Film(r *room.Room, id string) (*Camera, error) {
	peer, err := r.AddPeer(id, room.PeerOptions{})
	if err != nil {
		return nil, err
	}
	t, err := peer.CreateTransport(room.Send, room.TransportOptions{})
	if err != nil {
		return nil, err
	}
	return FilmOver(t)
}

// FilmOver connects a sending transport of a participant and gives it a camera.
// Close it.
func FilmOver(t *room.Transport) (*Camera, error) {
	pool, err := loadtest.NewPool(loadtest.Options{})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	c := &Camera{
		Peer: t.Peer(), line: line{t}, pool: pool, stop: stop,
		begun: make(chan struct{}), made: make(chan struct{}), ended: make(chan error, 1),
	}
	c.begin = sync.OnceFunc(func() { close(c.begun) })
	go func() {
		_, err := pool.Sender(ctx, c, loadtest.SenderOptions{Video: &loadtest.Video{Bitrate: 100_000, Width: 320, Height: 180}})
		c.ended <- err
	}()
	select {
	case <-c.made:
		return c, nil
	case err := <-c.ended:
		stop()
		return nil, errors.Join(err, pool.Close())
	}
}

// Start makes the camera send.
func (c *Camera) Start() { c.begin() }

// Produce implements loadtest.SendSignalling. It returns with Start.
func (c *Camera) Produce(ctx context.Context, _ string, kind ortc.MediaKind, p ortc.RTPParameters) (string, error) {
	p.Encodings = append(p.Encodings, ortc.RTPEncodingParameters{SSRC: p.Encodings[0].SSRC ^ 1<<16})
	var err error
	c.Producer, err = c.transport.Produce(room.ProduceOptions{Kind: kind, RTPParameters: p, Paused: true, Source: "camera"})
	if err != nil {
		return "", err
	}
	close(c.made)
	select {
	case <-c.begun:
		return c.Producer.ID(), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Close ends the connection, and its transport with it.
func (c *Camera) Close() error {
	c.begin()
	err := <-c.ended
	c.stop()
	return errors.Join(err, c.pool.Close())
}

// Viewer receives over a transport of a participant. What arrives is only looked
// at.
type Viewer struct {
	line
	pool *loadtest.Pool
}

// View connects the receiving transport of a participant. Close it.
func View(t *room.Transport) (*Viewer, error) {
	pool, err := loadtest.NewPool(loadtest.Options{})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	v := &Viewer{line{t}, pool}
	if _, err := pool.Receiver(ctx, v); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return v, nil
}

// Consume implements loadtest.ReceiveSignalling; consumers are made elsewhere.
func (v *Viewer) Consume(context.Context, string, string) (info loadtest.ConsumerInfo, err error) {
	return info, errors.ErrUnsupported
}

// Close ends the reception.
func (v *Viewer) Close() error { return v.pool.Close() }

// Show is somebody with a camera, and somebody who receives it.
type Show struct {
	*Camera
	viewer *Viewer
}

// Open fills the room with a camera, off, and a viewer. All that is to be told of
// their connections is told when it returns, and that nobody wants what the
// sender has turned off. Close it.
func Open(r *room.Room, sender, viewer string) (*Show, error) {
	connected, stop := connections(r)
	defer stop()
	unwanted := make(chan struct{}, 1)
	_, stopWanted := r.Observe(func(e room.Event) {
		if e.Type == room.ProducerLayersWanted && e.WantedSpatial == nil {
			unwanted <- struct{}{}
		}
	})
	defer stopWanted()
	c, err := Film(r, sender)
	if err != nil {
		return nil, err
	}
	s := &Show{Camera: c}
	if s.viewer, err = watch(r, viewer, c.Producer); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	for _, what := range []<-chan struct{}{connected, connected, unwanted} {
		select {
		case <-what:
		case <-time.After(patience):
			return nil, errors.Join(errors.New("not connected"), s.Close())
		}
	}
	return s, nil
}

// connections yields something for each transport that is connected.
func connections(r *room.Room) (connected <-chan struct{}, stop func()) {
	told := make(chan struct{}, 100)
	seen := map[*room.Transport]bool{} // events come one after another
	_, stop = r.Observe(func(e room.Event) {
		if e.Type == room.TransportState && !seen[e.Transport] && e.Transport.WebRTC().DTLSState() == "connected" {
			seen[e.Transport] = true
			told <- struct{}{}
		}
	})
	return told, stop
}

// watch adds a participant who receives the producer.
func watch(r *room.Room, id string, p *room.Producer) (*Viewer, error) {
	peer, err := r.AddPeer(id, room.PeerOptions{})
	if err != nil {
		return nil, err
	}
	t, err := peer.CreateTransport(room.Receive, room.TransportOptions{})
	if err != nil {
		return nil, err
	}
	v, err := View(t)
	if err != nil {
		return nil, err
	}
	_, err = t.Consume(room.ConsumeOptions{ProducerID: p.ID(), RTPCapabilities: r.RTPCapabilities()})
	return v, err
}

// TurnOn makes the camera send, and be forwarded.
func (s *Show) TurnOn() {
	s.Producer.Resume()
	s.Start()
}

// Close ends both.
func (s *Show) Close() error {
	err := s.Camera.Close()
	if s.viewer != nil {
		err = errors.Join(err, s.viewer.Close())
	}
	return err
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
