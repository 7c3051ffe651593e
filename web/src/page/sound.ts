/** Lets the others be heard: one element for each of their tracks, all through one loudspeaker. */
import type { Peer } from "../call/call";
import { h } from "./dom";
import { choices } from "./memory";

export class Sound {
  readonly element = h("div", { hidden: true });
  readonly #playing = new Map<string, HTMLAudioElement>();
  readonly #blocked: (blocked: boolean) => void;

  /** blocked is told when the browser wants a click before anything may be heard. */
  constructor(blocked: (blocked: boolean) => void) {
    this.#blocked = blocked;
  }

  update(peers: readonly Peer[]): void {
    const tracks = new Map<string, { track: MediaStreamTrack; peerId: string }>();
    for (const { id: peerId, media } of peers) {
      for (const { kind, track, producerId } of media) {
        if (kind === "audio" && track) tracks.set(producerId, { track, peerId });
      }
    }
    for (const [id, audio] of this.#playing) {
      if (tracks.has(id)) continue;
      audio.srcObject = null;
      audio.remove();
      this.#playing.delete(id);
    }
    for (const [id, { track, peerId }] of tracks) this.#play(id, track, peerId);
  }

  /** Plays what was blocked; to be called from a click. */
  async unblock(): Promise<void> {
    await Promise.all([...this.#playing.values()].map((audio) => audio.play().catch(() => undefined)));
    this.#blocked(false);
  }

  speaker(deviceId: string): void {
    for (const audio of this.#playing.values()) this.#route(audio, deviceId);
  }

  #play(id: string, track: MediaStreamTrack, peerId: string): void {
    let audio = this.#playing.get(id);
    if (!audio) {
      audio = h("audio", { autoplay: true, "data-peer": peerId });
      this.#playing.set(id, audio);
      this.element.append(audio);
      this.#route(audio, choices().speaker ?? "");
    }
    if ((audio.srcObject as MediaStream | null)?.getAudioTracks()[0] === track) return;
    audio.srcObject = new MediaStream([track]);
    audio.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "NotAllowedError") this.#blocked(true);
    });
  }

  #route(audio: HTMLAudioElement, deviceId: string): void {
    if ("setSinkId" in audio && audio.sinkId !== deviceId) audio.setSinkId(deviceId).catch(() => undefined);
  }
}
