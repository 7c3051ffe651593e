import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { TakosCallClient, TakosCallError, type ClientEvents, type ClientOptions } from "@takos/call-api";
import { FakeServer } from "./fake-server";

let server: FakeServer;
const clients: TakosCallClient[] = [];

beforeEach(async () => {
  server = new FakeServer();
  await server.start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await server.stop();
});

function make(options: ClientOptions = {}): TakosCallClient {
  const client = new TakosCallClient({ url: server.url, apiKey: "secret", reconnectInterval: 10, ...options });
  clients.push(client);
  return client;
}

function next<Name extends keyof ClientEvents>(client: TakosCallClient, name: Name): Promise<ClientEvents[Name]> {
  return new Promise((resolve) => {
    const heard = (data: ClientEvents[Name]) => {
      client.off(name, heard);
      resolve(data);
    };
    client.on(name, heard);
  });
}

test("the key goes into a header, not into the address", async () => {
  await make().connect();
  assert.equal(server.headers[0]?.["api-key"], "secret");
  assert.equal(server.urls[0], "/takos-api");
});

test("both ways of making a client work", async () => {
  const positional = new TakosCallClient(server.url, "other", { requestTimeout: 500 });
  clients.push(positional);
  await positional.connect();
  assert.equal(server.headers[0]?.["api-key"], "other");
});

