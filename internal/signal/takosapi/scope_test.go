package takosapi_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/takoserver/takos-call/internal/signal/takosapi"
)

// workersOf are the ids that worker.list shows.
func (b *backend) workersOf() (ids []string) {
	b.t.Helper()
	for _, w := range b.must("worker.list", nil)["workers"].([]any) {
		ids = append(ids, w.(map[string]any)["id"].(string))
	}
	return ids
}

// untouched returns a function that fails if anything about the objects has
// changed.
func (b *backend) untouched(o objects) (check func()) {
	b.t.Helper()
	look := func() (all string) {
		for _, name := range []string{"router.dump", "transport.dump", "producer.dump", "consumer.dump", "dataProducer.dump", "dataConsumer.dump", "webRtcServer.dump", "worker.dump"} {
			a := b.do(name, o.with(nil))
			all += string(a.Data) + a.Error.Code
		}
		return all
	}
	before := look()
	return func() {
		b.t.Helper()
		if after := look(); after != before {
			b.t.Errorf("objects have changed:\n%s\n%s", before, after)
		}
	}
}

func TestObjectsOfAnotherKeyCannotBeTouched(t *testing.T) {
	w := newWorld(t, settings{"httpRate": "100000"})
	owner, stranger := w.connect(t), w.connectAs(t, "team-key")
	o := owner.objects()
	untouched := owner.untouched(o)
	owner.must("createRoom", map[string]any{"roomId": "another's"})
	room := owner.must("room.getRouter", map[string]any{"roomId": "another's"})["id"].(string)
	own := stranger.objects()
	n := 0
	for name, request := range takosapi.ObjectRequests() {
		code := map[bool]string{true: "ROUTER_NOT_FOUND", false: "WORKER_NOT_FOUND"}[refers(request, "routerId")]
		if !refers(request, "routerId") && !refers(request, "workerId") {
			continue
		}
		n++
		expect(t, "of another key", name, stranger.do(name, o.data(request)), code)
		_, a := w.postAs(t, "team-key", name, o.data(request))
		expect(t, "of another key, over HTTP", name, a, code)
		if refers(request, "routerId") {
			data := own.data(request)
			data["routerId"] = room
			expect(t, "of another's room", name, stranger.do(name, data), code)
		}
	}
	if n < 70 {
		t.Errorf("only %d commands were sent", n)
	}
	expect(t, "of another key", "room.getRouter", stranger.do("room.getRouter", map[string]any{"roomId": "another's"}), "FORBIDDEN")
	expect(t, "to another key's router", "router.pipeToRouter",
		stranger.do("router.pipeToRouter", own.only("router.pipeToRouter", map[string]any{"producerId": own["producerId"], "toRouterId": o["routerId"]})), "ROUTER_NOT_FOUND")
	expect(t, "at another key's sockets", "router.createWebRtcTransport",
		stranger.do("router.createWebRtcTransport", own.only("router.createWebRtcTransport", map[string]any{"webRtcServerId": o["webRtcServerId"]})), "WEBRTC_SERVER_NOT_FOUND")
	if list := stranger.workersOf(); !slices.Equal(list, []string{own["workerId"]}) {
		t.Errorf("the stranger sees %v", list)
	}
	untouched()

	// A key for everything sees everything.
	if list := owner.workersOf(); len(list) != 2 {
		t.Errorf("the owner sees %v", list)
	}
	owner.must("producer.pause", own.with(nil))

	// Rooms in the scope have routers in the scope.
	stranger.must("createRoom", map[string]any{"roomId": "team/1"})
	mine := stranger.must("room.getRouter", map[string]any{"roomId": "team/1"})["id"]
	stranger.must("router.createDirectTransport", map[string]any{"routerId": mine})
}

func TestKeysThatMayOnlyReadObjectsReadThem(t *testing.T) {
	w := newWorld(t, settings{"httpRate": "100000"})
	owner, reader := w.connect(t), w.connectAs(t, "read-key")
	o := owner.objects()
	untouched := owner.untouched(o)
	owner.must("createRoom", map[string]any{"roomId": "x"})
	reads := 0
	for name, request := range takosapi.ObjectRequests() {
		a := reader.do(name, o.data(request))
		switch {
		case !takosapi.ReadOnly(name):
			expect(t, "only reading", name, a, "FORBIDDEN")
			_, a := w.postAs(t, "read-key", name, o.data(request))
			expect(t, "only reading, over HTTP", name, a, "FORBIDDEN")
		case !a.Success:
			t.Errorf("%s: %+v", name, a)
		default:
			reads++
		}
	}
	if reads < 20 {
		t.Errorf("only %d commands read", reads)
	}
	untouched()
}

