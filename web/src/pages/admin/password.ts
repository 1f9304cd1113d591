/** Letters and digits that nobody takes for one another when they are read aloud or copied by hand. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 5;
const GROUP = 4;

/** A first password of 99 random bits, in groups of four: `k7wq-…`. */
export function passwordMade(random: (bytes: Uint8Array<ArrayBuffer>) => unknown = fromBrowser): string {
  const letters: string[] = [];
  while (letters.length < GROUPS * GROUP) {
    const bytes = new Uint8Array(GROUPS * GROUP);
    random(bytes);
    // What lies beyond a multiple of the letters is thrown away: otherwise the first ones would come more often.
    const fair = [...bytes].filter((byte) => byte < Math.floor(256 / LETTERS.length) * LETTERS.length);
    letters.push(...fair.map((byte) => LETTERS.charAt(byte % LETTERS.length)));
  }
  return Array.from({ length: GROUPS }, (_, at) => letters.slice(at * GROUP, (at + 1) * GROUP).join("")).join("-");
}

const fromBrowser = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);
