package sfu

import (
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/layer"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/tcp"
)

// outgoing is one packet made for one consumer, before encryption: slot from
// start to end.
type outgoing struct {
	slot       []byte
	start, end int
}

// fanout is the forwarding of a batch, group by group, and how far it has got:
// a panic ends it for one consumer, and it goes on with the next.
type fanout struct {
	group     int // index of the group in hand
	begun     bool
	consumers []*Consumer // of its producer
	position  int         // how many of them were served
	waiting   bool        // one waits for a keyframe
}

// forwardGroups sends on what the batch brought, in the order of arrival, and
// reports whether it has come to the end.
func (w *worker) forwardGroups() (done bool) {
	defer w.recoverPanic()
	for w.fanout.group < w.grouped {
		g := &w.groups[w.fanout.group]
		w.forwardGroup(g)
		w.fanout = fanout{group: w.fanout.group + 1}
		w.requestMissing(g.stream)
	}
	w.fanout = fanout{}
	return true
}

// forwardGroup sends the packets of g to every consumer.
func (w *worker) forwardGroup(g *group) {
	f := &w.fanout
	if !f.begun {
		f.begun, f.consumers = true, *g.producer.fanout.Load()
	}
	for f.position < len(f.consumers) {
		c := f.consumers[f.position]
		f.position++
		if !c.active.Load() {
			continue
		}
		t := c.transport
		t.sendMu.Lock()
		w.sending = t
		if w.sendGroupLocked(t, c, g) {
			f.waiting = true
		}
		w.sending = nil
		t.sendMu.Unlock()
	}
	if f.waiting {
		f.waiting = false
		g.stream.requestKeyframe(&w.scratch, w.now)
	}
}

// sendGroupLocked makes c's packets of g and sends them. It reports whether c
// waits for a keyframe of g's stream. t.sendMu is held.
func (w *worker) sendGroupLocked(t *Transport, c *Consumer, g *group) (waits bool) {
	if !t.canSendLocked() || !c.active.Load() {
		return false
	}
	if t.holdBackLocked(c) {
		return false
	}
	if c.starvedLocked() || w.now < c.layers.silentUntil {
		return false
	}
	target := c.targetLocked()
	n, sizeBytes, payloadBytes := 0, 0, 0
	for i := g.first; i >= 0; i = w.packets[i].next {
		p := &w.packets[i]
		f, result := c.selectLocked(p, target, w.now)
		waits = waits || result == waiting
		if !f.send {
			continue
		}
		c.history.note(f.remember(p.extSeq, c.rewrite.generation))
		if f.red == newestOfRED {
			p = &w.newest[i]
		}
		size := w.make(&w.ready[n], t, c, p, &f)
		if c.traces.has(traceRTP | traceKeyframe) {
			w.traceSent(c, p, &f, size, false)
		}
		sizeBytes += size
		payloadBytes += p.payloadLen
		n++
	}
	if n > 0 {
		c.sent.count(w.now, n, sizeBytes, payloadBytes)
		t.send.countRTP(w.now, w.sendReadyLocked(t, n, c.classOf()), n)
		if c.layers.sent != c.rewrite.stream {
			c.layers.sent = c.rewrite.stream
			c.noteEncodingsLocked()
		}
		c.tellLayersLocked(c.currentLayerLocked())
	}
	return waits
}

// count notes media packets that go out.
func (s *sentCounters) count(now mono.Instant, packets, sizeBytes, payloadBytes int) {
	s.packets += uint64(packets)
	s.bytes += uint64(sizeBytes)
	s.payloadBytes += uint64(payloadBytes)
	s.rate.Add(now, sizeBytes)
	s.rtxCredit = min(s.rtxCredit+sizeBytes, maxRTXCredit)
}

// What a receiver may have sent again is bounded: as many bytes as it was sent
// in the first place, and a keyframe beyond. Otherwise a receiver that asks for
// everything all the time makes the server send a hundred times the media.
const (
	firstRTXCredit = 128 << 10 // bytes
	maxRTXCredit   = 512 << 10 // all that a history holds, nearly
)

