// What a model of the Hugging Face Hub takes to download, asked before anything of it is fetched. The answer is the Hub's list of files:
// GET /api/models/{id}?blobs=true (https://huggingface.co/docs/hub/api).

const ENDPOINT = "https://huggingface.co";

/** What loading reads of a repository that may hold the same weights in many formats. */
const WANTED =
  /^(?:config|generation_config|tokenizer|tokenizer_config|special_tokens_map|vocab)\.json$|\.(?:spm|model)$|^model(?:-\d+-of-\d+)?\.safetensors$/;

export type HubAnswer = { readonly bytes: number } | { readonly refused: "unknown" | "noWeights" | "unreachable" };

export async function askHub(id: string, signal: AbortSignal): Promise<HubAnswer> {
  let [status, body] = [0, ""];
  try {
    const response = await fetch(`${ENDPOINT}/api/models/${id}?blobs=true`, { signal, credentials: "omit", referrerPolicy: "no-referrer" });
    [status, body] = [response.status, await response.text()];
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TypeError) return { refused: "unreachable" };
    throw error;
  }
  // The Hub answers 401 for what is private and for what is not there alike.
  if (status >= 400) return { refused: status < 500 ? "unknown" : "unreachable" };
  const { siblings = [] } = JSON.parse(body) as { siblings?: readonly { readonly rfilename: string; readonly size?: number }[] };
  const files = siblings.filter(({ rfilename }) => WANTED.test(rfilename));
  if (!files.some(({ rfilename }) => rfilename.endsWith(".safetensors"))) return { refused: "noWeights" };
  return { bytes: files.reduce((sum, { size = 0 }) => sum + size, 0) };
}
