import type { AppData, Either } from "./appData";
import { clone } from "./clone";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import type { TransportListenInfo, TransportListenIp, TransportProtocol, TransportTuple } from "./listen";
import type { Handlers } from "./remoteObject";
import type { SctpNegotiatedCapabilities, SctpOptions, SctpParameters } from "./sctpParameters";
import {
  TransportImpl,
  type BaseTransportDump,
  type BaseTransportStats,
  type SctpState,
  type TransportEvents,
  type TransportInfo,
  type TransportMaking,
  type TransportObserverEvents,
} from "./transport";
import type { WebRtcServerImpl } from "./webRtcServer";

export type WebRtcTransportOptions<WebRtcTransportAppData extends AppData = AppData> = SctpOptions & {
  /** True by default. */
  enableUdp?: boolean;
  /** True by default with a WebRtcServer, else false. */
  enableTcp?: boolean;
  /** False by default. */
  preferUdp?: boolean;
  /** False by default. */
  preferTcp?: boolean;
  /** For how long, in seconds, the client may be silent (RFC 7675); 0 is for ever, 30 the default. */
  iceConsentTimeout?: number;
  /** In bit/s; 600000 by default. */
  initialAvailableOutgoingBitrate?: number;
  appData?: WebRtcTransportAppData;
} & Either<
    Either<
      { listenInfos: TransportListenInfo[] },
      {
        /** The most preferred first. */
        listenIps: (TransportListenIp | string)[];
        port?: number;
      }
    >,
    { webRtcServer: WebRtcServerImpl }
  >;

export type IceParameters = {
  usernameFragment: string;
  password: string;
  iceLite?: boolean;
};

export type IceCandidate = {
  foundation: string;
  priority: number;
  /** @deprecated The older name of address. */
  ip: string;
  address: string;
  protocol: TransportProtocol;
  port: number;
  type: IceCandidateType;
  tcpType?: IceCandidateTcpType;
};

export type DtlsParameters = {
  role?: DtlsRole;
  fingerprints: DtlsFingerprint[];
};

/** By their names in RFC 8122 §5. */
export type FingerprintAlgorithm = "sha-1" | "sha-224" | "sha-256" | "sha-384" | "sha-512";

/** As in SDP (RFC 8122 §5). */
export type DtlsFingerprint = {
  algorithm: FingerprintAlgorithm;
  value: string;
};

export type IceRole = "controlled" | "controlling";
export type IceState = "new" | "connected" | "completed" | "disconnected" | "closed";
export type IceCandidateType = "host";
export type IceCandidateTcpType = "passive";
export type DtlsRole = "auto" | "client" | "server";
export type DtlsState = "new" | "connecting" | "connected" | "failed" | "closed";

export type WebRtcTransportDump = BaseTransportDump & {
  iceRole: "controlled";
  iceParameters: IceParameters;
  iceCandidates: IceCandidate[];
  iceState: IceState;
  iceSelectedTuple?: TransportTuple;
  dtlsParameters: DtlsParameters;
  dtlsState: DtlsState;
  dtlsRemoteCert?: string;
};

export type WebRtcTransportStat = BaseTransportStats & {
  type: string;
  iceRole: string;
  iceState: IceState;
  iceSelectedTuple?: TransportTuple;
  dtlsState: DtlsState;
};

type WebRtcChanges = {
  icestatechange: [IceState];
  iceselectedtuplechange: [TransportTuple];
  dtlsstatechange: [DtlsState];
  sctpstatechange: [SctpState];
};

export type WebRtcTransportEvents = TransportEvents & WebRtcChanges;

export type WebRtcTransportObserver = EnhancedEventEmitter<WebRtcTransportObserverEvents>;

export type WebRtcTransportObserverEvents = TransportObserverEvents & WebRtcChanges;

/** What the server says of a WebRTC transport. */
export interface WebRtcTransportInfo extends TransportInfo {
  iceRole: "controlled";
  iceParameters: IceParameters;
  iceCandidates: IceCandidate[];
  iceState: IceState;
  iceSelectedTuple?: TransportTuple | null;
  dtlsParameters: DtlsParameters;
  dtlsState: DtlsState;
  dtlsRemoteCert?: string | null;
}

/** The server's end of a browser's RTCPeerConnection. */
export class WebRtcTransportImpl<WebRtcTransportAppData extends AppData = AppData> extends TransportImpl<
  WebRtcTransportAppData,
  WebRtcTransportEvents,
  WebRtcTransportObserver,
  WebRtcTransportInfo
