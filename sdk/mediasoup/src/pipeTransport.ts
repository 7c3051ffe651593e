import { checkAppData, type AppData, type Either } from "./appData";
import { clone } from "./clone";
import type { ConsumerImpl, ConsumerInfo } from "./consumer";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import type { TransportListenInfo, TransportListenIp, TransportTuple } from "./listen";
import type { Handlers } from "./remoteObject";
import type { SctpNegotiatedCapabilities, SctpOptions, SctpParameters } from "./sctpParameters";
import type { SrtpParameters } from "./srtpParameters";
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

export type PipeTransportOptions<PipeTransportAppData extends AppData = AppData> = SctpOptions & {
  /** Whether lost packets are sent again, if the other end says so too; false by default. */
  enableRtx?: boolean;
  /** False by default. */
  enableSrtp?: boolean;
  appData?: PipeTransportAppData;
} & Either<{ listenInfo: TransportListenInfo }, { listenIp: TransportListenIp | string; port?: number }>;

export type PipeConsumerOptions<ConsumerAppData extends AppData = AppData> = {
  producerId: string;
  appData?: ConsumerAppData;
};

export type PipeTransportDump = BaseTransportDump & {
  tuple: TransportTuple;
  rtx: boolean;
  srtpParameters?: SrtpParameters;
};

export type PipeTransportStat = BaseTransportStats & {
  type: string;
  tuple: TransportTuple;
};

export type PipeTransportEvents = TransportEvents & {
  sctpstatechange: [SctpState];
};

export type PipeTransportObserver = EnhancedEventEmitter<PipeTransportObserverEvents>;

export type PipeTransportObserverEvents = TransportObserverEvents & {
  sctpstatechange: [SctpState];
};

/** What the server says of a pipe transport. */
export interface PipeTransportInfo extends TransportInfo {
  tuple: TransportTuple;
  srtpParameters?: SrtpParameters | null;
}

/** What the server answers to a pipe transport's connect. */
type Connected = Partial<Pick<PipeTransportInfo, "tuple" | "srtpParameters">>;

/** One end of what two routers are joined by. */
export class PipeTransportImpl<PipeTransportAppData extends AppData = AppData> extends TransportImpl<
  PipeTransportAppData,
  PipeTransportEvents,
  PipeTransportObserver,
  PipeTransportInfo
> {
  /** @internal */
  constructor(making: TransportMaking<PipeTransportAppData, PipeTransportInfo>) {
    super(making);
  }

  get type(): "pipe" {
    return "pipe";
  }

  get tuple(): TransportTuple {
    return clone(this.info.tuple);
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

  dump(): Promise<PipeTransportDump> {
    return this.request("dump");
  }

  getStats(): Promise<PipeTransportStat[]> {
    return this.figures();
  }

  async connect({ ip, port, srtpParameters }: { ip: string; port: number; srtpParameters?: SrtpParameters }): Promise<void> {
    Object.assign(this.info, await this.request<Connected>("connect", { ip, port, srtpParameters }));
  }

  /** Makes a consumer of all streams of the producer, whatever the other router can receive. */
  override async consume<ConsumerAppData extends AppData = AppData>({
    producerId,
    appData,
  }: PipeConsumerOptions<ConsumerAppData>): Promise<ConsumerImpl<ConsumerAppData>> {
    checkAppData(appData);
    if (typeof producerId !== "string" || !producerId) throw new TypeError("producerId is missing");
    const info = await this.registry.making(() => this.request<ConsumerInfo>("consume", { producerId }));
    return this.adoptConsumer(info, appData);
  }

  /** @internal */
  override refresh(now: PipeTransportInfo): void {
    super.refresh(now);
    const { tuple, srtpParameters } = now;
    Object.assign(this.info, { tuple, srtpParameters });
  }

  /** @internal */
  protected override readonly handlers: Handlers = this.baseHandlers;
}
