package takosapi

import (
	"encoding/json"
	"errors"

	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal"
)

var routerDataCommands = []command{
	define("dataProducer.close", "Closes a data producer and its data consumers.", closeRouterDataProducer, routerDataProducerErrors...),
	reads(define("dataProducer.dump", "Tells all about a data producer.", dumpDataProducer, routerDataProducerErrors...)),
	reads(define("dataProducer.getStats", "Figures of a data producer.", routerDataProducerStats, routerDataProducerErrors...)),
	define("dataProducer.pause", "Drops the messages of a data producer.", pauseRouterDataProducer, routerDataProducerErrors...),
	define("dataProducer.resume", "Forwards them again.", resumeRouterDataProducer, routerDataProducerErrors...),
	define("dataProducer.send", "Hands a message to a data producer of a direct transport, as if it had come from its other end.", sendToDataProducer,
		append(routerDataProducerErrors, InvalidState, InvalidMedia)...),
	define("dataConsumer.close", "Closes a data consumer.", closeRouterDataConsumer, routerDataConsumerErrors...),
	reads(define("dataConsumer.dump", "Tells all about a data consumer.", dumpDataConsumer, routerDataConsumerErrors...)),
	reads(define("dataConsumer.getStats", "Figures of a data consumer.", routerDataConsumerStats, routerDataConsumerErrors...)),
	define("dataConsumer.pause", "Sends nothing; messages of the meantime are lost to the other end.", pauseRouterDataConsumer, routerDataConsumerErrors...),
	define("dataConsumer.resume", "Sends messages again.", resumeRouterDataConsumer, routerDataConsumerErrors...),
	reads(define("dataConsumer.getBufferedAmount", "Tells how much waits to be sent.", bufferedAmount, routerDataConsumerErrors...)),
	define("dataConsumer.setBufferedAmountLowThreshold", "Says when dataConsumer.bufferedamountlow is told: when no more than so much waits.",
		setBufferedAmountLowThreshold, routerDataConsumerErrors...),
	define("dataConsumer.send", "Sends a message of the backend's own.", sendToDataConsumer, append(routerDataConsumerErrors, InvalidState, InvalidMedia, LimitReached)...),
	define("dataConsumer.setSubchannels", "Replaces the subchannels that a data consumer has.", setSubchannels, routerDataConsumerErrors...),
	define("dataConsumer.addSubchannel", "Gives it one more.", addSubchannel, routerDataConsumerErrors...),
	define("dataConsumer.removeSubchannel", "Takes one from it.", removeSubchannel, routerDataConsumerErrors...),
}

var (
	routerDataProducerErrors = []Code{RouterNotFound, DataProducerNotFound}
	routerDataConsumerErrors = []Code{RouterNotFound, DataConsumerNotFound}
)

type produceDataRequest struct {
	routerTransportRef
	ID                   string                `json:"id" check:"max=256" doc:"for the data producer, unique in the router; default a new one"`
	SCTPStreamParameters *sctpStreamParameters `json:"sctpStreamParameters" check:"nested" doc:"of the other end's stream; not on a direct transport"`
	Label                string                `json:"label" check:"max=1024" doc:"of the data channel"`
	Protocol             string                `json:"protocol" check:"max=1024" doc:"of the data channel"`
	Paused               bool                  `json:"paused" doc:"whether to begin paused"`
	AppData              json.RawMessage       `json:"appData" doc:"anything; it comes back in RouterDataProducerInfo"`
}

