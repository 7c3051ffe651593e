/** Whom we receive: the others, what they send, and how much of it is asked for. */
import type { types } from "mediasoup-client";
import type { Bond } from "./events";
import { layerFor, layersIn, readSize, type LayerCount, type Size } from "./layers";
import type { Received } from "./monitor";
import type { Member, Peer, Remote } from "./people";
import type { InitData, Layers, PeerInfo, ProducerInfo, Volume } from "./protocol";
import { SignalingError } from "./signaling";
import { Speaking } from "./speaking";

/** How often a consumer is asked for whose answer does not come: the server takes a repeat for what it is. */
const CONSUME_TRIES = 3;
/** On a narrow line a screen is worth more than the faces beside it, which have 1. */
const SCREEN_PRIORITY = 10;
/** What is asked for of a picture before it is known in how many sizes it comes. */
const USUAL_LAYERS = 3;

export class Incoming {
  readonly #bond: Bond;
  readonly #members = new Map<string, Member>();
  /** The layers that each consumer gets. It may be told before the consumer is. */
  readonly #layers = new Map<string, Layers>();
  readonly #speaking = new Speaking();
  #speakers: ReadonlySet<string> = new Set();

  constructor(bond: Bond) {
    this.#bond = bond;
  }

  get peers(): readonly Peer[] {
    return [...this.#members.values()];
  }

  nameOf(peerId: string): string {
    return this.#members.get(peerId)?.displayName ?? peerId.split("@")[0] ?? peerId;
  }

  setReceiving(producerId: string, receiving: boolean): void {
    const remote = this.#remote(producerId);
    if (!remote?.consumer || remote.consumer.paused === !receiving) return;
    if (receiving) remote.consumer.resume();
    else remote.consumer.pause();
    this.#tellReceiving(remote);
  }

  setShown(producerId: string, shown: Size): void {
    const remote = this.#remote(producerId);
    if (!remote) return;
    remote.shown = shown;
    this.#askForLayer(remote);
  }

  /** Takes over who is there and what they send. */
  meet(init: InitData): void {
    for (const id of [...this.#members.keys()]) {
      if (!init.peers.includes(id)) this.left(id);
    }
    for (const id of init.peers) {
      if (id !== init.myPeerId) this.joined(id, init.peerInfos?.[id] ?? {});
    }
    const present = new Map(init.producers.map((producer) => [producer.id, producer]));
    for (const remote of this.#remotes()) {
      if (!present.has(remote.producerId)) this.vanished(remote.producerId);
    }
    for (const producer of init.producers) {
      if (producer.peerId === init.myPeerId) continue;
      this.appeared(producer);
      this.paused(producer.id, producer.paused ?? false);
    }
    this.#bond.tell("peers", null);
  }

  joined(id: string, info: PeerInfo): void {
    const member = this.#members.get(id);
    const displayName = info.displayName || member?.displayName || id.split("@")[0] || id;
    const host = info.host ?? member?.host ?? false;
    if (member) Object.assign(member, { displayName, host });
    else this.#members.set(id, { id, displayName, host, media: [] });
    this.#bond.tell("peers", null);
  }

  left(id: string): void {
    const member = this.#members.get(id);
    if (!member) return;
    for (const remote of member.media) this.#release(remote);
    this.#members.delete(id);
    this.#bond.tell("peers", null);
  }

  appeared(producer: ProducerInfo): void {
    if (!this.#members.has(producer.peerId)) this.joined(producer.peerId, {});
    const member = this.#members.get(producer.peerId);
    if (!member || this.#remote(producer.id)) return;
    const remote: Remote = {
      producerId: producer.id,
      kind: producer.kind,
      source: producer.source ?? (producer.kind === "audio" ? "mic" : "camera"),
      paused: producer.paused ?? false,
      consumer: null,
      track: null,
      failed: false,
      unsent: false,
      full: readSize(producer.appData),
      shown: null,
      asked: null,
    };
    member.media.push(remote);
    this.#bond.tell("peers", null);
    void this.#bond.queue(() => this.#consume(remote));
  }

  vanished(producerId: string): void {
    for (const member of this.#members.values()) {
      const remote = member.media.find((media) => media.producerId === producerId);
      if (!remote) continue;
      member.media = member.media.filter((media) => media !== remote);
      this.#release(remote);
      this.#bond.tell("peers", null);
    }
  }

  paused(producerId: string, paused: boolean): void {
    const remote = this.#remote(producerId);
    if (!remote || remote.paused === paused) return;
    remote.paused = paused;
    this.#bond.tell("peers", null);
  }

  /** Null: nothing comes for now. */
  layersChanged(consumerId: string, layers: Layers | null): void {
    if (layers) this.#layers.set(consumerId, layers);
    else this.#layers.delete(consumerId);
  }

  /** What a screen lets hear is not its owner's voice, and ourselves we hear. */
  heard(volumes: readonly Volume[]): void {
    const before = this.#speakers;
    this.#speakers = this.#speaking.update(volumes.filter(({ producerId }) => this.#remote(producerId)?.source === "mic"));
    if (this.#speakers !== before) this.#bond.tell("speaking", this.#speakers);
  }

  /** The media is new: everything is received again. */
  begin(): void {
    for (const remote of this.#remotes()) void this.#bond.queue(() => this.#consume(remote));
  }

  /** The media went on without us: only what changed meanwhile is made good. */
  resume(known: NonNullable<InitData["myConsumers"]>): void {
    const received = new Set<string>();
    this.#layers.clear();
    for (const { consumerId, layers } of known) {
      received.add(consumerId);
      if (layers) this.#layers.set(consumerId, layers);
    }
    for (const remote of this.#remotes()) {
      if (remote.consumer && received.has(remote.consumer.id)) {
        if (remote.unsent) this.#tellReceiving(remote);
        this.#askForLayer(remote);
        continue;
      }
      this.#release(remote);
      void this.#bond.queue(() => this.#consume(remote));
    }
  }

  /** The media has ended; who is there stays. */
  end(): void {
    for (const remote of this.#remotes()) this.#release(remote);
  }

  /** Forgets everybody. */
  clear(): void {
    this.end();
    this.#members.clear();
  }

  received(): Received[] {
    return [...this.#members.values()].flatMap(({ id, media }) =>
      media.map(({ source, paused, consumer }) => ({
        peerId: id,
        source,
        paused,
        consumer,
        layers: (consumer && this.#layers.get(consumer.id)) ?? null,
        of: layersOf(consumer),
      })),
    );
  }

  async #consume(remote: Remote, tries = 1): Promise<void> {
    const { media, signaling } = this.#bond;
    const member = [...this.#members.values()].find((each) => each.media.includes(remote));
    if (!media || !member || remote.consumer) return;
    // Sound and picture of one camera belong together; a screen has a clock of its own.
    const streamId = remote.source.startsWith("screen") ? `${member.id}-screen` : member.id;
    const asked = remote.shown && layerFor(remote.shown, remote.full, USUAL_LAYERS, null);
    try {
      const consumer = await media.consume(remote.producerId, streamId, asked);
      if (!member.media.includes(remote)) {
        consumer.close();
        return;
      }
      Object.assign(remote, { consumer, track: consumer.track, failed: false, asked });
      this.#askForLayer(remote);
      if (remote.kind === "video" && remote.source.startsWith("screen")) {
        signaling.send({ type: "setPriority", consumerId: consumer.id, priority: SCREEN_PRIORITY });
      }
    } catch (error) {
      // A line lost meanwhile brings an init, and with it another try.
      if (!signaling.open || media !== this.#bond.media) return;
      if (error instanceof SignalingError && error.code === "timeout" && tries < CONSUME_TRIES) {
        void this.#bond.queue(() => this.#consume(remote, tries + 1));
        return;
      }
      // It is of a codec that this browser lacks, for instance: it is shown without.
      remote.failed = true;
    }
    this.#bond.tell("peers", null);
  }

  #askForLayer(remote: Remote): void {
    const { consumer, shown, full, asked } = remote;
    if (!consumer || !shown) return;
    const { spatial } = layersOf(consumer);
    if (spatial < 2) return;
    const spatialLayer = layerFor(shown, full, spatial, asked);
    if (spatialLayer === asked) return;
    const sent = this.#bond.signaling.send({ type: "setPreferredLayers", consumerId: consumer.id, spatialLayer });
    remote.asked = sent ? spatialLayer : null;
  }

  #tellReceiving(remote: Remote): void {
    const { id: consumerId, paused } = remote.consumer ?? {};
    remote.unsent = !this.#bond.signaling.send({ type: paused ? "pauseConsumer" : "resumeConsumer", consumerId });
  }

  #release(remote: Remote): void {
    this.#bond.media?.forget(remote.producerId);
    if (remote.consumer) this.#layers.delete(remote.consumer.id);
    remote.consumer?.close();
    Object.assign(remote, { consumer: null, track: null, failed: false, unsent: false, asked: null });
  }

  #remotes(): Remote[] {
    return [...this.#members.values()].flatMap((member) => member.media);
  }

  #remote(producerId: string): Remote | undefined {
    return this.#remotes().find((remote) => remote.producerId === producerId);
  }
}

function layersOf(consumer: types.Consumer | null): LayerCount {
  return layersIn(consumer?.rtpParameters.encodings?.[0]?.scalabilityMode);
}
