// What the builds take out of shaders: comments and indentation, and nothing else.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { squeezeTemplates } from "../../scripts/minify-wgsl.ts";

const squeeze = (code: string) => squeezeTemplates(code).toString();

describe("minify-wgsl", () => {
  it("drops comments, indentation and blank lines", () => {
    expect(squeeze("wgsl`\n  let a = 1u; // one\n\n  // two\n  /* three\n /* four */ */ let b = a/a;\n`")).toBe(
      "wgsl`\nlet a = 1u;\nlet b = a/a;\n`",
    );
  });

  it("leaves code, and templates without the tag, alone", () => {
    const code = "const url = `http://x // y\n  z`; // wgsl`\nconst s = 'wgsl` // no';\n";
    expect(squeeze(code)).toBe(code);
  });

  it("reaches templates nested in substitutions", () => {
    expect(squeeze("wgsl`\n  a ${list.map((i) => wgsl`\n    b${i} // c\n  `)} // d\n  ${'//'}\n`")).toBe(
      "wgsl`\na ${list.map((i) => wgsl`\nb${i}\n`)}\n${'//'}\n`",
    );
  });

  it("keeps a comment that runs into a substitution or out of the template", () => {
    expect(squeeze("wgsl`a; // ${x} // y\n  b`")).toBe("wgsl`a; // ${x} // y\nb`");
    expect(squeeze("wgsl`a; /* ${x} // */ b // c\n  d`")).toBe("wgsl`a; /* ${x} // */ b \nd`".replace(" \n", "\n"));
    expect(squeeze("wgsl`a; // b`")).toBe("wgsl`a; // b`");
  });

  it("keeps a directive on a line of its own, and its condition after it", () => {
    expect(squeeze("wgsl`\n  #if ${flag} // why\n    a\n  #else\n    b\n  #endif\n`")).toBe("wgsl`\n#if ${flag}\na\n#else\nb\n#endif\n`");
  });

  it("leaves a template with escapes as it is", () => {
    const code = "wgsl`\n  a // \\n b\n`";
    expect(squeeze(code)).toBe(code);
  });

  it("shrinks the shaders and is done after one pass", () => {
    const files = readdirSync("shaders").filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"));
    const before = files.map((name) => readFileSync(`shaders/${name}`, "utf8"));
    const after = before.map(squeeze);
    expect(after.map(squeeze)).toEqual(after);
    expect(after.join("").length).toBeLessThan(before.join("").length);
  });
});
