// Runs mediasoup's own tests against the drop-in and a server of their own, and says how many of them pass.
// Those that notApplicable.json names cannot: they run apart, against a server that they may kill, and have to fail.
// An argument is a pattern for names of tests: only these run, and their failures are printed in full.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { startServer } from "../../../e2e/harness/server.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const CACHE = path.join(HERE, ".cache");
const DOCS = path.join(HERE, "../../../docs/mediasoup-drop-in.md");
/** mediasoup wants Node 22; where no package brings it, whoever runs this has to. */
const BROUGHT = path.join(HERE, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
const NODE = existsSync(BROUGHT) ? BROUGHT : process.execPath;
const MEDIASOUP_TESTS = 202;

const only = process.argv[2];
await unpack();
const notApplicable = JSON.parse(await readFile(path.join(HERE, "notApplicable.json"), "utf8"));
const listed = notApplicable.map(({ name }) => name);
const anyListed = `^(${listed.map(escape).join("|")})$`;
const judged = await judge(only ?? `^(?!(${listed.map(escape).join("|")})$)`);
report(judged);
if (!only) {
  const spoilt = await judge(anyListed);
  checkList(spoilt, await readFile(DOCS, "utf8"));
}

/** Lays out the tests as their package does, with the two files that it lacks. */
async function unpack() {
  const to = path.join(CACHE, "mediasoup");
  await rm(CACHE, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  const from = path.join(HERE, "node_modules", "mediasoup");
  for (const name of ["node", "package.json"]) await cp(path.join(from, name), path.join(to, name), { recursive: true });
  const data = path.join(to, "node", "lib", "test", "data");
  await mkdir(data);
  const [key, certificate] = ["dtls-key.pem", "dtls-cert.pem"].map((name) => path.join(data, name));
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=judge", "-keyout", key, "-out", certificate], { stdio: "ignore" });
}

/** Runs the tests whose names match, against a server of their own. */
async function judge(names) {
  const server = await startServer({ API_KEY: "judge", TAKOS_CALL_REQUESTS_PER_MINUTE: "1000000" });
  const output = path.join(CACHE, "result.json");
  try {
    const jest = path.join(HERE, "node_modules", "jest", "bin", "jest.js");
    const args = ["--config", path.join(HERE, "jest.config.cjs"), "--runInBand", "--silent", "--forceExit", "--json", "--outputFile", output, "--testNamePattern", names];
    const child = spawn(NODE, [jest, ...args], {
      cwd: HERE,
      env: { ...process.env, TAKOS_CALL_URL: server.api, TAKOS_CALL_API_KEY: server.apiKey, MEDIASOUP_WORKER_BIN: "" },
      stdio: ["ignore", "ignore", only ? "inherit" : "ignore"],
    });
    await once(child, "exit");
    if (process.env.JUDGE_SERVER_LOG) await writeFile(process.env.JUDGE_SERVER_LOG, server.log());
    const { testResults } = JSON.parse(await readFile(output, "utf8"));
    for (const { status, message, name, assertionResults } of testResults) {
      if (status === "failed" && assertionResults.length === 0) throw new Error(`${name} could not be run: ${message}`);
    }
    return testResults.flatMap(({ name, assertionResults }) => assertionResults.map((result) => ({ ...result, file: path.basename(name) })));
  } finally {
    await server.stop();
  }
}

function report(results) {
  const passed = results.filter(({ status }) => status === "passed");
  const failed = results.filter(({ status }) => status === "failed");
  for (const { file, fullName, failureMessages } of failed) {
    console.log(`failed: ${file}: ${fullName}`);
    console.log(only ? failureMessages.join("\n") : indent(firstLines(failureMessages.join("\n"))));
  }
  console.log(`mediasoup's own tests: ${passed.length} passed, ${failed.length} failed, ${results.length - passed.length - failed.length} left out, of ${results.length}`);
  if (failed.length > 0) process.exitCode = 1;
  if (!only && results.length !== MEDIASOUP_TESTS) fail(`there should be ${MEDIASOUP_TESTS} tests`);
}

/** What is on the list has to exist, to fail, and to be explained. */
function checkList(results, docs) {
  for (const { name, reason } of notApplicable) {
    if (!docs.includes(`- **${name}**: ${reason}\n`)) fail(`${DOCS} does not say: - **${name}**: ${reason}`);
    const result = results.find(({ fullName }) => fullName === name);
    if (!result) fail(`notApplicable.json names a test that does not exist: ${name}`);
    else if (result.status === "passed") fail(`this test passes and should not be on the list of those that cannot: ${name}`);
  }
  console.log(`${listed.length} that concern the process of a worker cannot pass; see docs/mediasoup-drop-in.md`);
}

function fail(text) {
  console.log(text);
  process.exitCode = 1;
}

function escape(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function firstLines(text) {
  // Without the colours of a terminal.
  return text.replace(/\u001b\[\d+m/g, "").split("\n").filter((line) => line.trim() && !/^ +at /.test(line)).slice(0, 4).join("\n");
}

function indent(text) {
  return text.replace(/^/gm, "    ");
}
