package loadtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// SenderOptions say what a Sender sends: video, audio or both.
type SenderOptions struct {
	// Video is nil for none. &Video{} is 1.5 Mbit/s of 30 frames a second.
	Video *Video
	// Simulcast is the encodings of one video, the least first, in place of
	// Video.
	Simulcast []Video
	// Audio is Opus at about 32 kbit/s, 50 packets a second.
	Audio bool
}

// Sender is a client that sends. It does so from Pool.Sender to Close.
type Sender struct {
	// Constant once running.
	pool      *Pool
	transport *transport
	cname     string
	producers []Produced
	closing   chan struct{}
	ended     chan struct{} // closed when the sending goroutine has ended

	// Guarded by transport.mu.
	audio        *outgoing   // nil for none
	encodings    []*encoding // of the video, if there is any
	extensions   rtp.ExtensionWriter
	transportSeq uint16
	firSeq       map[firFrom]uint8
	opusPackets  int
	stats        SenderStats
}

// firFrom is who has asked for a keyframe of which encoding.
type firFrom struct{ sender, media uint32 }

// encoding is one version of the video.
type encoding struct {
	*outgoing
	source       *videoSource
	cadence      cadence
	wantKeyframe bool
}

// Produced is a producer of a Sender.
type Produced struct {
	ID   string
	Kind ortc.MediaKind
	SSRC uint32 // of the first encoding
	// SSRCs is those of all encodings, the least first.
	SSRCs []uint32
}

// SenderStats is what a Sender has done since it began.
type SenderStats struct {
	Packets uint64 // of media, retransmissions not counted
	Bytes   uint64 // of their payload
	Frames  uint64
	// Keyframes were sent at the start and when asked for.
	Keyframes uint64

	PLIs, FIRs uint64 // asked for by the server
	Nacked     uint64 // numbers that the server missed
	// Retransmitted of these were sent again; Unanswerable were gone.
	Retransmitted, Unanswerable uint64

	Feedbacks uint64 // transport-wide congestion feedback messages
	REMB      uint64 // the last one, in bit/s
	Reports   uint64 // report blocks about our streams
	// FractionLost (of 256) is of the last report about video, or audio.
	FractionLost uint8
	RoundTrip    time.Duration // by the last report

	WriteErrors uint64 // datagrams that the system refused to send
}

// Sender connects a client that sends, and starts it.
func (p *Pool) Sender(ctx context.Context, signalling SendSignalling, o SenderOptions) (*Sender, error) {
	videos := o.Simulcast
	if o.Video != nil {
		videos = append([]Video{*o.Video}, videos...)
	}
	switch {
	case len(videos) == 0 && !o.Audio:
		return nil, errors.New("a sender needs video, audio or both")
	case o.Video != nil && len(videos) > 1:
		return nil, errors.New("a sender has one video: either Video or Simulcast")
	}
	s := &Sender{
		pool: p, cname: rand.Text(), firSeq: map[firFrom]uint8{},
		closing: make(chan struct{}), ended: make(chan struct{}),
	}
	if o.Audio {
		s.audio = newOutgoing(ortc.Audio, "0")
	}
	for _, v := range videos {
		s.encodings = append(s.encodings, &encoding{outgoing: newOutgoing(ortc.Video, "1"), source: newVideoSource(v.withDefaults()), wantKeyframe: true})
	}
	var err error
	s.transport, err = p.connect(ctx, signalling, Send, media{rtcp: s.receiveRTCPLocked})
	if err != nil {
		return nil, err
	}
	if err = s.produce(ctx, signalling); err == nil {
		err = p.add(s)
	}
	if err != nil {
		return nil, errors.Join(err, s.transport.close())
	}
	go s.run()
	return s, nil
}

// produce announces the streams.
func (s *Sender) produce(ctx context.Context, signalling SendSignalling) error {
	if s.audio != nil {
		if err := s.produceOne(ctx, signalling, ortc.Audio, s.audio.parameters(s.cname)); err != nil {
			return err
		}
	}
	if len(s.encodings) == 0 {
		return nil
	}
	p := s.encodings[0].parameters(s.cname)
	for _, e := range s.encodings[1:] {
		p.Encodings = append(p.Encodings, e.parameters(s.cname).Encodings...)
	}
	return s.produceOne(ctx, signalling, ortc.Video, p)
}

