package worker

import (
	"cmp"
	"slices"

	"github.com/takoserver/takos-call/internal/sfu"
)

// NewWebRTCServer opens sockets for the worker's transports. Errors:
// *ortc.Error, sfu.ErrClosed, sfu.ErrLimit, sfu.ErrPortInUse, sfu.ErrNoAddress.
func (w *Worker) NewWebRTCServer(list []sfu.ListenInfo, appData any) (*sfu.WebRTCServer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.openLocked("making a WebRTC server"); err != nil {
		return nil, err
	}
	v, err := w.registry.sfu.NewWebRTCServer(sfu.WebRTCServerOptions{ListenInfos: list, PortRange: w.settings.Ports, AppData: appData})
	if err != nil {
		return nil, err
	}
	w.servers[v.ID()] = v
	w.tellLocked(Event{Type: WebRTCServerCreated, Worker: w, WebRTCServer: v})
	return v, nil
}

// WebRTCServer returns the open WebRTC server of the worker with that id, or nil.
func (w *Worker) WebRTCServer(id string) *sfu.WebRTCServer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.servers[id]
}

// WebRTCServers are those that are open, by id.
func (w *Worker) WebRTCServers() []*sfu.WebRTCServer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.serversLocked()
}

func (w *Worker) serversLocked() []*sfu.WebRTCServer {
	list := make([]*sfu.WebRTCServer, 0, len(w.servers))
	for _, v := range w.servers {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b *sfu.WebRTCServer) int { return cmp.Compare(a.ID(), b.ID()) })
	return list
}

// CloseWebRTCServer closes a WebRTC server of the worker, and the transports that
// are reached at it.
func (w *Worker) CloseWebRTCServer(v *sfu.WebRTCServer) {
	w.mu.Lock()
	open := w.servers[v.ID()] == v
	delete(w.servers, v.ID())
	routers := slices.Clone(w.order)
	w.mu.Unlock()
	if !open {
		return
	}
	v.Close()
	for _, r := range routers {
		r.Settle() // so that the ends of its transports come first
	}
	w.tell(Event{Type: WebRTCServerClosed, Worker: w, WebRTCServer: v})
}
