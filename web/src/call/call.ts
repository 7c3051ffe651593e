/**
 * A call as this browser takes part in it: connecting, publishing, receiving everybody,
 * and coming back after whatever breaks. It knows no page: it neither shows nor captures
 * anything, and is told by its owner when the network changed.
 *
 * Not for two calls: an ended Call stays ended.
 */
import { Device, type types } from "mediasoup-client";
import { Emitter } from "./emitter";
import { highestWorthSending, layerFor, layersIn, readSize, sizeOf, type LayerCount, type Size } from "./layers";
import type { LineState } from "./line";
import { Media } from "./media";
import { Monitor, type Figures, type Received } from "./monitor";
import type { Local, LocalMedia, Member, Peer, Remote, RemoteMedia } from "./people";
import type { EndReason, InitData, Kind, Layers, PeerInfo, ProducerInfo, ServerMessage, Source, Volume } from "./protocol";
import { explain, query, Signaling, SignalingError, type Socket } from "./signaling";
import { Speaking } from "./speaking";

export interface CallOptions {
  /** ws(s) address of the call endpoint, without query. */
  endpoint: string;
  token: string;
  /** How long a lost server is waited for, in milliseconds; 2 minutes unless told. */
  patienceMs?: number;
  /** In place of the browser's own, for tests. */
  device?: () => types.Device | Promise<types.Device>;
  socket?: (url: string) => Socket;
  fetch?: typeof fetch;
}

export type CallState = "idle" | "connecting" | "live" | "reconnecting" | "ended";

export type { EndReason, Figures, LocalMedia, Peer, RemoteMedia };

export interface CallEvents {
  state: CallState;
  ended: EndReason;
  /** Who is there, or what one of them sends, changed. */
  peers: null;
  /** What we send changed. */
  local: null;
  /** A transport's connection got better or worse. */
  line: { send: LineState; recv: LineState };
  /** Who is speaking, of the others. */
  speaking: ReadonlySet<string>;
  figures: Figures;
  /** One of our sources was switched off. Who did it is empty when it was the application behind the server; likewise below. */
  muted: { source: Source; by: string };
  kicked: { by: string; reason: string };
  /** The server is going down, and until when it goes on. */
  closing: { deadlineMs: number };
  /** A source of ours that could not be sent, and goes on without. */
  failed: { source: Source; error: Error };
}

const FIGURES_MS = 2_000;
/** How often a consumer is asked for whose answer does not come: the server takes a repeat for what it is. */
const CONSUME_TRIES = 3;
/** On a narrow line a screen is worth more than the faces beside it, which have 1. */
const SCREEN_PRIORITY = 10;

export class Call extends Emitter<CallEvents> {
  readonly #options: CallOptions;
  readonly #signaling: Signaling;
  readonly #members = new Map<string, Member>();
  readonly #locals = new Map<Source, Local>();
  readonly #speaking = new Speaking();
  /** The layers that each consumer gets. It may be told before the consumer is. */
  readonly #layers = new Map<string, Layers>();
  #monitor = new Monitor();
  #speakers: ReadonlySet<string> = new Set();
  #state: CallState = "idle";
  #media: Media | null = null;
  #init: InitData | null = null;
  #host = false;
  /** Changes of the media are made one after another. */
  #work: Promise<unknown> = Promise.resolve();
  #sampling: ReturnType<typeof setInterval> | undefined;

