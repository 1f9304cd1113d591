import { session } from "../../app/session";
import { readDate } from "./form/dates";

/**
 * What was typed to find somebody, for who comes back to the search or goes on to register. In memory only: it names people, so it is
 * neither in the address nor kept by the browser, and goes with the session.
 */
let typed = "";
session.onForget(() => {
  typed = "";
});

export const lastTyped = () => typed;

export function keepTyped(text: string): void {
  typed = text;
}

/** What a search text says of a person that is about to be registered. */
export function personIn(
  text: string,
  locale: string,
): { first_name: string; last_name: string; date_of_birth: string } {
  const dates = text.split(/[\s,;]+/).filter((word) => /\d/.test(word) && readDate(word, locale)?.length === 10);
  const words = text
    .split(/\s+/)
    .filter((word) => !/\d|@/.test(word))
    .join(" ")
    .trim();
  const [family, given] = words.split(",").map((part) => part.trim());
  const parts = words.replace(/,/g, " ").split(/\s+/);
  const isSwapped = given !== undefined && given !== "";
  const last = isSwapped ? (family ?? "") : parts.length > 1 ? (parts.at(-1) ?? "") : "";
  const first = isSwapped ? given : parts.length > 1 ? parts.slice(0, -1).join(" ") : words.replace(/,/g, "");
  return { first_name: first, last_name: last, date_of_birth: dates[0] ?? "" };
}
