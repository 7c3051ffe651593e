package sfu

import (
	"encoding/binary"
	"time"

	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/rtp"
)

// outgoing is one packet made for one consumer, before encryption: slot from
// start to end.
type outgoing struct {
	slot       []byte
	start, end int
}

// forwardGroup sends the packets of g to every consumer, and asks the sender
// for those that are missing before them.
func (w *worker) forwardGroup(g *group) {
	for _, c := range *g.producer.fanout.Load() {
		if !c.active.Load() {
			continue
		}
		t := c.transport
		t.sendMu.Lock()
		w.sending = t
		w.sendGroupLocked(t, c, g)
		w.sending = nil
		t.sendMu.Unlock()
	}
	w.requestMissing(g.stream)
}

// sendGroupLocked makes c's packets of g and sends them. t.sendMu is held.
func (w *worker) sendGroupLocked(t *WebRTCTransport, c *Consumer, g *group) {
	if t.send.outbound == nil || !t.send.hasDest {
		return
	}
	target := g.producer.best.Load()
	n := 0
	for i := g.first; i >= 0; i = w.packets[i].next {
		p := &w.packets[i]
		if !c.payloadTypes[p.pt].known {
			continue
		}
		seq, ts, ok := c.rewrite.place(p, target, c.video, w.now)
		if !ok {
			continue
		}
		c.history.note(p, seq, ts)
		c.sent.packets++
		c.sent.payloadBytes += uint64(p.payloadLen)
		c.sent.lastTS, c.sent.lastAt = ts, w.now
		size := w.make(&w.ready[n], t, c, p, p.pt, seq, ts, c.ssrc)
		c.sent.bytes += uint64(size)
		c.sent.rate.Add(w.now, size)
		n++
	}
	w.sendReadyLocked(t, n)
}

// make builds the packet that c's receiver gets for p and returns its size
// without authentication tag. t.sendMu is held.
func (sc *scratch) make(o *outgoing, t *WebRTCTransport, c *Consumer, p *packet, pt uint8, seq uint16, ts, ssrc uint32) int {
	slot := p.slot
	extBytes := sc.writeExtensions(slot[rtp.HeaderSize:headroom], t, c, p)
	rtp.PutFixedHeader(slot, p.marker, false, extBytes > 0, pt, seq, ts, ssrc)
	// The header is built at the front of the slot, since its size is known
	// only then, and moved to where the payload begins.
	size := rtp.HeaderSize + extBytes
	start := headroom - size
	copy(slot[start:headroom], slot[:size])
	o.slot, o.start, o.end = slot, start, headroom+p.payloadLen
	return o.end - start
}

