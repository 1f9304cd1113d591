/** Order of day, month and year where people write dates with numbers alone. */
type Order = "mdy" | "dmy" | "ymd";

function orderOf(locale: string): Order {
  const parts = new Intl.DateTimeFormat(locale).formatToParts(new Date(2001, 1, 3));
  const order = parts.filter(({ type }) => type !== "literal").map(({ type }) => type[0]);
  const text = order.join("");
  return text === "mdy" || text === "ymd" ? text : "dmy";
}

const fold = (text: string) =>
  text
    .normalize("NFD")
    .replace(/[\u0300-\u036f.]/g, "")
    .toLowerCase();

/** Months by their names, long and short, in the reader's language and in English. */
function monthOf(word: string, locale: string): number | undefined {
  const wanted = fold(word);
  if (wanted.length < 3) return undefined;
  for (const language of [locale, "en"]) {
    const name = new Intl.DateTimeFormat(language, { month: "long", timeZone: "UTC" });
    for (let month = 1; month <= 12; month += 1) {
      if (fold(name.format(Date.UTC(2001, month - 1, 1))).startsWith(wanted)) return month;
    }
  }
  return undefined;
}

function iso(year: number, month?: number, day?: number): string | undefined {
  if (year < 1800 || year > 9999) return undefined;
  const two = (part: number) => String(part).padStart(2, "0");
  if (month === undefined) return String(year);
  if (month < 1 || month > 12) return undefined;
  if (day === undefined) return `${year}-${two(month)}`;
  const at = new Date(Date.UTC(year, month - 1, day));
  return at.getUTCMonth() === month - 1 && at.getUTCDate() === day && day > 0
    ? `${year}-${two(month)}-${two(day)}`
    : undefined;
}

/**
 * A date as it was typed, as an ISO date: ISO itself (also a year, or a year and month, where no more is known), numbers in the order
 * of the locale, or a month by its name. Nothing for what is none, and for a year of two digits, which could be two people.
 */
export function readDate(text: string, locale: string): string | undefined {
  const typed = text.trim();
  const isoParts = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$/.exec(typed);
  if (isoParts) {
    const [, year, month, day] = isoParts;
    return iso(Number(year), month ? Number(month) : undefined, day ? Number(day) : undefined);
  }
  const parts = typed.split(/[\s,./-]+|\bde\b/i).filter((part) => part !== "");
  if (parts.length !== 3) return undefined;
  const named = parts.findIndex((part) => /\p{L}/u.test(part));
  if (named >= 0) return withName(parts, named, locale);
  if (!parts.every((part) => /^\d{1,4}$/.test(part))) return undefined;
  const [a = "", b = "", c = ""] = parts;
  if (a.length === 4) return iso(Number(a), Number(b), Number(c));
  if (c.length !== 4) return undefined;
  const [day, month] = orderOf(locale) === "mdy" ? [b, a] : [a, b];
  return iso(Number(c), Number(month), Number(day));
}

function withName(parts: string[], named: number, locale: string): string | undefined {
  const month = monthOf(parts[named] ?? "", locale);
  const numbers = parts.filter((_, place) => place !== named);
  const year = numbers.find((part) => /^\d{4}$/.test(part));
  const day = numbers.find((part) => /^\d{1,2}(st|nd|rd|th|º)?$/.test(part));
  return month && year && day ? iso(Number(year), month, Number.parseInt(day, 10)) : undefined;
}

/** How a date is written with numbers in this locale, as an example that cannot be read in two ways. */
export function exampleDate(locale: string): string {
  const parts = { year: "numeric", month: "2-digit", day: "2-digit", timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(locale, parts).format(Date.UTC(1980, 2, 31));
}