> {
  /** @internal */
  constructor(making: TransportMaking<WebRtcTransportAppData, WebRtcTransportInfo>) {
    super(making);
  }

  get type(): "webrtc" {
    return "webrtc";
  }

  get iceRole(): "controlled" {
    return this.info.iceRole;
  }

  get iceParameters(): IceParameters {
    return clone(this.info.iceParameters);
  }

  get iceCandidates(): IceCandidate[] {
    return clone(this.info.iceCandidates);
  }

  get iceState(): IceState {
    return this.info.iceState;
  }

  get iceSelectedTuple(): TransportTuple | undefined {
    return clone(this.info.iceSelectedTuple ?? undefined);
  }

  get dtlsParameters(): DtlsParameters {
    return clone(this.info.dtlsParameters);
  }

  get dtlsState(): DtlsState {
    return this.info.dtlsState;
  }

  /** In PEM, once DTLS is connected. */
  get dtlsRemoteCert(): string | undefined {
    return this.info.dtlsRemoteCert ?? undefined;
  }

  get sctpParameters(): SctpParameters | undefined {
    return clone(this.info.sctpParameters ?? undefined);
  }

  get sctpState(): SctpState | undefined {
    return this.info.sctpState ?? undefined;
  }

  get sctpNegotiatedCapabilities(): SctpNegotiatedCapabilities | undefined {
    return clone(this.info.sctpNegotiatedCapabilities ?? undefined);
  }

  dump(): Promise<WebRtcTransportDump> {
    return this.request("dump");
  }

  getStats(): Promise<WebRtcTransportStat[]> {
    return this.figures();
  }

  async connect({ dtlsParameters }: { dtlsParameters: DtlsParameters }): Promise<void> {
    if (typeof dtlsParameters !== "object" || dtlsParameters === null) throw new TypeError("dtlsParameters is missing");
    const { dtlsLocalRole } = await this.request<{ dtlsLocalRole: DtlsRole }>("connect", { dtlsParameters });
    this.info.dtlsParameters.role = dtlsLocalRole;
  }

  async restartIce(): Promise<IceParameters> {
    const { iceParameters } = await this.request<{ iceParameters: IceParameters }>("restartIce");
    this.info.iceParameters = iceParameters;
    return this.iceParameters;
  }

  /** @internal */
  protected override endContents(): void {
    this.info.iceState = "closed";
    this.info.iceSelectedTuple = undefined;
    this.info.dtlsState = "closed";
    super.endContents();
  }

  /** @internal */
  override refresh(now: WebRtcTransportInfo): void {
    super.refresh(now);
    const { iceParameters, dtlsParameters, iceState, iceSelectedTuple, dtlsState, dtlsRemoteCert } = now;
    Object.assign(this.info, { iceParameters, dtlsParameters });
    this.#setIceState(iceState);
    this.#setIceSelectedTuple(iceSelectedTuple ?? undefined);
    this.#setDtlsState(dtlsState, dtlsRemoteCert ?? undefined);
  }

  #setIceState(iceState: IceState): void {
    if (iceState === this.info.iceState) return;
    this.info.iceState = iceState;
    this.proclaim("icestatechange", iceState);
  }

  #setIceSelectedTuple(tuple: TransportTuple | undefined): void {
    const before = JSON.stringify(this.info.iceSelectedTuple);
    this.info.iceSelectedTuple = tuple;
    if (tuple && JSON.stringify(tuple) !== before) this.proclaim("iceselectedtuplechange", clone(tuple));
  }

  #setDtlsState(dtlsState: DtlsState, dtlsRemoteCert: string | undefined): void {
    if (dtlsRemoteCert) this.info.dtlsRemoteCert = dtlsRemoteCert;
    if (dtlsState === this.info.dtlsState) return;
    this.info.dtlsState = dtlsState;
    this.proclaim("dtlsstatechange", dtlsState);
  }

  /** @internal */
  protected override readonly handlers: Handlers = {
    ...this.baseHandlers,
    icestatechange: ({ iceState }) => this.#setIceState(iceState as IceState),
    iceselectedtuplechange: ({ iceSelectedTuple }) => this.#setIceSelectedTuple(iceSelectedTuple as TransportTuple),
    dtlsstatechange: ({ dtlsState, dtlsRemoteCert }) => this.#setDtlsState(dtlsState as DtlsState, dtlsRemoteCert as string | undefined),
  };
}
