/** Checks of single fields. What is missing, null, 0 or "" counts as not given, as JavaScript callers expect. */

/** The value as an object to look into, or a TypeError. */
export function object(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new TypeError(`${path} must be an object`);
  return value as Record<string, unknown>;
}

/** The named field as a list, which is made empty if it was not given. */
export function list(of: Record<string, unknown>, name: string, path: string): unknown[] {
  of[name] ||= [];
  if (!Array.isArray(of[name])) throw new TypeError(`${path}.${name} must be an array`);
  return of[name];
}

/** Refuses a field that is given and of another type. */
export function optional(of: Record<string, unknown>, name: string, type: "string" | "number" | "object" | "boolean", path: string): void {
  if (of[name] && typeof of[name] !== type) throw new TypeError(`${path}.${name} must be a ${type}`);
}

/** Refuses a field that is no number; 0 is one. */
export function requireNumber(of: Record<string, unknown>, name: string, path: string): void {
  if (typeof of[name] !== "number") throw new TypeError(`${path}.${name} is missing or not a number`);
}

/** Refuses a field that is no string with something in it. */
export function requireText(of: Record<string, unknown>, name: string, path: string): void {
  if (!of[name] || typeof of[name] !== "string") throw new TypeError(`${path}.${name} is missing or not a string`);
}

/** The named field as a set of format parameters: strings and numbers by name. */
export function parameters(of: Record<string, unknown>, path: string): void {
  if (!of.parameters || typeof of.parameters !== "object") of.parameters = {};
  const set = of.parameters as Record<string, unknown>;
  for (const [name, value] of Object.entries(set)) {
    if (value === undefined) set[name] = "";
    else if (typeof value !== "string" && typeof value !== "number") {
      throw new TypeError(`${path}.parameters.${name} must be a string or a number`);
    }
  }
}
