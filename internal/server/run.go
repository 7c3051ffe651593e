package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/takoserver/takos-call/internal/admin"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
	"github.com/takoserver/takos-call/internal/signal/takoscall"
	"github.com/takoserver/takos-call/internal/worker"
)

// Run serves until ctx ends, then drains: it takes no new rooms, tells the
// clients, and ends when everybody has left or at the deadline. It returns
// nil after an end that was asked for, and closes the server in any case.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, len(s.listeners))
	var serving sync.WaitGroup
	for _, l := range s.listeners {
		serving.Go(func() {
			serve := s.http.Serve
			if s.config.HTTPS() {
				serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
			}
			if err := serve(s.gate.guard(l)); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve HTTP on %s: %w", l.Addr(), err)
			}
		})
	}
	defer serving.Wait() // Close, which runs first, ends them
	defer s.Close()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.drain()
	return nil
}

// drain lets the calls that there are come to an end.
func (s *Server) drain() {
	s.rooms.Drain()
	s.workers.Drain()
	deadline := time.Now().Add(s.config.DrainDeadline)
	s.log.Info("draining: no new rooms, workers and routers; a second signal does not wait", "rooms", len(s.rooms.Rooms()), "deadline", s.config.DrainDeadline)
	for _, d := range s.doors() {
		d.Drain(deadline)
	}
	if s.drained != nil {
		s.drained()
	}
	changed, stop := s.departures()
	defer stop()
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	for s.rooms.Stats().Peers > 0 || s.workers.Connected() > 0 { // a room without peers waits for nobody
		select {
		case <-changed:
		case <-timer.C:
			s.log.Warn("the deadline has come; calls are cut off", "rooms", len(s.rooms.Rooms()), "peers", s.rooms.Stats().Peers,
				"transports of workers", s.workers.Connected())
			return
		}
	}
}

// departures yields something whenever somebody has left a room or the routers of
// a worker.
func (s *Server) departures() (changed <-chan struct{}, stop func()) {
	told := make(chan struct{}, 1)
	tell := func() {
		select {
		case told <- struct{}{}:
		default:
		}
	}
	stops := []func(){s.rooms.Observe(func(e room.Event) {
		if e.Type == room.RoomClosed || e.Type == room.PeerClosed {
			tell()
		}
	})}
	for _, w := range s.workers.Workers() { // there will be no others
		stops = append(stops, w.Observe(func(e worker.Event) {
			if e.Type == worker.Closed || e.Type == worker.RouterEvent && e.Media.Type == sfu.EventTransportClosed {
				tell()
			}
		}))
	}
	return told, func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// NotReady implements admin.Readiness.
func (s *Server) NotReady() []string {
	if s.rooms.Draining() {
		return []string{"the server is about to end and takes no new rooms"}
	}
	return nil
}

// Figures implements admin.Source.
func (s *Server) Figures() admin.Figures {
	media, rooms, api := s.sfu.Stats(), s.rooms.Stats(), s.api.Stats()
	f := admin.Figures{
		Rooms: rooms.Rooms, Peers: rooms.Peers, Connections: int(s.gate.open.Load()),
		Transports: map[string]int{}, Producers: map[string]int{}, Consumers: map[string]int{},
		PacketsReceived: media.DatagramsReceived, BytesReceived: media.BytesReceived,
		PacketsSent: media.DatagramsSent, BytesSent: media.BytesSent,
		Drops: media.Drops,
		TCP:   tcpFigures(media.TCP),
		Joins: rooms.Joins, Refused: rooms.Refused,
		Handshakes: media.Handshakes, HandshakesFailed: media.HandshakesFailed,
		Panics:   media.Panics + api.Panics + s.panics.Load(),
		Doors:    map[string]admin.Door{"takos-api": apiFigures(api), "call": callFigures(s.call.Stats())},
		Draining: s.rooms.Draining(),
	}
	for state, n := range media.Transports {
		f.Transports[string(state)] = n
	}
	for kind, n := range media.Producers {
		f.Producers[string(kind)] = n
	}
	for kind, n := range media.Consumers {
		f.Consumers[string(kind)] = n
	}
	return f
}

func tcpFigures(t sfu.TCPStats) admin.TCP {
	return admin.TCP{
		Open: t.Open, Unproven: t.Unproven,
		Accepted: t.Accepted, Refused: t.Refused + t.Evicted, Malformed: t.Malformed,
		PacketsReceived: t.PacketsReceived, BytesReceived: t.BytesReceived,
		PacketsSent: t.PacketsSent, BytesSent: t.BytesSent,
	}
}

func apiFigures(d takosapi.Stats) admin.Door {
	return admin.Door{Sessions: d.Connections, Slow: d.TooSlow, Errors: byName(d.Errors)}
}

func callFigures(d takoscall.Stats) admin.Door {
	return admin.Door{Sessions: d.Sessions, Slow: d.TooSlow, Errors: byName(d.Errors)}
}

func byName[Code ~string](errors map[Code]uint64) map[string]uint64 {
	named := make(map[string]uint64, len(errors))
	for code, n := range errors {
		named[string(code)] = n
	}
	return named
}
