const FIRST_MS = 300;
/** While the server still keeps a lost caller's place (15 s unless told), it is tried often. */
const SOON_MS = 2_000;
const SOON_ATTEMPTS = 12;
const LONGEST_MS = 8_000;

/**
 * How long to wait before trying for the nth time (from 0), in milliseconds.
 *
 * It doubles, and up to half of it is chance: when a server restarts, its callers
 * must not all come back in the same instant.
 */
export function backoffMs(attempt: number, chance: number = Math.random()): number {
  const longest = attempt < SOON_ATTEMPTS ? SOON_MS : LONGEST_MS;
  const full = Math.min(longest, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(full * (0.5 + chance / 2));
}
