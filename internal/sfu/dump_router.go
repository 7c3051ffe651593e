package sfu

import "slices"

// Dumps are what objects hold at the moment, for people who look for a fault:
// under mediasoup's names, lists in the order of their ids. They are taken under
// the locks of what they show, so that they never show half a change.

// IDPair says which object belongs to which.
type IDPair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// IDList says which objects belong to one.
type IDList struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

// NumberPair says which object an SSRC or a stream belongs to.
type NumberPair struct {
	Key   uint32 `json:"key"`
	Value string `json:"value"`
}

// RouterDump is a router with its objects.
type RouterDump struct {
	ID             string   `json:"id"`
	TransportIDs   []string `json:"transportIds"`
	RTPObserverIDs []string `json:"rtpObserverIds"`

	ConsumersOfProducers         []IDList `json:"mapProducerIdConsumerIds"`
	ProducersOfConsumers         []IDPair `json:"mapConsumerIdProducerId"`
	ObserversOfProducers         []IDList `json:"mapProducerIdObserverIds"`
	DataConsumersOfDataProducers []IDList `json:"mapDataProducerIdDataConsumerIds"`
	DataProducersOfDataConsumers []IDPair `json:"mapDataConsumerIdDataProducerId"`
}

// Dump shows the router.
func (r *Router) Dump() RouterDump {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := RouterDump{
		ID: r.id, TransportIDs: []string{}, RTPObserverIDs: sortedKeys(r.observers),
		ConsumersOfProducers: []IDList{}, ProducersOfConsumers: []IDPair{}, ObserversOfProducers: []IDList{},
		DataConsumersOfDataProducers: []IDList{}, DataProducersOfDataConsumers: []IDPair{},
	}
	for _, id := range sortedKeys(r.transports) {
		if !r.transports[id].isPipeEnd() {
			d.TransportIDs = append(d.TransportIDs, id)
		}
	}
	for _, id := range sortedKeys(r.producers) {
		p := r.producers[id]
		d.ConsumersOfProducers = append(d.ConsumersOfProducers, IDList{id, idsOf(p.consumers)})
		d.ObserversOfProducers = append(d.ObserversOfProducers, IDList{id, r.observersOfLocked(p)})
	}
	for _, id := range sortedKeys(r.consumers) {
		d.ProducersOfConsumers = append(d.ProducersOfConsumers, IDPair{id, r.consumers[id].consumed.id})
	}
	for _, id := range sortedKeys(r.dataProducers) {
		d.DataConsumersOfDataProducers = append(d.DataConsumersOfDataProducers, IDList{id, idsOf(r.dataProducers[id].consumers)})
	}
	for _, id := range sortedKeys(r.dataConsumers) {
		d.DataProducersOfDataConsumers = append(d.DataProducersOfDataConsumers, IDPair{id, r.dataConsumers[id].producer.id})
	}
	return d
}

// observersOfLocked are the ids of the observers that observe p. r.mu is held.
func (r *Router) observersOfLocked(p *Producer) []string {
	ids := []string{}
	for id, o := range r.observers {
		o.mu.Lock()
		if o.indexLocked(p) >= 0 {
			ids = append(ids, id)
		}
		o.mu.Unlock()
	}
	slices.Sort(ids)
	return ids
}

func idsOf[T interface {
	comparable
	ID() string
}](set map[T]struct{}) []string {
	ids := make([]string, 0, len(set))
	for object := range set {
		ids = append(ids, object.ID())
	}
	slices.Sort(ids)
	return ids
}

// RTPObserverDump is an observer with what it observes. mediasoup has none.
type RTPObserverDump struct {
	ID          string          `json:"id"`
	Type        RTPObserverType `json:"type"`
	Paused      bool            `json:"paused"`
	ProducerIDs []string        `json:"producerIds"` // in the order in which they were added
	IntervalMS  int64           `json:"interval"`
}

// Dump shows the observer.
func (o *RTPObserver) Dump() RTPObserverDump {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := RTPObserverDump{
		ID: o.id, Type: o.Type(), Paused: o.paused, ProducerIDs: []string{}, IntervalMS: o.interval.Milliseconds(),
	}
	for _, m := range o.members {
		d.ProducerIDs = append(d.ProducerIDs, m.producer.id)
	}
	return d
}
