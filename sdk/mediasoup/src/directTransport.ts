import type { AppData } from "./appData";
import type { EnhancedEventEmitter } from "./enhancedEvents";
import { UnsupportedError } from "./errors";
import type { Handlers } from "./remoteObject";
import {
  TransportImpl,
  type BaseTransportDump,
  type BaseTransportStats,
  type TransportEvents,
  type TransportInfo,
  type TransportMaking,
  type TransportObserverEvents,
} from "./transport";

export type DirectTransportOptions<DirectTransportAppData extends AppData = AppData> = {
  /** In bytes; 262144 by default. */
  maxSendMessageSize?: number;
  /** In bytes; 262144 by default. */
  maxReceiveMessageSize?: number;
  appData?: DirectTransportAppData;
};

export type DirectTransportDump = BaseTransportDump;

export type DirectTransportStat = BaseTransportStats & {
  type: string;
};

export type DirectTransportEvents = TransportEvents & {
  rtcp: [Buffer];
};

export type DirectTransportObserver = EnhancedEventEmitter<DirectTransportObserverEvents>;

export type DirectTransportObserverEvents = TransportObserverEvents & {
  rtcp: [Buffer];
};

/** Packets and messages to and from this process. */
export class DirectTransportImpl<DirectTransportAppData extends AppData = AppData> extends TransportImpl<
  DirectTransportAppData,
  DirectTransportEvents,
  DirectTransportObserver
> {
  /** @internal */
  constructor(making: TransportMaking<DirectTransportAppData, TransportInfo>) {
    super(making);
  }

  get type(): "direct" {
    return "direct";
  }

  dump(): Promise<DirectTransportDump> {
    return this.request("dump");
  }

  getStats(): Promise<DirectTransportStat[]> {
    return this.figures();
  }

  /** Does nothing: there is no other end. */
  async connect(): Promise<void> {}

  override async setMaxIncomingBitrate(_bitrate: number): Promise<void> {
    throw new UnsupportedError("a DirectTransport has no bitrate to limit");
  }

  override async setMaxOutgoingBitrate(_bitrate: number): Promise<void> {
    throw new UnsupportedError("a DirectTransport has no bitrate to limit");
  }

  override async setMinOutgoingBitrate(_bitrate: number): Promise<void> {
    throw new UnsupportedError("a DirectTransport has no bitrate to limit");
  }

  sendRtcp(rtcpPacket: Buffer): void {
    if (!Buffer.isBuffer(rtcpPacket)) throw new TypeError("rtcpPacket must be a Buffer");
    this.pass("sendRtcp", { rtcpPacket: rtcpPacket.toString("base64") });
  }

  /** @internal */
  protected override readonly handlers: Handlers = {
    ...this.baseHandlers,
    rtcp: ({ packet }) => this.proclaim("rtcp", Buffer.from(packet as string, "base64")),
  };
}
