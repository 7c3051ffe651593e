package sfu

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/ortc"
)

// fields is v as JSON has it.
func fields(t *testing.T, v any) map[string]any {
	t.Helper()
	b, err := json.Marshal(v)
	check(t, err)
	m := map[string]any{}
	check(t, json.Unmarshal(b, &m))
	return m
}

func TestRouterShowsItsObjectsAndWhoBelongsToWhom(t *testing.T) {
	c := newRigCall(t)
	v := newVoice(c.rig)
	levels, err := c.router.NewAudioLevelObserver(AudioLevelObserverOptions{})
	check(t, err)
	check(t, levels.AddProducer(v.ID()))
	direct := newDirect(t, c.router, DirectTransportOptions{})
	dp, err := direct.ProduceData(DataProducerOptions{})
	check(t, err)
	dc, err := direct.ConsumeData(DataConsumerOptions{DataProducerID: dp.ID()})
	check(t, err)

	sorted := func(ids ...string) []string { slices.Sort(ids); return ids }
	want := RouterDump{
		ID:                   c.router.ID(),
		TransportIDs:         sorted(c.alice.transport.ID(), c.bob.transport.ID(), v.client.transport.ID(), direct.ID()),
		RTPObserverIDs:       []string{levels.ID()},
		ProducersOfConsumers: []IDPair{{c.consumer.ID(), c.producer.ID()}},

		DataConsumersOfDataProducers: []IDList{{dp.ID(), []string{dc.ID()}}},
		DataProducersOfDataConsumers: []IDPair{{dc.ID(), dp.ID()}},
	}
	for _, id := range sorted(c.producer.ID(), v.ID()) {
		consumers, observers := []string{c.consumer.ID()}, []string{}
		if id == v.ID() {
			consumers, observers = []string{}, []string{levels.ID()}
		}
		want.ConsumersOfProducers = append(want.ConsumersOfProducers, IDList{id, consumers})
		want.ObserversOfProducers = append(want.ObserversOfProducers, IDList{id, observers})
	}
	if diff := cmp.Diff(want, c.router.Dump()); diff != "" {
		t.Error(diff)
	}
	checkFields(t, want, "id", "transportIds", "rtpObserverIds", "mapProducerIdConsumerIds", "mapConsumerIdProducerId",
		"mapProducerIdObserverIds", "mapDataProducerIdDataConsumerIds", "mapDataConsumerIdDataProducerId")

	if d := levels.Dump(); !slices.Equal(d.ProducerIDs, []string{v.ID()}) || d.Type != AudioLevels || d.Paused || d.IntervalMS != 1000 {
		t.Errorf("the observer is %+v", d)
	}
	for _, transport := range c.router.Transports() {
		transport.Close()
	}
	levels.Close()
	b, err := json.Marshal(c.router.Dump())
	check(t, err)
	if want := `{"id":"` + c.router.ID() + `","transportIds":[],"rtpObserverIds":[],"mapProducerIdConsumerIds":[],"mapConsumerIdProducerId":[],` +
		`"mapProducerIdObserverIds":[],"mapDataProducerIdDataConsumerIds":[],"mapDataConsumerIdDataProducerId":[]}`; string(b) != want {
		t.Errorf("without objects it is %s", b)
	}
}

