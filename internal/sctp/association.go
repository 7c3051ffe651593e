package sctp

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	pion "github.com/pion/sctp"

	"github.com/takoserver/takos-call/internal/pionlog"
)

// Defaults of Options.
const (
	DefaultMaxMessageBytes = 256 << 10
	DefaultSendBufferBytes = 256 << 10
	DefaultStreams         = 1024
)

// mtu is the size of the packets that we send: what fits with DTLS, UDP and IPv6
// around it into the 1280 bytes that any IPv6 path carries.
const mtu = 1180

// maxPending is how many pieces the streams together may hold; see pending. It is far
// above maxPieces: an honest peer whose messages are small and whose line loses some has
// thousands of them behind gaps in each of its ordered streams.
const maxPending = 8 * maxPieces

// maxPieces is how many pieces of incomplete messages, and of messages behind a gap,
// a stream may hold. More than the window of 8 KiB for each of the smallest pieces is
// nothing that an honest peer has on its way; without a limit it could make us hold a
// million pieces of a byte each.
const maxPieces = 8192

// maxRetransmitTimeout is the longest wait for an acknowledgement before what is
// missing is sent again. RFC 9260 §16 has a minute, during which a line that
// loses a tenth of its packets would stand still now and then.
const maxRetransmitTimeout = 3 * time.Second

// Options of an Association. Write and Message are required.
type Options struct {
	// Write sends one packet, in a DTLS record unless Bare, and must not keep it; an
	// error means that it is lost. It is called from goroutines of the association.
	Write func(packet []byte) error
	// Bare says that packets travel without DTLS, and need SCTP's own checksum.
	Bare bool
	// Message is given what comes in, from a goroutine of the association, one call at
	// a time. The data is valid during the call. A call that takes its time slows the
	// peer down, on all streams, once the window is full.
	Message func(Message)
	// StateChange is told of every state but StateNew, with the reason of
	// StateFailed; nil is not. StateClosed follows Close as well.
	StateChange func(State, error)
	// Reset is told that the peer has closed a stream, which closes it on our side.
	Reset func(stream uint16)
	// BufferedAmountLow is told that what waits to be acknowledged on a stream has
	// fallen to its threshold or below.
	BufferedAmountLow func(stream uint16, bufferedBytes int)
	// MaxMessageBytes is the biggest message that is taken in.
	MaxMessageBytes int
	// MaxSendBytes is the biggest message that is sent; 0 is MaxMessageBytes.
	MaxSendBytes int
	// SendBufferBytes is how much may wait to be acknowledged, on all streams.
	SendBufferBytes int
	// StreamBufferBytes is the same for each stream; 0 is SendBufferBytes.
	StreamBufferBytes int
	// ReceiveWindowBytes is how much the peer may send before it is handed on; 0 is
	// two messages of the biggest size.
	ReceiveWindowBytes int
	// Streams is how many streams there are, from 0 on. A peer that uses others has
	// violated the protocol.
	Streams int
	// Logger is nil for none.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	setDefault := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	setDefault(&o.MaxMessageBytes, DefaultMaxMessageBytes)
	setDefault(&o.MaxSendBytes, o.MaxMessageBytes)
	setDefault(&o.SendBufferBytes, DefaultSendBufferBytes)
	setDefault(&o.StreamBufferBytes, o.SendBufferBytes)
	setDefault(&o.Streams, DefaultStreams)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.StateChange == nil {
		o.StateChange = func(State, error) {}
	}
	if o.Reset == nil {
		o.Reset = func(uint16) {}
	}
	if o.BufferedAmountLow == nil {
		o.BufferedAmountLow = func(uint16, int) {}
	}
	return o
}

// receiveWindow holds two messages of the biggest size, so that one can come in behind
// a gap in another, unless it was said what it holds. That is one message at least,
// without which nothing would ever be complete.
func (o Options) receiveWindow() uint32 {
	if o.ReceiveWindowBytes > 0 {
		return uint32(max(o.ReceiveWindowBytes, o.MaxMessageBytes))
	}
	return uint32(max(2*o.MaxMessageBytes, 512<<10))
}

// Association is the SCTP association of one transport.
type Association struct {
	options Options // constant after New
	link    *link
	unsent  unsent

	// Atomic.
	dropped atomic.Uint64
	pending atomic.Int64  // pieces that have come and not gone, at the most
	waiting atomic.Int32  // senders that wait for room
	peer    atomic.Uint32 // what the peer has said of its streams: those out, those in

	// Owned by Pion's reader, which calls accept and settle.
	touched []uint16 // streams that the packet at work concerns
	closed  []uint16 // streams that it says are closed

	wake    chan struct{} // tells the deliverer of work
	settled chan struct{} // closed when the handshake has ended, however

	sendMu sync.Mutex // makes one message after the other; taken before mu

	mu      sync.Mutex // guards the following
	state   State
	closing bool
	pion    *pion.Association // nil before StateConnected
	streams map[uint16]*stream
	opened  int                  // of streams, those of Open
	work    []*stream            // that may have messages
	resets  []*stream            // that the peer is closing
	full    map[*stream]struct{} // whose buffered amount is above the threshold
	room    chan struct{}        // closed when there may be room for another message
	done    chan struct{}        // closed when the goroutines have ended; nil before
}

// New returns an association in state "new". It has nothing to release before Feed.
func New(o Options) *Association {
	o = o.withDefaults()
	a := &Association{
		options: o, link: newLink(o.Write), state: StateNew, wake: make(chan struct{}, 1),
		streams: map[uint16]*stream{}, full: map[*stream]struct{}{}, room: make(chan struct{}),
		settled: make(chan struct{}),
	}
	a.link.idle, a.link.accept, a.link.pass, a.link.sent = a.settle, a.accept, a.pass, a.sent
	return a
}

