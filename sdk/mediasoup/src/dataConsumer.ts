import type { AppData } from "./appData";
import { clone } from "./clone";
import { dataMessage, subchannelsOf } from "./dataMessage";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import { RemoteObject, type Handlers, type Making } from "./remoteObject";
import type { SctpStreamParameters } from "./sctpParameters";

export type DataConsumerOptions<DataConsumerAppData extends AppData = AppData> = {
  dataProducerId: string;
  /** Over SCTP; by default as the data producer's, or true for a direct one. */
  ordered?: boolean;
  /** Over SCTP, if not ordered: for how long, in ms, a message is sent again; by default as the data producer's. */
  maxPacketLifeTime?: number;
  /** Over SCTP, if not ordered: how often a message is sent again; by default as the data producer's. */
  maxRetransmits?: number;
  /** False by default. */
  paused?: boolean;
  /** From 0 to 65535. */
  subchannels?: number[];
  appData?: DataConsumerAppData;
};

export type DataConsumerType = "sctp" | "direct";

export type DataConsumerDump = {
  id: string;
  paused: boolean;
  dataProducerPaused: boolean;
  subchannels: number[];
  dataProducerId: string;
  type: DataConsumerType;
  sctpStreamParameters?: SctpStreamParameters;
  label: string;
  protocol: string;
  bufferedAmount: number;
  bufferedAmountLowThreshold: number;
};

export type DataConsumerStat = {
  type: string;
  /** In ms. */
  timestamp: number;
  label: string;
  protocol: string;
  messagesSent: number;
  bytesSent: number;
  bufferedAmount: number;
};

export type DataConsumerEvents = {
  transportclose: [];
  dataproducerclose: [];
  dataproducerpause: [];
  dataproducerresume: [];
  message: [Buffer, number];
  sctpsendbufferfull: [];
  bufferedamountlow: [number];
};

export type DataConsumerObserver = EnhancedEventEmitter<DataConsumerObserverEvents>;

export type DataConsumerObserverEvents = {
  close: [];
  pause: [];
  resume: [];
};

/** What a data consumer emits when the server has closed it. */
const CLOSE_EVENTS: Record<string, string> = {
  producerClosed: "dataproducerclose",
  transportClosed: "transportclose",
  routerClosed: "transportclose",
};

/** What the server says of a data consumer. */
export interface DataConsumerInfo {
  id: string;
  dataProducerId: string;
  type: DataConsumerType;
  sctpStreamParameters?: SctpStreamParameters | null;
  label: string;
  protocol: string;
  paused: boolean;
  dataProducerPaused: boolean;
  subchannels: number[];
}

/** Messages that go out of a router. */
export class DataConsumerImpl<DataConsumerAppData extends AppData = AppData> extends RemoteObject<
  DataConsumerAppData,
  DataConsumerEvents,
  DataConsumerObserver
> {
  readonly #info: DataConsumerInfo;

  /** @internal */
  constructor(making: Making<DataConsumerAppData>, info: DataConsumerInfo) {
    super("dataConsumer", making);
    this.#info = { ...info, subchannels: info.subchannels ?? [] };
  }

  get dataProducerId(): string {
    return this.#info.dataProducerId;
  }

  get type(): DataConsumerType {
    return this.#info.type;
  }

  get sctpStreamParameters(): SctpStreamParameters | undefined {
    return clone(this.#info.sctpStreamParameters ?? undefined);
  }

  get label(): string {
    return this.#info.label;
  }

  get protocol(): string {
    return this.#info.protocol;
  }

  get paused(): boolean {
    return this.#info.paused;
  }

  get dataProducerPaused(): boolean {
    return this.#info.dataProducerPaused;
  }

  get subchannels(): number[] {
    return [...this.#info.subchannels];
  }

  /** @internal */
  transportClosed(): void {
    this.end("transportclose");
  }

  dump(): Promise<DataConsumerDump> {
    return this.request("dump");
  }

  getStats(): Promise<DataConsumerStat[]> {
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

  /** Sets at how many bytes waiting, or fewer, "bufferedamountlow" is emitted. */
  async setBufferedAmountLowThreshold(threshold: number): Promise<void> {
    await this.request("setBufferedAmountLowThreshold", { threshold });
  }

  /** How many bytes wait to be sent. */
  async getBufferedAmount(): Promise<number> {
    const { bufferedAmount } = await this.request<{ bufferedAmount: number }>("getBufferedAmount");
    return bufferedAmount;
  }

  /** Sends a message, over SCTP only, and resolves with how many bytes wait to be sent. */
  async send(message: string | Buffer, ppid?: number): Promise<number> {
    if (this.type !== "sctp") throw new TypeError("only data consumers over SCTP can send");
    const { bufferedAmount } = await this.request<{ bufferedAmount: number }>("send", dataMessage(message, ppid));
    return bufferedAmount;
  }

  async setSubchannels(subchannels: number[]): Promise<void> {
    await this.#changeSubchannels("setSubchannels", { subchannels: subchannelsOf(subchannels) });
  }

  async addSubchannel(subchannel: number): Promise<void> {
    await this.#changeSubchannels("addSubchannel", { subchannel });
  }

  async removeSubchannel(subchannel: number): Promise<void> {
    await this.#changeSubchannels("removeSubchannel", { subchannel });
  }

  async #changeSubchannels(method: string, data: object): Promise<void> {
    const { subchannels } = await this.request<{ subchannels: number[] }>(method, data);
    this.#info.subchannels = subchannels;
  }

  /** @internal Takes over what may have changed while the connection was away. */
  override refresh({ paused, dataProducerPaused, subchannels }: DataConsumerInfo): void {
    this.#info.subchannels = subchannels ?? [];
    this.#setPaused({ paused, dataProducerPaused });
  }

  /** To observers a data consumer is paused when it or its data producer is. */
  #setPaused({ paused = this.#info.paused, dataProducerPaused = this.#info.dataProducerPaused }): void {
    const before = this.#info.paused || this.#info.dataProducerPaused;
    const told = dataProducerPaused !== this.#info.dataProducerPaused;
    Object.assign(this.#info, { paused, dataProducerPaused });
    if (told) this.announce(dataProducerPaused ? "dataproducerpause" : "dataproducerresume");
    const after = paused || dataProducerPaused;
    if (after !== before) this.observe(after ? "pause" : "resume");
  }

  /** @internal */
  protected override readonly handlers: Handlers = {
    closed: ({ reason }) => this.end(CLOSE_EVENTS[reason as string]),
    paused: () => this.#setPaused({ paused: true }),
    resumed: () => this.#setPaused({ paused: false }),
    dataproducerpause: () => this.#setPaused({ dataProducerPaused: true }),
    dataproducerresume: () => this.#setPaused({ dataProducerPaused: false }),
    message: ({ message, binary, ppid }) =>
      this.announce("message", binary === undefined ? Buffer.from(message as string) : Buffer.from(binary as string, "base64"), ppid),
    sctpsendbufferfull: () => this.announce("sctpsendbufferfull"),
    bufferedamountlow: ({ bufferedAmount }) => this.announce("bufferedamountlow", bufferedAmount),
  };
}
