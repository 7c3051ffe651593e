/** Numbers as people read them: two or three figures, and a unit. */

export function rate(bitsPerSecond: number): string {
  if (bitsPerSecond >= 999_500) return `${(bitsPerSecond / 1e6).toFixed(bitsPerSecond < 9_950_000 ? 2 : 1)} Mbit/s`;
  return `${Math.round(bitsPerSecond / 1e3)} kbit/s`;
}

export function percent(value: number | null): string {
  if (value === null) return "–";
  return `${value.toFixed(value > 0 && value < 9.95 ? 1 : 0)} %`;
}

export function milliseconds(value: number | null): string {
  return value === null ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
