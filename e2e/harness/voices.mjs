// Calls of voices alone over lossy lines, and how much of the sound a receiver has to make up.
import { perceived, until } from "./checks.mjs";
import { openClient, statistics, userId } from "./clients.mjs";
import { command } from "./server.mjs";

export const opus = { kind: "audio", mimeType: "audio/opus", clockRate: 48000, channels: 2 };
export const red = { kind: "audio", mimeType: "audio/red", clockRate: 48000, channels: 2 };

/**
 * Does something with a call in a room of these codecs: (pages, lines), in the order of the members,
 * each of whom is a person and what is special about their client.
 */
export async function withVoices({ server, clients, browser, relay }, roomId, codecs, members, use) {
  await command(server, "createRoom", { roomId, options: { codecs } });
  const lines = [];
  const pages = [];
  try {
    for (const [i, [person, ...special]] of members.entries()) {
      lines.push(await relay.line(server, i + 1));
      pages.push(await openClient(browser, clients, server, roomId, person, { special: [...special, lines.at(-1).via] }));
    }
    return await use(pages, lines);
  } finally {
    for (const page of pages) await page.context().close();
    for (const line of lines) await line.stop();
    await command(server, "closeRoom", { roomId });
  }
}

/** A page's statistics of the one voice that it sends or receives. */
export const voice = async (page, type) => (await statistics(page, type)).find((stat) => stat.kind === "audio");

/** Waits until a page hears somebody's tone. */
export const hears = (page, person) =>
  until(`${person.name} is heard`, async () => {
    const frequency = (await perceived(page))[userId(person)]?.frequency;
    return { ok: Math.abs(frequency - person.frequency) <= 25, frequency };
  });

/** Makes the tone of a page come and go as syllables do. Opus protects nothing else against loss. */
export const speak = (page) =>
  page.evaluate(() => {
    let loud = false;
    setInterval(() => window.media.loudness((loud = !loud) ? 0.4 : 0.01), 160);
  });

/** Of each page the shares of packets lost and of sound made up in their place, from now on. */
export async function losses(pages, ms) {
  const before = await Promise.all(pages.map((page) => voice(page, "inbound-rtp")));
  await new Promise((resolve) => setTimeout(resolve, ms));
  const now = await Promise.all(pages.map((page) => voice(page, "inbound-rtp")));
  return now.map((stat, i) => {
    const since = (field) => stat[field] - before[i][field];
    return {
      lost: since("packetsLost") / (since("packetsLost") + since("packetsReceived")),
      concealed: since("concealedSamples") / since("totalSamplesReceived"),
    };
  });
}
