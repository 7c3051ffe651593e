import { checkAppData, type AppData } from "./appData";
import { Channel } from "./channel";
import { clone } from "./clone";
import type { Connection, EventData, Request, User } from "./connection";
import { EnhancedEventEmitter } from "./enhancedEvents";
import { listenInfoOf } from "./listen";
import { Logger } from "./logger";
import { RouterImpl, type RouterInfo, type RouterOptions, type RouterSnapshot } from "./router";
import { WebRtcServerImpl, type WebRtcServerInfo, type WebRtcServerOptions } from "./webRtcServer";

export type WorkerLogLevel = "debug" | "warn" | "error" | "none";

export type WorkerLogTag =
  | "info"
  | "ice"
  | "dtls"
  | "rtp"
  | "srtp"
  | "rtcp"
  | "rtx"
  | "bwe"
  | "score"
  | "simulcast"
  | "svc"
  | "sctp"
  | "message";

export type WorkerSettings<WorkerAppData extends AppData = AppData> = {
  /** "error" by default. */
  logLevel?: WorkerLogLevel;
  logTags?: WorkerLogTag[];
  /** The lowest port for sockets that are given none. @deprecated Use portRange of a listen info. */
  rtcMinPort?: number;
  /** The highest. @deprecated Use portRange of a listen info. */
  rtcMaxPort?: number;
  /** A file of this machine, in PEM; its contents are sent to the server. */
  dtlsCertificateFile?: string;
  /** Likewise. */
  dtlsPrivateKeyFile?: string;
  /** Means nothing here: the server is already running. */
  workerBin?: string;
  libwebrtcFieldTrials?: string;
  appData?: WorkerAppData;
};

export type WorkerUpdateableSettings<T extends AppData = AppData> = Pick<WorkerSettings<T>, "logLevel" | "logTags">;

/** What the server's process has used, in the words of getrusage(2). Times are in ms. */
export type WorkerResourceUsage = {
  ru_utime: number;
  ru_stime: number;
  ru_maxrss: number;
  ru_ixrss: number;
  ru_idrss: number;
  ru_isrss: number;
  ru_minflt: number;
  ru_majflt: number;
  ru_nswap: number;
  ru_inblock: number;
  ru_oublock: number;
  ru_msgsnd: number;
  ru_msgrcv: number;
  ru_nsignals: number;
  ru_nvcsw: number;
  ru_nivcsw: number;
};

export type WorkerDump = {
  pid: number;
  webRtcServerIds: string[];
  routerIds: string[];
  channelMessageHandlers: {
    channelRequestHandlers: string[];
    channelNotificationHandlers: string[];
  };
};

export type WorkerEvents = {
  died: [Error];
  subprocessclose: [];
};

export type WorkerObserver = EnhancedEventEmitter<WorkerObserverEvents>;

export type WorkerObserverEvents = {
  close: [];
  newwebrtcserver: [WebRtcServerImpl];
  newrouter: [RouterImpl];
};

/** What the server says of a worker. */
export interface WorkerInfo {
  id: string;
  pid: number;
}

/** What the server says of a worker and all that is in it. */
interface WorkerSnapshot {
  worker: WorkerInfo;
  webRtcServers?: WebRtcServerInfo[];
  routers?: RouterSnapshot[];
}

const logger = new Logger("Worker");
const serverLogger = new Logger("Server");

/** Routers and WebRTC servers that end together: with this object, or with the connection for longer than the grace. */
export class WorkerImpl<WorkerAppData extends AppData = AppData> extends EnhancedEventEmitter<WorkerEvents> implements User {
  readonly #connection: Connection;
  readonly #channel: Channel;
  readonly #info: WorkerInfo;
  readonly #webRtcServers = new Map<string, WebRtcServerImpl>();
  readonly #routers = new Map<string, RouterImpl>();
  readonly #observer: WorkerObserver = new EnhancedEventEmitter();
  #appData: WorkerAppData;
  #closed = false;
  #died = false;
  #subprocessClosed = false;

  /** @internal */
  constructor(connection: Connection, info: WorkerInfo, appData: WorkerAppData | undefined) {
    super();
    this.#connection = connection;
    this.#channel = new Channel(connection);
    this.#info = info;
    this.#appData = appData ?? ({} as WorkerAppData);
    connection.add(this);
    this.on("listenererror", (name, error) => logger.error(`a listener of worker "${name}" threw`, error));
  }

