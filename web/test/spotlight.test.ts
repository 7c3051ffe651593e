import assert from "node:assert/strict";
import { test } from "node:test";
import { Spotlight } from "../src/page/spotlight";

const all = ["anna", "ben", "chie"];

test("whoever has the floor of the others is large, until another takes it", () => {
  const spotlight = new Spotlight();
  const large = (others: string[], floor: string, hold = false) => spotlight.choose(others, floor, hold);
  assert.equal(large(all, ""), "anna", "before anybody spoke");
  assert.equal(large(all, "chie"), "chie");
  assert.equal(large(all, "me"), "chie", "we ourselves are not");
  assert.equal(large(all, "ben", true), "chie", "something holds it");
  assert.equal(large(all, "ben"), "ben");
  assert.equal(large(["anna", "chie"], "ben"), "anna", "who has left is not waited for");
  assert.equal(large(["ben", "chie"], "chie", true), "chie", "nor held");
});

test("of two people nobody is large", () => {
  const spotlight = new Spotlight();
  assert.equal(spotlight.choose([], "", false), null);
  assert.equal(spotlight.choose(["anna"], "anna", false), null);
  assert.equal(spotlight.choose(all, "me", false), "anna");
});
