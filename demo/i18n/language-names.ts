// Languages as models name them (`fr`, `fra`, `fr_XX`, `fra_Latn`, `cmn_Hans`), as readers do.

/** BCP 47. `XX` is mBART's word for no region. */
export const tagOf = (name: string): string => name.replace(/_XX$/, "").replace("_", "-");

/** Names in the page's language; as the model has it where there is none. */
export function languageNamer(pageLanguage: string): (name: string) => string {
  const names = new Intl.DisplayNames(pageLanguage, { type: "language", fallback: "none" });
  return (name) => {
    try {
      return names.of(tagOf(name)) ?? name;
    } catch {
      // No tag at all.
      return name;
    }
  };
}
