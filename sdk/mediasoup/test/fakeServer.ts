import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

export interface Command {
  type: string;
  id: string;
  data: Record<string, any>;
}

type Handler = (data: Record<string, any>) => object | undefined;

/** A server that answers commands as it is told and remembers them. */
export class FakeServer {
  readonly commands: Command[] = [];
  /** With which codes connections ended. */
  readonly closeCodes: number[] = [];
  readonly apiKeys: (string | undefined)[] = [];
  /** What is answered to a command; nothing by default. "hold" answers it never. */
  readonly answers: Record<string, Handler | "hold"> = {};
  /** How many connections are still to be refused, with a status. */
  refuse: { times: number; status: number } = { times: 0, status: 503 };
  #socket: WebSocket | undefined;
  #server: WebSocketServer;
  #ids = 0;
  #waiting: { done: () => boolean; resolve: () => void }[] = [];

  private constructor(server: WebSocketServer) {
    this.#server = server;
    Object.assign(this.answers, DEFAULT_ANSWERS);
    server.on("connection", (socket, request) => {
      this.#socket = socket;
      this.apiKeys.push(request.headers["api-key"] as string | undefined);
      socket.on("message", (frame) => this.#received(socket, JSON.parse(String(frame)) as Command));
      socket.on("close", (code) => {
        this.closeCodes.push(code);
        this.#check();
      });
      this.#check();
    });
  }

  static async start(port = 0): Promise<FakeServer> {
    let fake: FakeServer | undefined;
    const server = new WebSocketServer({
      port,
      host: "127.0.0.1",
      verifyClient: (_info, done) => (fake && fake.refuse.times-- > 0 ? done(false, fake.refuse.status) : done(true)),
    });
    await new Promise((resolve) => server.once("listening", resolve));
    return (fake = new FakeServer(server));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#server.clients.size;
  }

  /** An id that was not there before. */
  id(kind: string): string {
    return `${kind}-${++this.#ids}`;
  }

  event(event: string, data: object): void {
    this.#socket!.send(JSON.stringify({ type: "event", data: { event, ...data } }));
  }

  send(text: string): void {
    this.#socket!.send(text);
  }

  fail(type: string, code: string, message = code): void {
    this.answers[type] = () => {
      throw Object.assign(new Error(message), { code });
    };
  }

  /** Ends the connection without a word. */
  drop(): void {
    for (const client of this.#server.clients) client.terminate();
  }

  async stop(): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  types(): string[] {
    return this.commands.map(({ type }) => type);
  }

  last(type: string): Record<string, any> {
    const data = this.commands.filter((command) => command.type === type).at(-1)?.data;
    if (!data) throw new Error(`${type} has not come`);
    return data;
  }

  /** Resolves when the condition holds, which is looked at whenever something comes. */
  until(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ done, resolve });
      this.#check();
    });
  }

  #received(socket: WebSocket, command: Command): void {
    this.commands.push(command);
    const answer = this.answers[command.type];
    if (answer !== "hold") socket.send(JSON.stringify(this.#responseTo(command, answer)));
    this.#check();
  }

  #responseTo({ id, data }: Command, answer: Handler | undefined): object {
    try {
      return { type: "response", id, success: true, data: answer?.call(this, data) };
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      return { type: "response", id, success: false, error: { code, message } };
    }
  }

  #check(): void {
    this.#waiting = this.#waiting.filter(({ done, resolve }) => {
      if (!done()) return true;
      resolve();
      return false;
    });
  }
}

const TUPLE = { localIp: "127.0.0.1", localAddress: "127.0.0.1", localPort: 40000, protocol: "udp" };

/** Enough of a server for objects to be made. */
const DEFAULT_ANSWERS: Record<string, (this: FakeServer, data: Record<string, any>) => object | undefined> = {
  "worker.create": () => ({ id: "worker-1", pid: 4711 }),
  "worker.createWebRtcServer": function () {
    return { id: this.id("server") };
  },
  "worker.createRouter": function () {
    return { id: this.id("router"), rtpCapabilities: CAPABILITIES };
  },
  "router.createWebRtcTransport": function () {
    return webRtcTransportInfo(this.id("transport"));
  },
  "router.createPlainTransport": function () {
    return { id: this.id("transport"), type: "plain", tuple: TUPLE };
  },
  "router.createPipeTransport": function () {
    return { id: this.id("transport"), type: "pipe", tuple: TUPLE };
  },
  "router.createDirectTransport": function () {
    return { id: this.id("transport"), type: "direct" };
  },
  "router.createAudioLevelObserver": function () {
    return { id: this.id("observer"), type: "audiolevel", paused: false };
  },
  "router.createActiveSpeakerObserver": function () {
    return { id: this.id("observer"), type: "activespeaker", paused: false };
  },
  "transport.produce": function (data) {
    return producerInfo(data.id ?? this.id("producer"));
  },
  "transport.consume": function (data) {
    return consumerInfo(this.id("consumer"), data.producerId);
  },
  "transport.produceData": function (data) {
    return { id: this.id("dataProducer"), type: "direct", label: data.label ?? "", protocol: data.protocol ?? "", paused: false };
  },
  "transport.consumeData": function (data) {
    return dataConsumerInfo(this.id("dataConsumer"), data.dataProducerId);
  },
  "transport.connect": () => ({ dtlsLocalRole: "server" }),
};

export const OPUS = { kind: "audio" as const, mimeType: "audio/opus", preferredPayloadType: 100, clockRate: 48000, channels: 2 };

export const CAPABILITIES = { codecs: [OPUS], headerExtensions: [] };

/** What a client sends that is asked to send Opus. */
export const RTP_PARAMETERS = {
  codecs: [{ mimeType: "audio/opus", payloadType: 111, clockRate: 48000, channels: 2 }],
  encodings: [{ ssrc: 1 }],
};

const CONSUMABLE = {
  codecs: [{ mimeType: "audio/opus", payloadType: 100, clockRate: 48000, channels: 2, parameters: {}, rtcpFeedback: [] }],
  headerExtensions: [],
  encodings: [{ ssrc: 1000 }],
  rtcp: {},
};

export function webRtcTransportInfo(id: string): object {
  return {
    id,
    type: "webrtc",
    iceRole: "controlled",
    iceParameters: { usernameFragment: "u", password: "p", iceLite: true },
    iceCandidates: [],
    iceState: "new",
    dtlsParameters: { role: "auto", fingerprints: [] },
    dtlsState: "new",
    sctpState: "new",
  };
}

export function producerInfo(id: string, more: object = {}): object {
  return { id, kind: "audio", type: "simple", rtpParameters: RTP_PARAMETERS, consumableRtpParameters: CONSUMABLE, paused: false, score: [], ...more };
}

export function consumerInfo(id: string, producerId: string, more: object = {}): object {
  const score = { score: 10, producerScore: 10, producerScores: [10] };
  return { id, producerId, kind: "audio", type: "simple", rtpParameters: CONSUMABLE, paused: false, producerPaused: false, priority: 1, score, ...more };
}

export function dataConsumerInfo(id: string, dataProducerId: string, more: object = {}): object {
  return { id, dataProducerId, type: "sctp", label: "", protocol: "", paused: false, dataProducerPaused: false, subchannels: [], ...more };
}
