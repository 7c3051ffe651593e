/** Where tiles go. Values in, values out: pixels of the stage in, pixels of a tile out. */

export interface Tiles {
  columns: number;
  rows: number;
  width: number;
  height: number;
}

/** A picture may be cropped to anything between upright and wide. */
const NARROWEST = 3 / 4;
const WIDEST = 16 / 9;
/** Below this, faces are no longer worth their place: the rest is reached by scrolling. */
const SMALLEST_WIDTH = 112;

/**
 * The arrangement of count tiles that shows the most of each, in an area of that size.
 * With too many people for the area it is higher than the area.
 */
export function tiles(count: number, width: number, height: number, gap: number): Tiles {
  let best: Tiles = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(Math.max(1, count) / columns);
    const tile = fitted((width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows);
    if (worth(tile) > worth(best) * 1.001) best = { columns, rows, ...tile };
  }
  return best.width >= Math.min(SMALLEST_WIDTH, width) ? best : scrolling(count, width, gap);
}

/** Large is good, but what is cropped away of a wide picture is lost. */
function worth({ width, height }: { width: number; height: number }): number {
  if (width <= 0 || height <= 0) return 0;
  return width * height * Math.sqrt(Math.min(1, width / height / WIDEST));
}

function fitted(width: number, height: number): { width: number; height: number } {
  const w = Math.max(0, Math.min(width, height * WIDEST));
  const h = Math.max(0, Math.min(height, w / NARROWEST));
  return { width: Math.floor(w), height: Math.floor(h) };
}

function scrolling(count: number, width: number, gap: number): Tiles {
  const columns = Math.max(1, Math.floor((width + gap) / (SMALLEST_WIDTH + gap)));
  const tileWidth = Math.floor((width - gap * (columns - 1)) / columns);
  return { columns, rows: Math.ceil(count / columns), width: tileWidth, height: Math.floor(tileWidth / (4 / 3)) };
}

export interface Stage {
  /** Where the people go: in a column beside the shared screen, or all together below it. */
  strip: "beside" | "below";
  width: number;
  height: number;
  tileWidth: number;
  tileHeight: number;
}

/** Screens are wide; one that is not is shown with bars. */
const SCREEN = 16 / 10;

/** A shared screen large, with the people beside it or, where it is upright, below it. */
export function stage(people: number, width: number, height: number, gap: number): Stage {
  if (width >= height * 1.1) {
    const strip = Math.min(240, Math.max(140, Math.floor(width * 0.19)));
    const each = (height - gap * (people - 1)) / Math.max(1, people);
    const tileHeight = Math.floor(Math.max(84, Math.min((strip * 9) / 16, each)));
    return { strip: "beside", width: Math.floor(width - strip - gap), height: Math.floor(height), tileWidth: strip, tileHeight };
  }
  const screenHeight = Math.floor(Math.min(height * 0.6, width / SCREEN));
  const person = tiles(people, width, height - screenHeight - gap, gap);
  return { strip: "below", width: Math.floor(width), height: screenHeight, tileWidth: person.width, tileHeight: person.height };
}
