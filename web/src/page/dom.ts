/**
 * Making elements, and keeping what they say in the language of the page. A text or an
 * attribute given as a function is asked again when the language changes.
 */
import { choices, remember } from "./memory";
import { chooseLanguage, isLanguage, textsOf, type Language, type Texts } from "./text";

type Said = string | (() => string);
type Attributes = Record<string, Said | boolean | number | undefined | ((event: never) => void)>;
type Child = Node | string | (() => string) | null | undefined | false;

let language: Language = "en";

/** What each element says by a function: attribute name, or "" for its text. */
const said = new WeakMap<Node, Map<string, () => string>>();
const speakers = new Set<WeakRef<Node>>();

/** The texts of the present language. */
export function t(): Texts {
  return textsOf(language);
}

export function currentLanguage(): Language {
  return language;
}

/** Takes the remembered language, or the browser's. */
export function initLanguage(): void {
  const remembered = choices().language;
  setLanguage(isLanguage(remembered) ? remembered : chooseLanguage(navigator.languages));
}

export function switchLanguage(to: Language): void {
  remember({ language: to });
  setLanguage(to);
}

function setLanguage(to: Language): void {
  language = to;
  document.documentElement.lang = to;
  for (const reference of speakers) {
    const node = reference.deref();
    if (!node) speakers.delete(reference);
    else for (const [name, say] of said.get(node) ?? []) apply(node, name, say());
  }
}

/** Sets an attribute, or with "" the text, to what is said now and after a change of language. */
export function say(node: Node, name: string, what: Said): void {
  if (typeof what === "string") {
    said.get(node)?.delete(name);
    apply(node, name, what);
    return;
  }
  let texts = said.get(node);
  if (!texts) {
    texts = new Map();
    said.set(node, texts);
    speakers.add(new WeakRef(node));
  }
  texts.set(name, what);
  apply(node, name, what());
}

function apply(node: Node, name: string, text: string): void {
  if (name === "") {
    if (node.textContent !== text) node.textContent = text;
  } else {
    (node as Element).setAttribute(name, text);
  }
}

/** Makes an element. Attributes that begin with "on" are listeners. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value as EventListener);
    else if (typeof value === "boolean") element.toggleAttribute(name, value);
    else if (value !== undefined) say(element, name, typeof value === "number" ? String(value) : (value as Said));
  }
  for (const child of children) {
    if (typeof child === "function") {
      const text = document.createTextNode("");
      say(text, "", child);
      element.append(text);
    } else if (child) {
      element.append(child);
    }
  }
  return element;
}

/** Shows a view in place of whatever was shown. */
export function show(...view: Node[]): void {
  document.getElementById("app")?.replaceChildren(...view);
}
