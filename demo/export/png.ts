// The picture as pixels: two a CSS pixel, fewer where that would be more than a canvas may hold.
import type { Figure } from "./figure.ts";
import { type Box, FONT, type Measure, type Picture, pictureOf } from "./picture.ts";

const MOST_PIXELS = 8192;
const STRIPES = { apart: 8.5, line: 1.5 };

/** Measures with the page's own fonts. */
export function canvasMeasure(): Measure {
  const context = document.createElement("canvas").getContext("2d")!;
  return (text, px) => {
    context.font = `${px}px ${FONT}`;
    return context.measureText(text).width;
  };
}

export async function toPng(figure: Figure): Promise<Blob> {
  const picture = pictureOf(figure, canvasMeasure());
  const { width, height } = picture;
  const density = Math.min(2, MOST_PIXELS / width, MOST_PIXELS / height);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  const context = canvas.getContext("2d")!;
  context.scale(density, density);
  paint(context, picture);
  return new Promise((done, fail) => {
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error(`A picture of ${canvas.width} × ${canvas.height} pixels was refused.`))));
  });
}

function paint(context: CanvasRenderingContext2D, picture: Picture): void {
  const { width, height, background, labels, cells, hatched, frames, bar } = picture;
  context.fillStyle = background;
  context.fillRect(0, 0, width, height);
  const { size, rows, columns, colour } = cells;
  const gap = size > 8 ? 1 : 0;
  for (let i = 0; i < rows * columns; i++) {
    context.fillStyle = `rgb(${colour(i).join(",")})`;
    context.fillRect(cells.x + (i % columns) * size, cells.y + Math.floor(i / columns) * size, size - gap, size - gap);
  }
  for (const box of hatched.boxes) stripe(context, box, hatched.colour);
  const ramp = context.createLinearGradient(bar.x, 0, bar.x + bar.width, 0);
  bar.colours.forEach((stop, i) => ramp.addColorStop(i / (bar.colours.length - 1), `rgb(${stop.join(",")})`));
  context.fillStyle = ramp;
  context.fillRect(bar.x, bar.y, bar.width, bar.height);
  for (const frame of frames) {
    context.strokeStyle = frame.colour;
    context.lineWidth = frame.thickness;
    context.strokeRect(frame.x, frame.y, frame.width, frame.height);
  }
  for (const { x, y, text, px, colour, anchor, bold, turned = 0 } of labels) {
    context.save();
    context.translate(x, y);
    context.rotate((turned * Math.PI) / 180);
    context.font = `${bold ? "600 " : ""}${px}px ${FONT}`;
    context.textAlign = anchor === "middle" ? "center" : anchor === "end" ? "right" : "left";
    context.fillStyle = colour;
    context.fillText(text, 0, 0);
    context.restore();
  }
}

/** Slanted lines over a box; those of neighbours meet. */
function stripe(context: CanvasRenderingContext2D, { x, y, width, height }: Box, colour: string): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.beginPath();
  const first = Math.floor((x + y) / STRIPES.apart) * STRIPES.apart;
  for (let sum = first; sum <= x + width + y + height; sum += STRIPES.apart) {
    context.moveTo(sum - y, y);
    context.lineTo(sum - y - height, y + height);
  }
  context.strokeStyle = colour;
  context.lineWidth = STRIPES.line;
  context.stroke();
  context.restore();
}
