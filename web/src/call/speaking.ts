/** Who is speaking, from audio levels. Values in, values out: the time is passed in. */

/** Levels are linear, 0 to 1; about -34 dB, above a room's noise. */
const LOUD = 0.02;
/** People pause between words. */
const HOLD_MS = 700;

export class Speaking {
  #heard = new Map<string, number>();
  #now: ReadonlySet<string> = new Set();

  /**
   * Takes the level of each person now and answers who speaks.
   * The same set is returned as long as its members stay the same.
   */
  update(levels: Iterable<readonly [id: string, level: number]>, nowMs: number): ReadonlySet<string> {
    for (const [id, level] of levels) {
      if (level >= LOUD) this.#heard.set(id, nowMs);
    }
    for (const [id, at] of this.#heard) {
      if (nowMs - at > HOLD_MS) this.#heard.delete(id);
    }
    const same = this.#heard.size === this.#now.size && [...this.#heard.keys()].every((id) => this.#now.has(id));
    if (!same) this.#now = new Set(this.#heard.keys());
    return this.#now;
  }
}
