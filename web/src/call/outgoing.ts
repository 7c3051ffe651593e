/** What we send: our sources, over every reconnection, and no more of them than somebody wants. */
import type { types } from "mediasoup-client";
import type { Bond } from "./events";
import { limitsOf, type Limits } from "./layers";
import type { Sent } from "./monitor";
import type { Local } from "./people";
import type { InitData, Kind, Source } from "./protocol";

export class Outgoing {
  readonly #bond: Bond;
  readonly #locals = new Map<Source, Local>();
  /** The highest layer that is wanted, by producer; it may be told before the producer is. Without an entry it is all. */
  readonly #wanted = new Map<string, number | null>();

  constructor(bond: Bond) {
    this.#bond = bond;
  }

  get media(): readonly Local[] {
    return [...this.#locals.values()];
  }

  publish(source: Source, track: MediaStreamTrack, paused: boolean): Promise<void> {
    this.#retract(source);
    const local: Local = { source, track, paused, producer: null, unsent: false, limiting: Promise.resolve() };
    this.#locals.set(source, local);
    this.#bond.tell("local", null);
    return this.#bond.queue(() => this.#produce(local));
  }

  unpublish(source: Source): void {
    if (this.#retract(source)) this.#bond.tell("local", null);
  }

  setPaused(source: Source, paused: boolean): void {
    const local = this.#locals.get(source);
    if (!local || local.paused === paused) return;
    local.paused = paused;
    this.#applyPause(local);
    this.#bond.tell("local", null);
  }

  async replaceTrack(source: Source, track: MediaStreamTrack | null): Promise<void> {
    const local = this.#locals.get(source);
    if (!local || local.track === track) return;
    local.track = track;
    this.#bond.tell("local", null);
    await this.#bond.queue(async () => {
      if (!local.producer) await this.#produce(local);
      else if (!local.producer.closed) await local.producer.replaceTrack({ track: local.track });
    });
  }

  /** The media is new: everything is sent again. */
  begin(): void {
    for (const local of this.#locals.values()) void this.#bond.queue(() => this.#produce(local));
  }

  /** The media went on without us: only what changed meanwhile is made good. */
  resume(known: NonNullable<InitData["myProducers"]>): void {
    const mine = new Map(known.map((producer) => [producer.id, producer]));
    for (const local of this.#locals.values()) {
      const known = local.producer && mine.get(local.producer.id);
      if (!known) {
        local.producer?.close();
        local.producer = null;
        void this.#bond.queue(() => this.#produce(local));
        continue;
      }
      mine.delete(known.id);
      if (known.wantedSpatialLayer !== undefined) this.want(known.id, known.wantedSpatialLayer);
      if (local.unsent) this.#applyPause(local);
      else this.#adoptPause(local, known.paused ?? local.paused);
    }
    for (const id of mine.keys()) this.#bond.signaling.send({ type: "closeProducer", producerId: id });
  }

  /** The media has ended; the sources stay. */
  end(): void {
    this.#wanted.clear();
    for (const local of this.#locals.values()) local.producer = null;
  }

  /** Somebody else has switched a producer off; answers its source. */
  muted(producerId: string): Source | undefined {
    const local = this.#byProducer(producerId);
    if (local) this.#adoptPause(local, true);
    return local?.source;
  }

  /** The highest layer of a picture that anybody wants; null is none. */
  want(producerId: string, highest: number | null): void {
    this.#wanted.set(producerId, highest);
    const local = this.#byProducer(producerId);
    if (local) this.#limit(local);
  }

  sent(): Sent[] {
    return this.media.map(({ source, producer, paused }) => ({
      source,
      producer,
      paused,
      wanted: producer ? this.#wanted.get(producer.id) : undefined,
    }));
  }

  async #produce(local: Local): Promise<void> {
    const { media, signaling } = this.#bond;
    const { track, source, paused } = local;
    if (!media || this.#locals.get(source) !== local || local.producer || track?.readyState !== "live") return;
    try {
      if (!media.canProduce(track.kind as Kind)) throw new Error(`this room takes no ${track.kind}`);
      const producer = await media.produce({ source, track, paused });
      if (this.#locals.get(local.source) !== local) {
        this.#close(producer);
        return;
      }
      local.producer = producer;
      local.unsent = producer.paused !== local.paused;
      if (local.unsent) this.#applyPause(local);
      this.#limit(local);
      this.#bond.tell("local", null);
    } catch (error) {
      // A line lost meanwhile brings an init, and with it another try.
      if (signaling.open && media === this.#bond.media) this.#bond.tell("failed", { source: local.source, error: error as Error });
    }
  }

  #applyPause(local: Local): void {
    const producer = local.producer;
    if (!producer || producer.closed) return;
    if (local.paused) producer.pause();
    else producer.resume();
    const type = local.paused ? "pauseProducer" : "resumeProducer";
    local.unsent = !this.#bond.signaling.send({ type, producerId: producer.id });
  }

  /** Follows the server's idea of what is paused. */
  #adoptPause(local: Local, paused: boolean): void {
    if (local.paused === paused) return;
    local.paused = paused;
    if (paused) local.producer?.pause();
    else local.producer?.resume();
    this.#bond.tell("local", null);
  }

  /** One change after another: a sender takes only parameters that it has just given. */
  #limit(local: Local): void {
    const { producer } = local;
    const sender = producer?.rtpSender;
    if (!producer || !sender) return;
    local.limiting = local.limiting.then(() => {
      const wanted = this.#wanted.get(producer.id);
      if (producer.closed || wanted === undefined) return;
      return limit(sender, limitsOf(producer.rtpParameters.encodings ?? [], wanted));
    });
  }

  #retract(source: Source): boolean {
    const local = this.#locals.get(source);
    if (!local) return false;
    this.#locals.delete(source);
    if (local.producer) this.#close(local.producer);
    return true;
  }

  #close(producer: types.Producer): void {
    this.#wanted.delete(producer.id);
    if (producer.closed) return;
    producer.close();
    this.#bond.signaling.send({ type: "closeProducer", producerId: producer.id });
  }

  #byProducer(producerId: string): Local | undefined {
    return this.media.find((local) => local.producer?.id === producerId);
  }
}

const LIMIT_TRIES = 3;
const LIMIT_AGAIN_MS = 500;

/**
 * Changes what a sender sends. The others take notice of nothing: no negotiation is needed, and
 * what comes back comes with a keyframe.
 */
async function limit(sender: RTCRtpSender, limits: readonly Limits[]): Promise<void> {
  for (let tries = 1; tries <= LIMIT_TRIES; tries++) {
    const parameters = sender.getParameters();
    const before = JSON.stringify(parameters.encodings);
    parameters.encodings.forEach((encoding, layer) => Object.assign(encoding, limits[layer]));
    if (JSON.stringify(parameters.encodings) === before) return;
    try {
      return await sender.setParameters(parameters);
    } catch {
      // A negotiation came between, perhaps. A browser that cannot do it at all sends for nothing.
      await new Promise((again) => setTimeout(again, LIMIT_AGAIN_MS));
    }
  }
}
