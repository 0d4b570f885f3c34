// The comments and indentation of shaders are for their readers, not for the wire: this takes them out of the builds.
import MagicString from "magic-string";
import ts from "typescript";
import type { Plugin } from "vite";

/** A Vite plugin that squeezes the text of every wgsl`…` template under shaders/. */
export function minifyWgsl(): Plugin {
  return {
    name: "minify-wgsl",
    apply: "build",
    enforce: "pre",
    transform(code, id) {
      if (!/\/shaders\/[^/]+\.ts$/.test(id)) return undefined;
      const squeezed = squeezeTemplates(code);
      return { code: squeezed.toString(), map: squeezed.generateMap({ hires: true, source: id }) };
    },
  };
}

/** Only the text of templates is touched, never the code between `${` and `}`, in which templates may nest. */
export function squeezeTemplates(code: string): MagicString {
  const out = new MagicString(code);
  const file = ts.createSourceFile("shader.ts", code, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    if (ts.isTaggedTemplateExpression(node) && ts.isIdentifier(node.tag) && node.tag.text === "wgsl") {
      const spans = textSpans(node.template, file);
      // An escape may stand for a newline, which ends a comment: such a template stays as it is.
      if (!spans.some(([start, end]) => code.slice(start, end).includes("\\"))) {
        const squeeze = squeezer();
        for (const [start, end] of spans) {
          const text = squeeze(code.slice(start, end));
          if (start === end) continue;
          if (text === "") out.remove(start, end);
          else out.update(start, end, text);
        }
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return out;
}

/** Start and end of the text between backticks and substitutions. */
function textSpans(template: ts.TemplateLiteral, file: ts.SourceFile): [number, number][] {
  if (ts.isNoSubstitutionTemplateLiteral(template)) return [[template.getStart(file) + 1, template.end - 1]];
  const rest = template.templateSpans.map(({ literal }): [number, number] => [
    literal.getStart(file) + 1,
    literal.end - (ts.isTemplateTail(literal) ? 1 : 2),
  ]);
  return [[template.head.getStart(file) + 1, template.head.end - 2], ...rest];
}

/**
 * Squeezes the texts of one template in their order. A comment goes only where all of it, its line's end included, is in
 * one text: one that runs into a substitution would otherwise let go what it hides.
 */
function squeezer(): (text: string) => string {
  let inLine = false;
  let depth = 0;
  return (text) => {
    let out = "";
    let at = 0;
    const keepTo = (end: number) => {
      out += text.slice(at, end);
      at = end;
    };
    while (at < text.length) {
      if (inLine) {
        const end = text.indexOf("\n", at);
        inLine = end < 0;
        keepTo(inLine ? text.length : end);
      } else if (depth > 0) {
        const [end, left] = blockEnd(text, at, depth);
        depth = left;
        keepTo(end);
      } else if (text.startsWith("//", at)) {
        const end = text.indexOf("\n", at);
        if (end < 0) inLine = true;
        else at = end;
      } else if (text.startsWith("/*", at)) {
        const [end, left] = blockEnd(text, at + 2, 1);
        if (left > 0) {
          depth = left;
          keepTo(end);
        } else {
          out += text.slice(at, end).includes("\n") ? "\n" : " ";
          at = end;
        }
      } else keepTo(at + 1);
    }
    return out.replace(/[ \t\r]*\n\s*/g, "\n");
  };
}

/** Where a block comment (they nest in WGSL) ends, and how deep it is still open there. */
function blockEnd(text: string, from: number, depth: number): [end: number, depth: number] {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  for (let match = mark.exec(text); match; match = mark.exec(text)) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return [mark.lastIndex, 0];
  }
  return [text.length, depth];
}
