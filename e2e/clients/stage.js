// What the tests' clients have in common: where received tracks go, and what the address asks for.

const query = new URLSearchParams(location.search);
export const call = query.get("call");
export const token = query.get("token");
export const wants = (what) => query.getAll("with").includes(what);

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
  return adapted;
}

/** What is sent, and how. */
export function sendings() {
  const { id, frequency } = window.person;
  const encodings = wants("simulcast")
    ? [
        { rid: "r0", scaleResolutionDownBy: 4, maxBitrate: 100_000 },
        { rid: "r1", scaleResolutionDownBy: 2, maxBitrate: 300_000 },
        { rid: "r2", scaleResolutionDownBy: 1, maxBitrate: 900_000 },
      ]
    : undefined;
  return [{ track: window.media.tone(frequency) }, { track: window.media.picture(id), encodings }];
}

/** For tests: every RTCPeerConnection, to ask it for statistics. */
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...all) {
    super(...all);
    window.connections.push(this);
  }
};

window.log = [];
addEventListener("unhandledrejection", ({ reason }) => window.log.push(String(reason?.stack ?? reason)));
