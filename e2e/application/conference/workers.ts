import * as mediasoup from "mediasoup";
import type { types } from "mediasoup";
import { listenInfos, numberOfWorkers } from "./settings";

export type Worker = types.Worker<{ webRtcServer?: types.WebRtcServer }>;

/** Makes the workers, each with a WebRtcServer for all its transports. A worker that dies ends the application. */
export async function makeWorkers(): Promise<Worker[]> {
  return Promise.all(Array.from({ length: numberOfWorkers }, makeWorker));
}

async function makeWorker(): Promise<Worker> {
  const worker: Worker = await mediasoup.createWorker({ logLevel: "warn", logTags: ["ice", "dtls", "rtp", "sctp"], appData: {} });
  worker.on("died", (error) => {
    console.error("a worker died:", error.message);
    process.exit(1);
  });
  worker.appData.webRtcServer = await worker.createWebRtcServer({ listenInfos });
  return worker;
}
