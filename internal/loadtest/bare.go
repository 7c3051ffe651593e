package loadtest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	pionrtp "github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

// BareLoad is one video that a [ServeBareLoop] sends to many receivers: the
// yardstick beside which a server's fan-out of the same traffic is seen. What
// a server costs more is what it does more: ICE, rewriting, statistics,
// feedback, retransmission.
type BareLoad struct {
	Receivers        int
	Video            Video
	Warmup, Duration time.Duration
	// JoinDatagrams is as in Options.
	JoinDatagrams bool
	// At, if not nil, is called when the measurement has begun and ended.
	At func(Moment) error
}

// Sizes of what a receiver tells the loop: the letter, and the master key and
// salt of AEAD_AES_128_GCM with which it wants its packets.
const (
	joinLetter = 'J'
	keySize    = 16
	saltSize   = 12
	joinSize   = 1 + keySize + saltSize
)

// RunBare runs l against the loop that listens at the address.
func RunBare(ctx context.Context, loop netip.AddrPort, l BareLoad) (report *Report, err error) {
	r := &bareRun{BareLoad: l, source: newVideoSource(l.Video.withDefaults())}
	defer func() { err = errors.Join(err, r.close()) }()
	began := time.Now()
	for i := range l.Receivers {
		receiver, err := joinBareLoop(ctx, loop, Options{JoinDatagrams: l.JoinDatagrams, KernelTime: true})
		if err != nil {
			return nil, fmt.Errorf("receiver %d: %w", i, err)
		}
		r.receivers = append(r.receivers, receiver)
	}
	joining := time.Since(began)
	if r.conn, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(loop)); err != nil {
		return nil, fmt.Errorf("open the sender's socket: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer r.sending.Wait()
	defer cancel()
	r.sending.Go(func() { r.send(ctx) })
	if report, err = r.measure(ctx); report != nil {
		report.Joining = joining
	}
	return report, err
}

// bareRun is a BareLoad that runs.
type bareRun struct {
	BareLoad
	receivers []*bareReceiver
	conn      *net.UDPConn
	sending   sync.WaitGroup

	mu     sync.Mutex
	source *videoSource // guarded by mu, as is the rest
	seq    uint16
	sent   uint64
	buffer [maxPacket]byte
}

// send sends the frames of the video at their times.
func (r *bareRun) send(ctx context.Context) {
	interval := time.Second / time.Duration(r.source.video.FrameRate)
	frame := &cadence{next: mono.Now()}
	for sleep(ctx, frame.next.Sub(mono.Now())) == nil {
		if _, ok := frame.due(mono.Now(), interval); ok {
			r.sendFrame()
		}
	}
}

// bareExtensionSize is of the one header extension of a packet of ours:
//
//	|    0xBEDE     |   length=3    |
//	| ID=1  | L=7   | when it was sent, Unix time in ns (64) | padding (24) |
//
// It is not encrypted, so that a receiver needs no key to measure latency.
const bareExtensionSize = 4 + 12

func (r *bareRun) sendFrame() {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := r.source.next(false)
	for i := range count {
		b := r.buffer[:rtp.HeaderSize+bareExtensionSize]
		rtp.PutFixedHeader(b, i == count-1, false, true, vp8PayloadType, r.seq, uint32(r.source.frames)*3000, 1)
		copy(b[rtp.HeaderSize:], []byte{0xbe, 0xde, 0, 3, 1<<4 | 7})
		binary.BigEndian.PutUint64(b[rtp.HeaderSize+5:], uint64(time.Now().UnixNano()))
		r.seq++
		if _, err := r.conn.Write(r.source.appendPayload(b, i)); err == nil {
			r.sent++
		}
	}
}

// bareSentAt reads the time that sendFrame wrote, in ns of Unix time; ok is
// false for a packet of another origin.
func bareSentAt(b []byte) (ns int64, ok bool) {
	if len(b) < rtp.HeaderSize+bareExtensionSize || binary.BigEndian.Uint32(b[rtp.HeaderSize:]) != 0xbede_0003 {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(b[rtp.HeaderSize+5:])), true
}

func (r *bareRun) packetsSent() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent
}

