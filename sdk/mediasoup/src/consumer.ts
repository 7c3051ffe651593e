import type { AppData } from "./appData";
import { clone } from "./clone";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import type { ProducerStat } from "./producer";
import { RemoteObject, traceTypes, type Handlers, type Making } from "./remoteObject";
import type { MediaKind, RtpCapabilities, RtpEncodingParameters, RtpParameters } from "./rtpParameters";
import type { RtpStreamSendStats } from "./rtpStreamStats";

export type ConsumerOptions<ConsumerAppData extends AppData = AppData> = {
  producerId: string;
  /** What the receiver can receive. */
  rtpCapabilities: RtpCapabilities;
  /** False by default. For video, start paused and resume when the receiver is ready: its first picture needs a keyframe. */
  paused?: boolean;
  /** Numbers that count up by default. */
  mid?: string;
  /** Of simulcast and SVC; the highest by default. */
  preferredLayers?: ConsumerLayers;
  /** Whether lost packets are sent again; by default for video only. */
  enableRtx?: boolean;
  /** Whether packets of Opus that carry no sound are left out. */
  ignoreDtx?: boolean;
  /** Whether all streams of the producer are forwarded as they are. */
  pipe?: boolean;
  appData?: ConsumerAppData;
};

export type ConsumerType = "simple" | "simulcast" | "svc" | "pipe";

/** How well a consumer is served, each 0 to 10. */
export type ConsumerScore = {
  score: number;
  /** Of the producer's stream that is forwarded. */
  producerScore: number;
  /** Of all its streams. */
  producerScores: number[];
};

export type ConsumerLayers = {
  spatialLayer: number;
  temporalLayer?: number;
};

export type ConsumerDump = SimpleConsumerDump | SimulcastConsumerDump | SvcConsumerDump | PipeConsumerDump;

export type SimpleConsumerDump = BaseConsumerDump & {
  type: string;
  rtpStream: RtpStreamDump;
};

export type SimulcastConsumerDump = SimpleConsumerDump & {
  preferredSpatialLayer: number;
  targetSpatialLayer: number;
  currentSpatialLayer: number;
  preferredTemporalLayer: number;
  targetTemporalLayer: number;
  currentTemporalLayer: number;
};

export type SvcConsumerDump = SimulcastConsumerDump;

export type PipeConsumerDump = BaseConsumerDump & {
  type: string;
  rtpStreams: RtpStreamDump[];
};

export type BaseConsumerDump = {
  id: string;
  producerId: string;
  kind: MediaKind;
  rtpParameters: RtpParameters;
  consumableRtpEncodings?: RtpEncodingParameters[];
  supportedCodecPayloadTypes: number[];
  traceEventTypes: string[];
  paused: boolean;
  producerPaused: boolean;
  priority: number;
};

export type RtpStreamDump = {
  params: RtpStreamParametersDump;
  score: number;
  rtxStream?: RtxStreamDump;
};

export type RtpStreamParametersDump = {
  encodingIdx: number;
  ssrc: number;
  payloadType: number;
  mimeType: string;
  clockRate: number;
  rid?: string;
  cname: string;
  rtxSsrc?: number;
  rtxPayloadType?: number;
  useNack: boolean;
  usePli: boolean;
  useFir: boolean;
  useInBandFec: boolean;
  useDtx: boolean;
  spatialLayers: number;
  temporalLayers: number;
};

export type RtxStreamDump = {
  params: RtxStreamParameters;
};

export type RtxStreamParameters = {
  ssrc: number;
  payloadType: number;
  mimeType: string;
  clockRate: number;
  rrid?: string;
  cname: string;
};

export type ConsumerStat = RtpStreamSendStats;

const TRACE_TYPES = ["rtp", "keyframe", "nack", "pli", "fir"] as const;

export type ConsumerTraceEventType = (typeof TRACE_TYPES)[number];

export type ConsumerTraceEventData = {
  type: ConsumerTraceEventType;
  /** In ms. */
  timestamp: number;
  direction: "in" | "out";
  info: Record<string, unknown>;
};

export type ConsumerEvents = {
  transportclose: [];
  producerclose: [];
  producerpause: [];
  producerresume: [];
  score: [ConsumerScore];
  layerschange: [ConsumerLayers?];
  trace: [ConsumerTraceEventData];
  rtp: [Buffer];
};

export type ConsumerObserver = EnhancedEventEmitter<ConsumerObserverEvents>;

export type ConsumerObserverEvents = {
  close: [];
  pause: [];
  resume: [];
  score: [ConsumerScore];
  layerschange: [ConsumerLayers?];
  trace: [ConsumerTraceEventData];
};

/** What a consumer emits when the server has closed it. */
const CLOSE_EVENTS: Record<string, string> = {
  producerClosed: "producerclose",
  transportClosed: "transportclose",
  routerClosed: "transportclose",
};

