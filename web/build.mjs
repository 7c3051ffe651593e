// Bundles the call page into dist/: hashed assets, and one HTML file for each depth
// at which it is served (/ and /c/INVITATION), since all its addresses are relative.
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";

const dist = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "dist");
const src = path.join(dist, "..", "src", "page");

// dist/.keep stays: Go's embed needs the folder in a fresh clone.
await mkdir(dist, { recursive: true });
for (const name of await readdir(dist)) {
  if (name !== ".keep") await rm(path.join(dist, name), { recursive: true });
}

const result = await build({
  entryPoints: { app: path.join(src, "main.ts"), style: path.join(src, "style.css"), icon: path.join(src, "icon.svg") },
  outdir: path.join(dist, "assets"),
  entryNames: "[name]-[hash]",
  loader: { ".svg": "copy" },
  bundle: true,
  minify: true,
  sourcemap: false,
  legalComments: "linked",
  format: "esm",
  target: ["chrome111", "firefox120", "safari16"],
  // mediasoup-client logs through the package "debug", which asks for these.
  define: { "process.env.NODE_ENV": '"production"' },
  metafile: true,
  logLevel: "warning",
});

/** The file that an entry became, seen from dist/. */
function output(entry) {
  const match = Object.entries(result.metafile.outputs).find(([, o]) => o.entryPoint?.endsWith(entry) || Object.keys(o.inputs).length === 1 && Object.keys(o.inputs)[0].endsWith(entry));
  if (!match) throw new Error(`nothing was built from ${entry}`);
  return path.relative(dist, path.resolve(match[0])).split(path.sep).join("/");
}

const template = await readFile(path.join(src, "index.html"), "utf8");
for (const [file, root] of [["index.html", "./"], ["call.html", "../"]]) {
  const html = template
    .replaceAll("{{script}}", root + output("main.ts"))
    .replaceAll("{{style}}", root + output("style.css"))
    .replaceAll("{{icon}}", root + output("icon.svg"));
  await writeFile(path.join(dist, file), html);
}
