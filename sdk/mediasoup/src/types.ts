/** The types that mediasoup exports, by its names. */
export type { AppData, Either } from "./appData";
export type { LogEventListeners } from "./logger";
export type { Observer, ObserverEvents } from "./createWorker";
export type { ServerOptions } from "./server";
export type {
  WorkerImpl as Worker,
  WorkerDump,
  WorkerEvents,
  WorkerLogLevel,
  WorkerLogTag,
  WorkerObserver,
  WorkerObserverEvents,
  WorkerResourceUsage,
  WorkerSettings,
  WorkerUpdateableSettings,
} from "./worker";
export type {
  IceUserNameFragment,
  IpPort,
  WebRtcServerImpl as WebRtcServer,
  WebRtcServerDump,
  WebRtcServerEvents,
  WebRtcServerListenInfo,
  WebRtcServerObserver,
  WebRtcServerObserverEvents,
  WebRtcServerOptions,
} from "./webRtcServer";
export type {
  PipeToRouterOptions,
  PipeToRouterResult,
  PipeTransportPair,
  RouterDump,
  RouterEvents,
  RouterImpl as Router,
  RouterObserver,
  RouterObserverEvents,
  RouterOptions,
} from "./router";
export type {
  TransportListenInfo,
  TransportListenIp,
  TransportPortRange,
  TransportProtocol,
  TransportSocketFlags,
  TransportTuple,
} from "./listen";
export type {
  BaseTransportDump,
  BaseTransportStats,
  RecvRtpHeaderExtensions,
  RtpListenerDump,
  SctpListenerDump,
  SctpState,
  TransportEvents,
  TransportImpl as Transport,
  TransportObserver,
  TransportObserverEvents,
  TransportTraceEventData,
  TransportTraceEventType,
  TransportType,
} from "./transport";
export type {
  DtlsFingerprint,
  DtlsParameters,
  DtlsRole,
  DtlsState,
  FingerprintAlgorithm,
  IceCandidate,
  IceCandidateTcpType,
  IceCandidateType,
  IceParameters,
  IceRole,
  IceState,
  WebRtcTransportDump,
  WebRtcTransportEvents,
  WebRtcTransportImpl as WebRtcTransport,
  WebRtcTransportObserver,
  WebRtcTransportObserverEvents,
  WebRtcTransportOptions,
  WebRtcTransportStat,
} from "./webRtcTransport";
export type {
  PlainTransportDump,
  PlainTransportEvents,
  PlainTransportImpl as PlainTransport,
  PlainTransportObserver,
  PlainTransportObserverEvents,
  PlainTransportOptions,
  PlainTransportStat,
} from "./plainTransport";
export type {
  PipeConsumerOptions,
  PipeTransportDump,
  PipeTransportEvents,
  PipeTransportImpl as PipeTransport,
  PipeTransportObserver,
  PipeTransportObserverEvents,
  PipeTransportOptions,
  PipeTransportStat,
} from "./pipeTransport";
export type {
  DirectTransportDump,
  DirectTransportEvents,
  DirectTransportImpl as DirectTransport,
  DirectTransportObserver,
  DirectTransportObserverEvents,
  DirectTransportOptions,
  DirectTransportStat,
} from "./directTransport";
export type {
  ProducerDump,
  ProducerEvents,
  ProducerImpl as Producer,
  ProducerObserver,
  ProducerObserverEvents,
  ProducerOptions,
  ProducerScore,
  ProducerStat,
  ProducerTraceEventData,
  ProducerTraceEventType,
  ProducerType,
  ProducerVideoOrientation,
} from "./producer";
export type {
  BaseConsumerDump,
  ConsumerDump,
  ConsumerEvents,
  ConsumerImpl as Consumer,
  ConsumerLayers,
  ConsumerObserver,
  ConsumerObserverEvents,
  ConsumerOptions,
  ConsumerScore,
  ConsumerStat,
  ConsumerTraceEventData,
  ConsumerTraceEventType,
  ConsumerType,
  PipeConsumerDump,
  RtpStreamDump,
  RtpStreamParametersDump,
  RtxStreamDump,
  RtxStreamParameters,
  SimpleConsumerDump,
  SimulcastConsumerDump,
  SvcConsumerDump,
} from "./consumer";
export type {
  DataProducerDump,
  DataProducerEvents,
  DataProducerImpl as DataProducer,
  DataProducerObserver,
  DataProducerObserverEvents,
  DataProducerOptions,
  DataProducerStat,
  DataProducerType,
} from "./dataProducer";
export type {
  DataConsumerDump,
  DataConsumerEvents,
  DataConsumerImpl as DataConsumer,
  DataConsumerObserver,
  DataConsumerObserverEvents,
  DataConsumerOptions,
  DataConsumerStat,
  DataConsumerType,
} from "./dataConsumer";
export type {
  RtpObserverEvents,
  RtpObserverImpl as RtpObserver,
  RtpObserverObserver,
  RtpObserverObserverEvents,
  RtpObserverType,
} from "./rtpObserver";
export type {
  ActiveSpeakerObserverDominantSpeaker,
  ActiveSpeakerObserverEvents,
  ActiveSpeakerObserverImpl as ActiveSpeakerObserver,
  ActiveSpeakerObserverObserver,
  ActiveSpeakerObserverObserverEvents,
  ActiveSpeakerObserverOptions,
} from "./activeSpeakerObserver";
export type {
  AudioLevelObserverEvents,
  AudioLevelObserverImpl as AudioLevelObserver,
  AudioLevelObserverObserver,
  AudioLevelObserverObserverEvents,
  AudioLevelObserverOptions,
  AudioLevelObserverVolume,
} from "./audioLevelObserver";
export type * from "./rtpParameters";
export type * from "./rtpStreamStats";
export type { SctpNegotiatedCapabilities, SctpParameters, SctpStreamParameters } from "./sctpParameters";
export type * from "./srtpParameters";
export type { ScalabilityMode } from "./scalabilityModes";
export type * from "./errors";
