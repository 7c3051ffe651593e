package takosapi_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/takoserver/takos-call/internal/signal"
	"github.com/takoserver/takos-call/internal/signal/mistake"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
)

var (
	mediaCodecs = json.RawMessage(`[{"kind":"audio","mimeType":"audio/opus","clockRate":48000,"channels":2,"preferredPayloadType":100},` +
		`{"kind":"video","mimeType":"video/VP8","clockRate":90000,"preferredPayloadType":101}]`)
	loopback = map[string]any{"ip": "127.0.0.1"}
)

// references are the fields that say which object is meant, and what is answered
// where there is none.
var references = map[string]string{
	"workerId": "WORKER_NOT_FOUND", "webRtcServerId": "WEBRTC_SERVER_NOT_FOUND", "routerId": "ROUTER_NOT_FOUND",
	"transportId": "TRANSPORT_NOT_FOUND", "producerId": "PRODUCER_NOT_FOUND", "consumerId": "CONSUMER_NOT_FOUND",
	"dataProducerId": "DATA_PRODUCER_NOT_FOUND", "dataConsumerId": "DATA_CONSUMER_NOT_FOUND", "rtpObserverId": "RTP_OBSERVER_NOT_FOUND",
}

// objects are one of each kind, by the field that refers to it.
type objects map[string]string

// objects makes a worker with one of each kind of object.
func (b *backend) objects() objects {
	b.t.Helper()
	o := objects{}
	id := func(name string, data map[string]any) string {
		b.t.Helper()
		return b.must(name, o.with(data))["id"].(string)
	}
	o["workerId"] = id("worker.create", nil)
	o["webRtcServerId"] = id("worker.createWebRtcServer", map[string]any{"listenInfos": []any{loopback}})
	o["routerId"] = id("worker.createRouter", map[string]any{"mediaCodecs": mediaCodecs})
	o["transportId"] = id("router.createDirectTransport", nil)
	o["producerId"] = id("transport.produce", map[string]any{"kind": "audio", "rtpParameters": audio})
	o["consumerId"] = id("transport.consume", map[string]any{"rtpCapabilities": caps})
	o["dataProducerId"] = id("transport.produceData", nil)
	o["dataConsumerId"] = id("transport.consumeData", nil)
	o["rtpObserverId"] = id("router.createAudioLevelObserver", nil)
	return o
}

// with is data that refers to all of the objects.
func (o objects) with(data map[string]any) map[string]any {
	all := map[string]any{}
	for name, id := range o {
		all[name] = id
	}
	maps.Copy(all, data)
	return all
}

// data are what a command needs, with the objects that it refers to.
func (o objects) data(request *signal.Object) map[string]any {
	data := objectMaker.Object(request)
	for _, f := range request.Fields {
		if f.Name == "rtpCapabilities" {
			data[f.Name] = caps // which only pipes do without
		}
		if id, known := o[f.Name]; known && f.Required {
			data[f.Name] = id
		}
	}
	return data
}

var objectMaker = mistake.Maker{Good: map[string]any{
	"rtpParameters": audio, "rtpCapabilities": caps, "mediaCodecs": mediaCodecs, "listenInfo": loopback, "listenInfos": []any{loopback},
}}

// expect fails unless the command was refused with the code, which is one of its
// row in the table.
func expect(t *testing.T, what, command string, a answer, code string) {
	t.Helper()
	if a.Success || a.Error.Code != code {
		t.Errorf("%s, %s: %+v, want %s", command, what, a, code)
	} else if !takosapi.MayFailWith(command, code) {
		t.Errorf("%s, %s: the table has no %s for it", command, what, code)
	}
}

func refers(o *signal.Object, name string) bool {
	return slices.ContainsFunc(o.Fields, func(f signal.Field) bool { return f.Name == name && f.Required })
}

