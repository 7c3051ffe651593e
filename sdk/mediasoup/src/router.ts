import { ActiveSpeakerObserverImpl, type ActiveSpeakerObserverOptions } from "./activeSpeakerObserver";
import { checkAppData, type AppData, type Either } from "./appData";
import { AudioLevelObserverImpl, type AudioLevelObserverOptions } from "./audioLevelObserver";
import { clone } from "./clone";
import type { EventData } from "./connection";
import type { ConsumerImpl, ConsumerInfo } from "./consumer";
import type { DataConsumerImpl, DataConsumerInfo } from "./dataConsumer";
import type { DataProducerImpl, DataProducerInfo } from "./dataProducer";
import { DirectTransportImpl, type DirectTransportOptions } from "./directTransport";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import { InvalidStateError, NotFoundError, UnsupportedError } from "./errors";
import { listenInfoOf, listenInfoOfIp, oneListenInfo, type TransportListenInfo, type TransportListenIp } from "./listen";
import { Logger } from "./logger";
import { canConsume, generateRouterRtpCapabilities } from "./ortc";
import { PipeTransportImpl, type PipeTransportInfo, type PipeTransportOptions } from "./pipeTransport";
import { PlainTransportImpl, type PlainTransportInfo, type PlainTransportOptions } from "./plainTransport";
import type { ProducerImpl, ProducerInfo } from "./producer";
import { Registry, type KindSnapshot } from "./registry";
import { RemoteObject, type Handlers, type Making } from "./remoteObject";
import type { RtpCapabilities, RouterRtpCodecCapability } from "./rtpParameters";
import type { RtpObserverImpl, RtpObserverInfo, RtpObserverMaking } from "./rtpObserver";
import type { SctpOptions } from "./sctpParameters";
import type { TransportImpl, TransportInfo, TransportMaking } from "./transport";
import { WebRtcTransportImpl, type WebRtcTransportInfo, type WebRtcTransportOptions } from "./webRtcTransport";

export type RouterOptions<RouterAppData extends AppData = AppData> = {
  mediaCodecs?: RouterRtpCodecCapability[];
  appData?: RouterAppData;
};

export type PipeToRouterOptions = SctpOptions & {
  producerId?: string;
  dataProducerId?: string;
  /** Of the same server, and of another worker unless keepId is false. */
  router: RouterImpl;
  /** Whether the producer has the same id there; true by default. */
  keepId?: boolean;
  /** True by default. */
  enableSctp?: boolean;
  /** False by default. */
  enableRtx?: boolean;
  /** False by default. */
  enableSrtp?: boolean;
} & Either<{ listenInfo: TransportListenInfo }, { listenIp?: TransportListenIp | string }>;

export type PipeToRouterResult = {
  /** Here. */
  pipeConsumer?: ConsumerImpl;
  /** In the other router. */
  pipeProducer?: ProducerImpl;
  /** Here. */
  pipeDataConsumer?: DataConsumerImpl;
  /** In the other router. */
  pipeDataProducer?: DataProducerImpl;
};

/** The two transports that join two routers, by the ids of these. */
export type PipeTransportPair = {
  [key: string]: PipeTransportImpl;
};

export type RouterDump = {
  id: string;
  transportIds: string[];
  rtpObserverIds: string[];
  mapProducerIdConsumerIds: { key: string; values: string[] }[];
  mapConsumerIdProducerId: { key: string; value: string }[];
  mapProducerIdObserverIds: { key: string; values: string[] }[];
  mapDataProducerIdDataConsumerIds: { key: string; values: string[] }[];
  mapDataConsumerIdDataProducerId: { key: string; value: string }[];
};

export type RouterEvents = {
  workerclose: [];
};

export type RouterObserver = EnhancedEventEmitter<RouterObserverEvents>;

export type RouterObserverEvents = {
  close: [];
  newtransport: [TransportImpl];
  newrtpobserver: [RtpObserverImpl];
};

/** What the server says of a router. */
export interface RouterInfo {
  id: string;
  rtpCapabilities: RtpCapabilities;
}

/** What the server says of a router and all that is in it. */
export interface RouterSnapshot {
  router: RouterInfo;
  transports: TransportInfo[];
  producers: ProducerInfo[];
  consumers: ConsumerInfo[];
  dataProducers: DataProducerInfo[];
  dataConsumers: DataConsumerInfo[];
  rtpObservers: RtpObserverInfo[];
}