/** What the server says of a consumer. */
export interface ConsumerInfo {
  id: string;
  producerId: string;
  kind: MediaKind;
  type: ConsumerType;
  rtpParameters: RtpParameters;
  paused: boolean;
  producerPaused: boolean;
  priority: number;
  score: ConsumerScore;
  preferredLayers?: ConsumerLayers | null;
  currentLayers?: ConsumerLayers | null;
}

/** Media that go out of a router. */
export class ConsumerImpl<ConsumerAppData extends AppData = AppData> extends RemoteObject<ConsumerAppData, ConsumerEvents, ConsumerObserver> {
  readonly #info: ConsumerInfo;

  /** @internal */
  constructor(making: Making<ConsumerAppData>, info: ConsumerInfo) {
    super("consumer", making);
    this.#info = { ...info };
  }

  get producerId(): string {
    return this.#info.producerId;
  }

  get kind(): MediaKind {
    return this.#info.kind;
  }

  get rtpParameters(): RtpParameters {
    return clone(this.#info.rtpParameters);
  }

  get type(): ConsumerType {
    return this.#info.type;
  }

  get paused(): boolean {
    return this.#info.paused;
  }

  get producerPaused(): boolean {
    return this.#info.producerPaused;
  }

  get priority(): number {
    return this.#info.priority;
  }

  get score(): ConsumerScore {
    return clone(this.#info.score);
  }

  get preferredLayers(): ConsumerLayers | undefined {
    return clone(this.#info.preferredLayers ?? undefined);
  }

  get currentLayers(): ConsumerLayers | undefined {
    return clone(this.#info.currentLayers ?? undefined);
  }

  /** @internal */
  transportClosed(): void {
    this.end("transportclose");
  }

  dump(): Promise<ConsumerDump> {
    return this.request("dump");
  }

  getStats(): Promise<(ConsumerStat | ProducerStat)[]> {
    return this.figures();
  }

  async pause(): Promise<void> {
    await this.request("pause");
    this.#setPaused({ paused: true });
  }

  async resume(): Promise<void> {
    await this.request("resume");
    this.#setPaused({ paused: false });
  }

  async setPreferredLayers({ spatialLayer, temporalLayer }: ConsumerLayers): Promise<void> {
    if (typeof spatialLayer !== "number") throw new TypeError("spatialLayer must be a number");
    if (temporalLayer !== undefined && typeof temporalLayer !== "number") throw new TypeError("temporalLayer must be a number");
    const answer = await this.request<{ preferredLayers: ConsumerLayers | null }>("setPreferredLayers", { spatialLayer, temporalLayer });
    this.#info.preferredLayers = answer.preferredLayers;
  }

  async setPriority(priority: number): Promise<void> {
    if (typeof priority !== "number" || priority < 1) throw new TypeError("priority must be a number of 1 or more");
    await this.request("setPriority", { priority });
    this.#info.priority = priority;
  }

  async unsetPriority(): Promise<void> {
    await this.request("unsetPriority");
    this.#info.priority = 1;
  }

  async requestKeyFrame(): Promise<void> {
    await this.request("requestKeyFrame");
  }

  async enableTraceEvent(types: ConsumerTraceEventType[] = []): Promise<void> {
    await this.request("enableTraceEvent", { types: traceTypes(types, TRACE_TYPES) });
  }

  /** @internal Takes over what may have changed while the connection was away. */
  override refresh({ paused, producerPaused, priority, score, preferredLayers, currentLayers }: ConsumerInfo): void {
    Object.assign(this.#info, { priority, score, preferredLayers, currentLayers });
    this.#setPaused({ paused, producerPaused });
  }

  /** To observers a consumer is paused when it or its producer is. */
  #setPaused({ paused = this.#info.paused, producerPaused = this.#info.producerPaused }): void {
    const before = this.#info.paused || this.#info.producerPaused;
    const told = producerPaused !== this.#info.producerPaused;
    Object.assign(this.#info, { paused, producerPaused });
    if (told) this.announce(producerPaused ? "producerpause" : "producerresume");
    const after = paused || producerPaused;
    if (after !== before) this.observe(after ? "pause" : "resume");
  }

  /** @internal */
  protected override readonly handlers: Handlers = {
    closed: ({ reason }) => this.end(CLOSE_EVENTS[reason as string]),
    paused: () => this.#setPaused({ paused: true }),
    resumed: () => this.#setPaused({ paused: false }),
    producerpause: () => this.#setPaused({ producerPaused: true }),
    producerresume: () => this.#setPaused({ producerPaused: false }),
    score: ({ score }) => {
      this.#info.score = score as ConsumerScore;
      this.proclaim("score", this.score);
    },
    layerschange: ({ layers }) => {
      this.#info.currentLayers = layers as ConsumerLayers | null;
      this.proclaim("layerschange", this.currentLayers);
    },
    trace: ({ trace }) => this.proclaim("trace", trace),
    rtp: ({ packet }) => this.announce("rtp", Buffer.from(packet as string, "base64")),
  };
}
