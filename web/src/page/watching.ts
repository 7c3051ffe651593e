/** Which elements a person can see, and how large they are. */
import type { Size } from "../call/layers";

/** Tiles that grow or move do so in many steps: what they come to is what counts. */
const SETTLED_MS = 250;
/** Scrolling past something is no reason to stop it. */
const GONE_MS = 1_500;

interface Seen extends Size {
  visible: boolean;
}

export class Watching {
  readonly #changed: () => void;
  readonly #seen = new Map<Element, Seen>();
  readonly #sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) this.#note(target, contentRect);
    this.#tell(SETTLED_MS);
  });
  readonly #sights = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) this.#look(target, isIntersecting);
  });
  readonly #leaving = new Map<Element, ReturnType<typeof setTimeout>>();
  #telling: ReturnType<typeof setTimeout> | undefined;

  /** changed is called after what of and sees answer has changed. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  add(element: Element): void {
    if (this.#seen.has(element)) return;
    // Until it has been looked at it is taken to be seen.
    this.#seen.set(element, { width: 0, height: 0, visible: true });
    this.#sizes.observe(element);
    this.#sights.observe(element);
  }

  remove(element: Element): void {
    clearTimeout(this.#leaving.get(element));
    this.#leaving.delete(element);
    this.#seen.delete(element);
    this.#sizes.unobserve(element);
    this.#sights.unobserve(element);
  }

  /** Whether any of it is in the window. */
  sees(element: Element): boolean {
    return this.#seen.get(element)?.visible ?? false;
  }

  /** Its size in pixels of the device, or null before it has one. */
  of(element: Element): Size | null {
    const { width, height } = this.#seen.get(element) ?? { width: 0, height: 0 };
    return width > 0 && height > 0 ? { width: width * devicePixelRatio, height: height * devicePixelRatio } : null;
  }

  close(): void {
    this.#sizes.disconnect();
    this.#sights.disconnect();
    clearTimeout(this.#telling);
    for (const timer of this.#leaving.values()) clearTimeout(timer);
  }

  #note(element: Element, { width, height }: Size): void {
    const seen = this.#seen.get(element);
    if (seen) Object.assign(seen, { width, height });
  }

  /** Who comes into sight is shown at once; who goes out of it, after a while. */
  #look(element: Element, visible: boolean): void {
    clearTimeout(this.#leaving.get(element));
    this.#leaving.delete(element);
    const seen = this.#seen.get(element);
    if (!seen || seen.visible === visible) return;
    const change = () => {
      seen.visible = visible;
      this.#tell(0);
    };
    if (visible) change();
    else this.#leaving.set(element, setTimeout(change, GONE_MS));
  }

  #tell(inMs: number): void {
    clearTimeout(this.#telling);
    this.#telling = setTimeout(this.#changed, inMs);
  }
}