func TestTransportShowsWhatItSendsAndReceives(t *testing.T) {
	s := newSimulcast(t)
	audio := s.alice.produce(ortc.Audio, audioParameters())
	before := s.alice.transport.Dump()
	s.alice.sendRTP(s.packet(0, true))
	d := s.alice.transport.Dump()
	if len(before.RTPListener.SSRCs) != 1 || !slices.Contains(d.RTPListener.SSRCs, NumberPair{s.layers[0].ssrc, s.producer.ID()}) {
		t.Errorf("SSRCs before %v, after the first packet %v", before.RTPListener.SSRCs, d.RTPListener.SSRCs)
	}
	if want := []IDPair{{"0", s.producer.ID()}, {"1", audio.ID()}}; !slices.Equal(d.RTPListener.MIDs, want) {
		t.Errorf("MIDs %v", d.RTPListener.MIDs)
	}
	if want := []IDPair{{"q", s.producer.ID()}, {"h", s.producer.ID()}, {"f", s.producer.ID()}}; !slices.Equal(d.RTPListener.RIDs, want) {
		t.Errorf("RIDs %v", d.RTPListener.RIDs)
	}
	if x := d.RecvRTPHeaderExtensions; *x.MID != 9 || *x.RID != 10 || *x.RepairedRID != 11 || *x.TransportWideCC != 3 || x.AbsSendTime != nil {
		t.Errorf("header extensions %+v", x)
	}
	if d.ICERole != "controlled" || d.ICEState != ice.StateCompleted || d.DTLSState != "connected" ||
		d.ICESelectedTuple.RemotePort != s.alice.path.Remote.Port() || *d.ICEParameters != s.alice.transport.ICEParameters() ||
		len(d.ICECandidates) == 0 || d.DTLSParameters.Role != "auto" || d.Type != TransportWebRTC || d.SCTPParameters != nil || d.SCTPState != "" {
		t.Errorf("ICE and DTLS: %+v", d)
	}
	d = s.bob.transport.Dump()
	if want := []NumberPair{{s.consumer.ssrc, s.consumer.ID()}}; !slices.Equal(d.ConsumersBySSRC, want) {
		t.Errorf("consumers by SSRC %v", d.ConsumersBySSRC)
	}
	if want := []NumberPair{{s.consumer.rtxSSRC, s.consumer.ID()}}; !slices.Equal(d.ConsumersByRTXSSRC, want) || !slices.Equal(d.ConsumerIDs, []string{s.consumer.ID()}) {
		t.Errorf("consumers by SSRC of RTX %v", d.ConsumersByRTXSSRC)
	}
	checkFields(t, d, "id", "producerIds", "consumerIds", "mapSsrcConsumerId", "mapRtxSsrcConsumerId", "recvRtpHeaderExtensions", "rtpListener",
		"maxSendMessageSize", "maxReceiveMessageSize", "dataProducerIds", "dataConsumerIds", "traceEventTypes",
		"iceRole", "iceParameters", "iceCandidates", "iceState", "iceSelectedTuple", "dtlsParameters", "dtlsState")
	s.bob.transport.Close()
	if d = s.bob.transport.Dump(); d.ICEState != ice.StateClosed || len(d.ConsumerIDs) != 0 || len(d.ConsumersBySSRC) != 0 {
		t.Errorf("closed it is %+v", d)
	}
}

func TestTransportShowsThePeersCertificate(t *testing.T) {
	c := newCall(t)
	if d := c.alice.transport.Dump(); d.DTLSRemoteCert == "" || d.DTLSRemoteCert != c.alice.transport.DTLSRemoteCertificate() {
		t.Errorf("%q", d.DTLSRemoteCert)
	}
}

func TestTransportWithSCTPShowsItsStreams(t *testing.T) {
	r := newRig(t)
	transport := r.newClient(WebRTCTransportOptions{SCTP: SCTPOptions{Enable: true}}).transport
	p, err := transport.ProduceData(DataProducerOptions{
		Label: "chat", Protocol: "text", SCTPStreamParameters: SCTPStreamParameters{StreamID: 7, MaxRetransmits: new(uint16(3))},
	})
	check(t, err)
	c, err := transport.ConsumeData(DataConsumerOptions{DataProducerID: p.ID(), Subchannels: []uint16{5, 1}})
	check(t, err)
	d := transport.Dump()
	if d.SCTPState != "new" || *d.SCTPParameters != *transport.SCTPParameters() || !slices.Equal(d.SCTPListener.Streams, []NumberPair{{7, p.ID()}}) ||
		!slices.Equal(d.DataProducerIDs, []string{p.ID()}) || !slices.Equal(d.DataConsumerIDs, []string{c.ID()}) || d.MaxReceiveMessageSize != 262144 {
		t.Errorf("%+v", d)
	}
	want := map[string]any{
		"id": p.ID(), "paused": false, "type": "sctp", "label": "chat", "protocol": "text",
		"sctpStreamParameters": map[string]any{"streamId": 7., "ordered": false, "maxRetransmits": 3.},
	}
	if diff := cmp.Diff(want, fields(t, p.Dump())); diff != "" {
		t.Error(diff)
	}
	p.Pause()
	c.Pause()
	c.SetBufferedAmountLowThreshold(99)
	want = map[string]any{
		"id": c.ID(), "paused": true, "dataProducerPaused": true, "subchannels": []any{1., 5.}, "dataProducerId": p.ID(), "type": "sctp",
		"label": "chat", "protocol": "text", "bufferedAmount": 0., "bufferedAmountLowThreshold": 99.,
		"sctpStreamParameters": map[string]any{"streamId": float64(c.SCTPStreamParameters().StreamID), "ordered": false, "maxRetransmits": 3.},
	}
	if diff := cmp.Diff(want, fields(t, c.Dump())); diff != "" {
		t.Error(diff)
	}
}

