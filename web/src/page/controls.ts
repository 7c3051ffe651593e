/** The bar of buttons below a call, its keys, and the dialogues that they open. */
import type { Peer } from "../call/call";
import { h, say, t } from "./dom";
import { icon } from "./icons";
import { deviceChoices, field, iconButton, languageChoice, levelBar, problemText, setIcon, toast } from "./parts";
import type { Stay } from "./stay";

export interface ControlActions {
  figures: () => void;
  spotlight: () => void;
  copyLink: () => void;
  speaker: (deviceId: string) => void;
}

export class Controls {
  readonly element: HTMLElement;
  readonly linkButton: HTMLElement;
  readonly spotlightButton: HTMLButtonElement;
  readonly #stay: Stay;
  readonly #actions: ControlActions;
  readonly #microphone: HTMLButtonElement;
  readonly #camera: HTMLButtonElement;
  readonly #screen: HTMLButtonElement;
  readonly #figures: HTMLButtonElement;
  readonly #offs: (() => void)[] = [];

  constructor(stay: Stay, actions: ControlActions) {
    this.#stay = stay;
    this.#actions = actions;
    const toggle = (kind: "microphone" | "camera") => () => stay.toggle(kind);
    this.#microphone = iconButton({ icon: "mic", label: () => "", onclick: toggle("microphone"), key: "M" });
    this.#camera = iconButton({ icon: "camera", label: () => "", onclick: toggle("camera"), key: "V" });
    this.#screen = iconButton({ icon: "screen", label: () => "", onclick: () => void stay.toggleScreen(), key: "S" });
    this.#figures = iconButton({ icon: "figures", label: () => t().room.figures, onclick: actions.figures, key: "F" });
    this.#figures.setAttribute("aria-pressed", "false");
    const settings = iconButton({ icon: "settings", label: () => t().room.settings, onclick: () => this.#openSettings() });
    const leave = iconButton({ icon: "leave", label: () => t().room.leave, class: "leave", onclick: () => stay.call.leave() });
    this.spotlightButton = iconButton({ icon: "spotlight", label: () => t().room.spotlight, onclick: actions.spotlight, key: "L" });
    this.linkButton = h(
      "button",
      { type: "button", class: "quiet copy", onclick: actions.copyLink },
      icon("link"),
      h("span", {}, () => t().room.copyLink),
    );
    const toolbar = h(
      "div",
      { class: "controls", role: "toolbar", "aria-label": () => t().room.controls },
      this.#microphone,
      stay.video ? this.#camera : null,
      stay.video && canShare() ? this.#screen : null,
      h("i", { class: "divider" }),
      this.#figures,
      settings,
      h("i", { class: "divider" }),
      leave,
    );
    this.element = h("footer", {}, toolbar);
    const keys = (event: KeyboardEvent) => this.#pressed(event);
    document.addEventListener("keydown", keys);
    this.#offs.push(
      () => document.removeEventListener("keydown", keys),
      stay.on("mine", () => this.#update()),
      stay.devices.on("change", (kind) => {
        const { problem } = stay.devices[kind];
        if (problem) toast(problemText(kind, problem), "warning", 8_000);
      }),
    );
    this.#update();
  }

  close(): void {
    for (const off of this.#offs) off();
    for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  }

  figuresShown(shown: boolean): void {
    this.#figures.setAttribute("aria-pressed", String(shown));
  }

  /** There is nothing to choose where there are few. */
  spotlightShown(shown: boolean, choosable: boolean): void {
    this.spotlightButton.setAttribute("aria-pressed", String(shown));
    this.spotlightButton.hidden = !choosable;
  }

  confirmKick(peer: Peer): void {
    const dialog = this.#dialog(h("h2", {}, () => t().room.kickQuestion(peer.displayName)));
    const kick = () => {
      dialog.close();
      this.#stay.call.kick(peer.id);
    };
    dialog.append(
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, () => t().room.cancel),
        h("button", { type: "button", class: "primary grave", onclick: kick }, () => t().room.kick),
      ),
    );
    dialog.showModal();
  }

  #openSettings(): void {
    const level = levelBar(this.#stay.devices);
    const dialog = this.#dialog(
      h("h2", {}, () => t().devices.title),
      deviceChoices(this.#stay.devices, this.#stay.video, this.#actions.speaker),
      level.element,
      field(() => t().language, languageChoice()),
    );
    dialog.append(
      h("div", { class: "actions" }, h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, () => t().room.close)),
    );
    dialog.addEventListener("close", () => level.close());
    dialog.showModal();
  }

  #dialog(...content: Node[]): HTMLDialogElement {
    const dialog = h("dialog", { class: "card" }, ...content);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    document.body.append(dialog);
    return dialog;
  }

  #update(): void {
    const { devices, screen } = this.#stay;
    const microphoneOn = devices.microphone.on && devices.microphone.track !== null;
    const cameraOn = devices.camera.on && devices.camera.track !== null;
    const sharing = screen !== null;
    setIcon(this.#microphone, microphoneOn ? "mic" : "micOff", () => (microphoneOn ? t().room.mute : t().room.unmute));
    setIcon(this.#camera, cameraOn ? "camera" : "cameraOff", () => (cameraOn ? t().room.cameraOff : t().room.cameraOn));
    setIcon(this.#screen, "screen", () => (sharing ? t().room.stopShare : t().room.share));
    this.#microphone.classList.toggle("off", !microphoneOn);
    this.#camera.classList.toggle("off", !cameraOn);
    this.#screen.classList.toggle("active", sharing);
    say(this.#screen, "aria-pressed", String(sharing));
  }

  #pressed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
    if (event.target instanceof HTMLElement && event.target.closest("input, select, textarea")) return;
    const button = { m: this.#microphone, v: this.#camera, s: this.#screen, f: this.#figures, l: this.spotlightButton }[event.key.toLowerCase()];
    if (button?.isConnected && !button.hidden) button.click();
  }
}

/** Phones have no screen sharing. */
function canShare(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}
