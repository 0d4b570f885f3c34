// Reaction SMILES read by RXNMapper's ALBERT. What is no SMILES is read as well as it can be; the drawing says what is wrong with it.
import { MAPPING_HEAD } from "../reactions/atom-map.ts";
import { normalise } from "../reactions/smiles.ts";
import { sessionOf } from "./model.ts";
import type { Scene } from "./session.ts";

const FOLDER = "models/rxnmapper-albert/";

export const reactions: Scene = {
  id: "reactions",
  kinds: ["encoder"],
  start: { encoder: MAPPING_HEAD },
  presets: [{ kind: "encoder", ...MAPPING_HEAD, name: "maps" }],
  // The language files name them in this order.
  examples: [
    "CC(=O)Cl.OCc1ccccc1>>CC(=O)OCc1ccccc1",
    "NCc1ccccc1.O=C(O)c1ccncc1>>O=C(NCc1ccccc1)c1ccncc1",
    "COc1ccc(B(O)O)cc1.N#Cc1ccc(Br)cc1>>COc1ccc(-c2ccc(C#N)cc2)cc1",
    "C[Mg]Br.O=Cc1ccccc1>>CC(O)c1ccccc1",
    "C=CC=C.O=C1C=CC(=O)O1>>O=C1OC(=O)C2CC=CCC12",
    "CC(=O)Cl.Nc1ccc(O)cc1>>CC(=O)Nc1ccc(O)cc1",
  ],
  opening: true,
  bytes: 3_530_000,
  writes: false,
  async open(options) {
    const session = sessionOf(await options.load(options.locate(FOLDER), options), "characters");
    return {
      ...session,
      run: async (request) => ({ ...(await session.run({ ...request, text: normalise(request.text) })), input: request.text }),
    };
  },
};
