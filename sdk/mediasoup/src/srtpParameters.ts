export type SrtpCryptoSuite =
  | "AEAD_AES_256_GCM"
  | "AEAD_AES_128_GCM"
  | "AES_CM_128_HMAC_SHA1_80"
  | "AES_CM_128_HMAC_SHA1_32";

/** How one side encrypts its RTP (RFC 3711). */
export type SrtpParameters = {
  cryptoSuite: SrtpCryptoSuite;
  /** Master key and salt. */
  keyBase64: string;
};
