// Compares the package's types with those that mediasoup publishes: every name has to be there, and whatever an
// application gives or gets of mediasoup's types has to be right for ours. Prints what is not.
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const LIB = path.join(HERE, "node_modules/mediasoup/node/lib");

/** Types of what an application gives: theirs have to be taken. Of all others, what ours are has to be theirs. */
const GIVEN = /(Options|Settings|ListenInfo|ListenIp|RtpCapabilities|RtpParameters)$/;

/** Emitters and their maps of events: theirs have events of their own insides, whose names begin with @. */
const EMITTERS = /(Events|Observer|EventEmitter)$/;

/** Objects with methods: compared by what can be read of them, and by what their methods take and answer. */
const OBJECTS = /^(Worker|WebRtcServer|Router|Transport|WebRtcTransport|PlainTransport|PipeTransport|DirectTransport|Producer|Consumer|DataProducer|DataConsumer|RtpObserver|ActiveSpeakerObserver|AudioLevelObserver)$/;

/** What has no counterpart on purpose. */
const LEFT_OUT = new Set(["Index"]); // The type of the package's own exports.

const names = await typeNames();
const lines = [
  'import type * as theirs from "mediasoup/types";',
  'import type * as ours from "../../dist/types";',
  "type Is<T, O extends T> = O;",
  // Getters and methods that an application sees; what mediasoup marks as private, and what belongs to emitters, aside.
  "type Hidden = `${string}Closed` | 'handleWebRtcTransport' | keyof import('node:events').EventEmitter | 'observer' | 'safeEmit' | 'consumableRtpParameters';",
  "type Shape<T> = { [K in Exclude<keyof T, Hidden>]: T[K] extends (...args: infer A) => infer R ? { args: A['length']; answer: R extends Promise<infer P> ? Plain<P> : Plain<R> } : Plain<T[K]> };",
  "type Plain<T> = T extends { readonly closed: boolean } ? 'object' : T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]: T[K] extends { readonly closed: boolean } | undefined ? 'object' : T[K] } : T;",
  ...names.map(lineFor),
];
const file = path.join(HERE, ".cache", "types.ts");
await mkdir(path.dirname(file), { recursive: true });
await writeFile(file, `${lines.join("\n")}\n`);
const tsc = path.join(HERE, "..", "node_modules", ".bin", "tsc");
const options = ["--noEmit", "--ignoreConfig", "--strict", "--skipLibCheck", "--types", "node", "--typeRoots", path.join(HERE, "../node_modules/@types"), "--module", "node16", "--moduleResolution", "node16", "--target", "es2022"];
const { stdout, status } = spawnSync(tsc, [...options, file], { cwd: path.join(HERE, "..") });
if (status !== 0) console.log(String(stdout));
console.log(`mediasoup's types: ${names.length}, ${status === 0 ? "all of them are ours too" : "not all of them are ours"}`);
process.exitCode = status ?? 1;

async function typeNames() {
  const files = (await readdir(LIB)).filter((name) => /Types\.d\.ts$/.test(name) || name === "types.d.ts");
  const texts = await Promise.all(files.map((name) => readFile(path.join(LIB, name), "utf8")));
  const all = texts.flatMap((text) => [...text.matchAll(/^export (?:declare )?(?:type|interface) (\w+)\b/gm)].map(([, name]) => name));
  return [...new Set(all)].filter((name) => !LEFT_OUT.has(name)).sort();
}

function lineFor(name) {
  if (name === "Either") return "export type Check_Either = ours.Either<1, 2>;";
  if (EMITTERS.test(name) && !OBJECTS.test(name)) return `export type Check_${name} = Is<object, ours.${name}>;`;
  if (OBJECTS.test(name)) return `export type Check_${name} = Is<Shape<theirs.${name}>, Shape<ours.${name}>>;`;
  if (/(PipeToRouterOptions|WebRtcTransportOptions|PipeToRouterResult|PipeTransportPair|Volume|DominantSpeaker)$/.test(name)) return `export type Check_${name} = Is<Record<keyof theirs.${name}, unknown>, Required<Record<keyof ours.${name}, unknown>>>;`;
  if (GIVEN.test(name)) return `export type Check_${name} = Is<ours.${name}, theirs.${name}>;`;
  return `export type Check_${name} = Is<theirs.${name}, ours.${name}>;`;
}