func (r *bareRun) measure(ctx context.Context) (*Report, error) {
	if err := sleep(ctx, r.Warmup); err != nil {
		return nil, err
	}
	before, sent, began := r.stats(true), r.packetsSent(), time.Now()
	if err := lasting(ctx, r.Duration, r.At); err != nil {
		return nil, err
	}
	sent, after := r.packetsSent()-sent, r.stats(false)
	report := &Report{
		Senders: 1, Receivers: r.Receivers, Duration: time.Since(began),
		Sent: sent, Expected: sent * uint64(r.Receivers),
	}
	for i := range after {
		report.add(before[i], after[i])
	}
	return report, nil
}

func (r *bareRun) stats(forget bool) []ReceiverStats {
	list := make([]ReceiverStats, len(r.receivers))
	for i, receiver := range r.receivers {
		list[i] = receiver.stats(forget)
	}
	return list
}

func (r *bareRun) close() error {
	var errs []error
	for _, receiver := range r.receivers {
		errs = append(errs, receiver.conn.Close())
		<-receiver.ended
	}
	if r.conn != nil {
		errs = append(errs, r.conn.Close())
	}
	return errors.Join(errs...)
}

// bareReceiver counts what it gets, and decrypts one packet in so many.
type bareReceiver struct {
	conn    *net.UDPConn
	inbound *srtp.Context
	ended   chan struct{}

	mu        sync.Mutex
	reception reception
	latency   Histogram
	faults    uint64
	parsed    rtp.Header
	header    pionrtp.Header
}

// bareDecryptEvery is how often a packet is checked whole.
const bareDecryptEvery = 100

// joinBareLoop opens a receiver and makes the loop send to it.
func joinBareLoop(ctx context.Context, loop netip.AddrPort, o Options) (*bareReceiver, error) {
	join := make([]byte, joinSize)
	join[0] = joinLetter
	rand.Read(join[1:])
	inbound, err := bareContext(join)
	if err != nil {
		return nil, err
	}
	conn, err := o.open(net.UDPAddrFromAddrPort(loop), nil)
	if err != nil {
		return nil, err
	}
	if err := askToJoin(ctx, conn, join); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	r := &bareReceiver{conn: conn, inbound: inbound, ended: make(chan struct{})}
	go r.read()
	return r, nil
}

// bareContext makes the SRTP context of what a receiver asks for; both sides
// have it.
func bareContext(join []byte) (*srtp.Context, error) {
	return srtp.CreateContext(join[1:1+keySize], join[1+keySize:joinSize], srtp.ProtectionProfileAeadAes128Gcm)
}

// askToJoin sends join until it comes back.
func askToJoin(ctx context.Context, conn *net.UDPConn, join []byte) error {
	reply := make([]byte, maxPacket)
	for ctx.Err() == nil {
		if _, err := conn.Write(join); err != nil {
			return err
		}
		if err := conn.SetReadDeadline(time.Now().Add(checkInterval)); err != nil {
			return err
		}
		if n, err := conn.Read(reply); err == nil && n == joinSize {
			return conn.SetReadDeadline(time.Time{})
		}
	}
	return fmt.Errorf("join the loop: %w", ctx.Err())
}

func (r *bareReceiver) read() {
	defer close(r.ended)
	buffer, control := make([]byte, maxDatagram), make([]byte, ancillarySize)
	for {
		n, controlLen, _, _, err := r.conn.ReadMsgUDPAddrPort(buffer, control)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			r.receive(buffer[:n], readAncillary(control[:controlLen], n))
		}
	}
}

func (r *bareReceiver) receive(data []byte, said ancillary) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(data) > 0 {
		n := min(said.segment, len(data))
		r.receiveLocked(data[:n:n], said.arrived)
		data = data[n:]
	}
}

func (r *bareReceiver) receiveLocked(b []byte, arrived int64) {
	sent, ok := bareSentAt(b)
	if !ok || r.parsed.Parse(b) != nil {
		r.faults++
		return
	}
	r.reception.record(r.parsed.Seq, r.parsed.Timestamp, true, 0)
	if arrived != 0 {
		r.latency.Add(time.Duration(arrived - sent))
	}
	if r.reception.received%bareDecryptEvery == 0 {
		if _, err := r.inbound.DecryptRTP(b[:0], b, &r.header); err != nil {
			r.faults++
		}
	}
}

// stats returns the figures in the form of a Receiver's.
func (r *bareReceiver) stats(forget bool) ReceiverStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := ReceiverStats{Latency: r.latency, Undecryptable: r.faults, Streams: []StreamStats{{
		Packets: r.reception.received, Lost: r.reception.lost(), Duplicates: r.reception.duplicates,
	}}}
	if forget {
		r.latency = Histogram{}
	}
	return st
}
