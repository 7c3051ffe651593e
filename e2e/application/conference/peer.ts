import type { types } from "mediasoup";
import type { Source } from "./pipes";
import type { Worker } from "./workers";

/** A router of a room, with the worker on which it is. */
export type Place = { worker: Worker; router: types.Router };

type Notify = (event: string, data: object) => void;

/** Somebody in a room: their transports, and what they send and receive. */
export class Peer {
  readonly #transports = new Map<string, types.WebRtcTransport>();
  readonly producers = new Map<string, types.Producer>();
  readonly dataProducers = new Map<string, types.DataProducer>();
  readonly #consumers = new Map<string, types.Consumer>();
  /** What is received or about to be: somebody may begin to send just when somebody comes. */
  readonly #received = new Set<string>();

  constructor(
    readonly name: string,
    readonly place: Place,
    readonly rtpCapabilities: types.RtpCapabilities,
    readonly notify: Notify,
  ) {}

  async createTransport(direction: "send" | "receive") {
    const transport = await this.place.router.createWebRtcTransport({
      webRtcServer: this.place.worker.appData.webRtcServer!,
      enableUdp: true,
      enableTcp: true,
      preferUdp: true,
      enableSctp: true,
      initialAvailableOutgoingBitrate: 1_000_000,
      iceConsentTimeout: 20,
      appData: { direction },
    });
    if (direction === "send") await transport.setMaxIncomingBitrate(2_500_000);
    transport.on("icestatechange", (iceState) => this.notify("iceState", { direction, iceState }));
    transport.on("dtlsstatechange", (dtlsState) => {
      if (dtlsState === "failed") transport.close();
    });
    this.#transports.set(transport.id, transport);
    transport.observer.once("close", () => this.#transports.delete(transport.id));
    const { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport;
    return { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters };
  }

  transport(id: string): types.WebRtcTransport {
    return found(this.#transports.get(id), `transport ${id}`);
  }

  consumer(id: string): types.Consumer {
    return found(this.#consumers.get(id), `consumer ${id}`);
  }

  producer(id: string): types.Producer {
    return found(this.producers.get(id), `producer ${id}`);
  }

  /** Receives a producer that is on this person's router, paused until their device is ready for it. */
  async consume(producer: types.Producer): Promise<void> {
    const { rtpCapabilities } = this;
    if (!this.#first(producer) || !this.place.router.canConsume({ producerId: producer.id, rtpCapabilities })) return;
    const consumer = await this.#receiving().consume({ producerId: producer.id, rtpCapabilities, paused: true, appData: producer.appData });
    this.#consumers.set(consumer.id, consumer);
    consumer.observer.once("close", () => this.#consumers.delete(consumer.id));
    const consumerId = consumer.id;
    consumer.on("producerclose", () => this.notify("consumerClosed", { consumerId }));
    consumer.on("producerpause", () => this.notify("consumerPaused", { consumerId }));
    consumer.on("producerresume", () => this.notify("consumerResumed", { consumerId }));
    consumer.on("score", (score) => this.notify("consumerScore", { consumerId, score }));
    consumer.on("layerschange", (layers) => this.notify("consumerLayers", { consumerId, layers }));
    const { id, producerId, kind, rtpParameters, type, appData } = consumer;
    this.notify("newConsumer", { id, producerId, kind, rtpParameters, type, appData, producerPaused: consumer.producerPaused });
  }

  /** Receives a data producer that is on this person's router. */
  async consumeData(dataProducer: types.DataProducer): Promise<void> {
    if (!this.#first(dataProducer)) return;
    const dataConsumer = await this.#receiving().consumeData({ dataProducerId: dataProducer.id, appData: dataProducer.appData });
    const { id, dataProducerId, sctpStreamParameters, label, protocol, appData } = dataConsumer;
    this.notify("newDataConsumer", { id, dataProducerId, sctpStreamParameters, label, protocol, appData });
  }

  /** Whether it has said with what it receives. */
  get receives(): boolean {
    return [...this.#transports.values()].some(({ appData }) => appData.direction === "receive");
  }

  async statistics() {
    const transports = await Promise.all([...this.#transports.values()].map(async (transport) => (await transport.getStats())[0]));
    const consumers = await Promise.all([...this.#consumers.values()].map((consumer) => consumer.getStats()));
    return { name: this.name, transports, consumers: consumers.flat() };
  }

  leave(): void {
    for (const transport of [...this.#transports.values()]) transport.close();
  }

  #first(source: Source): boolean {
    if (this.#received.has(source.id)) return false;
    this.#received.add(source.id);
    source.observer.once("close", () => this.#received.delete(source.id));
    return true;
  }

  #receiving(): types.WebRtcTransport {
    const transport = [...this.#transports.values()].find(({ appData }) => appData.direction === "receive");
    return found(transport, `transport on which ${this.name} receives`);
  }
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`there is no ${what}`);
  return value;
}
