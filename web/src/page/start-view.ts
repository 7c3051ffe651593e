/** The start page: who makes a room here gets a link to pass on. */
import { h, say, show, t } from "./dom";
import { DoorError, linkOf, makeInvitation } from "./doors";
import { remember } from "./memory";
import { field, header, nameInput } from "./parts";

export function showStart(): void {
  document.title = "takos-call";
  const name = nameInput();
  const room = h("input", {
    type: "text",
    name: "room",
    autocomplete: "off",
    maxlength: 64,
    placeholder: () => t().start.roomPlaceholder,
  });
  const kind = kindChoice();
  const key = keyField();
  const failure = h("p", { class: "failure", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "primary" });
  const busy = (making: boolean) => {
    button.disabled = making;
    say(button, "", () => (making ? t().start.making : t().start.make));
  };
  busy(false);

  const make = async () => {
    remember({ name: name.value.trim() });
    busy(true);
    failure.hidden = true;
    try {
      const roomId = room.value.trim();
      const callType = kind.chosen();
      const { invitation } = await makeInvitation({ ...(roomId ? { roomId } : {}), callType }, key.input.value.trim());
      location.assign(linkOf(invitation, callType));
    } catch (error) {
      busy(false);
      if (isUnauthorized(error) && key.ask()) return;
      failure.hidden = false;
      say(failure, "", () => wordsOf(error));
    }
  };

  const form = h(
    "form",
    {
      class: "card",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        void make();
      },
    },
    h("h2", {}, () => t().start.title),
    field(() => t().start.name, name),
    field(() => t().start.room, room),
    kind.element,
    key.element,
    failure,
    button,
  );
  const pitch = h("div", { class: "pitch" }, h("h1", {}, () => t().brand.headline), h("p", {}, () => t().brand.lead));
  show(header(), h("main", { class: "start" }, pitch, form));
  if (!name.value) name.focus();
  else room.focus();
}

function kindChoice(): { element: HTMLElement; chosen: () => "video" | "audio" } {
  const video = h("input", { type: "radio", name: "kind", value: "video", checked: true });
  const audio = h("input", { type: "radio", name: "kind", value: "audio" });
  const choice = (input: HTMLInputElement, text: () => string) => h("label", {}, input, h("span", {}, text));
  return {
    element: h(
      "fieldset",
      { class: "segments" },
      h("legend", {}, () => t().start.kind),
      choice(video, () => t().start.video),
      choice(audio, () => t().start.audio),
    ),
    chosen: () => (audio.checked ? "audio" : "video"),
  };
}

/** The API key is asked for only where it is needed. */
function keyField(): { element: HTMLElement; input: HTMLInputElement; ask: () => boolean } {
  const input = h("input", { type: "password", name: "key", autocomplete: "off" });
  const element = h("div", { class: "part", hidden: true }, h("p", { class: "hint" }, () => t().start.keyNeeded), field(() => t().start.key, input));
  return {
    element,
    input,
    /** Shows it; false if it was shown already. */
    ask: () => {
      if (!element.hidden) return false;
      element.hidden = false;
      input.focus();
      return true;
    },
  };
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof DoorError && (error.status === 401 || error.status === 403);
}

/** Why there is no room. */
function wordsOf(error: unknown): string {
  if (isUnauthorized(error)) return t().start.keyWrong;
  const answered = error instanceof DoorError && error.status > 0;
  if (answered) return `${t().start.refused} ${error.message}`;
  return t().ended.noServer.join(" – ");
}
