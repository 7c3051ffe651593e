/** What the page remembers: choices for always, a call under way for this tab. */
import type { Language } from "./text";

export interface Choices {
  name?: string;
  language?: Language;
  camera?: string;
  microphone?: string;
  speaker?: string;
  cameraOff?: boolean;
  microphoneOff?: boolean;
  /** Whether who speaks is shown large. */
  spotlight?: boolean;
}

/** A call that a reloaded page goes back into. */
export interface Kept {
  token: string;
  callType: "audio" | "video";
}

const CHOICES = "takos-call";

export function choices(): Choices {
  return read<Choices>(local(), CHOICES) ?? {};
}

export function remember(change: Choices): void {
  write(local(), CHOICES, { ...choices(), ...change });
}

export function keptStay(invitation: string): Kept | null {
  return read<Kept>(session(), `${CHOICES}:${invitation}`);
}

export function keepStay(invitation: string, value: Kept | null): void {
  write(session(), `${CHOICES}:${invitation}`, value);
}

// A browser that keeps nothing, by its settings, throws at the very mention of these.
function local(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

function session(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

function read<T>(storage: Storage | null, key: string): T | null {
  try {
    return JSON.parse(storage?.getItem(key) ?? "null") as T | null;
  } catch {
    return null;
  }
}

function write(storage: Storage | null, key: string, value: unknown): void {
  try {
    if (value === null) storage?.removeItem(key);
    else storage?.setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: the page works without.
  }
}
