/** After a call, or instead of one: what happened, in words, and what can be done. */
import { h, show, t } from "./dom";
import { base } from "./doors";
import { mark } from "./icons";
import { header } from "./parts";
import type { Texts } from "./text";

export type Ending = Exclude<keyof Texts["ended"], "again" | "retry" | "home" | "reload">;

export interface EndedOptions {
  ending: Ending;
  /** More exact words than the table's, for instance the host's reason. */
  detail?: string;
  again?: () => void;
}

/** Where nobody has been in the call, one cannot join it again. */
const NOT_YET_IN: readonly Ending[] = ["roomFull", "noServer", "refused"];

export function showEnded({ ending, detail, again }: EndedOptions): void {
  document.title = "takos-call";
  const reload = ending === "crashed" || ending === "protocol";
  show(
    header(),
    h(
      "main",
      { class: "ended" },
      h(
        "section",
        { class: "card", role: "status" },
        mark(),
        h("h1", {}, () => t().ended[ending][0]),
        h("p", {}, () => t().ended[ending][1]),
        detail ? h("p", { class: "hint" }, detail) : null,
        h(
          "div",
          { class: "actions" },
          again ? h("button", { type: "button", class: "primary", onclick: again }, () => t().ended[NOT_YET_IN.includes(ending) ? "retry" : "again"]) : null,
          reload ? h("button", { type: "button", class: "primary", onclick: () => location.reload() }, () => t().ended.reload) : null,
          h("a", { class: "button quiet", href: base.href }, () => t().ended.home),
        ),
      ),
    ),
  );
}
