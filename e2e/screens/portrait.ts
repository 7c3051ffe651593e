// People drawn on canvases, who stand in for cameras where a picture is to be looked at.

export const NAMES = ["Aiko Tanaka", "Ben Okafor", "Chiara Rossi", "山田 太郎", "Elif Demir", "Farid", "Grace Hopper", "Haruto", "Ingrid Lindqvist-Johansson", "João", "Kenji", "Lena"];

interface Looks {
  skin: string;
  hair: string;
  /** How the hair falls: short, to the shoulders, or in a knot. */
  cut: "short" | "long" | "knot" | "curls";
  shirt: string;
  wall: [light: string, dark: string];
  glasses?: boolean;
}

const LOOKS: Looks[] = [
  { skin: "#f0c8a4", hair: "#241a17", cut: "long", shirt: "#c8574f", wall: ["#8fb0b8", "#46606d"] },
  { skin: "#8a5a3c", hair: "#17110f", cut: "short", shirt: "#e0b04e", wall: ["#9a8fb0", "#4b4566"], glasses: true },
  { skin: "#eebf9b", hair: "#6b3f22", cut: "curls", shirt: "#4f8f6b", wall: ["#b9c6a5", "#5d7058"] },
  { skin: "#e8bd97", hair: "#1c1716", cut: "short", shirt: "#3f5f86", wall: ["#d0b592", "#74603f"] },
  { skin: "#dca77f", hair: "#3a241a", cut: "knot", shirt: "#7a5aa8", wall: ["#a8b8a8", "#52645a"] },
  { skin: "#b57f5a", hair: "#201713", cut: "short", shirt: "#3d7d84", wall: ["#a9a9b8", "#505064"] },
  { skin: "#edc7a8", hair: "#c9b9a5", cut: "curls", shirt: "#46598a", wall: ["#c4a79d", "#6e5049"], glasses: true },
  { skin: "#eac09a", hair: "#15110f", cut: "short", shirt: "#6d8f4c", wall: ["#93afc2", "#43596b"] },
  { skin: "#f4d3b8", hair: "#d0a765", cut: "long", shirt: "#8b4f66", wall: ["#bdb2a4", "#665c50"] },
  { skin: "#c68d66", hair: "#2c1c14", cut: "curls", shirt: "#cf7a45", wall: ["#8f9fc0", "#454f70"] },
  { skin: "#ecc29c", hair: "#1a1513", cut: "short", shirt: "#777f8c", wall: ["#a5b9a0", "#50634c"] },
  { skin: "#efcbab", hair: "#87542c", cut: "knot", shirt: "#3f8a7c", wall: ["#bda5b5", "#66505f"] },
];

type Paint = CanvasRenderingContext2D;

function ellipse(paint: Paint, x: number, y: number, width: number, height: number, colour: string): void {
  paint.fillStyle = colour;
  paint.beginPath();
  paint.ellipse(x, y, width, height, 0, 0, 7);
  paint.fill();
}

function box(paint: Paint, x: number, y: number, width: number, height: number, radius: number, colour: string): void {
  paint.fillStyle = colour;
  paint.beginPath();
  paint.roundRect(x, y, width, height, radius);
  paint.fill();
}

/** A wall in the light of a window, with a shelf or a plant before it. */
function drawRoom(paint: Paint, { wall }: Looks, index: number): void {
  const light = paint.createLinearGradient(index % 2 ? 1280 : 0, 0, index % 2 ? 0 : 1280, 720);
  light.addColorStop(0, wall[0]);
  light.addColorStop(1, wall[1]);
  paint.fillStyle = light;
  paint.fillRect(0, 0, 1280, 720);
  const side = index % 2 ? 60 : 930;
  if (index % 3 === 0) {
    for (const [i, height] of [150, 190, 130, 170, 160].entries()) box(paint, side + 16 + i * 48, 310 - height, 36, height, 5, `hsl(${index * 40 + i * 55} 26% ${46 + i * 3}%)`);
    box(paint, side - 10, 310, 300, 16, 4, "#5d4835");
  } else if (index % 3 === 1) {
    for (const [dx, dy] of [[0, -190], [-70, -130], [70, -140], [-40, -60], [45, -65]] as const) ellipse(paint, side + 150 + dx, 470 + dy, 46, 74, `hsl(135 24% ${34 + (dx + 70) / 10}%)`);
    box(paint, side + 100, 470, 100, 130, 16, "#b98a66");
  } else {
    box(paint, side + 20, 90, 220, 270, 8, "#efe9df");
    box(paint, side + 40, 110, 180, 230, 4, wall[1]);
    ellipse(paint, side + 130, 200, 48, 48, "#e9b872");
    box(paint, side + 40, 290, 180, 50, 4, wall[0]);
  }
}

