import { Checkbox, Fieldset, NativeSelect, SimpleGrid, TextInput } from "@mantine/core";
import type { HTMLInputAutoCompleteAttribute } from "react";
import { useTranslation } from "react-i18next";
import { ageOf, dayHere, said } from "../../chart/when";
import { useLocale } from "../useLocale";
import { exampleDate, readDate } from "./dates";
import { type Draft, type Faults, type Name, NEEDED, TAKEN_AWAY } from "./draft";

/** Longest text of a field, as the server has it. */
const CHARS_MAX = 250;
const NUMBER_CHARS_MAX = 64;
const SSN_CHARS_MAX = 11;

const GENDERS = ["male", "female", "other", "unknown"] as const;
const STATUSES = ["active", "inactive", "deceased"] as const;

interface Props {
  draft: Draft;
  faults: Faults;
  onType: (name: Name, value: string) => void;
  onLeave: ((name: Name) => void) | undefined;
  storedSsn: string | undefined;
  /** Whether there is no record yet. */
  isNew: boolean;
}

/** The fields, in the order in which people are asked. */
export function Fields(props: Props) {
  const { t } = useTranslation("patients");
  return (
    <>
      <Fieldset legend={t("form.person")}>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Field {...props} name="first_name" />
          <Field {...props} name="last_name" />
          <BirthDate {...props} />
          <Choice {...props} name="gender" values={GENDERS.map((value) => [value, t(`gender.${value}`)])} />
        </SimpleGrid>
      </Fieldset>
      <Fieldset legend={t("form.numbers")}>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Field
            {...props}
            name="medical_record_number"
            hint={t(props.isNew ? "form.mrnHint" : "form.mrnHintEdit")}
            charsMax={NUMBER_CHARS_MAX}
          />
          <SocialSecurityNumber {...props} />
        </SimpleGrid>
      </Fieldset>
      <Fieldset legend={t("form.reach")}>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Field {...props} name="phone" mode="tel" />
          <Field {...props} name="email" mode="email" />
          <Field {...props} name="street" />
          <Field {...props} name="city" />
          <Field {...props} name="state" />
          <Field {...props} name="zip_code" />
        </SimpleGrid>
      </Fieldset>
      <Fieldset legend={t("form.emergency")}>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Field {...props} name="contact_name" />
          <Field {...props} name="contact_relationship" />
          <Field {...props} name="contact_phone" mode="tel" />
        </SimpleGrid>
      </Fieldset>
      <Fieldset legend={t("form.record")}>
        <Choice {...props} name="patient_status" values={STATUSES.map((value) => [value, t(`status.${value}`)])} />
      </Fieldset>
    </>
  );
}

interface FieldProps extends Props {
  name: Name;
  hint?: string;
  charsMax?: number;
  mode?: "tel" | "email" | "numeric";
  isOff?: boolean;
}

/** Whether the focus goes on to a field. A button that is being pressed must not move under the pointer by what leaving brings up. */
const isField = (target: EventTarget | null) =>
  target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;

/** Browsers offer what was typed before: at a desk that is another patient's. */
const NO_OFFER: HTMLInputAutoCompleteAttribute = "off";

function Field({ draft, faults, onType, onLeave, name, hint, charsMax = CHARS_MAX, mode, isOff = false }: FieldProps) {
  const { t } = useTranslation("patients");
  return (
    <TextInput
      name={name}
      label={t(`field.${name}`)}
      description={hint}
      value={draft[name]}
      onChange={(event) => onType(name, event.currentTarget.value)}
      onBlur={(event) => isField(event.relatedTarget) && onLeave?.(name)}
      error={faults[name]}
      required={NEEDED.includes(name)}
      maxLength={charsMax}
      disabled={isOff}
      inputMode={mode}
      autoComplete={NO_OFFER}
      spellCheck={false}
    />
  );
}

/** A birth date as text: nobody scrolls through eighty years. What was understood is said in words. */
function BirthDate(props: Props) {
  const { t } = useTranslation(["patients", "chart"]);
  const locale = useLocale();
  const read = readDate(props.draft.date_of_birth, locale);
  const age = read && read.length === 10 ? ageOf(read, dayHere(new Date())) : undefined;
  const aged = age && t("form.understoodAge", { age: t(`chart:age.${age.unit}`, { count: age.count }) });
  const understood =
    read && [t("form.understood", { date: said(read, locale, "long") }), aged].filter(Boolean).join(" ");
  const hint = t("form.dateHint", { example: exampleDate(locale) });
  return <Field {...props} name="date_of_birth" hint={understood || hint} />;
}

/** The number is never shown whole: it stays, is replaced, or is taken away. */
function SocialSecurityNumber(props: Props) {
  const { t } = useTranslation("patients");
  const { storedSsn, draft, onType } = props;
  if (!storedSsn)
    return <Field {...props} name="ssn" hint={t("form.ssnHint")} charsMax={SSN_CHARS_MAX} mode="numeric" />;
  const isGone = draft.ssn === TAKEN_AWAY;
  const shown = isGone ? { ...draft, ssn: "" } : draft;
  const hint = t("form.ssnStored", { last: storedSsn.slice(-4) });
  return (
    <div>
      <Field {...props} draft={shown} name="ssn" hint={hint} charsMax={SSN_CHARS_MAX} mode="numeric" isOff={isGone} />
      <Checkbox
        mt="xs"
        label={t("form.ssnTakeAway")}
        checked={isGone}
        onChange={(event) => onType("ssn", event.currentTarget.checked ? TAKEN_AWAY : "")}
      />
    </div>
  );
}

interface ChoiceProps extends Props {
  name: "gender" | "patient_status";
  values: [string, string][];
}

function Choice({ draft, faults, onType, name, values }: ChoiceProps) {
  const { t } = useTranslation("patients");
  const none = { value: "", label: t(name === "gender" ? "form.notSaid" : "form.statusDefault") };
  return (
    <NativeSelect
      name={name}
      label={t(`field.${name}`)}
      value={draft[name]}
      onChange={(event) => onType(name, event.currentTarget.value)}
      error={faults[name]}
      data={[none, ...values.map(([value, label]) => ({ value, label }))]}
    />
  );
}
