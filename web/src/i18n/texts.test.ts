import { describe, expect, it } from "vitest";
import { withPlurals } from "./plurals";
import { pseudo } from "./pseudo";

type Texts = Record<string, unknown>;
const all = import.meta.glob<Texts>("./*/*.json", { import: "default", eager: true });

/** Every text by its path, e.g. `session.signIn`. */
function flat(texts: unknown, path = ""): [string, string][] {
  if (typeof texts === "string") return [[path, texts]];
  return Object.entries(texts as Texts).flatMap(([name, inner]) => flat(inner, path ? `${path}.${name}` : name));
}

const placeholders = (text: string) => [...text.matchAll(/\{\{[^}]*\}\}|<\/?\w+>/g)].map(String).sort();
/** Plural forms differ between languages; what counts is the text they are forms of. */
const base = (path: string) => path.replace(/_(zero|one|two|few|many|other)$/, "");

describe("texts", () => {
  for (const [file, texts] of Object.entries(all).filter(([file]) => file.startsWith("./en/"))) {
    const spanish = all[file.replace("/en/", "/es/")];

    it(`${file} has the same texts in Spanish, with the same placeholders`, () => {
      const [ours, theirs] = [new Map(flat(texts)), new Map(flat(spanish ?? {}))];
      expect([...new Set([...theirs.keys()].map(base))].sort()).toEqual(
        [...new Set([...ours.keys()].map(base))].sort(),
      );
      for (const [path, text] of ours) {
        const other = theirs.get(path);
        if (other !== undefined) expect(placeholders(other), path).toEqual(placeholders(text));
      }
    });
  }

  it("pseudo texts keep their placeholders", () => {
    const turned = { a: "\u27e6Bo\u0301rn {{date}} i\u0301n <b>he\u0301re\u0301</b>\u27e7" };
    expect(pseudo({ a: "Born {{date}} in <b>here</b>" })).toEqual(turned);
  });

  it("have the plural forms of each language, the written ones first", () => {
    const texts = { n_one: "x", n_other: "y", inner: { m_many: "z", m_other: "w" } };
    expect(withPlurals(texts, ["many"])).toEqual({ ...texts, n_many: "y" });
    expect(withPlurals(texts, [])).toEqual(texts);
  });
});
