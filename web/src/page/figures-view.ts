/** The panel of live figures. */
import type { Figures } from "../call/call";
import type { LineFigures, StreamFigures } from "../call/figures";
import type { Spared } from "../call/layers";
import type { Theirs } from "../call/monitor";
import { h, t } from "./dom";
import { milliseconds, percent, rate } from "./numbers";
import { iconButton } from "./parts";

export class FiguresPanel {
  readonly element: HTMLElement;
  readonly #body = h("div", { class: "figures-body" });

  constructor(close: () => void) {
    this.element = h(
      "aside",
      { class: "figures", hidden: true, "aria-label": () => t().figures.title },
      h(
        "header",
        {},
        h("div", {}, h("h2", {}, () => t().figures.title), h("p", { class: "hint" }, () => t().figures.lead)),
        iconButton({ icon: "close", label: () => t().room.close, class: "small", onclick: close }),
      ),
      this.#body,
    );
  }

  update(figures: Figures | null, nameOf: (peerId: string) => string): void {
    if (this.element.hidden) return;
    if (!figures) {
      this.#body.replaceChildren(h("p", { class: "hint" }, () => t().figures.none));
      return;
    }
    const bySender = new Map<string, Figures["theirs"]>();
    for (const each of figures.theirs) bySender.set(each.peerId, [...(bySender.get(each.peerId) ?? []), each]);
    this.#body.replaceChildren(
      lineOf(figures.send, figures.recv),
      section(t().figures.you, figures.mine),
      ...[...bySender].map(([peerId, streams]) => section(t().figures.from(nameOf(peerId)), streams)),
    );
  }
}

function lineOf(send: LineFigures, recv: LineFigures): HTMLElement {
  return h(
    "dl",
    { class: "line" },
    pair(t().figures.roundTrip, milliseconds(send.roundTripMs ?? recv.roundTripMs)),
    pair(t().figures.uplink, send.availableBitrate === null ? "–" : rate(send.availableBitrate)),
  );
}

function pair(term: string, value: string): HTMLElement {
  return h("div", {}, h("dt", {}, term), h("dd", {}, value));
}

type Row = { source: string; figures: StreamFigures; spared?: Spared | null } & Partial<Theirs>;

function section(title: string, streams: Row[]): HTMLElement {
  const texts = t().figures;
  const sources: Record<string, string> = t().sources;
  const head = [texts.bitrate, texts.loss, texts.codec].map((text) => h("th", { scope: "col" }, text));
  const rows = streams.map(({ source, figures, layers, of, spared }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, sources[source] ?? source, h("small", {}, picture(figures)), h("small", { class: "layers" }, layersText(layers, of)), h("small", { class: "spared" }, sparedText(spared))),
      h("td", {}, rate(figures.bitrate)),
      h("td", { class: (figures.lossPercent ?? 0) >= 2 ? "bad" : "" }, percent(figures.lossPercent)),
      h("td", {}, figures.codec ?? "–"),
    ),
  );
  return h("section", {}, h("h3", {}, title), h("table", {}, h("thead", {}, h("tr", {}, h("td", {}), ...head)), h("tbody", {}, ...rows)));
}

/** Which of the sender's sizes and frame rates comes, counted from 1. */
function layersText(layers: Theirs["layers"] | undefined, of: Theirs["of"] | undefined): string {
  if (!layers || !of || (of.spatial < 2 && of.temporal < 2)) return "";
  return ` ${t().figures.layer(layers.spatialLayer + 1, of.spatial, layers.temporalLayer + 1, of.temporal)}`;
}

/** What we do not send, and why. */
function sparedText(spared: Spared | null | undefined): string {
  if (!spared) return "";
  return ` ${spared.sizes === 0 ? t().figures.notSent : t().figures.spared(spared.sizes, spared.of)}`;
}

function picture({ width, height, framesPerSecond }: StreamFigures): string {
  if (!width || !height) return "";
  return ` ${width}×${height}${framesPerSecond === null ? "" : ` · ${framesPerSecond} fps`}`;
}