test("each method sends its command with its arguments under their names", async () => {
  const client = make();
  const dtlsParameters = { fingerprints: [] };
  const rtp = { codecs: [] };
  server.handlers.getAllRooms = () => ({ rooms: [] });
  server.handlers.getRouterRtpCapabilities = () => ({ rtpCapabilities: rtp });
  server.handlers.restartIce = () => ({ iceParameters: { usernameFragment: "u", password: "p" } });
  for (const name of ["getTransportStats", "getProducerStats", "getConsumerStats", "getDataProducerStats", "getDataConsumerStats"]) server.handlers[name] = () => ({ stats: [1] });
  server.handlers.sendData = () => ({ bufferedAmount: 5 });
  server.handlers.setConsumerPreferredLayers = () => ({ preferredLayers: { spatialLayer: 1, temporalLayer: 2 } });
  const ref = { roomId: "r", peerId: "p" };
  const stream = { streamId: 3 };
  const calls: [Promise<unknown>, string, object, unknown?][] = [
    [client.createRoom("r", { maxPeers: 3 }), "createRoom", { roomId: "r", options: { maxPeers: 3 } }],
    [client.closeRoom("r"), "closeRoom", { roomId: "r" }],
    [client.getRoomInfo("r"), "getRoomInfo", { roomId: "r" }],
    [client.getAllRooms(), "getAllRooms", {}, []],
    [client.getRouterRtpCapabilities("r"), "getRouterRtpCapabilities", { roomId: "r" }, rtp],
    [client.addPeer("r", "p"), "addPeer", { ...ref, options: {} }],
    [client.removePeer("r", "p"), "removePeer", ref],
    [client.kick("r", "p", "noise"), "removePeer", { ...ref, reason: "noise" }],
    [client.getPeerInfo("r", "p"), "getPeerInfo", ref],
    [client.createTransport("r", "p", "send"), "createTransport", { ...ref, direction: "send", options: {} }],
    [client.connectTransport("r", "p", "t", dtlsParameters), "connectTransport", { ...ref, transportId: "t", dtlsParameters }],
    [client.restartIce("r", "p", "t"), "restartIce", { ...ref, transportId: "t" }, { usernameFragment: "u", password: "p" }],
    [client.setMaxIncomingBitrate("r", "p", "t", 9), "setMaxIncomingBitrate", { ...ref, transportId: "t", bitrate: 9 }],
    [client.setMaxOutgoingBitrate("r", "p", "t", 9), "setMaxOutgoingBitrate", { ...ref, transportId: "t", bitrate: 9 }],
    [client.setMinOutgoingBitrate("r", "p", "t", 9), "setMinOutgoingBitrate", { ...ref, transportId: "t", bitrate: 9 }],
    [client.closeTransport("r", "p", "t"), "closeTransport", { ...ref, transportId: "t" }],
    [client.getTransportInfo("r", "p", "t"), "getTransportInfo", { ...ref, transportId: "t" }],
    [client.getTransportStats("r", "p", "t"), "getTransportStats", { ...ref, transportId: "t" }, [1]],
    [client.createProducer("r", "p", "t", "audio", rtp), "createProducer", { ...ref, transportId: "t", kind: "audio", rtpParameters: rtp }],
    [client.createProducer("r", "p", "t", "video", rtp, { source: "screen" }), "createProducer", { ...ref, transportId: "t", kind: "video", rtpParameters: rtp, source: "screen" }],
    [client.pauseProducer("r", "p", "x"), "pauseProducer", { ...ref, producerId: "x" }],
    [client.resumeProducer("r", "p", "x"), "resumeProducer", { ...ref, producerId: "x" }],
    [client.muteProducer("r", "p", "x"), "muteProducer", { ...ref, producerId: "x" }],
    [client.closeProducer("r", "p", "x"), "closeProducer", { ...ref, producerId: "x" }],
    [client.getProducerInfo("r", "p", "x"), "getProducerInfo", { ...ref, producerId: "x" }],
    [client.getProducerStats("r", "p", "x"), "getProducerStats", { ...ref, producerId: "x" }, [1]],
    [client.createConsumer("r", "p", "t", "x", rtp), "createConsumer", { ...ref, transportId: "t", producerId: "x", rtpCapabilities: rtp }],
    [client.pauseConsumer("r", "p", "c"), "pauseConsumer", { ...ref, consumerId: "c" }],
    [client.resumeConsumer("r", "p", "c"), "resumeConsumer", { ...ref, consumerId: "c" }],
    [client.requestKeyFrame("r", "p", "c"), "requestKeyFrame", { ...ref, consumerId: "c" }],
    [client.setConsumerPreferredLayers("r", "p", "c", { spatialLayer: 1 }), "setConsumerPreferredLayers", { ...ref, consumerId: "c", spatialLayer: 1 }, { spatialLayer: 1, temporalLayer: 2 }],
    [client.setConsumerPriority("r", "p", "c", 9), "setConsumerPriority", { ...ref, consumerId: "c", priority: 9 }],
    [client.closeConsumer("r", "p", "c"), "closeConsumer", { ...ref, consumerId: "c" }],
    [client.getConsumerInfo("r", "p", "c"), "getConsumerInfo", { ...ref, consumerId: "c" }],
    [client.getConsumerStats("r", "p", "c"), "getConsumerStats", { ...ref, consumerId: "c" }, [1]],
    [client.createDataProducer("r", "p", "t", stream), "createDataProducer", { ...ref, transportId: "t", sctpStreamParameters: stream }],
    [client.createDataProducer("r", "p", "t", stream, { label: "chat" }), "createDataProducer", { ...ref, transportId: "t", sctpStreamParameters: stream, label: "chat" }],
    [client.pauseDataProducer("r", "p", "x"), "pauseDataProducer", { ...ref, dataProducerId: "x" }],
    [client.resumeDataProducer("r", "p", "x"), "resumeDataProducer", { ...ref, dataProducerId: "x" }],
    [client.closeDataProducer("r", "p", "x"), "closeDataProducer", { ...ref, dataProducerId: "x" }],
    [client.getDataProducerInfo("r", "p", "x"), "getDataProducerInfo", { ...ref, dataProducerId: "x" }],
    [client.getDataProducerStats("r", "p", "x"), "getDataProducerStats", { ...ref, dataProducerId: "x" }, [1]],
    [client.createDataConsumer("r", "p", "t", "x", { ordered: false }), "createDataConsumer", { ...ref, transportId: "t", dataProducerId: "x", ordered: false }],
    [client.pauseDataConsumer("r", "p", "c"), "pauseDataConsumer", { ...ref, dataConsumerId: "c" }],
    [client.resumeDataConsumer("r", "p", "c"), "resumeDataConsumer", { ...ref, dataConsumerId: "c" }],
    [client.sendData("r", "p", "c", "hello"), "sendData", { ...ref, dataConsumerId: "c", message: "hello", binary: false }, 5],
    [client.closeDataConsumer("r", "p", "c"), "closeDataConsumer", { ...ref, dataConsumerId: "c" }],
    [client.getDataConsumerInfo("r", "p", "c"), "getDataConsumerInfo", { ...ref, dataConsumerId: "c" }],
    [client.getDataConsumerStats("r", "p", "c"), "getDataConsumerStats", { ...ref, dataConsumerId: "c" }, [1]],
    [client.createToken({ roomId: "r", userId: "u@d" }), "createToken", { roomId: "r", userId: "u@d" }],
    [client.revokeToken("k"), "revokeToken", { token: "k" }],
    [client.createInvitation(), "createInvitation", {}],
    [client.revokeInvitation("i"), "revokeInvitation", { invitation: "i" }],
    [client.subscribe(["r"]), "subscribe", { roomIds: ["r"] }],
    [client.subscribe("*", { audioLevels: true }), "subscribe", { roomIds: "*", audioLevels: true }],
    [client.getServerInfo(), "getServerInfo", {}],
  ];
  const answers = await Promise.all(calls.map(([answer]) => answer));
  assert.deepEqual(server.requests.map(({ type, data }) => [type, data]), calls.map(([, type, data]) => [type, data]));
  calls.forEach(([, name, , expected], i) => assert.deepEqual(answers[i] ?? undefined, expected, name));
});

