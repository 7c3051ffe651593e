package sfu

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/rtp"
)

// rtxOf lists the sequence numbers that were retransmitted, and checks that
// nothing else was sent.
func rtxOf(t *testing.T, c *Consumer, got []received) (osns []uint16) {
	t.Helper()
	for _, p := range got {
		if p.header.SSRC != c.rtxSSRC || len(p.payload) < 2 {
			t.Fatalf("a packet of SSRC %d with %d bytes is no retransmission", p.header.SSRC, len(p.payload))
		}
		osns = append(osns, uint16(p.payload[0])<<8|uint16(p.payload[1]))
	}
	return osns
}

// nack makes bob ask for packets.
func (c *rigCall) nack(seqs ...uint16) { c.bob.sendRTCP(rtp.AppendNACK(nil, 9, c.consumer.ssrc, seqs)) }

func TestNACKIsAnsweredOncePerRoundTrip(t *testing.T) {
	c := newRigCall(t)
	for seq := range uint16(20) {
		c.alice.sendRTP(videoPacket(seq, 0, true, seq == 0, 100+int(seq)))
	}
	first := c.bob.take().rtp[0].header.SequenceNumber
	c.nack(first+3, first+4, first+19, first+20, first-1)
	if got := rtxOf(t, c.consumer, c.bob.take().rtp); fmt.Sprint(got) != fmt.Sprint([]uint16{first + 3, first + 4, first + 19}) {
		t.Errorf("retransmitted %v", got)
	}
	c.nack(first + 3)
	if got := c.bob.take().rtp; len(got) != 0 {
		t.Error("retransmitted again at once")
	}
	c.advance(20 * time.Millisecond)
	c.nack(first + 3)
	got := c.bob.take().rtp
	if osns := rtxOf(t, c.consumer, got); len(osns) != 1 || !bytes.Equal(got[0].payload[2:6], []byte{0x10, 1, 3, 3}) {
		t.Errorf("retransmitted %v when the answer was lost", osns)
	}
	if st := c.consumer.Stats()[0]; st.NACKCount != 3 || st.NACKPacketCount != 7 || st.PacketsRetransmitted != 4 {
		t.Errorf("counted %+v", st)
	}
}

func TestWhatMayNotBeRetransmittedIsNot(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	seq := c.bob.take().rtp[0].header.SequenceNumber
	c.bob.sendRTCP(rtp.AppendNACK(nil, 9, c.consumer.rtxSSRC, []uint16{seq})) // RTX is not repeated
	c.bob.sendRTCP(rtp.AppendNACK(nil, 9, 12345, []uint16{seq}))
	c.alice.sendRTCP(rtp.AppendNACK(nil, 9, c.consumer.ssrc, []uint16{seq})) // not hers
	c.consumer.Pause()
	c.nack(seq)
	if got := c.bob.take().rtp; len(got) != 0 {
		t.Errorf("%d packets were sent", len(got))
	}
	c.consumer.Resume()
	c.nack(seq)
	if got := c.bob.take().rtp; len(got) != 1 {
		t.Errorf("%d packets were sent after Resume, want 1", len(got))
	}
	c.advance(5 * time.Second)
	c.bob.take()
	c.nack(seq)
	if got := c.bob.take().rtp; len(got) != 0 {
		t.Error("a packet of 5 s ago was sent")
	}
}

func TestFloodOfNACKsIsBounded(t *testing.T) {
	c := newRigCall(t)
	media := 0
	for seq := range uint16(400) {
		c.alice.sendRTP(videoPacket(seq, 0, true, seq == 0, 1100))
	}
	for _, p := range c.bob.take().rtp {
		media += p.size
	}
	newest := uint16(c.consumer.rewrite.seq)
	all := make([]uint16, 400)
	for i := range all {
		all[i] = newest - uint16(len(all)-1-i)
	}
	repeated := 0
	for range 100 { // everything, every 20 ms for 2 s
		c.nack(all...)
		c.advance(20 * time.Millisecond)
		for _, p := range c.bob.take().rtp {
			repeated += p.size
		}
	}
	if repeated == 0 || repeated > media+firstRTXCredit+2000 {
		t.Errorf("%d bytes were repeated of %d", repeated, media)
	}
	// One message cannot ask for more than so many packets.
	c = newRigCall(t)
	for seq := range uint16(500) {
		c.alice.sendRTP(videoPacket(seq, 0, true, seq == 0, 20))
	}
	c.bob.take()
	newest = uint16(c.consumer.rewrite.seq)
	var flood []uint16
	for i := range uint16(500) {
		flood = append(flood, newest-499+i)
	}
	c.nack(flood...)
	if got := c.bob.take().rtp; len(got) < maxNACKed/2 || len(got) > maxNACKed+17 {
		t.Errorf("%d packets for one message", len(got))
	}
}

