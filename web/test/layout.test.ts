import assert from "node:assert/strict";
import { test } from "node:test";
import { stage, tiles } from "../src/page/layout";

const GAP = 12;
const areas = { desktop: [1256, 664], laptop: [900, 560], phone: [374, 700], landscape: [820, 270], panel: [896, 664] } as const;

for (const [name, [width, height]] of Object.entries(areas)) {
  test(`1 to 9 tiles fit into a ${name}`, () => {
    for (let count = 1; count <= 9; count++) {
      const tile = tiles(count, width, height, GAP);
      const message = `${count} people: ${JSON.stringify(tile)}`;
      assert.ok(tile.columns * tile.rows >= count, message);
      assert.ok((tile.rows - 1) * tile.columns < count, `no empty row, ${message}`);
      assert.ok(tile.columns * tile.width + (tile.columns - 1) * GAP <= width, message);
      assert.ok(tile.rows * tile.height + (tile.rows - 1) * GAP <= height, message);
      const ratio = tile.width / tile.height;
      assert.ok(ratio > 0.74 && ratio < 1.8, `a face is not cut off, ${message}`);
    }
  });
}

test("nobody is seen larger because somebody joins", () => {
  for (const [width, height] of Object.values(areas)) {
    let before = Infinity;
    for (let count = 1; count <= 30; count++) {
      const tile = tiles(count, width, height, GAP);
      if (tile.rows * (tile.height + GAP) - GAP > height) break; // From here on it is scrolled.
      // What is seen of a wide picture: the tile's size, less what is cropped.
      const seen = tile.width * tile.height * Math.sqrt(Math.min(1, tile.width / tile.height / (16 / 9)));
      assert.ok(seen <= before * 1.01, `${count} people on ${width}×${height}`);
      before = seen;
    }
  }
});

test("two people sit beside each other on a desktop and above each other on a phone", () => {
  assert.equal(tiles(2, ...areas.desktop, GAP).columns, 2);
  assert.equal(tiles(2, ...areas.phone, GAP).columns, 1);
  assert.equal(tiles(9, ...areas.desktop, GAP).columns, 3);
});

test("three people on a desktop are not cropped to upright strips", () => {
  assert.equal(tiles(3, ...areas.desktop, GAP).columns, 2);
});

test("too many people for a phone are reached by scrolling, at a size that can be seen", () => {
  const tile = tiles(40, ...areas.phone, GAP);
  assert.ok(tile.width >= 112);
  assert.ok(tile.rows * tile.height > areas.phone[1]);
});

test("an area without size makes no tile of negative size", () => {
  const tile = tiles(3, 0, 0, GAP);
  assert.ok(tile.width >= 0 && tile.height >= 0);
});

test("a shared screen takes most of the place, with the people beside or below it", () => {
  const wide = stage(4, ...areas.desktop, GAP);
  assert.equal(wide.strip, "beside");
  assert.ok(wide.width > areas.desktop[0] * 0.7);
  const upright = stage(4, ...areas.phone, GAP);
  assert.equal(upright.strip, "below");
  assert.equal(upright.width, areas.phone[0]);
  assert.ok(upright.width / upright.height <= 16 / 9, "a wide screen uses the whole width");
});

test("below a shared screen on a phone everybody of six is seen at once", () => {
  const [width, height] = areas.phone;
  for (let count = 1; count <= 6; count++) {
    const { strip, height: screen, tileWidth, tileHeight } = stage(count, width, height, GAP);
    assert.equal(strip, "below");
    const columns = Math.floor((width + GAP) / (tileWidth + GAP));
    const rows = Math.ceil(count / columns);
    assert.ok(screen + rows * (tileHeight + GAP) <= height, `${count} people: ${tileWidth}×${tileHeight}`);
  }
});
