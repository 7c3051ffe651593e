package sfu

import "sync/atomic"

// EventType says what has happened to which kind of object, in the words that
// mediasoup's events have.
type EventType string

// The types, each with the type of [Event.Data]; without one there is none.
const (
	EventRouterClosed   EventType = "router.closed" // CloseReason
	EventNewTransport   EventType = "router.newtransport"
	EventNewRTPObserver EventType = "router.newrtpobserver"

	EventTransportClosed EventType = "transport.closed"                 // CloseReason
	EventICEState        EventType = "transport.icestatechange"         // ICEState
	EventICETuple        EventType = "transport.iceselectedtuplechange" // TransportTuple
	EventDTLSState       EventType = "transport.dtlsstatechange"        // DTLSState
	EventSCTPState       EventType = "transport.sctpstatechange"        // SCTPState
	EventTuple           EventType = "transport.tuple"                  // TransportTuple
	EventRTCPTuple       EventType = "transport.rtcptuple"              // TransportTuple
	EventTransportTrace  EventType = "transport.trace"                  // Trace
	EventRTCP            EventType = "transport.rtcp"                   // []byte, a compound, valid until the observer returns
	EventNewProducer     EventType = "transport.newproducer"            // and of a producer: the Event has both
	EventNewConsumer     EventType = "transport.newconsumer"            // likewise
	EventNewDataProducer EventType = "transport.newdataproducer"        // likewise
	EventNewDataConsumer EventType = "transport.newdataconsumer"        // likewise

	EventProducerClosed   EventType = "producer.closed" // CloseReason
	EventProducerPaused   EventType = "producer.paused"
	EventProducerResumed  EventType = "producer.resumed"
	EventProducerScore    EventType = "producer.score"                  // []EncodingScore
	EventVideoOrientation EventType = "producer.videoorientationchange" // VideoOrientation
	EventProducerTrace    EventType = "producer.trace"                  // Trace

	EventConsumerClosed          EventType = "consumer.closed" // CloseReason
	EventConsumerPaused          EventType = "consumer.paused"
	EventConsumerResumed         EventType = "consumer.resumed"
	EventConsumerProducerPaused  EventType = "consumer.producerpause"
	EventConsumerProducerResumed EventType = "consumer.producerresume"
	EventConsumerScore           EventType = "consumer.score"        // ConsumerScore
	EventLayersChange            EventType = "consumer.layerschange" // *Layer; nil: nothing is sent
	EventConsumerTrace           EventType = "consumer.trace"        // Trace
	EventRTP                     EventType = "consumer.rtp"          // []byte, a packet, valid until the observer returns

	EventDataProducerClosed  EventType = "dataProducer.closed" // CloseReason
	EventDataProducerPaused  EventType = "dataProducer.paused"
	EventDataProducerResumed EventType = "dataProducer.resumed"

	EventDataConsumerClosed          EventType = "dataConsumer.closed" // CloseReason
	EventDataConsumerPaused          EventType = "dataConsumer.paused"
	EventDataConsumerResumed         EventType = "dataConsumer.resumed"
	EventDataConsumerProducerPaused  EventType = "dataConsumer.dataproducerpause"
	EventDataConsumerProducerResumed EventType = "dataConsumer.dataproducerresume"
	EventMessage                     EventType = "dataConsumer.message" // Message
	EventSendBufferFull              EventType = "dataConsumer.sctpsendbufferfull"
	EventBufferedAmountLow           EventType = "dataConsumer.bufferedamountlow" // int, bytes

	EventRTPObserverClosed  EventType = "rtpObserver.closed" // CloseReason
	EventRTPObserverPaused  EventType = "rtpObserver.paused"
	EventRTPObserverResumed EventType = "rtpObserver.resumed"
	EventAddProducer        EventType = "rtpObserver.addproducer"     // and of a producer: the Event has both
	EventRemoveProducer     EventType = "rtpObserver.removeproducer"  // likewise
	EventVolumes            EventType = "rtpObserver.volumes"         // []ProducerVolume
	EventSilence            EventType = "rtpObserver.silence"         //
	EventDominantSpeaker    EventType = "rtpObserver.dominantspeaker" // *Producer
)

// Event is something that has happened to an object of a router.
type Event struct {
	Type EventType
	// What it has happened to; the others are nil, and all for a router's own.
	Transport    *Transport
	Producer     *Producer
	Consumer     *Consumer
	DataProducer *DataProducer
	DataConsumer *DataConsumer
	RTPObserver  *RTPObserver
	// Data is of the type that stands beside that of the event.
	Data any
}

// Message is what a data consumer on a [DirectTransport] has got.
type Message struct {
	Data []byte
	Text bool
	PPID uint32 // as it came
}

// watcher is somebody who observes a router.
type watcher struct {
	f       func(Event)
	stopped atomic.Bool
}

// Observe has f called with everything that happens to the router and its
// objects from now on, whoever made them: in order, on the goroutine that calls
// all callbacks, after the object's own. Once stop has returned, f is called
// no more, except that a call may be under way. The closing of the router is the
// last event.
func (r *Router) Observe(f func(Event)) (stop func()) {
	w := &watcher{f: f}
	r.watchers.add(w)
	return func() {
		w.stopped.Store(true)
		r.watchers.remove(w)
	}
}

// observed reports whether anybody wants to know.
func (r *Router) observed() bool { return len(r.watchers.all()) > 0 }

// notify tells whoever observes the router. It may be called with any lock held.
func (r *Router) notify(e Event) {
	if watchers := r.watchers.all(); len(watchers) > 0 {
		r.post(watchers, e)
	}
}

// pausedEvent is the type of the event of what is paused, or goes on.
func pausedEvent(paused bool, pause, resume EventType) EventType {
	if paused {
		return pause
	}
	return resume
}

// post is notify's way to the event goroutine. Who begins to observe later is not
// told.
func (r *Router) post(watchers []*watcher, e Event) {
	r.events.post(func() { tell(watchers, e) })
}

// tell has e observed at once, on the event goroutine.
func tell(watchers []*watcher, e Event) {
	for _, w := range watchers {
		if !w.stopped.Load() {
			w.f(e)
		}
	}
}
