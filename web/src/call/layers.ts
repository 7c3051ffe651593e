/**
 * Simulcast and SVC: in which sizes a picture is sent, and which of them is asked for.
 * Values in, values out.
 */
import type { types } from "mediasoup-client";

export interface Size {
  width: number;
  height: number;
}

/** How many layers a picture comes in. */
export interface LayerCount {
  spatial: number;
  temporal: number;
}

/** What a camera is taken for that does not say, and what its sender is who does not say. */
const USUAL: Size = { width: 1280, height: 720 };

/** Bits per second that a picture with this longer side is worth. */
const RATES: [longerSide: number, bitrate: number][] = [
  [1280, 1_700_000],
  [960, 1_000_000],
  [640, 600_000],
  [480, 350_000],
  [0, 160_000],
];

function rateOf(longerSide: number): number {
  return RATES.find(([least]) => longerSide >= least)?.[1] ?? 0;
}

function longerSide({ width, height }: Size): number {
  return Math.max(width, height);
}

/** How many sizes are worth sending: the smallest is about that of a tile among many. */
function sizesOf(captured: Size): number {
  const side = longerSide(captured);
  return side >= 960 ? 3 : side >= 480 ? 2 : 1;
}

/** The size of what a camera delivers, as far as it is known. */
export function sizeOf(track: MediaStreamTrack): Size {
  const { width, height } = track.getSettings?.() ?? {};
  return width && height ? { width, height } : USUAL;
}

/**
 * The encodings of a camera: one for each size, smallest first, or one with all sizes in it
 * where the codec can do that. Each can be had with fewer frames.
 */
export function cameraEncodings(captured: Size, mimeType: string): types.RtpEncodingParameters[] {
  const count = sizesOf(captured);
  const side = longerSide(captured);
  if (/^video\/(vp9|av1)$/i.test(mimeType)) {
    return [{ maxBitrate: rateOf(side), scalabilityMode: count > 1 ? `L${count}T3_KEY` : "L1T3" }];
  }
  return Array.from({ length: count }, (_, layer) => {
    const scaleResolutionDownBy = 2 ** (count - 1 - layer);
    return { scaleResolutionDownBy, maxBitrate: rateOf(side / scaleResolutionDownBy), scalabilityMode: "L1T3" };
  });
}

/** Text must stay readable: a screen has one size, and fewer frames where the line is narrow. */
export function screenEncodings(): types.RtpEncodingParameters[] {
  return [{ maxBitrate: 2_500_000, scalabilityMode: "L1T3" }];
}

/** What of an encoding changes when fewer layers are wanted. */
export type Limits = Pick<types.RtpEncodingParameters, "active" | "scalabilityMode" | "scaleResolutionDownBy" | "maxBitrate">;

/** Half as wide is worth so much less: more than a quarter, since small pictures are harder to code. */
const HALF_AS_WIDE = 2 ** 1.5;

/**
 * What encodings are to be when nothing above the highest layer wanted is sent, and with null
 * nothing at all. One that has all sizes in it gets fewer, each as large as before.
 */
export function limitsOf(full: readonly types.RtpEncodingParameters[], highest: number | null): Limits[] {
  if (highest === null) return full.map(() => ({ active: false }));
  const [only] = full;
  const mode = /^L([2-9])(T\d)/.exec(only?.scalabilityMode ?? "");
  if (!only?.scalabilityMode || full.length > 1 || !mode) return full.map((_, layer) => ({ active: layer <= highest }));
  const all = Number(mode[1]);
  const count = Math.min(highest + 1, all);
  const halvings = all - count;
  return [
    {
      active: true,
      scalabilityMode: count === 1 ? `L1${mode[2]}` : only.scalabilityMode.replace(/^L\d/, `L${count}`),
      scaleResolutionDownBy: 2 ** halvings,
      ...(only.maxBitrate ? { maxBitrate: Math.round(only.maxBitrate / HALF_AS_WIDE ** halvings) } : {}),
    },
  ];
}

/** How much of a picture is left out, because nobody wants it. */
export interface Spared {
  /** How many sizes are sent, the smallest ones. */
  sizes: number;
  of: number;
}

/**
 * What is left out of a picture of which the highest layer wanted is that, null for none and
 * undefined for all; null if nothing is.
 */
export function sparedOf(encodings: types.RtpEncodingParameters[], wanted: number | null | undefined): Spared | null {
  const of = Math.max(encodings.length, layersIn(encodings[0]?.scalabilityMode).spatial);
  if (wanted === undefined) return null;
  if (wanted === null) return { sizes: 0, of };
  return wanted + 1 < of ? { sizes: wanted + 1, of } : null;
}

/** The layers in a stream by its mode, such as L3T3_KEY or L1T2 (W3C webrtc-svc). */
export function layersIn(scalabilityMode: string | undefined): LayerCount {
  const [, spatial, temporal] = /^[LS]([1-9]\d?)T([1-9]\d?)/.exec(scalabilityMode ?? "") ?? [];
  return { spatial: Number(spatial ?? 1), temporal: Number(temporal ?? 1) };
}

/** A picture may be stretched by this before a larger one is asked for… */
const STRETCH = 1.25;
/** … and a smaller one must suffice with this to spare before it is taken, or tiles that move would flap. */
const SPARE = 1.1;

/**
 * The spatial layer to ask for, of so many, for a picture that fills so many pixels of the
 * device. Each layer is half as wide as the next. now is that which was asked for, if any.
 */
export function layerFor(shown: Size, full: Size | undefined, count: number, now: number | null): number {
  const { width, height } = full ?? USUAL;
  // Tiles crop: the picture covers them.
  const needed = Math.max(shown.width / width, shown.height / height);
  const part = (layer: number) => 2 ** (layer - (count - 1));
  for (let layer = 0; layer < count - 1; layer++) {
    const enough = now !== null && layer < now ? part(layer) >= needed * SPARE : part(layer) * STRETCH >= needed;
    if (enough) return layer;
  }
  return count - 1;
}

/** A sender's word for the size of its camera, or nothing that can be used. */
export function readSize(appData: unknown): Size | undefined {
  const { width, height } = (appData ?? {}) as Partial<Size>;
  const usable = (side: unknown) => typeof side === "number" && side >= 16 && side <= 16_384;
  return usable(width) && usable(height) ? { width: width as number, height: height as number } : undefined;
}

