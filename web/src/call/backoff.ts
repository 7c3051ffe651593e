const FIRST_MS = 300;
const LONGEST_MS = 8_000;

/**
 * How long to wait before trying for the nth time (from 0), in milliseconds.
 *
 * It doubles, and up to half of it is chance: when a server restarts, its callers
 * must not all come back in the same instant.
 */
export function backoffMs(attempt: number, chance: number = Math.random()): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(full * (0.5 + chance / 2));
}
