package sfu

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// fieldsOf are the names of v in JSON.
func fieldsOf(t *testing.T, v any) []string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	return names
}

// checkFields checks that v has all the names.
func checkFields(t *testing.T, v any, names ...string) {
	t.Helper()
	have := fieldsOf(t, v)
	for _, name := range names {
		if !slices.Contains(have, name) {
			t.Errorf("%T has no %q, only %q", v, name, have)
		}
	}
}

// between reports whether a bitrate is within a tenth of what is wanted.
func between(got uint64, want float64) bool {
	return float64(got) > want*0.9 && float64(got) < want*1.1
}

func TestStatisticsAfterAMinuteOfVideo(t *testing.T) {
	r := newRig(t)
	alice := r.connect(WebRTCTransportOptions{MaxIncomingBitrate: 3 * bwe.MegabitPerSecond})
	bob := r.connect(WebRTCTransportOptions{})
	producer := alice.produce(ortc.Video, videoParameters())
	consumer := bob.consume(producer)
	var taken int
	for i := range 60 * 25 { // a packet of 1000 bytes 25 times a second
		if i%25 == 0 {
			alice.check(true)
			bob.check(true)
			bob.sendRTCP(rtp.AppendRR(nil, 9, []rtp.ReportBlock{{SSRC: consumer.ssrc, FractionLost: 26, TotalLost: int32(i / 10)}}))
		}
		if i%50 != 49 { // one in 50 is lost …
			alice.sendRTP(videoPacket(uint16(i), uint32(i)*3600, true, i == 0, 1000))
		}
		if lost := i - 1; i%50 == 0 && i > 0 { // … and repaired
			p := videoPacket(uint16(i/50), uint32(lost)*3600, true, false, 1000)
			p.SSRC, p.PayloadType, p.Payload = videoRTXSSRC, videoRTXPT, append([]byte{byte(lost >> 8), byte(lost)}, p.Payload...)
			alice.sendRTP(p)
		}
		r.advance(40 * time.Millisecond)
		got := bob.take()
		taken += len(got.rtp)
		if i%100 == 0 && len(got.rtp) > 0 {
			bob.sendRTCP(rtp.AppendNACK(nil, 9, consumer.ssrc, []uint16{got.rtp[0].header.SequenceNumber}))
		}
		alice.take()
	}
	const media = 25 * 1012 * 8

	in := alice.transport.Stats()
	if in.Type != "webrtc-transport" || in.ICEState != "completed" || in.DTLSState != dtls.StateConnected || in.ICERole != "controlled" || in.TransportID != alice.transport.ID() {
		t.Errorf("%+v", in)
	}
	if !between(in.RTPRecvBitrate, media) || in.RecvBitrate < in.RTPRecvBitrate || in.RTPBytesReceived != 1470*1012 || in.RTXBytesReceived != 29*1014 || in.BytesSent == 0 || in.RTPBytesSent != 0 {
		t.Errorf("alice: %+v", in)
	}
	if in.MaxIncomingBitrate != 3_000_000 || in.ICESelectedTuple == nil || in.ICESelectedTuple.LocalPort != r.sfu.Port() || in.ICESelectedTuple.LocalIP != "127.0.0.1" || in.ICESelectedTuple.Protocol != "udp" {
		t.Errorf("alice: %+v", in)
	}
	out := bob.transport.Stats()
	if !between(out.RTPSendBitrate, media*1.04) || out.RTXBytesSent == 0 || out.BytesSent <= out.RTPBytesSent+out.RTXBytesSent || out.RTPBytesReceived != 0 {
		t.Errorf("bob: %+v", out)
	}
	checkFields(t, in, "type", "transportId", "timestamp", "iceRole", "iceState", "iceSelectedTuple", "dtlsState",
		"bytesReceived", "recvBitrate", "bytesSent", "sendBitrate", "rtpBytesReceived", "rtpRecvBitrate", "rtpBytesSent",
		"rtpSendBitrate", "rtxBytesReceived", "rtxRecvBitrate", "rtxBytesSent", "rtxSendBitrate", "maxIncomingBitrate")

	p := producer.Stats()[0]
	if p.Type != "inbound-rtp" || p.SSRC != videoSSRC || p.RTXSSRC != videoRTXSSRC || p.Kind != ortc.Video || p.MimeType != "video/VP8" || !between(p.Bitrate, media) {
		t.Errorf("producer: %+v", p)
	}
	if p.PacketsRepaired != 29 || p.PacketsRetransmitted != 29 || p.PacketsLost != 29 || p.PacketCount != 1499 || p.NACKCount != 29 || p.Score > 10 || p.Score < 5 || p.Jitter > 9000 {
		t.Errorf("producer: %+v", p)
	}
	checkFields(t, p, "type", "timestamp", "ssrc", "rtxSsrc", "kind", "mimeType", "packetsLost", "fractionLost", "packetsDiscarded",
		"packetsRetransmitted", "packetsRepaired", "nackCount", "nackPacketCount", "pliCount", "firCount", "packetCount", "byteCount", "bitrate", "score", "jitter")

	list := consumer.Stats()
	if len(list) != 2 || list[0].Type != "outbound-rtp" || list[1].Type != "inbound-rtp" || list[1].SSRC != videoSSRC || list[1].PacketCount != p.PacketCount {
		t.Fatalf("consumer: %+v", list)
	}
	c := list[0]
	if c.SSRC != consumer.ssrc || c.RTXSSRC != consumer.rtxSSRC || c.FractionLost != 26 || c.PacketsLost != 147 || c.Score < 5 || c.Score > 9 {
		t.Errorf("consumer: %+v", c)
	}
	if int(c.PacketCount+c.PacketsRetransmitted) != taken || c.PacketsRetransmitted != c.NACKPacketCount || !between(c.Bitrate, media*1.04) {
		t.Errorf("consumer: %+v, %d packets arrived", c, taken)
	}

	s := r.sfu.Stats()
	if s.Routers != 1 || s.Transports[dtls.StateConnected] != 2 || s.Producers[ortc.Video] != 1 || s.Consumers[ortc.Video] != 1 || s.DatagramsSent == 0 || s.BytesSent == 0 || s.ReceiveBuffer == 0 {
		t.Errorf("server: %+v", s)
	}
}

func TestStatisticsOfWhatHasNotBegun(t *testing.T) {
	r := newRig(t)
	alice, bob := r.newClient(WebRTCTransportOptions{}), r.newClient(WebRTCTransportOptions{})
	producer := alice.produce(ortc.Video, videoParameters())
	consumer := bob.consume(producer)
	if st := alice.transport.Stats(); st.ICEState != "new" || st.DTLSState != "new" || st.ICESelectedTuple != nil || st.BytesReceived != 0 {
		t.Errorf("%+v", st)
	}
	if st := producer.Stats(); st == nil || len(st) != 0 {
		t.Errorf("%+v, want an empty list", st)
	}
	if st := consumer.Stats(); len(st) != 1 || st[0].PacketCount != 0 || st[0].Score != 10 || st[0].RoundTripTime != 0 {
		t.Errorf("%+v", st)
	}
	if fields := fieldsOf(t, consumer.Stats()[0]); slices.Contains(fields, "roundTripTime") || slices.Contains(fields, "rid") {
		t.Errorf("what is not known is there: %q", fields)
	}
}

func TestEveryDropReasonHasAName(t *testing.T) {
	seen := map[string]bool{}
	for r := range dropReasons {
		if name := r.String(); name == "" || seen[name] {
			t.Errorf("reason %d is called %q", r, name)
		} else {
			seen[name] = true
		}
	}
}
