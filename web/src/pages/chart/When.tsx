import { useTranslation } from "react-i18next";
import { daySaid, localeOf, said } from "./when";

/** The language tag that dates and numbers are written in. */
export function useLocale(): string {
  const { i18n } = useTranslation();
  return localeOf(i18n.language);
}

interface Props {
  /** As the record has it: a date, a part of one, or a moment. */
  at: string;
  /** Leave the time of day out. */
  isDay?: boolean;
}

/** A date in the reader's words, with the exact one beside it for machines. */
export function When({ at, isDay = false }: Props) {
  const locale = useLocale();
  return (
    <time dateTime={at} dir="auto">
      {isDay ? daySaid(at, locale) : said(at, locale)}
    </time>
  );
}
