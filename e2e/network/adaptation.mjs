// Adaptation, with light receivers and streams that were made beforehand: see adaptation/main.go.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const top = fileURLToPath(new URL("../../", import.meta.url));

async function run({ server }, kbps, framesPerSecond) {
  const args = ["--url", server.api, "--api-key", server.apiKey, "--kbps", kbps, "--fps", framesPerSecond];
  const { stdout } = await promisify(execFile)("go", ["run", "./e2e/network/adaptation", ...args], { cwd: top });
  return { title: `Adaptation: ${kbps} kbit/s with three temporal layers each, ${framesPerSecond} frames/s`, text: stdout.trim() };
}

export const adaptation = (setting) => run(setting, "100,350,1200", 30);

/** What Chromium sends in simulcast.mjs, of which a part of the largest encoding fits a line that its keyframes do not fit. */
export const steps = (setting) => run(setting, "100,300,900", 15);
