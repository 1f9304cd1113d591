import { useTranslation } from "react-i18next";
import type { Patient } from "./types";
import { useLocale, When } from "./When";
import { ageOf, dayHere, said } from "./when";

/** Family name first, as it stands on wrist bands and labels; a dash for who has none, such as a foundling. */
export function nameOf(patient: Patient): string {
  return [patient.last_name, patient.first_name].filter(Boolean).join(", ") || "—";
}

/** How old the patient is, in words; nothing for who has died, whose age no longer grows. */
export function useAge(patient: Patient): string {
  const { t } = useTranslation("chart");
  const born = patient.patient_status === "deceased" ? undefined : patient.date_of_birth;
  const age = born ? ageOf(born, dayHere(new Date())) : undefined;
  if (!age) return "";
  const text = t(`age.${age.unit}`, { count: age.count });
  return age.isRough ? t("age.rough", { age: text }) : text;
}

/** The birth date, or that it is not known. */
export function Born({ patient }: { patient: Patient }) {
  const { t } = useTranslation("chart");
  const born = patient.date_of_birth;
  return (
    <>
      {t("banner.born")} {born ? <When at={born} /> : t("banner.unrecorded")}
    </>
  );
}

/** Name, birth date and number of the record in one line: what a person is told apart by. */
export function Identity({ patient }: { patient: Patient }) {
  const { t } = useTranslation("chart");
  const number = patient.medical_record_number;
  return (
    <>
      <strong>
        <bdi>{nameOf(patient)}</bdi>
      </strong>
      {" · "}
      <Born patient={patient} />
      {number && (
        <>
          {" · "}
          {t("banner.mrn")} <bdi>{number}</bdi>
        </>
      )}
    </>
  );
}

/** The same as a text, for where no element can stand. */
export function useIdentityText(patient: Patient): string {
  const { t } = useTranslation("chart");
  const locale = useLocale();
  const born = patient.date_of_birth ? said(patient.date_of_birth, locale) : t("banner.unrecorded");
  const parts = [nameOf(patient), `${t("banner.born")} ${born}`];
  if (patient.medical_record_number) parts.push(`${t("banner.mrn")} ${patient.medical_record_number}`);
  return parts.join(" · ");
}
