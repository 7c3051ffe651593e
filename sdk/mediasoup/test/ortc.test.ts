import assert from "node:assert/strict";
import { test } from "node:test";
import * as ortc from "../src/ortc";
import { h264Answer, isSameH264Profile } from "../src/ortc/h264";
import type { MediaKind, RouterRtpCodecCapability, RtpCapabilities, RtpParameters } from "../src/rtpParameters";
import { supportedRtpCapabilities } from "../src/supportedRtpCapabilities";
import { asJSON, readGolden, renumber, thrownBy } from "./golden";

const DEPENDENCY_DESCRIPTOR = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/** Makes of mediasoup's capabilities ours: the one place where they differ on purpose. */
function deviate<T extends RtpCapabilities>(capabilities: T): T {
  for (const extension of capabilities.headerExtensions ?? []) {
    if (extension.uri === DEPENDENCY_DESCRIPTOR) extension.direction = "sendrecv";
  }
  return capabilities;
}

test("the supported capabilities are mediasoup's, and H265 and RED", () => {
  const capabilities = supportedRtpCapabilities();
  const ours = ["video/H265", "audio/red"];
  assert.equal(capabilities.codecs!.filter(({ mimeType }) => ours.includes(mimeType)).length, 2);
  capabilities.codecs = capabilities.codecs!.filter(({ mimeType }) => !ours.includes(mimeType));
  assert.deepEqual(asJSON(capabilities), deviate(readGolden<RtpCapabilities>("supported.json")));
});

interface RouterCase {
  name: string;
  mediaCodecs: RouterRtpCodecCapability[];
  capabilities: RtpCapabilities;
  error?: string;
}

test("routers are made as mediasoup makes them", async (t) => {
  for (const { name, mediaCodecs, capabilities, error = "" } of readGolden<RouterCase[]>("routers.json")) {
    await t.test(name, () => {
      assert.equal(thrownBy(() => ortc.generateRouterRtpCapabilities(structuredClone(mediaCodecs))), error);
      if (error) return;
      assert.deepEqual(asJSON(ortc.generateRouterRtpCapabilities(mediaCodecs)), deviate(capabilities));
    });
  }
});

interface ProducerCase {
  name: string;
  router: string;
  kind: MediaKind;
  rtpParameters: RtpParameters;
  error?: string;
  accepted: unknown;
  mapping: unknown;
  consumable: RtpParameters;
  consumers?: { receiver: string; canConsume: boolean; enableRtx: boolean; pipe: boolean; error?: string; rtpParameters: unknown }[];
  pipes?: { enableRtx: boolean; rtpParameters: unknown }[];
}

/** What is refused after the functions under test: by mediasoup while it encodes for its worker, with us by the server. */
const REFUSED_LATER = new Set([
  "extension of no router",
  "headerExtensions[0].uri text",
  ...["null", "fraction", "text", "object", "list of text", "list of object"].map((value) => `encodings[0].maxBitrate ${value}`),
]);

test("producers and consumers are described as mediasoup describes them", async (t) => {
  const routers = new Map(readGolden<RouterCase[]>("routers.json").map((router) => [router.name, router.capabilities]));
  const receivers = readGolden<Record<string, RtpCapabilities>>("receivers.json");
  for (const c of readGolden<ProducerCase[]>("producers.json")) {
    await t.test(c.name, () => {
      const caps = routers.get(c.router)!;
      const thrown = thrownBy(() => produce(structuredClone(c), caps));
      assert.equal(thrown, REFUSED_LATER.has(c.name) ? "" : (c.error ?? ""));
      if (c.error) return;
      const { params, mapping, consumable } = produce(c, caps);
      assert.deepEqual(asJSON(params), asJSON(c.accepted), "accepted");
      assert.deepEqual(asJSON(mapping), c.mapping, "mapping");
      assert.deepEqual(asJSON(consumable), asJSON(c.consumable), "consumable");
      for (const want of c.consumers ?? []) compareConsumer(consumable, receivers[want.receiver]!, want);
      for (const want of c.pipes ?? []) {
        const got = ortc.getPipeConsumerRtpParameters({ consumableRtpParameters: consumable, enableRtx: want.enableRtx });
        renumber(got.encodings, 1000);
        assert.deepEqual(asJSON(got), asJSON(want.rtpParameters), `pipe, rtx ${want.enableRtx}`);
      }
    });
  }
});

function produce({ kind, rtpParameters: params }: ProducerCase, caps: RtpCapabilities) {
  validateAsTransport(params);
  params.rtcp!.cname ||= "cname";
  const mapping = ortc.getProducerRtpParametersMapping(params, caps);
  mapping.encodings.forEach((encoding, i) => (encoding.mappedSsrc = 100_000_000 + i));
  const consumable = ortc.getConsumableRtpParameters(kind, params, caps, mapping);
  return { params, mapping, consumable };
}

function validateAsTransport(params: RtpParameters): void {
  ortc.validateAndNormalizeRtpParameters(params);
  if (params.encodings!.length === 0) params.encodings = [{}];
}