func (s *Sender) produceOne(ctx context.Context, signalling SendSignalling, kind ortc.MediaKind, p ortc.RTPParameters) error {
	id, err := signalling.Produce(ctx, s.transport.server.ID, kind, p)
	if err != nil {
		return fmt.Errorf("produce %s: %w", kind, err)
	}
	made := Produced{ID: id, Kind: kind, SSRC: p.Encodings[0].SSRC}
	for _, e := range p.Encodings {
		made.SSRCs = append(made.SSRCs, e.SSRC)
	}
	s.producers = append(s.producers, made)
	return nil
}

// streams calls do for every stream, audio first.
func (s *Sender) streams(do func(*outgoing)) {
	if s.audio != nil {
		do(s.audio)
	}
	for _, e := range s.encodings {
		do(e.outgoing)
	}
}

// Producers returns what the Sender produces, audio first.
func (s *Sender) Producers() []Produced { return s.producers }

// Stats returns the counters.
func (s *Sender) Stats() SenderStats {
	s.transport.mu.Lock()
	defer s.transport.mu.Unlock()
	st := s.stats
	s.streams(func(o *outgoing) {
		st.Packets += uint64(o.packets)
		st.Bytes += uint64(o.octets)
	})
	st.WriteErrors = s.transport.counters.writeErrors
	return st
}

// Close stops sending and leaves.
func (s *Sender) Close() error {
	if !s.pool.remove(s) {
		return nil
	}
	close(s.closing)
	<-s.ended
	s.goodbye()
	return s.transport.close()
}

// goodbye says that the streams end.
func (s *Sender) goodbye() {
	s.transport.mu.Lock()
	defer s.transport.mu.Unlock()
	var ssrcs []uint32
	for _, p := range s.producers {
		ssrcs = append(ssrcs, p.SSRCs...)
	}
	s.transport.sendRTCPLocked(rtp.AppendBYE(rtp.AppendRR(nil, ssrcs[0], nil), ssrcs))
}

// audioInterval is the length of a packet of Opus.
const audioInterval = 20 * time.Millisecond

// maxLag is how late media may be sent; what is older is skipped, as after a
// pause of the machine a flood would be no test of anything.
const maxLag = 200 * time.Millisecond

