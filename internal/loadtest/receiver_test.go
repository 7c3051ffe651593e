package loadtest

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

func startReceiver(t *testing.T, p *Pool, s *server, sender *Sender) *Receiver {
	t.Helper()
	var ids []string
	for _, produced := range sender.Producers() {
		ids = append(ids, produced.ID)
	}
	r, err := p.Receiver(withPatience(t), s, ids...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// awaitPackets waits until the first stream has that many packets.
func awaitPackets(t *testing.T, r *Receiver, n uint64) StreamStats {
	t.Helper()
	await(t, "packets", func() bool { return r.Stats().Streams[0].Packets >= n })
	return r.Stats().Streams[0]
}

func TestMediaArriveWholeInEveryWayToConnect(t *testing.T) {
	for name, o := range map[string]Options{
		"as a browser":   {},
		"as DTLS server": {DTLSRole: RoleServer},
		"with AES-CM":    {Profile: srtp.ProtectionProfileAes128CmHmacSha1_80},
		"sampling":       {DecryptEvery: 10},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := newServer(t), newPool(t, o)
			sender := startSender(t, p, s, SenderOptions{Audio: true, Video: &Video{}})
			r := startReceiver(t, p, s, sender)
			s.sendRTCP(true, rtp.AppendPLI(nil, 1, sender.Producers()[1].SSRC))
			await(t, "both streams", func() bool {
				st := r.Stats().Streams
				return st[0].Packets > 10 && st[1].Packets > 60 && st[1].Keyframes > 0 && st[1].Frames > 10
			})
			checkWhole(t, r.Stats(), o.DecryptEvery > 1)
		})
	}
}

func checkWhole(t *testing.T, st ReceiverStats, sampled bool) {
	t.Helper()
	if !st.Alive || st.Connected <= 0 || st.RoundTrip <= 0 || st.Undecryptable+st.Malformed+st.WriteErrors > 0 {
		t.Errorf("%+v", st)
	}
	for _, stream := range st.Streams {
		if stream.Lost+int64(stream.Duplicates+stream.Reordered+stream.Foreign+stream.Shifted+stream.Recovered) != 0 {
			t.Errorf("faults: %+v", stream)
		}
		if stream.FirstPacket <= 0 || stream.Bytes < stream.Packets*50 {
			t.Errorf("figures: %+v", stream)
		}
	}
	video := st.Streams[1]
	if video.FirstKeyframe < video.FirstPacket {
		t.Errorf("the first keyframe came after %s, the first packet after %s", video.FirstKeyframe, video.FirstPacket)
	}
	if (video.Decrypted < video.Packets) != sampled {
		t.Errorf("decrypted %d of %d, sampling %t", video.Decrypted, video.Packets, sampled)
	}
	if n := st.Latency.Count(); n != st.Streams[0].Decrypted+video.Decrypted || st.Latency.Max() > patience {
		t.Errorf("%d latencies up to %s", n, st.Latency.Max())
	}
}

