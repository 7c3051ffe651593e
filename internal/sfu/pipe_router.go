package sfu

import (
	"cmp"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// PipeToRouterOptions say what is piped, and how the transports for it are made where
// there are none yet.
type PipeToRouterOptions struct {
	// ProducerID or DataProducerID is what is piped; one of both is given.
	ProducerID, DataProducerID string
	// NewID gives what comes out of the pipe an id of its own; otherwise it has the same.
	NewID bool
	// Listen is where both transports listen; without an IP that is 127.0.0.1.
	Listen ListenInfo
	// EnableRTX, EnableSRTP and SCTP are those of both transports.
	EnableRTX, EnableSRTP bool
	SCTP                  SCTPOptions
}

// RouterPipe is what was piped and what by.
type RouterPipe struct {
	Here, There  *PipeTransport
	Consumer     *Consumer     // nil for data
	Producer     *Producer     // likewise; what comes out
	DataConsumer *DataConsumer // nil for media
	DataProducer *DataProducer // likewise; what comes out
}

// PipeToRouter makes a producer or data producer of r one of another router of the same
// SFU too, over a pair of PipeTransports, which is made once for every two routers. What
// comes out pauses and ends as the original does, and its end ends the pipe. Requests for
// keyframes and news of which layers are wanted go back to the sender.
//
// It is for applications that hold and watch transports and pipe consumers, as
// mediasoup's do, or will have the routers on several servers: each packet goes through
// the system's network. Inside one process [Router.PipeTo] does the same without. Errors:
// ErrClosed, ErrNotFound, ErrLimit, *ortc.Error, or that of a port which cannot be had.
func (r *Router) PipeToRouter(to *Router, o PipeToRouterOptions) (*RouterPipe, error) {
	if err := r.canPipeTo(to); err != nil {
		return nil, err
	}
	switch {
	case (o.ProducerID == "") == (o.DataProducerID == ""):
		return nil, typeErrorf("either producerId or dataProducerId must be given")
	case o.ProducerID != "" && r.Producer(o.ProducerID) == nil:
		return nil, fmt.Errorf("piping: producer %q %w", o.ProducerID, ErrNotFound)
	case o.DataProducerID != "" && r.DataProducer(o.DataProducerID) == nil:
		return nil, fmt.Errorf("piping: data producer %q %w", o.DataProducerID, ErrNotFound)
	}
	pipe, err := r.pipeTransports(to, o)
	if err != nil {
		return nil, fmt.Errorf("piping: %w", err)
	}
	if o.ProducerID != "" {
		return pipe, pipe.media(o)
	}
	return pipe, pipe.messages(o)
}

// media pipes a producer.
func (p *RouterPipe) media(o PipeToRouterOptions) (err error) {
	if p.Consumer, err = p.Here.Consume(ConsumerOptions{ProducerID: o.ProducerID}); err != nil {
		return err
	}
	options := ProducerOptions{
		Kind: p.Consumer.Kind(), RTPParameters: p.Consumer.RTPParameters(), Paused: p.Consumer.ProducerPaused(),
	}
	if !o.NewID {
		options.ID = o.ProducerID
	}
	if p.Producer, err = p.There.Produce(options); err != nil {
		p.Consumer.Close()
		return err
	}
	p.Consumer.copyTo(p.Producer)
	return nil
}

// pipeHandshake is how long PipeToRouter waits for SCTP to be connected, so that no
// message is lost for being sent at once. In one machine it takes a moment.
const pipeHandshake = 3 * time.Second

// messages pipes a data producer.
func (p *RouterPipe) messages(o PipeToRouterOptions) (err error) {
	if p.DataConsumer, err = p.Here.ConsumeData(DataConsumerOptions{DataProducerID: o.DataProducerID}); err != nil {
		return err
	}
	options := DataProducerOptions{
		SCTPStreamParameters: p.DataConsumer.SCTPStreamParameters(),
		Label:                p.DataConsumer.Label(), Protocol: p.DataConsumer.Protocol(),
	}
	if !o.NewID {
		options.ID = o.DataProducerID
	}
	if p.DataProducer, err = p.There.ProduceData(options); err != nil {
		p.DataConsumer.Close()
		return err
	}
	p.DataConsumer.copyTo(p.DataProducer)
	p.Here.data.sctp.AwaitHandshake(pipeHandshake)
	return nil
}

// pipePairs are the pairs of PipeTransports between routers.
type pipePairs struct {
	mu    sync.Mutex // guards the following; a leaf
	pairs map[[2]*Router]*pipePair
}

// pipePair is the pair between two routers; no ends: there is none yet, or none any more.
type pipePair struct {
	mu   sync.Mutex // guards the following; taken before any router's
	ends [2]*PipeTransport
}

// between returns the pair of two routers, whose order does not matter, and where r is
// in it.
func (p *pipePairs) between(r, to *Router) (pair *pipePair, at int) {
	key := [2]*Router{r, to}
	if cmp.Compare(r.id, to.id) > 0 {
		key, at = [2]*Router{to, r}, 1
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pairs == nil {
		p.pairs = map[[2]*Router]*pipePair{}
	}
	if p.pairs[key] == nil {
		p.pairs[key] = &pipePair{}
	}
	return p.pairs[key], at
}

// forget drops the pairs of a router that has ended.
func (p *pipePairs) forget(r *Router) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key := range p.pairs {
		if key[0] == r || key[1] == r {
			delete(p.pairs, key)
		}
	}
}

// pipeTransports returns the open pair between r and another router, made if need be.
func (r *Router) pipeTransports(to *Router, o PipeToRouterOptions) (*RouterPipe, error) {
	pair, at := r.sfu.pipes.between(r, to)
	pair.mu.Lock()
	defer pair.mu.Unlock()
	here, there := &pair.ends[at], &pair.ends[1-at]
	if *here == nil || (*here).Closed() || (*there).Closed() {
		a, b, err := r.newPipePair(to, o)
		if err != nil {
			r.sfu.forgetClosed(r, to)
			return nil, err
		}
		*here, *there = a, b
	}
	return &RouterPipe{Here: *here, There: *there}, nil
}

// forgetClosed drops the pairs of those routers that are closed: they have none to come.
func (s *SFU) forgetClosed(routers ...*Router) {
	for _, r := range routers {
		if r.Closed() {
			s.pipes.forget(r)
		}
	}
}

// newPipePair makes a pair of transports that are connected to each other.
func (r *Router) newPipePair(to *Router, o PipeToRouterOptions) (here, there *PipeTransport, err error) {
	options := PipeTransportOptions{Listen: o.Listen, EnableRTX: o.EnableRTX, EnableSRTP: o.EnableSRTP, SCTP: o.SCTP}
	if !options.Listen.IP.IsValid() {
		options.Listen.IP = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if here, err = r.NewPipeTransport(options); err != nil {
		return nil, nil, err
	}
	options.Listen.Port = 0 // the other one has it
	if there, err = to.NewPipeTransport(options); err != nil {
		here.Close()
		return nil, nil, err
	}
	if err = here.Connect(there.remote()); err == nil {
		err = there.Connect(here.remote())
	}
	if err != nil {
		here.Close()
		there.Close()
		return nil, nil, err
	}
	here.endsWith(there)
	there.endsWith(here)
	there.answer()
	return here, there, nil
}

// remote is what a transport of the same process is told of t.
func (t *PipeTransport) remote() PipeRemote {
	local := t.media.local.AddrPort()
	remote := PipeRemote{IP: local.Addr(), Port: local.Port()}
	switch {
	case remote.IP == netip.IPv6Unspecified():
		remote.IP = netip.IPv6Loopback()
	case remote.IP.IsUnspecified():
		remote.IP = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if own, ok := t.SRTPParameters(); ok {
		remote.SRTP = &own
	}
	return remote
}

// answer leaves it to the other end to begin SCTP, as each pipe has something at both.
func (t *PipeTransport) answer() {
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	t.data.answers = true
}

// endsWith makes t's end be other's too.
func (t *PipeTransport) endsWith(other *PipeTransport) {
	t.router.mu.Lock()
	t.other = other
	closed := t.closed
	t.router.mu.Unlock()
	if closed {
		other.Close()
	}
}

// copyTo makes what comes out of the pipe in another router follow c, and c end with it.
// Either may have changed meanwhile.
func (c *Consumer) copyTo(p *Producer) {
	p.copyOf.Store(c)
	if p.Closed() {
		c.Close()
	}
	p.wanted.mu.Lock()
	p.wantOriginalLocked()
	p.wanted.mu.Unlock()
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	c.copy = p
	c.pauseCopyLocked()
	if c.closed {
		c.closeCopyLocked()
	}
}

// pauseCopyLocked lets the copy follow Pause and Resume, by the chores: see
// Producer.views. router.mu is held.
func (c *Consumer) pauseCopyLocked() {
	if p := c.copy; p != nil {
		c.transport.sfu.chores.post(func() { p.setPaused(c.Paused() || c.ProducerPaused()) })
	}
}

// closeCopyLocked ends the copy. router.mu is held.
func (c *Consumer) closeCopyLocked() {
	if p := c.copy; p != nil {
		c.transport.sfu.chores.post(func() { p.closeFor(CloseProducer) })
	}
}

// closeOriginalLocked ends the pipe that p comes out of, if it does. router.mu is held.
func (p *Producer) closeOriginalLocked() {
	if c := p.copyOf.Load(); c != nil {
		p.transport.sfu.chores.post(c.Close)
	}
}

// wantOriginalLocked lets the sender at the other end of the pipe that p comes out of
// know what is wanted here. p.wanted.mu is held.
func (p *Producer) wantOriginalLocked() {
	if c := p.copyOf.Load(); c != nil {
		told := p.wanted.layers.told
		p.transport.sfu.chores.post(func() { c.wantUpTo(told) })
	}
}

// copyTo is likewise, but for pausing: a data producer that is paused sends nothing on.
func (c *DataConsumer) copyTo(p *DataProducer) {
	r := p.transport.router
	r.mu.Lock()
	p.copyOf = c
	ended := p.closed
	r.mu.Unlock()
	if ended {
		c.Close()
	}
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	c.copy = p
	if c.closed {
		c.closeCopyLocked()
	}
}

func (c *DataConsumer) closeCopyLocked() {
	if p := c.copy; p != nil {
		c.transport.sfu.chores.post(func() { p.closeFor(CloseProducer) })
	}
}

func (p *DataProducer) closeOriginalLocked() {
	if c := p.copyOf; c != nil {
		p.transport.sfu.chores.post(c.Close)
	}
}
