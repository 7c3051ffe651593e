/**
 * What two ends of a media stream can exchange, in the vocabulary of ORTC. The answers are those of the server's own
 * negotiation, so that what has to be known at once (router.canConsume()) need not be asked for.
 */
export { canConsume, getConsumerRtpParameters, getPipeConsumerRtpParameters } from "./ortc/consumer";
export { getConsumableRtpParameters, getProducerRtpParametersMapping } from "./ortc/producer";
export type { RtpCodecsEncodingsMapping } from "./ortc/producer";
export { generateRouterRtpCapabilities } from "./ortc/router";
export {
  validateAndNormalizeRtpCapabilities,
  validateAndNormalizeRtpParameters,
  validateAndNormalizeSctpStreamParameters,
} from "./ortc/validate";
