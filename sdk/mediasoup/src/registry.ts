import type { EventData } from "./connection";

/** Something of a router's that events can be about. */
interface Entry {
  readonly key: string;
  ended: () => void;
  handle(name: string, data: EventData): void;
  refresh(now: unknown): void;
}

/** What the server says of the objects of one kind. */
export type KindSnapshot = [kind: string, infos: { id: string }[]];

/** The objects of one router by kind and id, to which its events are handed. */
export class Registry {
  readonly #objects = new Map<string, Entry>();
  /** Events of objects whose answers are still to come. */
  #early: { key: string; name: string; data: EventData }[] = [];
  /** How many answers are still to come. */
  #expected = 0;

  get(key: string): Entry | undefined {
    return this.#objects.get(key);
  }

  /** Adds an object until it ends. */
  add(object: Entry, ended: () => void): void {
    this.#objects.set(object.key, object);
    object.ended = () => {
      this.#objects.delete(object.key);
      ended();
    };
    const early = this.#early.filter(({ key }) => key === object.key);
    // Not now: who waits for the object has to get it first.
    if (early.length > 0) setImmediate(() => early.forEach(({ name, data }) => object.handle(name, data)));
  }

  /** Waits for the answer to a command that makes an object. What happens to the object meanwhile is not forgotten. */
  async making<T>(command: () => Promise<T>): Promise<T> {
    this.#expected++;
    try {
      return await command();
    } finally {
      // Whoever awaits this adds the object in the same turn.
      setImmediate(() => {
        if (--this.#expected === 0) this.#early = [];
      });
    }
  }

  /**
   * Takes over what may have changed while the connection was away. What the server does not have any more ends, and
   * what only the server has is closed: the answer to the command that made it was lost, so that nobody can use it.
   */
  refresh(kinds: KindSnapshot[], close: (kind: string, id: string) => void): void {
    const there = new Set<string>();
    for (const [kind, infos] of kinds) {
      for (const info of infos) {
        there.add(`${kind}:${info.id}`);
        const object = this.#objects.get(`${kind}:${info.id}`);
        if (object) object.refresh(info);
        else close(kind, info.id);
      }
    }
    for (const [key, object] of this.#objects) if (!there.has(key)) object.handle("closed", { event: "closed" });
  }

  /** Hands an event to its object. */
  handle(kind: string, name: string, data: EventData): void {
    const key = `${kind}:${String(data[`${kind}Id`])}`;
    const object = this.#objects.get(key);
    if (object) object.handle(name, data);
    else if (this.#expected > 0) this.#early.push({ key, name, data });
  }
}
