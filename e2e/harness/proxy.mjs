// A TCP relay in front of a server's HTTP port, whose lines can be cut. Media does not pass it.
import { createServer, connect } from "node:net";

export async function startProxy(port) {
  const lines = new Set();
  let down = false;
  const relay = createServer((client) => {
    if (down) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(port, "127.0.0.1");
    for (const [from, to] of [[client, server], [server, client]]) {
      lines.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        lines.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise((listening) => relay.listen(0, "127.0.0.1", listening));
  const cut = () => {
    for (const line of lines) line.resetAndDestroy();
  };
  return {
    origin: `http://localhost:${relay.address().port}`,
    /** Breaks every line and refuses new ones. */
    cut() {
      down = true;
      cut();
    },
    restore() {
      down = false;
    },
    async stop() {
      down = true;
      cut();
      await new Promise((closed) => relay.close(closed));
    },
  };
}
