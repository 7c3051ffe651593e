// Builds dist/: CommonJS with declarations, a file for each of src/, as mediasoup itself is published.
import { execFileSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
await rm("dist", { recursive: true, force: true });
execFileSync("npx", ["--no-install", "tsc", "--project", "tsconfig.build.json"], { stdio: "inherit" });