func produceData(c *caller, q *produceDataRequest) (RouterDataProducerInfo, error) {
	t, owned, err := c.ownedTransport(q.routerTransportRef)
	if err != nil {
		return RouterDataProducerInfo{}, err
	}
	o := sfu.DataProducerOptions{ID: q.ID, Label: q.Label, Protocol: q.Protocol, Paused: q.Paused, AppData: appData(q.AppData)}
	if s := q.SCTPStreamParameters; s != nil {
		o.SCTPStreamParameters = sfu.SCTPStreamParameters{
			StreamID: uint16(s.StreamID), Ordered: s.Ordered, MaxPacketLifeTime: s.MaxPacketLifeTime, MaxRetransmits: s.MaxRetransmits,
		}
	} else if _, direct := t.Kind().(*sfu.DirectTransport); !direct {
		return RouterDataProducerInfo{}, errorf(MissingField, "data.sctpStreamParameters is missing")
	}
	p, err := produceDataOn(t, owned, o)
	if err != nil {
		return RouterDataProducerInfo{}, err
	}
	return routerDataProducerInfo(p), nil
}

type consumeDataRequest struct {
	routerTransportRef
	DataProducerID    string          `json:"dataProducerId" check:"id" doc:"where the messages come from"`
	Ordered           *bool           `json:"ordered" doc:"the data producer's unless one of these three is given"`
	MaxPacketLifeTime *uint16         `json:"maxPacketLifeTime" check:"min=0,max=65535" doc:"ms after which a message is given up"`
	MaxRetransmits    *uint16         `json:"maxRetransmits" check:"min=0,max=65535" doc:"how often a message is sent again"`
	Paused            bool            `json:"paused" doc:"whether to begin paused"`
	Subchannels       []uint16        `json:"subchannels" check:"max=1000" doc:"those it has; default none"`
	AppData           json.RawMessage `json:"appData" doc:"anything; it comes back in RouterDataConsumerInfo"`
}

func consumeData(c *caller, q *consumeDataRequest) (RouterDataConsumerInfo, error) {
	t, owned, err := c.ownedTransport(q.routerTransportRef)
	if err != nil {
		return RouterDataConsumerInfo{}, err
	}
	consumer, err := consumeDataOn(t, owned, sfu.DataConsumerOptions{
		DataProducerID: q.DataProducerID, Ordered: q.Ordered, MaxPacketLifeTime: q.MaxPacketLifeTime, MaxRetransmits: q.MaxRetransmits,
		Paused: q.Paused, Subchannels: q.Subchannels, AppData: appData(q.AppData),
	})
	if errors.Is(err, sfu.ErrNotFound) {
		return RouterDataConsumerInfo{}, errorf(DataProducerNotFound, "the router has no data producer %q", signal.Clip(q.DataProducerID))
	}
	if err != nil {
		return RouterDataConsumerInfo{}, err
	}
	return routerDataConsumerInfo(consumer), nil
}

func routerDataProducerInfo(p *sfu.DataProducer) RouterDataProducerInfo {
	info := RouterDataProducerInfo{
		ID: p.ID(), TransportID: p.Transport().ID(), Type: p.Type(), Label: p.Label(), Protocol: p.Protocol(),
		Paused: p.Paused(), AppData: p.AppData(),
	}
	if p.Type() == sfu.DataSCTP {
		info.SCTPStreamParameters = new(p.SCTPStreamParameters())
	}
	return info
}

func routerDataConsumerInfo(c *sfu.DataConsumer) RouterDataConsumerInfo {
	info := RouterDataConsumerInfo{
		ID: c.ID(), TransportID: c.Transport().ID(), DataProducerID: c.DataProducerID(), Type: c.Type(), Label: c.Label(), Protocol: c.Protocol(),
		Paused: c.Paused(), DataProducerPaused: c.DataProducerPaused(), Subchannels: subchannelsOf(c),
		BufferedAmount: c.BufferedAmount(), AppData: c.AppData(),
	}
	if c.Type() == sfu.DataSCTP {
		info.SCTPStreamParameters = new(c.SCTPStreamParameters())
	}
	return info
}

// withDataProducer makes a handler of what a data producer can do by itself.
func withDataProducer(do func(*sfu.DataProducer)) func(*caller, *routerDataProducerRef) (none, error) {
	return func(c *caller, q *routerDataProducerRef) (none, error) {
		p, err := c.routerDataProducer(*q)
		if err == nil {
			do(p)
		}
		return none{}, err
	}
}

