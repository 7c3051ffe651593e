package sfu

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ortc"
)

// TestForgedChecksAndGarbageMediaDisturbNoCall has Alice and Bob in a call,
// while a stranger sends checks with a password of his own and Carol, whom the
// room has let in, media whose extensions and padding are garbage.
func TestForgedChecksAndGarbageMediaDisturbNoCall(t *testing.T) {
	c := newCall(t)
	transport := newTestTransport(t, c.router, WebRTCTransportOptions{})
	carol := connectPeer(t, transport, dtls.RoleClient)
	params := videoParameters()
	params.RTCP.CNAME = "carol"
	p, err := transport.Produce(ProducerOptions{Kind: ortc.Video, RTPParameters: params})
	if err != nil {
		t.Fatal(err)
	}
	consume(t, c.alice.transport, p)
	stranger, err := net.DialUDP("udp", nil, c.bob.socket.RemoteAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()

	forged := forgedCheck(t, c.alice.transport)
	before := c.router.sfu.Stats()
	checkCall(t, c)
	const rounds = 40
	for i := range rounds {
		if _, err := stranger.Write(forged); err != nil {
			t.Fatal(err)
		}
		for j, packet := range garbageMedia(uint16(8 * i)) {
			carol.sendPlain(packet)
			if j%4 == 0 { // the call goes on meanwhile
				seq := uint16(3 + 2*i + j/4)
				c.alice.sendRTP(videoPacket(seq, 4000+3000*uint32(seq), true, false, 150))
				if got := c.bob.nextRTP(); len(got.payload) != 150 {
					t.Fatalf("Bob got %d bytes", len(got.payload))
				}
			}
		}
	}
	eventually(t, "dropping", func() bool {
		drops := c.router.sfu.Stats().Drops
		return drops["stun"]-before.Drops["stun"] == rounds && drops["malformed"] > before.Drops["malformed"] &&
			drops["decrypt"] > before.Drops["decrypt"]
	})
	if transport.Closed() || c.router.sfu.Stats().Panics != before.Panics {
		t.Errorf("Carol's transport is closed: %v; %d panics", transport.Closed(), c.router.sfu.Stats().Panics-before.Panics)
	}
	if n := c.consumer.Stats()[0].PacketCount; n != 1+2*rounds {
		t.Errorf("%d packets were sent to Bob, want %d", n, 1+2*rounds)
	}
	answer := make([]byte, 200)
	_ = stranger.SetReadDeadline(time.Now().Add(patience))
	n, err := stranger.Read(answer)
	if err != nil {
		t.Fatal(err)
	}
	m := stun.Message{Raw: answer[:n]}
	if err := m.Decode(); err != nil || m.Type != stun.BindingError || n > len(forged) {
		t.Errorf("the stranger got %d bytes of %v, %v", n, m.Type, err)
	}
}

// forgedCheck has the right names and a wrong password.
func forgedCheck(t *testing.T, transport *WebRTCTransport) []byte {
	m, err := stun.Build(
		stun.BindingRequest, stun.TransactionID, stun.NewUsername(transport.ICEParameters().UsernameFragment+":peer"),
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{1, 2, 3, 4}},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.NewShortTermIntegrity("not the password"), stun.Fingerprint,
	)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

// garbageMedia are packets that authenticate and make no sense, from seq on.
func garbageMedia(seq uint16) (packets [][]byte) {
	with := func(first byte, rest ...byte) {
		header := []byte{first, videoPT, byte(seq >> 8), byte(seq), 0, 0, 0, 1, 0, 0, 4, 0x57} // SSRC 1111
		packets = append(packets, slices.Concat(header, rest))
		seq++
	}
	with(0x90, 0xbe, 0xde, 0, 1, 0x3f, 1, 2, 3, 0x10, 1)                   // an element longer than its block
	with(0x90, 0x10, 0x00, 0, 1, 9, 200, 2, 3, 0x10, 1)                    // likewise, in the long form
	with(0x90, 0xbe, 0xde, 0, 2, 0x90, 'x', 0xf0, 0, 0, 0, 0, 0, 0x10)     // the id that ends a block, then more
	with(0xa0, 0x10, 1, 2, 200)                                            // more padding than packet
	with(0xa0, 0x10, 1, 2, 0)                                              // padding of no bytes
	with(0xb0, 0xbe, 0xde, 0, 0, 4)                                        // padding, and nothing else
	with(0x80, 0xff, 0xff, 0xff)                                           // a payload descriptor that is cut off
	with(0x90, 0x12, 0x34, 0, 1, 0xde, 0xad, 0xbe, 0xef, 0x10, 1, 2, 3, 4) // extensions of no known form
	return packets
}

// sendPlain encrypts and sends what stands for a packet; what SRTP cannot be made
// of goes out as it is.
func (p *peer) sendPlain(plain []byte) {
	p.mu.Lock()
	out, err := p.outbound.EncryptRTP(nil, plain, nil)
	p.mu.Unlock()
	if err != nil {
		out = plain
	}
	p.write(out)
}
