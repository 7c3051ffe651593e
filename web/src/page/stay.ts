/**
 * A visitor's stay in a call: this device's camera, microphone and screen on one side, the
 * call on the other, and what is kept so that a reloaded page comes back.
 */
import { Call, type EndReason } from "../call/call";
import { Emitter } from "../call/emitter";
import type { Devices, DeviceKind } from "./devices";
import { callEndpoint } from "./doors";
import { keepStay, type Kept } from "./memory";

interface StayEvents {
  /** The screen could not be shared, or nothing else than silence could. */
  shareFailed: null;
  /** What we show changed: a device or the screen. */
  mine: null;
}

const SOURCES = { camera: "camera", microphone: "mic" } as const;

export class Stay extends Emitter<StayEvents> {
  readonly call: Call;
  readonly devices: Devices;
  readonly invitation: string;
  /** Whether this call has pictures. */
  readonly video: boolean;
  #screen: MediaStream | null = null;
  /** The browser asks which screen. */
  #choosing = false;
  readonly #offs: (() => void)[] = [];

  constructor(invitation: string, admission: Kept, devices: Devices) {
    super();
    this.invitation = invitation;
    this.devices = devices;
    this.video = admission.callType === "video";
    this.call = new Call({ endpoint: callEndpoint(), token: admission.token });
    keepStay(invitation, { token: admission.token, callType: admission.callType });
    this.#offs.push(
      devices.on("change", (kind) => this.#follow(kind)),
      this.call.on("muted", ({ source }) => this.#switchedOff(source)),
      this.call.on("ended", (reason) => this.#ended(reason)),
      listen(window, "online", () => this.call.networkChanged()),
    );
    const connection = (navigator as { connection?: EventTarget }).connection;
    if (connection) this.#offs.push(listen(connection, "change", () => this.call.networkChanged()));
  }

  start(): void {
    this.call.join();
    this.#follow("microphone");
    this.#follow("camera");
  }

  get screen(): MediaStreamTrack | null {
    return this.#screen?.getVideoTracks()[0] ?? null;
  }

  toggle(kind: DeviceKind): void {
    const state = this.devices[kind];
    void (state.on && !state.track ? this.devices.retry(kind) : this.devices.toggle(kind, !state.on));
  }

  async toggleScreen(): Promise<void> {
    if (this.#screen) {
      this.#stopScreen();
      return;
    }
    if (this.#choosing) return;
    this.#choosing = true;
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio: true });
    } catch (error) {
      // Changing one's mind in the browser's dialogue is no failure.
      if (!(error instanceof DOMException && error.name === "NotAllowedError")) this.emit("shareFailed", null);
      return;
    } finally {
      this.#choosing = false;
    }
    if (this.call.state === "ended") {
      stop(stream);
      return;
    }
    this.#screen = stream;
    for (const track of stream.getTracks()) {
      const video = track.kind === "video";
      if (video) track.contentHint = "detail";
      track.addEventListener("ended", () => this.#stopScreen());
      void this.call.publish(video ? "screen" : "screen-audio", track);
    }
    this.emit("mine", null);
  }

  /** Sends what a device delivers now. */
  #follow(kind: DeviceKind): void {
    const source = SOURCES[kind];
    const { track, on } = this.devices[kind];
    if (kind === "camera" && !this.video) return;
    const sent = this.call.local.find((media) => media.source === source);
    if (track && !sent) {
      void this.call.publish(source, track, !on);
    } else if (sent) {
      void this.call.replaceTrack(source, track);
      this.call.setPaused(source, !on || !track);
    }
    this.emit("mine", null);
  }

  #switchedOff(source: string): void {
    if (source === "mic") void this.devices.set("microphone", false);
    else if (source === "camera") void this.devices.set("camera", false);
    else this.#stopScreen();
  }

  #stopScreen(): void {
    const screen = this.#screen;
    if (!screen) return;
    this.#screen = null;
    stop(screen);
    this.call.unpublish("screen");
    this.call.unpublish("screen-audio");
    this.emit("mine", null);
  }

  #ended(reason: EndReason): void {
    // A page that another tab took over from must not take the call back when it is reloaded.
    if (reason !== "serverLost") keepStay(this.invitation, null);
    for (const off of this.#offs) off();
    if (this.#screen) stop(this.#screen);
    this.#screen = null;
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function listen(target: EventTarget, name: string, listener: () => void): () => void {
  target.addEventListener(name, listener);
  return () => target.removeEventListener(name, listener);
}