// make builds the packet that c's receiver gets for p in the form f, and returns
// its size without authentication tag. t.sendMu is held.
func (sc *scratch) make(o *outgoing, t *Transport, c *Consumer, p *packet, f *form) int {
	slot := p.slot
	extBytes := sc.writeExtensions(slot[rtp.HeaderSize:headroom], t, c, p, f)
	rtp.PutFixedHeader(slot, f.marker, false, extBytes > 0, f.pt, f.seq, f.ts, f.ssrc)
	// The header is built at the front of the slot, since its size is known
	// only then, and moved to where the payload begins.
	size := rtp.HeaderSize + extBytes
	start := headroom - size
	copy(slot[start:headroom], slot[:size])
	payloadLen := p.payloadLen
	if f.empty {
		payloadLen = p.prefix
	} else if c.video {
		layer.RewritePicture(slot[headroom+p.prefix:headroom+payloadLen], &p.frame.Frame, f.picture)
	} else if f.red == wholeRED {
		codec.SetREDPayloadType(slot[headroom+p.prefix:headroom+payloadLen], c.redBlocks)
	}
	o.slot, o.start, o.end = slot, start, headroom+payloadLen
	if b := t.send.bandwidth; b != nil {
		b.noteSent(sc.now, c, t.send.twccSeq, o.end-start)
	}
	return o.end - start
}

// writeExtensions writes the block of header extensions to b and returns its
// size, 0 if there are none.
func (sc *scratch) writeExtensions(b []byte, t *Transport, c *Consumer, p *packet, f *form) int {
	w := &sc.writer
	w.Start(b)
	if id := c.extensions[extMID]; id != 0 && len(c.mid) > 0 {
		w.Add(id, c.mid)
	}
	for set := p.ext.present; set != 0; set &= set - 1 {
		x := bits.TrailingZeros16(set)
		if id := c.extensions[x]; id != 0 {
			data := p.ext.data[x]
			if extension(x) == extDependencyDescriptor && p.frame.Descriptor != nil {
				sc.descriptor = codec.AppendDependency(sc.descriptor[:0], data, p.frame.Descriptor, p.frame.Structure, f.picture.Frame, f.targets)
				data = sc.descriptor
			}
			w.Add(id, data)
		}
	}
	if id := c.extensions[extAbsSendTime]; id != 0 {
		if b := w.Reserve(id, 3); b != nil {
			at := rtp.AbsSendTime(sc.now)
			b[0], b[1], b[2] = byte(at>>16), byte(at>>8), byte(at)
		}
	}
	if id := c.extensions[extTransportCC]; id != 0 {
		if b := w.Reserve(id, 2); b != nil {
			t.send.twccSeq++
			binary.BigEndian.PutUint16(b, t.send.twccSeq)
		}
	}
	return w.Finish()
}

// sendReadyLocked encrypts the n packets made and sends them as few runs of
// equal size. A packet a little smaller than the next is padded (RFC 3550
// §5.1): browsers cut a frame into packets that differ by a byte, and a run
// saves most of what sending a packet costs. It returns how many bytes were
// sent. t.sendMu is held.
func (sc *scratch) sendReadyLocked(t *Transport, n int, class tcp.Class) (sizeBytes int) {
	if t.send.direct != nil {
		return sc.sendDirectLocked(t, n)
	}
	for i := 0; i < n; {
		run, segment, next := sc.makeRun(t.send.outbound, i, n)
		if len(run) > 0 {
			sc.send(&t.send.dest, run, segment, class)
		}
		sizeBytes += len(run)
		i = next
	}
	return sizeBytes
}

