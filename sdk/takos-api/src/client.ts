import { Connection, KEEP_ALIVE, type Closed } from "./connection.js";
import { TakosCallError } from "./error.js";
import {
  OBJECT_EVENTS,
  Router,
  Worker,
  type Described,
  type RouterSnapshot,
  type WorkerInfo,
  type WorkerOptions,
  type WorkerSnapshot,
} from "./objects.js";
import type {
  ApiEvents,
  Commands,
  ConsumerInfo,
  ConsumerOptions,
  DataConsumerInfo,
  DataConsumerOptions,
  DataProducerInfo,
  DataProducerOptions,
  Direction,
  Invitation,
  Layers,
  InvitationRequest,
  PeerInfo,
  PeerOptions,
  PreferredLayers,
  ProducerInfo,
  ProducerOptions,
  RoomInfo,
  RoomOptions,
  SctpStreamParameters,
  ServerInfo,
  ServerMessage,
  SubscribeOptions,
  Stats,
  Token,
  TokenRequest,
  TransportInfo,
  TransportOptions,
} from "./protocol.js";
import type { DtlsParameters, IceParameters, MediaKind, RtpCapabilities, RtpParameters } from "./rtp.js";

/** How a client behaves; all times are in milliseconds. */
export interface ClientOptions {
  /** Whether a lost connection is opened again. Default true. */
  autoReconnect?: boolean;
  /** The wait before the first attempt, which then doubles. Default 1000. */
  reconnectInterval?: number;
  /** The longest wait between two attempts. Default 30000. */
  maxReconnectInterval?: number;
  /** How often it is tried before it is given up. Default: for ever. */
  maxReconnectAttempts?: number;
  /** How long a command may take, waiting for the connection included. Default 10000. */
  requestTimeout?: number;
  /** After how long a silence the connection is tested; 0 never does. Default 15000. */
  keepAliveInterval?: number;
}

export interface ClientConfig extends ClientOptions {
  /** For instance wss://call.example.org/takos-api. */
  url: string;
  apiKey?: string;
}

/** The events of a client, with what each carries. */
export interface ClientEvents extends ApiEvents {
  /** The connection stands, for the first time or again. */
  connected: null;
  /** The connection is gone. */
  disconnected: Closed;
  /** It will be tried again, for the nth time, in inMs. */
  reconnecting: { attempt: number; inMs: number };
  /** An attempt to connect failed. */
  error: TakosCallError;
  /** After a reconnection: how things of a worker are now whose events come here; what happened meanwhile is not told. */
  workerAttached: WorkerSnapshot;
  /** The same of a router that attach() was called for. One that is gone is told by router.closed, without a reason. */
  routerAttached: RouterSnapshot;
  /** Whatever the server sent: answers and events, those included that are new to this client. */
  message: ServerMessage;
}

const EVENTS: ReadonlySet<string> = new Set<keyof ApiEvents>([
  "roomCreated",
  "roomClosed",
  "peerAdded",
  "peerClosed",
  "transportCreated",
  "transportClosed",
  "producerCreated",
  "producerClosed",
  "consumerCreated",
  "consumerClosed",
  "dataProducerCreated",
  "dataProducerPaused",
  "dataProducerResumed",
  "dataProducerClosed",
  "dataConsumerCreated",
  "dataConsumerClosed",
  "activeSpeaker",
  "audioLevels",
  "consumerLayersChanged",
  "consumerScore",
  "producerScore",
  "producerLayersWanted",
  ...OBJECT_EVENTS,
]);

/**
 * Drives a takos-call server from a backend (or from a page that may have an API key).
 *
 * Each command is a method that resolves with its answer's data, or rejects with a
 * TakosCallError whose code says why. A command given while there is no connection waits for
 * it; one whose connection is lost before its answer rejects with CONNECTION_LOST and is not
 * repeated, because it may have been carried out.
 */
export class TakosCallClient {
  readonly #connection: Connection;
  readonly #listeners = new Map<string, Set<(data: never) => void>>();
  #subscription: Commands["subscribe"][0] | null = null;
  /** What to attach to again after a reconnection, by id. */
  readonly #attached = new Map<string, "worker" | "router">();

