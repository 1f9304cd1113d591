import { type RefObject, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Whereabouts } from "../api/access/account";
import { LANGUAGES } from "../i18n";

/** The field that names the organization, and what it and the language of the page come to when something is sent. */
export function useWhereabouts(): { field: RefObject<HTMLInputElement | null>; read: () => Whereabouts } {
  const { i18n } = useTranslation();
  const field = useRef<HTMLInputElement>(null);
  const read = () => {
    const tenant = field.current?.value.trim();
    const language = i18n.language in LANGUAGES ? i18n.language : undefined;
    return { ...(tenant && { tenant }), ...(language && { language }) };
  };
  return { field, read };
}
