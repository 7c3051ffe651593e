/** A deep copy of plain data; undefined stays undefined. */
export function clone<T>(value: T): T {
  return value === undefined ? value : structuredClone(value);
}
