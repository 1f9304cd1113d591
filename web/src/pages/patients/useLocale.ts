import { useTranslation } from "react-i18next";
import { localeOf } from "../chart/when";

/** The language tag that dates are read and written in. */
export function useLocale(): string {
  return localeOf(useTranslation().i18n.language);
}

/** Puts words together as the reader's language does: `a, b and c`. */
export function useList(): Intl.ListFormat {
  return new Intl.ListFormat(useLocale(), { type: "conjunction" });
}
