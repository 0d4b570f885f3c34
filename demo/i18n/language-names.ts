// Languages as models name them (`fr`, `fra`, `fr_XX`, `fra_Latn`, `cmn_Hans`), as readers do.

/** BCP 47. `XX` is mBART's word for no region. */
export const tagOf = (name: string): string => name.replace(/_XX$/, "").replace("_", "-");

/** In the page's language; as the model has it where it has no name there. */
export function languageName(name: string, pageLanguage: string): string {
  try {
    return new Intl.DisplayNames(pageLanguage, { type: "language", fallback: "none" }).of(tagOf(name)) ?? name;
  } catch {
    // No tag at all.
    return name;
  }
}
