import type { AppData, Either } from "./appData";
import { clone } from "./clone";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import type { TransportListenInfo, TransportListenIp, TransportTuple } from "./listen";
import type { Handlers } from "./remoteObject";
import type { SctpNegotiatedCapabilities, SctpOptions, SctpParameters } from "./sctpParameters";
import type { SrtpCryptoSuite, SrtpParameters } from "./srtpParameters";
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

export type PlainTransportOptions<PlainTransportAppData extends AppData = AppData> = SctpOptions & {
  /** RTP and RTCP share a port; true by default. */
  rtcpMux?: boolean;
  /** The other end is where the first packet comes from; connect() is called with SRTP parameters, or not at all. False by default. */
  comedia?: boolean;
  /** False by default. */
  enableSrtp?: boolean;
  /** AES_CM_128_HMAC_SHA1_80 by default. */
  srtpCryptoSuite?: SrtpCryptoSuite;
  appData?: PlainTransportAppData;
} & Either<
    {
      listenInfo: TransportListenInfo;
      /** For RTCP, which then has a port of its own. */
      rtcpListenInfo?: TransportListenInfo;
    },
    { listenIp: TransportListenIp | string; port?: number }
  >;

export type PlainTransportDump = BaseTransportDump & {
  rtcpMux: boolean;
  comedia: boolean;
  tuple: TransportTuple;
  rtcpTuple?: TransportTuple;
  srtpParameters?: SrtpParameters;
};

export type PlainTransportStat = BaseTransportStats & {
  type: string;
  rtcpMux: boolean;
  comedia: boolean;
  tuple: TransportTuple;
  rtcpTuple?: TransportTuple;
};

type PlainChanges = {
  tuple: [TransportTuple];
  rtcptuple: [TransportTuple];
  sctpstatechange: [SctpState];
};

export type PlainTransportEvents = TransportEvents & PlainChanges;

export type PlainTransportObserver = EnhancedEventEmitter<PlainTransportObserverEvents>;

export type PlainTransportObserverEvents = TransportObserverEvents & PlainChanges;

/** What the server says of a plain transport. */
export interface PlainTransportInfo extends TransportInfo {
  tuple: TransportTuple;
  rtcpTuple?: TransportTuple | null;
  srtpParameters?: SrtpParameters | null;
}

/** RTP without ICE and DTLS, as other software speaks it. */
export class PlainTransportImpl<PlainTransportAppData extends AppData = AppData> extends TransportImpl<
  PlainTransportAppData,
  PlainTransportEvents,
  PlainTransportObserver,
  PlainTransportInfo
> {
  /** @internal */
  constructor(making: TransportMaking<PlainTransportAppData, PlainTransportInfo>) {
    super(making);
  }

  get type(): "plain" {
    return "plain";
  }

  get tuple(): TransportTuple {
    return clone(this.info.tuple);
  }

  get rtcpTuple(): TransportTuple | undefined {
    return clone(this.info.rtcpTuple ?? undefined);
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

  get srtpParameters(): SrtpParameters | undefined {
    return clone(this.info.srtpParameters ?? undefined);
  }

  dump(): Promise<PlainTransportDump> {
    return this.request("dump");
  }

  getStats(): Promise<PlainTransportStat[]> {
    return this.figures();
  }

  async connect(params: { ip?: string; port?: number; rtcpPort?: number; srtpParameters?: SrtpParameters }): Promise<void> {
    const { ip, port, rtcpPort, srtpParameters } = params;
    const changed = await this.request<Partial<PlainTransportInfo>>("connect", { ip, port, rtcpPort, srtpParameters });
    Object.assign(this.info, changed);
  }

  /** @internal */
  override refresh(now: PlainTransportInfo): void {
    super.refresh(now);
    this.#setTuple("tuple", now.tuple);
    if (now.rtcpTuple) this.#setTuple("rtcpTuple", now.rtcpTuple);
    this.info.srtpParameters = now.srtpParameters;
  }

  #setTuple(which: "tuple" | "rtcpTuple", tuple: TransportTuple): void {
    const changed = JSON.stringify(tuple) !== JSON.stringify(this.info[which]);
    this.info[which] = tuple;
    if (changed) this.proclaim(which.toLowerCase(), clone(tuple));
  }

  /** @internal */
  protected override readonly handlers: Handlers = {
    ...this.baseHandlers,
    tuple: ({ tuple }) => this.#setTuple("tuple", tuple as TransportTuple),
    rtcptuple: ({ rtcpTuple }) => this.#setTuple("rtcpTuple", rtcpTuple as TransportTuple),
  };
}
