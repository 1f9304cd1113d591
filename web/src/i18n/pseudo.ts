/** Texts between marks, with accents on their vowels: still readable, and a text that is cut or not translated is seen at once. */
export function pseudo(value: unknown): unknown {
  if (typeof value === "string") {
    const parts = value.split(/(\{\{[^}]*\}\}|<[^>]*>)/);
    const turned = parts.map((part, place) =>
      place % 2 ? part : part.replace(/[aeiou]/g, (letter) => `${letter}\u0301`),
    );
    return `\u27e6${turned.join("")}\u27e7`;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, pseudo(inner)]));
}