/** What the server answers to pipeToRouter. */
interface Piped {
  /** The one here and the one there. */
  pipeTransports: [PipeTransportInfo, PipeTransportInfo];
  pipeConsumer?: ConsumerInfo | null;
  pipeProducer?: ProducerInfo | null;
  pipeDataConsumer?: DataConsumerInfo | null;
  pipeDataProducer?: DataProducerInfo | null;
}

const logger = new Logger("Router");

/** Where producers and consumers meet. */
export class RouterImpl<RouterAppData extends AppData = AppData> extends RemoteObject<RouterAppData, RouterEvents, RouterObserver> {
  readonly #registry = new Registry();
  readonly #transports = new Map<string, TransportImpl>();
  readonly #observers = new Map<string, RtpObserverImpl>();
  #rtpCapabilities: RtpCapabilities;

  /** @internal */
  constructor(making: Making<RouterAppData>, info: RouterInfo) {
    super("router", making);
    this.#rtpCapabilities = info.rtpCapabilities;
  }

  get rtpCapabilities(): RtpCapabilities {
    return clone(this.#rtpCapabilities);
  }

  /** @internal */
  workerClosed(): void {
    this.end("workerclose");
  }

  /** @internal */
  protected override endContents(): void {
    for (const transport of this.#transports.values()) transport.routerClosed();
    for (const observer of this.#observers.values()) observer.routerClosed();
  }

  dump(): Promise<RouterDump> {
    return this.request("dump");
  }

  async createWebRtcTransport<WebRtcTransportAppData extends AppData = AppData>({
    appData,
    webRtcServer,
    listenInfos,
    listenIps,
    port,
    ...options
  }: WebRtcTransportOptions<WebRtcTransportAppData>): Promise<WebRtcTransportImpl<WebRtcTransportAppData>> {
    checkAppData(appData);
    if (webRtcServer && (listenInfos || listenIps)) throw new TypeError("webRtcServer cannot be given with listenInfos or listenIps");
    const listen = webRtcServer
      ? { webRtcServerId: webRtcServer.id }
      : { listenInfos: Array.isArray(listenInfos) ? listenInfos.map(listenInfoOf) : listenInfosOfIps({ listenIps, port, ...options }) };
    const info = await this.#make<WebRtcTransportInfo>("createWebRtcTransport", { ...options, ...listen });
    return this.#adoptTransport(WebRtcTransportImpl<WebRtcTransportAppData>, info, appData, (transport) =>
      webRtcServer?.handleWebRtcTransport(transport as unknown as WebRtcTransportImpl),
    );
  }

  async createPlainTransport<PlainTransportAppData extends AppData = AppData>({
    appData,
    listenInfo,
    rtcpListenInfo,
    listenIp,
    port,
    ...options
  }: PlainTransportOptions<PlainTransportAppData>): Promise<PlainTransportImpl<PlainTransportAppData>> {
    checkAppData(appData);
    const data = {
      ...options,
      listenInfo: oneListenInfo({ listenInfo, listenIp, port }),
      ...(rtcpListenInfo ? { rtcpListenInfo: listenInfoOf(rtcpListenInfo), rtcpMux: false } : {}),
    };
    const info = await this.#make<PlainTransportInfo>("createPlainTransport", data);
    return this.#adoptTransport(PlainTransportImpl<PlainTransportAppData>, info, appData);
  }

  async createPipeTransport<PipeTransportAppData extends AppData = AppData>({
    appData,
    listenInfo,
    listenIp,
    port,
    ...options
  }: PipeTransportOptions<PipeTransportAppData>): Promise<PipeTransportImpl<PipeTransportAppData>> {
    checkAppData(appData);
    const data = { ...options, listenInfo: oneListenInfo({ listenInfo, listenIp, port }) };
    const info = await this.#make<PipeTransportInfo>("createPipeTransport", data);
    return this.#adoptTransport(PipeTransportImpl<PipeTransportAppData>, info, appData);
  }

  async createDirectTransport<DirectTransportAppData extends AppData = AppData>({
    appData,
    ...options
  }: DirectTransportOptions<DirectTransportAppData> = {}): Promise<DirectTransportImpl<DirectTransportAppData>> {
    checkAppData(appData);
    const info = await this.#make<TransportInfo>("createDirectTransport", options);
    return this.#adoptTransport(DirectTransportImpl<DirectTransportAppData>, info, appData);
  }

  /** Makes a producer known in another router of the same server. The two are joined once, whoever asks first. */
  async pipeToRouter({ router, listenInfo, listenIp, keepId = true, ...options }: PipeToRouterOptions): Promise<PipeToRouterResult> {
    const { producerId, dataProducerId } = options;
    if (!producerId === !dataProducerId) throw new TypeError("either producerId or dataProducerId must be given");
    if (!router) throw new TypeError("router is missing");
    if ((router as unknown) === this) throw new TypeError("a router cannot be piped to itself");
    if (listenInfo && listenIp) throw new TypeError("listenInfo and listenIp cannot both be given");
    const original = this.#registry.get(producerId ? `producer:${producerId}` : `dataProducer:${dataProducerId}`);
    if (!original) throw new NotFoundError(producerId ? "there is no such producer" : "there is no such data producer");
    if (router.closed) throw new NotFoundError("the router is closed");
    if (router.channel.connection !== this.channel.connection) throw new UnsupportedError("the routers are on two servers");
    if (keepId && router.channel === this.channel) throw new InvalidStateError("with keepId the routers must be of two workers");
    const listen = listenInfo || listenIp ? { listenInfo: oneListenInfo({ listenInfo, listenIp }) } : {};
    const piped = await router.#registry.making(() =>
      this.#make<Piped>("pipeToRouter", { ...options, ...listen, keepId, toRouterId: router.id }),
    );
    return this.#adoptPiped(router, piped, (original as ProducerImpl | DataProducerImpl).appData);
  }

  #adoptPiped(router: RouterImpl, piped: Piped, appData: AppData): PipeToRouterResult {
    const here = this.#adoptTransport(PipeTransportImpl, piped.pipeTransports[0], undefined);
    const there = router.#adoptTransport(PipeTransportImpl, piped.pipeTransports[1], undefined, (made) => endTogether(here, made));
    const result: PipeToRouterResult = {};
    const { pipeConsumer, pipeProducer, pipeDataConsumer, pipeDataProducer } = piped;
    if (pipeConsumer && pipeProducer) {
      result.pipeConsumer = here.adoptConsumer(pipeConsumer);
      result.pipeProducer = there.adoptProducer(pipeProducer, appData);
      endTogether(result.pipeConsumer, result.pipeProducer);
    }
    if (pipeDataConsumer && pipeDataProducer) {
      result.pipeDataConsumer = here.adoptDataConsumer(pipeDataConsumer);
      result.pipeDataProducer = there.adoptDataProducer(pipeDataProducer, appData);
      endTogether(result.pipeDataConsumer, result.pipeDataProducer);
    }
    return result;
  }