// Feed takes in a packet from the peer, of which it keeps a copy. It may wait for a
// moment while the association is busy. What comes before an INIT is dropped.
func (a *Association) Feed(packet []byte) {
	if a.expects(packet) {
		a.link.feed(packet)
	}
}

// Offer is Feed for who cannot wait: what is too much is lost, as on any network.
func (a *Association) Offer(packet []byte) {
	if a.expects(packet) {
		a.link.offer(packet)
	}
}

// expects reports whether a packet can be one of the association, which begins with the
// peer's INIT.
func (a *Association) expects(packet []byte) bool {
	return len(packet) <= maxPacket && (a.State() != StateNew || a.start(packet))
}

// start begins the association with the peer's INIT.
func (a *Association) start(packet []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closing || !isInit(packet) {
		return false
	}
	a.startLocked(a.answer)
	return true
}

// Connect begins the association with an INIT of ours, unless it has begun already.
// Both sides may do so at once (RFC 9260 §5.2.1). An INIT that nobody answers is
// repeated for some minutes; then the association has failed.
func (a *Association) Connect() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closing {
		a.startLocked(a.ask)
	}
}

// startLocked has the association made, once.
func (a *Association) startLocked(shake func() (*pion.Association, error)) {
	if a.state == StateNew {
		a.state, a.done = StateConnecting, make(chan struct{})
		go a.run(shake)
	}
}

// answer waits for the peer's INIT and does the rest of the handshake.
func (a *Association) answer() (*pion.Association, error) {
	var list []pion.ServerOption
	for _, o := range a.associationOptions() {
		list = append(list, o)
	}
	return pion.ServerWithOptions(list...)
}

// ask does the handshake from our INIT on.
func (a *Association) ask() (*pion.Association, error) {
	var list []pion.ClientOption
	for _, o := range a.associationOptions() {
		list = append(list, o)
	}
	return pion.ClientWithOptions(list...)
}

func (a *Association) associationOptions() []pion.AssociationOption {
	return []pion.AssociationOption{
		pion.WithNetConn(a.link),
		pion.WithName("association"),
		pion.WithRTOMax(float64(maxRetransmitTimeout.Milliseconds())),
		pion.WithLoggerFactory(pionlog.New(a.options.Logger, "SCTP")),
		pion.WithMTU(mtu),
		pion.WithMaxMessageSize(uint32(a.options.MaxSendBytes)),
		pion.WithMaxReceiveBufferSize(a.options.receiveWindow()),
		pion.WithMaxReassemblyQueueEntries(maxPieces),
		pion.WithEnableZeroChecksum(!a.options.Bare), // DTLS has one that is better (RFC 9653)
		// No peer of ours sends interleaved messages (RFC 8260) yet; what is not
		// offered cannot be attacked.
		pion.WithEnableInterleaving(false),
	}
}

// run is the life of the association.
func (a *Association) run(shake func() (*pion.Association, error)) {
	defer close(a.done)
	a.options.StateChange(StateConnecting, nil)
	p, err := shake()
	if err != nil {
		close(a.settled)
		_ = a.link.Close()
		a.finish(err)
		return
	}
	var deliverer sync.WaitGroup
	established := a.establish(p)
	close(a.settled)
	if established {
		a.options.StateChange(StateConnected, nil)
		deliverer.Go(a.deliver)
		a.link.nudge() // messages may have come with the end of the handshake
	}
	// Streams are taken where they are needed; this waits for the end.
	for err == nil {
		_, err = p.AcceptStream()
	}
	_ = p.Close() // and with it the link
	deliverer.Wait()
	a.finish(nil)
}

// establish makes messages flow, unless Close was faster.
func (a *Association) establish(p *pion.Association) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closing {
		return false
	}
	a.state, a.pion = StateConnected, p
	for _, s := range a.streams {
		a.openLocked(s)
	}
	return true
}

// finish ends the association. err is why the handshake did not succeed.
func (a *Association) finish(err error) {
	if cause := a.link.failure(); cause != nil {
		err = cause
	}
	a.mu.Lock()
	if a.closing {
		err = nil
	}
	a.state, a.pion = StateClosed, nil
	if err != nil {
		a.state = StateFailed
		err = fmt.Errorf("SCTP association: %w", err)
	}
	state := a.state
	close(a.room)
	a.mu.Unlock()
	a.options.StateChange(state, err)
}

// AwaitHandshake waits, for up to the given time, until the handshake has ended or the
// association is closed, and reports whether messages may be sent.
func (a *Association) AwaitHandshake(patience time.Duration) bool {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-a.settled:
	case <-a.link.shut: // perhaps before it has begun
	case <-late.C:
	}
	return a.State() == StateConnected
}

// State returns the current state.
func (a *Association) State() State {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}

// Negotiated is how many streams either side may send on, once the peer has said how
// many it has (RFC 9260 §5.1.1); 0 before.
func (a *Association) Negotiated() (outbound, inbound uint16) {
	said := a.peer.Load()
	return uint16(said), uint16(said >> 16)
}

// Dropped counts the messages that were bigger than Options.MaxMessageBytes.
func (a *Association) Dropped() uint64 { return a.dropped.Load() }

// Close ends the association without a word to the peer, for whom the end of DTLS
// says it, and waits for its goroutines. It may be called again.
func (a *Association) Close() {
	a.mu.Lock()
	a.closing = true
	if a.state == StateNew {
		a.state = StateClosed
	}
	done := a.done
	a.mu.Unlock()
	_ = a.link.Close()
	if done != nil {
		<-done
	}
}