function compareConsumer(consumable: RtpParameters, receiver: RtpCapabilities, want: NonNullable<ProducerCase["consumers"]>[number]): void {
  const what = `consumer for ${want.receiver}, rtx ${want.enableRtx}, pipe ${want.pipe}`;
  const caps = structuredClone(receiver);
  assert.equal(ortc.canConsume(consumable, caps), want.canConsume, what);
  const options = { consumableRtpParameters: consumable, remoteRtpCapabilities: caps, pipe: want.pipe, enableRtx: want.enableRtx };
  assert.equal(thrownBy(() => ortc.getConsumerRtpParameters(options)), want.error ?? "", what);
  if (want.error) return;
  const got = ortc.getConsumerRtpParameters(options);
  renumber(got.encodings, 1000);
  assert.deepEqual(asJSON(got), asJSON(want.rtpParameters), what);
}

interface OddValues {
  values: Record<string, unknown>;
  rtpParameters: RtpParameters;
  rtpCapabilities: RtpCapabilities;
  cases: { what: "rtpParameters" | "rtpCapabilities"; path: string; value: string; error?: string; output?: Record<string, unknown> }[];
}

/** Where a value is refused that mediasoup's functions let pass, to the harm of what comes after them. */
function isStricter(path: string, value: string): boolean {
  return /list/.test(value) && /(parameters|encodings\[0\]|rtcp)$/.test(path);
}

test("odd values are taken as mediasoup takes them", async (t) => {
  const odd = readGolden<OddValues>("odd_values.json");
  for (const c of odd.cases) {
    await t.test(`${c.what}.${c.path} ${c.value}`, () => {
      const input = structuredClone(odd[c.what]);
      put(input, c.path, odd.values[c.value], c.value in odd.values);
      const validate = () =>
        c.what === "rtpParameters"
          ? validateAsTransport(input as RtpParameters)
          : ortc.validateAndNormalizeRtpCapabilities(input as RtpCapabilities);
      const thrown = thrownBy(validate);
      if (thrown && isStricter(c.path, c.value)) return;
      assert.equal(thrown, REFUSED_LATER.has(`${c.path} ${c.value}`) ? "" : (c.error ?? ""));
      for (const [name, want] of Object.entries(c.output ?? {})) {
        assert.deepEqual(asJSON({ [name]: (input as Record<string, unknown>)[name] }), asJSON({ [name]: want }));
      }
    });
  }
});

/** Puts a value where "codecs[0].mimeType" leads, or takes away what is there. */
function put(into: object, path: string, value: unknown, given: boolean): void {
  const names = path.split(/[.[\]]+/).filter(Boolean);
  const last = names.pop()!;
  const holder = names.reduce((inner, name) => inner[name] as Record<string, unknown>, into as Record<string, unknown>);
  if (given) holder[last] = structuredClone(value);
  else if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete holder[last];
}

test("profile-level-ids of H264 match and are answered as by the library that mediasoup uses", () => {
  const { ids, matching } = readGolden<{ ids: string[]; matching: string[][] }>("h264.json");
  const answers = new Map(matching.map(([local, remote, symmetric, asymmetric]) => [`${local} ${remote}`, { symmetric, asymmetric }]));
  for (const local of ids) {
    for (const remote of ids) {
      const [own, other] = [{ "profile-level-id": local }, { "profile-level-id": remote }];
      const want = answers.get(`${local} ${remote}`);
      assert.equal(isSameH264Profile(own, other), want !== undefined, `${local} ${remote}`);
      if (!want) continue;
      const allow = { "level-asymmetry-allowed": 1 };
      assert.equal(h264Answer(own, other) ?? "", want.symmetric, `${local} ${remote}`);
      assert.equal(h264Answer({ ...own, ...allow }, { ...other, ...allow }) ?? "", want.asymmetric, `${local} ${remote}`);
    }
  }
});

test("SCTP stream parameters are checked and completed", () => {
  const validated = (params: object) => {
    const copy = { ...params } as Parameters<typeof ortc.validateAndNormalizeSctpStreamParameters>[0];
    ortc.validateAndNormalizeSctpStreamParameters(copy);
    return copy;
  };
  assert.deepEqual(validated({ streamId: 0 }), { streamId: 0, ordered: true });
  assert.deepEqual(validated({ streamId: 1, maxRetransmits: 2 }), { streamId: 1, maxRetransmits: 2, ordered: false });
  assert.deepEqual(validated({ streamId: 1, ordered: false }), { streamId: 1, ordered: false });
  for (const wrong of [{}, { streamId: "1" }, { streamId: 1, maxRetransmits: "2" }, { streamId: 1, maxRetransmits: 2, maxPacketLifeTime: 3 }, { streamId: 1, ordered: true, maxRetransmits: 2 }]) {
    assert.throws(() => validated(wrong), TypeError, JSON.stringify(wrong));
  }
});