test("commands given before connect() connect, and are sent in order", async () => {
  const client = make();
  server.handlers.getRoomInfo = ({ roomId }) => ({ id: roomId });
  const rooms = await Promise.all(["a", "b", "c"].map((id) => client.getRoomInfo(id)));
  assert.deepEqual(rooms.map((room) => room?.id), ["a", "b", "c"]);
  assert.equal(server.headers.length, 1);
});

test("an error of the server comes with its code and message", async () => {
  server.handlers.closeRoom = () => {
    throw { code: "ROOM_NOT_FOUND", message: 'there is no room "x"' };
  };
  await assert.rejects(make().closeRoom("x"), (error) => {
    assert.ok(error instanceof TakosCallError);
    assert.equal(error.code, "ROOM_NOT_FOUND");
    assert.equal(error.message, 'there is no room "x"');
    return true;
  });
});

test("a command without an answer times out, and a late answer does no harm", async () => {
  let id = "";
  server.handlers.getRoomInfo = (_data, request) => {
    id = request.id;
    return undefined;
  };
  const client = make({ requestTimeout: 60 });
  await assert.rejects(client.getRoomInfo("a"), { code: "TIMEOUT" });
  server.say(JSON.stringify({ type: "response", id, success: true, data: null }));
  server.say("not JSON");
  await client.closeRoom("still works");
});

test("a lost connection rejects what was under way, and comes back", async () => {
  const client = make();
  server.handlers.getRoomInfo = () => undefined;
  await client.connect();
  const pending = client.getRoomInfo("a");
  await client.closeRoom("sent after it");
  const lost = next(client, "disconnected");
  const again = next(client, "reconnecting");
  const back = next(client, "connected");
  server.cut();
  await assert.rejects(pending, { code: "CONNECTION_LOST" });
  assert.equal((await lost).code, 1006);
  assert.equal((await again).attempt, 1);
  await back;
  await client.closeRoom("over the new connection");
  assert.equal(server.requests.filter(({ type }) => type === "getRoomInfo").length, 1, "it is not repeated");
});

test("a command given while the server is away waits for it", async () => {
  const client = make();
  await client.connect();
  const gone = next(client, "disconnected");
  await server.stop();
  await gone;
  server.handlers.getRoomInfo = ({ roomId }) => ({ id: roomId });
  const room = client.getRoomInfo("a");
  await next(client, "error");
  await server.start();
  assert.equal((await room)?.id, "a");
});

test("a command that must make the connection itself fails with it", async () => {
  server.refuse = { status: 503, body: "" };
  await assert.rejects(make({ autoReconnect: false }).getRoomInfo("a"), { code: "CONNECT_FAILED" });
});

test("what was subscribed to is subscribed to again", async () => {
  const client = make();
  await client.subscribe(["r1"], { audioLevels: true });
  const back = next(client, "connected");
  server.cut();
  await back;
  await client.closeRoom("x");
  assert.deepEqual(server.requests.filter(({ type }) => type === "subscribe").map(({ data }) => data), [1, 2].map(() => ({ roomIds: ["r1"], audioLevels: true })));
});

