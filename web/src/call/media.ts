/**
 * The media of one stay in a room: a device, its two transports and what runs on them.
 * A stay ends with close(); whoever comes back without the old transports makes another.
 */
import type { types } from "mediasoup-client";
import { cameraEncodings, screenEncodings, sizeOf, type Size } from "./layers";
import { Line } from "./line";
import type { Consumed, InitData, Kind, Produced, ServerMessage, Side, Source, TransportInfo } from "./protocol";
import { SignalingError, type Signaling } from "./signaling";

export interface Publishing {
  source: Source;
  track: MediaStreamTrack;
  paused: boolean;
}

/** The part of a source that follows from what it shows. */
const CODEC_OPTIONS: Record<string, types.ProducerCodecOptions> = {
  mic: { opusFec: true, opusDtx: false, opusStereo: false },
  camera: { videoGoogleStartBitrate: 1000 },
  screen: { videoGoogleStartBitrate: 1200 },
  "screen-audio": { opusFec: true, opusStereo: true },
};

export class Media {
  readonly send: Line;
  readonly recv: Line;
  readonly #device: types.Device;
  readonly #signaling: Signaling;
  readonly #sendTransport: types.Transport;
  readonly #recvTransport: types.Transport;
  readonly #consuming = new Map<string, Promise<types.Consumer>>();

  static async open(device: types.Device, init: InitData, signaling: Signaling): Promise<Media> {
    await device.load({ routerRtpCapabilities: init.routerRtpCapabilities });
    return new Media(device, init, signaling);
  }

  private constructor(device: types.Device, init: InitData, signaling: Signaling) {
    this.#device = device;
    this.#signaling = signaling;
    this.#sendTransport = device.createSendTransport(options(init.transport.send, init.iceServers));
    this.#recvTransport = device.createRecvTransport(options(init.transport.recv, init.iceServers));
    for (const transport of [this.#sendTransport, this.#recvTransport]) this.#connectThrough(transport);
    this.#produceThrough(this.#sendTransport);
    this.send = new Line(this.#sendTransport, () => this.#iceRestart("send"));
    this.recv = new Line(this.#recvTransport, () => this.#iceRestart("recv"));
  }

  canProduce(kind: Kind): boolean {
    return this.#device.canProduce(kind);
  }

  /** Sends a track. Its caller keeps it: it is never stopped here. */
  async produce({ source, track, paused }: Publishing): Promise<types.Producer> {
    const size = source === "camera" ? sizeOf(track) : undefined;
    const encodings = size ? cameraEncodings(size, this.#videoCodec()) : source === "screen" ? screenEncodings() : undefined;
    const codecOptions = CODEC_OPTIONS[source];
    const producer = await this.#sendTransport.produce({
      ...(encodings ? { encodings } : {}),
      ...(codecOptions ? { codecOptions } : {}),
      track,
      stopTracks: false,
      appData: { source, paused, size },
    });
    if (paused) producer.pause();
    return producer;
  }

  /**
   * Receives a producer. The server answers a repeated question with the same consumer,
   * and so does this. spatialLayer is the highest that is wanted, null for all.
   */
  consume(producerId: string, streamId: string, spatialLayer: number | null): Promise<types.Consumer> {
    const running = this.#consuming.get(producerId);
    if (running) return running;
    const consumer = this.#consume(producerId, streamId, spatialLayer);
    this.#consuming.set(producerId, consumer);
    consumer.catch(() => this.#consuming.delete(producerId));
    return consumer;
  }

  forget(producerId: string): void {
    this.#consuming.delete(producerId);
  }

  /** The statistics of both transports' connections. */
  stats(): Promise<[RTCStatsReport, RTCStatsReport]> {
    return Promise.all([this.#sendTransport.getStats(), this.#recvTransport.getStats()]);
  }

  close(): void {
    this.send.close();
    this.recv.close();
    this.#consuming.clear();
  }

  /** What pictures are sent with: the first codec of the room that this browser has. */
  #videoCodec(): string {
    return this.#device.sendRtpCapabilities.codecs?.find((codec) => codec.kind === "video")?.mimeType ?? "";
  }

  async #consume(producerId: string, streamId: string, spatialLayer: number | null): Promise<types.Consumer> {
    const requestId = this.#signaling.requestId();
    const preferred = spatialLayer === null ? {} : { preferredLayers: { spatialLayer } };
    const answer = await this.#signaling.ask(
      { type: "consume", producerId, rtpCapabilities: this.#device.recvRtpCapabilities, ...preferred, requestId },
      (message) => isAnswer(message, requestId) && message.type !== "pong",
    );
    if (answer.type !== "consumed") throw refused("consume", answer);
    const { consumerId, kind, rtpParameters, peerId, source } = answer as Consumed;
    return this.#recvTransport.consume({
      id: consumerId,
      producerId,
      kind,
      rtpParameters,
      streamId,
      appData: { peerId, source },
    });
  }

  #connectThrough(transport: types.Transport): void {
    const transportType = transport.direction;
    transport.on("connect", ({ dtlsParameters }, done, failed) => {
      const requestId = this.#signaling.requestId();
      this.#signaling
        .ask(
          { type: "connect", transportType, dtlsParameters, requestId },
          (message) =>
            (message.type === "connected" && message.transportType === transportType) ||
            (message.type === "error" && isAnswer(message, requestId)),
        )
        .then((answer) => (answer.type === "connected" ? done() : failed(refused("connect", answer))), failed);
    });
  }

  #produceThrough(transport: types.Transport): void {
    transport.on("produce", ({ kind, rtpParameters, appData }, done, failed) => {
      const requestId = this.#signaling.requestId();
      const { source, paused, size } = appData as { source: Source; paused: boolean; size?: Size };
      this.#signaling
        .ask({ type: "produce", kind, rtpParameters, source, paused, appData: size, requestId }, (message) => isAnswer(message, requestId))
        .then((answer) => {
          if (answer.type === "produced") done({ id: (answer as Produced).producerId });
          else failed(refused("produce", answer));
        }, failed);
    });
  }

  async #iceRestart(transportType: Side): Promise<types.IceParameters> {
    const answer = await this.#signaling.ask(
      { type: "restartIce", transportType },
      (message) =>
        (message.type === "iceRestarted" || message.type === "error") && message.transportType === transportType,
    );
    if (answer.type !== "iceRestarted") throw refused("restartIce", answer);
    return answer.iceParameters;
  }
}

function options(info: TransportInfo, iceServers: RTCIceServer[] | undefined): types.TransportOptions {
  const { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters } = info;
  return {
    id,
    iceParameters,
    iceCandidates,
    dtlsParameters,
    ...(sctpParameters ? { sctpParameters } : {}),
    ...(iceServers?.length ? { iceServers } : {}),
  };
}

function isAnswer(message: ServerMessage, requestId: string): boolean {
  return "requestId" in message && message.requestId === requestId;
}

function refused(what: string, answer: ServerMessage): SignalingError {
  const reason = "message" in answer && answer.message ? answer.message : answer.type;
  return new SignalingError("refused", `${what}: ${reason}`);
}
