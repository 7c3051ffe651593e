package sfu

import (
	"bytes"
	"net/netip"
	"testing"

	pionrtp "github.com/pion/rtp"
	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTestSFU(t testing.TB, change ...func(*Options)) *SFU {
	t.Helper()
	o := Options{ListenIPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Announced: []string{"127.0.0.1"}, Readers: 2}
	for _, f := range change {
		f(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func newTestRouter(t testing.TB, change ...func(*Options)) *Router {
	t.Helper()
	r, err := newTestSFU(t, change...).NewRouter(RouterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newTestTransport(t testing.TB, r *Router, o WebRTCTransportOptions) *WebRTCTransport {
	t.Helper()
	transport, err := r.NewWebRTCTransport(o)
	if err != nil {
		t.Fatal(err)
	}
	return transport
}

const (
	videoSSRC, videoRTXSSRC = 1111, 1112
	videoPT, videoRTXPT     = 96, 97
	audioSSRC, audioPT      = 2222, 111
)

func pt(v uint8) *uint8 { return &v }

var headerExtensions = []ortc.RTPHeaderExtensionParameters{
	{URI: "urn:ietf:params:rtp-hdrext:sdes:mid", ID: 9},
	{URI: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", ID: 3},
	{URI: "urn:ietf:params:rtp-hdrext:ssrc-audio-level", ID: 2},
}

// videoParameters are VP8 with RTX, as a browser sends it.
func videoParameters() ortc.RTPParameters {
	return ortc.RTPParameters{
		MID: "0",
		Codecs: []ortc.RTPCodecParameters{
			{MimeType: "video/VP8", PayloadType: videoPT, ClockRate: 90000, RTCPFeedback: []ortc.RTCPFeedback{
				{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}, {Type: "transport-cc"}, {Type: "goog-remb"},
			}},
			{MimeType: "video/rtx", PayloadType: videoRTXPT, ClockRate: 90000, Parameters: ortc.CodecParameters{"apt": videoPT}},
		},
		HeaderExtensions: headerExtensions[:2],
		Encodings:        []ortc.RTPEncodingParameters{{SSRC: videoSSRC, RTX: &ortc.RTXParameters{SSRC: videoRTXSSRC}}},
		RTCP:             ortc.RTCPParameters{CNAME: "alice"},
	}
}

func audioParameters() ortc.RTPParameters {
	return ortc.RTPParameters{
		MID:              "1",
		Codecs:           []ortc.RTPCodecParameters{{MimeType: "audio/opus", PayloadType: audioPT, ClockRate: 48000, Channels: 2}},
		HeaderExtensions: headerExtensions,
		Encodings:        []ortc.RTPEncodingParameters{{SSRC: audioSSRC}},
		RTCP:             ortc.RTCPParameters{CNAME: "alice"},
	}
}

// videoPacket is packet seq of a VP8 stream; a keyframe if key.
func videoPacket(seq uint16, ts uint32, marker, key bool, size int) *pionrtp.Packet {
	payload := bytes.Repeat([]byte{byte(seq)}, size)
	payload[0] = 0x10 // first packet of a frame, no extension (RFC 7741 §4.2)
	payload[1] = 1    // interframe
	if key {
		copy(payload[1:], []byte{0, 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 240, 0}) // 320×240
	}
	return &pionrtp.Packet{
		Header:  pionrtp.Header{Version: 2, Marker: marker, PayloadType: videoPT, SequenceNumber: seq, Timestamp: ts, SSRC: videoSSRC},
		Payload: payload,
	}
}

func produceVideo(t *testing.T, transport *WebRTCTransport) *Producer {
	t.Helper()
	p, err := transport.Produce(ProducerOptions{Kind: ortc.Video, RTPParameters: videoParameters()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func consume(t *testing.T, transport *WebRTCTransport, p *Producer) *Consumer {
	t.Helper()
	c, err := transport.Consume(ConsumerOptions{ProducerID: p.ID(), RTPCapabilities: transport.Router().RTPCapabilities()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// call is a sender of video and one receiver, connected.
type call struct {
	router     *Router
	alice, bob *peer
	producer   *Producer
	consumer   *Consumer
}

func newCall(t *testing.T, change ...func(*Options)) *call {
	t.Helper()
	return startCall(t, newTestRouter(t, change...))
}

func startCall(t *testing.T, r *Router) *call {
	t.Helper()
	send, recv := newTestTransport(t, r, WebRTCTransportOptions{}), newTestTransport(t, r, WebRTCTransportOptions{})
	c := &call{router: r}
	c.producer = produceVideo(t, send)
	c.consumer = consume(t, recv, c.producer)
	c.alice = connectPeer(t, send, dtls.RoleClient)
	c.bob = connectPeer(t, recv, dtls.RoleClient)
	eventually(t, "the consumer", func() bool { return c.consumer.active.Load() })
	return c
}

func TestVideoReachesItsReceiver(t *testing.T) {
	for _, role := range []dtls.Role{dtls.RoleClient, dtls.RoleServer} {
		t.Run("peer is DTLS "+string(role), func(t *testing.T) {
			r := newTestRouter(t)
			send, recv := newTestTransport(t, r, WebRTCTransportOptions{}), newTestTransport(t, r, WebRTCTransportOptions{})
			alice, bob := connectPeer(t, send, role), connectPeer(t, recv, role)
			p := produceVideo(t, send)
			c := consume(t, recv, p)

			alice.sendRTP(videoPacket(65535, 1000, false, true, 1100))
			alice.sendRTP(videoPacket(0, 1000, true, false, 1099))
			alice.sendRTP(videoPacket(1, 4000, true, false, 500))
			first := bob.nextRTP()
			for i, want := range []struct {
				size   int
				ts     uint32
				marker bool
			}{{1100, 1000, false}, {1099, 1000, true}, {500, 4000, true}} {
				got := first
				if i > 0 {
					got = bob.nextRTP()
				}
				if got.header.SSRC != c.RTPParameters().Encodings[0].SSRC {
					t.Errorf("packet %d has SSRC %d", i, got.header.SSRC)
				}
				if got.header.SequenceNumber != first.header.SequenceNumber+uint16(i) {
					t.Errorf("packet %d has seq %d after %d", i, got.header.SequenceNumber, first.header.SequenceNumber)
				}
				if len(got.payload) != want.size || got.header.Timestamp != want.ts || got.header.Marker != want.marker {
					t.Errorf("packet %d: %d bytes, ts %d, marker %v; want %+v", i, len(got.payload), got.header.Timestamp, got.header.Marker, want)
				}
				if got.header.PayloadType != c.RTPParameters().Codecs[0].PayloadType {
					t.Errorf("packet %d has PT %d", i, got.header.PayloadType)
				}
			}
		})
	}
}

func TestKeyframeIsAskedForOnceTheReceiverCanSeeIt(t *testing.T) {
	c := newCall(t)
	c.alice.sendRTP(videoPacket(1, 1000, true, false, 200)) // makes the stream known
	pli := c.alice.nextRTCP(rtp.TypePSFB, rtp.FormatPLI)
	if _, media, ok := pli.FeedbackSSRCs(); !ok || media != videoSSRC {
		t.Errorf("PLI is for SSRC %d", media)
	}
	c.alice.sendRTP(videoPacket(2, 2000, true, false, 200))
	c.alice.sendRTP(videoPacket(3, 3000, true, true, 300))
	if got := c.bob.nextRTP(); len(got.payload) != 300 {
		t.Errorf("the first packet is of %d bytes, not the keyframe", len(got.payload))
	}
}

func TestNACKIsAnsweredWithRTX(t *testing.T) {
	c := newCall(t)
	for seq := uint16(10); seq < 20; seq++ {
		c.alice.sendRTP(videoPacket(seq, uint32(seq)*3000, true, seq == 10, 400+int(seq)))
	}
	var lost received
	for i := range 10 {
		got := c.bob.nextRTP()
		if i == 4 {
			lost = got
		}
	}
	params := c.consumer.RTPParameters()
	c.bob.sendRTCP(rtp.AppendNACK(nil, 7, params.Encodings[0].SSRC, []uint16{lost.header.SequenceNumber}))
	again := c.bob.nextRTP()
	if again.header.SSRC != params.Encodings[0].RTX.SSRC || again.header.PayloadType != params.Codecs[1].PayloadType {
		t.Errorf("retransmitted as SSRC %d, PT %d", again.header.SSRC, again.header.PayloadType)
	}
	osn := uint16(again.payload[0])<<8 | uint16(again.payload[1])
	if osn != lost.header.SequenceNumber || !bytes.Equal(again.payload[2:], lost.payload) || again.header.Timestamp != lost.header.Timestamp {
		t.Errorf("retransmitted seq %d with %d bytes, want %d with %d", osn, len(again.payload)-2, lost.header.SequenceNumber, len(lost.payload))
	}
}

func TestGapIsAskedForAndFilledByRTX(t *testing.T) {
	c := newCall(t)
	c.alice.sendRTP(videoPacket(1, 1000, true, true, 300))
	c.alice.sendRTP(videoPacket(3, 3000, true, false, 303))
	nack := c.alice.nextRTCP(rtp.TypeRTPFB, rtp.FormatNACK)
	if pid, blp, ok := nack.NackPair(0); !ok || pid != 2 || blp != 0 {
		t.Fatalf("NACK for %d, %b", pid, blp)
	}
	missing := videoPacket(2, 2000, true, false, 302)
	missing.Payload = append([]byte{0, 2}, missing.Payload...)
	missing.SSRC, missing.PayloadType, missing.SequenceNumber = videoRTXSSRC, videoRTXPT, 77
	c.alice.sendRTP(missing)
	var seqs [3]uint16
	for i, size := range []int{300, 303, 302} {
		got := c.bob.nextRTP()
		if len(got.payload) != size {
			t.Fatalf("packet %d has %d bytes, want %d", i, len(got.payload), size)
		}
		seqs[i] = got.header.SequenceNumber
	}
	if seqs[1] != seqs[0]+2 || seqs[2] != seqs[0]+1 {
		t.Errorf("seqs %v: the repaired packet does not fill the hole", seqs)
	}
}
