// A page on the application's client, which shows whom it hears and sees as the tests' other clients do.
import { hide, show } from "../clients/stage.js";
import { SimpleMediasoupPeer } from "simple-mediasoup-peer-client";

const query = new URLSearchParams(location.search);
const { id, frequency } = window.person;

const peer = new SimpleMediasoupPeer({ url: "http://127.0.0.1", port: query.get("port"), roomId: query.get("room") });
window.peer = peer;
peer.on("track", ({ track, peerId }) => show(peerId, track));
peer.on("trackRemoved", ({ peerId }) => hide(peerId));
await peer.addTrack({ track: window.media.tone(frequency), label: "voice" });
await peer.addTrack({ track: window.media.picture(id), label: "picture" });
// The application tells nobody when it has joined.
const joined = setInterval(() => {
  if (!peer.currentRoomId) return;
  clearInterval(joined);
  window.ready = true;
}, 50);
