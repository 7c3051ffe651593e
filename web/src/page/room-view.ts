/** The room: everybody's pictures, the controls, and what is to be said about the connection. */
import type { Figures, LocalMedia, Peer, RemoteMedia } from "../call/call";
import type { LineState } from "../call/line";
import { Controls } from "./controls";
import { h, say, t } from "./dom";
import { linkOf } from "./doors";
import { FiguresPanel } from "./figures-view";
import { icon, mark } from "./icons";
import { stage, tiles } from "./layout";
import { choices, remember } from "./memory";
import { copyLink, linkBox, toast } from "./parts";
import { Sound } from "./sound";
import { Spotlight } from "./spotlight";
import type { Stay } from "./stay";
import { Tile, type MenuItem } from "./tile";
import { troubleOf } from "./trouble";
import { Watching } from "./watching";

const GAP = 12;
/** A page that nobody looks at for this long stops receiving pictures; sound goes on. */
const UNSEEN_MS = 5_000;

export class RoomView {
  readonly element: HTMLElement;
  readonly #stay: Stay;
  readonly #tiles = new Map<string, Tile>();
  readonly #people = h("div", { class: "people" });
  readonly #shared = h("div", { class: "shared", hidden: true });
  readonly #stage: HTMLElement;
  readonly #alone: HTMLElement;
  readonly #title = h("h1");
  readonly #count = h("span", { class: "count" });
  readonly #trouble = h("div", { class: "trouble", role: "status", hidden: true });
  readonly #hear: HTMLElement;
  readonly #sound = new Sound((blocked) => (this.#hear.hidden = !blocked));
  readonly #figures = new FiguresPanel(() => this.#toggleFigures(false));
  readonly #controls: Controls;
  readonly #resizes = new ResizeObserver(() => this.#arrange());
  readonly #offs: (() => void)[] = [];
  readonly #spotlight = new Spotlight();
  #spotlit = choices().spotlight ?? false;
  #speaking: ReadonlySet<string> = new Set();
  #latest: Figures | null = null;
  #lines: { send: LineState; recv: LineState } = { send: "new", recv: "new" };
  #wasConnected = false;
  #known: Map<string, string> | null = null;
  #wakeLock: WakeLockSentinel | null = null;
  #unseen: ReturnType<typeof setTimeout> | undefined;
  readonly #watching = new Watching(() => this.#receive());
  /** Whether anybody looks at this page. */
  #looking = true;

