// The browser's side: stock mediasoup-client, and this example's backend for everything it asks.
import { Device } from "mediasoup-client";

async function ask(action, data = {}) {
  const response = await fetch(`/api/${action}`, { method: "POST", body: JSON.stringify(data) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${action}: ${answer.message}`);
  return answer;
}

const people = document.getElementById("people");
const shown = new Map();

function show(track, peerId, producerId, muted = false) {
  const media = document.createElement(track.kind);
  Object.assign(media, { autoplay: true, playsInline: true, muted, srcObject: new MediaStream([track]) });
  media.dataset.peer = peerId;
  people.append(media);
  shown.set(producerId, media);
}

async function join() {
  const { peerId, routerRtpCapabilities, send, recv } = await ask("join");
  const device = await Device.factory();
  await device.load({ routerRtpCapabilities });
  const sending = device.createSendTransport(send);
  const receiving = device.createRecvTransport(recv);
  for (const transport of [sending, receiving]) {
    transport.on("connect", ({ dtlsParameters }, done, failed) => {
      ask("connect", { peerId, transportId: transport.id, dtlsParameters }).then(done, failed);
    });
  }
  sending.on("produce", ({ kind, rtpParameters }, done, failed) => {
    ask("produce", { peerId, transportId: sending.id, kind, rtpParameters }).then(done, failed);
  });

  const consume = async ({ producerId, peerId: from, closed }) => {
    if (closed) {
      shown.get(closed)?.remove();
      return;
    }
    if (shown.has(producerId)) return;
    shown.set(producerId, null);
    const consumer = await receiving.consume(
      await ask("consume", { peerId, transportId: receiving.id, producerId, rtpCapabilities: device.recvRtpCapabilities }),
    );
    show(consumer.track, from, producerId);
  };

  // First listen, then look who is there already: so nobody is missed.
  const notices = new EventSource(`/events?peerId=${encodeURIComponent(peerId)}`);
  notices.onmessage = ({ data }) => void consume(JSON.parse(data));
  await new Promise((opened) => (notices.onopen = opened));
  for (const producer of await ask("producers", { peerId })) await consume(producer);

  const mine = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  for (const track of mine.getTracks()) {
    const producer = await sending.produce({ track });
    if (track.kind === "video") show(track, "me", producer.id, true);
  }
}

join().catch((error) => {
  document.getElementById("trouble").textContent = error.message;
});
