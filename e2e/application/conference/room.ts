import type { types } from "mediasoup";
import { Bot } from "./bot";
import { Peer, type Place } from "./peer";
import { Pipes, type Source } from "./pipes";
import { audioLevels, mediaCodecs, peersPerRouter } from "./settings";
import type { Worker } from "./workers";

/** People who see and hear each other, on as many workers as they need. */
export class Room {
  readonly peers = new Set<Peer>();
  readonly #pipes = new Pipes();
  readonly #places: Place[] = [];

  private constructor(
    private readonly workers: Worker[],
    first: Place,
    private readonly levels: types.AudioLevelObserver,
    private readonly speaker: types.ActiveSpeakerObserver,
    private readonly bot: Bot,
  ) {
    this.#places.push(first);
    const name = (producer: types.Producer) => producer.appData.name;
    this.levels.on("volumes", (volumes) => this.#tell("volumes", { volumes: volumes.map(({ producer, volume }) => ({ name: name(producer), volume })) }));
    this.levels.on("silence", () => this.#tell("volumes", { volumes: [] }));
    this.speaker.on("dominantspeaker", ({ producer }) => this.#tell("activeSpeaker", { name: name(producer) }));
  }

  /** Opens a room, whose first router hears all of it, for those who want to know who speaks. */
  static async open(workers: Worker[]): Promise<Room> {
    const router = await workers[0]!.createRouter({ mediaCodecs });
    const [levels, speaker, bot] = await Promise.all([router.createAudioLevelObserver(audioLevels), router.createActiveSpeakerObserver({ interval: 300 }), Bot.enter(router)]);
    return new Room(workers, { worker: workers[0]!, router }, levels, speaker, bot);
  }

  get rtpCapabilities(): types.RouterRtpCapabilities {
    return this.#places[0]!.router.rtpCapabilities;
  }

  /** Takes somebody in, on the router with the fewest people. */
  async join(name: string, rtpCapabilities: types.RtpCapabilities, notify: Peer["notify"]): Promise<Peer> {
    const peer = new Peer(name, await this.#place(), rtpCapabilities, notify);
    this.peers.add(peer);
    return peer;
  }

  leave(peer: Peer): void {
    if (!this.peers.delete(peer)) return;
    peer.leave();
    this.#tell("peerLeft", { name: peer.name });
  }

  /** Gives somebody all that the others send, once they have a transport to receive on. */
  async welcome(peer: Peer): Promise<void> {
    for (const other of this.peers) {
      if (other === peer) continue;
      for (const producer of other.producers.values()) await this.#give(peer, producer, other);
      for (const dataProducer of other.dataProducers.values()) await this.#giveData(peer, dataProducer, other.place);
    }
    await this.#giveData(peer, this.bot.dataProducer, this.#places[0]!);
  }

  async produce(peer: Peer, transportId: string, { kind, rtpParameters }: types.ProducerOptions): Promise<types.Producer> {
    const producer = await peer.transport(transportId).produce({ kind, rtpParameters, keyFrameRequestDelay: 500, appData: { name: peer.name } });
    peer.producers.set(producer.id, producer);
    producer.observer.once("close", () => peer.producers.delete(producer.id));
    if (producer.kind === "audio") {
      const heard = await this.#pipes.producer(producer, peer.place.router, this.#places[0]!.router);
      await Promise.all([this.levels.addProducer({ producerId: heard.id }), this.speaker.addProducer({ producerId: heard.id })]);
    }
    for (const other of this.#receivers(peer)) await this.#give(other, producer, peer);
    return producer;
  }

  async produceData(peer: Peer, transportId: string, { sctpStreamParameters, label, protocol }: types.DataProducerOptions): Promise<types.DataProducer> {
    const dataProducer = await peer.transport(transportId).produceData({ sctpStreamParameters, label, protocol, appData: { name: peer.name } });
    peer.dataProducers.set(dataProducer.id, dataProducer);
    dataProducer.observer.once("close", () => peer.dataProducers.delete(dataProducer.id));
    await this.bot.listenTo(await this.#pipes.dataProducer(dataProducer, peer.place.router, this.#places[0]!.router));
    for (const other of this.#receivers(peer)) await this.#giveData(other, dataProducer, peer.place);
    return dataProducer;
  }

  async describe() {
    const routers = await Promise.all(this.#places.map(({ router }) => router.dump()));
    return { routers, peers: await Promise.all([...this.peers].map((peer) => peer.statistics())) };
  }

  close(): void {
    for (const { router } of this.#places) router.close();
  }

  async #place(): Promise<Place> {
    const people = (place: Place) => [...this.peers].filter((peer) => peer.place === place).length;
    const free = this.#places.find((place) => people(place) < peersPerRouter);
    if (free) return free;
    const worker = this.workers.find((worker) => !this.#places.some((place) => place.worker === worker));
    if (!worker) return this.#places.reduce((least, place) => (people(place) < people(least) ? place : least));
    const place = { worker, router: await worker.createRouter({ mediaCodecs }) };
    this.#places.push(place);
    return place;
  }

  #receivers(sender: Peer): Peer[] {
    return [...this.peers].filter((peer) => peer !== sender && peer.receives);
  }

  async #give(to: Peer, producer: types.Producer, from: Peer): Promise<void> {
    await unlessGone(producer, to, async () => to.consume(await this.#pipes.producer(producer, from.place.router, to.place.router)));
  }

  async #giveData(to: Peer, dataProducer: types.DataProducer, from: Place): Promise<void> {
    await unlessGone(dataProducer, to, async () => to.consumeData(await this.#pipes.dataProducer(dataProducer, from.router, to.place.router)));
  }

  #tell(event: string, data: object): void {
    for (const peer of this.peers) peer.notify(event, data);
  }
}

/** Does what fails when somebody leaves meanwhile, which is no failure then. */
async function unlessGone(source: Source, to: Peer, give: () => Promise<void>): Promise<void> {
  try {
    await give();
  } catch (error) {
    if (!source.closed && to.receives) throw error;
  }
}
