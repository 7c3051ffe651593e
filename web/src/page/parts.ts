/** Pieces that several views are made of. */
import { meter, type DeviceKind, type Devices, type Problem } from "./devices";
import { currentLanguage, h, say, switchLanguage, t } from "./dom";
import { icon, mark, type Icon } from "./icons";
import { choices, remember } from "./memory";
import { isLanguage, languages } from "./text";

export function brand(): HTMLElement {
  return h("span", { class: "brand" }, mark(), "takos-call");
}

export function languageChoice(): HTMLElement {
  const select: HTMLSelectElement = h("select", {
    class: "language",
    "aria-label": () => t().language,
    onchange: () => {
      if (isLanguage(select.value)) switchLanguage(select.value);
    },
  });
  for (const [value, name] of Object.entries(languages)) {
    select.append(h("option", { value, lang: value, selected: value === currentLanguage() }, name));
  }
  return select;
}

export function header(...more: (Node | null)[]): HTMLElement {
  return h("header", { class: "header" }, brand(), h("span", { class: "grow" }), ...more, languageChoice());
}

export interface ButtonOptions {
  icon: Icon;
  label: () => string;
  onclick: (event: MouseEvent) => void;
  class?: string;
  /** As in aria-keyshortcuts: one letter. */
  key?: string;
}

/** A round button that says by its label what it will do. */
export function iconButton(options: ButtonOptions): HTMLButtonElement {
  const button = h("button", { type: "button", class: `round ${options.class ?? ""}`, onclick: options.onclick });
  if (options.key) button.setAttribute("aria-keyshortcuts", options.key);
  setIcon(button, options.icon, options.label);
  return button;
}

export function setIcon(button: HTMLButtonElement, name: Icon, label: () => string): void {
  const key = button.getAttribute("aria-keyshortcuts");
  say(button, "aria-label", label);
  say(button, "title", () => (key ? `${label()} (${key})` : label()));
  if (!button.firstElementChild?.classList.contains(`icon-${name}`)) button.replaceChildren(icon(name));
}

export function field(label: () => string, control: HTMLElement): HTMLElement {
  return h("label", { class: "field" }, h("span", {}, label), control);
}

/** Where people say who they are, with what they said last time. */
export function nameInput(): HTMLInputElement {
  return h("input", {
    type: "text",
    name: "name",
    autocomplete: "name",
    maxlength: 64,
    required: true,
    value: choices().name ?? "",
    placeholder: () => t().start.namePlaceholder,
  });
}

/** The link of the call, and a button that copies it. */
export function linkBox(link: string): HTMLElement {
  const input: HTMLInputElement = h("input", {
    class: "link",
    type: "text",
    readonly: true,
    value: link,
    "aria-label": () => t().join.link,
    onfocus: () => input.select(),
  });
  const button = h("button", { type: "button", class: "quiet" }, icon("link"), () => t().room.copyLink);
  button.addEventListener("click", () => void copyLink(link, input));
  return h("div", { class: "link-box" }, input, button);
}

/** Without a secure context there is no clipboard: then the link is shown for copying by hand. */
export async function copyLink(link: string, input?: HTMLInputElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(link);
    toast(() => t().room.copied);
  } catch {
    input?.select();
    toast(() => `${t().room.copyByHand} ${link}`, "plain", 15_000);
  }
}

const toasts = h("div", { class: "toasts", role: "status", "aria-live": "polite" });

/** Says something in passing. */
export function toast(text: () => string, tone: "plain" | "warning" = "plain", forMs = 5_000): void {
  if (!toasts.isConnected) document.body.append(toasts);
  const item = h("div", { class: `toast ${tone}` }, text);
  toasts.append(item);
  while (toasts.childElementCount > 3) toasts.firstElementChild?.remove();
  setTimeout(() => item.remove(), forMs);
}

/** What is wrong with a device, or with both, in words. */
export function problemText(kind: DeviceKind | "both", problem: Problem): () => string {
  return () => {
    const { devices, sources } = t();
    if (problem === "insecure") return devices.insecure;
    const what = { camera: sources.camera, microphone: sources.mic, both: devices.both };
    return devices[problem](what[kind]);
  };
}

/** The choice of one kind of device; it follows what is plugged in. */
export function deviceChoice(
  devices: Devices,
  kind: DeviceKind | "speaker",
  chosen: (deviceId: string) => void,
): { element: HTMLElement; refresh: () => Promise<void> } {
  const select: HTMLSelectElement = h("select", { onchange: () => chosen(select.value) });
  const element = field(() => t().devices[kind], select);
  const refresh = async () => {
    const found = await devices.list(kind);
    const track = kind === "speaker" ? null : devices[kind].track;
    const current = track?.getSettings().deviceId || choices()[kind] || "";
    const nth = { camera: "cameraNth", microphone: "microphoneNth", speaker: "speakerNth" } as const;
    select.replaceChildren(
      ...(found.length === 0 ? [h("option", { value: "" }, () => t().devices.none)] : []),
      ...(found.length > 0 && !track ? [h("option", { value: "" }, () => t().devices.standard)] : []),
      ...found.map(({ deviceId, label }, i) =>
        h("option", { value: deviceId, selected: deviceId === current }, () => label || t().devices[nth[kind]](i + 1)),
      ),
    );
    select.disabled = found.length === 0;
  };
  void refresh();
  return { element, refresh };
}

/** The choices of camera, microphone and, where the browser has it, loudspeaker. */
export function deviceChoices(devices: Devices, video: boolean, speaker: (deviceId: string) => void): HTMLElement {
  const kinds = [
    ...(video ? [deviceChoice(devices, "camera", (id) => void devices.choose("camera", id))] : []),
    deviceChoice(devices, "microphone", (id) => void devices.choose("microphone", id)),
    ...("setSinkId" in HTMLMediaElement.prototype
      ? [
          deviceChoice(devices, "speaker", (id) => {
            remember({ speaker: id });
            speaker(id);
          }),
        ]
      : []),
  ];
  const element = h("div", { class: "device-choices" }, ...kinds.map((kind) => kind.element));
  const stop = devices.on("list", () => {
    if (!element.isConnected) stop();
    else for (const kind of kinds) void kind.refresh();
  });
  return element;
}

/** A bar that follows the microphone. */
export function levelBar(devices: Devices): { element: HTMLElement; close: () => void } {
  const bar = h("div", { class: "level", role: "img", "aria-label": () => t().devices.level }, h("i"));
  let stop: (() => void) | null = null;
  let track: MediaStreamTrack | null = null;
  const follow = () => {
    const next = devices.microphone.on ? devices.microphone.track : null;
    if (next === track) return;
    stop?.();
    track = next;
    bar.style.setProperty("--level", "0");
    // Speech lies well below full scale: the bar shows its square root.
    stop = track && meter(track, (level) => bar.style.setProperty("--level", Math.min(1, Math.sqrt(level) * 1.6).toFixed(2)));
  };
  const off = devices.on("change", follow);
  follow();
  return {
    element: bar,
    close: () => {
      off();
      stop?.();
    },
  };
}

/** Two letters of a name; of a Japanese or Chinese one the first character says enough. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = [...(words[0] ?? "")][0] ?? "?";
  if (words.length === 1 || /[\u3040-\u30ff\u3400-\u9fff]/.test(first)) return first.toUpperCase();
  return (first + ([...(words.at(-1) ?? "")][0] ?? "")).toUpperCase();
}

/** A colour of one's own, the same for everybody who sees the name. */
export function hueOf(id: string): number {
  let hash = 7;
  for (const letter of id) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 3600;
  return hash / 10;
}
