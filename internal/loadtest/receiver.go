package loadtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

// Receiver is a client that receives. It does so from Pool.Receiver to Close.
type Receiver struct {
	// Constant once running.
	pool      *Pool
	transport *transport
	started   mono.Instant
	ssrc      uint32 // of our feedback
	connected time.Duration

	// Guarded by transport.mu.
	streams      []*incoming
	asking       int // consumers whose SSRC the server knows and we do not yet
	feedback     feedback
	feedbackSSRC uint32
	lastFeedback mono.Instant
	lastReport   mono.Instant
	latency      Histogram
	unknown      uint64
}

// ReceiverStats is what a Receiver has got since it began.
type ReceiverStats struct {
	Streams []StreamStats
	// Latency is from a packet's sending to its reading, by the packets that
	// were decrypted.
	Latency Histogram
	// Connected is how long ICE and DTLS took, signalling included.
	Connected time.Duration
	// Alive tells that the server has answered checks of the last 30 s.
	Alive     bool
	RoundTrip time.Duration // of the last check

	Unknown       uint64 // packets of streams that nobody announced
	Early         uint64 // packets before DTLS was done or their stream was announced
	Malformed     uint64
	Undecryptable uint64
	WriteErrors   uint64
}

// Receiver connects a client that receives the given producers.
func (p *Pool) Receiver(ctx context.Context, signalling ReceiveSignalling, producerIDs ...string) (*Receiver, error) {
	r := &Receiver{pool: p, started: mono.Now(), ssrc: rand.Uint32() | 1}
	var err error
	r.transport, err = p.connect(ctx, signalling, Receive, media{rtp: r.receiveLocked, rtcp: r.receiveRTCPLocked})
	if err != nil {
		return nil, err
	}
	r.connected = mono.Now().Sub(r.started)
	for _, id := range producerIDs {
		err = errors.Join(err, r.Consume(ctx, signalling, id))
	}
	if err == nil {
		err = p.add(r)
	}
	if err != nil {
		return nil, errors.Join(err, r.transport.close())
	}
	return r, nil
}

// Consume receives one more producer.
func (r *Receiver) Consume(ctx context.Context, signalling ReceiveSignalling, producerID string) error {
	r.setAsking(+1)
	defer r.setAsking(-1)
	info, err := signalling.Consume(ctx, r.transport.server.ID, producerID)
	if err != nil {
		return fmt.Errorf("consume %s: %w", producerID, err)
	}
	in := newIncoming(info)
	if in.ssrc == 0 {
		return fmt.Errorf("consume %s: the consumer has no SSRC", producerID)
	}
	r.transport.mu.Lock()
	defer r.transport.mu.Unlock()
	r.streams = append(r.streams, in)
	return nil
}

func (r *Receiver) setAsking(change int) {
	r.transport.mu.Lock()
	defer r.transport.mu.Unlock()
	r.asking += change
}

// Stats returns the counters.
func (r *Receiver) Stats() ReceiverStats {
	t := r.transport
	t.mu.Lock()
	defer t.mu.Unlock()
	st := ReceiverStats{
		Latency: r.latency, Connected: r.connected,
		Alive: t.checks.consented(mono.Now()), RoundTrip: t.checks.roundTrip,
		Unknown: r.unknown, Early: t.counters.early, Malformed: t.counters.malformed,
		Undecryptable: t.counters.undecryptable, WriteErrors: t.counters.writeErrors,
	}
	for _, in := range r.streams {
		st.Streams = append(st.Streams, in.snapshot())
	}
	return st
}

// Close leaves.
func (r *Receiver) Close() error {
	if !r.pool.remove(r) {
		return nil
	}
	return r.transport.close()
}

// stream returns the stream that ssrc or its RTX is, or nil.
func (r *Receiver) stream(ssrc uint32) *incoming {
	for _, in := range r.streams {
		if in.ssrc == ssrc || in.rtxSSRC == ssrc && ssrc != 0 {
			return in
		}
	}
	return nil
}

// receiveRTCPLocked takes in a compound from the server, of which sender
// reports matter.
func (r *Receiver) receiveRTCPLocked(compound []byte, now mono.Instant) {
	reader := rtp.NewRTCPReader(compound)
	var p rtp.RTCPPacket
	for reader.Next(&p) {
		sr, ok := rtp.ParseSR(p)
		if !ok {
			continue
		}
		if in := r.stream(sr.SSRC); in != nil {
			in.reception.onSenderReport(sr, now)
		}
	}
	if reader.Err() != nil {
		r.transport.counters.malformed++
	}
}

// reportInterval is how often Chromium reports on video.
const reportInterval = time.Second

// tick implements client.
func (r *Receiver) tick(now mono.Instant) {
	t := r.transport
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tickLocked(now)
	var compound []byte
	if now.Sub(r.lastReport) >= reportInterval {
		r.lastReport = now
		compound = r.appendReportLocked(compound, now)
	}
	for _, in := range r.streams {
		compound = in.askLocked(compound, r.ssrc, now)
	}
	if now.Sub(r.lastFeedback) >= feedbackInterval || r.feedback.full() {
		r.lastFeedback = now
		compound = r.feedback.append(compound, r.ssrc, r.feedbackSSRC)
	}
	t.sendRTCPLocked(compound)
}

// appendReportLocked appends a receiver report on every stream that has
// begun, if any has.
func (r *Receiver) appendReportLocked(compound []byte, now mono.Instant) []byte {
	var blocks []rtp.ReportBlock
	for _, in := range r.streams {
		if b, ok := in.reception.block(in.ssrc, now); ok {
			blocks = append(blocks, b)
		}
	}
	if len(blocks) == 0 {
		return compound
	}
	return rtp.AppendRR(compound, r.ssrc, blocks)
}
