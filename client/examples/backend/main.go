// Command backend is a small and complete backend for calls. Browsers talk to it
// over HTTP; it drives takos-call over /takos-api and never sees any media.
//
//	go run ./client/examples/backend -server http://localhost:3000 -key KEY
//
// The page, with mediasoup-client and a function api(path, body) that posts JSON
// and returns the answer, does this:
//
//	const me = await api("join", { room: "standup", name: "Alice" })
//	const ask = (path, body) => api(path, { session: me.session, ...body })
//	const device = await Device.factory()
//	await device.load({ routerRtpCapabilities: me.rtpCapabilities })
//
//	const prepare = (transport) => transport.on("connect", ({ dtlsParameters }, done, failed) =>
//		ask("connect", { transportId: transport.id, dtlsParameters }).then(done, failed))
//	const send = prepare(device.createSendTransport(me.send))
//	const recv = prepare(device.createRecvTransport(me.recv))
//	send.on("produce", ({ kind, rtpParameters }, done, failed) =>
//		ask("produce", { kind, rtpParameters }).then(done, failed))
//	await send.produce({ track: (await navigator.mediaDevices.getUserMedia({ audio: true })).getTracks()[0] })
//
//	new EventSource("news?session=" + me.session).onmessage = async ({ data: producerId }) => {
//		const consumer = await recv.consume(await ask("consume", { producerId, rtpCapabilities: device.rtpCapabilities }))
//		play(consumer.track)
//	}
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"sync"

	"github.com/takoserver/takos-call/client"
)

func main() {
	server := flag.String("server", "http://localhost:3000", "where takos-call is")
	key := flag.String("key", os.Getenv("API_KEY"), "its API key")
	listen := flag.String("listen", "localhost:8080", "where browsers find this backend")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	calls, err := client.Dial(ctx, *server, client.Options{APIKey: *key})
	if err != nil {
		log.Fatal(err)
	}
	defer calls.Close()
	b := newBackend(calls)
	var watching sync.WaitGroup
	watching.Go(func() { b.watch(ctx) })
	defer watching.Wait()
	web := &http.Server{Addr: *listen, Handler: b.handler()}
	context.AfterFunc(ctx, func() { web.Close() })
	log.Printf("listening at http://%s", *listen)
	log.Print(web.ListenAndServe())
	stop()
}
