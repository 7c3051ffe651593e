// A call over UDP in which UDP is blocked: how long until it goes on over TCP.
import { until } from "./checks.mjs";
import { statistics } from "./clients.mjs";

/** Given as an init script: sends the page's connections through a relay at that address. */
export const through = (address) => `(${divert})(${JSON.stringify(address)})`;

function divert(address) {
  const [ip, port] = address.split(":");
  const candidate = /^(a=candidate:\S+ \d \S+ \d+) \S+ \d+ /gm;
  const { setRemoteDescription } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    return setRemoteDescription.call(this, { type, sdp: sdp.replace(candidate, `$1 ${ip} ${port} `) });
  };
}

/** The protocols by which a page's connections reach the server, in order. */
export async function protocols(page) {
  const [pairs, candidates, transports] = await Promise.all(["candidate-pair", "remote-candidate", "transport"].map((type) => statistics(page, type)));
  const used = transports.map((transport) => pairs.find((pair) => pair.id === transport.selectedCandidatePairId));
  return used.map((pair) => candidates.find((candidate) => candidate.id === pair?.remoteCandidateId)?.protocol ?? "none").join();
}

const decoded = async (page) =>
  (await statistics(page, "inbound-rtp")).filter((stat) => stat.kind === "video").reduce((sum, stat) => sum + stat.framesDecoded, 0);

/** Waits until both connections of a page are over a protocol and its picture moves; how long that took, in milliseconds. */
export async function goesOnOver(page, protocol, timeout = 30_000) {
  const began = performance.now();
  await until(`over ${protocol}`, async () => {
    const now = await protocols(page);
    return { ok: now === `${protocol},${protocol}`, now };
  }, { timeout, every: 50 });
  const before = await decoded(page);
  await until("the picture moves", async () => (await decoded(page)) > before, { timeout, every: 50 });
  return Math.round(performance.now() - began);
}
