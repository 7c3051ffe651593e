/** Who is shown large, where not all are shown alike. Values in, values out. */

export class Spotlight {
  #on: string | null = null;

  /**
   * Takes who is there besides us and who has the floor, and answers who is shown large: whoever
   * spoke last of the others, the first of them before anybody did. Ourselves we need not see
   * large, and of two there is nobody to choose. With hold nobody takes the place of one who is there.
   */
  choose(others: readonly string[], floor: string, hold: boolean): string | null {
    const stays = this.#on !== null && others.includes(this.#on);
    if (others.length < 2) this.#on = null;
    else if (others.includes(floor) && !(hold && stays)) this.#on = floor;
    else if (!stays) this.#on = others[0] ?? null;
    return this.#on;
  }
}
