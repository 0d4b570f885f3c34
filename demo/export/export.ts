// The four files of a figure.
import { type Extension, type Figure, fileName } from "./figure.ts";
import { toHtml } from "./html.ts";
import { toJson } from "./json.ts";
import { canvasMeasure, toPng } from "./png.ts";
import { save } from "./save.ts";
import { toSvg } from "./svg.ts";

export const EXTENSIONS: readonly Extension[] = ["png", "svg", "json", "html"];

const MAKERS: Readonly<Record<Extension, (figure: Figure) => Blob | Promise<Blob>>> = {
  png: toPng,
  svg: (figure) => new Blob([toSvg(figure, canvasMeasure())], { type: "image/svg+xml" }),
  json: (figure) => new Blob([toJson(figure)], { type: "application/json" }),
  html: (figure) => new Blob([toHtml(figure, canvasMeasure())], { type: "text/html" }),
};

export async function exportFigure(figure: Figure, extension: Extension): Promise<void> {
  save(fileName(figure, extension), await MAKERS[extension](figure));
}