  async createActiveSpeakerObserver<ActiveSpeakerObserverAppData extends AppData = AppData>({
    appData,
    interval,
  }: ActiveSpeakerObserverOptions<ActiveSpeakerObserverAppData> = {}): Promise<ActiveSpeakerObserverImpl<ActiveSpeakerObserverAppData>> {
    checkAppData(appData);
    checkNumber("interval", interval);
    const { id } = await this.#make<RtpObserverInfo>("createActiveSpeakerObserver", { interval });
    return this.#addObserver(new ActiveSpeakerObserverImpl(this.#observerMaking(id, appData)));
  }

  async createAudioLevelObserver<AudioLevelObserverAppData extends AppData = AppData>({
    appData,
    maxEntries,
    threshold,
    interval,
  }: AudioLevelObserverOptions<AudioLevelObserverAppData> = {}): Promise<AudioLevelObserverImpl<AudioLevelObserverAppData>> {
    checkAppData(appData);
    checkNumber("maxEntries", maxEntries, 1);
    checkNumber("threshold", threshold, -127, 0);
    checkNumber("interval", interval);
    const { id } = await this.#make<RtpObserverInfo>("createAudioLevelObserver", { maxEntries, threshold, interval });
    return this.#addObserver(new AudioLevelObserverImpl(this.#observerMaking(id, appData)));
  }

  /** Whether a receiver with these capabilities understands the producer. */
  canConsume({ producerId, rtpCapabilities }: { producerId: string; rtpCapabilities: RtpCapabilities }): boolean {
    const producer = this.#registry.get(`producer:${producerId}`) as ProducerImpl | undefined;
    if (!producer) {
      logger.error(`canConsume(): there is no producer "${producerId}"`);
      return false;
    }
    try {
      return canConsume(producer.consumableRtpParameters, clone(rtpCapabilities));
    } catch (error) {
      logger.error(`canConsume(): ${String(error)}`);
      return false;
    }
  }

