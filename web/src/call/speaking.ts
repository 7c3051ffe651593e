/** Who is speaking, by the volumes that the server tells. */
import type { Volume } from "./protocol";

/**
 * What begins speech, in dBov, on average with the pauses between words. It goes on for as
 * long as the server lists somebody at all, which ends some 10 dB lower.
 */
const SPEECH = -60;

export class Speaking {
  #now: ReadonlySet<string> = new Set();

  /**
   * Takes what was heard last and answers who speaks.
   * The same set is returned as long as its members stay the same.
   */
  update(volumes: readonly Volume[]): ReadonlySet<string> {
    const now = new Set<string>();
    for (const { peerId, volume } of volumes) {
      if (volume >= SPEECH || this.#now.has(peerId)) now.add(peerId);
    }
    const same = now.size === this.#now.size && [...now].every((id) => this.#now.has(id));
    if (!same) this.#now = now;
    return this.#now;
  }
}