// attachReader has a connection told of the end of a worker, without holding it.
func (w *world) attachReader(t *testing.T, workerID string) (ended func()) {
	t.Helper()
	reader := w.connectAs(t, "read-key")
	reader.must("worker.attach", map[string]any{"workerId": workerID})
	return func() {
		t.Helper()
		for {
			var e struct{ Event, WorkerID string }
			_ = json.Unmarshal(reader.read().Data, &e)
			if e.Event == "worker.closed" && e.WorkerID == workerID {
				return
			}
		}
	}
}

// leave returns when no more than so many connections are left.
func (w *world) leave(t *testing.T, connections int) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for tick := time.Tick(time.Millisecond); w.door.Stats().Connected > connections; {
		select {
		case <-tick:
		case <-deadline:
			t.Fatalf("%d connections are open", w.door.Stats().Connected)
		}
	}
}

func TestWorkersEndWithTheirConnections(t *testing.T) {
	w := newWorld(t, nil)
	create := func(b *backend, more map[string]any) string {
		t.Helper()
		data := map[string]any{"onDisconnect": "close"}
		maps.Copy(data, more)
		return b.must("worker.create", data)["id"].(string)
	}

	// Politely: at once, however long the grace is.
	polite := w.connect(t)
	ended := w.attachReader(t, create(polite, map[string]any{"disconnectGraceMs": 3600000}))
	_ = polite.ws.Close(websocket.StatusNormalClosure, "")
	ended()

	// Lost, without a grace.
	lost := w.connect(t)
	ended = w.attachReader(t, create(lost, map[string]any{"disconnectGraceMs": 0}))
	_ = lost.ws.CloseNow()
	ended()

	// Lost, with a grace: another connection takes over, and ends it politely.
	first, second := w.connect(t), w.connect(t)
	id := create(first, map[string]any{"disconnectGraceMs": 3600000})
	second.must("worker.attach", map[string]any{"workerId": id})
	kept := first.must("worker.create", map[string]any{"onDisconnect": "keep"})["id"].(string)
	_ = first.ws.Close(websocket.StatusNormalClosure, "") // is not the last
	third := w.connect(t)
	third.must("worker.attach", map[string]any{"workerId": id})
	ended = w.attachReader(t, id)
	_ = second.ws.CloseNow()
	w.leave(t, 4) // three readers and the third
	third.must("worker.dump", map[string]any{"workerId": id})
	third.must("worker.detach", map[string]any{"workerId": id}) // is no end of the connection: the grace runs
	third.must("worker.attach", map[string]any{"workerId": id})
	_ = third.ws.Close(websocket.StatusNormalClosure, "")
	ended()
	if list := w.connect(t).workersOf(); !slices.Equal(list, []string{kept}) {
		t.Errorf("there are %v, want only %s", list, kept)
	}

	// Over HTTP there is no connection that could end.
	status, a := w.post(t, "worker.create", map[string]any{"onDisconnect": "close"})
	if expect(t, "over HTTP", "worker.create", a, "NEEDS_CONNECTION"); status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
	if status, _ := w.post(t, "worker.create", nil); status != http.StatusOK || len(w.workers.Workers()) != 2 {
		t.Errorf("status %d, %d workers", status, len(w.workers.Workers()))
	}
}

func TestLimitsOfWorkersAndRouters(t *testing.T) {
	w := newWorld(t, settings{"workers": "3", "workersPerKey": "2", "routers": "2"})
	one, team := w.connect(t), w.connectAs(t, "team-key")
	id := one.must("worker.create", nil)["id"]
	other := one.must("worker.create", nil)["id"]
	expect(t, "a third of one key", "worker.create", one.do("worker.create", nil), "LIMIT_REACHED")
	team.must("worker.create", nil)
	expect(t, "a fourth", "worker.create", team.do("worker.create", nil), "LIMIT_REACHED")
	one.must("worker.close", map[string]any{"workerId": other})
	one.must("worker.create", nil)
	for range 2 {
		one.must("worker.createRouter", map[string]any{"workerId": id})
	}
	a := one.do("worker.createRouter", map[string]any{"workerId": id})
	expect(t, "a third router", "worker.createRouter", a, "LIMIT_REACHED")
}
