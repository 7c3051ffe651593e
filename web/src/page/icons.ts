/** Line icons of 24 by 24 units, drawn for this page. */
const PATHS = {
  mic: ["M12 3.5a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0v-5a3 3 0 0 0-3-3Z", "M5.5 11.5a6.5 6.5 0 0 0 13 0", "M12 18v3"],
  micOff: ["M9 7v4.5a3 3 0 0 0 4.6 2.5", "M15 10.5v-4a3 3 0 0 0-5.6-1.5", "M5.5 11.5a6.5 6.5 0 0 0 10 5.5", "M18.5 11.5a6.4 6.4 0 0 1-.6 2.7", "M12 18v3", "M4 3.5 20 20.5"],
  camera: ["M4.5 6.5h9a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2Z", "m15.5 10.5 6-3.5v10l-6-3.5"],
  cameraOff: ["M9.5 6.5h4a2 2 0 0 1 2 2v3", "m15.5 11.5 6-4.5v10l-3-1.8", "M15.3 16.3a2 2 0 0 1-1.8 1.2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 1.7-2", "M3 3.5 20 20.5"],
  screen: ["M4.5 4.5h15a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-15a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2Z", "M8.5 20.5h7", "M12 16.5v4", "M12 13.5v-5", "m9.5 10.5 2.5-2.5 2.5 2.5"],
  spotlight: ["M5 4.5h14a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 13V6A1.5 1.5 0 0 1 5 4.5Z", "M4 18.5h3.5", "M10.2 18.5h3.6", "M16.5 18.5H20"],
  figures: ["M4 20.5h16", "M6.5 17v-4", "M10.5 17V8", "M14.5 17v-6", "M18.5 17V4.5"],
  settings: ["M4 7h9", "M17 7h3", "M4 17h3", "M11 17h9", "M15 4.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4Z", "M9 14.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4Z"],
  link: ["M10 14a4.2 4.2 0 0 0 6 0l3.2-3.2a4.2 4.2 0 0 0-6-6L12 6", "M14 10a4.2 4.2 0 0 0-6 0l-3.2 3.2a4.2 4.2 0 0 0 6 6L12 18"],
  leave: ["M3.5 14.8c-.6-1.5-.3-3 .9-4 4.3-3.4 10.9-3.4 15.2 0 1.2 1 1.5 2.5.9 4-.2.6-.8.9-1.4.8l-2.7-.6a1.3 1.3 0 0 1-1-1.3v-1.7a12 12 0 0 0-6.8 0v1.7c0 .6-.4 1.2-1 1.3l-2.7.6c-.6.1-1.2-.2-1.4-.8Z"],
  more: ["M5.5 12h.01", "M12 12h.01", "M18.5 12h.01"],
  close: ["m6 6 12 12", "m18 6-12 12"],
  warning: ["M12 4 2.8 19.5h18.4L12 4Z", "M12 10v4.5", "M12 17h.01"],
  crown: ["m4 17.5-1-9 5 3.5 4-6.5 4 6.5 5-3.5-1 9H4Z"],
} as const;

export type Icon = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon icon-${name}`);
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** The mark of the page: a small octopus. */
export function mark(): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "mark");
  for (const [d, part] of [
    ["M16 3c-6.3 0-10 4.5-10 10.2 0 3.4.8 5.2.2 8-.4 1.8-1.9 2.3-2.7 2.4-1 .2-1 1.6.1 1.8 2.7.5 4.7-.6 5.6-2.6.2 2.3-.5 4-1.3 4.8-.7.7-.1 1.7.9 1.4 2.4-.7 3.8-2.5 4.2-5 .5 1.7.6 3.5.2 4.6-.3.9.4 1.5 1.2 1.1.7-.3 1.2-.9 1.6-1.7.4.8.9 1.4 1.6 1.7.8.4 1.5-.2 1.2-1.1-.4-1.1-.3-2.9.2-4.6.4 2.5 1.8 4.3 4.2 5 1 .3 1.6-.7.9-1.4-.8-.8-1.5-2.5-1.3-4.8.9 2 2.9 3.1 5.6 2.6 1.1-.2 1.1-1.6.1-1.8-.8-.1-2.3-.6-2.7-2.4-.6-2.8.2-4.6.2-8C26 7.5 22.3 3 16 3Z", "body"],
    ["M12.4 12.2a1.7 2 0 1 1 0 4 1.7 2 0 0 1 0-4Z", "eye"],
    ["M19.6 12.2a1.7 2 0 1 1 0 4 1.7 2 0 0 1 0-4Z", "eye"],
  ] as const) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    path.setAttribute("class", part);
    svg.append(path);
  }
  return svg;
}
