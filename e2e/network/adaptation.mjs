// Adaptation, with light receivers and streams that were made beforehand: see adaptation/main.go.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const top = fileURLToPath(new URL("../../", import.meta.url));

export async function adaptation({ server }) {
  const { stdout } = await promisify(execFile)("go", ["run", "./e2e/network/adaptation", "--url", server.api, "--api-key", server.apiKey], { cwd: top });
  return { title: "Adaptation: 100, 350 and 1200 kbit/s with three temporal layers each", text: stdout.trim() };
}
