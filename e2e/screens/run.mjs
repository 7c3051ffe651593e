// Pictures of every state of the call page at 1280 and 390 pixels, into out/screens, to be looked at.
// usage: node screens/run.mjs [part of a name]
import { createServer } from "node:http";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { launchChromium } from "../harness/chromium.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const web = path.join(here, "..", "..", "web");
const out = path.join(here, "..", "out", "screens");
const only = process.argv[2] ?? "";

const gallery = await build({
  entryPoints: [path.join(here, "gallery.ts")],
  bundle: true,
  write: false,
  format: "esm",
  nodePaths: [path.join(web, "node_modules")],
  logLevel: "warning",
});
const galleryPage = `<!doctype html><meta name=viewport content="width=device-width"><link rel=stylesheet href=/style.css><div id=app></div><script type=module src=/assets/gallery.js></script>`;

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://x");
  const send = (type, body, status = 200) => response.writeHead(status, { "content-type": `${type}; charset=utf-8` }).end(body);
  try {
    if (pathname === "/gallery") send("text/html", galleryPage);
    else if (pathname === "/assets/gallery.js") send("text/javascript", gallery.outputFiles[0].contents);
    else if (pathname === "/style.css") send("text/css", await readFile(path.join(web, "src", "page", "style.css")));
    else {
      const file = pathname === "/" ? "/index.html" : pathname.startsWith("/c/") ? "/call.html" : pathname;
      send(types[path.extname(file)] ?? "text/plain", await readFile(path.join(web, "dist", file)));
    }
  } catch {
    send("text/plain", "not found", 404);
  }
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const origin = `http://127.0.0.1:${server.address().port}`;

const refuse = (name) => `navigator.mediaDevices.getUserMedia = async (wanted) => { throw new DOMException("", ${JSON.stringify(name)}); };`;
const ended = (status, code) => async (page) => {
  await page.route("**/_takos/v2/token", (route) => route.fulfill({ status, json: { success: false, error: { code, message: "…" } } }));
  await page.fill("input[name=name]", "Aiko");
  await page.click("button[type=submit]");
  await page.waitForSelector("main.ended");
};
const needKey = async (page) => {
  await page.route("**/_takos/v2/invitation", (route) => route.fulfill({ status: 401, json: { success: false, error: { code: "UNAUTHORIZED", message: "…" } } }));
  await page.fill("input[name=name]", "Aiko");
  await page.click("button[type=submit]");
  await page.waitForSelector("input[name=key]");
};

const states = [
  { name: "start", url: "/" },
  { name: "start-ja", url: "/", language: "ja-JP" },
  { name: "start-key", url: "/", act: needKey },
  { name: "preview", url: "/c/q7m2-Kx81vRtb0aWnE4s" },
  { name: "preview-ja", url: "/c/q7m2-Kx81vRtb0aWnE4s", language: "ja-JP" },
  { name: "preview-refused", url: "/c/x", init: refuse("NotAllowedError") },
  { name: "preview-missing-ja", url: "/c/x", init: refuse("NotFoundError"), language: "ja-JP" },
  { name: "preview-insecure", url: "/c/x", init: "Object.defineProperty(window, 'isSecureContext', { value: false });" },
  { name: "ended-full", url: "/c/x", act: ended(409, "ROOM_FULL") },
  { name: "ended-expired", url: "/c/x", act: ended(404, "INVITATION_NOT_FOUND") },
  { name: "ended-expired-ja", url: "/c/x", act: ended(404, "INVITATION_NOT_FOUND"), language: "ja-JP" },
  ...[0, 1, 2, 3, 5, 8, 11].map((others) => ({ name: `room-${String(others + 1).padStart(2, "0")}`, url: `/gallery?others=${others}` })),
  { name: "room-screen", url: "/gallery?others=3&with=screen" },
  { name: "room-screen-06", url: "/gallery?others=5&with=screen" },
  { name: "room-spotlight", url: "/gallery?others=4&with=spotlight" },
  { name: "room-spotlight-12", url: "/gallery?others=11&with=spotlight" },
  { name: "room-trouble", url: "/gallery?others=2&with=trouble&with=stalled" },
  { name: "room-trouble-lines", url: "/gallery?others=1&with=lines" },
  { name: "room-connecting", url: "/gallery?others=0&with=connecting" },
  { name: "room-figures", url: "/gallery?others=2&with=figures" },
  { name: "room-figures-ja", url: "/gallery?others=3&with=figures&with=muted&room=週次の打ち合わせ", language: "ja-JP" },
  { name: "room-alone-ja", url: "/gallery?others=0&room=週次の打ち合わせ", language: "ja-JP" },
  { name: "room-settings", url: "/gallery?others=1&with=settings" },
  { name: "room-menu", url: "/gallery?others=2&with=menu" },
];

await mkdir(out, { recursive: true });
const browser = await launchChromium();
try {
  for (const [width, height] of [[1280, 800], [390, 844]]) {
    for (const { name, url, language = "en-US", init, act } of states) {
      if (!name.includes(only)) continue;
      const context = await browser.newContext({ viewport: { width, height }, locale: language, hasTouch: width < 500 });
      const page = await context.newPage();
      page.on("pageerror", (error) => console.error(`${name}: ${error.stack}`));
      if (init) await page.addInitScript(init);
      await page.goto(origin + url);
      if (url.startsWith("/gallery")) await page.waitForSelector("[data-ready]");
      await act?.(page);
      await page.waitForTimeout(700);
      await page.screenshot({ path: path.join(out, `${name}-${width}.png`) });
      await context.close();
    }
  }
} finally {
  await browser.close();
  server.close();
}