func TestRepairedPacketIsForwardedOnceInItsPlace(t *testing.T) {
	c := newRigCall(t)
	rtx := func(osn uint16, size int) {
		p := videoPacket(osn+500, uint32(osn)*3000, true, false, size)
		p.SSRC, p.PayloadType, p.Payload = videoRTXSSRC, videoRTXPT, append([]byte{byte(osn >> 8), byte(osn)}, p.Payload...)
		c.alice.sendRTP(p)
	}
	c.alice.sendRTP(videoPacket(1, 3000, true, true, 101), videoPacket(3, 9000, true, false, 103))
	asked := c.alice.take().only(rtp.TypeRTPFB, rtp.FormatNACK)
	if len(asked) != 1 {
		t.Fatalf("%d NACKs for a gap, want 1", len(asked))
	}
	rtx(2, 102)
	c.alice.sendRTP(videoPacket(2, 6000, true, false, 102)) // it was only late
	got := c.bob.take().rtp
	first := got[0].header.SequenceNumber
	var order []string
	for _, p := range got {
		order = append(order, fmt.Sprintf("+%d:%d:%d", p.header.SequenceNumber-first, len(p.payload), p.header.Timestamp))
	}
	if want := "[+0:101:3000 +2:103:9000 +1:102:6000]"; fmt.Sprint(order) != want {
		t.Errorf("forwarded %v, want %v", order, want)
	}
	if n := c.dropped(dropDuplicate); n != 1 {
		t.Errorf("%d duplicates dropped, want 1", n)
	}
	c.advance(time.Second)
	if n := len(c.alice.take().only(rtp.TypeRTPFB, rtp.FormatNACK)); n != 0 {
		t.Errorf("%d more NACKs for what has arrived", n)
	}
}

func TestMissingPacketIsAskedForAgain(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100), videoPacket(3, 0, true, false, 100))
	c.advance(200 * time.Millisecond)
	if n := len(c.alice.take().only(rtp.TypeRTPFB, rtp.FormatNACK)); n < 4 || n > 11 {
		t.Errorf("%d NACKs in 200 ms", n)
	}
	c.advance(5 * time.Second)
	c.alice.take()
	c.advance(5 * time.Second)
	if n := len(c.alice.take().only(rtp.TypeRTPFB, rtp.FormatNACK)); n != 0 {
		t.Errorf("%d NACKs long after", n)
	}
}

func TestOutageTooLongToRepairNeedsAKeyframe(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	c.advance(time.Second)
	c.alice.take()
	c.alice.sendRTP(videoPacket(5000, 0, true, false, 100))
	if n := c.alice.take().plis(); n != 1 {
		t.Errorf("%d PLIs after 5000 packets were lost, want 1", n)
	}
}

func TestKeyframeRepairedLateBringsWhatCameBefore(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, false, 100)) // makes the stream known
	// The first packet of the keyframe is lost, the others come.
	c.alice.sendRTP(videoPacket(3, 3000, false, false, 103), videoPacket(4, 3000, true, false, 104))
	key := videoPacket(600, 3000, false, true, 102)
	key.SSRC, key.PayloadType, key.Payload = videoRTXSSRC, videoRTXPT, append([]byte{0, 2}, key.Payload...)
	c.alice.sendRTP(key, videoPacket(5, 6000, true, false, 105))
	got := c.bob.take().rtp
	if len(got) != 2 || len(got[0].payload) != 102 || got[1].header.SequenceNumber != got[0].header.SequenceNumber+3 {
		t.Fatalf("%d packets arrived", len(got))
	}
	first := got[0].header.SequenceNumber
	c.nack(first+1, first+2)
	got = c.bob.take().rtp
	if osns := rtxOf(t, c.consumer, got); len(osns) != 2 || len(got[0].payload) != 105 || len(got[1].payload) != 106 || got[0].header.Timestamp != 3000 {
		t.Errorf("the rest of the keyframe was not sent on request: %v", osns)
	}
	c.nack(first - 1) // from before it
	if got = c.bob.take().rtp; len(got) != 0 {
		t.Error("something from before the keyframe was sent")
	}
}

func TestWhatIsGoneBringsAKeyframe(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(0, 0, true, true, 100))
	c.alice.sendRTP(videoPacket(1, 0, true, false, 100))
	first := c.bob.take().rtp[0].header.SequenceNumber
	c.alice.take()
	c.nack(first - 1) // never sent
	c.nack(first + 2) // not yet
	c.advance(time.Second)
	c.nack(first + 1) // still there
	if n := c.alice.take().plis(); n != 0 {
		t.Fatalf("%d PLIs though nothing is gone", n)
	}
	c.advance(5 * time.Second)
	c.nack(first+1, first)
	if n := c.alice.take().plis(); n != 1 {
		t.Errorf("%d PLIs for what is too old to be sent again, want 1", n)
	}
	c.alice.sendRTP(videoPacket(2, 0, true, true, 100))
	c.advance(time.Second)
	c.alice.take()
	c.nack(first + 1)
	if n := c.alice.take().plis(); n != 0 {
		t.Errorf("%d PLIs for what a keyframe has replaced", n)
	}
	for seq := range uint16(historySize + 10) {
		c.alice.sendRTP(videoPacket(3+seq, 0, true, false, 100))
	}
	c.nack(first + 4)
	if n := c.alice.take().plis(); n != 1 {
		t.Errorf("%d PLIs for what is too many packets ago, want 1", n)
	}
}