// run sends media when they are due.
func (s *Sender) run() {
	defer close(s.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	now := mono.Now()
	packet := &cadence{next: now}
	for _, e := range s.encodings {
		e.cadence.next = now
	}
	for {
		select {
		case <-s.closing:
			return
		case <-timer.C:
		}
		timer.Reset(s.sendDue(packet, mono.Now()))
	}
}

// cadence is the times at which something is done again and again.
type cadence struct{ next mono.Instant }

// due reports whether it is time, and if so sets the next time; intervals are
// how many have passed, one unless the machine has paused.
func (c *cadence) due(now mono.Instant, interval time.Duration) (intervals int, ok bool) {
	if now < c.next {
		return 0, false
	}
	intervals = 1
	if lag := now.Sub(c.next); lag > maxLag {
		intervals += int(lag / interval)
	}
	c.next = c.next.Add(time.Duration(intervals) * interval)
	return intervals, true
}

// sendDue sends what is due, and returns how long to wait for the next.
func (s *Sender) sendDue(packet *cadence, now mono.Instant) time.Duration {
	s.transport.mu.Lock()
	defer s.transport.mu.Unlock()
	wait := time.Second
	if s.audio != nil {
		if n, ok := packet.due(now, audioInterval); ok {
			s.sendAudioLocked(uint32(n))
		}
		wait = min(wait, packet.next.Sub(now))
	}
	for _, e := range s.encodings {
		rate := e.source.video.FrameRate
		if n, ok := e.cadence.due(now, time.Second/time.Duration(rate)); ok {
			s.sendFrameLocked(e, uint32(n))
		}
		wait = min(wait, e.cadence.next.Sub(now))
	}
	return wait
}

// sendAudioLocked sends a packet that is so many intervals after the last.
func (s *Sender) sendAudioLocked(intervals uint32) {
	s.audio.timestamp += intervals * s.audio.clockRate / uint32(time.Second/audioInterval)
	marker := s.opusPackets == 0 // the begin of a talkspurt, RFC 3551 §4.1
	b := s.beginLocked(s.audio, marker)
	header := len(b)
	b = appendOpus(b, s.opusPackets)
	s.opusPackets++
	s.finishLocked(s.audio, b, len(b)-header, marker, 0, 0)
}

// sendFrameLocked sends a frame of an encoding that is so many intervals after
// the last.
func (s *Sender) sendFrameLocked(e *encoding, intervals uint32) {
	keyframe := e.wantKeyframe
	e.wantKeyframe = false
	s.stats.Frames++
	if keyframe {
		s.stats.Keyframes++
	}
	e.timestamp += intervals * e.clockRate / uint32(e.source.video.FrameRate)
	count := e.source.next(keyframe)
	for i := range count {
		last := i == count-1
		b := s.beginLocked(e.outgoing, last)
		header := len(b)
		b = e.source.appendPayload(b, i)
		s.finishLocked(e.outgoing, b, len(b)-header, last, e.source.number, e.source.reference)
	}
}

// tick implements client.
func (s *Sender) tick(now mono.Instant) {
	s.transport.mu.Lock()
	defer s.transport.mu.Unlock()
	s.transport.tickLocked(now)
	s.streams(func(o *outgoing) { s.reportLocked(o, now) })
}

// receiveRTCPLocked takes in a compound from the server.
func (s *Sender) receiveRTCPLocked(compound []byte, now mono.Instant) {
	reader := rtp.NewRTCPReader(compound)
	var p rtp.RTCPPacket
	for reader.Next(&p) {
		switch {
		case p.Type == rtp.TypeSR || p.Type == rtp.TypeRR:
			s.receiveReportLocked(p, now)
		case p.IsPLI():
			s.stats.PLIs++
			s.receivePLILocked(p)
		case p.Type == rtp.TypePSFB && p.Count == rtp.FormatFIR:
			s.receiveFIRLocked(p)
		case p.Type == rtp.TypePSFB && p.Count == rtp.FormatAFB:
			if remb, ok := rtp.ParseREMB(p); ok {
				s.stats.REMB = remb.Bitrate
			}
		case p.Type == rtp.TypeRTPFB && p.Count == rtp.FormatNACK:
			s.receiveNACKLocked(p)
		case p.Type == rtp.TypeRTPFB && p.Count == rtp.FormatTransportCC:
			s.stats.Feedbacks++
		}
	}
	if reader.Err() != nil {
		s.transport.counters.malformed++
	}
}

// stream returns the stream with that SSRC, or nil.
func (s *Sender) stream(ssrc uint32) *outgoing {
	if s.audio != nil && s.audio.ssrc == ssrc {
		return s.audio
	}
	if e := s.encoding(ssrc); e != nil {
		return e.outgoing
	}
	return nil
}

// encoding returns the encoding with that SSRC, or nil.
func (s *Sender) encoding(ssrc uint32) *encoding {
	for _, e := range s.encodings {
		if e.ssrc == ssrc {
			return e
		}
	}
	return nil
}

func (s *Sender) receivePLILocked(p rtp.RTCPPacket) {
	_, media, _ := p.FeedbackSSRCs()
	if e := s.encoding(media); e != nil {
		e.wantKeyframe = true
	}
}

func (s *Sender) receiveReportLocked(p rtp.RTCPPacket, now mono.Instant) {
	for i := range int(p.Count) {
		block, ok := p.ReportBlock(i)
		if !ok {
			return
		}
		o := s.stream(block.SSRC)
		if o == nil {
			continue
		}
		o.known = true
		s.stats.Reports++
		s.stats.FractionLost = block.FractionLost
		if rtt, ok := rtp.RoundTrip(rtp.ToNTP(now.Wall()), block.LastSR, block.DelaySinceLastSR); ok {
			s.stats.RoundTrip = rtt
		}
	}
}

// receiveFIRLocked asks for a keyframe, once for each new number: a repeated
// request has that of the first (RFC 5104 §4.3.1.2).
func (s *Sender) receiveFIRLocked(p rtp.RTCPPacket) {
	sender, _, ok := p.FeedbackSSRCs()
	if !ok {
		return
	}
	for i := 0; ; i++ {
		ssrc, seq, ok := p.FIREntry(i)
		if !ok {
			return
		}
		from := firFrom{sender, ssrc}
		last, seen := s.firSeq[from]
		e := s.encoding(ssrc)
		if e == nil || seen && last == seq {
			continue
		}
		s.firSeq[from] = seq
		s.stats.FIRs++
		e.wantKeyframe = true
	}
}

func (s *Sender) receiveNACKLocked(p rtp.RTCPPacket) {
	_, media, ok := p.FeedbackSSRCs()
	o := s.stream(media)
	if !ok || o == nil {
		return
	}
	for i := 0; ; i++ {
		pid, blp, ok := p.NackPair(i)
		if !ok {
			return
		}
		s.nackedLocked(o, pid)
		for bit := range 16 {
			if blp&(1<<bit) != 0 {
				s.nackedLocked(o, pid+uint16(bit)+1)
			}
		}
	}
}

func (s *Sender) nackedLocked(o *outgoing, seq uint16) {
	s.stats.Nacked++
	s.resendLocked(o, seq)
}
