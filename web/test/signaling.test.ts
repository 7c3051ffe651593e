import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { backoffMs } from "../src/call/backoff";
import { meaningOfClose, parseMessage, type EndReason } from "../src/call/protocol";
import { Signaling, SignalingError } from "../src/call/signaling";
import { FakeSocket, settled } from "./fake-socket";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"] }));
afterEach(() => mock.timers.reset());

function setUp(explain: (url: string) => Promise<EndReason | null> = async () => null) {
  const sockets: FakeSocket[] = [];
  const signaling = new Signaling({
    address: (resume) => (resume ? "ws://x?resume=1" : "ws://x"),
    open: (url) => {
      const socket = new FakeSocket(url);
      sockets.push(socket);
      return socket;
    },
    explain,
    patienceMs: 60_000,
  });
  const ended: EndReason[] = [];
  signaling.on("ended", (reason) => ended.push(reason));
  signaling.start();
  return { signaling, sockets, ended, last: () => sockets.at(-1) as FakeSocket };
}

test("waiting grows with each attempt, is partly chance, and has a longest", () => {
  assert.equal(backoffMs(0, 1), 300);
  assert.equal(backoffMs(0, 0), 150);
  assert.equal(backoffMs(2, 1), 1200);
  assert.equal(backoffMs(50, 1), 8000);
});

test("within the 15 seconds that the server keeps a place, it is tried every two", () => {
  for (let attempt = 0, passed = 0; passed < 15_000; attempt++) {
    assert.ok(backoffMs(attempt, 1) <= 2_000);
    passed += backoffMs(attempt, 1);
  }
});

test("close codes that end the call are told from those that pass", () => {
  assert.equal(meaningOfClose(4001), "replaced");
  assert.equal(meaningOfClose(4002), "kicked");
  assert.equal(meaningOfClose(4003), "roomClosed");
  for (const code of [1001, 1006, 1011, 1012, 4005, 4006, 4007]) assert.equal(meaningOfClose(code), "again");
});

test("only JSON objects with a type are messages", () => {
  assert.deepEqual(parseMessage('{"type":"pong"}'), { type: "pong" });
  for (const frame of ["", "{", "null", "[]", "1", '{"type":1}', '{"type":""}', '{"typ":"x"}', new Uint8Array(2)]) {
    assert.equal(parseMessage(frame), null, String(frame));
  }
});

test("a lost line is opened again, asking to resume once there was an init", async () => {
  const { sockets, last } = setUp();
  assert.equal(last().url, "ws://x");
  last().open();
  last().end(1006);
  await settled();
  mock.timers.tick(300);
  assert.equal(last().url, "ws://x", "there is nothing to resume before the first init");
  last().open();
  last().say({ type: "init" });
  last().end(1006);
  await settled();
  assert.equal(sockets.length, 2, "not at once");
  mock.timers.tick(300);
  assert.equal(sockets.length, 3);
  assert.equal(last().url, "ws://x?resume=1");
});

test("a kick ends it for good", async () => {
  const { sockets, ended, last } = setUp();
  last().open();
  last().end(4002);
  await settled();
  mock.timers.tick(60_000);
  assert.deepEqual(ended, ["kicked"]);
  assert.equal(sockets.length, 1);
});

test("a refusal before the upgrade is asked about, and is final when the server says why", async () => {
  const asked: string[] = [];
  const { ended, last } = setUp(async (url) => {
    asked.push(url);
    return "tokenInvalid";
  });
  last().end(1006);
  await settled();
  assert.deepEqual(asked, ["ws://x"]);
  assert.deepEqual(ended, ["tokenInvalid"]);
});

test("a server that stays away is given up after the patience", async () => {
  const { sockets, ended, last } = setUp();
  for (let i = 0; i < 60 && ended.length === 0; i++) {
    last().end(1006);
    await settled();
    mock.timers.tick(8_000);
  }
  assert.deepEqual(ended, ["serverLost"]);
  assert.ok(sockets.length > 5, `tried ${sockets.length} times`);
});

test("a line that says nothing is asked, and dropped when it does not answer", async () => {
  const { sockets, last } = setUp();
  const silent = last();
  silent.open();
  mock.timers.tick(10_000);
  assert.deepEqual(silent.sent, [{ type: "ping" }]);
  silent.say({ type: "pong" });
  mock.timers.tick(10_000);
  assert.equal(silent.sent.length, 2, "it is asked again after the next silence");
  mock.timers.tick(6_000);
  assert.equal(silent.closedWith, 3001);
  mock.timers.tick(300);
  assert.equal(sockets.length, 2);
});

test("an attempt that neither opens nor fails is given up", () => {
  const { sockets } = setUp();
  mock.timers.tick(10_000);
  mock.timers.tick(300);
  assert.equal(sockets.length, 2);
  assert.equal(sockets[0]?.closedWith, 3001);
});

test("what an old socket still says is not heard", () => {
  const { signaling, sockets } = setUp();
  const heard: string[] = [];
  signaling.on("message", (message) => heard.push(message.type));
  const old = sockets[0] as FakeSocket;
  old.open();
  const speak = old.onmessage;
  signaling.reopen(true);
  assert.equal(old.onmessage, null);
  assert.ok(speak);
  sockets[1]?.open();
  sockets[1]?.say({ type: "pong" });
  assert.deepEqual(heard, ["pong"]);
});

test("each answer finds its question, in whatever order", async () => {
  const { signaling, last } = setUp();
  last().open();
  const ask = (requestId: string) =>
    signaling.ask({ type: "consume", requestId }, (message) => "requestId" in message && message.requestId === requestId);
  const [first, second] = [ask("r1"), ask("r2")];
  last().say({ type: "error", requestId: "r2", message: "no" } as never);
  last().say({ type: "consumed", requestId: "r1" } as never);
  assert.equal((await first).type, "consumed");
  assert.equal((await second).type, "error");
});

test("questions without an answer fail: on loss at once, otherwise in time", async () => {
  const { signaling, last } = setUp();
  await assert.rejects(signaling.ask({ type: "x" }, () => true), { name: "SignalingError", code: "lost" });
  last().open();
  const lost = signaling.ask({ type: "x" }, () => false);
  last().end(1006);
  await assert.rejects(lost, { code: "lost" });
  await settled();
  mock.timers.tick(300);
  last().open();
  const late = signaling.ask({ type: "x" }, () => false);
  mock.timers.tick(5_000);
  last().say({ type: "pong" });
  mock.timers.tick(5_000);
  await assert.rejects(late, (error) => error instanceof SignalingError && error.code === "timeout");
});

test("hanging up says so and is heard of once", () => {
  const { signaling, ended, last } = setUp();
  last().open();
  signaling.leave();
  signaling.leave();
  assert.deepEqual(last().sent, [{ type: "bye" }]);
  assert.equal(last().closedWith, 1000);
  assert.deepEqual(ended, ["left"]);
});

test("a changed network is tried at once", async () => {
  const { signaling, sockets, last } = setUp();
  last().open();
  last().say({ type: "init" });
  signaling.check();
  assert.deepEqual(last().sent, [{ type: "ping" }], "an open line is asked");
  last().end(1006);
  await settled();
  signaling.check();
  assert.equal(sockets.length, 2, "a lost one is opened without waiting");
});
