import type { AppData } from "./appData";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import type { TransportListenInfo } from "./listen";
import { RemoteObject, type Handlers, type Making } from "./remoteObject";
import type { WebRtcTransportImpl } from "./webRtcTransport";

export type WebRtcServerOptions<WebRtcServerAppData extends AppData = AppData> = {
  listenInfos: TransportListenInfo[];
  appData?: WebRtcServerAppData;
};

/** @deprecated TransportListenInfo is the same. */
export type WebRtcServerListenInfo = TransportListenInfo;

export type IpPort = {
  ip: string;
  port: number;
};

export type IceUserNameFragment = {
  localIceUsernameFragment: string;
  webRtcTransportId: string;
};

export type WebRtcServerDump = {
  id: string;
  udpSockets: IpPort[];
  tcpServers: IpPort[];
  webRtcTransportIds: string[];
  localIceUsernameFragments: IceUserNameFragment[];
};

export type WebRtcServerEvents = {
  workerclose: [];
};

export type WebRtcServerObserver = EnhancedEventEmitter<WebRtcServerObserverEvents>;

export type WebRtcServerObserverEvents = {
  close: [];
  webrtctransporthandled: [WebRtcTransportImpl];
  webrtctransportunhandled: [WebRtcTransportImpl];
};

/** What the server says of a WebRTC server. */
export interface WebRtcServerInfo {
  id: string;
}

/** Sockets that many WebRTC transports share. */
export class WebRtcServerImpl<WebRtcServerAppData extends AppData = AppData> extends RemoteObject<
  WebRtcServerAppData,
  WebRtcServerEvents,
  WebRtcServerObserver
> {
  readonly #transports = new Set<WebRtcTransportImpl>();

  /** @internal */
  constructor(making: Making<WebRtcServerAppData>) {
    super("webRtcServer", making);
  }

  /** @internal */
  workerClosed(): void {
    this.end("workerclose");
  }

  /** @internal */
  protected override endContents(): void {
    for (const transport of this.#transports) {
      transport.listenServerClosed();
      this.observe("webrtctransportunhandled", transport);
    }
    this.#transports.clear();
  }

  dump(): Promise<WebRtcServerDump> {
    return this.request("dump");
  }

  /** @internal A transport listens here. */
  handleWebRtcTransport(transport: WebRtcTransportImpl): void {
    this.#transports.add(transport);
    this.observe("webrtctransporthandled", transport);
    transport.observer.once("close", () => {
      if (this.#transports.delete(transport)) this.observe("webrtctransportunhandled", transport);
    });
  }

  /** @internal */
  protected override readonly handlers: Handlers = {
    closed: () => this.end(),
  };
}
