package sfu

import (
	"sync"
	"sync/atomic"

	"github.com/takoserver/takos-call/internal/udp"
)

// pathTable finds the transport of a 5-tuple. Readers take no lock; a change
// copies one of its many small maps.
type pathTable struct {
	mu     sync.Mutex // serializes changes
	shards [256]atomic.Pointer[map[udp.Path]*WebRTCTransport]
	// changes counts changes, so that a reader may remember its last answer.
	changes atomic.Uint64
}

func (p *pathTable) find(path udp.Path) *WebRTCTransport {
	shard := p.shards[uint8(path.Hash())].Load()
	if shard == nil {
		return nil
	}
	return (*shard)[path]
}

// set maps path to t.
func (p *pathTable) set(path udp.Path, t *WebRTCTransport) {
	p.change(path, func(m map[udp.Path]*WebRTCTransport) { m[path] = t })
}

// remove forgets path if it still belongs to t: a browser's port may have been
// used again for another transport meanwhile.
func (p *pathTable) remove(path udp.Path, t *WebRTCTransport) {
	p.change(path, func(m map[udp.Path]*WebRTCTransport) {
		if m[path] == t {
			delete(m, path)
		}
	})
}

func (p *pathTable) change(path udp.Path, f func(map[udp.Path]*WebRTCTransport)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	shard := &p.shards[uint8(path.Hash())]
	next := map[udp.Path]*WebRTCTransport{}
	if old := shard.Load(); old != nil {
		for k, v := range *old {
			next[k] = v
		}
	}
	f(next)
	shard.Store(&next)
	p.changes.Add(1)
}

// ufragTable finds the transport of an ICE username fragment, for STUN from a
// path that is not known yet.
type ufragTable struct {
	mu sync.RWMutex
	m  map[string]*WebRTCTransport
}

func (u *ufragTable) find(ufrag string) *WebRTCTransport {
	u.mu.RLock()
	defer u.mu.RUnlock()
	return u.m[ufrag]
}

func (u *ufragTable) set(ufrag string, t *WebRTCTransport) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.m == nil {
		u.m = map[string]*WebRTCTransport{}
	}
	u.m[ufrag] = t
}

func (u *ufragTable) remove(ufrag string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.m, ufrag)
}