function drawHairBehind(paint: Paint, { hair, cut }: Looks): void {
  if (cut === "long") box(paint, 478, 170, 324, 420, 150, hair);
  if (cut === "knot") ellipse(paint, 640, 140, 72, 66, hair);
  if (cut === "curls") for (let i = 0; i < 9; i++) ellipse(paint, 640 + Math.cos(Math.PI * (1 + i / 8)) * 150, 330 + Math.sin(Math.PI * (1 + i / 8)) * 165, 74, 70, hair);
}

function drawHairBefore(paint: Paint, { hair, cut }: Looks): void {
  paint.fillStyle = hair;
  paint.beginPath();
  paint.moveTo(504, 330);
  paint.bezierCurveTo(490, 120, 790, 120, 776, 330);
  if (cut === "short") paint.bezierCurveTo(760, 262, 700, 236, 560, 262);
  else paint.bezierCurveTo(752, 246, 680, 232, 610, 216);
  paint.bezierCurveTo(540, 250, 520, 280, 504, 330);
  paint.fill();
}

function drawFace(paint: Paint, looks: Looks, blink: boolean): void {
  const shade = "rgb(70 25 10 / 0.16)";
  ellipse(paint, 506, 372, 20, 34, looks.skin);
  ellipse(paint, 774, 372, 20, 34, looks.skin);
  ellipse(paint, 640, 350, 134, 172, looks.skin);
  for (const x of [586, 694]) {
    ellipse(paint, x, 346, 11, blink ? 2 : 13, "#22191a");
    box(paint, x - 26, 308, 52, 8, 4, looks.hair);
    ellipse(paint, x + (x < 640 ? -20 : 20), 408, 24, 15, "rgb(214 84 66 / 0.16)");
  }
  paint.lineCap = "round";
  paint.lineWidth = 7;
  paint.strokeStyle = shade;
  paint.beginPath();
  paint.arc(640, 378, 15, 0.3, 2.6);
  paint.stroke();
  paint.strokeStyle = "#9c3f3a";
  paint.beginPath();
  paint.arc(640, 416, 42, 0.45, 2.7);
  paint.stroke();
  if (!looks.glasses) return;
  paint.strokeStyle = "#1d2026";
  for (const x of [586, 694]) {
    paint.beginPath();
    paint.roundRect(x - 42, 316, 84, 64, 24);
    paint.stroke();
  }
}

function draw(paint: Paint, index: number, seconds: number): void {
  const looks = LOOKS[index % LOOKS.length]!;
  drawRoom(paint, looks, index);
  paint.save();
  // People do not sit quite still, nor quite in the middle.
  paint.translate(((index * 53) % 60) - 30 + Math.sin(seconds * 0.9 + index) * 5, 24 + Math.sin(seconds * 1.3 + index) * 3);
  drawHairBehind(paint, looks);
  box(paint, 590, 450, 100, 150, 40, looks.skin);
  ellipse(paint, 640, 516, 49, 30, "rgb(70 25 10 / 0.16)");
  box(paint, 350, 570, 580, 400, 150, looks.shirt);
  ellipse(paint, 640, 572, 74, 44, looks.skin);
  drawFace(paint, looks, (seconds + index * 1.7) % 4 < 0.15);
  drawHairBefore(paint, looks);
  paint.restore();
}

/** A camera's picture of the person with that index, 1280 by 720. */
export function portrait(index: number, framesPerSecond = 10): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 1280, height: 720 });
  const paint = canvas.getContext("2d")!;
  const next = () => draw(paint, index, performance.now() / 1000);
  next();
  setInterval(next, 1000 / framesPerSecond);
  return canvas.captureStream(framesPerSecond).getVideoTracks()[0]!;
}
