/** Before a call: look at oneself, choose devices, say who one is. */
import { Devices, type DeviceKind } from "./devices";
import { h, say, show, t } from "./dom";
import { linkOf } from "./doors";
import { remember } from "./memory";
import { deviceChoices, field, header, iconButton, levelBar, linkBox, nameInput, problemText, setIcon } from "./parts";

export interface Joining {
  invitation: string;
  devices: Devices;
  /** Whether the call may have pictures. */
  video: boolean;
  /** Takes the visitor into the call; what it throws is shown. */
  join: (name: string) => Promise<void>;
}

export function showJoin({ invitation, devices, video, join }: Joining): void {
  document.title = `${t().join.title} · takos-call`;
  const preview = previewOf(devices, video);
  const name = nameInput();
  const button = h("button", { type: "submit", class: "primary" });
  let joining = false;
  const label = () => {
    const without = !devices.camera.track && !devices.microphone.track && !devices.camera.asking && !devices.microphone.asking;
    say(button, "", () => (joining ? t().join.joining : without ? t().join.joinWithout : t().join.join));
  };
  const submit = async () => {
    joining = button.disabled = true;
    label();
    remember({ name: name.value.trim() });
    preview.close();
    off();
    await join(name.value.trim());
  };
  const off = devices.on("change", label);
  label();

  show(
    header(),
    h(
      "main",
      { class: "join" },
      preview.element,
      h(
        "form",
        {
          class: "card",
          onsubmit: (event: SubmitEvent) => {
            event.preventDefault();
            if (!joining) void submit();
          },
        },
        h("h1", {}, () => t().join.title),
        h("p", { class: "hint" }, () => t().join.ready),
        field(() => t().start.name, name),
        button,
        h("div", { class: "pass-on" }, h("span", {}, () => t().join.link), linkBox(linkOf(invitation, video ? "video" : "audio"))),
      ),
      devices.allowed ? deviceChoices(devices, video, () => undefined) : null,
    ),
  );
  if (!name.value) name.focus();
  else button.focus();
  void devices.start();
}

function previewOf(devices: Devices, video: boolean): { element: HTMLElement; close: () => void } {
  const showing = h("video", { autoplay: true, playsinline: true, "aria-hidden": "true" });
  showing.muted = true;
  const placeholder = h("div", { class: "placeholder" });
  const buttons: Record<DeviceKind, HTMLButtonElement> = {
    microphone: toggleOf(devices, "microphone"),
    camera: toggleOf(devices, "camera"),
  };
  const level = levelBar(devices);
  const problems = h("div", { class: "problems" });
  const picture = h(
    "div",
    { class: "picture mirrored" },
    showing,
    placeholder,
    h("div", { class: "picture-controls" }, buttons.microphone, video ? buttons.camera : null, level.element),
  );

  const update = () => {
    const { camera, microphone } = devices;
    showing.srcObject = camera.track ? new MediaStream([camera.track]) : null;
    picture.classList.toggle("dark", !camera.track);
    say(placeholder, "", () => {
      if (camera.asking || microphone.asking) return t().join.askingDevices;
      if (camera.track) return "";
      return video ? t().join.cameraOff : t().join.voice;
    });
    setIcon(buttons.microphone, microphone.on && microphone.track ? "mic" : "micOff", () => (microphone.on ? t().room.mute : t().room.unmute));
    setIcon(buttons.camera, camera.on && camera.track ? "camera" : "cameraOff", () => (camera.on ? t().room.cameraOff : t().room.cameraOn));
    for (const kind of ["microphone", "camera"] as const) {
      buttons[kind].classList.toggle("off", !devices[kind].on || !devices[kind].track);
      buttons[kind].disabled = devices[kind].problem === "insecure";
    }
    problems.replaceChildren(...problemCards(devices));
  };
  const off = devices.on("change", update);
  update();
  return {
    element: h("section", { class: "preview" }, picture, problems),
    close: () => {
      off();
      level.close();
    },
  };
}

function toggleOf(devices: Devices, kind: DeviceKind): HTMLButtonElement {
  return iconButton({
    icon: kind === "camera" ? "camera" : "mic",
    label: () => "",
    onclick: () => {
      const state = devices[kind];
      void (state.on && !state.track ? devices.retry(kind) : devices.toggle(kind, !state.on));
    },
  });
}

function problemCards(devices: Devices): HTMLElement[] {
  const { camera, microphone } = devices;
  if (camera.problem && camera.problem === microphone.problem) {
    const retry = () => void devices.retry("camera").then(() => devices.retry("microphone"));
    return [problemCard(problemText("both", camera.problem), camera.problem === "insecure" ? null : retry)];
  }
  return (["camera", "microphone"] as const).flatMap((kind) => {
    const { problem } = devices[kind];
    return problem ? [problemCard(problemText(kind, problem), () => void devices.retry(kind))] : [];
  });
}

function problemCard(text: () => string, retry: (() => void) | null): HTMLElement {
  const button = retry && h("button", { type: "button", class: "quiet", onclick: retry }, () => t().devices.again);
  return h("div", { class: "problem", role: "alert" }, h("p", {}, text), button);
}