func TestDirectDataShowsNoStream(t *testing.T) {
	p, consumers, _ := directData(t, map[string][]uint16{"one": nil})
	c := consumers["one"]
	want := map[string]any{
		"id": c.ID(), "paused": false, "dataProducerPaused": false, "subchannels": []any{}, "dataProducerId": p.ID(), "type": "direct",
		"label": "own", "protocol": "", "bufferedAmount": 0., "bufferedAmountLowThreshold": 0.,
	}
	if diff := cmp.Diff(want, fields(t, c.Dump())); diff != "" {
		t.Error(diff)
	}
	if p.Dump().SCTPStreamParameters != nil {
		t.Error("the data producer shows a stream")
	}
}

func TestPlainTransportShowsItsPorts(t *testing.T) {
	r := newRig(t)
	plain, err := r.router.NewPlainTransport(PlainTransportOptions{
		Listen: ListenInfo{IP: netip.MustParseAddr("127.0.0.1")}, DisableRTCPMux: true, Comedia: true, EnableSRTP: true,
	})
	check(t, err)
	d := plain.Dump()
	rtcp, _ := plain.RTCPTuple()
	own, _ := plain.SRTPParameters()
	if *d.RTCPMux || !*d.Comedia || *d.Tuple != plain.Tuple() || *d.RTCPTuple != rtcp || *d.SRTPParameters != own || d.ICEParameters != nil {
		t.Errorf("%+v", d)
	}
	checkFields(t, d, "rtcpMux", "comedia", "tuple", "rtcpTuple", "srtpParameters")
	checkFields(t, plain.Transport.Stats(), "type", "rtcpMux", "comedia", "tuple", "rtcpTuple")
	direct := newDirect(t, r.router, DirectTransportOptions{})
	if have := fields(t, direct.Dump()); have["tuple"] != nil || have["iceState"] != nil || have["sctpState"] != nil {
		t.Errorf("a direct transport shows %v", have)
	}
	if direct.Transport.Stats().Type != "direct-transport" || r.newClient(WebRTCTransportOptions{}).transport.Transport.Stats().Type != "webrtc-transport" {
		t.Error("statistics of the wrong kind")
	}
}

func TestProducerShowsTheStreamsThatHaveArrived(t *testing.T) {
	s := newSimulcast(t)
	if d := s.producer.Dump(); d.RTPStreams != nil || len(d.RTPMapping.Encodings) != 3 || len(d.RTPMapping.Codecs) != 2 || d.Type != ortc.Simulcast {
		t.Errorf("at first it is %+v", d)
	}
	for range 30 {
		s.alice.sendRTP(s.packet(1, true))
		s.advance(50 * time.Millisecond)
	}
	s.producer.Pause()
	s.producer.EnableTraceEvents([]string{"pli", "sr", "bwe"})
	d := s.producer.Dump()
	want := []RTPStreamDump{{Score: 10, Params: RTPStreamParameters{
		Encoding: 1, SSRC: s.layers[1].ssrc, RID: "h", PayloadType: videoPT, MimeType: "video/VP8", ClockRate: 90000, CNAME: "alice",
		UseNACK: true, UsePLI: true, UseFIR: true, SpatialLayers: 1, TemporalLayers: 1,
	}}}
	if diff := cmp.Diff(want, d.RTPStreams); diff != "" {
		t.Error(diff)
	}
	if !d.Paused || !slices.Equal(d.TraceEventTypes, []TraceType{TracePLI, TraceSR}) || *d.RTPParameters.Encodings[2].CodecPayloadType != videoPT {
		t.Errorf("%+v", d)
	}
	checkFields(t, d, "id", "kind", "type", "rtpParameters", "rtpMapping", "rtpStreams", "traceEventTypes", "paused")
}

func TestParametersAreShownAsMediasoupDoes(t *testing.T) {
	r := newRig(t)
	params := videoParameters()
	params.Codecs[0].MimeType = "video/vp8"
	p := r.connect(WebRTCTransportOptions{}).produce(ortc.Video, params)
	d := fields(t, p.Dump())["rtpParameters"].(map[string]any)
	media := d["codecs"].([]any)[0].(map[string]any)
	want := []any{
		map[string]any{"type": "nack"}, map[string]any{"type": "nack", "parameter": "pli"}, map[string]any{"type": "ccm", "parameter": "fir"},
		map[string]any{"type": "transport-cc"}, map[string]any{"type": "goog-remb"},
	}
	if diff := cmp.Diff(want, media["rtcpFeedback"]); diff != "" || media["mimeType"] != "video/VP8" || media["payloadType"] != 96. {
		t.Errorf("%v\n%s", media, diff)
	}
	if d["mid"] != "0" || len(d["headerExtensions"].([]any)) != 2 || len(d["codecs"].([]any)) != 2 {
		t.Errorf("%v", d)
	}
	if p.RTPParameters().Codecs[0].MimeType != "video/vp8" {
		t.Error("the parameters themselves have changed")
	}
}

