// Made from the tables of /takos-api by go generate; not to be edited.
import type {
  AppData,
  ConsumerScore,
  EncodingScore,
  Layers,
  PreferredLayers,
  SctpStreamParameters,
} from "./protocol.js";
import type {
  DtlsParameters,
  IceCandidate,
  IceParameters,
  MediaKind,
  RoomCodec,
  RtpCapabilities,
  RtpParameters,
} from "./rtp.js";

/** Each command of an object with what it takes and what it answers. */
export interface ObjectCommands {
  /**
   * Makes a worker: routers that belong together, are owned by the API key, and end together. There is no
   * process behind it. Over a WebSocket the connection gets its events, as if by worker.attach.
   */
  "worker.create": [WorkerOptions, WorkerInfo];
  /** Describes the workers that the key may use. */
  "worker.list": [Record<string, never>, { workers: WorkerInfo[] }];
  /**
   * Has this connection get the events of a worker and of all that belongs to it, and describes these as they
   * are now: for a client that comes back after its connection was lost.
   */
  "worker.attach": [WorkerAddress, WorkerSnapshot];
  /** Has this connection get no more events of a worker. */
  "worker.detach": [WorkerAddress, void];
  /** Closes a worker and all that belongs to it. */
  "worker.close": [WorkerAddress, void];
  /** Lists what belongs to a worker. */
  "worker.dump": [WorkerAddress, WorkerDump];
  /** Tells what the server has used of its machine; workers share it. */
  "worker.getResourceUsage": [WorkerAddress, ResourceUsage];
  /** Changes what of a worker's log its connections get, as worker.log events. */
  "worker.updateSettings": [WorkerAddress & WorkerSettings, void];
  /** Makes a router. */
  "worker.createRouter": [WorkerAddress & RouterOptions, RouterInfo];
  /** Takes hold of the router of a room: all that the commands of routers can do, they can do with it. */
  "room.getRouter": [{ roomId: string }, RouterInfo];
  /** Closes a router and all that is in it. A room's is closed with its room. */
  "router.close": [RouterAddress, void];
  /**
   * Has this connection get the events of a router, and describes all that is in it: for the router of a
   * room. Those of a worker come with the worker's.
   */
  "router.attach": [RouterAddress, RouterSnapshot];
  /** Has this connection get no more events of a router. */
  "router.detach": [RouterAddress, void];
  /** Lists what is in a router and what belongs together. */
  "router.dump": [RouterAddress, RouterDump];
  /** Replaces the codecs that may be sent from now on; what is sent already goes on. */
  "router.updateMediaCodecs": [RouterAddress & { mediaCodecs: RoomCodec[] }, { rtpCapabilities: RtpCapabilities }];
  /** Tells whether a device could decode a producer. */
  "router.canConsume": [RouterAddress & { producerId: string; rtpCapabilities: RtpCapabilities }, { canConsume: boolean }];
  /** Makes an observer that tells who has the floor among the producers given to it. */
  "router.createActiveSpeakerObserver": [RouterAddress & ActiveSpeakerObserverOptions, RtpObserverInfo];
  /** Makes an observer that tells who is heard among the producers given to it. */
  "router.createAudioLevelObserver": [RouterAddress & AudioLevelObserverOptions, RtpObserverInfo];
  /**
   * Opens sockets that any number of the worker's webrtc transports can share. The server's own port is there
   * without.
   */
  "worker.createWebRtcServer": [WorkerAddress & WebRtcServerOptions, WebRtcServerInfo];
  /** Tells all about a WebRTC server. */
  "webRtcServer.dump": [WebRtcServerAddress, WebRtcServerDump];
  /** Closes a WebRTC server and the transports that are reached at it. */
  "webRtcServer.close": [WebRtcServerAddress, void];
  /**
   * Makes a transport for a browser or another WebRTC client. Without webRtcServerId, listenInfos and
   * listenIps it is reached at the server's own port.
   */
  "router.createWebRtcTransport": [RouterAddress & WebRtcTransportOptions, Having<RouterTransportInfo, "iceParameters" | "iceCandidates" | "iceState" | "dtlsParameters" | "dtlsState">];
  /** Makes a transport for RTP without ICE and DTLS, as of ffmpeg and GStreamer. */
  "router.createPlainTransport": [RouterAddress & PlainTransportOptions, Having<RouterTransportInfo, "tuple" | "rtcpMux" | "comedia">];
  /** Makes a transport whose other end is the backend itself, over this API. */
  "router.createDirectTransport": [RouterAddress & DirectTransportOptions, RouterTransportInfo];
  /** Makes a transport that has another router at its other end, of this server, of another one or of mediasoup. */
  "router.createPipeTransport": [RouterAddress & PipeTransportOptions, Having<RouterTransportInfo, "tuple" | "rtx">];
  /**
   * Makes a producer or data producer one of another router of this server too. Two routers have one pair of
   * pipe transports for all that goes between them; the options of transports count when that is made.
   */
  "router.pipeToRouter": [RouterAddress & PipeToRouterOptions, RouterPiped];
  /** Closes a transport and all that is on it. */
  "transport.close": [TransportAddress, void];
  /** Tells all about a transport. */
  "transport.dump": [TransportAddress, TransportDump];
  /** Figures of a transport. */
  "transport.getStats": [TransportAddress, { stats: TransportStats[] }];
  /**
   * Tells a transport who is at its other end: dtlsParameters for a webrtc transport, ip and port for a plain
   * or pipe one. It works once.
   */
  "transport.connect": [TransportAddress & ConnectOptions, ConnectedTransport];
  /** Makes new ICE credentials, of a webrtc transport. */
  "transport.restartIce": [TransportAddress, { iceParameters: IceParameters }];
  /** Limits what the other end is asked to send. */
  "transport.setMaxIncomingBitrate": [TransportAddress & { bitrate: number }, void];
  /** Limits what is sent. */
  "transport.setMaxOutgoingBitrate": [TransportAddress & { bitrate: number }, void];
  /** Has so much sent, however narrow the line seems. */
  "transport.setMinOutgoingBitrate": [TransportAddress & { bitrate: number }, void];
  /** Has transport.trace events told, of the types given and no others. */
  "transport.enableTraceEvent": [TransportAddress & { types?: string[] }, void];
  /** Hands RTCP to a direct transport, as if it had come from its other end. */
  "transport.sendRtcp": [TransportAddress & { rtcpPacket: string }, void];
  /** Takes in media. */
  "transport.produce": [TransportAddress & ProduceOptions, RouterProducerInfo];
  /** Sends a producer of the router. */
  "transport.consume": [TransportAddress & ConsumeOptions, RouterConsumerInfo];
  /** Takes in messages. */
  "transport.produceData": [TransportAddress & ProduceDataOptions, RouterDataProducerInfo];
  /** Sends the messages of a data producer of the router. */
  "transport.consumeData": [TransportAddress & ConsumeDataOptions, RouterDataConsumerInfo];
  /** Closes a producer and its consumers. */
  "producer.close": [ProducerAddress, void];
  /** Tells all about a producer. */
  "producer.dump": [ProducerAddress, ProducerDump];
  /** Figures of each encoding that arrives. */
  "producer.getStats": [ProducerAddress, { stats: ProducerStats[] }];
  /** Forwards nothing of a producer. */
  "producer.pause": [ProducerAddress, void];
  /** Forwards it again; video begins with a keyframe. */
  "producer.resume": [ProducerAddress, void];
  /** Has producer.trace events told, of the types given and no others. */
  "producer.enableTraceEvent": [ProducerAddress & { types?: string[] }, void];
  /** Hands a packet to a producer of a direct transport, as if it had come from its other end. */
  "producer.send": [ProducerAddress & { rtpPacket: string }, void];
  /** Closes a consumer. */
  "consumer.close": [ConsumerAddress, void];
  /** Tells all about a consumer. */
  "consumer.dump": [ConsumerAddress, ConsumerDump];
  /** Figures of what is sent, and of the producer's encoding that it is made from. */
  "consumer.getStats": [ConsumerAddress, { stats: ConsumerStats[] }];
  /** Sends nothing to a consumer. */
  "consumer.pause": [ConsumerAddress, void];
  /** Sends to it again; video begins with a keyframe. */
  "consumer.resume": [ConsumerAddress, void];
  /** Limits which layers of simulcast or SVC are sent. A consumer without layers takes no notice. */
  "consumer.setPreferredLayers": [ConsumerAddress & PreferredLayers, { preferredLayers: Layers | null }];
  /** Says how important a consumer is among those of its transport, where the line cannot carry all in full. */
  "consumer.setPriority": [ConsumerAddress & { priority: number }, void];
  /** Makes a consumer as unimportant as it was to begin with. */
  "consumer.unsetPriority": [ConsumerAddress, void];
  /** Asks the producer of a video consumer for a keyframe. */
  "consumer.requestKeyFrame": [ConsumerAddress, void];
  /** Has consumer.trace events told, of the types given and no others. */
  "consumer.enableTraceEvent": [ConsumerAddress & { types?: string[] }, void];
  /** Closes a data producer and its data consumers. */
  "dataProducer.close": [DataProducerAddress, void];
  /** Tells all about a data producer. */
  "dataProducer.dump": [DataProducerAddress, DataProducerDump];
  /** Figures of a data producer. */
  "dataProducer.getStats": [DataProducerAddress, { stats: DataProducerStats[] }];
  /** Drops the messages of a data producer. */
  "dataProducer.pause": [DataProducerAddress, void];
  /** Forwards them again. */
  "dataProducer.resume": [DataProducerAddress, void];
  /** Hands a message to a data producer of a direct transport, as if it had come from its other end. */
  "dataProducer.send": [DataProducerAddress & DataProducerMessage, void];
  /** Closes a data consumer. */
  "dataConsumer.close": [DataConsumerAddress, void];
  /** Tells all about a data consumer. */
  "dataConsumer.dump": [DataConsumerAddress, DataConsumerDump];
  /** Figures of a data consumer. */
  "dataConsumer.getStats": [DataConsumerAddress, { stats: DataConsumerStats[] }];
  /** Sends nothing; messages of the meantime are lost to the other end. */
  "dataConsumer.pause": [DataConsumerAddress, void];
  /** Sends messages again. */
  "dataConsumer.resume": [DataConsumerAddress, void];
  /** Tells how much waits to be sent. */
  "dataConsumer.getBufferedAmount": [DataConsumerAddress, { bufferedAmount: number }];
  /** Says when dataConsumer.bufferedamountlow is told: when no more than so much waits. */
  "dataConsumer.setBufferedAmountLowThreshold": [DataConsumerAddress & { threshold: number }, void];
  /** Sends a message of the backend's own. */
  "dataConsumer.send": [DataConsumerAddress & DataConsumerMessage, { bufferedAmount: number }];
  /** Replaces the subchannels that a data consumer has. */
  "dataConsumer.setSubchannels": [DataConsumerAddress & { subchannels: number[] }, { subchannels: number[] }];
  /** Gives it one more. */
  "dataConsumer.addSubchannel": [DataConsumerAddress & { subchannel: number }, { subchannels: number[] }];
  /** Takes one from it. */
  "dataConsumer.removeSubchannel": [DataConsumerAddress & { subchannel: number }, { subchannels: number[] }];
  /** Closes an observer. */
  "rtpObserver.close": [RtpObserverAddress, void];
  /** Has an observer look no more. */
  "rtpObserver.pause": [RtpObserverAddress, void];
  /** Has it look again. */
  "rtpObserver.resume": [RtpObserverAddress, void];
  /** Has an observer look at an audio producer of the router. */
  "rtpObserver.addProducer": [RtpObserverAddress & { producerId: string }, void];
  /** Has it not look at the producer any more. */
  "rtpObserver.removeProducer": [RtpObserverAddress & { producerId: string }, void];
}

