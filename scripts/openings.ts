// `npm run openings`: computes each scene's first example and writes it to demo/public/openings, so that the page has something
// to show before its model is there. To be run again when a scene's model, first example or session changes; a test says so.
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { encodeOpening } from "../demo/openings/format.ts";
import { recordOpening } from "../demo/openings/record.ts";
import { scenes } from "../demo/sessions/scenes.ts";
import { loadModel } from "../src/index.ts";
import { directory, openDevice } from "../src/node.ts";

const PUBLIC = fileURLToPath(new URL("../demo/public/", import.meta.url));

const device = await openDevice();
await mkdir(`${PUBLIC}openings`, { recursive: true });
for (const scene of scenes.filter(({ opening }) => opening)) {
  const opening = await recordOpening(scene, {
    load: (source, { onProgress, signal }) => loadModel(source, { onProgress, signal, device }),
    locate: (folder) => directory(PUBLIC + folder),
    onProgress: () => undefined,
    signal: new AbortController().signal,
  });
  const bytes = encodeOpening(opening);
  await writeFile(`${PUBLIC}openings/${scene.id}.bin`, bytes);
  console.log(`${scene.id}: ${bytes.length} bytes, ${gzipSync(bytes).length} gzipped, "${opening.output || opening.input}"`);
}
device.destroy();