var (
	closeRouterDataProducer  = withDataProducer((*sfu.DataProducer).Close)
	pauseRouterDataProducer  = withDataProducer((*sfu.DataProducer).Pause)
	resumeRouterDataProducer = withDataProducer((*sfu.DataProducer).Resume)
)

func routerDataProducerStats(c *caller, q *routerDataProducerRef) (DataProducerFigures, error) {
	p, err := c.routerDataProducer(*q)
	if err != nil {
		return DataProducerFigures{}, err
	}
	return DataProducerFigures{[]sfu.DataProducerStats{p.Stats()}}, nil
}

// messageRequest is a message: a text or bytes.
type messageRequest struct {
	Message *string `json:"message" doc:"a text; this or binary"`
	Binary  *string `json:"binary" doc:"bytes, in base64"`
	PPID    *int    `json:"ppid" check:"min=0,max=4294967295" doc:"SCTP's payload protocol identifier, for what is another kind than it was given as: 51 or 56, a text; 53 or 57, bytes"`
}

func (q messageRequest) message() (data []byte, text bool, err error) {
	switch {
	case q.Message != nil && q.Binary != nil:
		return nil, false, errorf(InvalidField, "data.message and data.binary cannot both be given")
	case q.Message != nil:
		data, text = []byte(*q.Message), true
	case q.Binary != nil:
		if data, err = decodeBase64("binary", *q.Binary); err != nil {
			return nil, false, err
		}
	default:
		return nil, false, errorf(MissingField, "data.message is missing")
	}
	if q.PPID == nil {
		return data, text, nil
	}
	switch *q.PPID {
	case ppidText, ppidEmptyText:
		return data, true, nil
	case ppidBinary, ppidEmptyBinary:
		return data, false, nil
	}
	return nil, false, errorf(InvalidField, "data.ppid must be 51 or 56, for a text, or 53 or 57, for bytes")
}

// SCTP's payload protocol identifiers (RFC 8831 §8).
const (
	ppidText        = 51
	ppidBinary      = 53
	ppidEmptyText   = 56
	ppidEmptyBinary = 57
)

type sendToDataProducerRequest struct {
	routerDataProducerRef
	messageRequest
	Subchannels        []uint16 `json:"subchannels" check:"max=1000" doc:"unless empty, only data consumers get it that have one of them"`
	RequiredSubchannel *uint16  `json:"requiredSubchannel" check:"min=0,max=65535" doc:"only data consumers get it that have this one"`
	IgnoredSubchannel  *uint16  `json:"ignoredSubchannel" check:"min=0,max=65535" doc:"only data consumers get it that do not have this one"`
}

// withDataConsumer makes a handler of what a data consumer can do by itself.
func withDataConsumer(do func(*sfu.DataConsumer)) func(*caller, *routerDataConsumerRef) (none, error) {
	return func(c *caller, q *routerDataConsumerRef) (none, error) {
		consumer, err := c.routerDataConsumer(*q)
		if err == nil {
			do(consumer)
		}
		return none{}, err
	}
}

var (
	closeRouterDataConsumer  = withDataConsumer((*sfu.DataConsumer).Close)
	pauseRouterDataConsumer  = withDataConsumer((*sfu.DataConsumer).Pause)
	resumeRouterDataConsumer = withDataConsumer((*sfu.DataConsumer).Resume)
)

func routerDataConsumerStats(c *caller, q *routerDataConsumerRef) (DataConsumerFigures, error) {
	consumer, err := c.routerDataConsumer(*q)
	if err != nil {
		return DataConsumerFigures{}, err
	}
	return DataConsumerFigures{[]sfu.DataConsumerStats{consumer.Stats()}}, nil
}

func bufferedAmount(c *caller, q *routerDataConsumerRef) (SentData, error) {
	consumer, err := c.routerDataConsumer(*q)
	if err != nil {
		return SentData{}, err
	}
	return SentData{consumer.BufferedAmount()}, nil
}