test("a wrong key is said with the server's code, and not tried again", async () => {
  server.refuse = { status: 401, body: '{"success":false,"error":{"code":"UNAUTHORIZED","message":"this key is not valid"}}' };
  const client = make();
  const errors: string[] = [];
  client.on("error", (error) => errors.push(error.code));
  await assert.rejects(client.connect(), { code: "UNAUTHORIZED", message: "this key is not valid" });
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.equal(server.headers.length, 1);
  assert.deepEqual(errors, ["UNAUTHORIZED"]);
});

test("a server that is overloaded is tried again", async () => {
  server.refuse = { status: 503, body: "busy" };
  const client = make();
  await assert.rejects(client.connect(), { code: "CONNECT_FAILED" });
  server.refuse = null;
  await next(client, "connected");
});

test("attempts end at their maximum, and without autoReconnect there is none", async () => {
  server.refuse = { status: 503, body: "" };
  const limited = make({ maxReconnectAttempts: 2, reconnectInterval: 5 });
  await assert.rejects(limited.connect());
  const never = make({ autoReconnect: false });
  await assert.rejects(never.connect());
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(server.headers.length, 3 + 1);
});

test("disconnect() rejects what is under way and stays disconnected", async () => {
  const client = make();
  server.handlers.getRoomInfo = () => undefined;
  await client.connect();
  const pending = client.getRoomInfo("a");
  client.disconnect();
  await assert.rejects(pending, { code: "DISCONNECTED" });
  assert.equal(client.isConnected, false);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(server.headers.length, 1);
  await client.connect();
  assert.equal(client.isConnected, true);
});

test("a connection that falls silent is found out", async () => {
  const client = make({ keepAliveInterval: 30 });
  server.handlers.getServerInfo = () => undefined;
  await client.connect();
  assert.equal((await next(client, "disconnected")).reason, "no answer");
  delete server.handlers.getServerInfo;
  await next(client, "connected");
  await new Promise((resolve) => setTimeout(resolve, 120));
  assert.equal(client.isConnected, true, "any answer shows that it holds");
});

test("the events come by name, and every message as such", async () => {
  const client = make();
  await client.connect();
  const heard: [string, object][] = [];
  const names = ["roomCreated", "roomClosed", "peerAdded", "peerClosed", "transportCreated", "transportClosed", "producerCreated", "producerClosed", "consumerCreated", "consumerClosed", "activeSpeaker", "audioLevels", "consumerLayersChanged", "consumerScore", "producerScore", "producerLayersWanted"] as const;
  for (const name of names) client.on(name, (data) => heard.push([name, data]));
  const messages: string[] = [];
  client.on("message", (message) => messages.push(message.type === "event" ? message.data.event : message.type));
  for (const event of names) server.event({ event, roomId: "r" });
  server.event({ event: "connected", roomId: "not one of ours" });
  await client.closeRoom("x");
  assert.deepEqual(heard, names.map((name) => [name, { roomId: "r" }]));
  assert.deepEqual(messages, [...names, "connected", "response"]);
});

test("off removes one callback, or all", async () => {
  const client = make();
  await client.connect();
  const heard: string[] = [];
  const [one, two] = [() => heard.push("one"), () => heard.push("two")];
  client.on("roomClosed", one);
  client.on("roomClosed", two);
  client.off("roomClosed", one);
  server.event({ event: "roomClosed", roomId: "r" });
  await client.closeRoom("x");
  client.off("roomClosed");
  server.event({ event: "roomClosed", roomId: "r" });
  await client.closeRoom("x");
  assert.deepEqual(heard, ["two"]);
});

test("the package can be required as well as imported, and its browser files need nothing of Node's", () => {
  const required = createRequire(import.meta.url)("@takos/call-api") as { TakosCallClient: unknown };
  assert.equal(typeof required.TakosCallClient, "function");
  for (const file of ["dist/esm/browser.js", "dist/cjs/browser.js"]) {
    assert.doesNotMatch(readFileSync(file, "utf8"), /require\(|from "(ws|node:)/, file);
  }
});

test("its types fit mediasoup-client's, whichever way the package is imported", () => {
  execFileSync("npx", ["--no-install", "tsc", "--project", "test/consumers"], { stdio: "pipe" });
});
