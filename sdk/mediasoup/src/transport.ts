import { checkAppData, type AppData } from "./appData";
import { clone } from "./clone";
import { ConsumerImpl, type ConsumerInfo, type ConsumerOptions } from "./consumer";
import { DataConsumerImpl, type DataConsumerInfo, type DataConsumerOptions } from "./dataConsumer";
import { subchannelsOf } from "./dataMessage";
import { DataProducerImpl, type DataProducerInfo, type DataProducerOptions } from "./dataProducer";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import { validateAndNormalizeRtpCapabilities, validateAndNormalizeRtpParameters, validateAndNormalizeSctpStreamParameters } from "./ortc";
import { ProducerImpl, type ProducerInfo, type ProducerOptions } from "./producer";
import type { Registry } from "./registry";
import { RemoteObject, traceTypes, type Handlers, type Making } from "./remoteObject";
import type { SctpNegotiatedCapabilities, SctpParameters } from "./sctpParameters";

export type TransportType = "webrtc" | "plain" | "pipe" | "direct";

export type SctpState = "new" | "connecting" | "connected" | "failed" | "closed";

export type RtpListenerDump = {
  ssrcTable: { key: number; value: string }[];
  midTable: { key: number; value: string }[];
  ridTable: { key: number; value: string }[];
};

export type SctpListenerDump = {
  streamIdTable: { key: number; value: string }[];
};

/** Ids of header extensions. */
export type RecvRtpHeaderExtensions = {
  mid?: number;
  rid?: number;
  rrid?: number;
  absSendTime?: number;
  transportWideCc01?: number;
};

export type BaseTransportDump = {
  id: string;
  producerIds: string[];
  consumerIds: string[];
  mapSsrcConsumerId: { key: number; value: string }[];
  mapRtxSsrcConsumerId: { key: number; value: string }[];
  recvRtpHeaderExtensions: RecvRtpHeaderExtensions;
  rtpListener: RtpListenerDump;
  maxSendMessageSize: number;
  maxReceiveMessageSize: number;
  dataProducerIds: string[];
  dataConsumerIds: string[];
  sctpParameters?: SctpParameters;
  sctpState?: SctpState;
  sctpNegotiatedCapabilities?: SctpNegotiatedCapabilities;
  sctpListener?: SctpListenerDump;
  traceEventTypes?: string[];
};

/** Counted in bytes, and in bit/s. */
export type BaseTransportStats = {
  transportId: string;
  /** In ms. */
  timestamp: number;
  sctpState?: SctpState;
  bytesReceived: number;
  recvBitrate: number;
  bytesSent: number;
  sendBitrate: number;
  rtpBytesReceived: number;
  rtpRecvBitrate: number;
  rtpBytesSent: number;
  rtpSendBitrate: number;
  rtxBytesReceived: number;
  rtxRecvBitrate: number;
  rtxBytesSent: number;
  rtxSendBitrate: number;
  probationBytesSent: number;
  probationSendBitrate: number;
  availableOutgoingBitrate?: number;
  availableIncomingBitrate?: number;
  maxIncomingBitrate?: number;
  maxOutgoingBitrate?: number;
  minOutgoingBitrate?: number;
  rtpPacketLossReceived?: number;
  rtpPacketLossSent?: number;
};

const TRACE_TYPES = ["probation", "bwe"] as const;

export type TransportTraceEventType = (typeof TRACE_TYPES)[number];

export type TransportTraceEventData = {
  type: TransportTraceEventType;
  /** In ms. */
  timestamp: number;
  direction: "in" | "out";
  info: unknown;
};

export type TransportEvents = {
  routerclose: [];
  listenserverclose: [];
  trace: [TransportTraceEventData];
};

export type TransportObserver = EnhancedEventEmitter<TransportObserverEvents>;

export type TransportObserverEvents = {
  close: [];
  newproducer: [ProducerImpl];
  newconsumer: [ConsumerImpl];
  newdataproducer: [DataProducerImpl];
  newdataconsumer: [DataConsumerImpl];
  trace: [TransportTraceEventData];
};