  constructor(options: CallOptions) {
    super();
    this.#options = options;
    this.#signaling = new Signaling({
      address: (resume) => `${options.endpoint}?${query(options.token, resume)}`,
      open: options.socket ?? ((url) => new WebSocket(url)),
      explain: (url) => explain(url, options.fetch ?? fetch),
      patienceMs: options.patienceMs ?? 120_000,
    });
    this.#signaling.on("message", (message) => this.#receive(message));
    this.#signaling.on("lost", () => this.#lost());
    this.#signaling.on("ended", (reason) => this.#end(reason));
  }

  get state(): CallState {
    return this.#state;
  }

  get roomId(): string {
    return this.#init?.roomId ?? "";
  }

  get myPeerId(): string {
    return this.#init?.myPeerId ?? "";
  }

  get callType(): Kind {
    return this.#init?.callType ?? "video";
  }

  /** Whether we may kick and mute. */
  get host(): boolean {
    return this.#host;
  }

  /** The others, in the order in which they came. */
  get peers(): readonly Peer[] {
    return [...this.#members.values()];
  }

  get local(): readonly LocalMedia[] {
    return [...this.#locals.values()];
  }

  join(): void {
    if (this.#state !== "idle") return;
    this.#set("connecting");
    this.#signaling.start();
    this.#sampling = setInterval(() => void this.#sample(), FIGURES_MS);
  }

  leave(): void {
    this.#signaling.leave();
  }

  /** Tells that the device has another network, or one again. */
  networkChanged(): void {
    if (this.#state === "ended" || this.#state === "idle") return;
    this.#signaling.check();
    this.#media?.send.networkChanged();
    this.#media?.recv.networkChanged();
  }

  /** Sends a track under a source's name, now and after each reconnection. */
  publish(source: Source, track: MediaStreamTrack, paused = false): Promise<void> {
    this.#retract(source);
    const local: Local = { source, track, paused, producer: null, unsent: false };
    this.#locals.set(source, local);
    this.emit("local", null);
    return this.#queue(() => this.#produce(local));
  }

  /** Ends a source: the others see it go. The track is its owner's to stop. */
  unpublish(source: Source): void {
    if (this.#retract(source)) this.emit("local", null);
  }

  /** Switches a source off or on: the others are told, and nothing is sent meanwhile. */
  setPaused(source: Source, paused: boolean): void {
    const local = this.#locals.get(source);
    if (!local || local.paused === paused) return;
    local.paused = paused;
    this.#applyPause(local);
    this.emit("local", null);
  }

  /** Sends another track in place of a source's, or none for now: the others keep what they receive it by. */
  async replaceTrack(source: Source, track: MediaStreamTrack | null): Promise<void> {
    const local = this.#locals.get(source);
    if (!local || local.track === track) return;
    local.track = track;
    this.emit("local", null);
    await this.#queue(async () => {
      if (!local.producer) await this.#produce(local);
      else if (!local.producer.closed) await local.producer.replaceTrack({ track: local.track });
    });
  }

  /** Stops or goes on receiving one of the others' producers. */
  setReceiving(producerId: string, receiving: boolean): void {
    const remote = this.#remote(producerId);
    if (!remote?.consumer || remote.consumer.paused === !receiving) return;
    if (receiving) remote.consumer.resume();
    else remote.consumer.pause();
    this.#tellReceiving(remote);
  }

  /** Tells how large a picture is shown, in pixels of the device: no more than that is asked for. */
  setShown(producerId: string, shown: Size): void {
    const remote = this.#remote(producerId);
    if (!remote) return;
    remote.shown = shown;
    this.#askForLayer(remote);
  }

  /** Host only: switches somebody's source off; they may switch it on again. */
  mute(peerId: string, producerId: string): void {
    this.#signaling.send({ type: "mute", peerId, producerId });
  }

  /** Host only. */
  kick(peerId: string): void {
    this.#signaling.send({ type: "kick", peerId });
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case "init":
        this.#entered(message.data);
        break;
      case "join":
        this.#join(message.peerId, message);
        for (const producer of message.producers ?? []) this.#appeared({ ...producer, peerId: message.peerId });
        break;
      case "leave":
        this.#left(message.peerId);
        break;
      case "produce":
      case "produced":
        // Our own answer carries our requestId; anything else announces somebody's producer.
        if (message.peerId && message.peerId !== this.myPeerId && !message.requestId) {
          this.#appeared({ ...message, id: message.producerId, peerId: message.peerId });
        }
        break;
      case "producerClosed":
        this.#vanished(message.producerId);
        break;
      case "producerPaused":
      case "producerResumed":
        this.#paused(message.producerId, message.type === "producerPaused");
        break;
      case "consumerClosed":
        this.#layers.delete(message.consumerId);
        if (message.producerId) this.#vanished(message.producerId);
        break;
      case "consumerLayersChanged":
        if (message.layers) this.#layers.set(message.consumerId, message.layers);
        else this.#layers.delete(message.consumerId);
        break;
      case "muted":
        this.#muted(message.producerId, message.by);
        break;
      case "audioLevels":
        this.#heard(message.volumes);
        break;
      case "kicked":
        // "requested" is what the server says when nobody gave a reason.
        this.emit("kicked", { by: this.#nameOf(message.by), reason: message.reason === "requested" ? "" : (message.reason ?? "") });
        break;
      case "closing":
        this.emit("closing", { deadlineMs: message.deadlineMs });
        break;
    }
  }

  /**
   * Who is there is taken over at once, since what comes next builds on it; the media follows
   * when what is under way is done.
   */
  #entered(init: InitData): void {
    this.#init = init;
    this.#host = init.host ?? false;
    const resumed = init.resumed === true && this.#media !== null;
    if (!resumed) this.#closeMedia();
    void this.#queue(() => this.#begin(init, resumed));
    this.#meet(init);
  }

  async #begin(init: InitData, resumed: boolean): Promise<void> {
    if (this.#state === "ended" || this.#init !== init) return;
    if (resumed) this.#resume(init);
    else await this.#anew(init);
    if (this.#init !== init || !this.#signaling.open) return;
    this.#set("live");
    this.#media?.send.serverBack();
    this.#media?.recv.serverBack();
  }

  /** Everything of the media is made again: the first time, and after the server gave up on us. */
  async #anew(init: InitData): Promise<void> {
    const device = await (this.#options.device?.() ?? Device.factory());
    const media = await Media.open(device, init, this.#signaling);
    if (this.state === "ended" || this.#init !== init) {
      media.close();
      return;
    }
    this.#media = media;
    this.#monitor = new Monitor();
    for (const line of [media.send, media.recv]) {
      line.on("state", () => this.emit("line", { send: media.send.state, recv: media.recv.state }));
      line.on("hopeless", () => this.#signaling.reopen(false));
    }
    for (const remote of this.#remotes()) void this.#queue(() => this.#consume(remote));
    for (const local of this.#locals.values()) void this.#queue(() => this.#produce(local));
    this.emit("line", { send: media.send.state, recv: media.recv.state });
  }

  /** The media went on without us: only what changed meanwhile is made good. */
  #resume(init: InitData): void {
    const mine = new Map((init.myProducers ?? []).map((producer) => [producer.id, producer]));
    for (const local of this.#locals.values()) {
      const known = local.producer && mine.get(local.producer.id);
      if (!known) {
        local.producer?.close();
        local.producer = null;
        void this.#queue(() => this.#produce(local));
        continue;
      }
      mine.delete(known.id);
      if (local.unsent) this.#applyPause(local);
      else this.#adoptPause(local, known.paused ?? local.paused);
    }
    for (const id of mine.keys()) this.#signaling.send({ type: "closeProducer", producerId: id });
    const received = new Set<string>();
    this.#layers.clear();
    for (const { consumerId, layers } of init.myConsumers ?? []) {
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
      void this.#queue(() => this.#consume(remote));
    }
  }

  /** Takes over who is there and what they send, from an init message. */
  #meet(init: InitData): void {
    for (const id of [...this.#members.keys()]) {
      if (!init.peers.includes(id)) this.#left(id);
    }
    for (const id of init.peers) {
      if (id !== init.myPeerId) this.#join(id, init.peerInfos?.[id] ?? {});
    }
    const present = new Map(init.producers.map((producer) => [producer.id, producer]));
    for (const remote of this.#remotes()) {
      if (!present.has(remote.producerId)) this.#vanished(remote.producerId);
    }
    for (const producer of init.producers) {
      if (producer.peerId === init.myPeerId) continue;
      this.#appeared(producer);
      this.#paused(producer.id, producer.paused ?? false);
    }
    this.emit("peers", null);
  }

  #join(id: string, info: PeerInfo): void {
    const member = this.#members.get(id);
    const displayName = info.displayName || member?.displayName || id.split("@")[0] || id;
    const host = info.host ?? member?.host ?? false;
    if (member) Object.assign(member, { displayName, host });
    else this.#members.set(id, { id, displayName, host, media: [] });
    this.#adaptCamera();
    this.emit("peers", null);
  }

  #left(id: string): void {
    const member = this.#members.get(id);
    if (!member) return;
    for (const remote of member.media) this.#release(remote);
    this.#members.delete(id);
    this.#adaptCamera();
    this.emit("peers", null);
  }

  #appeared(producer: ProducerInfo): void {
    if (!this.#members.has(producer.peerId)) this.#join(producer.peerId, {});
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
    this.emit("peers", null);
    void this.#queue(() => this.#consume(remote));
  }

  #vanished(producerId: string): void {
    for (const member of this.#members.values()) {
      const remote = member.media.find((media) => media.producerId === producerId);
      if (!remote) continue;
      member.media = member.media.filter((media) => media !== remote);
      this.#release(remote);
      this.emit("peers", null);
    }
  }

  #paused(producerId: string, paused: boolean): void {
    const remote = this.#remote(producerId);
    if (!remote || remote.paused === paused) return;
    remote.paused = paused;
    this.emit("peers", null);
  }

  #muted(producerId: string, by: string): void {
    const local = [...this.#locals.values()].find((media) => media.producer?.id === producerId);
    if (!local) return;
    this.#adoptPause(local, true);
    this.emit("muted", { source: local.source, by: this.#nameOf(by) });
  }

  async #produce(local: Local): Promise<void> {
    const media = this.#media;
    const { track, source, paused } = local;
    if (!media || this.#locals.get(source) !== local || local.producer || track?.readyState !== "live") return;
    try {
      if (!media.canProduce(track.kind as Kind)) throw new Error(`this room takes no ${track.kind}`);
      const producer = await media.produce({ source, track, paused });
      if (this.#locals.get(local.source) !== local) {
        this.#closeProducer(producer);
        return;
      }
      local.producer = producer;
      local.unsent = producer.paused !== local.paused;
      if (local.unsent) this.#applyPause(local);
      if (local.source === "camera") this.#adaptCamera();
      this.emit("local", null);
    } catch (error) {
      // A line lost meanwhile brings an init, and with it another try.
      if (this.#signaling.open && media === this.#media) this.emit("failed", { source: local.source, error: error as Error });
    }
  }

  async #consume(remote: Remote, tries = 1): Promise<void> {
    const media = this.#media;
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
        this.#signaling.send({ type: "setPriority", consumerId: consumer.id, priority: SCREEN_PRIORITY });
      }
    } catch (error) {
      // A line lost meanwhile brings an init, and with it another try.
      if (!this.#signaling.open || media !== this.#media) return;
      if (error instanceof SignalingError && error.code === "timeout" && tries < CONSUME_TRIES) {
        void this.#queue(() => this.#consume(remote, tries + 1));
        return;
      }
      // It is of a codec that this browser lacks, for instance: it is shown without.
      remote.failed = true;
    }
    this.emit("peers", null);
  }

  #askForLayer(remote: Remote): void {
    const { consumer, shown, full, asked } = remote;
    if (!consumer || !shown) return;
    const { spatial } = layersOf(consumer);
    if (spatial < 2) return;
    const spatialLayer = layerFor(shown, full, spatial, asked);
    if (spatialLayer === asked) return;
    const sent = this.#signaling.send({ type: "setPreferredLayers", consumerId: consumer.id, spatialLayer });
    remote.asked = sent ? spatialLayer : null;
  }

  #applyPause(local: Local): void {
    const producer = local.producer;
    if (!producer || producer.closed) return;
    if (local.paused) producer.pause();
    else producer.resume();
    const type = local.paused ? "pauseProducer" : "resumeProducer";
    local.unsent = !this.#signaling.send({ type, producerId: producer.id });
  }

  #tellReceiving(remote: Remote): void {
    const { id: consumerId, paused } = remote.consumer ?? {};
    remote.unsent = !this.#signaling.send({ type: paused ? "pauseConsumer" : "resumeConsumer", consumerId });
  }

  /** Follows the server's idea of what is paused. */
  #adoptPause(local: Local, paused: boolean): void {
    if (local.paused === paused) return;
    local.paused = paused;
    if (paused) local.producer?.pause();
    else local.producer?.resume();
    this.emit("local", null);
  }

  #retract(source: Source): boolean {
    const local = this.#locals.get(source);
    if (!local) return false;
    this.#locals.delete(source);
    if (local.producer) this.#closeProducer(local.producer);
    return true;
  }

  #closeProducer(producer: types.Producer): void {
    if (producer.closed) return;
    producer.close();
    this.#signaling.send({ type: "closeProducer", producerId: producer.id });
  }

  #release(remote: Remote): void {
    this.#media?.forget(remote.producerId);
    if (remote.consumer) this.#layers.delete(remote.consumer.id);
    remote.consumer?.close();
    Object.assign(remote, { consumer: null, track: null, failed: false, unsent: false, asked: null });
  }

  #closeMedia(): void {
    for (const remote of this.#remotes()) this.#release(remote);
    for (const local of this.#locals.values()) local.producer = null;
    this.#media?.close();
    this.#media = null;
  }

  #adaptCamera(): void {
    const { producer, track } = this.#locals.get("camera") ?? {};
    const sizes = producer?.rtpParameters.encodings?.length ?? 1;
    if (!producer || producer.closed || !track || sizes < 2) return;
    const highest = highestWorthSending(sizes, sizeOf(track), this.#members.size + 1);
    if (highest === (producer.maxSpatialLayer ?? sizes - 1)) return;
    producer.setMaxSpatialLayer(highest).catch(() => {
      // Not every browser changes this while sending; then the largest is sent for nothing.
    });
  }

  /** What a screen lets hear is not its owner's voice, and ourselves we hear. */
  #heard(volumes: readonly Volume[]): void {
    const before = this.#speakers;
    this.#speakers = this.#speaking.update(volumes.filter(({ producerId }) => this.#remote(producerId)?.source === "mic"));
    if (this.#speakers !== before) this.emit("speaking", this.#speakers);
  }

  async #sample(): Promise<void> {
    const media = this.#media;
    const reports = await media?.stats().catch(() => null);
    if (!reports || media !== this.#media) return;
    this.emit("figures", this.#monitor.figures(reports, [...this.#locals.values()], this.#received(), Date.now()));
  }

  #received(): Received[] {
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

  #lost(): void {
    this.#heard([]);
    if (this.#state === "live") this.#set("reconnecting");
  }

  #end(reason: EndReason): void {
    if (this.#state === "ended") return;
    clearInterval(this.#sampling);
    this.#closeMedia();
    this.#members.clear();
    this.#set("ended");
    this.emit("ended", reason);
  }

  #set(state: CallState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.emit("state", state);
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }

  #remotes(): Remote[] {
    return [...this.#members.values()].flatMap((member) => member.media);
  }

  #remote(producerId: string): Remote | undefined {
    return this.#remotes().find((remote) => remote.producerId === producerId);
  }

  #nameOf(peerId: string): string {
    return this.#members.get(peerId)?.displayName ?? peerId.split("@")[0] ?? peerId;
  }
}

/** What is asked for of a picture before it is known in how many sizes it comes. */
const USUAL_LAYERS = 3;

function layersOf(consumer: types.Consumer | null): LayerCount {
  return layersIn(consumer?.rtpParameters.encodings?.[0]?.scalabilityMode);
}