  constructor(config: ClientConfig);
  constructor(url: string, apiKey?: string, options?: ClientOptions);
  constructor(first: ClientConfig | string, apiKey?: string, options: ClientOptions = {}) {
    const config = typeof first === "string" ? { ...options, url: first, apiKey } : first;
    this.#connection = new Connection(
      {
        url: new URL(config.url),
        apiKey: config.apiKey ?? "",
        autoReconnect: config.autoReconnect ?? true,
        reconnectInterval: config.reconnectInterval ?? 1_000,
        maxReconnectInterval: config.maxReconnectInterval ?? 30_000,
        maxReconnectAttempts: config.maxReconnectAttempts ?? Infinity,
        requestTimeout: config.requestTimeout ?? 10_000,
        keepAliveInterval: config.keepAliveInterval ?? 15_000,
      },
      {
        connected: () => this.#connected(),
        disconnected: (closed) => this.#emit("disconnected", closed),
        reconnecting: (attempt, inMs) => this.#emit("reconnecting", { attempt, inMs }),
        failed: (error) => this.#emit("error", error),
        received: (message) => this.#received(message),
      },
    );
  }

  /** Whether the connection stands. */
  get isConnected(): boolean {
    return this.#connection.open;
  }

  /**
   * Opens the connection. Rejects when the first attempt fails, which autoReconnect goes on
   * repeating all the same, unless the server refuses the key or the address.
   */
  connect(): Promise<void> {
    return this.#connection.connect();
  }

  /** Closes the connection and leaves it closed. Commands under way reject with DISCONNECTED. */
  disconnect(): void {
    this.#connection.disconnect();
  }

  on<Name extends keyof ClientEvents>(event: Name, callback: (data: ClientEvents[Name]) => void): void {
    const callbacks = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, callbacks);
    callbacks.add(callback);
  }

  /** Removes a callback, or all of that event. */
  off<Name extends keyof ClientEvents>(event: Name, callback?: (data: ClientEvents[Name]) => void): void {
    if (callback) this.#listeners.get(event)?.delete(callback);
    else this.#listeners.delete(event);
  }

  /** Sends any command; the methods below do it for each. */
  async request<Name extends keyof Commands>(command: Name, data: Commands[Name][0]): Promise<Commands[Name][1]> {
    const answer = await this.#connection.request(command, data);
    this.#noteAttachment(command, data, answer);
    return answer as Commands[Name][1];
  }

  /** Makes a room, which stays until it is closed. One that exists is an error, ROOM_EXISTS. */
  createRoom(roomId: string, options: RoomOptions = {}): Promise<RoomInfo> {
    return this.request("createRoom", { roomId, options });
  }

  closeRoom(roomId: string): Promise<void> {
    return this.request("closeRoom", { roomId });
  }

  /** Null if there is no such room; likewise with the others of the get…Info. */
  getRoomInfo(roomId: string): Promise<RoomInfo | null> {
    return this.request("getRoomInfo", { roomId });
  }

  async getAllRooms(): Promise<RoomInfo[]> {
    return (await this.request("getAllRooms", {})).rooms;
  }

  /** What clients load their mediasoup-client Device with. */
  async getRouterRtpCapabilities(roomId: string): Promise<RtpCapabilities> {
    return (await this.request("getRouterRtpCapabilities", { roomId })).rtpCapabilities;
  }

  addPeer(roomId: string, peerId: string, options: PeerOptions = {}): Promise<PeerInfo> {
    return this.request("addPeer", { roomId, peerId, options });
  }

  removePeer(roomId: string, peerId: string): Promise<void> {
    return this.request("removePeer", { roomId, peerId });
  }

  /** Removes a peer and tells why, to whoever was removed and in the event. */
  kick(roomId: string, peerId: string, reason?: string): Promise<void> {
    return this.request("removePeer", { roomId, peerId, ...(reason ? { reason } : {}) });
  }

  getPeerInfo(roomId: string, peerId: string): Promise<PeerInfo | null> {
    return this.request("getPeerInfo", { roomId, peerId });
  }

  /** The direction is the client's: "send" for producers, "recv" for consumers. */
  async createTransport(
    roomId: string,
    peerId: string,
    direction: Direction,
    options: TransportOptions = {},
  ): Promise<TransportInfo> {
    return this.request("createTransport", { roomId, peerId, direction, options });
  }

  /** Hands over what mediasoup-client's transport gave to its connect event. */
  connectTransport(roomId: string, peerId: string, transportId: string, dtlsParameters: DtlsParameters): Promise<void> {
    return this.request("connectTransport", { roomId, peerId, transportId, dtlsParameters });
  }

  /** The answer goes to the restartIce of mediasoup-client's transport. */
  async restartIce(roomId: string, peerId: string, transportId: string): Promise<IceParameters> {
    return (await this.request("restartIce", { roomId, peerId, transportId })).iceParameters;
  }

  /** Limits what the client is asked to send, in bits per second; 0 is no limit. */
  setMaxIncomingBitrate(roomId: string, peerId: string, transportId: string, bitrate: number): Promise<void> {
    return this.request("setMaxIncomingBitrate", { roomId, peerId, transportId, bitrate });
  }

  /** Limits what the client is sent, in bits per second; 0 is no limit. */
  setMaxOutgoingBitrate(roomId: string, peerId: string, transportId: string, bitrate: number): Promise<void> {
    return this.request("setMaxOutgoingBitrate", { roomId, peerId, transportId, bitrate });
  }

  /** Has so many bits per second sent, however narrow the client's line seems; 0 is the default. */
  setMinOutgoingBitrate(roomId: string, peerId: string, transportId: string, bitrate: number): Promise<void> {
    return this.request("setMinOutgoingBitrate", { roomId, peerId, transportId, bitrate });
  }

  closeTransport(roomId: string, peerId: string, transportId: string): Promise<void> {
    return this.request("closeTransport", { roomId, peerId, transportId });
  }

  getTransportInfo(roomId: string, peerId: string, transportId: string): Promise<TransportInfo | null> {
    return this.request("getTransportInfo", { roomId, peerId, transportId });
  }

  async getTransportStats(roomId: string, peerId: string, transportId: string): Promise<Stats[]> {
    return (await this.request("getTransportStats", { roomId, peerId, transportId })).stats;
  }

  createProducer(
    roomId: string,
    peerId: string,
    transportId: string,
    kind: MediaKind,
    rtpParameters: RtpParameters,
    options: ProducerOptions = {},
  ): Promise<ProducerInfo> {
    return this.request("createProducer", { roomId, peerId, transportId, kind, rtpParameters, ...options });
  }

  pauseProducer(roomId: string, peerId: string, producerId: string): Promise<void> {
    return this.request("pauseProducer", { roomId, peerId, producerId });
  }

  resumeProducer(roomId: string, peerId: string, producerId: string): Promise<void> {
    return this.request("resumeProducer", { roomId, peerId, producerId });
  }

  /** Pauses a producer and lets its owner know, who may resume it. */
  muteProducer(roomId: string, peerId: string, producerId: string): Promise<void> {
    return this.request("muteProducer", { roomId, peerId, producerId });
  }

  closeProducer(roomId: string, peerId: string, producerId: string): Promise<void> {
    return this.request("closeProducer", { roomId, peerId, producerId });
  }

  getProducerInfo(roomId: string, peerId: string, producerId: string): Promise<ProducerInfo | null> {
    return this.request("getProducerInfo", { roomId, peerId, producerId });
  }

  async getProducerStats(roomId: string, peerId: string, producerId: string): Promise<Stats[]> {
    return (await this.request("getProducerStats", { roomId, peerId, producerId })).stats;
  }

  /** It runs at once, unless paused. What the peer cannot receive is an error, CONSUMER_ERROR. */
  createConsumer(
    roomId: string,
    peerId: string,
    transportId: string,
    producerId: string,
    rtpCapabilities: RtpCapabilities,
    options: ConsumerOptions = {},
  ): Promise<ConsumerInfo> {
    return this.request("createConsumer", { roomId, peerId, transportId, producerId, rtpCapabilities, ...options });
  }

  pauseConsumer(roomId: string, peerId: string, consumerId: string): Promise<void> {
    return this.request("pauseConsumer", { roomId, peerId, consumerId });
  }

  /** Video begins with a keyframe. */
  resumeConsumer(roomId: string, peerId: string, consumerId: string): Promise<void> {
    return this.request("resumeConsumer", { roomId, peerId, consumerId });
  }

  requestKeyFrame(roomId: string, peerId: string, consumerId: string): Promise<void> {
    return this.request("requestKeyFrame", { roomId, peerId, consumerId });
  }

  /**
   * Limits which layers of simulcast or SVC are sent. Beyond what there is means the highest there
   * is; the answer is what is in force, null for a consumer without layers.
   */
  async setConsumerPreferredLayers(roomId: string, peerId: string, consumerId: string, layers: PreferredLayers): Promise<Layers | null> {
    return (await this.request("setConsumerPreferredLayers", { roomId, peerId, consumerId, ...layers })).preferredLayers;
  }

  /** Says what comes first where a client's line cannot carry all in full: 1, as to begin with, to 255. */
  setConsumerPriority(roomId: string, peerId: string, consumerId: string, priority: number): Promise<void> {
    return this.request("setConsumerPriority", { roomId, peerId, consumerId, priority });
  }

  closeConsumer(roomId: string, peerId: string, consumerId: string): Promise<void> {
    return this.request("closeConsumer", { roomId, peerId, consumerId });
  }

  getConsumerInfo(roomId: string, peerId: string, consumerId: string): Promise<ConsumerInfo | null> {
    return this.request("getConsumerInfo", { roomId, peerId, consumerId });
  }

  async getConsumerStats(roomId: string, peerId: string, consumerId: string): Promise<Stats[]> {
    return (await this.request("getConsumerStats", { roomId, peerId, consumerId })).stats;
  }

  /** The parameters, label and protocol come with mediasoup-client's producedata event. */
  createDataProducer(
    roomId: string,
    peerId: string,
    transportId: string,
    sctpStreamParameters: SctpStreamParameters,
    options: DataProducerOptions = {},
  ): Promise<DataProducerInfo> {
    return this.request("createDataProducer", { roomId, peerId, transportId, sctpStreamParameters, ...options });
  }

  pauseDataProducer(roomId: string, peerId: string, dataProducerId: string): Promise<void> {
    return this.request("pauseDataProducer", { roomId, peerId, dataProducerId });
  }

  resumeDataProducer(roomId: string, peerId: string, dataProducerId: string): Promise<void> {
    return this.request("resumeDataProducer", { roomId, peerId, dataProducerId });
  }

  closeDataProducer(roomId: string, peerId: string, dataProducerId: string): Promise<void> {
    return this.request("closeDataProducer", { roomId, peerId, dataProducerId });
  }

  getDataProducerInfo(roomId: string, peerId: string, dataProducerId: string): Promise<DataProducerInfo | null> {
    return this.request("getDataProducerInfo", { roomId, peerId, dataProducerId });
  }

  async getDataProducerStats(roomId: string, peerId: string, dataProducerId: string): Promise<Stats[]> {
    return (await this.request("getDataProducerStats", { roomId, peerId, dataProducerId })).stats;
  }

  /** What it answers is handed to mediasoup-client's consumeData. */
  createDataConsumer(
    roomId: string,
    peerId: string,
    transportId: string,
    dataProducerId: string,
    options: DataConsumerOptions = {},
  ): Promise<DataConsumerInfo> {
    return this.request("createDataConsumer", { roomId, peerId, transportId, dataProducerId, ...options });
  }

  /** Messages of the meantime are lost to the peer. */
  pauseDataConsumer(roomId: string, peerId: string, dataConsumerId: string): Promise<void> {
    return this.request("pauseDataConsumer", { roomId, peerId, dataConsumerId });
  }

  resumeDataConsumer(roomId: string, peerId: string, dataConsumerId: string): Promise<void> {
    return this.request("resumeDataConsumer", { roomId, peerId, dataConsumerId });
  }

  /** Sends a text of the backend's own, or bytes as base64 with binary; answers how many bytes wait then. */
  async sendData(roomId: string, peerId: string, dataConsumerId: string, message: string, binary = false): Promise<number> {
    return (await this.request("sendData", { roomId, peerId, dataConsumerId, message, binary })).bufferedAmount;
  }

  closeDataConsumer(roomId: string, peerId: string, dataConsumerId: string): Promise<void> {
    return this.request("closeDataConsumer", { roomId, peerId, dataConsumerId });
  }

  getDataConsumerInfo(roomId: string, peerId: string, dataConsumerId: string): Promise<DataConsumerInfo | null> {
    return this.request("getDataConsumerInfo", { roomId, peerId, dataConsumerId });
  }

  async getDataConsumerStats(roomId: string, peerId: string, dataConsumerId: string): Promise<Stats[]> {
    return (await this.request("getDataConsumerStats", { roomId, peerId, dataConsumerId })).stats;
  }

  /** Makes a token with which one user enters one call, for /_takos/v2/call. */
  createToken(wish: TokenRequest): Promise<Token> {
    return this.request("createToken", wish);
  }

  revokeToken(token: string): Promise<void> {
    return this.request("revokeToken", { token });
  }

  /** Makes a link that people pass on, and that each exchanges for a token. */
  createInvitation(wish: InvitationRequest = {}): Promise<Invitation> {
    return this.request("createInvitation", wish);
  }

  revokeInvitation(invitation: string): Promise<void> {
    return this.request("revokeInvitation", { invitation });
  }

  /** Chooses the rooms whose events come; the choice is repeated after each reconnection. */
  async subscribe(roomIds: string[] | "*", options: SubscribeOptions = {}): Promise<void> {
    const subscription = { roomIds, ...options };
    await this.request("subscribe", subscription);
    this.#subscription = subscription;
  }

  /**
   * Makes a worker: routers that belong together, are owned by the API key, and end together. Its events
   * come over this connection, and again after a reconnection.
   */
  async createWorker(options: WorkerOptions = {}): Promise<Described<Worker>> {
    const info = await this.request("worker.create", options);
    return new Worker(this, { workerId: info.id }, info) as Described<Worker>;
  }

  /** The workers that the key may use, the oldest first. */
  async getWorkers(): Promise<WorkerInfo[]> {
    return (await this.request("worker.list", {})).workers;
  }

  /** A handle made from an id. The server is not asked. */
  worker(workerId: string): Worker {
    return new Worker(this, { workerId });
  }

  /** A handle made from an id. The server is not asked. */
  router(routerId: string): Router {
    return new Router(this, { routerId });
  }

  /** Takes hold of the router of a room. Its events come after its attach(). */
  async getRoomRouter(roomId: string): Promise<Described<Router>> {
    const info = await this.request("room.getRouter", { roomId });
    return new Router(this, { routerId: info.id }, info) as Described<Router>;
  }

  getServerInfo(): Promise<ServerInfo> {
    return this.request("getServerInfo", {});
  }

  #connected(): void {
    // Until the server has read it all events come, so none that is wanted is missed.
    if (this.#subscription) {
      this.request("subscribe", this.#subscription).catch((error: TakosCallError) => this.#emit("error", error));
    }
    for (const [id, kind] of this.#attached) void this.#attachAgain(id, kind);
    this.#emit("connected", null);
  }

  #noteAttachment(command: string, data: object, answer: unknown): void {
    const { workerId, routerId } = data as { workerId: string; routerId: string };
    switch (command) {
      case "worker.create":
        this.#attached.set((answer as WorkerInfo).id, "worker");
        break;
      case "worker.attach":
        this.#attached.set(workerId, "worker");
        break;
      case "router.attach":
        this.#attached.set(routerId, "router");
        break;
      case "worker.detach":
      case "worker.close":
        this.#attached.delete(workerId);
        break;
      case "router.detach":
      case "router.close":
        this.#attached.delete(routerId);
    }
  }

  async #attachAgain(id: string, kind: "worker" | "router"): Promise<void> {
    try {
      if (kind === "worker") this.#emit("workerAttached", await this.request("worker.attach", { workerId: id }));
      else this.#emit("routerAttached", await this.request("router.attach", { routerId: id }));
    } catch (error) {
      const { code } = error as TakosCallError;
      if (code === "WORKER_NOT_FOUND") this.#closed("worker.closed", id, { workerId: id });
      else if (code === "ROUTER_NOT_FOUND") this.#closed("router.closed", id, { routerId: id, reason: "" });
      else this.#emit("error", error as TakosCallError);
    }
  }

  #closed<Name extends "worker.closed" | "router.closed">(event: Name, id: string, data: ClientEvents[Name]): void {
    this.#attached.delete(id);
    this.#emit(event, data);
  }

  #received(message: ServerMessage): void {
    if (message.type === "response" && message.id === KEEP_ALIVE) return;
    if (message.type === "event" && EVENTS.has(message.data?.event)) {
      const { event, ...data } = message.data;
      if (event === "worker.closed") this.#attached.delete(data.workerId as string);
      if (event === "router.closed") this.#attached.delete(data.routerId as string);
      this.#emit(event as keyof ApiEvents, data as never);
    }
    this.#emit("message", message);
  }

  /** A callback that throws is reported as an uncaught error, and the others still hear. */
  #emit<Name extends keyof ClientEvents>(event: Name, data: ClientEvents[Name]): void {
    for (const callback of [...(this.#listeners.get(event) ?? [])]) {
      try {
        (callback as (data: ClientEvents[Name]) => void)(data);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
