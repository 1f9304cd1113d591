type Texts = Record<string, unknown>;

/**
 * Texts with the plural forms that a language has beyond those that are written down: Spanish counts whole millions with `de`, and the
 * mirrored locale counts as Arabic does. What stands for other numbers stands for these.
 */
export function withPlurals(texts: Texts, forms: readonly string[]): Texts {
  const all: Texts = {};
  for (const [name, inner] of Object.entries(texts)) {
    const base = /^(.*)_other$/.exec(name)?.[1];
    for (const form of base === undefined ? [] : forms) all[`${base}_${form}`] = inner;
    all[name] = typeof inner === "object" && inner !== null ? withPlurals(inner as Texts, forms) : inner;
  }
  // A form that is written down counts more.
  return { ...all, ...Object.fromEntries(Object.entries(texts).filter(([name]) => typeof texts[name] === "string")) };
}
