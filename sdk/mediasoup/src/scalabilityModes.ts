/** The layers inside one stream (W3C webrtc-svc). */
export type ScalabilityMode = {
  spatialLayers: number;
  temporalLayers: number;
  /** The spatial layers depend on one another in keyframes only. */
  ksvc: boolean;
};

const MODE = /^[LS](?<spatial>[1-9]\d?)T(?<temporal>[1-9]\d?)(?<key>_KEY)?/;

/** Reads a mode such as "L3T3_KEY"; what is no mode is one layer of each. What follows the known part is ignored. */
export function parseScalabilityMode(scalabilityMode?: string): ScalabilityMode {
  const { spatial = 1, temporal = 1, key } = MODE.exec(scalabilityMode ?? "")?.groups ?? {};
  return { spatialLayers: Number(spatial), temporalLayers: Number(temporal), ksvc: key !== undefined };
}
