// A visitor of the call page.
import { mediaScript } from "./checks.mjs";

/** Opens the call page as a person; the page's errors become the test's. What it sends to the server is kept. */
export async function visit(browser, url, person, { locale = "en-US", viewport = { width: 1280, height: 800 }, ignoreHTTPSErrors = false } = {}) {
  const context = await browser.newContext({ locale, viewport, ignoreHTTPSErrors });
  const page = await context.newPage();
  page.errors = [];
  page.sent = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => page.sent.push(JSON.parse(payload))));
  page.on("pageerror", (error) => page.errors.push(error.stack ?? String(error)));
  await page.addInitScript(mediaScript);
  await page.addInitScript(() => {
    window.connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(...options) {
        super(...options);
        window.connections.push(this);
      }
    };
  });
  await page.addInitScript(`window.media.be(${JSON.stringify(person)})`);
  await page.goto(url);
  return page;
}

/** Goes through the join page into the call. */
export async function join(page, person) {
  await page.fill("input[name=name]", person.name);
  await page.click("button[type=submit]");
  await page.waitForSelector(".room", { timeout: 30_000 });
}

export async function visitAndJoin(browser, url, person, options) {
  const page = await visit(browser, url, person, options);
  await join(page, person);
  return page;
}

/** Presses one of the call's buttons by what it says it does. */
export function press(page, label) {
  return page.click(`.controls [aria-label="${label}"], .tile [aria-label="${label}"]`);
}

/** What the browser has sent so far of each size of its pictures, smallest first. */
export function sentVideo(page) {
  return page.evaluate(async () => {
    const reports = await Promise.all(window.connections.filter((each) => each.connectionState !== "closed").map((each) => each.getStats()));
    return reports
      .flatMap((report) => [...report.values()])
      .filter((stat) => stat.type === "outbound-rtp" && stat.kind === "video")
      .sort((a, b) => (a.rid ?? "").localeCompare(b.rid ?? ""))
      .map(({ rid, active, frameWidth, framesEncoded, bytesSent }) => ({ rid, active, width: frameWidth, frames: framesEncoded, bytes: bytesSent }));
  });
}

/** Has a page look as if its tab were shown, or hidden. */
export function look(page, shown) {
  return page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    document.dispatchEvent(new Event("visibilitychange"));
  }, shown ? "visible" : "hidden");
}
