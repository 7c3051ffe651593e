/** The server's side of an SCTP association. Sizes are in bytes. */
export type SctpParameters = {
  port: number;
  maxSendMessageSize: number;
  maxReceiveMessageSize: number;
  sendBufferSize: number;
  perStreamSendQueueLimit: number;
  maxReceiverWindowBufferSize: number;
  /** The association carries WebRTC data channels: that of a WebRTC transport. */
  isDataChannel: boolean;
  OS: number;
  MIS: number;
  maxMessageSize: number;
};

/** What both sides agreed on; there once the association is connected. */
export type SctpNegotiatedCapabilities = {
  negotiatedMaxOutboundStreams: number;
  negotiatedMaxInboundStreams: number;
};

/** How one SCTP stream is delivered: in order and whole, or limited in time or in tries. */
export type SctpStreamParameters = {
  streamId: number;
  /** True by default. */
  ordered?: boolean;
  /** In ms, and only if not ordered. */
  maxPacketLifeTime?: number;
  /** Only if not ordered. */
  maxRetransmits?: number;
};

/** The options of transports about SCTP. Sizes are in bytes. */
export type SctpOptions = {
  /** False by default. */
  enableSctp?: boolean;
  /** 262144 by default. */
  maxSendMessageSize?: number;
  /** 262144 by default. */
  maxReceiveMessageSize?: number;
  /** 2000000 by default. */
  sctpSendBufferSize?: number;
  /** 2000000 by default. */
  sctpPerStreamSendQueueLimit?: number;
  /** 5242880 by default. */
  sctpMaxReceiverWindowBufferSize?: number;
  /** 1024 by default. */
  sctpDefaultStreamBufferedAmountLowThreshold?: number;
};
