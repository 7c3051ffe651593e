import type { AppData } from "./appData";
import { clone } from "./clone";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import { RemoteObject, traceTypes, type Handlers, type Making } from "./remoteObject";
import type { MediaKind, RtpParameters } from "./rtpParameters";
import type { RtpStreamRecvStats } from "./rtpStreamStats";

export type ProducerOptions<ProducerAppData extends AppData = AppData> = {
  /** Chosen by the server if it is not given. */
  id?: string;
  kind: MediaKind;
  rtpParameters: RtpParameters;
  /** False by default. */
  paused?: boolean;
  /** For video: for how long, in ms, no other keyframe is asked for after one was; 0 by default. */
  keyFrameRequestDelay?: number;
  /** Adds urn:mediasoup:params:rtp-hdrext:packet-id to the packets. */
  enableMediasoupPacketIdHeaderExtension?: boolean;
  appData?: ProducerAppData;
};

export type ProducerType = "simple" | "simulcast" | "svc";

/** How well one encoding arrives, 0 to 10. */
export type ProducerScore = {
  encodingIdx: number;
  ssrc: number;
  rid?: string;
  score: number;
};

export type ProducerVideoOrientation = {
  camera: boolean;
  flip: boolean;
  /** 0, 90, 180 or 270 degrees. */
  rotation: number;
};

export type ProducerDump = {
  id: string;
  kind: string;
  type: ProducerType;
  rtpParameters: RtpParameters;
  rtpMapping: unknown;
  rtpStreams: unknown;
  traceEventTypes: string[];
  paused: boolean;
};

export type ProducerStat = RtpStreamRecvStats;

const TRACE_TYPES = ["rtp", "keyframe", "nack", "pli", "fir", "sr"] as const;

export type ProducerTraceEventType = (typeof TRACE_TYPES)[number];

export type ProducerTraceEventData = {
  type: ProducerTraceEventType;
  /** In ms. */
  timestamp: number;
  direction: "in" | "out";
  info: Record<string, unknown>;
};

export type ProducerEvents = {
  transportclose: [];
  score: [ProducerScore[]];
  videoorientationchange: [ProducerVideoOrientation];
  trace: [ProducerTraceEventData];
};

export type ProducerObserver = EnhancedEventEmitter<ProducerObserverEvents>;

export type ProducerObserverEvents = {
  close: [];
  pause: [];
  resume: [];
  score: [ProducerScore[]];
  videoorientationchange: [ProducerVideoOrientation];
  trace: [ProducerTraceEventData];
};

/** What the server says of a producer. */
export interface ProducerInfo {
  id: string;
  kind: MediaKind;
  type: ProducerType;
  rtpParameters: RtpParameters;
  consumableRtpParameters: RtpParameters;
  paused: boolean;
  score?: ProducerScore[];
}

/** Media that come into a router. */
export class ProducerImpl<ProducerAppData extends AppData = AppData> extends RemoteObject<ProducerAppData, ProducerEvents, ProducerObserver> {
  readonly #info: ProducerInfo;

  /** @internal */
  constructor(making: Making<ProducerAppData>, info: ProducerInfo) {
    super("producer", making);
    this.#info = { ...info, score: info.score ?? [] };
  }

  get kind(): MediaKind {
    return this.#info.kind;
  }

  get rtpParameters(): RtpParameters {
    return clone(this.#info.rtpParameters);
  }

  get type(): ProducerType {
    return this.#info.type;
  }

  /** The streams in the router's numbers, from which those of consumers are made. */
  get consumableRtpParameters(): RtpParameters {
    return clone(this.#info.consumableRtpParameters);
  }

  get paused(): boolean {
    return this.#info.paused;
  }

  get score(): ProducerScore[] {
    return clone(this.#info.score!);
  }

  /** @internal */
  transportClosed(): void {
    this.end("transportclose");
  }

  dump(): Promise<ProducerDump> {
    return this.request("dump");
  }

  getStats(): Promise<ProducerStat[]> {
    return this.figures();
  }

  async pause(): Promise<void> {
    await this.request("pause");
    this.#setPaused(true);
  }

  async resume(): Promise<void> {
    await this.request("resume");
    this.#setPaused(false);
  }

  async enableTraceEvent(types: ProducerTraceEventType[] = []): Promise<void> {
    await this.request("enableTraceEvent", { types: traceTypes(types, TRACE_TYPES) });
  }

  /** Sends an RTP packet; for producers of a DirectTransport. */
  send(rtpPacket: Buffer): void {
    if (!Buffer.isBuffer(rtpPacket)) throw new TypeError("rtpPacket must be a Buffer");
    this.pass("send", { rtpPacket: rtpPacket.toString("base64") });
  }

  /** @internal Takes over what may have changed while the connection was away. */
  override refresh({ paused, score = [] }: ProducerInfo): void {
    this.#info.score = score;
    this.#setPaused(paused);
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#info.paused) return;
    this.#info.paused = paused;
    this.observe(paused ? "pause" : "resume");
  }

  /** @internal */
  protected override readonly handlers: Handlers = {
    closed: ({ reason }) => this.end(reason === "transportClosed" || reason === "routerClosed" ? "transportclose" : undefined),
    paused: () => this.#setPaused(true),
    resumed: () => this.#setPaused(false),
    score: ({ score }) => {
      this.#info.score = score as ProducerScore[];
      this.proclaim("score", this.score);
    },
    videoorientationchange: ({ videoOrientation }) => this.proclaim("videoorientationchange", videoOrientation),
    trace: ({ trace }) => this.proclaim("trace", trace),
  };
}