type thresholdRequest struct {
	routerDataConsumerRef
	Threshold int `json:"threshold" check:"required,min=0,max=1000000000" doc:"bytes"`
}

func setBufferedAmountLowThreshold(c *caller, q *thresholdRequest) (none, error) {
	consumer, err := c.routerDataConsumer(q.routerDataConsumerRef)
	if err == nil {
		consumer.SetBufferedAmountLowThreshold(q.Threshold)
	}
	return none{}, err
}

type sendToDataConsumerRequest struct {
	routerDataConsumerRef
	messageRequest
}

type subchannelsRequest struct {
	routerDataConsumerRef
	Subchannels []uint16 `json:"subchannels" check:"required,max=1000" doc:"those it has from now on"`
}

type subchannelRequest struct {
	routerDataConsumerRef
	Subchannel uint16 `json:"subchannel" check:"required,min=0,max=65535" doc:"which"`
}

// SubchannelsInfo is the answer of the commands that change subchannels.
type SubchannelsInfo struct {
	Subchannels []uint16 `json:"subchannels" doc:"those it has now, in order"`
}

func subchannelsOf(c *sfu.DataConsumer) []uint16 {
	if list := c.Subchannels(); list != nil {
		return list
	}
	return []uint16{}
}

func setSubchannels(c *caller, q *subchannelsRequest) (SubchannelsInfo, error) {
	return changeSubchannels(c, q.routerDataConsumerRef, func(d *sfu.DataConsumer) { d.SetSubchannels(q.Subchannels) })
}

func addSubchannel(c *caller, q *subchannelRequest) (SubchannelsInfo, error) {
	return changeSubchannels(c, q.routerDataConsumerRef, func(d *sfu.DataConsumer) { d.AddSubchannel(q.Subchannel) })
}

func removeSubchannel(c *caller, q *subchannelRequest) (SubchannelsInfo, error) {
	return changeSubchannels(c, q.routerDataConsumerRef, func(d *sfu.DataConsumer) { d.RemoveSubchannel(q.Subchannel) })
}

func changeSubchannels(c *caller, ref routerDataConsumerRef, change func(*sfu.DataConsumer)) (SubchannelsInfo, error) {
	consumer, err := c.routerDataConsumer(ref)
	if err != nil {
		return SubchannelsInfo{}, err
	}
	change(consumer)
	return SubchannelsInfo{subchannelsOf(consumer)}, nil
}

func dumpDataProducer(c *caller, q *routerDataProducerRef) (sfu.DataProducerDump, error) {
	p, err := c.routerDataProducer(*q)
	if err != nil {
		return sfu.DataProducerDump{}, err
	}
	return p.Dump(), nil
}

func dumpDataConsumer(c *caller, q *routerDataConsumerRef) (sfu.DataConsumerDump, error) {
	consumer, err := c.routerDataConsumer(*q)
	if err != nil {
		return sfu.DataConsumerDump{}, err
	}
	return consumer.Dump(), nil
}

func sendToDataProducer(c *caller, q *sendToDataProducerRequest) (none, error) {
	p, err := c.routerDataProducer(q.routerDataProducerRef)
	if err != nil {
		return none{}, err
	}
	data, text, err := q.message()
	if err != nil {
		return none{}, err
	}
	return none{}, p.Send(data, text, sfu.Subchannels{Any: q.Subchannels, Required: q.RequiredSubchannel, Ignored: q.IgnoredSubchannel})
}

func sendToDataConsumer(c *caller, q *sendToDataConsumerRequest) (SentData, error) {
	consumer, err := c.routerDataConsumer(q.routerDataConsumerRef)
	if err != nil {
		return SentData{}, err
	}
	data, text, err := q.message()
	if err != nil {
		return SentData{}, err
	}
	buffered, err := consumer.Send(data, text)
	if errors.Is(err, sfu.ErrSendBufferFull) {
		return SentData{}, errorf(LimitReached, "the other end has not taken what was sent before")
	}
	return SentData{buffered}, err
}
