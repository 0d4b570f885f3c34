// A folder at a URL whose files are kept: opted in to, because a page's own server has the browser's HTTP cache to say how long
// files stay fresh, and a development server's files change all the time.
import type { HttpOptions } from "../http/request.ts";
import { HttpFolder } from "../http/source.ts";
import type { Source } from "../open.ts";
import { HeaderCatalog } from "./catalog.ts";
import { KeptSource } from "./source.ts";
import { browserStore } from "./stores.ts";
import type { CacheStore } from "./store.ts";

export function urlSource(folder: URL, cache: boolean | CacheStore, options: HttpOptions = {}): Source {
  const http = new HttpFolder(folder, options);
  const store = typeof cache === "object" ? cache : cache ? browserStore() : undefined;
  if (!store) return http;
  const scope = `${folder.host}${folder.pathname}`.replace(/\/$/, "");
  return new KeptSource(http, { catalog: new HeaderCatalog(http, { store, scope }), store, scope });
}
