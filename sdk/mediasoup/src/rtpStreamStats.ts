/** What is counted of one RTP stream, whichever way it goes. */
export type BaseRtpStreamStats = {
  /** In ms. */
  timestamp: number;
  ssrc: number;
  rtxSsrc?: number;
  rid?: string;
  kind: string;
  mimeType: string;
  packetsLost: number;
  fractionLost: number;
  jitter: number;
  packetsDiscarded: number;
  packetsRetransmitted: number;
  packetsRepaired: number;
  nackCount: number;
  nackPacketCount: number;
  pliCount: number;
  firCount: number;
  roundTripTime?: number;
  rtxPacketsDiscarded?: number;
  score: number;
};

/** In bit/s, by "spatial.temporal". */
export type BitrateByLayer = { [key: string]: number };

/** A stream that the server receives. */
export type RtpStreamRecvStats = RtpStreamSendStats & { bitrateByLayer: BitrateByLayer };

/** A stream that the server sends. */
export type RtpStreamSendStats = BaseRtpStreamStats & {
  type: string;
  packetCount: number;
  byteCount: number;
  /** In bit/s. */
  bitrate: number;
};
