/** A span of life as people say it: `6 weeks`, `14 months`, `40 years`. */
export interface Age {
  unit: "days" | "weeks" | "months" | "years";
  count: number;
  /** The day or the month of birth is not known, so that it may be one less. */
  isRough: boolean;
}

interface Day {
  year: number;
  month: number;
  day: number;
}

/** Up to which age days, weeks and months are what people count in (as growth charts and vaccine schedules do). */
const DAYS_MAX = 14;
const WEEKS_UP_TO_MONTHS = 3;
const MONTHS_UP_TO_YEARS = 2;
const DAY_MS = 86_400_000;

function dayOf(date: string): (Day & { isWhole: boolean }) | undefined {
  const found = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(date);
  if (!found) return undefined;
  const [, year, month, day] = found;
  return { year: Number(year), month: Number(month ?? 1), day: Number(day ?? 1), isWhole: day !== undefined };
}

/** Days since 1970, in a calendar without time zones. */
const number = ({ year, month, day }: Day) => {
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  return at.getTime() / DAY_MS;
};

/**
 * How old somebody born on `born` is on `today`, both ISO dates; nothing if that day lies before the birth. Who was born on
 * 29 February has the birthday on 1 March in other years.
 */
export function ageOf(born: string, today: string): Age | undefined {
  const [from, to] = [dayOf(born), dayOf(today)];
  if (!from || !to) return undefined;
  const days = number(to) - number(from);
  if (days < 0) return undefined;
  const isRough = !from.isWhole;
  const months = (to.year - from.year) * 12 + (to.month - from.month) - (to.day < from.day ? 1 : 0);
  if (isRough && from.month === 1 && born.length === 4) return { unit: "years", count: to.year - from.year, isRough };
  if (months >= MONTHS_UP_TO_YEARS * 12) return { unit: "years", count: Math.floor(months / 12), isRough };
  if (isRough || months >= WEEKS_UP_TO_MONTHS) return { unit: "months", count: months, isRough };
  if (days >= DAYS_MAX) return { unit: "weeks", count: Math.floor(days / 7), isRough };
  return { unit: "days", count: days, isRough };
}

const two = (part: number) => String(part).padStart(2, "0");

/** The day of a moment on this device's calendar, as an ISO date. */
export function dayHere(at: Date): string {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** The time of day of a moment on this device's clock, `HH:MM`. */
export function timeHere(at: Date): string {
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Whether a text is a whole day of the calendar. */
export function isDay(text: string): boolean {
  const day = dayOf(text);
  return day?.isWhole === true && dayHere(new Date(day.year, day.month - 1, day.day)) === text;
}

/** A day and a time of day on this device's clock as a moment; the day alone where no time is known. */
export function momentOf(day: string, time: string): string {
  return time === "" ? day : new Date(`${day}T${time}`).toISOString().replace(".000Z", "Z");
}

/** A stored date or moment as day and time of day on this device's clock, for a form. */
export function partsOf(stored: string): { day: string; time: string } {
  if (!stored.includes("T")) return { day: stored, time: "" };
  const at = new Date(stored);
  return Number.isNaN(at.getTime()) ? { day: "", time: "" } : { day: dayHere(at), time: timeHere(at) };
}

/** The language tag to write dates and numbers in: the browser's own variant of the language that was chosen. */
export function localeOf(language: string, preferred: readonly string[] = navigator.languages): string {
  // The mirrored pseudo-locale is English; its tag would ask for Arabic.
  const base = language.startsWith("ar-X") ? "en" : language;
  return preferred.find((tag) => tag === base || tag.startsWith(`${base}-`)) ?? base;
}

/** A date or moment in words: a moment on this device's clock, a date as the day it is, however much of it is known. */
export function said(stored: string, locale: string, style: "long" | "short" = "short"): string {
  const month = style === "long" ? "long" : "short";
  if (!stored.includes("T")) {
    const day = dayOf(stored);
    if (!day) return stored;
    const parts: Intl.DateTimeFormatOptions = { timeZone: "UTC", year: "numeric" };
    if (stored.length >= 7) parts.month = month;
    if (day.isWhole) parts.day = "numeric";
    return new Intl.DateTimeFormat(locale, parts).format(number(day) * DAY_MS);
  }
  const at = new Date(stored);
  if (Number.isNaN(at.getTime())) return stored;
  const parts: Intl.DateTimeFormatOptions = {
    year: "numeric",
    month,
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
  };
  return new Intl.DateTimeFormat(locale, parts).format(at);
}

/** Only the day of a stored date or moment. */
export function daySaid(stored: string, locale: string): string {
  return said(stored.includes("T") ? partsOf(stored).day : stored, locale);
}
