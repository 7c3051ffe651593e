package sfu

import (
	"runtime/debug"

	pionrtcp "github.com/pion/rtcp"
	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/udp"
)

const (
	// headroom is what a packet to be sent has before its payload: the fixed
	// header, a block of extensions and the two bytes of RTX.
	headroom = 256
	// maxPayload is the largest payload forwarded. Browsers send up to 1200
	// bytes, GStreamer and ffmpeg up to 1400 or 1500 by default.
	maxPayload = 1600
	// tailroom is for padding and the authentication tag.
	tailroom = 64
	slotSize = headroom + maxPayload + tailroom

	// maxRun is the largest run handed to a socket at once.
	maxRun = 64 << 10
	// maxRTCP keeps RTCP below any path's MTU.
	maxRTCP = 1200
)

// scratch is the memory that one goroutine works in while it handles packets,
// and knows which locks are held, so that a panic can release them.
type scratch struct {
	sfu    *SFU
	sender *udp.Sender
	now    mono.Instant

	receiving *Transport // whose recvMu is held
	sending   *Transport // whose sendMu is held

	header     rtp.Header
	ext        elements // of the packet being read
	writer     rtp.ExtensionWriter
	srtpHeader pionrtp.Header
	rtcpHeader pionrtcp.Header

	rtcp  []byte // the RTCP or STUN message being made
	srtcp []byte // the same, encrypted
	seqs  []uint16

	descriptor []byte // the dependency descriptor being made

	// For media; see initMedia.
	out   []byte // the run being made
	again packet // a packet being retransmitted
	kept  []byte // the same as it was received
	ready [batchSize]outgoing
}

func newScratch(s *SFU, index int) *scratch {
	sc := &scratch{}
	sc.init(s, index)
	return sc
}

// newClockScratch is for the clock, which sends media too: to probe what a line
// carries.
func newClockScratch(s *SFU) *scratch {
	sc := newScratch(s, 0)
	sc.initMedia()
	return sc
}

func (sc *scratch) init(s *SFU, index int) {
	sc.sfu = s
	sc.sender = udp.NewSender(index)
	sc.rtcp = make([]byte, 0, 2*maxRTCP)
	sc.srtcp = make([]byte, 0, 2*maxRTCP)
	sc.seqs = make([]uint16, 0, 256)
	sc.descriptor = make([]byte, 0, headroom)
}

// initMedia adds what sending media takes, nearly all of a scratch's memory.
func (sc *scratch) initMedia() {
	sc.out = make([]byte, maxRun+slotSize)
	sc.again.slot = make([]byte, slotSize)
	sc.kept = make([]byte, maxPayload+headroom)
}

// borrowScratch is for goroutines that are not workers and send no media.
func (s *SFU) borrowScratch() *scratch {
	sc := s.scratches.Get().(*scratch)
	sc.now = s.now()
	return sc
}

func (s *SFU) returnScratch(sc *scratch) { s.scratches.Put(sc) }

func (sc *scratch) drop(reason dropReason) { sc.sfu.counters.drops[reason].Add(1) }

// recoverPanic is deferred where packets are worked on. It releases the locks,
// closes the transport that was worked on and lets everything else go on.
func (sc *scratch) recoverPanic() {
	r := recover()
	if r == nil {
		return
	}
	sc.sfu.counters.panics.Add(1)
	faulty := sc.sending
	if faulty != nil {
		sc.sending = nil
		faulty.send.disarm()
		faulty.sendMu.Unlock()
	}
	if t := sc.receiving; t != nil {
		sc.receiving = nil
		if faulty == nil {
			faulty = t
			t.recv.disarm()
		}
		t.recvMu.Unlock()
	}
	stack := string(debug.Stack())
	if faulty == nil {
		sc.sfu.log.Error("panic on the packet path", "panic", r, "stack", stack)
		return
	}
	sc.sfu.log.Error("panic on the packet path, the transport is closed", "transport", faulty.id, "panic", r, "stack", stack)
	// Not from here: closing takes router.mu, which the packet path never does.
	// Until then it takes in nothing that could go wrong again.
	faulty.ended.Store(true)
	sc.sfu.chores.post(func() { faulty.closeFor(ClosePanic) })
}
