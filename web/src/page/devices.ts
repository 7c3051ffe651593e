/**
 * Camera and microphone of this device: getting them, changing them, and what goes wrong.
 * Tracks obtained here are stopped here.
 */
import { Emitter } from "../call/emitter";
import { choices, remember } from "./memory";

export type DeviceKind = "camera" | "microphone";
export type Problem = "insecure" | "refused" | "missing" | "busy" | "failed" | "unplugged";

export interface DeviceState {
  /** The device delivers, or would if it were not switched off. */
  track: MediaStreamTrack | null;
  /** The user's wish. */
  on: boolean;
  asking: boolean;
  problem: Problem | null;
}

interface DeviceEvents {
  /** Something of this kind changed: its track, the wish, or a problem. */
  change: DeviceKind;
  /** Devices were plugged in or out. */
  list: null;
}

const CONSTRAINTS: Record<DeviceKind, MediaTrackConstraints> = {
  camera: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
  microphone: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
};

export class Devices extends Emitter<DeviceEvents> {
  readonly camera: DeviceState = { track: null, on: !choices().cameraOff, asking: false, problem: null };
  readonly microphone: DeviceState = { track: null, on: !choices().microphoneOff, asking: false, problem: null };
  readonly #listChanged = () => this.emit("list", null);
  #closed = false;

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener("devicechange", this.#listChanged);
  }

  /** Whether browsers give devices to this page at all. */
  get allowed(): boolean {
    return window.isSecureContext && navigator.mediaDevices !== undefined;
  }

  /** Starts what is wished for. Both are asked for at once, so that the user is asked once. */
  async start(): Promise<void> {
    const wanted = (["camera", "microphone"] as const).filter((kind) => this[kind].on && !this[kind].track);
    if (wanted.length < 2) {
      for (const kind of wanted) await this.#open(kind);
      return;
    }
    for (const kind of wanted) this.#begin(kind);
    try {
      const stream = await this.#capture({ video: constraints("camera"), audio: constraints("microphone") });
      for (const kind of wanted) this.#got(kind, stream);
    } catch {
      // One of them is the trouble: asked for alone, each says what is wrong with it.
      for (const kind of wanted) await this.#open(kind);
    }
  }

  /** Switches a device on or off. A camera that is off is let go: its light goes out. */
  toggle(kind: DeviceKind, on: boolean): Promise<void> {
    remember({ [`${kind}Off`]: !on });
    return this.set(kind, on);
  }

  /** The same when it is not this user's wish, and so nothing to remember for the next call. */
  async set(kind: DeviceKind, on: boolean): Promise<void> {
    const state = this[kind];
    state.on = on;
    if (on && !state.track) {
      await this.#open(kind);
      return;
    }
    if (!on && kind === "camera") this.#release(kind);
    if (state.track) state.track.enabled = on;
    this.emit("change", kind);
  }

  /** Uses another device of that kind; an empty id is the standard one. */
  async choose(kind: DeviceKind, deviceId: string): Promise<void> {
    remember({ [kind]: deviceId });
    if (!this[kind].on) return;
    this.#release(kind);
    await this.#open(kind);
  }

  /** Tries again after a problem. */
  async retry(kind: DeviceKind): Promise<void> {
    this[kind].on = true;
    await this.#open(kind);
  }

  async list(kind: DeviceKind | "speaker"): Promise<MediaDeviceInfo[]> {
    const names = { camera: "videoinput", microphone: "audioinput", speaker: "audiooutput" };
    const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    return devices.filter((device) => device.kind === names[kind] && device.deviceId !== "");
  }

  close(): void {
    this.#closed = true;
    navigator.mediaDevices?.removeEventListener("devicechange", this.#listChanged);
    this.#release("camera");
    this.#release("microphone");
  }

  async #open(kind: DeviceKind): Promise<void> {
    this.#begin(kind);
    try {
      this.#got(kind, await this.#capture({ [kind === "camera" ? "video" : "audio"]: constraints(kind) }));
    } catch (error) {
      this[kind].asking = false;
      this[kind].problem = problemOf(error);
      this.emit("change", kind);
    }
  }

  #begin(kind: DeviceKind): void {
    Object.assign(this[kind], { asking: true, problem: null });
    this.emit("change", kind);
  }

  #got(kind: DeviceKind, stream: MediaStream): void {
    const state = this[kind];
    const [track] = kind === "camera" ? stream.getVideoTracks() : stream.getAudioTracks();
    state.asking = false;
    if (!track || this.#closed || (kind === "camera" && !state.on)) {
      track?.stop();
      this.emit("change", kind);
      return;
    }
    state.track?.stop();
    state.track = track;
    track.enabled = state.on;
    if (kind === "camera") track.contentHint = "motion";
    track.addEventListener("ended", () => {
      if (state.track !== track) return;
      state.track = null;
      state.problem = "unplugged";
      this.emit("change", kind);
    });
    this.emit("change", kind);
    this.emit("list", null);
  }

  #release(kind: DeviceKind): void {
    const { track } = this[kind];
    this[kind].track = null;
    track?.stop();
  }

  #capture(wanted: MediaStreamConstraints): Promise<MediaStream> {
    if (!this.allowed) return Promise.reject(new DOMException("", "InsecureContext"));
    return navigator.mediaDevices.getUserMedia(wanted);
  }
}

function constraints(kind: DeviceKind): MediaTrackConstraints {
  const deviceId = choices()[kind];
  return { ...CONSTRAINTS[kind], ...(deviceId ? { deviceId: { ideal: deviceId } } : {}) };
}

function problemOf(error: unknown): Problem {
  switch (error instanceof DOMException ? error.name : "") {
    case "InsecureContext":
      return "insecure";
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "failed";
  }
}

/** Measures how loud a microphone is, 0 to 1, some twelve times a second. */
export function meter(track: MediaStreamTrack, heard: (level: number) => void): () => void {
  const context = new AudioContext();
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    heard(Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length));
  }, 80);
  return () => {
    clearInterval(timer);
    source.disconnect();
    void context.close();
  };
}
