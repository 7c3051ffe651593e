// Whether people really see and hear each other: read from decoded pixels and samples.
import { readFile } from "node:fs/promises";

export const mediaScript = await readFile(new URL("media.js", import.meta.url), "utf8");

/** People of the tests: what each shows, and the tone that each sends. */
export const people = {
  anna: { name: "Anna", id: 11, frequency: 440 },
  ben: { name: "Ben", id: 22, frequency: 700 },
  chie: { name: "Chie", id: 33, frequency: 1100 },
};

/** The fast Fourier transform's bins are 6 Hz wide; tones are hundreds apart. */
const TOLERANCE_HZ = 25;

/** Waits until a condition, asked for repeatedly, gives something truthy; says what was seen last if it never does. */
export async function until(what, ask, { timeout = 30_000, every = 150 } = {}) {
  const deadline = Date.now() + timeout;
  let last;
  for (;;) {
    last = await ask();
    if (last?.ok ?? last) return last;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeout / 1000} s; last seen ${JSON.stringify(last)}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/**
 * What a page gets of each of the others, told apart by a name that the page's own signalling
 * gives: {name: {id, counter, frequency}}. Works for the call page and for the tests' clients,
 * which mark their elements in the same way.
 */
export function perceived(page) {
  return page.evaluate(() => {
    const found = {};
    for (const element of document.querySelectorAll(".tile.person[data-peer]:not([data-peer=me])")) {
      const { peer } = element.dataset;
      const name = element.querySelector(".name")?.textContent ?? peer;
      const audio = document.querySelector(`audio[data-peer="${CSS.escape(peer)}"]`);
      const shown = element.classList.contains("no-picture") ? null : window.media.read(element.querySelector("video"));
      found[name] = { ...shown, frequency: window.media.hear(audio?.srcObject?.getAudioTracks()[0]) };
    }
    return found;
  });
}

/**
 * Waits until a page sees exactly these others, each with their own picture moving on and their
 * own tone, and nobody else.
 */
export async function meets(page, others, options) {
  const first = new Map();
  await until(`${others.map((other) => other.name).join(" and ")} are seen and heard`, async () => {
    const seen = await perceived(page);
    const names = Object.keys(seen).sort();
    const wanted = others.map((other) => other.name).sort();
    if (names.join() !== wanted.join()) return { ok: false, names };
    for (const other of others) {
      const now = seen[other.name];
      const right = now.id === other.id && Math.abs(now.frequency - other.frequency) <= TOLERANCE_HZ;
      if (!right) return { ok: false, wanted: other, now };
      if (!first.has(other.name)) first.set(other.name, now.counter);
      // A picture that stands still is not seen: half a second of frames must have passed. One that
      // counts from the beginning again, because its camera was switched, is watched from there.
      if (now.counter < first.get(other.name)) first.set(other.name, now.counter);
      const passed = now.counter - first.get(other.name);
      if (passed < 6) return { ok: false, wanted: other, now, passed };
    }
    return { ok: true };
  }, options);
}

/** Watches a page for a while and fails if a picture of somebody stands still for longer than allowed. */
export async function flowsFor(page, other, forMs, standstillMs = 3_000) {
  const end = Date.now() + forMs;
  let last = null;
  let moved = Date.now();
  while (Date.now() < end) {
    const now = (await perceived(page))[other.name];
    if (now?.id !== undefined && now.id !== other.id) throw new Error(`${other.name} shows ${now.id}`);
    if (now?.counter !== undefined && now.counter !== last) {
      last = now.counter;
      moved = Date.now();
    }
    if (Date.now() - moved > standstillMs) throw new Error(`${other.name} stood still for ${Date.now() - moved} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