  /** Of the server's process, on the server's machine. */
  get pid(): number {
    return this.#info.pid;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The server has closed the worker, or cannot be reached any more. */
  get died(): boolean {
    return this.#died;
  }

  /** The server has nothing of the worker any more. */
  get subprocessClosed(): boolean {
    return this.#subprocessClosed;
  }

  get appData(): WorkerAppData {
    return this.#appData;
  }

  set appData(appData: WorkerAppData) {
    this.#appData = appData;
  }

  get observer(): WorkerObserver {
    return this.#observer;
  }

  close(): void {
    if (this.#closed) return;
    logger.debug("close()");
    this.#end();
    const gone = () => {
      this.#subprocessClosed = true;
      this.safeEmit("subprocessclose");
    };
    this.#connection.request("worker.close", { workerId: this.#info.id }).then(gone, gone);
    this.#connection.delete(this);
    this.#observer.safeEmit("close");
  }

  dump(): Promise<WorkerDump> {
    return this.#request("dump");
  }

  getResourceUsage(): Promise<WorkerResourceUsage> {
    return this.#request("getResourceUsage");
  }

  async updateSettings({ logLevel, logTags }: WorkerUpdateableSettings<WorkerAppData> = {}): Promise<void> {
    await this.#request("updateSettings", { logLevel, logTags });
  }

  async createWebRtcServer<WebRtcServerAppData extends AppData = AppData>({
    listenInfos,
    appData,
  }: WebRtcServerOptions<WebRtcServerAppData>): Promise<WebRtcServerImpl<WebRtcServerAppData>> {
    checkAppData(appData);
    if (!Array.isArray(listenInfos)) throw new TypeError("listenInfos must be an array");
    const { id } = await this.#request<WebRtcServerInfo>("createWebRtcServer", { listenInfos: listenInfos.map(listenInfoOf) });
    const server = new WebRtcServerImpl({ channel: this.#channel, address: { workerId: this.#info.id }, id, appData });
    this.#webRtcServers.set(id, server as unknown as WebRtcServerImpl);
    server.ended = () => this.#webRtcServers.delete(id);
    this.#observer.safeEmit("newwebrtcserver", server as unknown as WebRtcServerImpl);
    if (this.#closed) server.workerClosed();
    return server;
  }

  async createRouter<RouterAppData extends AppData = AppData>({
    mediaCodecs,
    appData,
  }: RouterOptions<RouterAppData> = {}): Promise<RouterImpl<RouterAppData>> {
    checkAppData(appData);
    const info = await this.#request<RouterInfo>("createRouter", { mediaCodecs: clone(mediaCodecs) });
    const router = new RouterImpl({ channel: this.#channel, address: {}, id: info.id, appData }, info);
    this.#routers.set(info.id, router as unknown as RouterImpl);
    router.ended = () => this.#routers.delete(info.id);
    this.#observer.safeEmit("newrouter", router as unknown as RouterImpl);
    if (this.#closed) router.workerClosed();
    return router;
  }

  /** @internal */
  event(data: EventData): void {
    const [kind = "", name = ""] = data.event.split(".");
    if (typeof data.routerId === "string") this.#routers.get(data.routerId)?.route(kind, name, data);
    else if (data.workerId !== this.#info.id) return;
    else if (kind === "webRtcServer") this.#webRtcServers.get(String(data.webRtcServerId))?.handle(name, data);
    else if (name === "log") logOfServer(data);
    else if (name === "closed") this.#die(new Error("the server closed the worker"));
  }

  /** @internal */
  async restore(request: Request): Promise<void> {
    try {
      this.#refresh(await request<WorkerSnapshot>("worker.attach", { workerId: this.#info.id }));
    } catch (error) {
      // If the connection is lost again, it will come back here.
      if ((error as Error).name !== "ConnectionLostError") this.lost(error as Error);
    }
  }

  #refresh({ webRtcServers = [], routers = [] }: WorkerSnapshot): void {
    const snapshots = new Map(routers.map((snapshot) => [snapshot.router.id, snapshot]));
    for (const [id, router] of this.#routers) {
      const snapshot = snapshots.get(id);
      if (snapshot) router.refresh(snapshot);
      else router.handle("closed", { event: "router.closed" });
    }
    // What nobody here knows of was made by commands whose answers were lost.
    for (const routerId of snapshots.keys()) if (!this.#routers.has(routerId)) this.#channel.tell("router.close", { routerId });
    const there = new Set(webRtcServers.map(({ id }) => id));
    for (const [id, server] of this.#webRtcServers) if (!there.has(id)) server.handle("closed", { event: "webRtcServer.closed" });
    for (const webRtcServerId of there) {
      if (!this.#webRtcServers.has(webRtcServerId)) this.#channel.tell("webRtcServer.close", { workerId: this.#info.id, webRtcServerId });
    }
  }

  /** @internal */
  lost(error: Error): void {
    this.#die(error);
  }

  #die(error: Error): void {
    if (this.#closed) return;
    logger.error("the worker died", error);
    this.#died = true;
    this.#subprocessClosed = true;
    this.#end();
    this.#connection.delete(this);
    this.safeEmit("died", error);
    this.safeEmit("subprocessclose");
    this.#observer.safeEmit("close");
  }

  #end(): void {
    this.#closed = true;
    this.#channel.close();
    for (const router of this.#routers.values()) router.workerClosed();
    for (const server of this.#webRtcServers.values()) server.workerClosed();
  }

  #request<T = void>(method: string, data: object = {}): Promise<T> {
    logger.debug(`${method}()`);
    return this.#channel.request<T>(`worker.${method}`, { workerId: this.#info.id, ...data });
  }
}

function logOfServer({ level, tag, message }: EventData): void {
  const text = tag ? `[${String(tag)}] ${String(message)}` : String(message);
  if (level === "error") serverLogger.error(text);
  else if (level === "warn") serverLogger.warn(text);
  else serverLogger.debug(text);
}
