// Voices over lossy lines: as Opus alone, as Opus that protects itself, and as RED.
import { people } from "../harness/checks.mjs";
import { hears, losses, opus, red, voice, withVoices } from "../harness/voices.mjs";

const { anna, ben, chie } = people;
const LOSSES = [0.02, 0.05, 0.1, 0.2];
const MEASURE_MS = 20_000;
/** A browser reports on a voice every five seconds or so, and the encoder follows slowly. */
const SETTLE_MS = 20_000;

const percent = (share) => `${(100 * share).toFixed(1)} %`;

/**
 * In a page: sends something like speech in place of the tone, vowels and pauses, since Opus takes a tone for
 * music, which it does not protect as long as little is lost.
 */
async function talk() {
  const VOWELS = [[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480]];
  const context = new AudioContext();
  const pitch = new OscillatorNode(context, { type: "sawtooth", frequency: 120 });
  const loudness = new GainNode(context);
  const formants = VOWELS[0].map((frequency) => new BiquadFilterNode(context, { type: "bandpass", frequency, Q: 9 }));
  const out = context.createMediaStreamDestination();
  for (const formant of formants) pitch.connect(formant).connect(loudness);
  loudness.connect(out);
  pitch.start();
  let syllable = 0;
  setInterval(() => {
    const vowel = VOWELS[++syllable % VOWELS.length];
    formants.forEach((formant, i) => formant.frequency.setTargetAtTime(vowel[i], context.currentTime, 0.03));
    pitch.frequency.setTargetAtTime(100 + 50 * Math.random(), context.currentTime, 0.05);
    loudness.gain.setTargetAtTime(syllable % 3 ? 1.5 : 0, context.currentTime, 0.02);
  }, 150);
  const sender = window.connections.flatMap((connection) => connection.getSenders()).find(({ track }) => track?.kind === "audio");
  await sender.replaceTrack(out.stream.getAudioTracks()[0]);
}

async function kbps(page, meanwhile) {
  const before = await voice(page, "outbound-rtp");
  const result = await meanwhile();
  const now = await voice(page, "outbound-rtp");
  return [result, Math.round((8 * (now.bytesSent - before.bytesSent)) / (now.timestamp - before.timestamp))];
}

/** For each loss what the listeners have to make up, and what the sender sends. */
function measured(setting, name, codecs, members) {
  return withVoices(setting, name, codecs, members, async ([sender, ...listeners], [, ...lines]) => {
    for (const listener of listeners) await hears(listener, anna);
    await sender.evaluate(talk);
    const figures = [];
    for (const loss of LOSSES) {
      for (const line of lines) await line.set({ down: { loss } });
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const [heard, sent] = await kbps(sender, () => losses(listeners, MEASURE_MS));
      figures.push({ heard: heard.map(({ concealed }) => percent(concealed)), sent });
    }
    return figures;
  });
}

export async function voices(setting) {
  const plain = await measured(setting, "voices-as-red", [opus, red], [[anna, "voice", "red"], [ben, "to-listen"], [chie, "to-listen", "no-red"]]);
  const fec = await measured(setting, "voices-with-fec", [opus], [[anna, "voice", "fec"], [ben, "to-listen"]]);
  return {
    title: "Voices",
    rows: LOSSES.map((loss, i) => ({
      "loss from the server": percent(loss),
      "Opus alone: made up": plain[i].heard[1],
      "protects itself: made up": fec[i].heard[0],
      "it sends, kbit/s": fec[i].sent,
      "RED: made up": plain[i].heard[0],
      "RED sends, kbit/s": plain[i].sent,
    })),
  };
}
