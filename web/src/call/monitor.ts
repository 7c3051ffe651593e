/** Watches how well a stay's media comes across. */
import type { types } from "mediasoup-client";
import { Meter, Stalls, type LineFigures, type StreamFigures } from "./figures";
import { sparedOf, type LayerCount, type Spared } from "./layers";
import type { Layers, Source } from "./protocol";

export interface Figures {
  send: LineFigures;
  recv: LineFigures;
  mine: Mine[];
  theirs: Theirs[];
  /** Peers whose media has stopped coming although it should. */
  stalled: ReadonlySet<string>;
}

export interface Mine {
  source: Source;
  figures: StreamFigures;
  /** What is not sent because nobody wants it; null if nothing is left out for that. */
  spared: Spared | null;
}

export interface Theirs {
  peerId: string;
  source: Source;
  figures: StreamFigures;
  /** Which layers come, and of how many; null while nothing comes or where there are none. */
  layers: Layers | null;
  of: LayerCount;
}

/** What is watched of somebody else's producer. */
export interface Received {
  peerId: string;
  source: Source;
  paused: boolean;
  consumer: types.Consumer | null;
  layers: Layers | null;
  of: LayerCount;
}

/** What is watched of our own. */
export interface Sent {
  source: Source;
  producer: types.Producer | null;
  paused: boolean;
  /** The highest layer that anybody wants; null is none, undefined all. */
  wanted: number | null | undefined;
}

export class Monitor {
  readonly #stalls = new Stalls();
  readonly #send = new Meter();
  readonly #recv = new Meter();

  figures(
    reports: readonly [send: RTCStatsReport, recv: RTCStatsReport],
    sent: readonly Sent[],
    received: readonly Received[],
    nowMs: number,
  ): Figures {
    const send = this.#send.sample(reports[0] as never);
    const recv = this.#recv.sample(reports[1] as never);
    const mine: Figures["mine"] = [];
    for (const { source, producer, paused, wanted } of sent) {
      const figures = send.byMid.get(producer?.rtpParameters.mid ?? "");
      const spared = paused ? null : sparedOf(producer?.rtpParameters.encodings ?? [], wanted);
      if (figures) mine.push({ source, figures, spared });
    }
    const theirs: Figures["theirs"] = [];
    const packets = new Map<string, number>();
    for (const { peerId, source, paused, consumer, layers, of } of received) {
      const figures = recv.streams.get(consumer?.rtpParameters.encodings?.[0]?.ssrc ?? -1);
      if (figures) theirs.push({ peerId, source, figures, layers, of });
      if (!paused && consumer && !consumer.paused) packets.set(peerId, (packets.get(peerId) ?? 0) + (figures?.packets ?? 0));
    }
    return { send: send.line, recv: recv.line, mine, theirs, stalled: this.#stalls.update(packets, nowMs) };
  }
}
