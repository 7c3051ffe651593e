/**
 * One WebRTC transport's connection: when it breaks, it is mended by ICE restarts,
 * and when that does not help either, it is given up.
 */
import type { types } from "mediasoup-client";
import { Emitter } from "./emitter";
import type { Side } from "./protocol";
import { SignalingError } from "./signaling";

export type LineState = "new" | "ok" | "checking" | "broken";

export interface LineEvents {
  state: LineState;
  /** ICE restarts did not help: the transport is to be made anew. */
  hopeless: null;
}

/** A short break often mends itself, for instance when a phone changes its access point. */
const PATIENCE_MS = 1_500;
/** How long a restart may take before the next is tried. */
const RESTART_MS = 5_000;
const RESTARTS = 4;

export class Line extends Emitter<LineEvents> {
  readonly #transport: types.Transport;
  readonly #restart: () => Promise<types.IceParameters>;
  #state: LineState = "new";
  #restarts = 0;
  #restarting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** restart asks the server for the ICE parameters of a restart. */
  constructor(transport: types.Transport, restart: () => Promise<types.IceParameters>) {
    super();
    this.#transport = transport;
    this.#restart = restart;
    transport.on("connectionstatechange", (state) => this.#changed(state));
  }

  get side(): Side {
    return this.#transport.direction;
  }

  get state(): LineState {
    return this.#state;
  }

  /** The network changed: whatever the line looks like now, its addresses are old. */
  networkChanged(): void {
    if (this.#transport.connectionState === "new") return;
    this.#restarts = 0;
    void this.#mend();
  }

  /** The server can be asked again: go on with what could not be tried. */
  serverBack(): void {
    if (this.#state === "checking" || this.#state === "broken") this.networkChanged();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#transport.close();
  }

  #changed(state: types.ConnectionState): void {
    clearTimeout(this.#timer);
    switch (state) {
      case "connected":
        this.#restarts = 0;
        this.#set("ok");
        break;
      case "disconnected":
        this.#set("checking");
        this.#timer = setTimeout(() => void this.#mend(), PATIENCE_MS);
        break;
      case "failed":
        this.#set("broken");
        void this.#mend();
        break;
    }
  }

  async #mend(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#transport.closed || this.#restarting) return;
    if (this.#restarts >= RESTARTS) {
      this.emit("hopeless", null);
      return;
    }
    this.#restarting = true;
    this.#restarts++;
    try {
      const iceParameters = await this.#restart();
      if (!this.#transport.closed) await this.#transport.restartIce({ iceParameters });
    } catch (error) {
      if (this.#unmendable(error)) return;
    } finally {
      this.#restarting = false;
    }
    if (this.#transport.closed) return;
    this.#timer = setTimeout(() => {
      if (this.#transport.connectionState !== "connected") void this.#mend();
    }, RESTART_MS);
  }

  /** What trying again in a while does not help against. */
  #unmendable(error: unknown): boolean {
    if (!(error instanceof SignalingError)) return false;
    if (error.code === "lost") {
      // Without the server nothing can be mended: it goes on with serverBack.
      this.#restarts--;
      return true;
    }
    // The server has given the transport up.
    if (error.code === "refused") this.emit("hopeless", null);
    return error.code === "refused";
  }

  #set(state: LineState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.emit("state", state);
  }
}
