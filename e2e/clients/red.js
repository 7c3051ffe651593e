// Sends voices as RED (RFC 2198), which mediasoup-client cannot: it lets the browser answer with one codec
// alone, and RED is none without the Opus that it repeats. So what it says is completed.

const payloadType = (sdp, codec) => new RegExp(`^a=rtpmap:(\\d+) ${codec}/48000/2`, "m").exec(sdp)?.[1];

/** An answer of mediasoup-client's with RED before Opus, as the offer numbers them. */
export function answerWithRED(answer, offer) {
  const [red, opus] = [payloadType(offer, "red"), payloadType(offer, "opus")];
  return answer
    .replace(new RegExp(`^(m=audio .*) ${opus}(?=\\s*$)`, "m"), `$1 ${red} ${opus}`)
    .replace(new RegExp(`^a=rtpmap:${opus} `, "m"), `a=rtpmap:${red} red/48000/2\r\na=fmtp:${red} ${opus}/${opus}\r\n$&`);
}

/** What is sent then, of audio in Opus. */
export function withRED(rtpParameters, offer) {
  const red = { mimeType: "audio/red", payloadType: Number(payloadType(offer, "red")), clockRate: 48000, channels: 2, parameters: {}, rtcpFeedback: [] };
  return { ...rtpParameters, codecs: [red, ...rtpParameters.codecs] };
}

/** The capabilities of a browser that does not know RED. */
export function withoutRED(capabilities) {
  return { ...capabilities, codecs: capabilities.codecs.filter(({ mimeType }) => mimeType.toLowerCase() !== "audio/red") };
}
