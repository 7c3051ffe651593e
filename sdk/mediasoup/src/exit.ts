/** Takes leave of servers before the process ends, so that they need not wait for it to come back. */

const leaving = new Set<() => void>();

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Has `leave` called when the process ends in order or is asked to end. */
export function beforeExit(leave: () => void): void {
  if (leaving.size === 0) {
    process.on("exit", leaveAll);
    for (const signal of SIGNALS) process.on(signal, signalled);
  }
  leaving.add(leave);
}

/** Has it called no more. */
export function notBeforeExit(leave: () => void): void {
  if (!leaving.delete(leave) || leaving.size > 0) return;
  process.off("exit", leaveAll);
  for (const signal of SIGNALS) process.off(signal, signalled);
}

function leaveAll(): void {
  for (const leave of [...leaving]) leave();
}

/** Ends the process as the signal would have, unless the application has plans of its own for it. */
function signalled(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  leaveAll();
  process.kill(process.pid, signal);
}
