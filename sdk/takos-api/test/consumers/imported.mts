// An application's code, as strict as may be: it is compiled by a test, never run.
import { TakosCallClient, TakosCallError } from "@takos/call-api";
import type { types } from "mediasoup-client";

export async function send(client: TakosCallClient, device: types.Device, track: MediaStreamTrack): Promise<void> {
  await device.load({ routerRtpCapabilities: await client.getRouterRtpCapabilities("room") });
  const info = await client.createTransport("room", "peer", "send");
  const transport = device.createSendTransport(info);
  transport.on("connect", ({ dtlsParameters }, done, failed) => {
    client.connectTransport("room", "peer", info.id, dtlsParameters).then(done, failed);
  });
  transport.on("produce", ({ kind, rtpParameters }, done, failed) => {
    client.createProducer("room", "peer", info.id, kind, rtpParameters).then(({ id }) => done({ id }), failed);
  });
  await transport.produce({ track });
  await transport.restartIce({ iceParameters: await client.restartIce("room", "peer", info.id) });
}

export async function receive(client: TakosCallClient, device: types.Device, transport: types.Transport): Promise<void> {
  client.on("producerCreated", ({ producerId, kind }) => console.log(producerId, kind));
  try {
    const consumer = await client.createConsumer("room", "peer", transport.id, "producer", device.recvRtpCapabilities);
    await transport.consume(consumer);
  } catch (error) {
    if (!(error instanceof TakosCallError) || error.code !== "CONSUMER_ERROR") throw error;
  }
}
