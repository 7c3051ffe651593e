// What the tests' clients have in common: where received tracks go, and what the address asks for.

import { answerWithRED, withRED, withoutRED } from "./red.js";

const query = new URLSearchParams(location.search);
export const call = query.get("call");
export const token = query.get("token");
export const wants = (what) => query.getAll("with").includes(what);
/** What stands behind `name=` in one of the wishes. */
const asked = (name) => query.getAll("with").find((wish) => wish.startsWith(`${name}=`))?.slice(name.length + 1);

/** Marks elements as the call page does, so that the same checks read them. */
export function show(peerId, track) {
  let tile = document.querySelector(`.tile[data-peer="${CSS.escape(peerId)}"]`);
  if (!tile) {
    tile = document.createElement("article");
    tile.className = "tile person";
    tile.dataset.peer = peerId;
    document.body.append(tile);
  }
  const element = document.createElement(track.kind);
  Object.assign(element, { autoplay: true, muted: track.kind === "video", srcObject: new MediaStream([track]) });
  element.dataset.peer = peerId;
  tile.querySelector(track.kind)?.remove();
  tile.append(element);
}

export function hide(peerId) {
  document.querySelector(`.tile[data-peer="${CSS.escape(peerId)}"]`)?.remove();
}

/** What a test asks for beyond the ordinary, done to a transport's parameters before they are used. */
export function adapted(parameters, direction) {
  const adapted = structuredClone(parameters);
  // mediasoup-client takes the opposite of the role that a server announces.
  if (direction === "send" && wants("server-as-dtls-client")) adapted.dtlsParameters.role = "client";
  if (wants("tcp")) adapted.iceCandidates = adapted.iceCandidates.filter((candidate) => candidate.protocol === "tcp");
  if (wants("ipv6")) adapted.iceCandidates = adapted.iceCandidates.filter((candidate) => candidate.ip.includes(":"));
  const via = asked("via");
  if (via) adapted.iceCandidates = through(adapted.iceCandidates, via);
  return adapted;
}

/** The server's candidates as they look through a relay at that address, which takes both protocols on one port. */
function through(candidates, at) {
  const [ip, port] = at.split(":");
  const first = ["udp", "tcp"].map((protocol) => candidates.find((candidate) => candidate.protocol === protocol));
  return first.filter(Boolean).map((candidate) => ({ ...candidate, ip, address: ip, port: Number(port) }));
}

/** What is filmed: with `busy` a picture whose loss shows, in frames of several packets, as often as two cores bear it. */
function pictureOptions() {
  const options = wants("busy") ? { busy: true, framesPerSecond: 20 } : {};
  const size = asked("size")?.split("x").map(Number);
  if (size) options.size = { width: size[0], height: size[1] };
  if (asked("fps")) options.framesPerSecond = Number(asked("fps"));
  return options;
}

/** Simulcast in three sizes, each of them with the layers inside that the test asks for, if any. */
const simulcast = (scalabilityMode) =>
  [
    { rid: "r0", scaleResolutionDownBy: 4, maxBitrate: 100_000 },
    { rid: "r1", scaleResolutionDownBy: 2, maxBitrate: 300_000 },
    { rid: "r2", scaleResolutionDownBy: 1, maxBitrate: 900_000 },
  ].map((encoding) => (scalabilityMode ? { ...encoding, scalabilityMode } : encoding));

/** What is sent, and how. */
export function sendings() {
  if (wants("to-listen")) return [];
  const { id, frequency } = window.person;
  const scalabilityMode = asked("mode");
  const encodings = wants("simulcast") ? simulcast(scalabilityMode) : scalabilityMode && [{ scalabilityMode }];
  const voice = { track: window.media.tone(frequency), codecOptions: wants("fec") ? { opusFec: true } : undefined };
  if (wants("voice")) return [voice];
  return [voice, { track: window.media.picture(id, pictureOptions()), encodings, codec: asked("codec") }];
}

/** The codec of that name among capabilities; undefined leaves the choice to mediasoup-client. */
export const codecOf = (capabilities, name) => name && capabilities.codecs.find(({ mimeType }) => mimeType.toLowerCase() === `video/${name.toLowerCase()}`);

/** What the browser has offered, where that is still needed. */
let offered = "";

/** What a producer is announced with. */
export const announced = (kind, rtpParameters) => (kind === "audio" && wants("red") ? withRED(rtpParameters, offered) : rtpParameters);

/** What is told of what this browser can receive. */
export const receivable = (capabilities) => (wants("no-red") ? withoutRED(capabilities) : capabilities);

const CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";

/** How a device is made. */
export const deviceOptions = () => ({ forcedRtpExtensions: wants("capture-time") ? { [CAPTURE_TIME]: true } : undefined });

/** For tests: every RTCPeerConnection, to ask it for statistics. */
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...all) {
    super(...all);
    window.connections.push(this);
  }

  setRemoteDescription(description) {
    if (!wants("red") || description.type !== "answer") return super.setRemoteDescription(description);
    offered = this.localDescription.sdp;
    return super.setRemoteDescription({ type: "answer", sdp: answerWithRED(description.sdp, offered) });
  }
};

window.log = [];
addEventListener("unhandledrejection", ({ reason }) => window.log.push(String(reason?.stack ?? reason)));
