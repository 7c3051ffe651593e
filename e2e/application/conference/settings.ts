import type { types } from "mediasoup";

const { PORT = "4000", LISTEN_IP = "127.0.0.1", WORKERS = "2" } = process.env;

export const port = Number(PORT);

/** How many workers there are: one for each core, on a machine of its own. */
export const numberOfWorkers = Number(WORKERS);

/** How many people of a room share a router, before the room is spread to the next worker. */
export const peersPerRouter = 2;

/** How loud a voice has to be that is told of, in dBov, and how often that is, in ms. */
export const audioLevels = { maxEntries: 8, threshold: -60, interval: 400 };

export const listenInfos: types.TransportListenInfo[] = [
  { protocol: "udp", ip: LISTEN_IP },
  { protocol: "tcp", ip: LISTEN_IP },
];

export const mediaCodecs: types.RouterRtpCodecCapability[] = [
  { kind: "audio", mimeType: "audio/opus", clockRate: 48000, channels: 2 },
  { kind: "video", mimeType: "video/VP8", clockRate: 90000, parameters: { "x-google-start-bitrate": 1000 } },
  { kind: "video", mimeType: "video/H264", clockRate: 90000, parameters: { "packetization-mode": 1, "profile-level-id": "42e01f", "level-asymmetry-allowed": 1 } },
];