// forwardBy makes the server decide about each packet of video by its number
// since now, RTX aside.
func (s *server) forwardBy(decide func(n int, packet []byte) [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	s.forward = func(packet []byte) [][]byte {
		if packet[1]&0x7f != vp8PayloadType {
			return [][]byte{packet}
		}
		n++
		return decide(n, packet)
	}
}

func TestWhatNetworksDoIsCounted(t *testing.T) {
	tests := []struct {
		name string
		// decide is about packet n = 1, 2, …
		decide func(held *[]byte, n int, packet []byte) [][]byte
		want   StreamStats
	}{
		{"loss", func(_ *[]byte, n int, b []byte) [][]byte {
			if n == 20 || n == 22 || n == 23 {
				return nil
			}
			return [][]byte{b}
		}, StreamStats{Lost: 3}},
		{"doubling", func(_ *[]byte, n int, b []byte) [][]byte {
			if n == 20 {
				return [][]byte{b, b}
			}
			return [][]byte{b}
		}, StreamStats{Duplicates: 1}},
		{"reordering", func(held *[]byte, n int, b []byte) [][]byte {
			if n == 20 {
				*held = b
				return nil
			}
			if n == 21 {
				return [][]byte{b, *held}
			}
			return [][]byte{b}
		}, StreamStats{Reordered: 1}},
		{"another's packet", func(_ *[]byte, n int, b []byte) [][]byte {
			if n == 20 {
				binary.BigEndian.PutUint32(b[len(b)-stampSize+4:], 42)
			}
			return [][]byte{b}
		}, StreamStats{Foreign: 1}},
		{"damage", func(_ *[]byte, n int, b []byte) [][]byte {
			if n == 20 {
				clear(b[len(b)-stampSize:])
			}
			return [][]byte{b}
		}, StreamStats{Foreign: 1}},
		{"swallowing", func(_ *[]byte, n int, b []byte) [][]byte {
			if n == 20 {
				return nil
			}
			if n > 20 {
				binary.BigEndian.PutUint16(b[2:], binary.BigEndian.Uint16(b[2:])-1)
			}
			return [][]byte{b}
		}, StreamStats{Shifted: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, p := newServer(t), newPool(t, Options{})
			sender := startSender(t, p, s, SenderOptions{Video: &Video{}})
			r := startReceiver(t, p, s, sender)
			awaitPackets(t, r, 1)
			var held []byte
			s.forwardBy(func(n int, packet []byte) [][]byte { return test.decide(&held, n, packet) })
			got := awaitPackets(t, r, 60)
			if got.Lost != test.want.Lost || got.Duplicates != test.want.Duplicates || got.Reordered != test.want.Reordered ||
				got.Foreign != test.want.Foreign || got.Shifted != test.want.Shifted {
				t.Errorf("counted %+v, want %+v", got, test.want)
			}
		})
	}
}

// The receiver asks, the server passes that on, the sender answers: both
// halves of RTX against each other.
func TestLostPacketsAreRecovered(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	sender := startSender(t, p, s, SenderOptions{Video: &Video{}})
	r := startReceiver(t, p, s, sender)
	awaitPackets(t, r, 1)
	s.mu.Lock()
	s.keepRTX = true
	s.mu.Unlock()
	s.forwardBy(func(n int, packet []byte) [][]byte {
		if n == 20 || n == 25 {
			return nil
		}
		return [][]byte{packet}
	})
	for recovered := 0; recovered < 2; {
		nack, _ := nextRTCP[*rtcp.TransportLayerNack](s)
		var seqs []uint16
		for _, pair := range nack.Nacks {
			seqs = append(seqs, pair.PacketList()...)
		}
		recovered += len(seqs)
		s.sendRTCP(true, rtp.AppendNACK(nil, 1, sender.Producers()[0].SSRC, seqs))
	}
	await(t, "recovery", func() bool { return r.Stats().Streams[0].Recovered == 2 })
	st := r.Stats().Streams[0]
	if st.Lost != 0 || st.NACKs == 0 || st.Foreign+st.Shifted+st.Reordered != 0 {
		t.Errorf("%+v", st)
	}
}

func TestReceiversReport(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	sender := startSender(t, p, s, SenderOptions{Video: &Video{}})
	r := startReceiver(t, p, s, sender)
	awaitPackets(t, r, 1)
	var ssrc uint32
	s.mu.Lock()
	for _, produced := range s.producers {
		ssrc = produced.consumers[0].ssrc
	}
	s.mu.Unlock()
	s.sendRTCP(false, rtp.AppendSR(nil, rtp.SenderReport{SSRC: ssrc, NTP: 0x1111_2222_3333_4444}, nil))
	await(t, "a report block", func() bool {
		report, _ := nextRTCP[*rtcp.ReceiverReport](s)
		return report.Reports[0].SSRC == ssrc && report.Reports[0].LastSenderReport == 0x2222_3333 &&
			report.Reports[0].FractionLost == 0 && report.Reports[0].LastSequenceNumber > 0
	})
	first, _ := nextRTCP[*rtcp.TransportLayerCC](s)
	second, _ := nextRTCP[*rtcp.TransportLayerCC](s)
	if first.MediaSSRC != ssrc || second.BaseSequenceNumber != first.BaseSequenceNumber+first.PacketStatusCount || second.FbPktCount != first.FbPktCount+1 {
		t.Errorf("%v, then %v", first, second)
	}
}

func TestAReceiverWithoutAKeyframeAsksForOne(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	sender := startSender(t, p, s, SenderOptions{Video: &Video{}})
	s.awaitKeyframe(sender.Producers()[0].SSRC) // has gone before the receiver comes
	r := startReceiver(t, p, s, sender)
	nextRTCP[*rtcp.PictureLossIndication](s)
	s.sendRTCP(true, rtp.AppendPLI(nil, 1, sender.Producers()[0].SSRC))
	await(t, "a keyframe", func() bool { return r.Stats().Streams[0].Keyframes > 0 })
	if st := r.Stats().Streams[0]; st.PLIs == 0 || st.FirstKeyframe < keyframeInterval {
		t.Errorf("%+v", st)
	}
}

func TestPacketsOfNoConsumerAreCounted(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	sender := startSender(t, p, s, SenderOptions{Audio: true})
	r := startReceiver(t, p, s, sender)
	awaitPackets(t, r, 1)
	s.mu.Lock()
	for _, produced := range s.producers {
		produced.consumers[0].ssrc++
	}
	s.mu.Unlock()
	await(t, "unknown packets", func() bool { return r.Stats().Unknown > 2 })
}

// The hot path of hundreds of receivers.
func TestReceivingWithoutAnAllocation(t *testing.T) {
	r, packets := offlineReceiver(t)
	buffer := make([]byte, 0, maxPacket)
	i := 0
	allocs := testing.AllocsPerRun(500, func() {
		buffer = append(buffer[:0], packets[i]...)
		i++
		r.transport.receive(buffer, len(buffer), mono.Instant(i))
	})
	if allocs != 0 {
		t.Errorf("receiving a packet allocates %.1f times", allocs)
	}
	if st := r.Stats(); st.Streams[0].Decrypted < 500 || st.Streams[0].Foreign+st.Undecryptable > 0 {
		t.Errorf("the measured path was not the one of media: %+v", st)
	}
}

func BenchmarkReceive(b *testing.B) {
	r, packets := offlineReceiver(b)
	buffer := make([]byte, 0, maxPacket)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(packets) == 0 { // or they would be duplicates, and soon done with
			r.streams[0].reception = reception{clockRate: 90_000}
		}
		buffer = append(buffer[:0], packets[i%len(packets)]...)
		r.transport.receive(buffer, len(buffer), mono.Instant(i))
	}
}

