import type { AppData } from "./appData";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import { NotFoundError } from "./errors";
import type { ProducerImpl } from "./producer";
import type { Registry } from "./registry";
import { RemoteObject, type Handlers, type Making } from "./remoteObject";

export type RtpObserverType = "audiolevel" | "activespeaker";

export type RtpObserverEvents = {
  routerclose: [];
};

export type RtpObserverObserver = EnhancedEventEmitter<RtpObserverObserverEvents>;

export type RtpObserverObserverEvents = {
  close: [];
  pause: [];
  resume: [];
  addproducer: [ProducerImpl];
  removeproducer: [ProducerImpl];
};

/** What the server says of an observer. */
export interface RtpObserverInfo {
  id: string;
  type: RtpObserverType;
  paused?: boolean;
}

/** What every observer is made from. */
export interface RtpObserverMaking<A extends AppData> extends Making<A> {
  registry: Registry;
}

/** Something that listens to producers. */
export abstract class RtpObserverImpl<
  RtpObserverAppData extends AppData = AppData,
  Events extends RtpObserverEvents = RtpObserverEvents,
  Observer extends RtpObserverObserver = RtpObserverObserver,
> extends RemoteObject<RtpObserverAppData, Events, Observer> {
  readonly #registry: Registry;
  #paused = false;

  protected constructor(making: RtpObserverMaking<RtpObserverAppData>) {
    super("rtpObserver", making);
    this.#registry = making.registry;
  }

  abstract get type(): RtpObserverType;

  get paused(): boolean {
    return this.#paused;
  }

  /** @internal */
  routerClosed(): void {
    this.end("routerclose");
  }

  async pause(): Promise<void> {
    await this.request("pause");
    this.#setPaused(true);
  }

  async resume(): Promise<void> {
    await this.request("resume");
    this.#setPaused(false);
  }

  async addProducer({ producerId }: { producerId: string }): Promise<void> {
    const producer = this.#requireProducer(producerId);
    await this.request("addProducer", { producerId });
    this.observe("addproducer", producer);
  }

  async removeProducer({ producerId }: { producerId: string }): Promise<void> {
    const producer = this.#requireProducer(producerId);
    await this.request("removeProducer", { producerId });
    this.observe("removeproducer", producer);
  }

  /** @internal Takes over what may have changed while the connection was away. */
  override refresh({ paused = false }: RtpObserverInfo): void {
    this.#setPaused(paused);
  }

  /** @internal */
  protected producer(producerId: string): ProducerImpl | undefined {
    return this.#registry.get(`producer:${producerId}`) as ProducerImpl | undefined;
  }

  #requireProducer(producerId: string): ProducerImpl {
    const producer = this.producer(producerId);
    if (!producer) throw new NotFoundError(`there is no producer "${producerId}"`);
    return producer;
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.observe(paused ? "pause" : "resume");
  }

  /** @internal */
  protected readonly baseHandlers: Handlers = {
    closed: ({ reason }) => this.end(reason === "routerClosed" ? "routerclose" : undefined),
    paused: () => this.#setPaused(true),
    resumed: () => this.#setPaused(false),
  };
}
