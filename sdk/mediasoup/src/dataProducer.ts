import type { AppData } from "./appData";
import { clone } from "./clone";
import { dataMessage, subchannelsOf } from "./dataMessage";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import { RemoteObject, type Handlers, type Making } from "./remoteObject";
import type { SctpStreamParameters } from "./sctpParameters";

export type DataProducerOptions<DataProducerAppData extends AppData = AppData> = {
  /** Chosen by the server if it is not given. */
  id?: string;
  /** How the endpoint sends; not on a DirectTransport. */
  sctpStreamParameters?: SctpStreamParameters;
  label?: string;
  protocol?: string;
  /** False by default. */
  paused?: boolean;
  appData?: DataProducerAppData;
};

export type DataProducerType = "sctp" | "direct";

export type DataProducerDump = {
  id: string;
  paused: boolean;
  type: DataProducerType;
  sctpStreamParameters?: SctpStreamParameters;
  label: string;
  protocol: string;
};

export type DataProducerStat = {
  type: string;
  /** In ms. */
  timestamp: number;
  label: string;
  protocol: string;
  messagesReceived: number;
  bytesReceived: number;
};

export type DataProducerEvents = {
  transportclose: [];
};

export type DataProducerObserver = EnhancedEventEmitter<DataProducerObserverEvents>;

export type DataProducerObserverEvents = {
  close: [];
  pause: [];
  resume: [];
};

/** What the server says of a data producer. */
export interface DataProducerInfo {
  id: string;
  type: DataProducerType;
  sctpStreamParameters?: SctpStreamParameters | null;
  label: string;
  protocol: string;
  paused: boolean;
}

/** Messages that come into a router. */
export class DataProducerImpl<DataProducerAppData extends AppData = AppData> extends RemoteObject<
  DataProducerAppData,
  DataProducerEvents,
  DataProducerObserver
> {
  readonly #info: DataProducerInfo;

  /** @internal */
  constructor(making: Making<DataProducerAppData>, info: DataProducerInfo) {
    super("dataProducer", making);
    this.#info = { ...info };
  }

  get type(): DataProducerType {
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

  /** @internal */
  transportClosed(): void {
    this.end("transportclose");
  }

  dump(): Promise<DataProducerDump> {
    return this.request("dump");
  }

  getStats(): Promise<DataProducerStat[]> {
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

  /** Sends a message; for data producers of a DirectTransport. */
  send(message: string | Buffer, ppid?: number, subchannels?: number[], requiredSubchannel?: number, ignoredSubchannel?: number): void {
    this.pass("send", { ...dataMessage(message, ppid), subchannels: subchannelsOf(subchannels), requiredSubchannel, ignoredSubchannel });
  }

  /** @internal Takes over what may have changed while the connection was away. */
  override refresh({ paused }: DataProducerInfo): void {
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
  };
}