// offlineReceiver is a receiver that was never connected, and encrypted
// packets of video for it.
func offlineReceiver(t testing.TB) (*Receiver, [][]byte) {
	t.Helper()
	key, salt := make([]byte, 16), make([]byte, 12)
	context := func() *srtp.Context {
		c, err := srtp.CreateContext(key, salt, srtp.ProtectionProfileAeadAes128Gcm)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	r := &Receiver{pool: &Pool{options: Options{}.withDefaults()}}
	r.transport = &transport{inbound: context(), media: media{rtp: r.receiveLocked, rtcp: r.receiveRTCPLocked}, checks: newChecks(ICEParameters{})}
	o := newOutgoing("video", "1")
	r.streams = []*incoming{newIncoming(ConsumerInfo{ID: "c", Kind: "video", RTPParameters: o.parameters("")})}
	outbound, source := context(), newVideoSource(Video{}.withDefaults())
	var packets [][]byte
	for n := 0; len(packets) < 1000; n++ {
		for i := range source.next(n == 0) {
			b := make([]byte, 32, maxPacket)
			rtp.PutFixedHeader(b, false, false, true, vp8PayloadType, uint16(len(packets)), uint32(n*3000), o.ssrc)
			var w rtp.ExtensionWriter
			w.Start(b[rtp.HeaderSize:])
			w.Add(transportCCID, []byte{byte(len(packets) >> 8), byte(len(packets))})
			b = source.appendPayload(b[:rtp.HeaderSize+w.Finish()], i)
			stamp{origin: o.ssrc, number: uint32(len(packets))}.put(b)
			encrypted, err := outbound.EncryptRTP(nil, b, nil)
			if err != nil {
				t.Fatal(err)
			}
			packets = append(packets, encrypted)
		}
	}
	return r, packets
}

func TestLatencyIsMeasured(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	sender := startSender(t, p, s, SenderOptions{Audio: true})
	r := startReceiver(t, p, s, sender)
	const delay = 10 * time.Millisecond
	s.mu.Lock()
	s.forward = func(packet []byte) [][]byte {
		time.Sleep(delay) // the network's; shorter than the interval of packets
		return [][]byte{packet}
	}
	s.mu.Unlock()
	await(t, "latencies", func() bool { h := r.Stats().Latency; return h.Quantile(0.5) >= delay })
}

// lateAnswer answers to Consume when packets are on their way already.
type lateAnswer struct {
	*server
	sent *atomic.Int32
}

func (l lateAnswer) Consume(ctx context.Context, transportID, producerID string) (ConsumerInfo, error) {
	info, err := l.server.Consume(ctx, transportID, producerID)
	for before := l.sent.Load(); l.sent.Load() < before+20 && ctx.Err() == nil; {
		time.Sleep(time.Millisecond)
	}
	return info, err
}

func TestPacketsThatOvertakeTheAnswerAreNotUnknown(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	var sent atomic.Int32
	s.forwardBy(func(_ int, packet []byte) [][]byte {
		sent.Add(1)
		return [][]byte{packet}
	})
	sender := startSender(t, p, s, SenderOptions{Video: &Video{}})
	r, err := p.Receiver(withPatience(t), lateAnswer{s, &sent}, sender.Producers()[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	awaitPackets(t, r, 10)
	if st := r.Stats(); st.Unknown != 0 || st.Early < 10 {
		t.Errorf("%d unknown, %d early packets", st.Unknown, st.Early)
	}
}
