import i18next, { type BackendModule } from "i18next";
import { initReactI18next } from "react-i18next";
import { withPlurals } from "./plurals";
import { pseudo } from "./pseudo";

/** The languages that people can choose. */
export const LANGUAGES = { en: "English", es: "Español" } as const;
export type Language = keyof typeof LANGUAGES;

/** Mirrored English, by `?lng=ar-XB` and in tests: shows what is not translated and what does not turn around. */
const PSEUDO = "ar-XB";

/** Where the choice is kept: it says nothing about anybody but the language. */
const KEPT_AS = "iris-language";

/** Plural forms that a language has beside one and other. */
const FORMS: Record<string, readonly string[]> = { es: ["many"], [PSEUDO]: ["zero", "two", "few", "many"] };

type Texts = Record<string, unknown>;
const files = import.meta.glob<Texts>("./*/*.json", { import: "default" });

/** One file for each language and part of the application, loaded when a page first asks for it. */
const backend: BackendModule = {
  type: "backend",
  init() {},
  async read(language: string, namespace: string) {
    const isPseudo = language === PSEUDO;
    const load = files[`./${isPseudo ? "en" : language}/${namespace}.json`];
    if (!load) throw new Error(`there are no texts for ${namespace} in ${language}`);
    const texts = withPlurals(await load(), FORMS[language] ?? []);
    return isPseudo ? (pseudo(texts) as Texts) : texts;
  },
};

function chosen(): string {
  const asked = new URLSearchParams(location.search).get("lng");
  for (const language of [asked, localStorage.getItem(KEPT_AS), ...navigator.languages]) {
    if (language === PSEUDO) return PSEUDO;
    const known = language?.slice(0, 2);
    if (known && known in LANGUAGES) return known;
  }
  return "en";
}

function show(language: string) {
  document.documentElement.lang = language;
  document.documentElement.dir = language === PSEUDO ? "rtl" : "ltr";
}

/** Starts with the language that was chosen before, or the browser's. Pages use `useTranslation("namespace")`. */
export async function startLanguage(): Promise<void> {
  i18next.on("languageChanged", show);
  await i18next
    .use(backend)
    .use(initReactI18next)
    .init({
      lng: chosen(),
      fallbackLng: false,
      supportedLngs: [...Object.keys(LANGUAGES), PSEUDO],
      ns: ["app"],
      defaultNS: "app",
      interpolation: { escapeValue: false },
    });
}

/** Changes the language and keeps the choice in this browser. */
export async function choose(language: Language): Promise<void> {
  localStorage.setItem(KEPT_AS, language);
  await i18next.changeLanguage(language);
}