/** What a transport emits when the server has closed it. */
const CLOSE_EVENTS: Record<string, string> = {
  routerClosed: "routerclose",
  listenServerClosed: "listenserverclose",
};

/** What the server says of a transport with an SCTP association. */
export interface SctpInfo {
  sctpParameters?: SctpParameters | null;
  sctpState?: SctpState | null;
  sctpNegotiatedCapabilities?: SctpNegotiatedCapabilities | null;
}

/** What the server says of any transport. */
export interface TransportInfo extends SctpInfo {
  id: string;
  type: TransportType;
}

/** What every transport is made from. */
export interface TransportMaking<A extends AppData, I extends TransportInfo> extends Making<A> {
  info: I;
  /** All that is in the router. */
  registry: Registry;
}

/** A way of media into a router and out of it. */
export abstract class TransportImpl<
  TransportAppData extends AppData = AppData,
  Events extends TransportEvents = TransportEvents,
  Observer extends TransportObserver = TransportObserver,
  Info extends TransportInfo = TransportInfo,
> extends RemoteObject<TransportAppData, Events, Observer> {
  /** @internal All that is in the router. */
  protected readonly registry: Registry;
  readonly #contents = new Set<ProducerImpl | ConsumerImpl | DataProducerImpl | DataConsumerImpl>();
  /** @internal */
  protected readonly info: Info;

  protected constructor(making: TransportMaking<TransportAppData, Info>) {
    super("transport", making);
    this.registry = making.registry;
    this.info = making.info;
  }

  abstract get type(): TransportType;

  /** @internal */
  routerClosed(): void {
    this.end("routerclose");
  }

  /** @internal */
  listenServerClosed(): void {
    this.end("listenserverclose");
  }

  /** @internal */
  protected override endContents(): void {
    if (this.info.sctpState) this.info.sctpState = "closed";
    for (const object of this.#contents) object.transportClosed();
  }

  abstract dump(): Promise<BaseTransportDump>;

  abstract getStats(): Promise<BaseTransportStats[]>;

  abstract connect(params: unknown): Promise<void>;

  async setMaxIncomingBitrate(bitrate: number): Promise<void> {
    await this.request("setMaxIncomingBitrate", { bitrate });
  }

  async setMaxOutgoingBitrate(bitrate: number): Promise<void> {
    await this.request("setMaxOutgoingBitrate", { bitrate });
  }

  async setMinOutgoingBitrate(bitrate: number): Promise<void> {
    await this.request("setMinOutgoingBitrate", { bitrate });
  }

  async produce<ProducerAppData extends AppData = AppData>({
    appData,
    ...options
  }: ProducerOptions<ProducerAppData>): Promise<ProducerImpl<ProducerAppData>> {
    checkAppData(appData);
    const { kind, rtpParameters } = options;
    if (kind !== "audio" && kind !== "video") throw new TypeError("kind must be audio or video");
    validateAndNormalizeRtpParameters(clone(rtpParameters));
    const info = await this.registry.making(() => this.request<ProducerInfo>("produce", options));
    return this.adoptProducer(info, appData);
  }

  async consume<ConsumerAppData extends AppData = AppData>({
    appData,
    ...options
  }: ConsumerOptions<ConsumerAppData>): Promise<ConsumerImpl<ConsumerAppData>> {
    checkAppData(appData);
    const { producerId, rtpCapabilities, mid } = options;
    if (typeof producerId !== "string" || !producerId) throw new TypeError("producerId is missing");
    if (mid && typeof mid !== "string") throw new TypeError("mid must be a string");
    validateAndNormalizeRtpCapabilities(clone(rtpCapabilities));
    const info = await this.registry.making(() => this.request<ConsumerInfo>("consume", options));
    return this.adoptConsumer(info, appData);
  }

  async produceData<DataProducerAppData extends AppData = AppData>({
    appData,
    sctpStreamParameters,
    ...options
  }: DataProducerOptions<DataProducerAppData> = {}): Promise<DataProducerImpl<DataProducerAppData>> {
    checkAppData(appData);
    const stream = this.type === "direct" ? undefined : clone(sctpStreamParameters);
    if (this.type !== "direct") validateAndNormalizeSctpStreamParameters(stream!);
    const info = await this.registry.making(() =>
      this.request<DataProducerInfo>("produceData", { ...options, sctpStreamParameters: stream }),
    );
    return this.adoptDataProducer(info, appData);
  }

  async consumeData<DataConsumerAppData extends AppData = AppData>({
    appData,
    subchannels,
    ...options
  }: DataConsumerOptions<DataConsumerAppData>): Promise<DataConsumerImpl<DataConsumerAppData>> {
    checkAppData(appData);
    const { dataProducerId, paused, ...sctp } = options;
    if (typeof dataProducerId !== "string" || !dataProducerId) throw new TypeError("dataProducerId is missing");
    const data = { dataProducerId, paused, subchannels: subchannelsOf(subchannels), ...(this.type === "direct" ? {} : sctp) };
    const info = await this.registry.making(() => this.request<DataConsumerInfo>("consumeData", data));
    return this.adoptDataConsumer(info, appData);
  }

  async enableTraceEvent(types: TransportTraceEventType[] = []): Promise<void> {
    await this.request("enableTraceEvent", { types: traceTypes(types, TRACE_TYPES) });
  }

  /** @internal The producer that the server tells of, made now if it is new. */
  adoptProducer<A extends AppData>(info: ProducerInfo, appData?: A): ProducerImpl<A> {
    return this.#adopt(`producer:${info.id}`, "newproducer", () => new ProducerImpl(this.#making(info.id, appData), info));
  }

  /** @internal Likewise. */
  adoptConsumer<A extends AppData>(info: ConsumerInfo, appData?: A): ConsumerImpl<A> {
    return this.#adopt(`consumer:${info.id}`, "newconsumer", () => new ConsumerImpl(this.#making(info.id, appData), info));
  }

  /** @internal Likewise. */
  adoptDataProducer<A extends AppData>(info: DataProducerInfo, appData?: A): DataProducerImpl<A> {
    return this.#adopt(`dataProducer:${info.id}`, "newdataproducer", () => new DataProducerImpl(this.#making(info.id, appData), info));
  }

  /** @internal Likewise. */
  adoptDataConsumer<A extends AppData>(info: DataConsumerInfo, appData?: A): DataConsumerImpl<A> {
    return this.#adopt(`dataConsumer:${info.id}`, "newdataconsumer", () => new DataConsumerImpl(this.#making(info.id, appData), info));
  }

  #making<A extends AppData>(id: string, appData: A | undefined): Making<A> {
    const { routerId = "" } = this.address;
    return { channel: this.channel, address: { routerId }, id, appData };
  }

  #adopt<T extends ProducerImpl | ConsumerImpl | DataProducerImpl | DataConsumerImpl>(key: string, news: string, make: () => unknown): T {
    const known = this.registry.get(key);
    if (known) return known as T;
    const object = make() as T;
    this.#contents.add(object);
    this.registry.add(object, () => this.#contents.delete(object));
    this.observe(news, object);
    // The transport may have been closed before the answer came.
    if (this.closed) object.transportClosed();
    return object;
  }

  /** @internal Takes over what may have changed while the connection was away. */
  override refresh({ sctpState, sctpNegotiatedCapabilities }: Info): void {
    this.#setSctpState(sctpState, sctpNegotiatedCapabilities);
  }

  #setSctpState(state: SctpState | null | undefined, capabilities: SctpNegotiatedCapabilities | null | undefined): void {
    if (capabilities) this.info.sctpNegotiatedCapabilities = capabilities;
    if (!state || state === this.info.sctpState) return;
    this.info.sctpState = state;
    this.proclaim("sctpstatechange", state);
  }

  /** @internal */
  protected readonly baseHandlers: Handlers = {
    closed: ({ reason }) => this.end(CLOSE_EVENTS[reason as string]),
    sctpstatechange: ({ sctpState, sctpNegotiatedCapabilities }) =>
      this.#setSctpState(sctpState as SctpState, sctpNegotiatedCapabilities as SctpNegotiatedCapabilities | undefined),
    trace: ({ trace }) => this.proclaim("trace", trace),
  };
}
