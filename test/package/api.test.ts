// The public face as a snapshot: every export of every entry with its type. A change to it is made on purpose, with
// `vitest run --project unit -u`.
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ENTRIES = ["index", "nn", "node", "pipeline", "worker"] as const;

const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, (path) => ts.sys.readFile(path));
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
const program = ts.createProgram(
  ENTRIES.map((entry) => `${ROOT}src/${entry}.ts`),
  options,
);
const checker = program.getTypeChecker();
const FORMAT = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;

function describeExport(symbol: ts.Symbol): string[] {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const declaration = target.declarations?.[0];
  if (!declaration) return [`${symbol.name}: ?`];
  if (!(target.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias))) {
    return [`${symbol.name}: ${checker.typeToString(checker.getTypeOfSymbol(target), declaration, FORMAT)}`];
  }
  const type = checker.getDeclaredTypeOfSymbol(target);
  if (target.flags & ts.SymbolFlags.TypeAlias)
    return [`type ${symbol.name} = ${checker.typeToString(type, declaration, FORMAT | ts.TypeFormatFlags.InTypeAlias)}`];
  const members = type
    .getProperties()
    .filter(
      (p) =>
        !p.name.startsWith("#") &&
        !p.name.startsWith("__") &&
        p.declarations?.every((d) => d.getSourceFile().fileName.startsWith(ROOT) && !d.getSourceFile().fileName.includes("node_modules")),
    )
    .map(
      (p) =>
        `  ${p.name}${p.flags & ts.SymbolFlags.Optional ? "?" : ""}: ${checker.typeToString(checker.getTypeOfSymbol(p), declaration, FORMAT)}`,
    );
  return [`${target.flags & ts.SymbolFlags.Class ? "class" : "interface"} ${symbol.name}`, ...members.toSorted()];
}

describe("public API", () => {
  it.each(ENTRIES)("%s", async (entry) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(`${ROOT}src/${entry}.ts`)!)!;
    const exports = checker.getExportsOfModule(module).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    await expect(`${exports.flatMap(describeExport).join("\n")}\n`).toMatchFileSnapshot(`./api/${entry}.txt`);
  });
});
