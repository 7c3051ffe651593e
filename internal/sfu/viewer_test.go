package sfu

import (
	"encoding/binary"
	"slices"
	"time"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/e2e/relay/link"
	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

// pictures is an encoding of VP8 with three temporal layers as an encoder makes
// them: the least takes 40 % of the bitrate, the two least 60 %, and a keyframe
// is four times as large as its kind.
type pictures struct {
	bitrate int
	count   uint32
	place   int // in the pattern of layers
	id      uint16
	tl0     uint8
	newest  [3]uint32 // frame of each layer
}

const (
	pictureRate    = 30
	keyframeFactor = 4
	mtu            = 1170
	// pictureStamp ends each payload: encoding, number of the frame, and that
	// of the one it refers to.
	pictureStamp = 9
)

// picturePattern is the layers of four frames in a row: what they refer to, whether to
// the least only, and their size in percent.
var picturePattern = [4]struct {
	layer, needs uint8
	sync         bool
	percent      int
}{{0, 0, false, 160}, {2, 0, true, 80}, {1, 0, true, 80}, {2, 1, false, 80}}

// next returns the payloads of the next frame.
func (p *pictures) next(encoding uint8, key bool) (payloads [][]byte) {
	p.count++
	p.id = (p.id + 1) & 0x7fff
	p.place = (p.place + 1) % len(picturePattern)
	if key {
		p.place = 0
	}
	at := picturePattern[p.place]
	reference, size, tag := p.newest[at.needs], p.bitrate/8/pictureRate*at.percent/100, byte(1)
	if key {
		reference, size, tag = p.count, size*keyframeFactor, 0
		p.newest = [3]uint32{p.count, p.count, p.count}
	}
	p.newest[at.layer] = p.count
	if at.layer == 0 {
		p.tl0++
	}
	layers := at.layer << 6
	if at.sync {
		layers |= 0x20
	}
	packets := (size + mtu - 1) / mtu
	for i := range packets {
		payload := append(make([]byte, 0, mtu), 0x80, 0xe0, 0x80|byte(p.id>>8), byte(p.id), p.tl0, layers, tag, 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 240, 0)
		if i == 0 {
			payload[0] |= 0x10
		}
		payload = append(payload, make([]byte, size/packets-len(payload)-pictureStamp)...)
		payload = append(payload, encoding)
		payload = binary.BigEndian.AppendUint32(payload, p.count)
		payloads = append(payloads, binary.BigEndian.AppendUint32(payload, reference))
	}
	return payloads
}

// picture is a frame of which packets have come.
type picture struct {
	encoding         uint8
	frame, reference uint32
	first, end       int64
	got              int64
	since            mono.Instant // when it was complete
}

func (p *picture) complete() bool { return p.first >= 0 && p.end >= 0 && p.got == p.end-p.first }

// viewer is a receiver behind a line. It asks for what is missing as Chromium
// does, and knows of each frame whether it could be shown: it is whole, and what
// it refers to was shown.
type viewer struct {
	*client
	consumer *Consumer
	twccID   uint8
	down     *link.Link
	flying   []flyingPacket // to it, by arrival
	up       []upward       // from it

	recorder     bwe.Recorder
	numbers      rtp.Unwrapper
	highest      int64
	arrived      map[int64]bool
	missing      map[int64]*gap
	feedback     mono.Instant
	report       mono.Instant
	senderReport uint32
	reportAt     mono.Instant
	askedAt      mono.Instant

	pending  []picture
	shown    map[uint32]bool // frames of the encoding shown
	last     int64           // end of the frame shown last
	showing  int             // encoding; -1: nothing yet
	lastAt   mono.Instant
	count    int
	begun    mono.Instant // of the figures
	still    time.Duration
	changes  int
	changed  time.Duration
	plis     int
	unwanted int // packets of padding, or that were there already
}

type flyingPacket struct {
	at mono.Instant
	p  received
}

type upward struct {
	at       mono.Instant
	compound []byte
}

type gap struct {
	next  mono.Instant
	tries int
}

const upDelay = 30 * time.Millisecond

// watch begins new figures.
func (v *viewer) watch() {
	v.begun, v.still, v.changes, v.changed, v.count, v.plis, v.unwanted = v.now, 0, 0, 0, 0, 0, 0
	v.lastAt = v.now
}

// run does what is due now.
func (v *viewer) run() {
	got := v.take()
	for _, p := range got.only(rtp.TypeSR, 0) {
		if sr, ok := rtp.ParseSR(p); ok && sr.SSRC == v.consumer.ssrc {
			v.senderReport, v.reportAt = sr.NTP.Mid32(), v.now
		}
	}
	for _, p := range got.rtp {
		a := v.down.Send(v.now, p.size+16) // with the tag of SRTP
		for _, at := range a.All() {
			v.flying = append(v.flying, flyingPacket{at, p})
		}
	}
	slices.SortStableFunc(v.flying, func(a, b flyingPacket) int { return int(a.at - b.at) })
	for len(v.flying) > 0 && v.flying[0].at <= v.now {
		v.receive(v.flying[0])
		v.flying = v.flying[1:]
	}
	v.still = max(v.still, v.now.Sub(v.lastAt))
	v.answer()
	for len(v.up) > 0 && v.up[0].at <= v.now {
		v.sendRTCP(v.up[0].compound)
		v.up = v.up[1:]
	}
}

func (v *viewer) receive(f flyingPacket) {
	if b := f.p.header.GetExtension(v.twccID); len(b) == 2 {
		v.recorder.Receive(f.at, binary.BigEndian.Uint16(b))
	}
	payload, extSeq := f.p.payload, int64(0)
	if f.p.header.SSRC == v.consumer.ssrc {
		extSeq = v.numbers.Unwrap(f.p.header.SequenceNumber)
	} else {
		if len(payload) < 2+pictureStamp {
			v.unwanted++
			return // padding
		}
		extSeq = v.highest + int64(int16(binary.BigEndian.Uint16(payload)-uint16(v.highest)))
		payload = payload[2:]
	}
	if v.arrived[extSeq] {
		v.unwanted++
		return
	}
	v.arrived[extSeq] = true
	delete(v.missing, extSeq)
	if len(v.arrived) > 1 {
		for missed := v.highest + 1; missed < extSeq; missed++ {
			v.missing[missed] = &gap{next: f.at.Add(10 * time.Millisecond)}
		}
	}
	v.highest = max(v.highest, extSeq)
	if len(payload) > pictureStamp {
		v.show(extSeq, payload, f.p.header.Marker, f.at)
	}
}

// show takes in a packet of a frame, and shows what can be shown.
func (v *viewer) show(extSeq int64, payload []byte, marker bool, at mono.Instant) {
	if v.count > 0 && extSeq < v.last {
		return
	}
	stamp := payload[len(payload)-pictureStamp:]
	encoding, frame := stamp[0], binary.BigEndian.Uint32(stamp[1:])
	i := slices.IndexFunc(v.pending, func(p picture) bool { return p.encoding == encoding && p.frame == frame })
	if i < 0 {
		i = len(v.pending)
		v.pending = append(v.pending, picture{encoding: encoding, frame: frame, reference: binary.BigEndian.Uint32(stamp[5:]), first: -1, end: -1})
	}
	p := &v.pending[i]
	p.got++
	if payload[0]&0x10 != 0 {
		p.first = extSeq
	}
	if marker {
		p.end = extSeq + 1
	}
	if p.complete() {
		p.since = at
	}
	for v.showNext(at) {
	}
}

// framePatience is how long a frame waits for earlier ones.
const framePatience = 200 * time.Millisecond

func (v *viewer) showNext(now mono.Instant) bool {
	next := -1
	for i := range v.pending {
		p := &v.pending[i]
		decodable := p.reference == p.frame || int(p.encoding) == v.showing && v.shown[p.reference]
		due := v.showing < 0 || p.first == v.last || now.Sub(p.since) >= framePatience
		if p.complete() && decodable && due && (next < 0 || p.first < v.pending[next].first) {
			next = i
		}
	}
	if next < 0 {
		return false
	}
	p := v.pending[next]
	if int(p.encoding) != v.showing {
		v.showing, v.shown = int(p.encoding), map[uint32]bool{}
		v.changes, v.changed = v.changes+1, now.Sub(v.begun)
	}
	v.shown[p.frame] = true
	v.still = max(v.still, now.Sub(v.lastAt))
	v.last, v.lastAt = p.end, now
	v.count++
	v.pending = slices.DeleteFunc(v.pending, func(p picture) bool {
		return p.first >= 0 && p.first < v.last || p.first < 0 && p.end >= 0 && p.end <= v.last
	})
	return true
}

// answer sends the feedback that is due.
func (v *viewer) answer() {
	var compound []byte
	if v.now >= v.report && len(v.arrived) > 0 {
		v.report = v.now.Add(time.Second)
		b := rtp.ReportBlock{SSRC: v.consumer.ssrc, HighestSeq: uint32(v.highest), LastSR: v.senderReport}
		if v.senderReport != 0 {
			b.DelaySinceLastSR = rtp.CompactDuration(v.now.Sub(v.reportAt.Add(upDelay)))
		}
		compound = rtp.AppendRR(compound, 7, []rtp.ReportBlock{b})
	}
	if seqs := v.ask(); len(seqs) > 0 {
		compound = rtp.AppendNACK(compound, 7, v.consumer.ssrc, seqs)
	}
	const patience = time.Second
	starving := len(v.arrived) > 0 && v.now.Sub(v.lastAt) >= patience
	if starving && v.now.Sub(v.askedAt) >= patience/5 {
		v.askedAt = v.now
		v.plis++
		compound = rtp.AppendPLI(compound, 7, v.consumer.ssrc)
	}
	if v.now >= v.feedback && v.recorder.Pending() {
		v.feedback = v.now.Add(100 * time.Millisecond)
		compound = append(compound, v.recorder.AppendFeedback(nil, 7, v.consumer.ssrc, 1200)...)
	}
	if len(compound) > 0 {
		v.up = append(v.up, upward{v.now.Add(upDelay), compound})
	}
}

// ask returns what is to be asked for again. It is impatient: every 50 ms,
// whatever the round trip.
func (v *viewer) ask() (seqs []uint16) {
	var due []int64
	for extSeq, g := range v.missing {
		if v.now < g.next {
			continue
		}
		g.next, g.tries = v.now.Add(50*time.Millisecond), g.tries+1
		if g.tries > 10 {
			delete(v.missing, extSeq)
			continue
		}
		due = append(due, extSeq)
	}
	slices.Sort(due)
	for _, extSeq := range due {
		seqs = append(seqs, uint16(extSeq))
	}
	return seqs
}

// gallery is a sender of encodings of 100, 350 and 1,200 kbit/s, and viewers.
type gallery struct {
	*simulcast
	sources [3]pictures
	frame   mono.Instant // when the next is due
	check   mono.Instant
	viewers []*viewer
	each    func() // is called every 10 ms
}

func newGallery(s *simulcast, lines ...link.Conditions) *gallery {
	s.tb.Helper()
	s.consumer.Close()
	g := &gallery{simulcast: s, frame: s.now, sources: [3]pictures{{bitrate: 100_000}, {bitrate: 350_000}, {bitrate: 1_200_000}}}
	g.run(5 * time.Second) // the sender was there before
	for i, conditions := range lines {
		g.join(uint64(i), conditions)
	}
	return g
}

// join adds a viewer behind a line.
func (g *gallery) join(seed uint64, c link.Conditions) *viewer {
	g.tb.Helper()
	v := &viewer{client: g.connect(WebRTCTransportOptions{}), down: link.New(seed), arrived: map[int64]bool{}, missing: map[int64]*gap{}, showing: -1}
	v.consumer = v.consume(g.producer)
	v.twccID = uint8(v.consumer.extensions[extTransportCC])
	v.set(c)
	v.watch()
	g.viewers = append(g.viewers, v)
	return v
}

func (v *viewer) set(c link.Conditions) {
	v.tb.Helper()
	if err := v.down.Set(v.now, c); err != nil {
		v.tb.Fatal(err)
	}
}

func (g *gallery) run(d time.Duration) {
	asked := map[uint32]bool{}
	for end := g.now.Add(d); g.now < end; {
		for _, p := range g.alice.take().only(rtp.TypePSFB, rtp.FormatPLI) {
			_, media, _ := p.FeedbackSSRCs()
			asked[media] = true
		}
		if g.now >= g.check {
			g.consent()
		}
		if g.now >= g.frame {
			g.frame = g.frame.Add(time.Second / pictureRate)
			for i := range g.sources {
				g.alice.sendRTP(g.next(i, asked[g.layers[i].ssrc])...)
				delete(asked, g.layers[i].ssrc)
			}
		}
		for _, v := range g.viewers {
			v.run()
		}
		if g.each != nil {
			g.each()
		}
		g.advance(10 * time.Millisecond)
	}
}

// consent has all go on being taken for alive.
func (g *gallery) consent() {
	g.check = g.now.Add(10 * time.Second)
	g.alice.check(true)
	for _, v := range g.viewers {
		v.check(true)
	}
}

// next makes the packets of the next frame of encoding i.
func (g *gallery) next(i int, key bool) (packets []*pionrtp.Packet) {
	payloads := g.sources[i].next(uint8(i), key)
	for j, payload := range payloads {
		p := g.packet(i, key)
		p.Payload, p.Marker = payload, j == len(payloads)-1
		packets = append(packets, p)
	}
	return packets
}