  /** Replaces the codecs for producers to come. */
  updateMediaCodecs(mediaCodecs: RouterRtpCodecCapability[]): void {
    this.#rtpCapabilities = generateRouterRtpCapabilities(clone(mediaCodecs));
    this.channel.tell("router.updateMediaCodecs", { ...this.address, mediaCodecs });
  }

  /** @internal Something happened to the router or to what is in it. */
  route(kind: string, name: string, data: EventData): void {
    if (kind === "router") this.handle(name, data);
    else this.#registry.handle(kind, name, data);
  }

  /** @internal Takes over what may have changed while the connection was away. */
  override refresh(now: RouterSnapshot): void {
    this.#rtpCapabilities = now.router.rtpCapabilities;
    const kinds: KindSnapshot[] = [
      ["transport", now.transports],
      ["producer", now.producers],
      ["consumer", now.consumers],
      ["dataProducer", now.dataProducers],
      ["dataConsumer", now.dataConsumers],
      ["rtpObserver", now.rtpObservers],
    ];
    this.#registry.refresh(kinds, (kind, id) => this.channel.tell(`${kind}.close`, { ...this.address, [`${kind}Id`]: id }));
  }

  #make<T>(method: string, data: object): Promise<T> {
    return this.#registry.making(() => this.request<T>(method, data));
  }

  /** The transport that the server tells of, made now if it is new. */
  #adoptTransport<A extends AppData, I extends TransportInfo, T extends { readonly key: string }>(
    Class: new (making: TransportMaking<A, I>) => T,
    info: I,
    appData: A | undefined,
    added?: (transport: T) => void,
  ): T {
    const known = this.#transports.get(info.id);
    if (known) return known as unknown as T;
    const making = { channel: this.channel, address: this.address, id: info.id, appData, info, registry: this.#registry };
    const made = new Class(making);
    const transport = made as unknown as TransportImpl;
    this.#transports.set(info.id, transport);
    this.#registry.add(transport, () => this.#transports.delete(info.id));
    this.observe("newtransport", transport);
    added?.(made);
    // The router may have been closed before the answer came.
    if (this.closed) transport.routerClosed();
    return made;
  }

  #observerMaking<A extends AppData>(id: string, appData: A | undefined): RtpObserverMaking<A> {
    return { channel: this.channel, address: this.address, id, appData, registry: this.#registry };
  }

  #addObserver<T extends { readonly id: string }>(made: T): T {
    const observer = made as unknown as RtpObserverImpl;
    this.#observers.set(observer.id, observer);
    this.#registry.add(observer, () => this.#observers.delete(observer.id));
    this.observe("newrtpobserver", observer);
    if (this.closed) observer.routerClosed();
    return made;
  }

  /** @internal */
  protected override readonly handlers: Handlers = {
    closed: () => this.end(),
  };
}

/** The listen infos that the older options mean: for each address the protocols that are enabled, the preferred one first. */
function listenInfosOfIps({
  listenIps,
  port,
  enableUdp = true,
  enableTcp = false,
  preferUdp = false,
  preferTcp = false,
}: {
  listenIps?: (TransportListenIp | string)[];
  port?: number;
  enableUdp?: boolean;
  enableTcp?: boolean;
  preferUdp?: boolean;
  preferTcp?: boolean;
}): TransportListenInfo[] {
  if (!Array.isArray(listenIps)) throw new TypeError("one of webRtcServer, listenInfos and listenIps must be given");
  const protocols = [...(enableUdp ? ["udp" as const] : []), ...(enableTcp ? ["tcp" as const] : [])];
  if (preferTcp && !preferUdp) protocols.reverse();
  return listenIps.flatMap((listenIp) => protocols.map((protocol) => listenInfoOfIp(listenIp, protocol, port)));
}

function checkNumber(name: string, value: unknown, min = -Infinity, max = Infinity): void {
  if (value === undefined) return;
  if (typeof value !== "number" || value < min || value > max) throw new TypeError(`${name} must be a number in its range`);
}

/** The server ends both; here the second is to be closed as soon as the first. */
function endTogether(a: ClosingObject, b: ClosingObject): void {
  a.observer.once("close", () => b.close());
  b.observer.once("close", () => a.close());
}

interface ClosingObject {
  close(): void;
  readonly observer: { once(name: "close", listener: () => void): unknown };
}
