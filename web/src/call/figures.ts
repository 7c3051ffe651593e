/**
 * Live figures of a call from the browser's statistics (W3C webrtc-stats).
 * Values in, values out: rates come from two samples, the time is in the reports.
 */

export interface StreamFigures {
  /** Bits per second over the last interval. */
  bitrate: number;
  /** Packets lost over the last interval, 0 to 100; null where it is not known yet. */
  lossPercent: number | null;
  /** For instance "VP8" or "opus"; null before the first packet. */
  codec: string | null;
  width: number | null;
  height: number | null;
  framesPerSecond: number | null;
  /** Milliseconds. */
  jitterMs: number | null;
  packets: number;
}

export interface LineFigures {
  /** Milliseconds there and back, by STUN. */
  roundTripMs: number | null;
  /** Bits per second that the browser believes it can send. */
  availableBitrate: number | null;
}

type Stat = { id: string; type: string; timestamp: number } & Record<string, unknown>;
type Report = Iterable<[string, Stat]>;

interface Counters {
  at: number;
  bytes: number;
  packets: number;
  /** Packets that should have arrived, and those of them that did not. */
  expected: number;
  lost: number;
}

/** The figures of the streams of one connection, by SSRC. */
export class Meter {
  #before = new Map<string, Counters>();

  /**
   * Takes a report and answers the figures of each RTP stream in it, those of the sizes of one
   * picture together by their MID, and those of its line.
   */
  sample(report: Report): { streams: Map<number, StreamFigures>; byMid: Map<string, StreamFigures>; line: LineFigures } {
    const stats = new Map(report);
    const streams = new Map<number, StreamFigures>();
    const byMid = new Map<string, StreamFigures>();
    const before = this.#before;
    this.#before = new Map();
    let line: LineFigures = { roundTripMs: null, availableBitrate: null };
    for (const stat of stats.values()) {
      if (stat.type === "inbound-rtp" || stat.type === "outbound-rtp") {
        const figures = this.#stream(stat, stats, before.get(stat.id));
        if (typeof stat.ssrc === "number") streams.set(stat.ssrc, figures);
        if (typeof stat.mid === "string") byMid.set(stat.mid, together(byMid.get(stat.mid), figures));
      } else if (stat.type === "candidate-pair" && isInUse(stat, stats)) {
        line = {
          roundTripMs: scaled(stat.currentRoundTripTime, 1000),
          availableBitrate: scaled(stat.availableOutgoingBitrate, 1),
        };
      }
    }
    return { streams, byMid, line };
  }

  #stream(stat: Stat, stats: Map<string, Stat>, before: Counters | undefined): StreamFigures {
    const now = counters(stat, stats);
    this.#before.set(stat.id, now);
    const seconds = before ? (now.at - before.at) / 1000 : 0;
    const remote = stats.get(String(stat.remoteId));
    return {
      bitrate: before && seconds > 0 ? Math.max(0, ((now.bytes - before.bytes) * 8) / seconds) : 0,
      lossPercent: before ? lossPercent(before, now) : null,
      codec: codecName(stats.get(String(stat.codecId))),
      width: whole(stat.frameWidth),
      height: whole(stat.frameHeight),
      framesPerSecond: whole(stat.framesPerSecond),
      jitterMs: scaled(stat.jitter ?? remote?.jitter, 1000),
      packets: now.packets,
    };
  }
}

/** The figures of a picture that is sent in several sizes: all that is sent, and the largest. */
function together(a: StreamFigures | undefined, b: StreamFigures): StreamFigures {
  if (!a) return b;
  const larger = (b.bitrate > 0 || a.bitrate === 0) && (b.width ?? 0) > (a.width ?? 0) ? b : a;
  const losses = [a.lossPercent, b.lossPercent].filter((loss) => loss !== null);
  return {
    ...larger,
    bitrate: a.bitrate + b.bitrate,
    packets: a.packets + b.packets,
    lossPercent: losses.length > 0 ? Math.max(...losses) : null,
  };
}

function counters(stat: Stat, stats: Map<string, Stat>): Counters {
  if (stat.type === "inbound-rtp") {
    return {
      at: stat.timestamp,
      bytes: count(stat.bytesReceived),
      packets: count(stat.packetsReceived),
      expected: count(stat.packetsReceived) + count(stat.packetsLost),
      lost: count(stat.packetsLost),
    };
  }
  // What a sender loses it knows from the other side's receiver reports.
  const remote = stats.get(String(stat.remoteId));
  return {
    at: stat.timestamp,
    bytes: count(stat.bytesSent),
    packets: count(stat.packetsSent),
    expected: count(stat.packetsSent),
    lost: count(remote?.packetsLost),
  };
}

function lossPercent(before: Counters, now: Counters): number | null {
  const lost = Math.max(0, now.lost - before.lost);
  const expected = now.expected - before.expected;
  return expected > 0 ? Math.min(100, (lost / expected) * 100) : null;
}

/** Chromium names the selected pair in its transport; Firefox marks the pair itself. */
function isInUse(pair: Stat, stats: Map<string, Stat>): boolean {
  const transport = stats.get(String(pair.transportId));
  if (typeof transport?.selectedCandidatePairId === "string") return transport.selectedCandidatePairId === pair.id;
  return pair.selected === true || (pair.nominated === true && pair.state === "succeeded");
}

function codecName(codec: Stat | undefined): string | null {
  const mime = codec?.mimeType;
  return typeof mime === "string" ? (mime.split("/")[1] ?? mime) : null;
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

function scaled(value: unknown, factor: number): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value * factor : null;
}

function whole(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? Math.round(value) : null;
}

/** Who has sent nothing for a while although they mean to. */
export class Stalls {
  #packets = new Map<string, { packets: number; since: number }>();

  /** Takes the packets received so far from each person and answers who has fallen silent for 4 s. */
  update(packets: Iterable<readonly [id: string, packets: number]>, nowMs: number): ReadonlySet<string> {
    const stalled = new Set<string>();
    const before = this.#packets;
    this.#packets = new Map();
    for (const [id, count] of packets) {
      const last = before.get(id);
      const since = last && last.packets === count ? last.since : nowMs;
      this.#packets.set(id, { packets: count, since });
      if (nowMs - since >= 4_000) stalled.add(id);
    }
    return stalled;
  }
}

