import assert from "node:assert/strict";
import { test } from "node:test";
import { cameraEncodings, layerFor, layersIn, limitsOf, readSize, screenEncodings, sizeOf, sparedOf } from "../src/call/layers";

const hd = { width: 1280, height: 720 };
const vga = { width: 640, height: 360 };

test("a camera is sent in as many sizes as are worth it, smallest first", () => {
  const sizes = (width: number, height: number) => cameraEncodings({ width, height }, "video/VP8").map((encoding) => encoding.scaleResolutionDownBy);
  assert.deepEqual(sizes(1280, 720), [4, 2, 1]);
  assert.deepEqual(sizes(720, 1280), [4, 2, 1], "a phone held upright");
  assert.deepEqual(sizes(640, 480), [2, 1]);
  assert.deepEqual(sizes(320, 240), [1]);
});

test("each size has its own rate and can be had with fewer frames", () => {
  for (const captured of [hd, vga, { width: 320, height: 180 }, { width: 1920, height: 1080 }]) {
    const encodings = cameraEncodings(captured, "video/H264");
    const rates = encodings.map((encoding) => encoding.maxBitrate ?? 0);
    assert.deepEqual(rates, [...new Set(rates)].sort((a, b) => a - b));
    assert.ok((rates[0] ?? 0) >= 100_000);
    assert.ok(encodings.every((encoding) => encoding.scalabilityMode === "L1T3"));
  }
});

test("codecs that can, send all sizes in one", () => {
  assert.deepEqual(cameraEncodings(hd, "video/VP9").map((encoding) => encoding.scalabilityMode), ["L3T3_KEY"]);
  assert.deepEqual(cameraEncodings(vga, "video/AV1").map((encoding) => encoding.scalabilityMode), ["L2T3_KEY"]);
  assert.deepEqual(cameraEncodings({ width: 320, height: 240 }, "video/AV1").map((encoding) => encoding.scalabilityMode), ["L1T3"]);
});

test("a screen has one size", () => {
  assert.deepEqual(screenEncodings().map(({ scalabilityMode, scaleResolutionDownBy }) => [scalabilityMode, scaleResolutionDownBy]), [["L1T3", undefined]]);
});

test("of sizes that are encodings of their own the upper ones are left out", () => {
  const active = (highest: number | null) => limitsOf(cameraEncodings(hd, "video/VP8"), highest).map((limits) => limits.active);
  assert.deepEqual([null, 0, 1, 2, 7].map(active), [[false, false, false], [true, false, false], [true, true, false], [true, true, true], [true, true, true]]);
  assert.deepEqual(limitsOf(screenEncodings(), 0), [{ active: true }], "a screen has one");
  assert.deepEqual(limitsOf(screenEncodings(), null), [{ active: false }]);
});

test("sizes in one encoding become fewer, each as large as before", () => {
  const limits = (highest: number | null) => limitsOf(cameraEncodings(hd, "video/VP9"), highest)[0];
  assert.deepEqual(limits(null), { active: false });
  assert.deepEqual(limits(0), { active: true, scalabilityMode: "L1T3", scaleResolutionDownBy: 4, maxBitrate: 212_500 });
  assert.deepEqual(limits(1), { active: true, scalabilityMode: "L2T3_KEY", scaleResolutionDownBy: 2, maxBitrate: 601_041 });
  assert.deepEqual(limits(7), { active: true, scalabilityMode: "L3T3_KEY", scaleResolutionDownBy: 1, maxBitrate: 1_700_000 });
});

test("what nobody wants is spared", () => {
  const simulcast = cameraEncodings(hd, "video/VP8");
  assert.deepEqual(
    [undefined, 7, 2, 1, 0, null].map((wanted) => sparedOf(simulcast, wanted)),
    [null, null, null, { sizes: 2, of: 3 }, { sizes: 1, of: 3 }, { sizes: 0, of: 3 }],
  );
  const svc = cameraEncodings(hd, "video/VP9");
  assert.deepEqual([undefined, 2, 0, null].map((wanted) => sparedOf(svc, wanted)), [null, null, { sizes: 1, of: 3 }, { sizes: 0, of: 3 }]);
});

test("the layers are in the mode", () => {
  const cases: [string | undefined, number, number][] = [["L3T3", 3, 3], ["L1T2", 1, 2], ["L3T3_KEY", 3, 3], ["S2T1", 2, 1], ["", 1, 1], [undefined, 1, 1], ["L0T0", 1, 1]];
  for (const [mode, spatial, temporal] of cases) assert.deepEqual(layersIn(mode), { spatial, temporal }, mode);
});

test("what is asked for covers what is shown, and no more", () => {
  const wanted = (width: number, height: number, count = 3, full: typeof hd | undefined = hd) => layerFor({ width, height }, full, count, null);
  assert.equal(wanted(1280, 720), 2);
  assert.equal(wanted(3840, 2160), 2, "more than there is");
  assert.equal(wanted(640, 360), 1);
  assert.equal(wanted(700, 400), 1, "stretched a little");
  assert.equal(wanted(850, 480), 2);
  assert.equal(wanted(320, 180), 0);
  assert.equal(wanted(112, 84), 0);
  assert.equal(wanted(200, 360), 1, "upright: cropped, so its height counts");
  assert.equal(wanted(320, 180, 2, vga), 0);
  assert.equal(wanted(640, 360, 2, vga), 1);
  assert.equal(wanted(640, 360, 3, undefined), 1, "of an unknown size");
  assert.equal(wanted(5000, 5000, 1), 0);
});

test("a tile that grows and shrinks a little does not flap", () => {
  let now: number | null = null;
  const changes: number[] = [];
  for (const width of [640, 790, 810, 790, 640, 600, 580, 640, 790]) {
    const next = layerFor({ width, height: (width * 9) / 16 }, hd, 3, now);
    if (next !== now) changes.push(next);
    now = next;
  }
  assert.deepEqual(changes, [1, 2, 1], "up beyond what can be stretched, and down only when the smaller fits with room to spare");
});

test("the size of a camera is its own, or the usual one", () => {
  const track = (settings: object) => ({ getSettings: () => settings }) as unknown as MediaStreamTrack;
  assert.deepEqual(sizeOf(track(vga)), vga);
  assert.deepEqual(sizeOf(track({})), hd);
});

test("what others say of their camera's size is only taken if it makes sense", () => {
  assert.deepEqual(readSize({ width: 640, height: 360, more: 1 }), vga);
  for (const odd of [undefined, null, 7, "640x360", {}, { width: 640 }, { width: "640", height: "360" }, { width: 0, height: 0 }, { width: 1e9, height: 1 }, { width: NaN, height: 360 }]) {
    assert.equal(readSize(odd), undefined);
  }
});
