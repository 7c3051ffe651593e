export { TakosCallClient, type ClientConfig, type ClientEvents, type ClientOptions } from "./client.js";
export type { Closed } from "./connection.js";
export { TakosCallError, type ClientErrorCode } from "./error.js";
export * from "./objects.js";
export type * from "./protocol.js";
export type * from "./rtp.js";