// makeRun encrypts the packets ready from index first on, as many as make a run
// of segments of one size, of which the last may be shorter. next is the index
// of the first that does not.
func (sc *scratch) makeRun(outbound *srtp.Context, first, n int) (run []byte, segment, next int) {
	size := sc.segmentSize(first, n)
	run = sc.out[:0]
	for next = first; next < n && len(run)+size+tailroom <= maxRun; {
		o := &sc.ready[next]
		short := size - o.size()
		if short < 0 {
			break // larger than the run's: begins the next
		}
		last := short > maxPadding(size)
		if short > 0 && !last {
			o.pad(short)
		}
		before := len(run)
		run = sc.encrypt(outbound, run, o)
		next++
		if segment == 0 {
			segment = len(run)
		}
		if last && len(run) > before {
			break // only the last of a run may be shorter
		}
	}
	return run, segment, next
}

// segmentSize is that of the run that begins with the packet at index first:
// its own, or of the largest that it can be padded to.
func (sc *scratch) segmentSize(first, n int) int {
	own := sc.ready[first].size()
	size := own
	for _, o := range sc.ready[first+1 : n] {
		if s := o.size(); s > size && s-own <= maxPadding(s) {
			size = s
		}
	}
	return size
}

// maxPadding is how many bytes may be added to make a packet as large as the
// others of its run: one percent, and no more than fits the tail of its slot.
func maxPadding(size int) int { return min(size/100, tailroom-32) }

func (o *outgoing) size() int { return o.end - o.start }

// paddingBit is P of the first byte of an RTP header (RFC 3550 §5.1).
const paddingBit = 0x20

func (o *outgoing) pad(n int) {
	clear(o.slot[o.end : o.end+n])
	o.end += n
	o.slot[o.end-1] = byte(n)
	o.slot[o.start] |= paddingBit
}

// encrypt appends o to run: as SRTP, or as it is where outbound is nil.
func (sc *scratch) encrypt(outbound *srtp.Context, run []byte, o *outgoing) []byte {
	if outbound == nil {
		return append(run, o.slot[o.start:o.end]...)
	}
	dst := run[len(run):cap(run)]
	out, err := outbound.EncryptRTP(dst, o.slot[o.start:o.end], &sc.srtpHeader)
	if err != nil {
		sc.drop(dropEncrypt)
		return run
	}
	return run[:len(run)+len(out)]
}

// retransmit answers a NACK for seq. It reports whether seq is gone for good
// and only a keyframe can help. c's transport's recvMu is held.
func (sc *scratch) retransmit(c *Consumer, seq uint16) (gone bool) {
	t := c.transport
	t.sendMu.Lock()
	sc.sending = t
	if t.canSendLocked() && c.active.Load() && c.sent.rtxCredit > 0 {
		gone = sc.retransmitLocked(t, c, seq)
	}
	sc.sending = nil
	t.sendMu.Unlock()
	return gone
}

// retransmitLocked makes the packet once more, as RTX (RFC 4588 §4), or reports
// that it is gone. t.sendMu is held.
func (sc *scratch) retransmitLocked(t *Transport, c *Consumer, seq uint16) (gone bool) {
	e := c.history.find(seq)
	if e == nil {
		if e = sc.adopt(c, seq); e == nil {
			return c.video && c.history.replaced(seq) && c.rewrite.sinceKeyframe(seq)
		}
	}
	nowMS := uint32(sc.now.Milliseconds())
	if e.resentMS != 0 && nowMS-e.resentMS < c.resendIntervalMS() {
		return false // asked for twice before the first answer can have arrived
	}
	b := t.send.bandwidth
	if b != nil && c.video && !b.mayRepairLocked(sc.now, c, e) {
		return false
	}
	plain := sc.makeAgain(t, c, e)
	if plain == 0 {
		return c.video && c.rewrite.sinceKeyframe(seq)
	}
	t.send.countRTX(sc.now, sc.sendReadyLocked(t, 1, c.classOf()), 1)
	e.resentMS = nowMS
	c.sent.countRTX(plain)
	if b != nil && c.video {
		b.noteRepair(plain)
	}
	return false
}

// countRTX notes a packet that was sent again because it was asked for.
func (s *sentCounters) countRTX(sizeBytes int) {
	s.rtxPackets++
	s.rtxBytes += uint64(sizeBytes)
	s.rtxCredit -= sizeBytes
}