func TestProducerShowsItsRTX(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100), videoPacket(3, 0, true, false, 100))
	repair := videoPacket(77, 0, true, false, 100)
	repair.SSRC, repair.PayloadType, repair.Payload = videoRTXSSRC, videoRTXPT, append([]byte{0, 2}, repair.Payload...)
	c.alice.sendRTP(repair)
	d := c.producer.Dump().RTPStreams[0]
	want := &RTXStreamDump{RTXStreamParameters{SSRC: videoRTXSSRC, PayloadType: videoRTXPT, MimeType: "video/rtx", ClockRate: 90000, CNAME: "alice"}}
	if diff := cmp.Diff(want, d.RTX); diff != "" || d.Params.RTXSSRC != videoRTXSSRC || *d.Params.RTXPayloadType != videoRTXPT {
		t.Errorf("%s\n%+v", diff, d.Params)
	}
}

func TestConsumerShowsWhatItIsSentAndWants(t *testing.T) {
	s := newSimulcast(t)
	layers := func() [6]int {
		l := s.consumer.Dump().ConsumerLayersDump
		return [6]int{
			l.PreferredSpatialLayer, l.TargetSpatialLayer, l.CurrentSpatialLayer,
			l.PreferredTemporalLayer, l.TargetTemporalLayer, l.CurrentTemporalLayer,
		}
	}
	if got := layers(); got != [6]int{2, -1, -1, 0, -1, -1} {
		t.Errorf("layers before the first packet %v", got)
	}
	s.alice.sendRTP(s.packet(0, true))
	if got := layers(); got != [6]int{2, 0, 0, 0, 0, 0} {
		t.Errorf("layers while the least is sent %v", got)
	}
	s.alice.sendRTP(s.packet(1, false))
	check(t, s.consumer.SetPreferredLayers(Layer{Spatial: 1}))
	s.consumer.layers.allowed = Layer{Spatial: 3}
	s.consumer.layers.live = nil
	if got := layers(); got != [6]int{1, 1, 0, 0, 0, 0} {
		t.Errorf("layers while a keyframe is awaited %v", got)
	}
	check(t, s.consumer.SetPriority(7))
	s.consumer.EnableTraceEvents([]string{"fir", "sr"})
	s.consumer.Pause()
	d := s.consumer.Dump()
	p := s.consumer.RTPParameters()
	if d.ID != s.consumer.ID() || d.ProducerID != s.producer.ID() || d.Kind != ortc.Video || d.Type != ortc.Simulcast || !d.Paused || d.ProducerPaused ||
		d.Priority != 7 || len(d.ConsumableRTPEncodings) != 3 || !slices.Equal(d.TraceEventTypes, []TraceType{TraceFIR}) ||
		!slices.Equal(d.SupportedCodecPayloadTypes, []int{int(p.Codecs[0].PayloadType)}) || *d.RTPParameters.Encodings[0].CodecPayloadType != p.Codecs[0].PayloadType {
		t.Errorf("%+v", d)
	}
	want := RTPStreamDump{
		Score: 10,
		Params: RTPStreamParameters{
			SSRC: s.consumer.ssrc, PayloadType: p.Codecs[0].PayloadType, MimeType: "video/VP8", ClockRate: 90000, CNAME: p.RTCP.CNAME,
			RTXSSRC: s.consumer.rtxSSRC, RTXPayloadType: &p.Codecs[1].PayloadType, UseNACK: true, UsePLI: true, UseFIR: true,
			SpatialLayers: 3, TemporalLayers: 1,
		},
		RTX: &RTXStreamDump{RTXStreamParameters{
			SSRC: s.consumer.rtxSSRC, PayloadType: p.Codecs[1].PayloadType, MimeType: "video/rtx", ClockRate: 90000, CNAME: p.RTCP.CNAME,
		}},
	}
	if diff := cmp.Diff(want, *d.RTPStream); diff != "" {
		t.Error(diff)
	}
	checkFields(t, d, "id", "producerId", "kind", "type", "rtpParameters", "consumableRtpEncodings", "supportedCodecPayloadTypes", "traceEventTypes",
		"paused", "producerPaused", "priority", "rtpStream", "preferredSpatialLayer", "targetSpatialLayer", "currentSpatialLayer",
		"preferredTemporalLayer", "targetTemporalLayer", "currentTemporalLayer")
}

func TestSimpleConsumerShowsNoLayers(t *testing.T) {
	c := newRigCall(t)
	if d := c.consumer.Dump(); d.Type != ortc.Simple || d.ConsumerLayersDump != nil {
		t.Errorf("%+v", d)
	}
}
