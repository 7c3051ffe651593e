package sfu

import (
	"cmp"
	"slices"
)

// Router returns the open router with that id, or nil.
func (s *SFU) Router(id string) *Router {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.routers[id]
}

// Routers are the open routers, by id.
func (s *SFU) Routers() []*Router {
	list := s.openRouters()
	slices.SortFunc(list, func(a, b *Router) int { return cmp.Compare(a.id, b.id) })
	return list
}

// lookup returns the object of r with that id; nil if there is none.
func lookup[T any](r *Router, objects map[string]*T, id string) *T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return objects[id]
}

// listed is the objects of r in the order of their ids.
func listed[T any](r *Router, objects map[string]*T) []*T {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*T, 0, len(objects))
	for _, id := range sortedKeys(objects) {
		list = append(list, objects[id])
	}
	return list
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Transport returns the open transport with that id, or nil.
func (r *Router) Transport(id string) *Transport {
	if t := lookup(r, r.transports, id); t != nil && !t.isPipeEnd() {
		return t
	}
	return nil
}

// Transports are the open transports, by id.
func (r *Router) Transports() []*Transport {
	return slices.DeleteFunc(listed(r, r.transports), (*Transport).isPipeEnd)
}

// isPipeEnd reports whether t only stands for the other end of pipes inside the
// process; it is shown to nobody.
func (t *Transport) isPipeEnd() bool {
	_, is := t.kind.(pipeEnd)
	return is
}

// Producer returns the open producer with that id, or nil.
func (r *Router) Producer(id string) *Producer { return lookup(r, r.producers, id) }

// Producers are the open producers, by id.
func (r *Router) Producers() []*Producer { return listed(r, r.producers) }

// Consumer returns the open consumer with that id, or nil.
func (r *Router) Consumer(id string) *Consumer { return lookup(r, r.consumers, id) }

// Consumers are the open consumers, by id.
func (r *Router) Consumers() []*Consumer { return listed(r, r.consumers) }

// DataProducer returns the open data producer with that id, or nil.
func (r *Router) DataProducer(id string) *DataProducer { return lookup(r, r.dataProducers, id) }

// DataProducers are the open data producers, by id.
func (r *Router) DataProducers() []*DataProducer { return listed(r, r.dataProducers) }

// DataConsumer returns the open data consumer with that id, or nil.
func (r *Router) DataConsumer(id string) *DataConsumer { return lookup(r, r.dataConsumers, id) }

// DataConsumers are the open data consumers, by id.
func (r *Router) DataConsumers() []*DataConsumer { return listed(r, r.dataConsumers) }

// RTPObserver returns the open observer with that id, or nil.
func (r *Router) RTPObserver(id string) *RTPObserver { return lookup(r, r.observers, id) }

// RTPObservers are the open observers, by id.
func (r *Router) RTPObservers() []*RTPObserver { return listed(r, r.observers) }

// Kind returns the observer as what it is: an *[AudioLevelObserver] or an
// *[ActiveSpeakerObserver].
func (o *RTPObserver) Kind() any { return o.kind }

// Transport returns the transport that the messages come in on.
func (p *DataProducer) Transport() *Transport { return p.transport }

// Transport returns the transport that the messages go out on.
func (c *DataConsumer) Transport() *Transport { return c.transport }

// SFU returns the server that the router belongs to.
func (r *Router) SFU() *SFU { return r.sfu }