// writeExtensions writes the block of header extensions to b and returns its
// size, 0 if there are none.
func (sc *scratch) writeExtensions(b []byte, t *WebRTCTransport, c *Consumer, p *packet) int {
	w := &sc.writer
	w.Start(b)
	if id := c.extensions[extMID]; id != 0 && len(c.mid) > 0 {
		w.Add(id, c.mid)
	}
	for e := extFirstForwarded; e < extCount; e++ {
		if id := c.extensions[e]; id != 0 && len(p.ext[e]) > 0 {
			w.Add(id, p.ext[e])
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
// saves most of what sending a packet costs. t.sendMu is held.
func (sc *scratch) sendReadyLocked(t *WebRTCTransport, n int) {
	for i := 0; i < n; {
		first := sc.ready[i].size()
		size := first
		for _, o := range sc.ready[i+1 : n] {
			if s := o.size(); s > size && s-first <= maxPadding(s) {
				size = s
			}
		}
		run, segment, packets := sc.out[:0], 0, 0
		for ; i < n && len(run)+size+tailroom <= maxRun; i++ {
			o := &sc.ready[i]
			short := size - o.size()
			if short < 0 {
				break // larger than the run's: begins the next
			}
			if short > 0 && short <= maxPadding(size) {
				o.pad(short)
				short = 0
			}
			before := len(run)
			run = sc.encrypt(t.send.outbound, run, o)
			if segment == 0 {
				segment = len(run)
			}
			packets++
			if short > 0 && len(run)-before < segment {
				i++
				break // only the last of a run may be shorter
			}
		}
		if len(run) == 0 {
			continue
		}
		t.send.countRTP(sc.now, len(run), packets)
		sc.send(&t.send.dest, run, segment)
	}
}

// maxPadding is how many bytes may be added to make a packet as large as the
// others of its run: one percent, and no more than fits the tail of its slot.
func maxPadding(size int) int { return min(size/100, tailroom-32) }

func (o *outgoing) size() int { return o.end - o.start }

func (o *outgoing) pad(n int) {
	clear(o.slot[o.end : o.end+n])
	o.end += n
	o.slot[o.end-1] = byte(n)
	o.slot[o.start] |= 0x20
}

// encrypt appends o as SRTP to run.
func (sc *scratch) encrypt(outbound *srtp.Context, run []byte, o *outgoing) []byte {
	dst := run[len(run):cap(run)]
	out, err := outbound.EncryptRTP(dst, o.slot[o.start:o.end], &sc.srtpHeader)
	if err != nil {
		sc.drop(dropEncrypt)
		return run
	}
	return run[:len(run)+len(out)]
}

// retransmit answers a NACK for seq. c's transport's recvMu is held.
func (sc *scratch) retransmit(c *Consumer, seq uint16) {
	t := c.transport
	t.sendMu.Lock()
	sc.sending = t
	sc.retransmitLocked(t, c, seq)
	sc.sending = nil
	t.sendMu.Unlock()
}

// retransmitLocked makes the packet once more, as RTX (RFC 4588 §4). t.sendMu
// is held.
func (sc *scratch) retransmitLocked(t *WebRTCTransport, c *Consumer, seq uint16) {
	e := c.history.find(seq)
	if e == nil || t.send.outbound == nil || !t.send.hasDest {
		return
	}
	nowMS := uint32(sc.now.Milliseconds())
	if e.resentMS != 0 && nowMS-e.resentMS < c.resendIntervalMS() {
		return // asked for twice before the first answer can have arrived
	}
	p := &sc.again
	if !sc.recall(p, c, e) {
		return
	}
	e.resentMS = nowMS
	c.rtxSeq++
	var o outgoing
	size := sc.make(&o, t, c, p, c.payloadTypes[e.pt].rtx, c.rtxSeq, e.ts, c.rtxSSRC)
	c.sent.rtxPackets++
	c.sent.rtxBytes += uint64(size)
	t.send.rtxRate.Add(sc.now, size)
	sc.ready[0] = o
	sc.sendReadyLocked(t, 1)
}

// recall makes p what it was when e was sent, with the original sequence
// number before the payload.
func (sc *scratch) recall(p *packet, c *Consumer, e *sentPacket) bool {
	s := c.rewrite.stream
	if s == nil || s.encoding != int(e.encoding) || c.payloadTypes[e.pt].rtx == 0 {
		return false
	}
	kept := s.stored(sc.now, e.extSeq, sc.kept)
	if kept == nil || sc.header.Parse(kept) != nil {
		return false
	}
	payload := kept[sc.header.PayloadOffset:]
	if len(payload)+2 > maxPayload {
		return false
	}
	clear(p.ext[:])
	r := sc.header.Extensions(kept)
	for {
		id, data, ok := r.Next()
		if !ok {
			break
		}
		p.ext[s.producer.extensions.of(id)] = data
	}
	p.stream, p.extSeq, p.marker = s, e.extSeq, sc.header.Marker
	binary.BigEndian.PutUint16(p.slot[headroom:], e.seq)
	p.payloadLen = 2 + copy(p.slot[headroom+2:], payload)
	return true
}

// resendIntervalMS is how long a receiver's repeated NACK for one packet is
// taken for a repetition and not for the loss of our answer. The recvMu of
// the consumer's transport is held.
func (c *Consumer) resendIntervalMS() uint32 {
	return uint32(max(c.received.rtt, 10*time.Millisecond).Milliseconds())
}
