// The room with people drawn on canvases: every state of it can be looked at without a call.
import { Emitter } from "../../web/src/call/emitter";
import { initLanguage, show } from "../../web/src/page/dom";
import { RoomView } from "../../web/src/page/room-view";
import { NAMES, portrait } from "./portrait";

function slide(): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  canvas.width = 1600;
  canvas.height = 900;
  const paint = canvas.getContext("2d")!;
  const draw = () => {
    paint.fillStyle = "#f6f4ef";
    paint.fillRect(0, 0, 1600, 900);
    paint.fillStyle = "#22303c";
    paint.font = "600 64px sans-serif";
    paint.fillText("Plan for the spring", 110, 170);
    paint.font = "36px sans-serif";
    ["What we learned", "Who does what until April", "Open questions"].forEach((line, i) => paint.fillText(`${i + 1}.  ${line}`, 130, 300 + i * 90));
    for (let i = 0; i < 6; i++) {
      paint.fillStyle = i === 4 ? "#ff8f78" : "#b9c4cd";
      paint.fillRect(960 + i * 90, 700 - (i * i + 3) * 14, 60, (i * i + 3) * 14);
    }
    requestAnimationFrame(draw);
  };
  draw();
  return canvas.captureStream(5).getVideoTracks()[0]!;
}

const query = new URLSearchParams(location.search);
const others = Number(query.get("others") ?? 0);
const wants = (what: string) => query.getAll("with").includes(what);

class FakeCall extends Emitter<Record<string, unknown>> {
  state = wants("trouble") ? "reconnecting" : wants("connecting") ? "connecting" : "live";
  roomId = query.get("room") ?? "Weekly planning";
  myPeerId = "me@example.org";
  callType = "video";
  floor = "p2@example.org";
  host = true;
  local = [{ source: "mic", paused: wants("muted"), track: null }];
  peers = NAMES.slice(0, others).map((displayName, i) => ({
    id: `p${i}@example.org`,
    displayName,
    host: i === 2,
    media: [
      { producerId: `a${i}`, kind: "audio", source: "mic", paused: i === 1, track: new AudioContext().createMediaStreamDestination().stream.getTracks()[0]! },
      { producerId: `v${i}`, kind: "video", source: "camera", paused: i === 3, track: i === 3 ? null : portrait(i) },
      ...(wants("screen") && i === 0 ? [{ producerId: "s0", kind: "video", source: "screen", paused: false, track: slide() }] : []),
    ],
  }));
  leave() {}
  kick() {}
  mute() {}
  setReceiving() {}
  setShown() {}
  tell(name: string, value: unknown) {
    this.emit(name, value);
  }
}

class FakeStay extends Emitter<Record<string, unknown>> {
  call = new FakeCall();
  invitation = "q7m2-Kx81vRtb0aWnE4s";
  video = true;
  screen = null;
  devices = Object.assign(new Emitter<Record<string, unknown>>(), {
    camera: { on: true, track: portrait(8), problem: null },
    microphone: { on: !wants("muted"), track: wants("muted") ? null : ({} as MediaStreamTrack), problem: null },
    list: async () => [],
  });
  toggle() {}
  async toggleScreen() {}
}

const stream = (bitrate: number, more = {}) => ({ bitrate, lossPercent: 0, codec: "opus", width: null, height: null, framesPerSecond: null, jitterMs: 3, packets: 1, ...more });

initLanguage();
const stay = new FakeStay();
stay.devices.microphone.track = null;
const view = new RoomView(stay as never);
show(view.element);
setTimeout(() => {
  stay.call.tell("line", { send: "ok", recv: wants("lines") ? "broken" : "ok" });
  stay.call.tell("speaking", new Set(others > 1 ? ["p0@example.org"] : []));
  stay.call.tell("figures", {
    send: { roundTripMs: 24.4, availableBitrate: 2_600_000 },
    recv: { roundTripMs: 24.4, availableBitrate: null },
    mine: [
      { source: "mic", figures: stream(34_000), spared: null },
      { source: "camera", figures: stream(612_000, { codec: "VP8", width: 640, height: 360, framesPerSecond: 30 }), spared: { sizes: 2, of: 3 } },
    ],
    theirs: stay.call.peers.flatMap(({ id }, i) => [
      { peerId: id, source: "mic", figures: stream(33_000 + i) },
      { peerId: id, source: "camera", figures: stream(1_120_000 - i * 90_000, { codec: "VP8", width: 1280, height: 720, framesPerSecond: 30, lossPercent: i === 1 ? 3.4 : 0.1 }) },
    ]),
    stalled: new Set(wants("stalled") ? ["p1@example.org"] : []),
  });
  if (wants("figures")) (document.querySelector("[aria-keyshortcuts=F]") as HTMLElement).click();
  if (wants("spotlight")) (document.querySelector("[aria-keyshortcuts=L]") as HTMLElement).click();
  if (wants("settings")) (document.querySelectorAll(".controls .round")[4] as HTMLElement)?.click();
  if (wants("menu")) (document.querySelector(".more:not([hidden])") as HTMLElement)?.click();
  document.documentElement.dataset.ready = "1";
}, 600);