func TestWorkerDumpListsAllThatCanBeAddressed(t *testing.T) {
	b := newWorld(t, nil).connect(t)
	o := b.objects()
	handlers := b.must("worker.dump", o.with(nil))["channelMessageHandlers"].(map[string]any)
	for list, want := range map[string][]string{
		"channelRequestHandlers": {
			"webRtcServerId", "routerId", "transportId", "producerId", "consumerId", "dataProducerId", "dataConsumerId", "rtpObserverId",
		},
		"channelNotificationHandlers": {"transportId", "producerId", "dataProducerId"},
	} {
		got := handlers[list].([]any)
		for _, field := range want {
			if !slices.Contains(got, any(o[field])) {
				t.Errorf("%s has no %s", list, field)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s has %d, want %d", list, len(got), len(want))
		}
	}
}

func TestObjectsOfOthersAreNotThere(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	b := w.connect(t)
	mine, other := b.objects(), b.objects()
	n := 0
	for name, request := range takosapi.ObjectRequests() {
		if name == "router.canConsume" {
			continue // which answers that it cannot
		}
		for field, code := range references {
			if !refers(request, field) {
				continue
			}
			foreign := []string{"nothing", strings.Repeat("é", 128)}
			for kind, id := range mine { // of another kind
				if kind != field {
					foreign = append(foreign, id)
				}
			}
			if field != "workerId" && field != "routerId" {
				foreign = append(foreign, other[field])
			}
			for _, id := range foreign {
				data := mine.data(request)
				data[field] = id
				n++
				expect(t, field+" "+id, name, b.do(name, data), code)
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d commands were sent", n)
	}
	unharmed()
}

func TestClosedObjectsAreNotThere(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	b := w.connect(t)
	for field, closes := range map[string]string{
		"workerId": "worker.close", "webRtcServerId": "webRtcServer.close", "routerId": "router.close", "transportId": "transport.close",
		"producerId": "producer.close", "consumerId": "consumer.close", "dataProducerId": "dataProducer.close",
		"dataConsumerId": "dataConsumer.close", "rtpObserverId": "rtpObserver.close",
	} {
		o := b.objects()
		b.must(closes, o.with(nil))
		n := 0
		for name, request := range takosapi.ObjectRequests() {
			if name == "router.canConsume" && field == "producerId" || !refers(request, field) {
				continue
			}
			n++
			expect(t, field+" closed", name, b.do(name, o.data(request)), references[field])
		}
		if n == 0 {
			t.Errorf("no command refers to %s", field)
		}
		// What was in it is not there either.
		for name, inner := range map[string]string{"producer.dump": "producerId", "consumer.dump": "consumerId", "dataConsumer.dump": "dataConsumerId"} {
			if a := b.do(name, o.with(nil)); a.Success && (field == "workerId" || field == "routerId" || field == "transportId") {
				t.Errorf("%s was closed, and %s is there", closes, inner)
			}
		}
	}
	if left := len(w.workers.Workers()); left != 8 { // all but the one that was closed
		t.Errorf("%d workers are open", left)
	}
	unharmed()
}

// hostile are commands that make no sense, which have the right form or nearly.
func hostile(o objects) map[string][]map[string]any {
	infos := func(n int) (list []any) {
		for range n {
			list = append(list, loopback)
		}
		return list
	}
	listen := func(more map[string]any) map[string]any {
		info := maps.Clone(loopback)
		maps.Copy(info, more)
		return info
	}
	codecs := []any{
		"opus", 7, nil, map[string]any{}, map[string]any{"mimeType": "audio/opus"}, map[string]any{"kind": "audio", "mimeType": "opus", "clockRate": 48000},
		map[string]any{"kind": "audio", "mimeType": "audio/opus", "clockRate": -1, "channels": 2},
		map[string]any{"kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 1e9},
		map[string]any{"kind": "audio", "mimeType": "audio/" + strings.Repeat("x", 100000), "clockRate": 48000},
		map[string]any{"kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2, "preferredPayloadType": 300},
	}
	bad := map[string][]map[string]any{
		"worker.createWebRtcServer": {
			{"listenInfos": []any{}}, {"listenInfos": infos(1000)}, {"listenInfos": []any{listen(map[string]any{"ip": "127.0.0.1; rm -rf /"})}},
			{"listenInfos": []any{listen(map[string]any{"portRange": map[string]any{"min": 50000, "max": 40000}})}},
			{"listenInfos": []any{listen(map[string]any{"port": 40000, "portRange": map[string]any{"min": 0, "max": 0}})}},
			{"listenInfos": []any{nil}}, {"listenInfos": []any{listen(map[string]any{"ip": "192.0.2.1"})}},
		},
		"router.createWebRtcTransport": {
			{"listenInfos": infos(1000)}, {"listenInfos": []any{}}, {"listenIps": []any{}}, {"listenIps": []any{7}}, {"listenIps": []any{"::1%lo; x"}},
			{"listenInfos": infos(1), "listenIps": []any{"127.0.0.1"}}, {"webRtcServerId": "none"},
			{"enableUdp": false, "enableTcp": false}, {"listenIps": []any{"127.0.0.1"}, "enableUdp": false},
		},
		"router.createPlainTransport": {{"listenInfo": map[string]any{"ip": "localhost"}}, {"listenInfo": map[string]any{"ip": "192.0.2.1"}}},
		"router.createPipeTransport":  {{"listenInfo": map[string]any{"ip": "localhost"}}, {"listenInfo": map[string]any{"ip": "192.0.2.1"}}},
		"router.pipeToRouter":         {{"toRouterId": o["routerId"]}, {"toRouterId": "none", "producerId": o["producerId"]}},
		"worker.create":               {{"rtcMinPort": 9, "rtcMaxPort": 8}, {"dtlsCertificate": "x"}, {"dtlsCertificate": "x", "dtlsPrivateKey": "y"}, {"logTags": []any{"secrets"}}, {"logTags": []any{7}}},
		"transport.connect":           {{"ip": "127.0.0.1", "port": 9}, {"dtlsParameters": mistake.Fingerprint}},
		"transport.sendRtcp":          {{"rtcpPacket": "***"}},
		"producer.send":               {{"rtpPacket": "a"}},
		"dataProducer.send": {
			{}, {"message": "x", "binary": "eA=="}, {"binary": "***"}, {"message": "x", "ppid": 50}, {"message": "x", "subchannels": []any{-1}},
			{"message": "x", "subchannels": []any{65536}}, {"message": "x", "subchannels": []any{"1"}}, {"message": "x", "requiredSubchannel": 1e9},
		},
		"dataConsumer.send":           {{"message": "x"}, {}, {"message": "x", "ppid": 0}},
		"dataConsumer.setSubchannels": {{"subchannels": []any{1.5}}, {"subchannels": []any{70000}}},
		"transport.consume":           {{"rtpCapabilities": map[string]any{}}, {"rtpCapabilities": map[string]any{"codecs": "all"}}},
		"transport.consumeData":       {{"subchannels": []any{-1}}, {"subchannels": make([]any, 2000)}},
		"transport.produceData":       {{"id": o["dataProducerId"]}},
	}
	for _, codec := range codecs {
		for _, name := range []string{"worker.createRouter", "router.updateMediaCodecs"} {
			bad[name] = append(bad[name], map[string]any{"mediaCodecs": []any{codec}})
		}
	}
	for _, m := range mistake.RTPParameters {
		kind := "audio"
		if strings.Contains(string(m.Object), "video/") {
			kind = "video"
		}
		bad["transport.produce"] = append(bad["transport.produce"], map[string]any{"kind": kind, "rtpParameters": m.Object})
	}
	return bad
}

func TestHostileObjectsAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	b := w.connect(t)
	o := b.objects()
	before := string(b.do("router.dump", o.with(nil)).Data)
	for name, list := range hostile(o) {
		for _, data := range list {
			a := b.do(name, o.only(name, data))
			if a.Success || a.Error.Code == "INTERNAL_ERROR" || !takosapi.MayFailWith(name, a.Error.Code) {
				text, _ := json.Marshal(data)
				t.Errorf("%s with %.300s: %+v", name, text, a)
			}
			if len(a.Error.Message) > 500 {
				t.Errorf("%s: %d bytes of message", name, len(a.Error.Message))
			}
		}
	}
	if after := string(b.do("router.dump", o.with(nil)).Data); after != before {
		t.Errorf("something was left:\n%s\n%s", before, after)
	}
	unharmed()
}

// only is data with the references that a command must have.
func (o objects) only(command string, data map[string]any) map[string]any {
	all := o.data(takosapi.ObjectRequests()[command])
	maps.Copy(all, data)
	return all
}

// What is no packet is lost, as on a network.
func TestGarbagePacketsAreTakenForNothing(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	b := w.connect(t)
	o := b.objects()
	rtp := []byte{0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0x04, 0x57, 'x'} // SSRC 1111
	for _, packet := range [][]byte{
		{}, {0}, rtp[:11], {0xff}, append([]byte{0x9f}, rtp[1:]...), append([]byte{0x90}, rtp[1:]...), append([]byte{0xb0}, rtp[1:]...),
		append(rtp[:12:12], make([]byte, 60000)...), {0x80, 200, 0xff, 0xff}, {0x81, 205, 0, 1, 0, 0, 0, 0}, make([]byte, 1500),
	} {
		text := base64.StdEncoding.EncodeToString(packet)
		if text == "" {
			continue // which is missing
		}
		for name, field := range map[string]string{"producer.send": "rtpPacket", "transport.sendRtcp": "rtcpPacket"} {
			if a := b.do(name, o.with(map[string]any{field: text})); !a.Success && !takosapi.MayFailWith(name, a.Error.Code) {
				t.Errorf("%s %x: %+v", name, packet[:min(20, len(packet))], a)
			}
		}
	}
	stats := b.must("producer.getStats", o.with(nil))["stats"].([]any)
	if s := w.door.Stats(); s.Panics != 0 || len(stats) > 1 {
		t.Errorf("panics %d, streams %v", s.Panics, stats)
	}
	unharmed()
}

func TestMessagesThatAreTooBigHarmNobody(t *testing.T) {
	w := newWorld(t, nil)
	unharmed := w.beside(t)
	b := w.connect(t)
	o := b.objects()
	huge := o.with(map[string]any{"binary": strings.Repeat("QUFB", 10<<20/4)})
	if status, a := w.post(t, "dataProducer.send", huge); status != http.StatusRequestEntityTooLarge || a.Error.Code != "MESSAGE_TOO_BIG" {
		t.Errorf("over HTTP: %d %+v", status, a)
	}
	text, err := json.Marshal(map[string]any{"type": "dataProducer.send", "id": "1", "data": huge})
	if err != nil {
		t.Fatal(err)
	}
	b.write(text)
	for err == nil {
		_, _, err = b.ws.Read(t.Context())
	}
	if websocket.CloseStatus(err) != signal.CodeTooBig {
		t.Errorf("ended with %v", err)
	}
	again := w.connect(t) // and finds all that there was
	again.must("worker.attach", o.with(nil))
	again.must("dataConsumer.dump", o.with(nil))
	unharmed()
}
