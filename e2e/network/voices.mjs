// Voices over lossy lines: as Opus alone, as Opus that protects itself, and as RED.
import { people } from "../harness/checks.mjs";
import { hears, losses, opus, red, speak, voice, withVoices } from "../harness/voices.mjs";

const { anna, ben, chie } = people;
const LOSSES = [0.02, 0.05, 0.1, 0.2];
const MEASURE_MS = 20_000;
/** A browser reports on a voice every five seconds or so, and the encoder follows slowly. */
const SETTLE_MS = 20_000;

const percent = (share) => `${(100 * share).toFixed(1)} %`;

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
    await speak(sender);
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
