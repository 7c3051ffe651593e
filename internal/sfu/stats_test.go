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
			bob.sendRTCP(rtp.AppendRR(nil, 9, []rtp.ReportBlock{{SSRC: consumer.ssrc, FractionLost: 26, Jitter: 77, TotalLost: int32(i / 10)}}))
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

	if loss := *in.RTPPacketLossReceived; loss < 0.01 || loss > 0.04 {
		t.Errorf("one in 50 is lost on the way in, and it is said to be %v", loss)
	}
	if loss := *out.RTPPacketLossSent; loss < 0.08 || loss > 0.12 || in.RTPPacketLossSent != nil || out.RTPPacketLossReceived != nil {
		t.Errorf("one in ten is reported lost on the way out, and it is said to be %v", loss)
	}
	if c.Jitter != 77 || out.ProbationBytesSent != 0 || out.ProbationSendBitrate != 0 || p.BitrateByLayer == nil || len(p.BitrateByLayer) != 0 {
		t.Errorf("consumer: %+v, producer: %+v, bob: %+v", c, p, out)
	}
	checkFields(t, out, "probationBytesSent", "probationSendBitrate", "rtpPacketLossSent")
	checkFields(t, p, "bitrateByLayer")

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

func TestBitratesAreToldByLayer(t *testing.T) {
	s := newSVC(t, 2)
	for range 75 { // 25 pictures a second
		s.send()
		s.advance(40 * time.Millisecond)
	}
	st := s.consumer.producer.Stats()[0]
	sum := uint64(0)
	for _, name := range []string{"0.0", "1.0", "2.0"} {
		if st.BitrateByLayer[name] == 0 {
			t.Errorf("%s has no bitrate", name)
		}
		sum += st.BitrateByLayer[name]
	}
	if len(st.BitrateByLayer) != 3 || !between(sum, float64(st.Bitrate)) {
		t.Errorf("%v come to %d, all of the stream is %d", st.BitrateByLayer, sum, st.Bitrate)
	}
	consumed := s.consumer.Stats()
	if len(consumed) != 2 || len(consumed[0].BitrateByLayer) != 0 || len(consumed[1].BitrateByLayer) != 3 {
		t.Errorf("%+v", consumed)
	}
}

func TestBitratesOfSimulcastAreByItsEncodings(t *testing.T) {
	s := newLines(t, 10*bwe.MegabitPerSecond)
	s.producer.params.Encodings[1].ScalabilityMode = "L1T2" // announced, and not sent
	s.run(3 * time.Second)
	for i, st := range s.producer.Stats() {
		want := []int{0, 2, 0}[i]
		if len(st.BitrateByLayer) != want || want > 0 && (!between(st.BitrateByLayer["0.0"], float64(st.Bitrate)) || st.BitrateByLayer["0.1"] != 0) {
			t.Errorf("encoding %d of %d bit/s: %v", i, st.Bitrate, st.BitrateByLayer)
		}
	}
}

func TestEstimatesForSendersAreTold(t *testing.T) {
	r := newRig(t)
	alice := r.connect(WebRTCTransportOptions{})
	params := videoParameters()
	params.HeaderExtensions = append(params.HeaderExtensions[:1:1], ortc.RTPHeaderExtensionParameters{URI: ortc.URIAbsSendTime, ID: 4})
	p := alice.produce(ortc.Video, params)
	for i := range 100 {
		packet := videoPacket(uint16(i), uint32(i)*3600, true, i == 0, 1000)
		at := rtp.AbsSendTime(r.now)
		setExtensions(t, packet, map[uint8][]byte{4: {byte(at >> 16), byte(at >> 8), byte(at)}})
		alice.sendRTP(packet)
		r.advance(40 * time.Millisecond)
	}
	if st := alice.transport.Stats(); st.AvailableIncomingBitrate == 0 || !p.useREMB {
		t.Errorf("%+v", st)
	}
	repair := videoPacket(77, 0, true, false, 100)
	repair.SSRC, repair.PayloadType, repair.Payload = videoRTXSSRC, videoRTXPT, append([]byte{0, 2}, repair.Payload...)
	alice.sendRTP(repair)
	if st := p.Stats()[0]; st.RTXPacketsDiscarded != 1 || st.PacketsDiscarded != 1 {
		t.Errorf("%+v", st)
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
