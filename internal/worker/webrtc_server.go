package worker

import (
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
	w.servers = append(w.servers, v)
	w.tellLocked(Event{Type: WebRTCServerCreated, Worker: w, WebRTCServer: v})
	return v, nil
}

// WebRTCServer returns the open WebRTC server of the worker with that id, or nil.
func (w *Worker) WebRTCServer(id string) *sfu.WebRTCServer {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, v := range w.servers {
		if v.ID() == id {
			return v
		}
	}
	return nil
}

// WebRTCServers are those that are open, the oldest first.
func (w *Worker) WebRTCServers() []*sfu.WebRTCServer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.servers)
}

// CloseWebRTCServer closes a WebRTC server of the worker, and the transports that
// are reached at it.
func (w *Worker) CloseWebRTCServer(v *sfu.WebRTCServer) {
	w.mu.Lock()
	open := slices.Contains(w.servers, v)
	w.servers = slices.DeleteFunc(w.servers, func(other *sfu.WebRTCServer) bool { return other == v })
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
