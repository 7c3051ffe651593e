import assert from "node:assert/strict";
import { test } from "node:test";
import { Meter, Stalls } from "../src/call/figures";
import { Speaking } from "../src/call/speaking";

type Stat = { id: string; type: string; timestamp: number } & Record<string, unknown>;

function report(...stats: Stat[]): Map<string, Stat> {
  return new Map(stats.map((stat) => [stat.id, stat]));
}

const codec: Stat = { id: "C", type: "codec", timestamp: 0, mimeType: "video/VP8" };

function inbound(at: number, bytes: number, packets: number, lost: number): Stat {
  return {
    id: "I", type: "inbound-rtp", timestamp: at, ssrc: 7, mid: "0", codecId: "C", bytesReceived: bytes,
    packetsReceived: packets, packetsLost: lost, frameWidth: 640, frameHeight: 360, framesPerSecond: 29.7, jitter: 0.004,
  };
}

test("rates and loss of what is received are those of the last interval", () => {
  const meter = new Meter();
  const first = meter.sample(report(codec, inbound(1_000, 50_000, 100, 10))).streams.get(7);
  assert.equal(first?.bitrate, 0);
  assert.equal(first?.lossPercent, null, "one sample tells no rate");
  const second = meter.sample(report(codec, inbound(3_000, 300_000, 190, 20))).streams.get(7);
  assert.deepEqual(second, {
    bitrate: 1_000_000, lossPercent: 10, codec: "VP8", width: 640, height: 360, framesPerSecond: 30, jitterMs: 4, packets: 190,
  });
});

test("late packets that make the loss shrink are no negative loss", () => {
  const meter = new Meter();
  meter.sample(report(inbound(0, 0, 100, 10)));
  assert.equal(meter.sample(report(inbound(1_000, 0, 120, 5))).streams.get(7)?.lossPercent, 0);
});

test("loss of what is sent comes from the other side's reports", () => {
  const meter = new Meter();
  const sample = (at: number, sent: number, lost: number) =>
    meter.sample(
      report(
        { id: "O", type: "outbound-rtp", timestamp: at, ssrc: 9, mid: "1", remoteId: "R", bytesSent: sent * 100, packetsSent: sent },
        { id: "R", type: "remote-inbound-rtp", timestamp: at, packetsLost: lost, jitter: 0.002 },
      ),
    ).byMid.get("1");
  sample(0, 0, 0);
  const figures = sample(2_000, 400, 8);
  assert.equal(figures?.lossPercent, 2);
  assert.equal(figures?.bitrate, 160_000);
  assert.equal(figures?.jitterMs, 2);
});

test("the round trip is that of the pair in use, as either browser marks it", () => {
  const pair = (id: string, rtt: number, more = {}): Stat => ({ id, type: "candidate-pair", timestamp: 0, transportId: "T", currentRoundTripTime: rtt, ...more });
  const chromium = new Meter().sample(
    report({ id: "T", type: "transport", timestamp: 0, selectedCandidatePairId: "P2" }, pair("P1", 0.5, { nominated: true, state: "succeeded" }), pair("P2", 0.02, { availableOutgoingBitrate: 1e6 })),
  );
  assert.deepEqual(chromium.line, { roundTripMs: 20, availableBitrate: 1e6 });
  const firefox = new Meter().sample(report(pair("P1", 0.5), pair("P2", 0.03, { selected: true })));
  assert.equal(firefox.line.roundTripMs, 30);
});

test("the sizes of one picture are counted together, and the largest that is sent is shown", () => {
  const meter = new Meter();
  const encoding = (rid: string, at: number, bytes: number, width: number): Stat => ({
    id: rid, type: "outbound-rtp", timestamp: at, ssrc: width, mid: "1", rid, bytesSent: bytes, packetsSent: bytes / 1000, frameWidth: width, frameHeight: (width * 9) / 16,
  });
  const sample = (at: number, small: number, middle: number, large: number) =>
    meter.sample(report(encoding("r0", at, small, 320), encoding("r1", at, middle, 640), encoding("r2", at, large, 1280))).byMid.get("1");
  sample(0, 0, 0, 0);
  const all = sample(1_000, 10_000, 50_000, 100_000);
  assert.deepEqual([all?.bitrate, all?.packets, all?.width], [1_280_000, 160, 1280]);
  const less = sample(2_000, 20_000, 100_000, 100_000);
  assert.deepEqual([less?.bitrate, less?.width], [480_000, 640], "the largest is not sent any more");
});

test("whoever sends nothing for four seconds has stalled, until something comes", () => {
  const stalls = new Stalls();
  assert.equal(stalls.update([["a", 10], ["b", 10]], 0).size, 0);
  assert.equal(stalls.update([["a", 10], ["b", 20]], 2_000).size, 0);
  assert.deepEqual([...stalls.update([["a", 10], ["b", 30]], 4_000)], ["a"]);
  assert.equal(stalls.update([["a", 11], ["b", 40]], 6_000).size, 0);
  assert.equal(stalls.update([["b", 50]], 8_000).size, 0, "who left is forgotten");
  assert.equal(stalls.update([["a", 11], ["b", 60]], 12_000).size, 0);
});

test("speaking begins with speech, goes on while anything is heard, and ends", () => {
  const speaking = new Speaking();
  const heard = (...volumes: [peerId: string, volume: number][]) =>
    speaking.update(volumes.map(([peerId, volume]) => ({ peerId, producerId: `${peerId}'s`, volume })));
  const nobody = heard(["a", -65]);
  assert.equal(nobody.size, 0, "a room's noise is no speech");
  assert.equal(heard(), nobody, "the same set as long as nothing changes");
  const one = heard(["b", -30], ["a", -61]);
  assert.deepEqual([...one], ["b"]);
  assert.equal(heard(["b", -68]), one, "words have pauses");
  assert.deepEqual([...heard(["a", -60], ["b", -69])].sort(), ["a", "b"]);
  assert.deepEqual([...heard(["a", -40])], ["a"]);
  assert.equal(heard().size, 0);
});
