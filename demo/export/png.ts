// The picture as pixels: two a CSS pixel, fewer where that would be more than a canvas may hold.
import type { Figure } from "./figure.ts";
import { FONT, type Measure, type Picture, pictureOf } from "./picture.ts";

const MOST_PIXELS = 8192;

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
  const { width, height, background, labels, cells, frames, bar } = picture;
  context.fillStyle = background;
  context.fillRect(0, 0, width, height);
  const { size, rows, columns, colour } = cells;
  const gap = size > 8 ? 1 : 0;
  for (let i = 0; i < rows * columns; i++) {
    context.fillStyle = `rgb(${colour(i).join(",")})`;
    context.fillRect(cells.x + (i % columns) * size, cells.y + Math.floor(i / columns) * size, size - gap, size - gap);
  }
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
