// Where the models are from, and that nothing leaves the page.
import { t } from "../i18n/index.ts";
import { CREDITS } from "../sessions/credits.ts";
import { scenes } from "../sessions/scenes.ts";

export function PageFooter() {
  const { footer } = t.value;
  return (
    <footer>
      <p>{footer.private}</p>
      <h2>{footer.models}</h2>
      <ul>
        {scenes.map(({ id }) => {
          const credit = CREDITS[id];
          if (!credit) return null;
          return (
            <li key={id}>
              <a href={`${credit.folder}README.md`}>{credit.name}</a> ({credit.licence}): {footer.about[id as keyof typeof footer.about]}{" "}
              {credit.sources.map(({ name, url }, i) => [
                i > 0 && ", ",
                <a key={url} href={url} rel="noreferrer">
                  {name}
                </a>,
              ])}
            </li>
          );
        })}
      </ul>
      <p>{footer.source}</p>
    </footer>
  );
}
