// `npm run translate -- "I love you."`: the French in a terminal, token by token, and which English word each one looked
// at most, by the head that aligns best.
import { fileURLToPath } from "node:url";
import { FoveaError, loadModel } from "../src/index.ts";
import { directory, openDevice } from "../src/node.ts";

const FOLDER = fileURLToPath(new URL("../demo/public/models/marian-en-fr-tatoeba", import.meta.url));
/** Cross-attention, read by the decoder's input token: 92 % of the links are right (see the model's README). */
const ALIGNING = { layer: 0, head: 7 };

const text = process.argv.slice(2).join(" ").trim();
if (text === "") {
  console.error('Usage: npm run translate -- "I love you."');
  process.exit(2);
}

try {
  const device = await openDevice();
  const model = await loadModel(directory(FOLDER), { device });
  for await (const piece of model.stream(text)) process.stdout.write(piece.text);
  const generation = await model.generate(text, { numBeams: 1, capture: { cross: [ALIGNING] } });
  const maps = generation.attentions!.cross!;
  const [rows, columns] = [maps.queryTokens()!, maps.keyTokens()!];
  const weights = await maps.read(ALIGNING);
  const width = Math.max(...rows.map((r) => r.length));
  process.stdout.write("\n\n");
  rows.forEach((token, row) => {
    // The first row is the decoder's start token: it stands for no word.
    if (row === 0) return;
    const map = weights.subarray(row * columns.length, (row + 1) * columns.length);
    const best = map.indexOf(Math.max(...map));
    console.log(`${plain(token).padEnd(width)}  ←  ${plain(columns[best]!)}  ${map[best]!.toFixed(2)}`);
  });
  generation.dispose();
  model.dispose();
  device.destroy();
} catch (error) {
  if (!(error instanceof FoveaError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function plain(token: string): string {
  return token.replace("▁", "");
}