  constructor(stay: Stay) {
    this.#stay = stay;
    const link = linkOf(stay.invitation, stay.video ? "video" : "audio");
    this.#controls = new Controls(stay, {
      figures: () => this.#toggleFigures(this.#figures.element.hidden === true),
      spotlight: () => this.#toggleSpotlight(),
      copyLink: () => void copyLink(link),
      speaker: (deviceId) => this.#sound.speaker(deviceId),
    });
    this.#hear = h(
      "button",
      { type: "button", class: "primary hear", hidden: true, onclick: () => void this.#sound.unblock() },
      () => t().room.hear,
    );
    this.#alone = h(
      "section",
      { class: "alone" },
      h("h2", {}, () => t().room.alone),
      h("p", {}, () => t().room.aloneLead),
      linkBox(link),
    );
    this.#stage = h(
      "section",
      { class: "stage", "aria-label": () => t().room.participants },
      this.#shared,
      this.#people,
      this.#alone,
      this.#hear,
    );
    this.element = h(
      "div",
      { class: "room" },
      h("header", { class: "bar" }, mark(), this.#title, this.#count, h("span", { class: "grow" }), this.#controls.spotlightButton, this.#controls.linkButton),
      this.#trouble,
      h("main", { class: "body" }, this.#stage, this.#figures.element),
      this.#controls.element,
      this.#sound.element,
    );
    this.#listen();
    this.#update();
    this.#resizes.observe(this.#stage);
    void this.#stayAwake();
  }

  close(): void {
    clearTimeout(this.#unseen);
    this.#watching.close();
    this.#resizes.disconnect();
    for (const off of this.#offs) off();
    this.#controls.close();
    this.#sound.update([]);
    for (const tile of this.#tiles.values()) tile.remove();
    void this.#wakeLock?.release();
  }

  #listen(): void {
    const { call } = this.#stay;
    const update = () => this.#update();
    const condition = () => this.#tellTrouble();
    window.addEventListener("online", condition);
    window.addEventListener("offline", condition);
    const seen = () => this.#seen(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", seen);
    this.#offs.push(
      () => window.removeEventListener("online", condition),
      () => window.removeEventListener("offline", condition),
      () => document.removeEventListener("visibilitychange", seen),
      this.#stay.on("mine", update),
      this.#stay.on("shareFailed", () => toast(() => t().notice.shareFailed, "warning")),
      call.on("peers", update),
      call.on("local", update),
      call.on("floor", update),
      call.on("state", update),
      call.on("line", (lines) => {
        this.#lines = lines;
        this.#wasConnected ||= lines.send === "ok" || lines.recv === "ok";
        condition();
      }),
      call.on("speaking", (speaking) => {
        this.#speaking = speaking;
        for (const [key, tile] of this.#tiles) tile.speaking(speaking.has(key));
      }),
      call.on("figures", (figures) => {
        const stalls = figures.stalled.size + (this.#latest?.stalled.size ?? 0) > 0;
        this.#latest = figures;
        if (stalls) this.#update();
        this.#figures.update(figures, (id) => this.#nameOf(id));
      }),
      call.on("muted", ({ source, by }) => {
        const text = source === "mic" ? "mutedBy" : source === "camera" ? "cameraOffBy" : "screenOffBy";
        toast(() => t().notice[text](by), "warning", 8_000);
      }),
      call.on("closing", ({ deadlineMs }) =>
        toast(() => t().notice.closing(Math.max(1, Math.round(deadlineMs / 1000))), "warning", 10_000),
      ),
      call.on("failed", ({ source }) => {
        const sources: Record<string, string> = t().sources;
        toast(() => t().notice.cannotSend(sources[source] ?? source), "warning", 8_000);
      }),
    );
  }

  #update(): void {
    const { call } = this.#stay;
    const { peers } = call;
    const title = () => (isNamed(call.roomId) ? call.roomId : t().room.unnamed);
    say(this.#title, "", title);
    say(this.#count, "", () => t().room.people(peers.length + 1));
    document.title = `${title()} (${peers.length + 1}) · takos-call`;
    this.#tellComings(peers);
    this.#sound.update(peers);
    const large = this.#large();
    const shared = new Map<string, Tile>();
    const people = new Map<string, Tile>();
    for (const peer of peers) {
      (peer.id === large ? shared : people).set(peer.id, this.#person(peer));
      for (const media of screensOf(peer)) shared.set(media.producerId, this.#screenOf(peer, media));
    }
    people.set("me", this.#me(call.local));
    if (this.#stay.screen) shared.set("my-screen", this.#myScreen(this.#stay.screen));
    for (const [key, tile] of this.#tiles) {
      if (shared.has(key) || people.has(key)) continue;
      this.#watching.remove(tile.element);
      tile.remove();
      this.#tiles.delete(key);
    }
    inOrder(this.#shared, shared.values());
    inOrder(this.#people, people.values());
    this.#alone.hidden = peers.length > 0 || call.state !== "live" || this.#stay.screen !== null;
    this.#tellTrouble();
    this.#arrange();
    this.#receive();
  }

  /** Who has the place that a shared screen has; nobody while there is one. */
  #large(): string | null {
    const { call, screen } = this.#stay;
    const screens = screen !== null || call.peers.some((peer) => screensOf(peer).length > 0);
    // Moving a tile closes its menu.
    const large = this.#spotlight.choose(call.peers.map((peer) => peer.id), call.floor, this.#stage.querySelector(".menu") !== null);
    this.#controls.spotlightShown(this.#spotlit, large !== null && !screens);
    return this.#spotlit && !screens ? large : null;
  }

  #toggleSpotlight(): void {
    this.#spotlit = !this.#spotlit;
    remember({ spotlight: this.#spotlit });
    this.#update();
  }

  #person(peer: Peer): Tile {
    const tile = this.#tile(peer.id, () => new Tile(peer.id, "person"));
    const camera = peer.media.find((media) => media.kind === "video" && !isScreen(media));
    const microphone = peer.media.find((media) => media.kind === "audio" && !isScreen(media));
    tile.update({
      name: () => peer.displayName,
      track: camera && !camera.paused ? camera.track : null,
      microphoneOff: !microphone || microphone.paused,
      host: peer.host,
      stalled: this.#latest?.stalled.has(peer.id) ?? false,
      connecting: peer.media.some((media) => !media.track && !media.paused && !media.failed),
      failed: peer.media.some((media) => media.failed && !media.paused && !isScreen(media)),
      speaking: this.#speaking.has(peer.id),
      menu: this.#menuOf(peer, camera, microphone),
    });
    return tile;
  }

  #me(local: readonly LocalMedia[]): Tile {
    const { devices, video, call } = this.#stay;
    const tile = this.#tile("me", () => new Tile("me", "person", true));
    const microphone = local.find((media) => media.source === "mic");
    tile.update({
      name: () => t().room.you,
      track: video && devices.camera.on ? devices.camera.track : null,
      microphoneOff: !microphone || microphone.paused,
      host: call.host,
      stalled: false,
      connecting: false,
      failed: false,
      speaking: false,
      menu: [],
    });
    return tile;
  }

  #screenOf(peer: Peer, media: RemoteMedia): Tile {
    const tile = this.#tile(media.producerId, () => new Tile(peer.id, "screen"));
    tile.update({ ...quiet, name: () => t().room.screenOf(peer.displayName), track: media.track, connecting: !media.track && !media.failed, failed: media.failed });
    return tile;
  }

  #myScreen(track: MediaStreamTrack): Tile {
    const tile = this.#tile("my-screen", () => new Tile("me", "screen"));
    tile.update({ ...quiet, name: () => t().room.youSharing, track });
    return tile;
  }

  #tile(key: string, make: () => Tile): Tile {
    const tile = this.#tiles.get(key) ?? make();
    this.#tiles.set(key, tile);
    this.#watching.add(tile.element);
    return tile;
  }

  #menuOf(peer: Peer, camera: RemoteMedia | undefined, microphone: RemoteMedia | undefined): MenuItem[] {
    const { call } = this.#stay;
    if (!call.host) return [];
    const items: MenuItem[] = [];
    const mute = (media: RemoteMedia | undefined, label: () => string) => {
      if (media && !media.paused) items.push({ label, chosen: () => call.mute(peer.id, media.producerId) });
    };
    mute(microphone, () => t().room.muteOther);
    mute(camera, () => t().room.cameraOther);
    for (const screen of screensOf(peer)) mute(screen, () => t().room.screenOther);
    items.push({ label: () => t().room.kick, grave: true, chosen: () => this.#controls.confirmKick(peer) });
    return items;
  }

  #tellComings(peers: readonly Peer[]): void {
    if (this.#stay.call.state !== "live") return;
    const now = new Map(peers.map((peer) => [peer.id, peer.displayName]));
    const before = this.#known;
    this.#known = now;
    if (!before) return;
    for (const [id, name] of now) if (!before.has(id)) toast(() => t().notice.joined(name));
    for (const [id, name] of before) if (!now.has(id)) toast(() => t().notice.left(name));
  }

  #tellTrouble(): void {
    const { state } = this.#stay.call;
    const trouble = troubleOf({ state, online: navigator.onLine, ...this.#lines, wasConnected: this.#wasConnected });
    this.#trouble.hidden = !trouble;
    if (!trouble || this.#trouble.dataset.trouble === trouble) return;
    this.#trouble.dataset.trouble = trouble;
    const text = h("span", {}, () => t().trouble[trouble]);
    this.#trouble.classList.toggle("calm", trouble === "connecting");
    this.#trouble.replaceChildren(trouble === "connecting" ? h("i", { class: "spinner" }) : icon("warning"), text);
  }

  #toggleFigures(shown: boolean): void {
    this.#figures.element.hidden = !shown;
    this.#controls.figuresShown(shown);
    this.#figures.update(this.#latest, (id) => this.#nameOf(id));
  }

  #nameOf(peerId: string): string {
    return this.#stay.call.peers.find((peer) => peer.id === peerId)?.displayName ?? peerId;
  }

  #arrange(): void {
    const { clientWidth, clientHeight } = this.#stage;
    const width = clientWidth - 2 * GAP;
    const height = clientHeight - 2 * GAP;
    if (width <= 0 || height <= 0) return;
    const people = this.#people.childElementCount;
    const screens = this.#shared.childElementCount;
    this.#shared.hidden = screens === 0;
    const style = this.#stage.style;
    if (screens === 0) {
      delete this.#stage.dataset.strip;
      const tile = tiles(people, width, height, GAP);
      style.setProperty("--tile-width", `${tile.width}px`);
      style.setProperty("--tile-height", `${tile.height}px`);
      return;
    }
    const arrangement = stage(people, width, height, GAP);
    this.#stage.dataset.strip = arrangement.strip;
    style.setProperty("--tile-width", `${arrangement.tileWidth}px`);
    style.setProperty("--tile-height", `${arrangement.tileHeight}px`);
    const screen = tiles(screens, arrangement.width, arrangement.height, GAP);
    style.setProperty("--screen-width", `${screens === 1 ? arrangement.width : screen.width}px`);
    style.setProperty("--screen-height", `${screens === 1 ? arrangement.height : screen.height}px`);
  }

  #seen(visible: boolean): void {
    clearTimeout(this.#unseen);
    if (visible) {
      void this.#stayAwake();
      this.#look(true);
    } else {
      this.#unseen = setTimeout(() => this.#look(false), UNSEEN_MS);
    }
  }

  #look(looking: boolean): void {
    this.#looking = looking;
    this.#receive();
  }

  /** Asks for pictures as large as they are shown, and for none that nobody sees. */
  #receive(): void {
    const { call } = this.#stay;
    for (const peer of call.peers) {
      for (const media of peer.media) {
        const tile = this.#tiles.get(isScreen(media) ? media.producerId : peer.id)?.element;
        if (media.kind !== "video" || !tile) continue;
        const shown = this.#watching.of(tile);
        if (shown) call.setShown(media.producerId, shown);
        call.setReceiving(media.producerId, this.#looking && this.#watching.sees(tile));
      }
    }
  }

  /** A phone is not to go dark in the middle of a call. */
  async #stayAwake(): Promise<void> {
    this.#wakeLock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
  }
}

/** Puts tiles into their place, moving no more of them than it takes; who is moved keeps the focus. */
function inOrder(parent: HTMLElement, tiles: Iterable<Tile>): void {
  let next = parent.firstElementChild;
  for (const { element } of tiles) {
    if (element === next) {
      next = next.nextElementSibling;
      continue;
    }
    const focused = element.contains(document.activeElement) ? (document.activeElement as HTMLElement) : null;
    parent.insertBefore(element, next);
    focused?.focus();
  }
}

/** The name that the server gives a room for which nobody had one says nothing to people. */
function isNamed(roomId: string): boolean {
  return roomId !== "" && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(roomId);
}

const quiet = { microphoneOff: false, host: false, stalled: false, connecting: false, failed: false, speaking: false, menu: [] };

function isScreen(media: RemoteMedia): boolean {
  return media.source.startsWith("screen");
}

function screensOf(peer: Peer): RemoteMedia[] {
  return peer.media.filter((media) => media.kind === "video" && isScreen(media) && !media.paused);
}
