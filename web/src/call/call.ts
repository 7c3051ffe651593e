/**
 * A call as this browser takes part in it: connecting, publishing, receiving everybody,
 * and coming back after whatever breaks. It knows no page: it neither shows nor captures
 * anything, and is told by its owner when the network changed.
 *
 * Not for two calls: an ended Call stays ended.
 */
import { Device, type types } from "mediasoup-client";
import { Emitter } from "./emitter";
import type { Bond, CallEvents, CallState } from "./events";
import { Incoming } from "./incoming";
import type { Size } from "./layers";
import { Media } from "./media";
import { Monitor, type Figures } from "./monitor";
import { Outgoing } from "./outgoing";
import type { LocalMedia, Peer, RemoteMedia } from "./people";
import type { EndReason, InitData, Kind, ServerMessage, Source } from "./protocol";
import { explain, query, Signaling, type Socket } from "./signaling";

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

export type { CallEvents, CallState, EndReason, Figures, LocalMedia, Peer, RemoteMedia };

const FIGURES_MS = 2_000;

export class Call extends Emitter<CallEvents> {
  readonly #options: CallOptions;
  readonly #signaling: Signaling;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  #monitor = new Monitor();
  #state: CallState = "idle";
  #media: Media | null = null;
  #init: InitData | null = null;
  #host = false;
  #floor = "";
  #work: Promise<void> = Promise.resolve();
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
    const bond = this.#bond();
    this.#outgoing = new Outgoing(bond);
    this.#incoming = new Incoming(bond);
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
    return this.#incoming.peers;
  }

  get local(): readonly LocalMedia[] {
    return this.#outgoing.media;
  }

  /** Who has the floor, empty before anybody has spoken. */
  get floor(): string {
    return this.#floor;
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
    return this.#outgoing.publish(source, track, paused);
  }

  /** Ends a source: the others see it go. The track is its owner's to stop. */
  unpublish(source: Source): void {
    this.#outgoing.unpublish(source);
  }

  /** Switches a source off or on: the others are told, and nothing is sent meanwhile. */
  setPaused(source: Source, paused: boolean): void {
    this.#outgoing.setPaused(source, paused);
  }

  /** Sends another track in place of a source's, or none for now: the others keep what they receive it by. */
  replaceTrack(source: Source, track: MediaStreamTrack | null): Promise<void> {
    return this.#outgoing.replaceTrack(source, track);
  }

  /** Stops or goes on receiving one of the others' producers. */
  setReceiving(producerId: string, receiving: boolean): void {
    this.#incoming.setReceiving(producerId, receiving);
  }

  /** Tells how large a picture is shown, in pixels of the device: no more than that is asked for. */
  setShown(producerId: string, shown: Size): void {
    this.#incoming.setShown(producerId, shown);
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
    const incoming = this.#incoming;
    switch (message.type) {
      case "init":
        this.#entered(message.data);
        break;
      case "join":
        incoming.joined(message.peerId, message);
        for (const producer of message.producers ?? []) incoming.appeared({ ...producer, peerId: message.peerId });
        break;
      case "leave":
        incoming.left(message.peerId);
        break;
      case "produce":
      case "produced":
        // Our own answer carries our requestId; anything else announces somebody's producer.
        if (message.peerId && message.peerId !== this.myPeerId && !message.requestId) {
          incoming.appeared({ ...message, id: message.producerId, peerId: message.peerId });
        }
        break;
      case "producerClosed":
        incoming.vanished(message.producerId);
        break;
      case "producerPaused":
      case "producerResumed":
        incoming.paused(message.producerId, message.type === "producerPaused");
        break;
      case "consumerClosed":
        incoming.layersChanged(message.consumerId, null);
        if (message.producerId) incoming.vanished(message.producerId);
        break;
      case "consumerLayersChanged":
        incoming.layersChanged(message.consumerId, message.layers);
        break;
      case "producerLayersWanted":
        this.#outgoing.want(message.producerId, message.wantedSpatialLayer);
        break;
      case "muted":
        this.#muted(message.producerId, message.by);
        break;
      case "audioLevels":
        incoming.heard(message.volumes);
        break;
      case "activeSpeaker":
        this.#floorTaken(message.peerId);
        break;
      case "kicked":
        // "requested" is what the server says when nobody gave a reason.
        this.emit("kicked", { by: incoming.nameOf(message.by), reason: message.reason === "requested" ? "" : (message.reason ?? "") });
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
    this.#incoming.meet(init);
    this.#floorTaken(init.activeSpeaker?.peerId ?? "");
  }

  async #begin(init: InitData, resumed: boolean): Promise<void> {
    if (this.#state === "ended" || this.#init !== init) return;
    if (resumed) {
      this.#outgoing.resume(init.myProducers ?? []);
      this.#incoming.resume(init.myConsumers ?? []);
    } else await this.#anew(init);
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
    this.#incoming.begin();
    this.#outgoing.begin();
    this.emit("line", { send: media.send.state, recv: media.recv.state });
  }

  #muted(producerId: string, by: string): void {
    const source = this.#outgoing.muted(producerId);
    if (source) this.emit("muted", { source, by: this.#incoming.nameOf(by) });
  }

  #floorTaken(peerId: string): void {
    if (this.#floor === peerId) return;
    this.#floor = peerId;
    this.emit("floor", peerId);
  }

  #closeMedia(): void {
    this.#incoming.end();
    this.#outgoing.end();
    this.#media?.close();
    this.#media = null;
  }

  async #sample(): Promise<void> {
    const media = this.#media;
    const reports = await media?.stats().catch(() => null);
    if (!reports || media !== this.#media) return;
    this.emit("figures", this.#monitor.figures(reports, this.#outgoing.sent(), this.#incoming.received(), Date.now()));
  }

  #lost(): void {
    this.#incoming.heard([]);
    if (this.#state === "live") this.#set("reconnecting");
  }

  #end(reason: EndReason): void {
    if (this.#state === "ended") return;
    clearInterval(this.#sampling);
    this.#closeMedia();
    this.#incoming.clear();
    this.#set("ended");
    this.emit("ended", reason);
  }

  #set(state: CallState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.emit("state", state);
  }

  #queue(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }

  #bond(): Bond {
    const media = () => this.#media;
    return {
      signaling: this.#signaling,
      get media() {
        return media();
      },
      queue: (work) => this.#queue(work),
      tell: (name, value) => this.emit(name, value),
    };
  }
}