/** What is told of objects, by name. */
export interface ObjectEvents {
  /** A worker has a new router. */
  "worker.newrouter": WorkerAddress & { routerId: string; router: RouterInfo };
  /** A worker has a new WebRTC server. */
  "worker.newwebrtcserver": WorkerAddress & { webRtcServerId: string; webRtcServer: WebRtcServerInfo };
  /** A WebRTC server was closed; the transports that were reached at it were closed before. */
  "webRtcServer.closed": WebRtcServerAddress;
  /** A worker was closed. All that belonged to it was closed before. */
  "worker.closed": WorkerAddress;
  /** A router was closed. All that was in it was closed before. */
  "router.closed": RouterAddress & { reason: string };
  /** A router has a new transport. */
  "router.newtransport": RouterAddress & { transportId: string; transport: RouterTransportInfo };
  /** A router has a new observer. */
  "router.newrtpobserver": RouterAddress & { rtpObserverId: string; rtpObserver: RtpObserverInfo };
  /** A transport was closed; all that was on it was closed before. */
  "transport.closed": TransportAddress & { reason: string };
  /** ICE of a webrtc transport is in another state. */
  "transport.icestatechange": TransportAddress & { iceState: "new" | "connected" | "completed" | "disconnected" | "closed" };
  /** A webrtc transport sends to another address. */
  "transport.iceselectedtuplechange": TransportAddress & { iceSelectedTuple: TransportTuple };
  /** DTLS of a webrtc transport is in another state. */
  "transport.dtlsstatechange": TransportAddress & { dtlsState: "new" | "connecting" | "connected" | "failed" | "closed"; dtlsRemoteCert?: string };
  /** SCTP of a transport is in another state. */
  "transport.sctpstatechange": TransportAddress & { sctpState: "new" | "connecting" | "connected" | "failed" | "closed"; sctpNegotiatedCapabilities?: SctpNegotiated };
  /** A plain transport with comedia has learnt where its other end is. */
  "transport.tuple": TransportAddress & { tuple: TransportTuple };
  /** The same for RTCP, without rtcpMux. */
  "transport.rtcptuple": TransportAddress & { rtcpTuple: TransportTuple };
  /** RTCP for the other end of a direct transport, in base64. */
  "transport.rtcp": TransportAddress & { packet: string };
  /** A transport has a new producer. */
  "transport.newproducer": TransportAddress & { producerId: string; producer: RouterProducerInfo };
  /** A transport has a new consumer. */
  "transport.newconsumer": TransportAddress & { consumerId: string; consumer: RouterConsumerInfo };
  /** A transport has a new data producer. */
  "transport.newdataproducer": TransportAddress & { dataProducerId: string; dataProducer: RouterDataProducerInfo };
  /** A transport has a new data consumer. */
  "transport.newdataconsumer": TransportAddress & { dataConsumerId: string; dataConsumer: RouterDataConsumerInfo };
  /** Something of the types that transport.enableTraceEvent has chosen: {type, timestamp, direction, info}. */
  "transport.trace": TransportAddress & { trace: Trace };
  /** A producer was closed; its consumers were closed before. */
  "producer.closed": ProducerAddress & { reason: string };
  /** A producer is not forwarded for now. */
  "producer.paused": ProducerAddress;
  /** A producer is forwarded again. */
  "producer.resumed": ProducerAddress;
  /** How well the encodings of a producer arrive has changed: an array of [EncodingScore](#encodingscore). */
  "producer.score": ProducerAddress & { score: EncodingScore[] };
  /** The sender's camera is held in another way: {camera, flip, rotation}. */
  "producer.videoorientationchange": ProducerAddress & { videoOrientation: VideoOrientation };
  /** Something of the types that producer.enableTraceEvent has chosen. */
  "producer.trace": ProducerAddress & { trace: Trace };
  /** A consumer was closed: by command, with its transport or its producer. */
  "consumer.closed": ConsumerAddress & { reason: string };
  /** A consumer is paused. */
  "consumer.paused": ConsumerAddress;
  /** A consumer is not paused any more. */
  "consumer.resumed": ConsumerAddress;
  /** The producer of a consumer is paused. */
  "consumer.producerpause": ConsumerAddress;
  /** The producer of a consumer is not paused any more. */
  "consumer.producerresume": ConsumerAddress;
  /** How well a consumer is served has changed: a [ConsumerScore](#consumerscore). */
  "consumer.score": ConsumerAddress & { score: ConsumerScore };
  /** Other layers are sent from now on; null is nothing. */
  "consumer.layerschange": ConsumerAddress & { layers: Layers | null };
  /** A packet of a consumer on a direct transport, in base64. */
  "consumer.rtp": ConsumerAddress & { packet: string };
  /** Something of the types that consumer.enableTraceEvent has chosen. */
  "consumer.trace": ConsumerAddress & { trace: Trace };
  /** A data producer was closed; its data consumers were closed before. */
  "dataProducer.closed": DataProducerAddress & { reason: string };
  /** The messages of a data producer are dropped for now. */
  "dataProducer.paused": DataProducerAddress;
  /** They are forwarded again. */
  "dataProducer.resumed": DataProducerAddress;
  /** A data consumer was closed: by command, with its transport or its data producer. */
  "dataConsumer.closed": DataConsumerAddress & { reason: string };
  /** A data consumer is paused. */
  "dataConsumer.paused": DataConsumerAddress;
  /** A data consumer is not paused any more. */
  "dataConsumer.resumed": DataConsumerAddress;
  /** The data producer of a data consumer is paused. */
  "dataConsumer.dataproducerpause": DataConsumerAddress;
  /** The data producer of a data consumer is not paused any more. */
  "dataConsumer.dataproducerresume": DataConsumerAddress;
  /** A message for a data consumer on a direct transport: a text as message, or bytes as binary, in base64. */
  "dataConsumer.message": DataConsumerAddress & { message?: string; binary?: string; ppid: number };
  /** A message was not sent, as the other end has not taken what was sent before. */
  "dataConsumer.sctpsendbufferfull": DataConsumerAddress;
  /** No more waits for the other end than the threshold. */
  "dataConsumer.bufferedamountlow": DataConsumerAddress & { bufferedAmount: number };
  /** An observer was closed. */
  "rtpObserver.closed": RtpObserverAddress & { reason: string };
  /** An observer looks no more. */
  "rtpObserver.paused": RtpObserverAddress;
  /** An observer looks again. */
  "rtpObserver.resumed": RtpObserverAddress;
  /** An observer looks at one more producer. */
  "rtpObserver.addproducer": RtpObserverAddress & { producerId: string };
  /** An observer does not look at a producer any more. */
  "rtpObserver.removeproducer": RtpObserverAddress & { producerId: string };
  /** Who is heard, the loudest first, as `[{producerId, volume}]` in dBov (âˆ’127 to 0). */
  "rtpObserver.volumes": RtpObserverAddress & { volumes: ProducerVolume[] };
  /** Nobody is heard any more. */
  "rtpObserver.silence": RtpObserverAddress;
  /** A producer has the floor. */
  "rtpObserver.dominantspeaker": RtpObserverAddress & { producerId: string };
}

/** The names of the objects' events. */
export const OBJECT_EVENTS: readonly (keyof ObjectEvents)[] = [
  "worker.newrouter",
  "worker.newwebrtcserver",
  "webRtcServer.closed",
  "worker.closed",
  "router.closed",
  "router.newtransport",
  "router.newrtpobserver",
  "transport.closed",
  "transport.icestatechange",
  "transport.iceselectedtuplechange",
  "transport.dtlsstatechange",
  "transport.sctpstatechange",
  "transport.tuple",
  "transport.rtcptuple",
  "transport.rtcp",
  "transport.newproducer",
  "transport.newconsumer",
  "transport.newdataproducer",
  "transport.newdataconsumer",
  "transport.trace",
  "producer.closed",
  "producer.paused",
  "producer.resumed",
  "producer.score",
  "producer.videoorientationchange",
  "producer.trace",
  "consumer.closed",
  "consumer.paused",
  "consumer.resumed",
  "consumer.producerpause",
  "consumer.producerresume",
  "consumer.score",
  "consumer.layerschange",
  "consumer.rtp",
  "consumer.trace",
  "dataProducer.closed",
  "dataProducer.paused",
  "dataProducer.resumed",
  "dataConsumer.closed",
  "dataConsumer.paused",
  "dataConsumer.resumed",
  "dataConsumer.dataproducerpause",
  "dataConsumer.dataproducerresume",
  "dataConsumer.message",
  "dataConsumer.sctpsendbufferfull",
  "dataConsumer.bufferedamountlow",
  "rtpObserver.closed",
  "rtpObserver.paused",
  "rtpObserver.resumed",
  "rtpObserver.addproducer",
  "rtpObserver.removeproducer",
  "rtpObserver.volumes",
  "rtpObserver.silence",
  "rtpObserver.dominantspeaker",
];

/** Who sends the commands of handles: a TakosCallClient. */
export interface ObjectCaller {
  request<Name extends keyof ObjectCommands>(command: Name, data: ObjectCommands[Name][0]): Promise<ObjectCommands[Name][1]>;
}

/** A handle that was made from an answer, which is its info. */
export type Described<Handle extends { info: unknown }, Info = NonNullable<Handle["info"]>> = Handle & { readonly info: Info };

/** An info that has fields which others of its kind may lack. */
export type Having<Info, Fields extends keyof Info> = Info & Required<Pick<Info, Fields>>;

/** Names a worker: routers and WebRTC servers that belong together. */
export interface WorkerAddress {
  workerId: string;
}

/**
 * A handle of a worker: routers and WebRTC servers that belong together. It is an address and stays good
 * across lost connections, until the object is closed.
 */
export class Worker {
  readonly #caller: ObjectCaller;
  readonly address: WorkerAddress;
  /** It as it was when the handle was made from an answer; undefined in one made from an id. */
  readonly info: WorkerInfo | undefined;

  constructor(caller: ObjectCaller, address: WorkerAddress, info?: WorkerInfo) {
    this.#caller = caller;
    this.address = address;
    this.info = info;
  }

  get id(): string {
    return this.address.workerId;
  }

