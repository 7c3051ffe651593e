/** The API of mediasoup 3.27 over a connection to a takos-call server. */
import type { RouterRtpCapabilities } from "./rtpParameters";
import { validateAndNormalizeRtpCapabilities } from "./ortc";
import { supportedRtpCapabilities } from "./supportedRtpCapabilities";

export type * as types from "./types";
export * as errors from "./errors";
export * as extras from "./extras";
export * as ortc from "./ortc";
export { createWorker, observer } from "./createWorker";
export { setLogEventListeners } from "./logger";
export { parseScalabilityMode } from "./scalabilityModes";
export { setServer } from "./server";

/** Of the mediasoup whose API this is. */
export const version = "3.27.1";

/** There is no such file: workers are on a server. Applications may print it. */
export const workerBin = process.env.MEDIASOUP_WORKER_BIN ?? "";

/** The codecs and header extensions that routers can be made with; yours to change. */
export function getSupportedRtpCapabilities(): RouterRtpCapabilities {
  const capabilities = supportedRtpCapabilities();
  validateAndNormalizeRtpCapabilities(capabilities);
  return capabilities;
}
