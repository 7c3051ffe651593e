// A bot that sends a tone of 440 Hz into a new room, as PCMU, over a direct transport.
//
//   npm run build && node examples/tone/tone.mjs ws://localhost:3000/takos-api KEY ROOM
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { TakosCallClient } from "@takos/call-api";

const RATE = 8000; // samples a second, and the clock of PCMU
const SAMPLES = 160; // in a packet: 20 ms
const SSRC = 440;

/** Sends until the signal aborts or the room is closed. made is told the producer, for others to consume. */
export async function sendTone(client, roomId, signal, made = () => {}) {
  const router = await client.getRoomRouter(roomId);
  const transport = await router.createDirectTransport();
  try {
    const codec = { mimeType: "audio/PCMU", payloadType: 0, clockRate: RATE };
    const producer = await transport.produce({ kind: "audio", rtpParameters: { codecs: [codec], encodings: [{ ssrc: SSRC }] } });
    made(producer);
    const began = performance.now();
    for (let n = 0; !signal.aborted; n++) {
      await producer.send(packet(n).toString("base64"));
      await sleep(Math.max(0, began + n * 20 - performance.now()));
    }
  } catch (error) {
    if (!error.code?.endsWith("_NOT_FOUND")) throw error; // else the room was closed
  }
  await transport.close().catch(() => {});
}

/** The nth RTP packet (RFC 3550 §5.1). */
function packet(n) {
  const bytes = Buffer.alloc(12 + SAMPLES);
  bytes.writeUInt16BE(0x8000, 0);
  bytes.writeUInt16BE(n & 0xffff, 2);
  bytes.writeUInt32BE((n * SAMPLES) >>> 0, 4);
  bytes.writeUInt32BE(SSRC, 8);
  for (let i = 0; i < SAMPLES; i++) {
    bytes[12 + i] = muLaw(0.3 * Math.sin((2 * Math.PI * 440 * (n * SAMPLES + i)) / RATE));
  }
  return bytes;
}

/** A sample from -1 to 1 in the logarithmic eight bits of G.711. */
function muLaw(sample) {
  const size = Math.min(8158, Math.abs(sample) * 8192) + 33;
  const exponent = Math.floor(Math.log2(size)) - 5;
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | ((size >> (exponent + 1)) & 15)) & 0xff;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , url, key, room] = process.argv;
  const client = new TakosCallClient(url, key);
  await client.createRoom(room, { codecs: [{ kind: "audio", mimeType: "audio/PCMU", clockRate: RATE }] });
  await sendTone(client, room, new AbortController().signal, ({ id }) => console.log(`producer ${id}`));
}
