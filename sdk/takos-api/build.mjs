// Builds dist/: an ES module and a CommonJS module, each for Node and for browsers, with declarations.
import { execFileSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
await rm("dist", { recursive: true, force: true });

for (const format of ["esm", "cjs"]) {
  for (const platform of ["node", "browser"]) {
    await build({
      entryPoints: ["src/index.ts"],
      outfile: `dist/${format}/${platform}.js`,
      bundle: true,
      platform,
      format,
      external: ["ws"],
      target: platform === "node" ? "node20" : ["chrome111", "firefox120", "safari16"],
      sourcemap: true,
      logLevel: "warning",
    });
  }
  execFileSync("npx", ["--no-install", "tsc", "--project", "tsconfig.build.json", "--outDir", `dist/${format}`], { stdio: "inherit" });
}
await writeFile("dist/cjs/package.json", '{ "type": "commonjs" }\n');