// makeAgain builds once more what e remembers, as the first packet ready, and
// returns its size, 0 if it is gone. t.sendMu is held.
func (sc *scratch) makeAgain(t *Transport, c *Consumer, e *sentPacket) (sizeBytes int) {
	p := &sc.again
	if !sc.recall(p, c, e) {
		return 0
	}
	c.rtxSeq++
	f := form{
		ssrc: c.rtxSSRC, ts: e.ts, seq: c.rtxSeq, pt: c.payloadTypes[e.pt].rtx,
		marker: e.flags&sentMarker != 0, empty: e.flags&sentEmpty != 0,
		picture: layer.PictureDelta{ID: e.pictureID, TL0: e.tl0, Frame: c.frameDeltas[e.generation&1]},
	}
	sizeBytes = sc.make(&sc.ready[0], t, c, p, &f)
	if c.traces.has(traceRTP | traceKeyframe) {
		sc.traceSent(c, p, &f, sizeBytes, true)
	}
	return sizeBytes
}

// adopt enters a packet into the history that was never sent but has its place
// there; nil if there is none.
func (sc *scratch) adopt(c *Consumer, seq uint16) *sentPacket {
	extSeq, ok := c.rewrite.unsent(seq)
	if !ok {
		return nil
	}
	s := c.rewrite.stream
	kept := s.stored(sc.now, extSeq, sc.kept)
	if kept == nil || sc.header.Parse(kept) != nil {
		return nil
	}
	info := &s.producer.codecs[sc.header.PayloadType]
	f := form{
		ts: sc.header.Timestamp + c.rewrite.tsOffset, seq: seq, pt: c.payloadTypes[info.mapped].sent, marker: sc.header.Marker,
	}
	if c.video {
		sc.again.frame.Packet = layer.Packet{Codec: info.codec}
		codec.Read(info.codec, kept[sc.header.PayloadOffset:], &sc.again.frame.Frame)
		current, layered := c.filter.Current()
		f.empty = layered && (sc.again.frame.Spatial > current.Spatial || sc.again.frame.Temporal > current.Temporal)
		f.picture = c.pictures.Place(&sc.again.frame.Packet)
	}
	return c.history.note(f.remember(extSeq, c.rewrite.generation))
}

// osnSize is the original sequence number before the payload of RTX (RFC 4588
// §4).
const osnSize = 2

// recall makes p what it was when e was sent, with the original sequence
// number before the payload.
func (sc *scratch) recall(p *packet, c *Consumer, e *sentPacket) bool {
	s := c.rewrite.streamOf(e.generation)
	if s == nil || c.payloadTypes[e.pt].rtx == 0 {
		return false
	}
	kept := s.stored(sc.now, e.extSeq, sc.kept)
	if kept == nil || sc.header.Parse(kept) != nil {
		return false
	}
	payload := kept[sc.header.PayloadOffset:]
	if len(payload)+osnSize > maxPayload {
		return false
	}
	sc.ext.read(&sc.header, kept, &s.producer.extensionsByID)
	p.ext.takeForwarded(&sc.ext)
	p.stream, p.extSeq, p.prefix = s, e.extSeq, osnSize
	p.identify()
	p.frame.again(s.producer.codecs[sc.header.PayloadType].codec, payload, p.ext.get(extDependencyDescriptor))
	binary.BigEndian.PutUint16(p.slot[headroom:], e.seq)
	p.payloadLen = osnSize + copy(p.slot[headroom+osnSize:], payload)
	return true
}

// resendIntervalMS is how long a receiver's repeated NACK for one packet is
// taken for a repetition and not for the loss of our answer. The recvMu of
// the consumer's transport is held.
func (c *Consumer) resendIntervalMS() uint32 {
	rtt := max(c.received.rtt, 10*time.Millisecond)
	if b := c.transport.send.bandwidth; b != nil {
		rtt += b.estimator.Standing()
	}
	return uint32(rtt.Milliseconds())
}
