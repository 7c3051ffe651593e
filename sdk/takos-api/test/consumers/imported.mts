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

export async function sendByHandles(client: TakosCallClient, device: types.Device): Promise<void> {
  const worker = await client.createWorker();
  const router = await worker.createRouter({ mediaCodecs: [{ kind: "audio", mimeType: "audio/opus", clockRate: 48000, channels: 2 }] });
  await device.load({ routerRtpCapabilities: router.info.rtpCapabilities });
  const there = await router.createWebRtcTransport({ enableSctp: true });
  const transport = device.createSendTransport(there.info);
  transport.on("connect", ({ dtlsParameters }, done, failed) => {
    there.connect({ dtlsParameters }).then(() => done(), failed);
  });
  transport.on("produce", ({ kind, rtpParameters }, done, failed) => {
    there.produce({ kind, rtpParameters }).then(({ id }) => done({ id }), failed);
  });
  transport.on("producedata", ({ sctpStreamParameters, label = "", protocol = "" }, done, failed) => {
    const streamId = sctpStreamParameters.streamId ?? 0;
    there.produceData({ sctpStreamParameters: { ...sctpStreamParameters, streamId }, label, protocol }).then(({ id }) => done({ id }), failed);
  });
  await transport.restartIce({ iceParameters: await there.restartIce() });
  client.on("transport.icestatechange", ({ transportId, iceState }) => console.log(transportId, iceState === "connected"));
}

export async function receiveByHandles(client: TakosCallClient, device: types.Device, transport: types.Transport): Promise<void> {
  const there = client.router("router").transport(transport.id);
  const consumer = await there.consume({ producerId: "producer", rtpCapabilities: device.recvRtpCapabilities, paused: true });
  await transport.consume(consumer.info);
  await consumer.resume();
}
