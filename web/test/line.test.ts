import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import type { types } from "mediasoup-client";
import { Line, type LineState } from "../src/call/line";
import { SignalingError } from "../src/call/signaling";
import { settled } from "./fake-socket";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

const iceParameters = { usernameFragment: "u", password: "p" };

function setUp(restart: () => Promise<types.IceParameters> = async () => iceParameters) {
  let changed: (state: types.ConnectionState) => void = () => undefined;
  const transport = {
    direction: "send",
    closed: false,
    connectionState: "new" as types.ConnectionState,
    restarts: 0,
    on: (_name: string, listener: typeof changed) => (changed = listener),
    restartIce: async () => void transport.restarts++,
    close: () => (transport.closed = true),
  };
  const line = new Line(transport as never, restart);
  const states: LineState[] = [];
  let hopeless = 0;
  line.on("state", (state) => states.push(state));
  line.on("hopeless", () => hopeless++);
  const become = async (state: types.ConnectionState) => {
    transport.connectionState = state;
    changed(state);
    await settled();
  };
  const pass = async (ms: number) => {
    mock.timers.tick(ms);
    await settled();
  };
  return { line, transport, states, become, pass, hopeless: () => hopeless };
}

test("a short break mends itself", async () => {
  const { transport, states, become, pass } = setUp();
  await become("connected");
  await become("disconnected");
  await pass(1_000);
  await become("connected");
  await pass(60_000);
  assert.deepEqual(states, ["ok", "checking", "ok"]);
  assert.equal(transport.restarts, 0);
});

test("a longer one is mended by a restart of ICE", async () => {
  const { transport, become, pass } = setUp();
  await become("connected");
  await become("disconnected");
  await pass(1_500);
  assert.equal(transport.restarts, 1);
  await become("connected");
  await pass(60_000);
  assert.equal(transport.restarts, 1);
});

test("a failed one at once, again and again, until it is hopeless", async () => {
  const { transport, states, become, pass, hopeless } = setUp();
  await become("connected");
  await become("failed");
  assert.deepEqual(states, ["ok", "broken"]);
  for (let restarts = 1; restarts <= 4; restarts++) {
    assert.equal(transport.restarts, restarts);
    assert.equal(hopeless(), 0);
    await pass(5_000);
  }
  assert.equal(hopeless(), 1);
});

test("each connection gives it new patience", async () => {
  const { transport, become, pass, hopeless } = setUp();
  await become("connected");
  for (let i = 0; i < 6; i++) {
    await become("failed");
    await pass(5_000);
    await become("connected");
  }
  assert.equal(hopeless(), 0);
  assert.equal(transport.restarts, 12);
});

test("without the server it waits, however long, and goes on when the server is back", async () => {
  let away = true;
  const { line, transport, become, pass, hopeless } = setUp(async () => {
    if (away) throw new SignalingError("lost", "there is no connection");
    return iceParameters;
  });
  await become("connected");
  await become("failed");
  for (let i = 0; i < 10; i++) {
    await pass(60_000);
    line.serverBack();
    await settled();
  }
  assert.equal(transport.restarts, 0);
  assert.equal(hopeless(), 0);
  away = false;
  line.serverBack();
  await settled();
  assert.equal(transport.restarts, 1);
});

test("a transport that the server has given up is hopeless at once", async () => {
  const { become, hopeless } = setUp(async () => {
    throw new SignalingError("refused", "restartIce: there is no such transport");
  });
  await become("connected");
  await become("failed");
  assert.equal(hopeless(), 1);
});

test("a changed network restarts what was connected, and leaves alone what never was", async () => {
  const fresh = setUp();
  fresh.line.networkChanged();
  await settled();
  assert.equal(fresh.transport.restarts, 0);
  const running = setUp();
  await running.become("connected");
  running.line.networkChanged();
  running.line.networkChanged();
  await settled();
  assert.equal(running.transport.restarts, 1, "one at a time");
});

test("nothing happens after it was closed", async () => {
  const { line, transport, become, pass } = setUp();
  await become("connected");
  await become("disconnected");
  line.close();
  await pass(60_000);
  assert.equal(transport.closed, true);
  assert.equal(transport.restarts, 0);
});
