// Firefox ESR, driven over WebDriver BiDi. It cannot reach loopback candidates: the server must
// announce an address of an interface, which it does by itself.
import puppeteer from "puppeteer-core";

/** Launches one browser; the caller closes it. */
export function launchFirefox() {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    timeout: 60_000,
    extraPrefsFirefox: {
      "media.autoplay.default": 0,
      "media.autoplay.blocking_policy": 0,
      "media.navigator.permission.disabled": true,
      // Without a sound card an AudioContext of Firefox does not run; this gives it one that is none.
      "media.cubeb.force_mock_context": true,
      "media.cubeb.sandbox": false,
      "media.peerconnection.ice.obfuscate_host_addresses": false,
      "datareporting.policy.dataSubmissionEnabled": false,
      "app.update.enabled": false,
    },
  });
}
