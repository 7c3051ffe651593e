import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { percent, rate, milliseconds } from "../src/page/numbers";
import { chooseLanguage, languages, textsOf, type Language } from "../src/page/text";
import { troubleOf, type Condition } from "../src/page/trouble";

test("the first language of the browser's that there is is taken", () => {
  assert.equal(chooseLanguage(["ja-JP", "en"]), "ja");
  assert.equal(chooseLanguage(["fr-FR", "JA", "en"]), "ja");
  assert.equal(chooseLanguage(["fr-FR", "de"]), "en");
  assert.equal(chooseLanguage([]), "en");
});

// That none is missing the compiler sees; that none was left in English it cannot.
test("every Japanese text is Japanese", () => {
  const check = (value: unknown, where: string): void => {
    if (typeof value === "string") assert.match(value, /[\u3040-\u30ff\u4e00-\u9fff]/, where);
    else if (typeof value === "function") check((value as (x: unknown) => unknown)(2), where);
    else for (const [key, inner] of Object.entries(value as object)) check(inner, `${where}.${key}`);
  };
  check(textsOf("ja"), "ja");
});

test("no text is empty in any language", () => {
  for (const language of Object.keys(languages) as Language[]) {
    const walk = (value: unknown): void => {
      if (typeof value === "string") assert.notEqual(value.trim(), "");
      else if (typeof value === "object" && value) Object.values(value).forEach(walk);
    };
    walk(textsOf(language));
  }
});

const fine: Condition = { state: "live", online: true, send: "ok", recv: "ok", wasConnected: true };

test("trouble is told, the gravest first, and nothing is told without", () => {
  assert.equal(troubleOf(fine), null);
  assert.equal(troubleOf({ ...fine, send: "new", recv: "new", wasConnected: false }), null);
  assert.equal(troubleOf({ ...fine, send: "checking" }), "send");
  assert.equal(troubleOf({ ...fine, recv: "broken" }), "recv");
  assert.equal(troubleOf({ ...fine, send: "broken", recv: "checking" }), "both");
  assert.equal(troubleOf({ ...fine, send: "broken", wasConnected: false }), "blocked");
  assert.equal(troubleOf({ ...fine, state: "reconnecting", send: "broken" }), "server");
  assert.equal(troubleOf({ ...fine, state: "reconnecting", online: false }), "offline");
  assert.equal(troubleOf({ ...fine, state: "connecting" }), "connecting");
  assert.equal(troubleOf({ ...fine, state: "ended", online: false }), null);
});

test("figures are written for people", () => {
  assert.equal(rate(0), "0 kbit/s");
  assert.equal(rate(33_600), "34 kbit/s");
  assert.equal(rate(1_482_000), "1.48 Mbit/s");
  assert.equal(rate(12_300_000), "12.3 Mbit/s");
  assert.equal(percent(null), "–");
  assert.equal(percent(0), "0 %");
  assert.equal(percent(0.26), "0.3 %");
  assert.equal(percent(42.4), "42 %");
  assert.equal(milliseconds(0.42), "0.4 ms");
  assert.equal(milliseconds(24.4), "24 ms");
});

test("the call client knows no page", () => {
  const folder = path.join(import.meta.dirname, "..", "src", "call");
  for (const file of readdirSync(folder)) {
    const code = readFileSync(path.join(folder, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    assert.doesNotMatch(code, /\b(document|window|navigator|localStorage|HTML\w*Element)\b/, file);
    assert.doesNotMatch(code, /from "\.\.\/page/, file);
  }
});