  /** A handle made from an id. The server is not asked. */
  webRtcServer(webRtcServerId: string): WebRtcServer {
    return new WebRtcServer(this.#caller, { ...this.address, webRtcServerId });
  }

  /**
   * Has this connection get the events of a worker and of all that belongs to it, and describes these as they
   * are now: for a client that comes back after its connection was lost.
   */
  attach(): Promise<WorkerSnapshot> {
    return this.#caller.request("worker.attach", this.address);
  }

  /** Has this connection get no more events of a worker. */
  detach(): Promise<void> {
    return this.#caller.request("worker.detach", this.address);
  }

  /** Closes a worker and all that belongs to it. */
  close(): Promise<void> {
    return this.#caller.request("worker.close", this.address);
  }

  /** Lists what belongs to a worker. */
  dump(): Promise<WorkerDump> {
    return this.#caller.request("worker.dump", this.address);
  }

  /** Tells what the server has used of its machine; workers share it. */
  getResourceUsage(): Promise<ResourceUsage> {
    return this.#caller.request("worker.getResourceUsage", this.address);
  }

  /** Changes what of a worker's log its connections get, as worker.log events. */
  updateSettings(options: WorkerSettings = {}): Promise<void> {
    return this.#caller.request("worker.updateSettings", { ...this.address, ...options });
  }

  /** Makes a router. */
  async createRouter(options: RouterOptions = {}): Promise<Described<Router>> {
    const info = await this.#caller.request("worker.createRouter", { ...this.address, ...options });
    return new Router(this.#caller, { routerId: info.id }, info) as Described<Router>;
  }

  /**
   * Opens sockets that any number of the worker's webrtc transports can share. The server's own port is there
   * without.
   */
  async createWebRtcServer(options: WebRtcServerOptions): Promise<Described<WebRtcServer>> {
    const info = await this.#caller.request("worker.createWebRtcServer", { ...this.address, ...options });
    return new WebRtcServer(this.#caller, { workerId: this.address.workerId, webRtcServerId: info.id }, info) as Described<WebRtcServer>;
  }
}

/** Names a WebRTC server: sockets that webrtc transports share. */
export interface WebRtcServerAddress {
  workerId: string;
  webRtcServerId: string;
}

/**
 * A handle of a WebRTC server: sockets that webrtc transports share. It is an address and stays good across
 * lost connections, until the object is closed.
 */
export class WebRtcServer {
  readonly #caller: ObjectCaller;
  readonly address: WebRtcServerAddress;
  /** It as it was when the handle was made from an answer; undefined in one made from an id. */
  readonly info: WebRtcServerInfo | undefined;

  constructor(caller: ObjectCaller, address: WebRtcServerAddress, info?: WebRtcServerInfo) {
    this.#caller = caller;
    this.address = address;
    this.info = info;
  }

  get id(): string {
    return this.address.webRtcServerId;
  }

  /** Tells all about a WebRTC server. */
  dump(): Promise<WebRtcServerDump> {
    return this.#caller.request("webRtcServer.dump", this.address);
  }

  /** Closes a WebRTC server and the transports that are reached at it. */
  close(): Promise<void> {
    return this.#caller.request("webRtcServer.close", this.address);
  }
}

/** Names a router, of a worker or of a room. */
export interface RouterAddress {
  routerId: string;
}

/**
 * A handle of a router, of a worker or of a room. It is an address and stays good across lost connections,
 * until the object is closed.
 */
export class Router {
  readonly #caller: ObjectCaller;
  readonly address: RouterAddress;
  /** It as it was when the handle was made from an answer; undefined in one made from an id. */
  readonly info: RouterInfo | undefined;

  constructor(caller: ObjectCaller, address: RouterAddress, info?: RouterInfo) {
    this.#caller = caller;
    this.address = address;
    this.info = info;
  }

  get id(): string {
    return this.address.routerId;
  }

  /** A handle made from an id. The server is not asked. */
  transport(transportId: string): Transport {
    return new Transport(this.#caller, { ...this.address, transportId });
  }

  /** A handle made from an id. The server is not asked. */
  producer(producerId: string): Producer {
    return new Producer(this.#caller, { ...this.address, producerId });
  }

  /** A handle made from an id. The server is not asked. */
  consumer(consumerId: string): Consumer {
    return new Consumer(this.#caller, { ...this.address, consumerId });
  }

  /** A handle made from an id. The server is not asked. */
  dataProducer(dataProducerId: string): DataProducer {
    return new DataProducer(this.#caller, { ...this.address, dataProducerId });
  }

  /** A handle made from an id. The server is not asked. */
  dataConsumer(dataConsumerId: string): DataConsumer {
    return new DataConsumer(this.#caller, { ...this.address, dataConsumerId });
  }

  /** A handle made from an id. The server is not asked. */
  rtpObserver(rtpObserverId: string): RtpObserver {
    return new RtpObserver(this.#caller, { ...this.address, rtpObserverId });
  }

  /** Closes a router and all that is in it. A room's is closed with its room. */
  close(): Promise<void> {
    return this.#caller.request("router.close", this.address);
  }

  /**
   * Has this connection get the events of a router, and describes all that is in it: for the router of a
   * room. Those of a worker come with the worker's.
   */
  attach(): Promise<RouterSnapshot> {
    return this.#caller.request("router.attach", this.address);
  }

  /** Has this connection get no more events of a router. */
  detach(): Promise<void> {
    return this.#caller.request("router.detach", this.address);
  }

  /** Lists what is in a router and what belongs together. */
  dump(): Promise<RouterDump> {
    return this.#caller.request("router.dump", this.address);
  }

  /** Replaces the codecs that may be sent from now on; what is sent already goes on. */
  async updateMediaCodecs(mediaCodecs: RoomCodec[]): Promise<RtpCapabilities> {
    return (await this.#caller.request("router.updateMediaCodecs", { ...this.address, mediaCodecs })).rtpCapabilities;
  }

  /** Tells whether a device could decode a producer. */
  async canConsume(producerId: string, rtpCapabilities: RtpCapabilities): Promise<boolean> {
    return (await this.#caller.request("router.canConsume", { ...this.address, producerId, rtpCapabilities })).canConsume;
  }

  /** Makes an observer that tells who has the floor among the producers given to it. */
  async createActiveSpeakerObserver(options: ActiveSpeakerObserverOptions = {}): Promise<Described<RtpObserver>> {
    const info = await this.#caller.request("router.createActiveSpeakerObserver", { ...this.address, ...options });
    return new RtpObserver(this.#caller, { routerId: this.address.routerId, rtpObserverId: info.id }, info) as Described<RtpObserver>;
  }

  /** Makes an observer that tells who is heard among the producers given to it. */
  async createAudioLevelObserver(options: AudioLevelObserverOptions = {}): Promise<Described<RtpObserver>> {
    const info = await this.#caller.request("router.createAudioLevelObserver", { ...this.address, ...options });
    return new RtpObserver(this.#caller, { routerId: this.address.routerId, rtpObserverId: info.id }, info) as Described<RtpObserver>;
  }

  /**
   * Makes a transport for a browser or another WebRTC client. Without webRtcServerId, listenInfos and
   * listenIps it is reached at the server's own port.
   */
  async createWebRtcTransport(options: WebRtcTransportOptions = {}): Promise<Described<Transport, Having<RouterTransportInfo, "iceParameters" | "iceCandidates" | "iceState" | "dtlsParameters" | "dtlsState">>> {
    const info = await this.#caller.request("router.createWebRtcTransport", { ...this.address, ...options });
    return new Transport(this.#caller, { routerId: this.address.routerId, transportId: info.id }, info) as Described<Transport, Having<RouterTransportInfo, "iceParameters" | "iceCandidates" | "iceState" | "dtlsParameters" | "dtlsState">>;
  }

  /** Makes a transport for RTP without ICE and DTLS, as of ffmpeg and GStreamer. */
  async createPlainTransport(options: PlainTransportOptions): Promise<Described<Transport, Having<RouterTransportInfo, "tuple" | "rtcpMux" | "comedia">>> {
    const info = await this.#caller.request("router.createPlainTransport", { ...this.address, ...options });
    return new Transport(this.#caller, { routerId: this.address.routerId, transportId: info.id }, info) as Described<Transport, Having<RouterTransportInfo, "tuple" | "rtcpMux" | "comedia">>;
  }

  /** Makes a transport whose other end is the backend itself, over this API. */
  async createDirectTransport(options: DirectTransportOptions = {}): Promise<Described<Transport>> {
    const info = await this.#caller.request("router.createDirectTransport", { ...this.address, ...options });
    return new Transport(this.#caller, { routerId: this.address.routerId, transportId: info.id }, info) as Described<Transport>;
  }

  /** Makes a transport that has another router at its other end, of this server, of another one or of mediasoup. */
  async createPipeTransport(options: PipeTransportOptions): Promise<Described<Transport, Having<RouterTransportInfo, "tuple" | "rtx">>> {
    const info = await this.#caller.request("router.createPipeTransport", { ...this.address, ...options });
    return new Transport(this.#caller, { routerId: this.address.routerId, transportId: info.id }, info) as Described<Transport, Having<RouterTransportInfo, "tuple" | "rtx">>;
  }

  /**
   * Makes a producer or data producer one of another router of this server too. Two routers have one pair of
   * pipe transports for all that goes between them; the options of transports count when that is made.
   */
  pipeToRouter(options: PipeToRouterOptions): Promise<RouterPiped> {
    return this.#caller.request("router.pipeToRouter", { ...this.address, ...options });
  }
}

/** Names a transport of any type. */
export interface TransportAddress {
  routerId: string;
  transportId: string;
}

/**
 * A handle of a transport of any type. It is an address and stays good across lost connections, until the
 * object is closed.
 */
export class Transport {
  readonly #caller: ObjectCaller;
  readonly address: TransportAddress;
  /** It as it was when the handle was made from an answer; undefined in one made from an id. */
  readonly info: RouterTransportInfo | undefined;

  constructor(caller: ObjectCaller, address: TransportAddress, info?: RouterTransportInfo) {
    this.#caller = caller;
    this.address = address;
    this.info = info;
  }

  get id(): string {
    return this.address.transportId;
  }

  /** Closes a transport and all that is on it. */
  close(): Promise<void> {
    return this.#caller.request("transport.close", this.address);
  }

  /** Tells all about a transport. */
  dump(): Promise<TransportDump> {
    return this.#caller.request("transport.dump", this.address);
  }

  /** Figures of a transport. */
  async getStats(): Promise<TransportStats[]> {
    return (await this.#caller.request("transport.getStats", this.address)).stats;
  }

  /**
   * Tells a transport who is at its other end: dtlsParameters for a webrtc transport, ip and port for a plain
   * or pipe one. It works once.
   */
  connect(options: ConnectOptions = {}): Promise<ConnectedTransport> {
    return this.#caller.request("transport.connect", { ...this.address, ...options });
  }

  /** Makes new ICE credentials, of a webrtc transport. */
  async restartIce(): Promise<IceParameters> {
    return (await this.#caller.request("transport.restartIce", this.address)).iceParameters;
  }

  /** Limits what the other end is asked to send. */
  setMaxIncomingBitrate(bitrate: number): Promise<void> {
    return this.#caller.request("transport.setMaxIncomingBitrate", { ...this.address, bitrate });
  }

  /** Limits what is sent. */
  setMaxOutgoingBitrate(bitrate: number): Promise<void> {
    return this.#caller.request("transport.setMaxOutgoingBitrate", { ...this.address, bitrate });
  }

  /** Has so much sent, however narrow the line seems. */
  setMinOutgoingBitrate(bitrate: number): Promise<void> {
    return this.#caller.request("transport.setMinOutgoingBitrate", { ...this.address, bitrate });
  }

  /** Has transport.trace events told, of the types given and no others. */
  enableTraceEvent(types: string[] = []): Promise<void> {
    return this.#caller.request("transport.enableTraceEvent", { ...this.address, types });
  }

  /** Hands RTCP to a direct transport, as if it had come from its other end. */
  sendRtcp(rtcpPacket: string): Promise<void> {
    return this.#caller.request("transport.sendRtcp", { ...this.address, rtcpPacket });
  }

  /** Takes in media. */
  async produce(options: ProduceOptions): Promise<Described<Producer>> {
    const info = await this.#caller.request("transport.produce", { ...this.address, ...options });
    return new Producer(this.#caller, { routerId: this.address.routerId, producerId: info.id }, info) as Described<Producer>;
  }

  /** Sends a producer of the router. */
  async consume(options: ConsumeOptions): Promise<Described<Consumer>> {
    const info = await this.#caller.request("transport.consume", { ...this.address, ...options });
    return new Consumer(this.#caller, { routerId: this.address.routerId, consumerId: info.id }, info) as Described<Consumer>;
  }

  /** Takes in messages. */
  async produceData(options: ProduceDataOptions = {}): Promise<Described<DataProducer>> {
    const info = await this.#caller.request("transport.produceData", { ...this.address, ...options });
    return new DataProducer(this.#caller, { routerId: this.address.routerId, dataProducerId: info.id }, info) as Described<DataProducer>;
  }

  /** Sends the messages of a data producer of the router. */
  async consumeData(options: ConsumeDataOptions): Promise<Described<DataConsumer>> {
    const info = await this.#caller.request("transport.consumeData", { ...this.address, ...options });
    return new DataConsumer(this.#caller, { routerId: this.address.routerId, dataConsumerId: info.id }, info) as Described<DataConsumer>;
  }
}

/** Names a producer: media that comes in. */
export interface ProducerAddress {
  routerId: string;
  producerId: string;
}

/**
 * A handle of a producer: media that comes in. It is an address and stays good across lost connections, until
 * the object is closed.
 */
export class Producer {
  readonly #caller: ObjectCaller;
  readonly address: ProducerAddress;
  /** It as it was when the handle was made from an answer; undefined in one made from an id. */
  readonly info: RouterProducerInfo | undefined;

  constructor(caller: ObjectCaller, address: ProducerAddress, info?: RouterProducerInfo) {
    this.#caller = caller;
    this.address = address;
    this.info = info;
  }

  get id(): string {
    return this.address.producerId;
  }

  /** Closes a producer and its consumers. */
  close(): Promise<void> {
    return this.#caller.request("producer.close", this.address);
  }

  /** Tells all about a producer. */
  dump(): Promise<ProducerDump> {
    return this.#caller.request("producer.dump", this.address);
  }

  /** Figures of each encoding that arrives. */
  async getStats(): Promise<ProducerStats[]> {
    return (await this.#caller.request("producer.getStats", this.address)).stats;
  }

  /** Forwards nothing of a producer. */
  pause(): Promise<void> {
    return this.#caller.request("producer.pause", this.address);
  }

  /** Forwards it again; video begins with a keyframe. */
  resume(): Promise<void> {
    return this.#caller.request("producer.resume", this.address);
  }

  /** Has producer.trace events told, of the types given and no others. */
  enableTraceEvent(types: string[] = []): Promise<void> {
    return this.#caller.request("producer.enableTraceEvent", { ...this.address, types });
  }

  /** Hands a packet to a producer of a direct transport, as if it had come from its other end. */
  send(rtpPacket: string): Promise<void> {
    return this.#caller.request("producer.send", { ...this.address, rtpPacket });
  }
}

/** Names a consumer: media that goes out. */
export interface ConsumerAddress {
  routerId: string;
  consumerId: string;
}

/**
 * A handle of a consumer: media that goes out. It is an address and stays good across lost connections, until
 * the object is closed.
 */
export class Consumer {
  readonly #caller: ObjectCaller;
  readonly address: ConsumerAddress;
  /** It as it was when the handle was made from an answer; undefined in one made from an id. */
  readonly info: RouterConsumerInfo | undefined;

  constructor(caller: ObjectCaller, address: ConsumerAddress, info?: RouterConsumerInfo) {
    this.#caller = caller;
    this.address = address;
    this.info = info;
  }

  get id(): string {
    return this.address.consumerId;
  }

  /** Closes a consumer. */
  close(): Promise<void> {
    return this.#caller.request("consumer.close", this.address);
  }

  /** Tells all about a consumer. */
  dump(): Promise<ConsumerDump> {
    return this.#caller.request("consumer.dump", this.address);
  }

  /** Figures of what is sent, and of the producer's encoding that it is made from. */
  async getStats(): Promise<ConsumerStats[]> {
    return (await this.#caller.request("consumer.getStats", this.address)).stats;
  }

  /** Sends nothing to a consumer. */
  pause(): Promise<void> {
    return this.#caller.request("consumer.pause", this.address);
  }

  /** Sends to it again; video begins with a keyframe. */
  resume(): Promise<void> {
    return this.#caller.request("consumer.resume", this.address);
  }

  /** Limits which layers of simulcast or SVC are sent. A consumer without layers takes no notice. */
  async setPreferredLayers(options: PreferredLayers): Promise<Layers | null> {
    return (await this.#caller.request("consumer.setPreferredLayers", { ...this.address, ...options })).preferredLayers;
  }

  /** Says how important a consumer is among those of its transport, where the line cannot carry all in full. */
  setPriority(priority: number): Promise<void> {
    return this.#caller.request("consumer.setPriority", { ...this.address, priority });
  }

  /** Makes a consumer as unimportant as it was to begin with. */
  unsetPriority(): Promise<void> {
    return this.#caller.request("consumer.unsetPriority", this.address);
  }

  /** Asks the producer of a video consumer for a keyframe. */
  requestKeyFrame(): Promise<void> {
    return this.#caller.request("consumer.requestKeyFrame", this.address);
  }

  /** Has consumer.trace events told, of the types given and no others. */
  enableTraceEvent(types: string[] = []): Promise<void> {
    return this.#caller.request("consumer.enableTraceEvent", { ...this.address, types });
  }
}

/** Names a data producer: messages that come in. */
export interface DataProducerAddress {
  routerId: string;
  dataProducerId: string;
}

/**
 * A handle of a data producer: messages that come in. It is an address and stays good across lost
 * connections, until the object is closed.
 */
export class DataProducer {
  readonly #caller: ObjectCaller;
  readonly address: DataProducerAddress;
  /** It as it was when the handle was made from an answer; undefined in one made from an id. */
  readonly info: RouterDataProducerInfo | undefined;

  constructor(caller: ObjectCaller, address: DataProducerAddress, info?: RouterDataProducerInfo) {
    this.#caller = caller;
    this.address = address;
    this.info = info;
  }

  get id(): string {
    return this.address.dataProducerId;
  }

  /** Closes a data producer and its data consumers. */
  close(): Promise<void> {
    return this.#caller.request("dataProducer.close", this.address);
  }

  /** Tells all about a data producer. */
  dump(): Promise<DataProducerDump> {
    return this.#caller.request("dataProducer.dump", this.address);
  }

  /** Figures of a data producer. */
  async getStats(): Promise<DataProducerStats[]> {
    return (await this.#caller.request("dataProducer.getStats", this.address)).stats;
  }

  /** Drops the messages of a data producer. */
  pause(): Promise<void> {
    return this.#caller.request("dataProducer.pause", this.address);
  }

  /** Forwards them again. */
  resume(): Promise<void> {
    return this.#caller.request("dataProducer.resume", this.address);
  }

  /** Hands a message to a data producer of a direct transport, as if it had come from its other end. */
  send(options: DataProducerMessage = {}): Promise<void> {
    return this.#caller.request("dataProducer.send", { ...this.address, ...options });
  }
}

/** Names a data consumer: messages that go out. */
export interface DataConsumerAddress {
  routerId: string;
  dataConsumerId: string;
}

/**
 * A handle of a data consumer: messages that go out. It is an address and stays good across lost connections,
 * until the object is closed.
 */
export class DataConsumer {
  readonly #caller: ObjectCaller;
  readonly address: DataConsumerAddress;
  /** It as it was when the handle was made from an answer; undefined in one made from an id. */
  readonly info: RouterDataConsumerInfo | undefined;

  constructor(caller: ObjectCaller, address: DataConsumerAddress, info?: RouterDataConsumerInfo) {
    this.#caller = caller;
    this.address = address;
    this.info = info;
  }

  get id(): string {
    return this.address.dataConsumerId;
  }

  /** Closes a data consumer. */
  close(): Promise<void> {
    return this.#caller.request("dataConsumer.close", this.address);
  }

  /** Tells all about a data consumer. */
  dump(): Promise<DataConsumerDump> {
    return this.#caller.request("dataConsumer.dump", this.address);
  }

  /** Figures of a data consumer. */
  async getStats(): Promise<DataConsumerStats[]> {
    return (await this.#caller.request("dataConsumer.getStats", this.address)).stats;
  }

  /** Sends nothing; messages of the meantime are lost to the other end. */
  pause(): Promise<void> {
    return this.#caller.request("dataConsumer.pause", this.address);
  }

  /** Sends messages again. */
  resume(): Promise<void> {
    return this.#caller.request("dataConsumer.resume", this.address);
  }

  /** Tells how much waits to be sent. */
  async getBufferedAmount(): Promise<number> {
    return (await this.#caller.request("dataConsumer.getBufferedAmount", this.address)).bufferedAmount;
  }

  /** Says when dataConsumer.bufferedamountlow is told: when no more than so much waits. */
  setBufferedAmountLowThreshold(threshold: number): Promise<void> {
    return this.#caller.request("dataConsumer.setBufferedAmountLowThreshold", { ...this.address, threshold });
  }

  /** Sends a message of the backend's own. */
  async send(options: DataConsumerMessage = {}): Promise<number> {
    return (await this.#caller.request("dataConsumer.send", { ...this.address, ...options })).bufferedAmount;
  }

  /** Replaces the subchannels that a data consumer has. */
  async setSubchannels(subchannels: number[]): Promise<number[]> {
    return (await this.#caller.request("dataConsumer.setSubchannels", { ...this.address, subchannels })).subchannels;
  }

  /** Gives it one more. */
  async addSubchannel(subchannel: number): Promise<number[]> {
    return (await this.#caller.request("dataConsumer.addSubchannel", { ...this.address, subchannel })).subchannels;
  }

  /** Takes one from it. */
  async removeSubchannel(subchannel: number): Promise<number[]> {
    return (await this.#caller.request("dataConsumer.removeSubchannel", { ...this.address, subchannel })).subchannels;
  }
}

/** Names an observer of who speaks. */
export interface RtpObserverAddress {
  routerId: string;
  rtpObserverId: string;
}

/**
 * A handle of an observer of who speaks. It is an address and stays good across lost connections, until the
 * object is closed.
 */
export class RtpObserver {
  readonly #caller: ObjectCaller;
  readonly address: RtpObserverAddress;
  /** It as it was when the handle was made from an answer; undefined in one made from an id. */
  readonly info: RtpObserverInfo | undefined;

  constructor(caller: ObjectCaller, address: RtpObserverAddress, info?: RtpObserverInfo) {
    this.#caller = caller;
    this.address = address;
    this.info = info;
  }

  get id(): string {
    return this.address.rtpObserverId;
  }

  /** Closes an observer. */
  close(): Promise<void> {
    return this.#caller.request("rtpObserver.close", this.address);
  }

  /** Has an observer look no more. */
  pause(): Promise<void> {
    return this.#caller.request("rtpObserver.pause", this.address);
  }

  /** Has it look again. */
  resume(): Promise<void> {
    return this.#caller.request("rtpObserver.resume", this.address);
  }

  /** Has an observer look at an audio producer of the router. */
  addProducer(producerId: string): Promise<void> {
    return this.#caller.request("rtpObserver.addProducer", { ...this.address, producerId });
  }

  /** Has it not look at the producer any more. */
  removeProducer(producerId: string): Promise<void> {
    return this.#caller.request("rtpObserver.removeProducer", { ...this.address, producerId });
  }
}

/** ActiveSpeakerObserverOptions are the parameters of router.createActiveSpeakerObserver. */
export interface ActiveSpeakerObserverOptions {
  /** Ms between two looks; default 300. */
  interval?: number;
  /** Anything; it comes back in RTPObserverInfo. */
  appData?: AppData;
}

/** AudioLevelObserverOptions are the parameters of router.createAudioLevelObserver. */
export interface AudioLevelObserverOptions {
  /** The most that are told at once; default 1. */
  maxEntries?: number;
  /** DBov from which somebody is heard; default -80. */
  threshold?: number;
  /** Ms between two looks; default 1000. */
  interval?: number;
  /** Anything; it comes back in RTPObserverInfo. */
  appData?: AppData;
}

/** BweTrace is what a transport's line is taken to carry, and what for. Bitrates are in bit/s. */
export interface BweTrace {
  /** The feedback that the estimate is made from: "transport-cc" or "remb". */
  bweType: string;
  desiredBitrate: number;
  effectiveDesiredBitrate: number;
  minBitrate: number;
  maxBitrate: number;
  startBitrate: number;
  maxPaddingBitrate: number;
  availableBitrate: number;
}

/** ConnectOptions are the parameters of transport.connect. */
export interface ConnectOptions {
  /** Of the other end of a webrtc transport. */
  dtlsParameters?: DtlsParameters;
  /** Where the other end of a plain or pipe transport is; not with comedia. */
  ip?: string;
  /** Its port. */
  port?: number;
  /** Its port for RTCP, without rtcpMux. */
  rtcpPort?: number;
  /** Its key, with enableSrtp. */
  srtpParameters?: SrtpParameters;
}

/** ConnectedTransport is the answer of transport.connect: what that has changed. */
export interface ConnectedTransport {
  /** Client or server, of a webrtc transport. */
  dtlsLocalRole?: string;
  /** Of a plain or pipe transport. */
  tuple?: TransportTuple;
  /** Of a plain transport without rtcpMux. */
  rtcpTuple?: TransportTuple;
  /** Of a transport with enableSrtp. */
  srtpParameters?: SrtpParameters;
}

/** ConsumeDataOptions are the parameters of transport.consumeData. */
export interface ConsumeDataOptions {
  /** Where the messages come from. */
  dataProducerId: string;
  /** The data producer's unless one of these three is given. */
  ordered?: boolean;
  /** Ms after which a message is given up. */
  maxPacketLifeTime?: number;
  /** How often a message is sent again. */
  maxRetransmits?: number;
  /** Whether to begin paused. */
  paused?: boolean;
  /** Those it has; default none. */
  subchannels?: number[];
  /** Anything; it comes back in RouterDataConsumerInfo. */
  appData?: AppData;
}

/** ConsumeOptions are the parameters of transport.consume. */
export interface ConsumeOptions {
  /** Where the media comes from. */
  producerId: string;
  /** Of the receiving device; on a pipe transport they are not looked at, on others they must be given. */
  rtpCapabilities?: RtpCapabilities;
  /** Whether to begin paused. */
  paused?: boolean;
  /** For the consumer, unique on the transport; default counted up. */
  mid?: string;
  /** The highest layers wanted, of simulcast or SVC; default all. */
  preferredLayers?: PreferredLayers;
  /** Whether what is lost is sent again; default true for video, false for audio. */
  enableRtx?: boolean;
  /** Whether Opus packets that say nothing are left out. */
  ignoreDtx?: boolean;
  /** Whether all encodings are sent, for another router. */
  pipe?: boolean;
  /** Anything; it comes back in RouterConsumerInfo. */
  appData?: AppData;
}

/** ConsumerDump is a consumer as it is: what all have, and what those of its type have. */
export interface ConsumerDump {
  id: string;
  producerId: string;
  kind: MediaKind;
  type: "simple" | "simulcast" | "svc" | "pipe";
  rtpParameters: RtpParametersDump;
  consumableRtpEncodings: RtpEncodingParameters[];
  supportedCodecPayloadTypes: number[];
  traceEventTypes: ("rtp" | "keyframe" | "nack" | "pli" | "fir" | "sr" | "probation" | "bwe")[];
  paused: boolean;
  producerPaused: boolean;
  priority: number;
  rtpStream?: RtpStreamDump;
  /** Of a pipe, by encoding. */
  rtpStreams?: RtpStreamDump[];
  preferredSpatialLayer?: number;
  targetSpatialLayer?: number;
  currentSpatialLayer?: number;
  preferredTemporalLayer?: number;
  targetTemporalLayer?: number;
  currentTemporalLayer?: number;
}

/** ConsumerStats is the stream that goes out, or the one that it is made from. */
export interface ConsumerStats {
  /** "inbound-rtp" or "outbound-rtp". */
  type: string;
  timestamp: number;
  ssrc: number;
  rtxSsrc?: number;
  rid?: string;
  kind: MediaKind;
  mimeType: string;
  packetsLost: number;
  /** Of 256. */
  fractionLost: number;
  packetsDiscarded: number;
  packetsRetransmitted: number;
  packetsRepaired: number;
  nackCount: number;
  nackPacketCount: number;
  pliCount: number;
  firCount: number;
  packetCount: number;
  byteCount: number;
  bitrate: number;
  /** In ms; absent until it was measured. */
  roundTripTime?: number;
  /** 0 to 10, by loss that was not repaired. */
  score: number;
  /** In units of the stream's clock, as measured by whoever receives. */
  jitter: number;
  /** And RTXPacketsDiscarded are of the latter only. */
  bitrateByLayer?: Record<string, number>;
  rtxPacketsDiscarded?: number;
}

/** DataConsumerDump is a data consumer as it is. */
export interface DataConsumerDump {
  id: string;
  paused: boolean;
  dataProducerPaused: boolean;
  subchannels: number[];
  dataProducerId: string;
  type: "sctp" | "direct";
  /** Nil for a direct one. */
  sctpStreamParameters?: SctpStreamParameters;
  label: string;
  protocol: string;
  bufferedAmount: number;
  bufferedAmountLowThreshold: number;
}

/** DataConsumerMessage are the parameters of dataConsumer.send. */
export interface DataConsumerMessage {
  /** A text; this or binary. */
  message?: string;
  /** Bytes, in base64. */
  binary?: string;
  /**
   * SCTP's payload protocol identifier, for what is another kind than it was given as: 51 or 56, a text; 53
   * or 57, bytes.
   */
  ppid?: number;
}

/**
 * DataConsumerStats are the figures of a data consumer, under mediasoup's names. MessagesDropped is ours:
 * those for which there was no room.
 */
export interface DataConsumerStats {
  /** "data-consumer". */
  type: string;
  timestamp: number;
  label: string;
  protocol: string;
  messagesSent: number;
  bytesSent: number;
  messagesDropped: number;
  bufferedAmount: number;
}

/** DataProducerDump is a data producer as it is. */
export interface DataProducerDump {
  id: string;
  paused: boolean;
  type: "sctp" | "direct";
  /** Nil for a direct one. */
  sctpStreamParameters?: SctpStreamParameters;
  label: string;
  protocol: string;
}

/** DataProducerMessage are the parameters of dataProducer.send. */
export interface DataProducerMessage {
  /** A text; this or binary. */
  message?: string;
  /** Bytes, in base64. */
  binary?: string;
  /**
   * SCTP's payload protocol identifier, for what is another kind than it was given as: 51 or 56, a text; 53
   * or 57, bytes.
   */
  ppid?: number;
  /** Unless empty, only data consumers get it that have one of them. */
  subchannels?: number[];
  /** Only data consumers get it that have this one. */
  requiredSubchannel?: number;
  /** Only data consumers get it that do not have this one. */
  ignoredSubchannel?: number;
}

/** DataProducerStats are the figures of a data producer, under mediasoup's names. */
export interface DataProducerStats {
  /** "data-producer". */
  type: string;
  timestamp: number;
  label: string;
  protocol: string;
  messagesReceived: number;
  bytesReceived: number;
}

/** DirectTransportOptions are the parameters of router.createDirectTransport. */
export interface DirectTransportOptions {
  /**
   * In a room's router: the peer whose transport it is from then on, for the commands of rooms and all who
   * are in the room, such as a camera without WebRTC; default nobody's.
   */
  peerId?: string;
  /** Bytes of a message of a data consumer; 0 is 262144. */
  maxSendMessageSize?: number;
  /** Bytes of a message to a data producer; 0 is 262144. */
  maxReceiveMessageSize?: number;
  /** Anything; it comes back in RouterTransportInfo. */
  appData?: AppData;
}

/** PacketTrace is a packet of media, plain. */
export interface PacketTrace {
  rtpPacket: TracedPacket;
  isRtx: boolean;
}

/** PipeToRouterOptions are the parameters of router.pipeToRouter. */
export interface PipeToRouterOptions {
  /** The other router, of this server. */
  toRouterId: string;
  /** What is piped; either this â€¦. */
  producerId?: string;
  /** ï¿½€¦ or this. */
  dataProducerId?: string;
  /** Whether it has the same id there, which two routers of one worker must not have; default true. */
  keepId?: boolean;
  /** Where both transports listen; default 127.0.0.1. */
  listenInfo?: ListenInfo;
  /** Whether what is lost between the routers is sent again. */
  enableRtx?: boolean;
  /** Whether packets are encrypted between them. */
  enableSrtp?: boolean;
  /** Whether the transports carry data channels; default true. */
  enableSctp?: boolean;
  /** Bytes of a message to the other end; default 262144. */
  maxSendMessageSize?: number;
  /** Bytes of a message from the other end; default 262144. */
  maxReceiveMessageSize?: number;
  /** Bytes that may wait for the other end; default 2000000. */
  sctpSendBufferSize?: number;
  /** The same for one stream; default 2000000. */
  sctpPerStreamSendQueueLimit?: number;
  /** Bytes that the other end may send before they are taken; default 5242880. */
  sctpMaxReceiverWindowBufferSize?: number;
  /** Bytes, of data consumers until they are given another; default 1024. */
  sctpDefaultStreamBufferedAmountLowThreshold?: number;
}

/** PipeTransportOptions are the parameters of router.createPipeTransport. */
export interface PipeTransportOptions {
  /** Where to listen, by UDP. */
  listenInfo: ListenInfo;
  /** Whether what is lost between the routers is sent again. */
  enableRtx?: boolean;
  /** Whether packets are encrypted, with keys from transport.connect and in srtpParameters. */
  enableSrtp?: boolean;
  /** Whether it carries data channels. */
  enableSctp?: boolean;
  /** Bytes of a message to the other end; default 262144. */
  maxSendMessageSize?: number;
  /** Bytes of a message from the other end; default 262144. */
  maxReceiveMessageSize?: number;
  /** Bytes that may wait for the other end; default 2000000. */
  sctpSendBufferSize?: number;
  /** The same for one stream; default 2000000. */
  sctpPerStreamSendQueueLimit?: number;
  /** Bytes that the other end may send before they are taken; default 5242880. */
  sctpMaxReceiverWindowBufferSize?: number;
  /** Bytes, of data consumers until they are given another; default 1024. */
  sctpDefaultStreamBufferedAmountLowThreshold?: number;
  /** Anything; it comes back in RouterTransportInfo. */
  appData?: AppData;
}

/** PlainTransportOptions are the parameters of router.createPlainTransport. */
export interface PlainTransportOptions {
  /**
   * In a room's router: the peer whose transport it is from then on, for the commands of rooms and all who
   * are in the room, such as a camera without WebRTC; default nobody's.
   */
  peerId?: string;
  /** Where to listen, by UDP. */
  listenInfo: ListenInfo;
  /** Where to listen for RTCP, without rtcpMux; default as listenInfo, on another port. */
  rtcpListenInfo?: ListenInfo;
  /** Whether RTCP shares the port of RTP; default true. */
  rtcpMux?: boolean;
  /** Whether the other end is who sends first, rather than told to transport.connect. */
  comedia?: boolean;
  /** Whether packets are encrypted, with keys from transport.connect and in srtpParameters. */
  enableSrtp?: boolean;
  /** Default AES_CM_128_HMAC_SHA1_80. */
  srtpCryptoSuite?: "AEAD_AES_256_GCM" | "AEAD_AES_128_GCM" | "AES_CM_128_HMAC_SHA1_80" | "AES_CM_128_HMAC_SHA1_32";
  /** Whether it carries data channels. */
  enableSctp?: boolean;
  /** Bytes of a message to the other end; default 262144. */
  maxSendMessageSize?: number;
  /** Bytes of a message from the other end; default 262144. */
  maxReceiveMessageSize?: number;
  /** Bytes that may wait for the other end; default 2000000. */
  sctpSendBufferSize?: number;
  /** The same for one stream; default 2000000. */
  sctpPerStreamSendQueueLimit?: number;
  /** Bytes that the other end may send before they are taken; default 5242880. */
  sctpMaxReceiverWindowBufferSize?: number;
  /** Bytes, of data consumers until they are given another; default 1024. */
  sctpDefaultStreamBufferedAmountLowThreshold?: number;
  /** Anything; it comes back in RouterTransportInfo. */
  appData?: AppData;
}

/** ProduceDataOptions are the parameters of transport.produceData. */
export interface ProduceDataOptions {
  /** For the data producer, unique in the router; default a new one. */
  id?: string;
  /** Of the other end's stream; not on a direct transport. */
  sctpStreamParameters?: SctpStreamParameters;
  /** Of the data channel. */
  label?: string;
  /** Of the data channel. */
  protocol?: string;
  /** Whether to begin paused. */
  paused?: boolean;
  /** Anything; it comes back in RouterDataProducerInfo. */
  appData?: AppData;
}

/** ProduceOptions are the parameters of transport.produce. */
export interface ProduceOptions {
  /** For the producer, unique in the router; default a new one. */
  id?: string;
  /** What it is. */
  kind: MediaKind;
  /** As mediasoup's. */
  rtpParameters: RtpParameters;
  /** Whether to begin paused. */
  paused?: boolean;
  /** Ms, the least between two requests for a keyframe; default as soon as makes sense. */
  keyFrameRequestDelay?: number;
  /** Whether consumers get packets with the header extension mediasoup:packet-id. */
  enableMediasoupPacketIdHeaderExtension?: boolean;
  /** Anything; it comes back in RouterProducerInfo. */
  appData?: AppData;
}

/** ProducerDump is a producer as it is. */
export interface ProducerDump {
  id: string;
  kind: MediaKind;
  type: "simple" | "simulcast" | "svc" | "pipe";
  rtpParameters: RtpParametersDump;
  rtpMapping: RtpMapping;
  /** Those that have arrived. */
  rtpStreams?: RtpStreamDump[];
  traceEventTypes: ("rtp" | "keyframe" | "nack" | "pli" | "fir" | "sr" | "probation" | "bwe")[];
  paused: boolean;
}

/** ProducerStats is one stream that comes in. */
export interface ProducerStats {
  /** "inbound-rtp" or "outbound-rtp". */
  type: string;
  timestamp: number;
  ssrc: number;
  rtxSsrc?: number;
  rid?: string;
  kind: MediaKind;
  mimeType: string;
  packetsLost: number;
  /** Of 256. */
  fractionLost: number;
  packetsDiscarded: number;
  packetsRetransmitted: number;
  packetsRepaired: number;
  nackCount: number;
  nackPacketCount: number;
  pliCount: number;
  firCount: number;
  packetCount: number;
  byteCount: number;
  bitrate: number;
  /** In ms; absent until it was measured. */
  roundTripTime?: number;
  /** 0 to 10, by loss that was not repaired. */
  score: number;
  /** In units of the stream's clock. */
  jitter: number;
  /** Has the bitrate of each layer by itself, as "spatial.temporal", of a stream with more than one. */
  bitrateByLayer: Record<string, number>;
  /** Retransmissions that came twice, or were not asked for. */
  rtxPacketsDiscarded?: number;
}

/** ProducerVolume is what commands take. */
export interface ProducerVolume {
  producerId?: string;
  volume?: number;
}

/** RtpEncodingParameters is one stream and, if it has one, its RTX stream. */
export interface RtpEncodingParameters {
  /** 0 if the stream is found by MID or RID. */
  ssrc?: number;
  /** The value of the RID header extension (RFC 8852), or empty. */
  rid?: string;
  /** The codec of this stream; nil is the first one. */
  codecPayloadType?: number;
  rtx?: RtxParameters;
  /** Says that pauses in the stream are meant (discontinuous transmission). */
  dtx?: boolean;
  /** The layers inside the stream, like "L1T3" (W3C webrtc-svc); see ParseScalabilityMode. */
  scalabilityMode?: string;
  scaleResolutionDownBy?: number;
  /** In bit/s, 0 if not announced. */
  maxBitrate?: number;
}

/** RtpMapping translates a producer's numbers into its router's. */
export interface RtpMapping {
  codecs: CodecMapping[];
  encodings: EncodingMapping[];
}

/** RtpObserverInfo describes an observer of speakers. */
export interface RtpObserverInfo {
  /** The observer's id. */
  id: string;
  /** Activespeaker or audiolevel. */
  type: "audiolevel" | "activespeaker";
  /** Whether it is. */
  paused: boolean;
  /** What it was made with. */
  appData?: AppData;
}

/**
 * RtpParametersDump are parameters with everything said that goes without saying: the codec of each encoding,
 * and the names of codecs as we spell them.
 */
export interface RtpParametersDump {
  mid?: string;
  codecs: RtpCodecDump[];
  headerExtensions: RtpHeaderExtensionParameters[];
  encodings: RtpEncodingParameters[];
  rtcp: RtcpParameters;
  msid?: string;
}

/** RtpStreamDump is a stream that comes in or goes out. */
export interface RtpStreamDump {
  params: RtpStreamParameters;
  score: number;
  rtxStream?: RtxStreamDump;
}

/** RtpStreamParameters are what a stream is. */
export interface RtpStreamParameters {
  encodingIdx: number;
  ssrc: number;
  payloadType: number;
  mimeType: string;
  clockRate: number;
  rid?: string;
  cname: string;
  rtxSsrc?: number;
  rtxPayloadType?: number;
  useNack: boolean;
  usePli: boolean;
  useFir: boolean;
  useInBandFec: boolean;
  useDtx: boolean;
  spatialLayers: number;
  temporalLayers: number;
}

/** RtxParameters is the stream that carries retransmissions (RFC 4588). */
export interface RtxParameters {
  ssrc: number;
}

/** RtxStreamDump is the stream of a stream's retransmissions. */
export interface RtxStreamDump {
  params: RtxStreamParameters;
}

/** RtxStreamParameters are what it is. */
export interface RtxStreamParameters {
  ssrc: number;
  payloadType: number;
  mimeType: string;
  clockRate: number;
  rrid?: string;
  cname: string;
}

/**
 * ResourceUsage is what the server has used of the system, in getrusage(2)'s terms; times are in
 * milliseconds, the resident memory in kilobytes. What a system does not count is 0.
 */
export interface ResourceUsage {
  /** Ms. */
  ru_utime: number;
  /** Ms. */
  ru_stime: number;
  /** KiB, the most so far. */
  ru_maxrss: number;
  /** Not counted by Linux. */
  ru_ixrss: number;
  /** Not counted by Linux. */
  ru_idrss: number;
  /** Not counted by Linux. */
  ru_isrss: number;
  /** Page faults without input. */
  ru_minflt: number;
  /** Page faults with input. */
  ru_majflt: number;
  /** Not counted by Linux. */
  ru_nswap: number;
  /** Reads of the file system. */
  ru_inblock: number;
  /** Writes of the file system. */
  ru_oublock: number;
  /** Not counted by Linux. */
  ru_msgsnd: number;
  /** Not counted by Linux. */
  ru_msgrcv: number;
  /** Not counted by Linux. */
  ru_nsignals: number;
  /** Context switches to wait. */
  ru_nvcsw: number;
  /** Context switches because the time was up. */
  ru_nivcsw: number;
}

/** RouterConsumerInfo describes a consumer on whatever transport. */
export interface RouterConsumerInfo {
  /** The consumer's id. */
  id: string;
  /** Where the media goes out. */
  transportId: string;
  /** Where it comes from. */
  producerId: string;
  /** "audio" or "video". */
  kind: MediaKind;
  /** Simple, simulcast, svc or pipe. */
  type: "simple" | "simulcast" | "svc" | "pipe";
  /** As mediasoup's. */
  rtpParameters: RtpParameters;
  /** Whether the consumer is paused. */
  paused: boolean;
  /** Whether its producer is. */
  producerPaused: boolean;
  /** Among the consumers of its transport, 1 to 255, the most important. */
  priority: number;
  /** How well it is served. */
  score: ConsumerScore;
  /** The highest that are sent, of simulcast or SVC. */
  preferredLayers?: Layers;
  /** Those that are sent now, of simulcast or SVC. */
  currentLayers?: Layers;
  /** What it was made with. */
  appData?: AppData;
}

/** RouterDataConsumerInfo describes a data consumer on whatever transport. */
export interface RouterDataConsumerInfo {
  /** The data consumer's id. */
  id: string;
  /** Where messages go out. */
  transportId: string;
  /** Where they come from. */
  dataProducerId: string;
  /** Sctp or direct. */
  type: "sctp" | "direct";
  /** {streamId, ordered, maxPacketLifeTime, maxRetransmits}, of type sctp. */
  sctpStreamParameters?: SctpStreamParameters;
  /** Of the data channel. */
  label: string;
  /** Of the data channel. */
  protocol: string;
  /** Whether the data consumer is paused. */
  paused: boolean;
  /** Whether its data producer is. */
  dataProducerPaused: boolean;
  /** In order. */
  subchannels: number[];
  /** Bytes that wait to be sent. */
  bufferedAmount: number;
  /** What it was made with. */
  appData?: AppData;
}

/** RouterDataProducerInfo describes a data producer of whatever transport. */
export interface RouterDataProducerInfo {
  /** The data producer's id. */
  id: string;
  /** Where messages come in. */
  transportId: string;
  /** Sctp or direct. */
  type: "sctp" | "direct";
  /** {streamId, ordered, maxPacketLifeTime, maxRetransmits}, of type sctp. */
  sctpStreamParameters?: SctpStreamParameters;
  /** Of the data channel. */
  label: string;
  /** Of the data channel. */
  protocol: string;
  /** Whether messages are dropped. */
  paused: boolean;
  /** What it was made with. */
  appData?: AppData;
}

/** RouterDump is a router with its objects. */
export interface RouterDump {
  id: string;
  transportIds: string[];
  rtpObserverIds: string[];
  mapProducerIdConsumerIds: IdList[];
  mapConsumerIdProducerId: IdPair[];
  mapProducerIdObserverIds: IdList[];
  mapDataProducerIdDataConsumerIds: IdList[];
  mapDataConsumerIdDataProducerId: IdPair[];
}

/** RouterInfo describes a router. */
export interface RouterInfo {
  /** The router's id. */
  id: string;
  /** The worker it belongs to. */
  workerId?: string;
  /** Or the room. */
  roomId?: string;
  /** For clients' devices and for consumers. */
  rtpCapabilities: RtpCapabilities;
  /** What was given to worker.createRouter. */
  appData?: AppData;
}

/** RouterOptions are the parameters of worker.createRouter. */
export interface RouterOptions {
  /** What may be sent, preferred first; default nothing. */
  mediaCodecs?: RoomCodec[];
  /** Anything; it comes back in RouterInfo. */
  appData?: AppData;
}

/** RouterPiped is what router.pipeToRouter has made, or found. */
export interface RouterPiped {
  /** The router's own, and the other one's. */
  pipeTransports: RouterTransportInfo[];
  /** Of the producer, on the first of them. */
  pipeConsumer?: RouterConsumerInfo;
  /** What it comes out of in the other router. */
  pipeProducer?: RouterProducerInfo;
  /** Likewise, of a data producer. */
  pipeDataConsumer?: RouterDataConsumerInfo;
  /** Likewise, of a data producer. */
  pipeDataProducer?: RouterDataProducerInfo;
}

/** RouterProducerInfo describes a producer of whatever transport. */
export interface RouterProducerInfo {
  /** The producer's id. */
  id: string;
  /** Where the media comes in. */
  transportId: string;
  /** "audio" or "video". */
  kind: MediaKind;
  /** Simple, simulcast or svc. */
  type: "simple" | "simulcast" | "svc" | "pipe";
  /** As they were given. */
  rtpParameters: RtpParameters;
  /** As consumers of the router see them. */
  consumableRtpParameters: RtpParameters;
  /** Whether it is forwarded to nobody. */
  paused: boolean;
  /** How well the encodings arrive, of those that have ever come. */
  score: EncodingScore[];
  /** What it was made with. */
  appData?: AppData;
}

/** RouterSnapshot describes a router and all that is in it. */
export interface RouterSnapshot {
  /** The router. */
  router: RouterInfo;
  /** Of all types. */
  transports: RouterTransportInfo[];
  /** Of all transports. */
  producers: RouterProducerInfo[];
  /** Of all transports. */
  consumers: RouterConsumerInfo[];
  /** Of all transports. */
  dataProducers: RouterDataProducerInfo[];
  /** Of all transports. */
  dataConsumers: RouterDataConsumerInfo[];
  /** Of both types. */
  rtpObservers: RtpObserverInfo[];
}

/** RouterTransportInfo describes a transport of any type. The fields that its type does not have are missing. */
export interface RouterTransportInfo {
  /** The transport's id. */
  id: string;
  /** Webrtc, plain, pipe or direct. */
  type: "webrtc" | "plain" | "pipe" | "direct";
  /** "controlled". */
  iceRole?: string;
  /** {usernameFragment, password, iceLite}. */
  iceParameters?: IceParameters;
  /** [{foundation, priority, ip, address, protocol, port, type, tcpType}]. */
  iceCandidates?: IceCandidate[];
  /** New, connected, completed, disconnected or closed. */
  iceState?: "new" | "connected" | "completed" | "disconnected" | "closed";
  /** {localIp, localAddress, localPort, remoteIp, remotePort, protocol}. */
  iceSelectedTuple?: TransportTuple;
  /** {role, fingerprints}. */
  dtlsParameters?: DtlsParameters;
  /** New, connecting, connected, failed or closed. */
  dtlsState?: "new" | "connecting" | "connected" | "failed" | "closed";
  /** PEM, once DTLS is connected. */
  dtlsRemoteCert?: string;
  /** Of a plain or pipe transport, as iceSelectedTuple. */
  tuple?: TransportTuple;
  /** Of a plain transport without rtcpMux. */
  rtcpTuple?: TransportTuple;
  /** Of a plain transport. */
  rtcpMux?: boolean;
  /** Of a plain transport. */
  comedia?: boolean;
  /** Of a pipe transport. */
  rtx?: boolean;
  /** {cryptoSuite, keyBase64} for the other end, with enableSrtp. */
  srtpParameters?: SrtpParameters;
  /** {port, maxSendMessageSize, maxReceiveMessageSize, â€¦}, with enableSctp. */
  sctpParameters?: SctpParameters;
  /** New, connecting, connected, failed or closed. */
  sctpState?: "new" | "connecting" | "connected" | "failed" | "closed";
  /** {negotiatedMaxOutboundStreams, negotiatedMaxInboundStreams}, once SCTP is connected. */
  sctpNegotiatedCapabilities?: SctpNegotiated;
  /** What it was made with. */
  appData?: AppData;
}

/** SctpNegotiated is on how many streams messages may go out and come in, as both ends have said. */
export interface SctpNegotiated {
  negotiatedMaxOutboundStreams: number;
  negotiatedMaxInboundStreams: number;
}

/**
 * SctpParameters are what a client needs to know of the association, under all names that versions of
 * mediasoup-client read.
 */
export interface SctpParameters {
  port: number;
  OS: number;
  MIS: number;
  maxMessageSize: number;
  maxSendMessageSize: number;
  maxReceiveMessageSize: number;
  sendBufferSize: number;
  perStreamSendQueueLimit: number;
  maxReceiverWindowBufferSize: number;
  /** Whether SCTP goes over DTLS: on a WebRTCTransport only. */
  isDataChannel: boolean;
}

/** SrtpParameters are the key that one side encrypts with. */
export interface SrtpParameters {
  cryptoSuite: string;
  /** The master key and, behind it, the master salt. */
  keyBase64: string;
}

/** SsrcTrace is which stream a keyframe is asked of. */
export interface SsrcTrace {
  ssrc: number;
}

/** SenderReportTrace is a sender report. */
export interface SenderReportTrace {
  ssrc: number;
  ntpSec: number;
  ntpFrac: number;
  rtpTs: number;
  packetCount: number;
  octetCount: number;
}

/** Trace is something that was seen on the packet path, under mediasoup's names. */
export interface Trace {
  type: "rtp" | "keyframe" | "nack" | "pli" | "fir" | "sr" | "probation" | "bwe";
  /** Ms of Unix time. */
  timestamp: number;
  /** "in" or "out", as the server sees it. */
  direction: string;
  /** A PacketTrace, SSRCTrace, SenderReportTrace or BWETrace, or empty. */
  info: unknown;
}

/** TracedPacket is what there is to be known of a packet. Sizes are in bytes. */
export interface TracedPacket {
  payloadType: number;
  sequenceNumber: number;
  timestamp: number;
  marker: boolean;
  ssrc: number;
  isKeyFrame: boolean;
  size: number;
  payloadSize: number;
  spatialLayer: number;
  temporalLayer: number;
  mid: string | null;
  rid: string | null;
  rrid: string | null;
  wideSequenceNumber: number | null;
}

/** TransportDump is a transport as it is: what all have, and what those of its kind have. */
export interface TransportDump {
  id: string;
  type: "webrtc" | "plain" | "pipe" | "direct";
  producerIds: string[];
  consumerIds: string[];
  mapSsrcConsumerId: NumberPair[];
  mapRtxSsrcConsumerId: NumberPair[];
  recvRtpHeaderExtensions: RecvHeaderExtensions;
  rtpListener: RtpListenerDump;
  maxSendMessageSize: number;
  maxReceiveMessageSize: number;
  dataProducerIds: string[];
  dataConsumerIds: string[];
  traceEventTypes: ("rtp" | "keyframe" | "nack" | "pli" | "fir" | "sr" | "probation" | "bwe")[];
  /** With SCTP only. */
  sctpParameters?: SctpParameters;
  sctpState?: "new" | "connecting" | "connected" | "failed" | "closed";
  sctpNegotiatedCapabilities?: SctpNegotiated;
  sctpListener?: SctpListenerDump;
  /** Of a WebRTCTransport only. */
  iceRole?: string;
  iceParameters?: IceParameters;
  iceCandidates?: IceCandidate[];
  iceState?: "new" | "connected" | "completed" | "disconnected" | "closed";
  iceSelectedTuple?: TransportTuple;
  dtlsParameters?: DtlsParameters;
  dtlsState?: "new" | "connecting" | "connected" | "failed" | "closed";
  /** PEM, once the handshake is done. */
  dtlsRemoteCert?: string;
  /** Of a PlainTransport, and the tuple and the key of a PipeTransport too. */
  rtcpMux?: boolean;
  comedia?: boolean;
  rtx?: boolean;
  tuple?: TransportTuple;
  rtcpTuple?: TransportTuple;
  srtpParameters?: SrtpParameters;
}

/**
 * TransportStats are the statistics of a transport, under mediasoup's names. Bitrates are in bit/s, sizes in
 * bytes, the timestamp in ms of Unix time.
 */
export interface TransportStats {
  /** "webrtc-transport", "plain-rtp-transport", "pipe-transport" or "direct-transport". */
  type: string;
  transportId: string;
  timestamp: number;
  /** Of a WebRTCTransport only. */
  iceRole?: string;
  iceState?: "new" | "connected" | "completed" | "disconnected" | "closed";
  iceSelectedTuple?: TransportTuple;
  dtlsState?: "new" | "connecting" | "connected" | "failed" | "closed";
  /** With SCTP only. */
  sctpState?: "new" | "connecting" | "connected" | "failed" | "closed";
  /** Of a PlainTransport, and the tuple of a PipeTransport too. */
  rtcpMux?: boolean;
  comedia?: boolean;
  tuple?: TransportTuple;
  rtcpTuple?: TransportTuple;
  bytesReceived: number;
  recvBitrate: number;
  bytesSent: number;
  sendBitrate: number;
  rtpBytesReceived: number;
  rtpRecvBitrate: number;
  rtpBytesSent: number;
  rtpSendBitrate: number;
  rtxBytesReceived: number;
  rtxRecvBitrate: number;
  rtxBytesSent: number;
  rtxSendBitrate: number;
  /** Probation is the padding with which bandwidth is looked for. It is in BytesSent, and in none of the others. */
  probationBytesSent: number;
  probationSendBitrate: number;
  /**
   * RTPPacketLoss is the share of packets that were lost lately, 0 to 1, before any repair; absent before the
   * first report.
   */
  rtpPacketLossReceived?: number;
  rtpPacketLossSent?: number;
  /**
   * The estimate of what the line to the receiver carries, absent where nothing is sent that could be adapted
   * to it.
   */
  availableOutgoingBitrate?: number;
  /** The estimate that a sender is told by REMB which makes none itself. */
  availableIncomingBitrate?: number;
  maxIncomingBitrate?: number;
  maxOutgoingBitrate?: number;
  minOutgoingBitrate?: number;
}

/** TransportTuple is a path in mediasoup's words. */
export interface TransportTuple {
  localAddress: string;
  /** Repeats LocalAddress for clients that know only the older name. */
  localIp: string;
  localPort: number;
  /** Empty while the remote end is not known. */
  remoteIp?: string;
  remotePort?: number;
  protocol: string;
}

/**
 * VideoOrientation says how a picture is to be turned before it is shown (3GPP TS 26.114 Â§7.4.5), under
 * mediasoup's names.
 */
export interface VideoOrientation {
  /** It is of the back side. */
  camera: boolean;
  /** Left and right. */
  flip: boolean;
  rotation: number;
}

/** WebRtcServerDump is the state of a WebRTC server, in mediasoup's shape. */
export interface WebRtcServerDump {
  id: string;
  /** One per address â€¦. */
  udpSockets: IpPort[];
  /** ï¿½€¦ in the order of the ListenInfos. */
  tcpServers: IpPort[];
  /** In the order of the ids, as are the lists that follow. */
  webRtcTransportIds: string[];
  /** Those that checks may name; two of a transport while its peer has not used those of an ICE restart. */
  localIceUsernameFragments: UsernameFragment[];
  /** The paths that checks have proven. */
  tupleHashes: TupleHash[];
}

/** WebRtcServerInfo describes a WebRTC server. */
export interface WebRtcServerInfo {
  /** The WebRTC server's id. */
  id: string;
  /** What was given to worker.createWebRtcServer. */
  appData?: AppData;
}

/** WebRtcServerOptions are the parameters of worker.createWebRtcServer. */
export interface WebRtcServerOptions {
  /** The sockets, the most preferred first. */
  listenInfos: ListenInfo[];
  /** Anything; it comes back in WebRTCServerInfo. */
  appData?: AppData;
}

/** WebRtcTransportOptions are the parameters of router.createWebRtcTransport. */
export interface WebRtcTransportOptions {
  /**
   * In a room's router: the peer whose transport it is from then on, for the commands of rooms and all who
   * are in the room, such as a camera without WebRTC; default nobody's.
   */
  peerId?: string;
  /** Where it is reached: at a WebRTC server of the same worker. */
  webRtcServerId?: string;
  /** Or at sockets of its own. */
  listenInfos?: ListenInfo[];
  /** The old form of listenInfos: addresses, or {ip, announcedIp}. */
  listenIps?: (string | { ip: string; announcedIp?: string })[];
  /** With listenIps. */
  port?: number;
  /** Whether UDP candidates are offered and taken; default true. */
  enableUdp?: boolean;
  /** The same for TCP; default true at a WebRTC server, false with listenIps. */
  enableTcp?: boolean;
  /** Whether UDP comes first. */
  preferUdp?: boolean;
  /** Whether TCP comes first. */
  preferTcp?: boolean;
  /**
   * Seconds without a check of the other end after which ICE is disconnected; 0 is never; default the
   * server's setting.
   */
  iceConsentTimeout?: number;
  /** Bit/s that the other end's line is taken to carry at first; default 600000. */
  initialAvailableOutgoingBitrate?: number;
  /** Whether it carries data channels. */
  enableSctp?: boolean;
  /** Bytes of a message to the other end; default 262144. */
  maxSendMessageSize?: number;
  /** Bytes of a message from the other end; default 262144. */
  maxReceiveMessageSize?: number;
  /** Bytes that may wait for the other end; default 2000000. */
  sctpSendBufferSize?: number;
  /** The same for one stream; default 2000000. */
  sctpPerStreamSendQueueLimit?: number;
  /** Bytes that the other end may send before they are taken; default 5242880. */
  sctpMaxReceiverWindowBufferSize?: number;
  /** Bytes, of data consumers until they are given another; default 1024. */
  sctpDefaultStreamBufferedAmountLowThreshold?: number;
  /** Anything; it comes back in RouterTransportInfo. */
  appData?: AppData;
}

/** WorkerDump is the answer of worker.dump. */
export interface WorkerDump {
  /** Of the server. */
  pid: number;
  /** The oldest first. */
  webRtcServerIds: string[];
  /** The oldest first. */
  routerIds: string[];
  /** What can be addressed. */
  channelMessageHandlers: ChannelMessageHandlers;
}

/** WorkerInfo describes a worker. */
export interface WorkerInfo {
  /** The worker's id. */
  id: string;
  /** The server's process; all workers are in it. */
  pid: number;
  /** What was given to worker.create. */
  appData?: AppData;
}

/** WorkerOptions are the parameters of worker.create. */
export interface WorkerOptions {
  /** Of the messages that are told; default error. */
  logLevel?: "debug" | "warn" | "error" | "none";
  /**
   * What debug messages are about: info, ice, dtls, rtp, srtp, rtcp, rtx, bwe, score, simulcast, svc, sctp,
   * message.
   */
  logTags?: string[];
  /** The first port for sockets that are given none; with rtcMaxPort. */
  rtcMinPort?: number;
  /** The last one; default the server's own range. */
  rtcMaxPort?: number;
  /** PEM, for DTLS handshakes; default the server's own. */
  dtlsCertificate?: string;
  /** PEM, its key. */
  dtlsPrivateKey?: string;
  /** What becomes of it when no connection that made it or attached to it is left; default "keep". */
  onDisconnect?: "keep" | "close";
  /** How long "close" waits for one to come back, unless the last was closed with code 1000; default 10000. */
  disconnectGraceMs?: number;
  /** Anything; it comes back in WorkerInfo. */
  appData?: AppData;
}

/** WorkerSettings are the parameters of worker.updateSettings. */
export interface WorkerSettings {
  /** Of the messages that are told; default error. */
  logLevel?: "debug" | "warn" | "error" | "none";
  /**
   * What debug messages are about: info, ice, dtls, rtp, srtp, rtcp, rtx, bwe, score, simulcast, svc, sctp,
   * message.
   */
  logTags?: string[];
}

/** WorkerSnapshot describes a worker and all that belongs to it. */
export interface WorkerSnapshot {
  /** The worker. */
  worker: WorkerInfo;
  /** The oldest first. */
  webRtcServers: WebRtcServerInfo[];
  /** The oldest first. */
  routers: RouterSnapshot[];
}

/** ChannelMessageHandlers lists what commands of a worker can address. */
export interface ChannelMessageHandlers {
  /** Ids of the WebRTC servers, routers, and of what is in them. */
  channelRequestHandlers: string[];
  /** Ids of what takes messages without an answer: transports, producers and data producers. */
  channelNotificationHandlers: string[];
}

/** CodecMapping is the router's payload type for one of the producer's. */
export interface CodecMapping {
  payloadType: number;
  mappedPayloadType: number;
}

/**
 * EncodingMapping is the SSRC by which one of a producer's encodings is known inside its router. It is unique
 * within the producer only, and never sent.
 */
export interface EncodingMapping {
  ssrc?: number;
  rid?: string;
  scalabilityMode?: string;
  mappedSsrc: number;
}

/** IdList says which objects belong to one. */
export interface IdList {
  key: string;
  values: string[];
}

/** IdPair says which object belongs to which. */
export interface IdPair {
  key: string;
  value: string;
}

/** IpPort is where a socket listens. */
export interface IpPort {
  ip: string;
  port: number;
}

/** ListenInfo is what commands take. */
export interface ListenInfo {
  /** Default "udp". */
  protocol?: "udp" | "tcp";
  /** An address of the server, 0.0.0.0 or ::. */
  ip: string;
  /** An address or host name under which that is reached. */
  announcedAddress?: string;
  /** The old name of announcedAddress. */
  announcedIp?: string;
  /** Whether ip is told beside announcedAddress. */
  exposeInternalIp?: boolean;
  /** 0 is a free one of portRange, or of the worker's range. */
  port?: number;
  /** From which a port is taken. */
  portRange?: PortRange;
  /** Of the socket. */
  flags?: SocketFlags;
  /** Bytes, of the socket; 0 is the server's choice. */
  sendBufferSize?: number;
  /** Likewise. */
  recvBufferSize?: number;
}

/** NumberPair says which object an SSRC or a stream belongs to. */
export interface NumberPair {
  key: number;
  value: string;
}

/** PortRange is what commands take. */
export interface PortRange {
  /** The first. */
  min: number;
  /** The last. */
  max: number;
}

/** RtcpParameters is how RTCP is used with the streams. */
export interface RtcpParameters {
  /** The name of the sender's clock (RFC 3550 Â§6.5.1), shared by the streams that can be played in sync. */
  cname?: string;
  /** RFC 5506; validation sets it to true, whatever it was. */
  reducedSize?: boolean;
  /** Whether RTCP shares the port of RTP (RFC 5761), nil if not said. */
  mux?: boolean;
}

/** RtpCodecDump is a codec of them. */
export interface RtpCodecDump {
  mimeType: string;
  payloadType: number;
  clockRate: number;
  channels?: number;
  parameters: Record<string, unknown>;
  rtcpFeedback: RtcpFeedbackDump[];
}

/** RtpHeaderExtensionParameters is a header extension in use, with the id it has in packets (1 to 255). */
export interface RtpHeaderExtensionParameters {
  uri: string;
  id: number;
  encrypt: boolean;
  parameters: Record<string, unknown>;
}

/** RtpListenerDump says which producer packets go to: by SSRC, announced or found, by MID and by RID. */
export interface RtpListenerDump {
  ssrcTable: NumberPair[];
  midTable: IdPair[];
  ridTable: IdPair[];
}

/**
 * RecvHeaderExtensions are the ids of the header extensions by which a transport tells its packets apart and
 * measures its line; nil: in no producer's parameters.
 */
export interface RecvHeaderExtensions {
  mid?: number;
  rid?: number;
  rrid?: number;
  absSendTime?: number;
  transportWideCc01?: number;
}

/** SctpListenerDump says which data producer messages go to. */
export interface SctpListenerDump {
  streamIdTable: NumberPair[];
}

/** SocketFlags is what commands take. */
export interface SocketFlags {
  /** Whether an IPv6 socket takes no IPv4. */
  ipv6Only?: boolean;
  /** Whether several sockets may have the port. */
  udpReusePort?: boolean;
}

/** TupleHash tells whose packets on a path are; the hash is equal for equal paths within one run of the process. */
export interface TupleHash {
  tupleHash: number;
  webRtcTransportId: string;
}

/** UsernameFragment tells whose checks with that name are. */
export interface UsernameFragment {
  localIceUsernameFragment: string;
  webRtcTransportId: string;
}

/** RtcpFeedbackDump is a kind of feedback; an empty Parameter is left out. */
export interface RtcpFeedbackDump {
  type: string;
  parameter?: string;
}
