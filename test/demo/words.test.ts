// The page's languages: every file says the same things, and views say nothing by themselves.
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { bestLanguage, LANGUAGES } from "../../demo/i18n/index.ts";

/** Paths of all words with their types and, of functions, how many things they name. */
function shape(words: object, path = ""): Record<string, string> {
  const of = (name: string, value: unknown): Record<string, string> => {
    if (typeof value === "object" && value !== null) return shape(value, `${path}${name}.`);
    return { [path + name]: typeof value === "function" ? `function of ${value.length}` : typeof value };
  };
  return Object.assign({}, ...Object.entries(words).map(([name, value]) => of(name, value))) as Record<string, string>;
}

const strings = (words: object): string[] =>
  Object.values(words).flatMap((value: unknown) =>
    typeof value === "string" ? [value] : typeof value === "object" ? strings(value!) : [],
  );

describe("the page's languages", () => {
  for (const [tag, words] of Object.entries(LANGUAGES)) {
    it(`${tag} says all that English says`, () => {
      expect(shape(words)).toEqual(shape(LANGUAGES.en));
      for (const text of strings(words)) expect(text.trim()).not.toBe("");
    });
  }

  it("are chosen by the browser's wishes, English where none is there", () => {
    expect(bestLanguage(["fr-CH", "zh-Hans-CN", "en"])).toBe("zh-CN");
    expect(bestLanguage(["EN-us"])).toBe("en");
    expect(bestLanguage(["fr"])).toBe("en");
    expect(bestLanguage([])).toBe("en");
  });
});

/** Attributes that are read or spoken. */
const SPOKEN = new Set([
  "aria-label",
  "aria-description",
  "aria-valuetext",
  "aria-roledescription",
  "title",
  "alt",
  "placeholder",
  "label",
]);
/** The engine's own name is the same in every language. */
const NAMES = new Set(["fovea", "distilbert/distilgpt2"]);

/** Text that a reader would see or hear, written into a view's markup. */
function hardCoded(path: string): string[] {
  const found: string[] = [];
  const note = (node: ts.Node, text: string) => {
    const words = text.trim();
    if (/\p{L}{2}/u.test(words) && !NAMES.has(words)) found.push(`${path}: ${words} (${ts.SyntaxKind[node.kind]})`);
  };
  const literals = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) note(node, node.text);
    else if (ts.isTemplateExpression(node))
      [node.head, ...node.templateSpans.map(({ literal }) => literal)].forEach((part) => note(part, part.text));
    else if (ts.isConditionalExpression(node)) [node.whenTrue, node.whenFalse].forEach(literals);
    else if (ts.isBinaryExpression(node) && isText(node)) [node.left, node.right].forEach(literals);
    else if (ts.isParenthesizedExpression(node) || ts.isJsxExpression(node)) node.forEachChild(literals);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) note(node, node.text);
    else if (ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent)) literals(node);
    else if (ts.isJsxAttribute(node) && SPOKEN.has(node.name.getText()) && node.initializer) literals(node.initializer);
    node.forEachChild(visit);
  };
  visit(ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
  return found;
}

/** `a + b`, `a && b`, `a ?? b`: what may end as text. Comparisons may not. */
const isText = ({ operatorToken: { kind } }: ts.BinaryExpression): boolean =>
  [ts.SyntaxKind.PlusToken, ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken].includes(
    kind,
  );

describe("views", () => {
  const files = [
    "demo/app.tsx",
    ...readdirSync("demo", { recursive: true, encoding: "utf8" })
      .filter((f) => /[\\/].*\.tsx$/.test(f))
      .map((f) => `demo/${f}`),
  ];

  it("are found", () => expect(files.length).toBeGreaterThan(10));

  for (const file of files) it(`${file} has no words of its own`, () => expect(hardCoded(file)).toEqual([]));

  it("would be caught", () => {
    expect(hardCoded("test/fixtures/hard-coded.tsx")).toHaveLength(6);
  });
});
