// Chromium as the tests use it: headless, with fake devices, and no talk with the outside.
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--auto-select-desktop-capture-source=Entire screen",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];

/** Lets Chromium send three encodings of a picture of 640 pixels, which it finds too small for that. */
export const THREE_ENCODINGS = "--force-fieldtrials=WebRTC-LegacySimulcastLayerLimit/Disabled/";

/** Launches one browser; the caller closes it. */
export function launchChromium(...flags) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [...FLAGS, ...flags],
  });
}
