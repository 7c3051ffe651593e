/** One picture in the grid: somebody's camera, or a shared screen. */
import { h, say, t } from "./dom";
import { icon } from "./icons";
import { hueOf, iconButton, initials } from "./parts";

export interface TileState {
  name: () => string;
  /** Null shows initials in place of the picture. */
  track: MediaStreamTrack | null;
  microphoneOff: boolean;
  host: boolean;
  stalled: boolean;
  /** Announced, but nothing has come yet. */
  connecting: boolean;
  /** Announced, and this browser cannot receive it. */
  failed: boolean;
  speaking: boolean;
  menu: MenuItem[];
}

export interface MenuItem {
  label: () => string;
  grave?: boolean;
  chosen: () => void;
}

export class Tile {
  readonly element: HTMLElement;
  readonly #video = h("video", { autoplay: true, playsinline: true, "aria-hidden": "true" });
  readonly #avatar: HTMLElement;
  readonly #name = h("span", { class: "name" });
  readonly #badge = h("span", { class: "badge" }, icon("crown"));
  readonly #micOff = h("span", { class: "mic-off" }, icon("micOff"));
  readonly #note = h("span", { class: "note" });
  readonly #more: HTMLButtonElement;
  #menu: MenuItem[] = [];
  #stream: MediaStream | null = null;

  constructor(id: string, kind: "person" | "screen", mirrored = false) {
    this.#video.muted = true;
    this.#avatar = h("span", { class: "avatar", "aria-hidden": "true" });
    this.#avatar.style.setProperty("--hue", String(hueOf(id)));
    say(this.#badge, "title", () => t().room.host);
    say(this.#micOff, "title", () => t().room.muted);
    this.#more = iconButton({ icon: "more", label: () => "", class: "small more", onclick: () => this.#openMenu() });
    this.element = h(
      "article",
      { class: `tile ${kind}${mirrored ? " mirrored" : ""}`, "data-peer": id },
      this.#video,
      this.#avatar,
      this.#note,
      h("footer", {}, this.#micOff, this.#name, this.#badge),
      this.#more,
    );
  }

  get video(): HTMLVideoElement {
    return this.#video;
  }

  update(state: TileState): void {
    const { element } = this;
    this.#show(state.track);
    say(this.#name, "", state.name);
    say(this.#avatar, "", () => initials(state.name()));
    say(element, "aria-label", () => {
      const notes = [state.name()];
      if (state.host) notes.push(t().room.host);
      if (state.microphoneOff) notes.push(t().room.muted);
      if (state.stalled) notes.push(t().room.stalled);
      return notes.join(", ");
    });
    this.#badge.hidden = !state.host;
    this.#micOff.hidden = !state.microphoneOff;
    const note = state.stalled ? "stalled" : state.connecting ? "connecting" : state.failed ? "failed" : null;
    this.#note.hidden = note === null;
    say(this.#note, "", () => (note ? t().room[note] : ""));
    this.#note.classList.toggle("warning", state.stalled);
    element.classList.toggle("speaking", state.speaking);
    element.classList.toggle("stalled", state.stalled);
    this.#menu = state.menu;
    this.#more.hidden = state.menu.length === 0;
    const name = state.name;
    say(this.#more, "aria-label", () => t().room.more(name()));
    say(this.#more, "title", () => t().room.more(name()));
  }

  speaking(speaking: boolean): void {
    this.element.classList.toggle("speaking", speaking);
  }

  remove(): void {
    this.#video.srcObject = null;
    this.element.remove();
  }

  #show(track: MediaStreamTrack | null): void {
    this.element.classList.toggle("no-picture", !track);
    if (this.#stream?.getTracks()[0] === (track ?? undefined)) return;
    this.#stream = track ? new MediaStream([track]) : null;
    this.#video.srcObject = this.#stream;
    if (track) this.#video.play().catch(() => undefined);
  }

  #openMenu(): void {
    const menu = h("div", { class: "menu", role: "menu", popover: "auto" });
    for (const item of this.#menu) {
      const chosen = () => {
        menu.hidePopover();
        item.chosen();
      };
      menu.append(h("button", { type: "button", role: "menuitem", class: item.grave ? "grave" : "", onclick: chosen }, item.label));
    }
    menu.addEventListener("keydown", (event) => moveFocus(menu, event));
    menu.addEventListener("toggle", (event) => {
      if ((event as ToggleEvent).newState !== "closed") return;
      menu.remove();
      this.#more.focus();
    });
    this.element.append(menu);
    const { right, bottom } = this.#more.getBoundingClientRect();
    menu.showPopover();
    menu.style.setProperty("left", `${Math.max(8, right - menu.offsetWidth)}px`);
    menu.style.setProperty("top", `${Math.min(innerHeight - menu.offsetHeight - 8, bottom + 6)}px`);
    menu.querySelector("button")?.focus();
  }
}

function moveFocus(menu: HTMLElement, event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll("button")];
  const now = items.indexOf(document.activeElement as HTMLButtonElement);
  items[(now + step + items.length) % items.length]?.focus();
}
