/** What an application hangs onto an object. It stays in this process: the server never sees it. */
export type AppData = { [key: string]: unknown };

type Without<T, U> = T & { [P in keyof U]?: never };

/** One or the other, not both. */
export type Either<T, U> = Without<T, U> | Without<U, T>;

/** Refuses what is no object for an appData. */
export function checkAppData(appData: unknown): void {
  if (appData && typeof appData !== "object") throw new TypeError("appData must be an object");
}
