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
  const kind = (value: "video" | "audio", checked: boolean) =>
    h("label", {}, h("input", { type: "radio", name: "kind", value, checked }), h("span", {}, () => t().start[value]));
  const key = h("input", { type: "password", name: "key", autocomplete: "off" });
  const keyPart = h("div", { class: "part", hidden: true }, h("p", { class: "hint" }, () => t().start.keyNeeded), field(() => t().start.key, key));
  const failure = h("p", { class: "failure", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "primary" });
  const busy = (making: boolean) => {
    button.disabled = making;
    say(button, "", () => (making ? t().start.making : t().start.make));
  };
  busy(false);

  const make = async () => {
    const callType = form.querySelector<HTMLInputElement>("input[name=kind]:checked")?.value === "audio" ? "audio" : "video";
    remember({ name: name.value.trim() });
    busy(true);
    failure.hidden = true;
    try {
      const roomId = room.value.trim();
      const { invitation } = await makeInvitation({ ...(roomId ? { roomId } : {}), callType }, key.value.trim());
      location.assign(linkOf(invitation, callType));
    } catch (error) {
      refused(error);
      busy(false);
    }
  };
  const refused = (error: unknown) => {
    const unauthorized = error instanceof DoorError && (error.status === 401 || error.status === 403);
    if (unauthorized && keyPart.hidden) {
      keyPart.hidden = false;
      key.focus();
      return;
    }
    failure.hidden = false;
    say(failure, "", () => {
      if (unauthorized) return t().start.keyWrong;
      const [title, lead] = error instanceof DoorError && error.status > 0 ? t().ended.refused : t().ended.noServer;
      return `${title}. ${error instanceof DoorError && error.status > 0 ? error.message : lead}`;
    });
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
    h("fieldset", { class: "segments" }, h("legend", {}, () => t().start.kind), kind("video", true), kind("audio", false)),
    keyPart,
    failure,
    button,
  );
  show(
    header(),
    h(
      "main",
      { class: "start" },
      h("div", { class: "pitch" }, h("h1", {}, () => t().brand.headline), h("p", {}, () => t().brand.lead)),
      form,
    ),
  );
  if (!name.value) name.focus();
  else room.focus();
}

